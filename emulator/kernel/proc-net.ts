import { hexDigits } from '../base/index.js';
import { ANY6, formatIp, formatMac, isIp6, mapped, type Address, type Ip } from '../net/wire/index.js';
import { netstatText, snmpText } from '../net/mib.js';
import type { NetStack } from '../net/stack.js';
import { TimeWait, type Names, type TcpConnection } from '../net/tcp/index.js';
import type { Kernel } from './kernel.js';
import { procNet6 } from './proc-net6.js';
import { procSockets } from './proc-sockets.js';
import type { ProcSpec } from './procfs.js';
import { STATE_NUMBER } from './tcp-options.js';
import { TcpSocket } from './tcp-socket.js';

/** The head of tcp6, udp6 and raw6: addresses have 32 digits. */
const HEAD6 = '  sl  local_address                         remote_address                        st tx_queue rx_queue tr tm->when retrnsmt   uid  timeout inode';

/** /proc/net in the forms ifconfig, route, arp and netstat parse. */
export function procNet(kernel: Kernel): Record<string, ProcSpec> {
  const { net } = kernel;
  if (!net) return {};
  const file = (read: (stack: NetStack) => string): ProcSpec => ({ type: 'reg', read: () => read(net) });
  return {
    arp: file(arp), dev: file(dev), route: file(route), udp: file((stack) => udp(stack, false)), raw: file((stack) => raw(stack, false)), tcp: file((stack) => tcp(kernel, stack, false)),
    udp6: file((stack) => udp(stack, true)), raw6: file((stack) => raw(stack, true)), tcp6: file((stack) => tcp(kernel, stack, true)),
    snmp: file(snmpText), netstat: file(netstatText), ...procNet6(net), ...procSockets(kernel),
  };
}

function dev(net: NetStack): string {
  const head = 'Inter-|   Receive                                                |  Transmit\n'
    + ' face |bytes    packets errs drop fifo frame compressed multicast|bytes    packets errs drop fifo colls carrier compressed\n';
  return head + net.interfaces.map((device) => {
    const { name, rxBytes, rxPackets, rxErrors, rxDropped, rxMissed, rxMulticast, txBytes, txPackets, txDropped } = device;
    const pad = (value: number, width: number): string => String(value).padStart(width);
    return `${name.padStart(6)}: ${pad(rxBytes, 7)} ${pad(rxPackets, 7)} ${pad(rxErrors, 4)} ${pad(rxDropped + rxMissed, 4)}    0 ${pad(rxErrors, 5)}          0 ${pad(rxMulticast, 9)} `
      + `${pad(txBytes, 8)} ${pad(txPackets, 7)}    0 ${pad(txDropped, 4)}    0     0       0          0\n`;
  }).join('');
}

/** As an AF_INET6 socket's file has it: four words, an IPv4 address mapped. */
function address6Hex(address: Address): string {
  const whole = isIp6(address) ? address : address === 0 ? ANY6 : mapped(address);
  return (whole.match(/.{8}/g) as string[]).map((word) => addressHex(parseInt(word, 16))).join('');
}

function socketHex(address: Address, six: boolean): string {
  return six ? address6Hex(address) : addressHex(address as Ip);
}

/** Hexadecimal digits as the tables of IPv4 and of sockets have them; nothing is below zero. */
function capitals(value: number, width: number): string {
  return hexDigits(Math.max(0, value), width).toUpperCase();
}

/** An address as the kernel prints it: the network-order word read on a little-endian machine. */
function addressHex(address: number): string {
  const a = address >>> 0;
  const swapped = ((a & 0xff) << 24) | ((a & 0xff00) << 8) | ((a >>> 8) & 0xff00) | (a >>> 24);
  return capitals(swapped >>> 0, 8);
}

const ATF_COM = 2;
const ATF_PERM = 4;

function arp(net: NetStack): string {
  const lines = net.arp.list().map((entry) => {
    const flags = entry.mac < 0 ? 0 : ATF_COM | (entry.permanent ? ATF_PERM : 0);
    const mac = entry.mac < 0 ? '00:00:00:00:00:00' : formatMac(entry.mac);
    return `${formatIp(entry.address as Ip).padEnd(16)} 0x1         0x${flags.toString(16).padEnd(10)}${mac}     *        ${entry.interface.name}\n`;
  });
  return `IP address       HW type     Flags       HW address            Mask     Device\n${lines.join('')}`;
}

const RTF_UP = 1;
const RTF_GATEWAY = 2;
const RTF_HOST = 4;
const RTF_REJECT = 0x200;

function route(net: NetStack): string {
  const line = (fields: readonly (string | number)[]): string => `${fields.join('\t').padEnd(127)}\n`;
  const lines = net.routes.sorted().map(({ network, prefix, gateway, device, metric, reject }) => {
    const flags = RTF_UP | (gateway ? RTF_GATEWAY : 0) | (prefix === 32 ? RTF_HOST : 0) | (reject ? RTF_REJECT : 0);
    const mask = prefix === 0 ? 0 : (-1 << (32 - prefix)) >>> 0;
    const name = net.interface(device)?.name ?? '*';
    return line([name, addressHex(network), addressHex(gateway), capitals(flags, 4), 0, 0, metric, addressHex(mask), 0, 0, 0]);
  });
  return line(['Iface', 'Destination', 'Gateway ', 'Flags', 'RefCnt', 'Use', 'Metric', 'Mask\t', '\tMTU', 'Window', 'IRTT']) + lines.join('');
}

function udp(net: NetStack, six: boolean): string {
  const head = six ? `${HEAD6} ref pointer drops\n` : '  sl  local_address rem_address   st tx_queue rx_queue tr tm->when retrnsmt   uid  timeout inode ref pointer drops\n';
  return head + net.udp.list().filter((socket) => (socket.six !== null) === six).map((socket, i) => `${String(i).padStart(5)}: ${socketHex(socket.localAddress, six)}:${capitals(socket.localPort, 4)} `
    + `${socketHex(socket.remoteAddress, six)}:${capitals(socket.remotePort, 4)} 07 00000000:${capitals(socket.queuedBytes, 8)} 00:00000000 00000000     0        0 0 2 00000000 ${socket.drops}\n`).join('');
}

/** Descriptors' sockets by connection; what nobody holds (orphans, the backlog) has no inode. */
function tcpOwners(kernel: Kernel): Map<TcpConnection, TcpSocket> {
  const owners = new Map<TcpConnection, TcpSocket>();
  for (const process of kernel.processes.values()) {
    for (const fd of process.fds.list()) {
      const file = process.fds.get(fd);
      if (file instanceof TcpSocket) owners.set(file.connection, file);
    }
  }
  return owners;
}

/** proc(5), /proc/net/tcp. tr says which timer runs: 1 retransmission, 2 keepalive, 3 time-wait, 4 probe. */
function tcp(kernel: Kernel, net: NetStack, six: boolean): string {
  const ticks = (at: number): number => (at === Infinity ? 0 : Math.ceil(net.clock.toNanoseconds(Math.max(0, at - net.clock.cycles)) / 1e7));
  const owners = tcpOwners(kernel);
  const line = (names: Names, rest: string): string =>
    `${socketHex(names.localAddress, six)}:${capitals(names.localPort, 4)} ${socketHex(names.remoteAddress, six)}:${capitals(names.remotePort, 4)} ${rest}`;
  const lines = [...net.tcp.ports.all()].filter((flow) => (flow.six !== null) === six).map((flow) => {
    if (flow instanceof TimeWait) return line(flow, `06 00000000:00000000 03:${capitals(ticks(flow.deadline), 8)} 00000000     0        0 0 3 00000000`);
    const owner = owners.get(flow);
    const queued = flow.state === 'LISTEN' ? (flow.listener?.queue.length ?? 0) : flow.available;
    const timer = flow.retransmitAt !== Infinity ? (flow.persisting ? 4 : 1) : flow.lifeAt !== Infinity ? 2 : 0;
    const when = ticks(timer === 2 ? flow.lifeAt : flow.retransmitAt);
    return line(flow, `${capitals(STATE_NUMBER[flow.state], 2)} ${capitals(flow.sendQueue.length, 8)}:${capitals(queued, 8)} ${capitals(timer, 2)}:${capitals(when, 8)} ${capitals(flow.retries, 8)} `
      + `${String(owner?.uid ?? 0).padStart(5)} ${String(flow.probes).padStart(8)} ${owner?.inode ?? 0} 1 00000000 ${ticks(net.clock.cycles + flow.srtt + 4 * flow.rttvar) || 100} 0 0 ${Math.max(1, Math.ceil(flow.cwnd / 1448))} -1`);
  });
  for (const entry of net.tcp.halfOpen.list()) {
    if ((net.tcp.listeners.get(entry.listener)?.six !== null) !== six) continue;
    lines.push(line({ localAddress: entry.local, localPort: entry.localPort, remoteAddress: entry.remote, remotePort: entry.remotePort }, '03 00000000:00000000 01:00000064 00000000     0        0 0 1 00000000'));
  }
  const width = six ? 0 : 149;
  const head = six ? HEAD6 : '  sl  local_address rem_address   st tx_queue rx_queue tr tm->when retrnsmt   uid  timeout inode'.padEnd(width);
  return [head, ...lines.map((text, i) => `${String(i).padStart(4)}: ${text}`.padEnd(width))].map((text) => `${text}\n`).join('');
}

/** Raw sockets: the protocol stands where UDP has its port (net/ipv4/raw.c). */
function raw(net: NetStack, six: boolean): string {
  const head = six ? `${HEAD6} ref pointer drops\n` : '  sl  local_address rem_address   st tx_queue rx_queue tr tm->when retrnsmt   uid  timeout inode ref pointer drops\n';
  return head + net.raw.filter((socket) => (socket.six !== null) === six).map((socket) => `${String(socket.protocol).padStart(4)}: ${socketHex(socket.localAddress, six)}:${capitals(socket.protocol, 4)} `
    + `${socketHex(socket.remoteAddress, six)}:0000 07 00000000:${capitals(socket.queuedBytes, 8)} 00:00000000 00000000     0        0 0 2 00000000 ${socket.drops}\n`).join('');
}

import { hexDigits } from '../base/index.js';
import { formatMac } from '../net/wire/address.js';
import type { Kernel } from './kernel.js';
import { NetlinkSocket } from './netlink/netlink-socket.js';
import { netlinkPorts } from './netlink/ports.js';
import type { OpenFile } from './open-file.js';
import { PacketSocket } from './packet-socket.js';
import type { ProcSpec } from './procfs.js';
import { UnixSocket } from './unix-socket.js';

/** /proc/net of the socket families that are the kernel's: unix, packet, netlink; and the groups of the interfaces. */
export function procSockets(kernel: Kernel): Record<string, ProcSpec> {
  const file = (read: () => string): ProcSpec => ({ type: 'reg', read });
  return { unix: file(() => unix(kernel)), packet: file(() => packet(kernel)), netlink: file(() => netlink(kernel)), dev_mcast: file(() => groups(kernel)), igmp: file(() => igmp(kernel)) };
}

/** Every open file that some process holds, once. */
function openFiles(kernel: Kernel): Set<OpenFile> {
  const files = new Set<OpenFile>();
  for (const { fds, state } of kernel.processes.values()) {
    if (state !== 'alive') continue;
    for (const fd of fds.list()) files.add(fds.get(fd) as OpenFile);
  }
  return files;
}

function unix(kernel: Kernel): string {
  const lines = [...openFiles(kernel)].filter((file) => file instanceof UnixSocket).map((socket) => {
    const { listening, state, path } = socket.listing();
    const flags = listening ? 0x10000 : 0;
    return `00000000: ${hexDigits(socket.refs + 1, 8)} 00000000 ${hexDigits(flags, 8)} ${hexDigits(socket.type, 4)} ${hexDigits(state, 2)} ${String(socket.inode).padStart(5)}${path === '' ? '' : ` ${path}`}\n`;
  });
  return `Num       RefCount Protocol Flags    Type St Inode Path\n${lines.join('')}`;
}

function packet(kernel: Kernel): string {
  const taps = (kernel.net?.taps ?? []).filter((tap) => tap instanceof PacketSocket);
  const lines = taps.map((socket) => {
    const { protocol, device, queued } = socket.listing();
    return `00000000 ${String(socket.refs).padEnd(6)} ${String(socket.type).padEnd(4)}   ${hexDigits(protocol, 4)}   ${String(device).padEnd(5)} 1     ${String(queued).padEnd(6)} 0      ${String(socket.inode).padEnd(6)}\n`;
  });
  return `sk       RefCnt Type Proto  Iface R Rmem   User   Inode\n${lines.join('')}`;
}

function netlink(kernel: Kernel): string {
  const lines = netlinkPorts(kernel).sockets.filter((socket) => socket instanceof NetlinkSocket).map((socket) => {
    const { groups: mask, queued } = socket.listing();
    return `00000000 ${String(socket.protocol).padEnd(3)} ${String(socket.port >>> 0).padEnd(10)} ${hexDigits(mask, 8)} ${String(queued).padEnd(8)} 0        0     2        0        ${String(socket.inode).padEnd(8)}\n`;
  });
  return `sk               Eth Pid        Groups   Rmem     Wmem     Dump  Locks    Drops    Inode\n${lines.join('')}`;
}

/** "index name users global address" */
function groups(kernel: Kernel): string {
  return (kernel.net?.interfaces ?? []).filter((device) => !device.loopback).flatMap((device) =>
    device.listenedMacs().map(([mac, users]) => `${String(device.index).padEnd(4)} ${device.name.padEnd(15)} ${String(users).padEnd(5)} 0     ${formatMac(mac).replaceAll(':', '')}\n`)).join('');
}

/** Groups in network order as a word of this machine, all hosts always among them. */
function igmp(kernel: Kernel): string {
  const word = (group: number): string => hexDigits(((group & 0xff) << 24) | ((group & 0xff00) << 8) | ((group >>> 8) & 0xff00) | (group >>> 24), 8).toUpperCase();
  const lines = (kernel.net?.interfaces ?? []).map((device) => {
    const members: [number, number][] = [...device.groups, [0xe0000001, 1]];
    const rows = members.map(([group, users]) => `\t\t\t\t${word(group)} ${String(users).padStart(5)} 0:00000000\t\t0\n`);
    return `${device.index}\t${device.name.padEnd(10)}: ${String(members.length).padStart(5)}      V3\n${rows.join('')}`;
  });
  return `Idx\tDevice    : Count Querier\tGroup    Users Timer\tReporter\n${lines.join('')}`;
}

import { Errno, failed } from '../base/index.js';
import type { DatagramSocket, SocketError } from './datagram-socket.js';
import { covers } from './family.js';
import { datagramOf } from './demux.js';
import type { Arrival, NetStack } from './stack.js';
import * as wire from './wire/index.js';
import type { Address, IcmpMessage, Ipv4Packet } from './wire/index.js';

/** RFC 1812 section 4.3.2.3: as much of the packet as fits without the error exceeding 576 bytes. */
const QUOTED = 576 - wire.IPV4_HEADER - wire.ICMP_HEADER;

export function icmpIn(stack: NetStack, arrival: Arrival, packet: Ipv4Packet): void {
  stack.snmp.count('Icmp.InMsgs');
  const message = wire.readIcmp(packet.payload);
  if (typeof message === 'string') {
    stack.snmp.count('Icmp.InErrors');
    stack.count(message);
  } else if (message.type === wire.ICMP_ECHO) {
    echo(stack, arrival, packet, message);
  } else if (message.type === wire.ICMP_ECHO_REPLY) {
    echoReply(stack, arrival, packet, message);
  } else if (wire.isIcmpError(message.type)) {
    errorIn(stack, packet, message);
  } else {
    stack.count('icmp.unknown-type');
  }
}

function echo(stack: NetStack, arrival: Arrival, packet: Ipv4Packet, message: IcmpMessage): void {
  // Linux: icmp_echo_ignore_broadcasts; RFC 1122 section 3.2.2.6 allows it.
  if (arrival.toGroup || !stack.isLocal(packet.destination)) return stack.count('icmp.echo-to-group');
  const path = stack.path(packet.source, 0, packet.destination);
  if (failed(path)) return stack.count('icmp.no-route');
  stack.take('icmp.echo');
  const payload = wire.writeIcmp({ ...message, type: wire.ICMP_ECHO_REPLY });
  stack.snmp.count('Icmp.OutMsgs');
  stack.output(path, wire.ipv4({ source: packet.destination, destination: packet.source, protocol: wire.IP_ICMP, payload, tos: packet.tos }));
}

function echoReply(stack: NetStack, arrival: Arrival, packet: Ipv4Packet, message: IcmpMessage): void {
  const identifier = message.rest >>> 16;
  const socket = stack.pings.find((ping) => ping.six === null && ping.identifier === identifier && (ping.remoteAddress === 0 || ping.remoteAddress === packet.source));
  if (!socket) {
    if (stack.raw.some(({ protocol }) => protocol === wire.IP_ICMP)) stack.take('raw.filtered');
    else stack.count('icmp.no-socket');
  } else if (socket.deliver(datagramOf(stack, arrival, packet, 0, packet.payload), stack.buffers)) {
    stack.take('icmp.socket');
  } else {
    stack.count('icmp.buffer-full');
  }
}

/**
 * Send an ICMP error about `packet`, unless one must not be sent (RFC 1122 section 3.2.2): about an ICMP
 * error, a later fragment, a broadcast or multicast, a source that is no single host; or too many were sent.
 */
export function sendIcmpError(stack: NetStack, packet: Ipv4Packet, arrival: Arrival, type: number, code: number, rest = 0): void {
  const { source, destination } = packet;
  if (arrival.toGroup || packet.fragmentOffset > 0 || source === 0 || wire.isMulticast(source) || stack.isBroadcast(source) || wire.isReserved(source)) return;
  if (wire.isMulticast(destination) || stack.isBroadcast(destination)) return;
  if (packet.protocol === wire.IP_ICMP && !(packet.payload[0] === wire.ICMP_ECHO || packet.payload[0] === wire.ICMP_ECHO_REPLY)) return;
  const path = stack.path(source, 0, stack.isLocal(destination) ? destination : 0);
  if (failed(path)) return stack.lose('icmp.error-no-route');
  if (path.kind !== 'local' && !stack.limiter.allow(source)) return stack.lose('icmp.rate-limited');
  const payload = wire.writeIcmp({ type, code, rest, data: wire.writeIpv4(packet).subarray(0, QUOTED) });
  stack.snmp.count('Icmp.OutMsgs');
  stack.snmp.count(type === wire.ICMP_UNREACHABLE ? 'Icmp.OutDestUnreachs' : 'Icmp.OutTimeExcds');
  // RFC 1812 section 4.3.2.5: precedence internetwork control.
  stack.output(path, wire.ipv4({ source: path.source, destination: source, protocol: wire.IP_ICMP, payload, tos: 0xc0 }));
}

/** errno and whether it is hard, by the code of a destination unreachable (RFC 1122 section 4.2.3.9, icmp(7)). */
const UNREACHABLE: readonly (readonly [errno: number, hard: boolean])[] = [
  [Errno.ENETUNREACH, false], [Errno.EHOSTUNREACH, false], [Errno.ENOPROTOOPT, true], [Errno.ECONNREFUSED, true],
  [Errno.EMSGSIZE, false], [Errno.EOPNOTSUPP, false], [Errno.ENETUNREACH, true], [Errno.EHOSTDOWN, true],
  [Errno.ENONET, true], [Errno.ENETUNREACH, true], [Errno.EHOSTUNREACH, true], [Errno.ENETUNREACH, false],
  [Errno.EHOSTUNREACH, false], [Errno.EHOSTUNREACH, true], [Errno.EHOSTUNREACH, true], [Errno.EHOSTUNREACH, true],
];

function classify(message: IcmpMessage): readonly [errno: number, hard: boolean] {
  if (message.type === wire.ICMP_UNREACHABLE) return UNREACHABLE[message.code] ?? [Errno.EHOSTUNREACH, true];
  if (message.type === wire.ICMP_PARAMETER) return [Errno.EPROTO, true];
  return [Errno.EHOSTUNREACH, false];
}

/** An error about something we sent: find the socket by the quoted header. */
function errorIn(stack: NetStack, packet: Ipv4Packet, message: IcmpMessage): void {
  stack.snmp.count(message.type === wire.ICMP_UNREACHABLE ? 'Icmp.InDestUnreachs' : 'Icmp.InTimeExcds');
  const quoted = new wire.Ipv4View(message.data);
  if (message.data.length < wire.IPV4_HEADER || quoted.version !== 4 || quoted.headerLength < wire.IPV4_HEADER) return stack.count('icmp.quote');
  const rest = message.data.subarray(quoted.headerLength);
  if (rest.length < 8 || !stack.isLocal(quoted.source)) return stack.count('icmp.quote');
  const tooBig = message.type === wire.ICMP_UNREACHABLE && message.code === wire.Unreachable.fragmentation;
  const [errno, hard] = classify(message);
  const base = { errno, origin: 2, type: message.type, code: message.code, info: tooBig ? message.rest & 0xffff : 0, offender: packet.source, destination: quoted.destination };
  const told = tellSockets(stack, quoted, rest, base, hard || tooBig);
  if (!told) return stack.count('icmp.error-no-socket');
  stack.take('icmp.error');
  if (!tooBig || base.info === 0) return;
  stack.pathMtu.learn(quoted.destination, base.info);
  if (quoted.protocol === wire.IP_TCP) stack.tcp.pathShrunk(quoted.source, quoted.destination, rest);
}

/** The sockets whose packet is quoted hear of it; whether there are any. */
export function tellSockets(stack: NetStack, quoted: { source: Address; destination: Address; protocol: number }, rest: Uint8Array, base: Omit<SocketError, 'destinationPort' | 'payload'>, hard: boolean): boolean {
  const { source, destination } = quoted;
  if (quoted.protocol === wire.IP_UDP) {
    const udp = new wire.UdpView(rest);
    const socket = stack.udp.list().find((candidate) => candidate.localPort === udp.sourcePort
      && covers(candidate, source)
      && (candidate.remotePort === 0 || (candidate.remoteAddress === destination && candidate.remotePort === udp.destinationPort)));
    socket?.fail({ ...base, destinationPort: udp.destinationPort, payload: rest.subarray(wire.UDP_HEADER) }, hard);
    return socket !== undefined;
  }
  if (quoted.protocol === wire.IP_TCP) return stack.tcp.icmpError(source, destination, rest, base.errno, base.errno === Errno.EMSGSIZE);
  const six = wire.isIp6(source);
  const raw: DatagramSocket[] = stack.raw.filter((socket) => socket.protocol === quoted.protocol && (socket.six !== null) === six && (socket.remoteAddress === 0 || socket.remoteAddress === destination));
  const pings = quoted.protocol === (six ? wire.IP_ICMPV6 : wire.IP_ICMP) ? stack.pings.filter((ping) => (ping.six !== null) === six && ping.identifier === new wire.IcmpView(rest).identifier) : [];
  for (const socket of [...raw, ...pings]) socket.fail({ ...base, destinationPort: 0, payload: rest }, hard);
  return raw.length + pings.length > 0;
}

import { Errno } from '../../base/index.js';
import { datagramOf, rawIn } from '../demux.js';
import { tellSockets } from '../icmp.js';
import type { NetInterface } from '../interface.js';
import type { Arrival } from '../stack.js';
import * as wire from '../wire/index.js';
import type { Icmp6Message, Ipv6Packet } from '../wire/index.js';
import { neighbourIn } from './discovery.js';
import type { Ipv6 } from './ipv6.js';

const { Icmp6 } = wire;
/** RFC 4443 section 3: as much of the packet as fits without the error exceeding the smallest MTU. */
const QUOTED = wire.IPV6_MIN_MTU - wire.IPV6_HEADER - 8;

const ERROR_NAMES = ['', 'DestUnreachs', 'PktTooBigs', 'TimeExcds', 'ParmProblems'];

export function icmp6In(v6: Ipv6, arrival: Arrival, packet: Ipv6Packet): void {
  const { net } = v6;
  v6.mib(arrival.device, 'Icmp6.InMsgs');
  const message = wire.readIcmp6(packet.payload, packet.source, packet.destination);
  if (typeof message === 'string') {
    v6.mib(arrival.device, 'Icmp6.InErrors');
    return net.count(message);
  }
  // Raw sockets hear only what has a right checksum (RFC 3542 section 3.1).
  const heard = rawIn(net, arrival, packet);
  handle(v6, arrival, packet, message, heard);
  // What was not counted as a drop was of use.
  net.take('icmp6.message');
}

function handle(v6: Ipv6, arrival: Arrival, packet: Ipv6Packet, message: Icmp6Message, heard: boolean): void {
  const { type } = message;
  if (wire.isIcmp6Error(type)) return errorIn(v6, arrival.device, packet, message);
  if (type === Icmp6.ECHO) return echo(v6, arrival, packet, message);
  if (type === Icmp6.ECHO_REPLY) return echoReply(v6, arrival, packet, message, heard);
  if (type >= Icmp6.ROUTER_SOLICIT && type <= Icmp6.REDIRECT) return neighbourIn(v6, arrival, packet, message);
  if (type === Icmp6.MLD_QUERY) return v6.mld.queryIn(arrival.device, packet, message);
  if (heard || (type >= Icmp6.MLD_REPORT && type <= Icmp6.MLD_DONE) || type === Icmp6.MLD2_REPORT) return undefined;
  return v6.net.count('icmp6.unknown-type');
}

function echo(v6: Ipv6, arrival: Arrival, packet: Ipv6Packet, message: Icmp6Message): void {
  v6.mib(arrival.device, 'Icmp6.InEchos');
  v6.mib(arrival.device, 'Icmp6.OutEchoReplies');
  // RFC 4443 section 4.2: to a group it is answered from a unicast address.
  const source = wire.isMulticast6(packet.destination) ? 0 : packet.destination;
  const device = wire.needsScope(packet.source) && !arrival.device.loopback ? arrival.device.index : 0;
  const sent = v6.sendIcmp(packet.source, device, { ...message, type: Icmp6.ECHO_REPLY }, source, { tos: packet.tos });
  if (sent < 0) v6.count('icmp6.no-route');
}

function echoReply(v6: Ipv6, arrival: Arrival, packet: Ipv6Packet, message: Icmp6Message, heard: boolean): void {
  const { net } = v6;
  v6.mib(arrival.device, 'Icmp6.InEchoReplies');
  const identifier = message.rest >>> 16;
  const socket = net.pings.find((ping) => ping.six !== null && ping.identifier === identifier && (ping.remoteAddress === 0 || ping.remoteAddress === packet.source));
  if (!socket) return heard ? undefined : net.count('icmp6.no-socket');
  return socket.deliver(datagramOf(net, arrival, packet, 0, packet.payload), net.buffers) ? net.take('icmp6.socket') : net.count('icmp6.buffer-full');
}

/**
 * Send an ICMPv6 error about `packet`, unless one must not be sent (RFC 4443 section 2.4): about an ICMPv6 error or a redirect, a source
 * that is no single host, a group (but for "too big"); or too many were sent. `whole` are the packet's bytes where it could not be read.
 */
export function sendIcmp6Error(v6: Ipv6, packet: Ipv6Packet, arrival: Arrival, type: number, code: number, rest: number, whole = wire.writeIpv6(packet)): void {
  const { source, destination } = packet;
  if (source === wire.ANY6 || wire.isMulticast6(source)) return;
  if ((arrival.toGroup || wire.isMulticast6(destination)) && type !== Icmp6.TOO_BIG && type !== Icmp6.PARAMETER) return;
  if (packet.protocol === wire.IP_ICMPV6 && (packet.fragmentOffset > 0 || wire.isIcmp6Error(packet.payload[0] ?? 0) || packet.payload[0] === Icmp6.REDIRECT)) return;
  const { net } = v6;
  const local = v6.isLocal(source);
  if (!local && !net.limiter.allow(source)) return net.lose('icmp6.rate-limited');
  v6.mib(arrival.device, `Icmp6.Out${ERROR_NAMES[type]}`);
  const device = wire.needsScope(source) && !arrival.device.loopback ? arrival.device.index : 0;
  v6.sendIcmp(source, device, { type, code, rest, data: whole.subarray(0, QUOTED) }, v6.isLocal(destination) ? destination : 0);
}

/** errno and whether it is hard, by the code of a destination unreachable (net/ipv6/icmp.c: tab_unreach). */
const UNREACHABLE: readonly (readonly [errno: number, hard: boolean])[] = [
  [Errno.ENETUNREACH, false], [Errno.EACCES, true], [Errno.EHOSTUNREACH, false], [Errno.EHOSTUNREACH, false], [Errno.ECONNREFUSED, true], [Errno.EACCES, true], [Errno.EACCES, true],
];

function classify({ type, code }: Icmp6Message): readonly [errno: number, hard: boolean] {
  if (type === Icmp6.UNREACHABLE) return UNREACHABLE[code] ?? [Errno.EPROTO, false];
  if (type === Icmp6.TOO_BIG) return [Errno.EMSGSIZE, false];
  if (type === Icmp6.PARAMETER) return [Errno.EPROTO, true];
  return [Errno.EHOSTUNREACH, false];
}

/** An error about something we sent: find the socket by the quoted packet. */
function errorIn(v6: Ipv6, device: NetInterface, packet: Ipv6Packet, message: Icmp6Message): void {
  const { net } = v6;
  v6.mib(device, `Icmp6.In${ERROR_NAMES[message.type] ?? 'Errors'}`);
  const { data, type, code } = message;
  if (data.length < wire.IPV6_HEADER + 8 || data[0] >>> 4 !== 6) return net.count('icmp6.quote');
  const [source, destination] = [wire.readIp6(data, 8), wire.readIp6(data, 24)];
  if (!v6.isLocal(source)) return net.count('icmp6.quote');
  const tooBig = type === Icmp6.TOO_BIG;
  const [errno, hard] = classify(message);
  // What we send has no extension headers but a fragment's.
  const fragment = data[6] === wire.Next.FRAGMENT;
  const rest = data.subarray(wire.IPV6_HEADER + (fragment ? 8 : 0));
  const protocol = fragment ? data[wire.IPV6_HEADER] : data[6];
  const base = { errno, origin: 3, type, code, info: tooBig ? message.rest : 0, offender: packet.source, destination };
  const told = tellSockets(net, { source, destination, protocol }, rest, base, hard);
  if (!told) return net.count('icmp6.error-no-socket');
  if (!tooBig) return undefined;
  net.pathMtu.learn(destination, message.rest);
  if (protocol === wire.IP_TCP) net.tcp.pathShrunk(source, destination, rest);
  return undefined;
}

import type { Datagram } from './datagram-socket.js';
import { sendIcmpError } from './icmp.js';
import { sendIcmp6Error } from './ipv6/icmp6.js';
import type { RawSocket } from './raw-socket.js';
import type { Arrival, NetStack } from './stack.js';
import type { UdpSocket } from './udp-socket.js';
import * as wire from './wire/index.js';
import type { Ipv4Packet, Ipv6Packet, Packet } from './wire/index.js';

/** Names of the MIB's counters, whole: one is counted for every datagram. */
const UDP4 = { inDatagrams: 'Udp.InDatagrams', inErrors: 'Udp.InErrors', inCsumErrors: 'Udp.InCsumErrors', rcvbufErrors: 'Udp.RcvbufErrors', noPorts: 'Udp.NoPorts' };
const UDP6: typeof UDP4 = { inDatagrams: 'Udp6.InDatagrams', inErrors: 'Udp6.InErrors', inCsumErrors: 'Udp6.InCsumErrors', rcvbufErrors: 'Udp6.RcvbufErrors', noPorts: 'Udp6.NoPorts' };

/** Raw sockets hear what they asked for; whether one did. */
export function rawIn(stack: NetStack, arrival: Arrival, packet: Packet): boolean {
  let heard = false;
  const six = wire.isIp6(packet.source);
  for (const socket of stack.raw) {
    if (socket.protocol !== packet.protocol || (socket.six !== null) !== six || (socket.device !== 0 && socket.device !== arrival.device.index)) continue;
    if (socket.localAddress !== 0 && socket.localAddress !== packet.destination) continue;
    if (socket.remoteAddress !== 0 && socket.remoteAddress !== packet.source) continue;
    heard = true;
    if (filtered(socket, packet)) continue;
    const datagram = datagramOf(stack, arrival, packet, 0, six ? packet.payload : wire.writeIpv4(packet as Ipv4Packet));
    if (socket.deliver(datagram, stack.buffers)) stack.take('raw.socket');
    else stack.lose('raw.buffer-full');
  }
  return heard;
}

/** ICMP_FILTER, ICMP6_FILTER */
function filtered({ icmpFilter, icmp6Filter }: RawSocket, { protocol, payload }: Packet): boolean {
  const type = payload[0] ?? 0;
  if (protocol === wire.IP_ICMPV6) return ((icmp6Filter[type >>> 5] >>> (type & 31)) & 1) !== 0;
  return protocol === wire.IP_ICMP && type < 32 && ((icmpFilter >>> type) & 1) !== 0;
}

/** The record a socket queues. */
export function datagramOf(stack: NetStack, arrival: Arrival, packet: Packet, sourcePort: number, payload: Uint8Array): Datagram {
  const { source, destination, ttl, tos } = packet;
  return { payload, source, sourcePort, destination, device: arrival.device.index, ttl, tos, time: stack.clock.nanoseconds() };
}

export function udpIn(stack: NetStack, arrival: Arrival, packet: Packet): void {
  const { source, destination } = packet;
  const mib = wire.isIp6(source) ? UDP6 : UDP4;
  const udp = wire.readUdp(packet.payload, source, destination);
  if (typeof udp === 'string') {
    stack.snmp.count(mib.inErrors);
    if (udp === 'udp.checksum') stack.snmp.count(mib.inCsumErrors);
    stack.count(udp);
    return;
  }
  const group = wire.isMulticast(destination) || stack.isBroadcast(destination);
  const device = arrival.device.index;
  const one = group ? null : stack.udp.find(destination, udp.destinationPort, source, udp.sourcePort, device);
  const sockets = group ? stack.udp.findAll(destination, udp.destinationPort, source, udp.sourcePort, device) : one ? [one] : [];
  const datagram = datagramOf(stack, arrival, packet, udp.sourcePort, udp.payload);
  let drop = '';
  for (const socket of sockets) drop = udpDeliver(stack, socket, datagram, mib) || drop;
  if (sockets.length > 0) return stack.take(drop || 'udp.socket');
  stack.snmp.count(mib.noPorts);
  stack.count('udp.no-socket');
  if (mib === UDP6) sendIcmp6Error(stack.v6, packet as Ipv6Packet, arrival, wire.Icmp6.UNREACHABLE, wire.Unreachable6.port, 0);
  else sendIcmpError(stack, packet as Ipv4Packet, arrival, wire.ICMP_UNREACHABLE, wire.Unreachable.port);
}

/** Why it did not get there; '' when it did. */
function udpDeliver(stack: NetStack, socket: UdpSocket, datagram: Datagram, mib: typeof UDP4): string {
  const full = !socket.readShutdown && !socket.deliver(datagram, stack.buffers);
  const drop = socket.readShutdown ? 'udp.shut-down' : full ? 'udp.buffer-full' : '';
  if (full) {
    stack.snmp.count(mib.rcvbufErrors);
    stack.snmp.count(mib.inErrors);
  }
  if (drop !== '') {
    stack.lose(drop);
  } else {
    stack.snmp.count(mib.inDatagrams);
    stack.take('udp.socket');
  }
  return drop;
}

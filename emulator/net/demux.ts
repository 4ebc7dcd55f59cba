import type { Datagram } from './datagram-socket.js';
import { sendIcmpError } from './icmp.js';
import type { Arrival, NetStack } from './stack.js';
import type { UdpSocket } from './udp-socket.js';
import * as wire from './wire/index.js';
import type { Ipv4Packet } from './wire/index.js';

/** Raw sockets hear what they asked for; whether one did. */
export function rawIn(stack: NetStack, arrival: Arrival, packet: Ipv4Packet): boolean {
  let heard = false;
  for (const socket of stack.raw) {
    if (socket.protocol !== packet.protocol || (socket.device !== 0 && socket.device !== arrival.device.index)) continue;
    if (socket.localAddress !== 0 && socket.localAddress !== packet.destination) continue;
    if (socket.remoteAddress !== 0 && socket.remoteAddress !== packet.source) continue;
    heard = true;
    const type = packet.payload[0] ?? 0;
    if (packet.protocol === wire.IP_ICMP && type < 32 && (socket.icmpFilter >>> type) & 1) continue;
    if (!socket.deliver(datagramOf(stack, arrival, packet, 0, wire.writeIpv4(packet)), stack.buffers)) stack.count('raw.buffer-full');
  }
  return heard;
}

/** The record a socket queues. */
export function datagramOf(stack: NetStack, arrival: Arrival, packet: Ipv4Packet, sourcePort: number, payload: Uint8Array): Datagram {
  const { source, destination, ttl, tos } = packet;
  return { payload, source, sourcePort, destination, device: arrival.device.index, ttl, tos, time: stack.clock.nanoseconds() };
}

export function udpIn(stack: NetStack, arrival: Arrival, packet: Ipv4Packet): void {
  const { source, destination } = packet;
  const udp = wire.readUdp(packet.payload, source, destination);
  if (typeof udp === 'string') {
    stack.snmp.count('Udp.InErrors');
    if (udp === 'udp.checksum') stack.snmp.count('Udp.InCsumErrors');
    stack.count(udp);
    return;
  }
  const group = wire.isMulticast(destination) || stack.isBroadcast(destination);
  const device = arrival.device.index;
  const one = group ? null : stack.udp.find(destination, udp.destinationPort, source, udp.sourcePort, device);
  const sockets = group ? stack.udp.findAll(destination, udp.destinationPort, source, udp.sourcePort, device) : one ? [one] : [];
  const datagram = datagramOf(stack, arrival, packet, udp.sourcePort, udp.payload);
  for (const socket of sockets) udpDeliver(stack, socket, datagram);
  if (sockets.length > 0) return;
  stack.snmp.count('Udp.NoPorts');
  stack.count('udp.no-socket');
  sendIcmpError(stack, packet, arrival, wire.ICMP_UNREACHABLE, wire.Unreachable.port);
}

function udpDeliver(stack: NetStack, socket: UdpSocket, datagram: Datagram): void {
  if (socket.readShutdown) {
    stack.count('udp.shut-down');
  } else if (socket.deliver(datagram, stack.buffers)) {
    stack.snmp.count('Udp.InDatagrams');
  } else {
    stack.snmp.count('Udp.RcvbufErrors');
    stack.snmp.count('Udp.InErrors');
    stack.count('udp.buffer-full');
  }
}

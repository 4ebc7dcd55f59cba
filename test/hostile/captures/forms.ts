import type { Random } from '../../../emulator/base/index.js';
import {
  ANY6, checksum, ETHERNET_HEADER, IP_ICMP, IP_TCP, IP_UDP, ipv4, IPV4_HEADER, IPV4_MAX, Ipv4View, read16, read32, readIp6, TCP_HEADER, toEthernet, UDP_HEADER, write16, write32,
  write48, writeEthernet, writeIp6, writeIpv4, writeUdp, type CapturePacket, type Ip, type Ip6, type Mac, type NetInterface,
} from '../../../emulator/net/index.js';
import { foldSum, onesSum, pseudoSum } from '../../../emulator/net/wire/checksum.js';

/** Whom the frames are for, and who they say they come from. */
export interface Target {
  mac: Mac;
  address: Ip;
  client: { mac: Mac; address: Ip };
  /** Link-local addresses of both. */
  six: { router: Ip6; client: Ip6 };
  /** Ports of daemons: UDP payloads are sent to each in turn, TCP segments to the last. */
  udp: readonly number[];
  tcp: number;
}

/** An interface has one once it is up. */
export function linkLocal(device: NetInterface): Ip6 {
  return device.v6.addresses.find(({ address }) => address.startsWith('fe80'))?.address ?? ANY6;
}

export const Form = ['as it is', 'to the router', 'addressed', 'payload', 'segment', 'mutant'] as const;

/** Bits are flipped in this many copies. */
const MUTANTS = 2;
const PAYLOAD_MAX = 1400;
const IPV6_HEADER = 40;
const ICMPV6 = 58;

/** The frames one captured packet becomes; for `Form` in its order. */
export function framesOf(packet: CapturePacket, number: number, target: Target, random: Random): [form: string, frame: Uint8Array][] {
  const whole = asFrame(packet, target);
  const frames: [string, Uint8Array][] = [[Form[0], whole], [Form[1], toRouter(whole, target)]];
  const inner = addressed(whole, target);
  if (inner) frames.push([Form[2], inner]);
  const datagram = payloadTo(whole, target, target.udp[number % target.udp.length]);
  frames.push([Form[3], datagram]);
  const six = addressed6(whole, target);
  if (six) frames.push([Form[2], six], [Form[5], mutant(six, random)]);
  if (inner && inner[ETHERNET_HEADER + 9] === IP_TCP) frames.push([Form[4], toPort(inner, target.tcp)]);
  for (let i = 0; i < MUTANTS; i++) frames.push([Form[5], mutant(i === 0 && inner ? inner : datagram, random)]);
  return frames;
}

/** What no Ethernet link carried comes with the bytes it has. */
function asFrame(packet: CapturePacket, { client, mac }: Target): Uint8Array {
  return toEthernet(packet, client.mac, mac) ?? packet.bytes.slice();
}

function toRouter(frame: Uint8Array, { mac }: Target): Uint8Array {
  const copy = frame.slice();
  if (copy.length >= ETHERNET_HEADER) write48(copy, 0, mac);
  return copy;
}

/** Its IPv4 packet between the target's addresses, with the checksums of every layer that has them; null without one. */
function addressed(frame: Uint8Array, target: Target): Uint8Array | null {
  if (frame.length < ETHERNET_HEADER + IPV4_HEADER || read16(frame, 12) !== 0x0800 || frame[ETHERNET_HEADER] >>> 4 !== 4) return null;
  const copy = toRouter(frame, target);
  write48(copy, 6, target.client.mac);
  write32(copy, ETHERNET_HEADER + 12, target.client.address);
  write32(copy, ETHERNET_HEADER + 16, target.address);
  return repaired(copy);
}

/** The same for an IPv6 packet; checksums of what follows its header at once. */
function addressed6(frame: Uint8Array, target: Target): Uint8Array | null {
  if (frame.length < ETHERNET_HEADER + IPV6_HEADER || read16(frame, 12) !== 0x86dd || frame[ETHERNET_HEADER] >>> 4 !== 6) return null;
  const copy = toRouter(frame, target);
  write48(copy, 6, target.client.mac);
  writeIp6(copy, ETHERNET_HEADER + 8, target.six.client);
  writeIp6(copy, ETHERNET_HEADER + 24, target.six.router);
  return repaired(copy);
}

function toPort(frame: Uint8Array, port: number): Uint8Array {
  const copy = frame.slice();
  const at = ETHERNET_HEADER + (copy[ETHERNET_HEADER] & 15) * 4;
  if (at + TCP_HEADER <= copy.length) write16(copy, at + 2, port);
  return repaired(copy);
}

/** What the packet's UDP or TCP carried, or all of it, as a datagram for a daemon. */
function payloadTo(frame: Uint8Array, target: Target, port: number): Uint8Array {
  const payload = payloadOf(frame).subarray(0, PAYLOAD_MAX);
  const segment = writeUdp({ sourcePort: 4000 + (port % 1000), destinationPort: port, payload }, target.client.address, target.address);
  const packet = writeIpv4(ipv4({ source: target.client.address, destination: target.address, protocol: IP_UDP, payload: segment }));
  return writeEthernet({ destination: target.mac, source: target.client.mac, type: 0x0800, payload: packet });
}

export function payloadOf(frame: Uint8Array): Uint8Array {
  const packet = frame.subarray(ETHERNET_HEADER);
  const view = new Ipv4View(packet);
  const at = view.headerLength;
  if (packet.length < IPV4_HEADER || view.version !== 4 || at < IPV4_HEADER || at > packet.length) return packet;
  if (view.protocol === IP_UDP) return packet.subarray(Math.min(packet.length, at + UDP_HEADER));
  if (view.protocol === IP_TCP && at + TCP_HEADER <= packet.length) return packet.subarray(Math.min(packet.length, at + (packet[at + 12] >>> 4) * 4));
  return packet.subarray(at);
}

/** One to four bits beyond the Ethernet addresses are flipped; of half of them the checksums hold again, so that the damage gets deeper. */
function mutant(frame: Uint8Array, random: Random): Uint8Array {
  const copy = frame.slice();
  if (copy.length <= 12) return copy;
  for (let flips = 1 + random.below(4); flips > 0; flips--) copy[12 + random.below(copy.length - 12)] ^= 1 << random.below(8);
  return random.below(2) === 0 ? repaired(copy) : copy;
}

function repaired6(frame: Uint8Array): Uint8Array {
  const packet = frame.subarray(ETHERNET_HEADER);
  const segment = packet.subarray(IPV6_HEADER, IPV6_HEADER + read16(packet, 4));
  const at = { [IP_UDP]: 6, [IP_TCP]: 16, [ICMPV6]: 2 }[packet[6]];
  if (at === undefined || segment.length < at + 2) return frame;
  write16(segment, at, 0);
  const sum = foldSum(onesSum(segment, 0, segment.length, pseudoSum(readIp6(packet, 8), readIp6(packet, 24), packet[6], segment.length)));
  write16(segment, at, sum || 0xffff);
  return frame;
}

/** Make the checksums of IPv4, UDP, TCP and ICMP hold, as far as the lengths make sense. */
export function repaired(frame: Uint8Array): Uint8Array {
  const packet = frame.subarray(ETHERNET_HEADER);
  if (packet.length >= IPV6_HEADER && packet[0] >>> 4 === 6 && read16(frame, 12) === 0x86dd) return repaired6(frame);
  const view = new Ipv4View(packet);
  const header = view.headerLength;
  if (packet.length < IPV4_HEADER || header < IPV4_HEADER || header > packet.length) return frame;
  write16(packet, 10, 0);
  write16(packet, 10, checksum(packet, 0, header));
  const end = Math.min(packet.length, Math.max(header, view.totalLength), IPV4_MAX);
  const segment = packet.subarray(header, end);
  const at = { [IP_UDP]: 6, [IP_TCP]: 16, [IP_ICMP]: 2 }[view.protocol];
  if (at === undefined || segment.length < at + 2 || view.fragmentOffset > 0 || view.moreFragments) return frame;
  write16(segment, at, 0);
  const length = view.protocol === IP_UDP ? Math.min(segment.length, Math.max(UDP_HEADER, read16(segment, 4))) : segment.length;
  const initial = view.protocol === IP_ICMP ? 0 : pseudoSum(read32(packet, 12), read32(packet, 16), view.protocol, length);
  const sum = foldSum(onesSum(segment, 0, length, initial));
  write16(segment, at, sum || (view.protocol === IP_UDP ? 0xffff : 0));
  return frame;
}

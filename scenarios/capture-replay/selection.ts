import { ETHERNET_HEADER, formatIp, IP_TCP, IP_UDP, IPV4_HEADER, Ipv4View, LIMITED_BROADCAST, readEthernet, toEthernet, UDP_HEADER, UdpView, type CapturePacket, type Ip } from '../../emulator/net/index.js';

/** A datagram of the capture for the daemon. */
export interface Captured {
  /** As Wireshark counts, from 1. */
  frame: number;
  /** Nanoseconds since the first packet of the file. */
  time: number;
  source: Ip;
  sourcePort: number;
  broadcast: boolean;
  bytes: Uint8Array;
}

/** Where the daemon is in the capture; address null: whatever address the datagrams go to. */
export interface Target {
  address: Ip | null;
  port: number;
}

export interface Selection {
  /** Null: no UDP datagram at all. */
  target: Target | null;
  messages: Captured[];
  /** What was left out: reason -> packets. */
  leftOut: Map<string, number>;
}

interface Datagram extends Captured {
  destination: Ip;
  destinationPort: number;
}

const ETHERTYPE_IPV4 = 0x0800;
const NAMED_TYPES: Readonly<Record<number, string>> = { 0x0806: 'ARP', 0x86dd: 'IPv6', 0x8100: 'VLAN-tagged' };

/** Why a packet cannot be injected, or its datagram. Checksums are not looked at: senders that leave them to the card write wrong ones. */
function datagramOf(packet: CapturePacket, frame: number, first: bigint): Datagram | string {
  if (packet.bytes.length < packet.originalLength) return 'cut off by the capture (snap length)';
  const bytes = toEthernet(packet, 0, 0);
  const ethernet = bytes ? readEthernet(bytes) : null;
  if (ethernet === null || typeof ethernet === 'string') return 'neither Ethernet nor IPv4';
  if (ethernet.type !== ETHERTYPE_IPV4) return NAMED_TYPES[ethernet.type] ?? 'not IPv4';
  const view = new Ipv4View((bytes as Uint8Array).subarray(ETHERNET_HEADER));
  if (view.bytes.length < IPV4_HEADER || view.version !== 4 || view.headerLength < IPV4_HEADER || view.totalLength > view.bytes.length) return 'damaged IPv4';
  if (view.protocol === IP_TCP) return 'TCP (not emulated yet)';
  if (view.protocol !== IP_UDP) return 'neither UDP nor TCP';
  if (view.moreFragments || view.fragmentOffset > 0) return 'IPv4 fragments';
  const udp = new UdpView(view.bytes.subarray(view.headerLength, view.totalLength));
  if (udp.bytes.length < UDP_HEADER || udp.length < UDP_HEADER || udp.length > udp.bytes.length) return 'damaged UDP';
  return {
    frame, time: Number(packet.time - first), source: view.source, sourcePort: udp.sourcePort, destination: view.destination, destinationPort: udp.destinationPort,
    broadcast: view.destination === LIMITED_BROADCAST, bytes: udp.bytes.slice(UDP_HEADER, udp.length),
  };
}

/**
 * The datagrams of a capture that go to the daemon: to `wanted`, or to the end point that most conversations were opened with. What the
 * daemon itself sent, and everything else, is left out and counted.
 */
export function select(packets: readonly CapturePacket[], wanted: Target | null): Selection {
  const leftOut = new Map<string, number>();
  const leave = (reason: string): void => void leftOut.set(reason, (leftOut.get(reason) ?? 0) + 1);
  const datagrams: Datagram[] = [];
  packets.forEach((packet, i) => {
    const datagram = datagramOf(packet, i + 1, packets[0].time);
    if (typeof datagram === 'string') leave(datagram);
    else datagrams.push(datagram);
  });
  const target = wanted ?? busiest(datagrams);
  const messages = datagrams.filter(({ destination, destinationPort }) => target && destinationPort === target.port && (target.address === null || destination === target.address));
  for (let i = messages.length; i < datagrams.length; i++) leave('UDP from the daemon or to other places');
  return { target, messages, leftOut };
}

/** Of the end points a conversation was opened with (its first datagram went there), the one with most datagrams; of several the lowest port. */
function busiest(datagrams: readonly Datagram[]): Target | null {
  const opened = new Map<string, boolean>();
  const counts = new Map<string, { target: Target; count: number }>();
  for (const { source, sourcePort, destination, destinationPort } of datagrams) {
    const [there, back] = [`${source}:${sourcePort}>${destination}:${destinationPort}`, `${destination}:${destinationPort}>${source}:${sourcePort}`];
    if (!opened.has(there) && !opened.has(back)) opened.set(there, true);
    if (!opened.has(there)) continue;
    const key = `${destination}:${destinationPort}`;
    const known = counts.get(key) ?? { target: { address: destination, port: destinationPort }, count: 0 };
    known.count++;
    counts.set(key, known);
  }
  const sorted = [...counts.values()].sort((a, b) => b.count - a.count || a.target.port - b.target.port);
  return sorted[0]?.target ?? null;
}

export const targetText = ({ address, port }: Target): string => `${address === null ? '*' : formatIp(address)}:${port}`;

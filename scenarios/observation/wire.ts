import { IP_UDP, readEthernet, readIpv4, readUdp, type Capture, type CapturedFrame } from '../../emulator/net/index.js';

/** A UDP datagram as a bystander on the wire sees it. */
export interface WireMessage {
  /** Virtual nanoseconds since power-on. */
  time: number;
  /** Name of the port's network: lan0, wan0. */
  network: string;
  /** It comes from the router; otherwise it goes to it. */
  fromRouter: boolean;
  sourcePort: number;
  destinationPort: number;
  payload: Uint8Array;
}

/** The UDP datagrams of the captures to or from one of `ports`, in the order of their time. Fragments are left out. */
export function wireMessages(captures: readonly Capture[], ports: ReadonlySet<number>): WireMessage[] {
  const messages = captures.flatMap((capture) => capture.frames.flatMap((frame) => read(capture.name, frame, ports) ?? []));
  return messages.sort((a, b) => a.time - b.time);
}

function read(network: string, captured: CapturedFrame, ports: ReadonlySet<number>): WireMessage | null {
  const frame = readEthernet(captured.frame);
  if (typeof frame === 'string') return null;
  const packet = readIpv4(frame.payload);
  if (typeof packet === 'string' || packet.protocol !== IP_UDP || packet.moreFragments || packet.fragmentOffset > 0) return null;
  const udp = readUdp(packet.payload, packet.source, packet.destination);
  if (typeof udp === 'string' || !(ports.has(udp.sourcePort) || ports.has(udp.destinationPort))) return null;
  return { time: captured.time, network, fromRouter: captured.side === 0, sourcePort: udp.sourcePort, destinationPort: udp.destinationPort, payload: udp.payload };
}

import { Clock, EventLog, EventQueue, Ledger, Meter, Random, snapshotClass } from '../../emulator/base/index.js';
import { Cable, ip, ipv4, mac, NetStack, readArp, readEthernet, readIcmp, readIpv4, readUdp, runEvents, writeArp, writeEthernet, writeIcmp, writeIpv4, writeUdp, IP_ICMP, IP_UDP, formatIp, formatMac, type Ipv4Packet, type Port } from '../../emulator/net/index.js';

/** The far end of one of the router's links: keeps what it receives. */
export class Recorder implements Port {
  readonly clock: Clock;
  readonly received: { time: number; frame: Uint8Array }[] = [];
  constructor(clock: Clock) {
    this.clock = clock;
  }
  receive(frame: Uint8Array): void {
    this.received.push({ time: this.clock.cycles, frame });
  }
}
snapshotClass('test.Recorder', Recorder);

export const ROUTER_LAN = mac('02:00:00:00:01:01');
export const ROUTER_WAN = mac('02:00:00:00:02:01');
export const CLIENT = mac('02:00:00:00:01:10');
export const UPSTREAM = mac('02:00:00:00:02:fe');
export const HZ = 1_000_000;

/** A router between two recorders; 1 cycle is 1 µs, packets cost nothing unless rates are given. */
export class Exchange {
  readonly clock = new Clock(HZ);
  readonly events = new EventQueue();
  readonly stack: NetStack;
  readonly lan: Recorder;
  readonly wan: Recorder;
  readonly lanCable: Cable;
  readonly wanCable: Cable;

  constructor(rates: Record<string, number> = {}, ringSize = 16) {
    const { clock, events } = this;
    this.stack = new NetStack(clock, events, new Meter(clock, new Ledger(), rates), new Random(7), new EventLog(clock));
    this.lan = new Recorder(clock);
    this.wan = new Recorder(clock);
    this.lanCable = new Cable(clock, events);
    this.wanCable = new Cable(clock, events);
    this.lanCable.attach(1, this.lan);
    this.wanCable.attach(1, this.wan);
    this.stack.addInterface('lan0', ROUTER_LAN, this.lanCable, 0, ringSize);
    this.stack.addInterface('wan0', ROUTER_WAN, this.wanCable, 0, ringSize);
    this.stack.configure('lan0', ip('192.168.1.1'), 24);
    this.stack.configure('wan0', ip('10.0.0.2'), 24);
    this.stack.addRoute(0, 0, ip('10.0.0.1'));
    this.stack.forwarding = true;
  }

  /** A frame arrives at lan0 (or wan0) at `time`. */
  inject(time: number, frame: Uint8Array, on: 'lan' | 'wan' = 'lan'): void {
    this.run(time);
    (on === 'lan' ? this.lanCable : this.wanCable).send(1, frame);
  }

  run(until: number): void {
    runEvents(this.clock, this.events, until);
  }

  /** What left on a side since the last look, in words. */
  sent(on: 'lan' | 'wan' = 'lan'): string[] {
    return (on === 'lan' ? this.lan : this.wan).received.splice(0).map(({ time, frame }) => `${time} ${inWords(frame)}`);
  }

  drops(): Record<string, number> {
    return this.stack.drops.snapshot();
  }

  /** Both neighbours make themselves known. */
  introduce(): void {
    this.inject(this.clock.cycles, arpRequest(CLIENT, '192.168.1.10', '192.168.1.1'));
    this.inject(this.clock.cycles, arpRequest(UPSTREAM, '10.0.0.1', '10.0.0.2'), 'wan');
    this.run(this.clock.cycles);
    this.sent('lan');
    this.sent('wan');
  }
}
snapshotClass('test.Exchange', Exchange);

export function arpRequest(sender: number, senderIp: string, target: string): Uint8Array {
  const payload = writeArp({ operation: 1, senderMac: sender, senderIp: ip(senderIp), targetMac: 0, targetIp: ip(target) });
  return writeEthernet({ destination: 0xffff_ffff_ffff, source: sender, type: 0x806, payload });
}

export function arpReply(sender: number, senderIp: string, target: number, targetIp: string): Uint8Array {
  const payload = writeArp({ operation: 2, senderMac: sender, senderIp: ip(senderIp), targetMac: target, targetIp: ip(targetIp) });
  return writeEthernet({ destination: target, source: sender, type: 0x806, payload });
}

export function frame(packet: Ipv4Packet, source = CLIENT, destination = ROUTER_LAN): Uint8Array {
  return writeEthernet({ destination, source, type: 0x800, payload: writeIpv4(packet) });
}

/** The same on the other link, from the provider's router. */
export function wanFrame(packet: Ipv4Packet): Uint8Array {
  return frame(packet, UPSTREAM, ROUTER_WAN);
}

export function text(bytes: Uint8Array | undefined): string {
  return Buffer.from(bytes ?? []).toString('latin1');
}

export function udpPacket(source: string, sourcePort: number, destination: string, destinationPort: number, payload: Uint8Array | string, fields: Partial<Ipv4Packet> = {}): Ipv4Packet {
  const bytes = typeof payload === 'string' ? new TextEncoder().encode(payload) : payload;
  const segment = writeUdp({ sourcePort, destinationPort, payload: bytes }, ip(source), ip(destination));
  return ipv4({ source: ip(source), destination: ip(destination), protocol: IP_UDP, payload: segment, ...fields });
}

export function echoPacket(source: string, destination: string, data: string, fields: Partial<Ipv4Packet> = {}): Ipv4Packet {
  const payload = writeIcmp({ type: 8, code: 0, rest: 0x00010001, data: new TextEncoder().encode(data) });
  return ipv4({ source: ip(source), destination: ip(destination), protocol: IP_ICMP, payload, ...fields });
}

/** One line a frame, so that an expected exchange can be read. */
export function inWords(bytes: Uint8Array): string {
  const ethernet = readEthernet(bytes);
  if (typeof ethernet === 'string') return ethernet;
  if (ethernet.type === 0x806) {
    const arp = readArp(ethernet.payload);
    if (typeof arp === 'string') return arp;
    return arp.operation === 1 ? `arp who-has ${formatIp(arp.targetIp)} tell ${formatIp(arp.senderIp)}` : `arp ${formatIp(arp.senderIp)} is-at ${formatMac(arp.senderMac)}`;
  }
  const packet = readIpv4(ethernet.payload);
  if (typeof packet === 'string') return packet;
  const pieces = packet.moreFragments || packet.fragmentOffset > 0 ? ` frag ${packet.fragmentOffset}+${packet.payload.length}${packet.moreFragments ? '+' : ''}` : '';
  return `${formatIp(packet.source)} > ${formatIp(packet.destination)} ttl ${packet.ttl}${packet.dontFragment ? ' df' : ''}${pieces}${pieces ? '' : ` ${describePayload(packet)}`}`;
}

function describePayload(packet: Ipv4Packet): string {
  if (packet.protocol === IP_UDP) {
    const udp = readUdp(packet.payload, packet.source, packet.destination);
    return typeof udp === 'string' ? udp : `udp ${udp.sourcePort} > ${udp.destinationPort} ${JSON.stringify(Buffer.from(udp.payload).toString('latin1'))}`;
  }
  if (packet.protocol !== IP_ICMP) return `protocol ${packet.protocol}`;
  const icmp = readIcmp(packet.payload);
  return typeof icmp === 'string' ? icmp : `icmp ${icmp.type}/${icmp.code} ${icmp.rest}`;
}

import type { Clock, EventLog, EventQueue, EventTarget, Fail, Meter, Random, Result } from '../base/index.js';
import { Errno, failed, Ledger, snapshotClass } from '../base/index.js';
import { Addressing, type Path } from './addressing.js';
import { ArpTable, type ArpEntry, type ArpUser, type PendingPacket } from './arp-table.js';
import { PmtuDiscovery, SocketBuffers } from './datagram-socket.js';
import { rawIn, udpIn } from './demux.js';
import { IcmpLimiter } from './icmp-limiter.js';
import { icmpIn, sendIcmpError } from './icmp.js';
import { sixOptions } from './family.js';
import { Igmp } from './igmp.js';
import type { NetInterface } from './interface.js';
import { Ipv6 } from './ipv6/index.js';
import { countGroup, groupOf } from './mib.js';
import { PacketKind, type PacketTap } from './packet-tap.js';
import { PathMtu } from './path-mtu.js';
import { PingSocket, RawSocket } from './raw-socket.js';
import { Reassembler, type ReassemblyUser } from './reassembly.js';
import { TcpStack } from './tcp/index.js';
import { UdpSocket } from './udp-socket.js';
import { UdpTable } from './udp-table.js';
import * as wire from './wire/index.js';
import type { Address, Ip, Ip6, Ipv4Packet, Mac, Packet } from './wire/index.js';

export type { Path } from './addressing.js';

/** How a packet came in. */
export interface Arrival {
  device: NetInterface;
  /** The frame was addressed to a group: it is never answered with an ICMP error, nor forwarded. */
  toGroup: boolean;
}

/** NAPI: frames taken in a row before the CPU goes back to programs (Linux: netdev weight 64). */
const BURST = 64;

/**
 * The router's network stack: IPv4 here, IPv6 in ipv6/, UDP, TCP and raw sockets over both. Frames enter through the interfaces' rings and are taken out by a "drain" event
 * each; packets leave through `output`. Every packet that goes nowhere is counted under a name.
 */
export class NetStack extends Addressing implements EventTarget, ArpUser, ReassemblyUser {
  readonly arp: ArpTable;
  readonly udp: UdpTable;
  readonly tcp: TcpStack;
  readonly raw: RawSocket[] = [];
  readonly pings: PingSocket[] = [];
  readonly reassembler: Reassembler;
  readonly limiter: IcmpLimiter;
  readonly buffers = new SocketBuffers();
  readonly pathMtu: PathMtu;
  readonly igmp = new Igmp(this);
  readonly v6: Ipv6;
  /** What became of each frame taken from a ring, one name a frame: a drop's, or a use's ("udp.socket", "ip.forwarded", …). */
  readonly fates = new Ledger();
  /** Of the frame at hand; the first thing said of it holds. */
  private fate = '';
  /** MIB counters under their /proc/net/snmp names: "Ip.InReceives", "Udp.NoPorts", … */
  readonly snmp = new Ledger();
  /** Packet sockets. */
  readonly taps: PacketTap[] = [];
  /** net.ipv4.ip_forward */
  forwarding = false;
  /** net.ipv4.conf.all.rp_filter: drop what comes in where the answer would not go out (RFC 3704). */
  reversePath = false;
  /** Who else wants the processor; a host's stack shares it with nobody. */
  programs: { readonly runnable: number } = { runnable: 0 };
  private nextIdentification: number;

  constructor(clock: Clock, events: EventQueue, meter: Meter, random: Random, log: EventLog) {
    super(clock, events, meter, random, log);
    this.arp = new ArpTable(clock, events, this);
    this.udp = new UdpTable(random);
    this.reassembler = new Reassembler(clock, events, this);
    this.limiter = new IcmpLimiter(clock);
    this.pathMtu = new PathMtu(clock);
    this.nextIdentification = random.below(0x10000);
    this.tcp = new TcpStack(this);
    this.v6 = new Ipv6(this);
    this.v6.enable(this.loopback);
  }

  // ---- sockets

  /** `six`: an AF_INET6 socket, here and below. */
  udpSocket(six = false): UdpSocket {
    return new UdpSocket(this, six ? sixOptions() : null);
  }

  rawSocket(protocol: number, six = false): RawSocket {
    const socket = new RawSocket(this, protocol, six ? sixOptions() : null);
    this.raw.push(socket);
    return socket;
  }

  removeRaw(socket: RawSocket): void {
    const at = this.raw.indexOf(socket);
    if (at >= 0) this.raw.splice(at, 1);
  }

  pingSocket(six = false): PingSocket {
    return new PingSocket(this, six ? sixOptions() : null);
  }

  bindPing(socket: PingSocket, identifier: number): Result {
    const taken = (id: number): boolean => this.pings.some((other) => other.identifier === id && (other.six === null) === (socket.six === null));
    let chosen = identifier;
    for (let tries = 0; chosen === 0 && tries < 64; tries++) {
      const candidate = 1 + this.random.below(0xffff);
      if (!taken(candidate)) chosen = candidate;
    }
    if (chosen === 0 || taken(chosen)) return -Errno.EADDRINUSE;
    socket.identifier = chosen;
    this.pings.push(socket);
    return 0;
  }

  removePing(socket: PingSocket): void {
    const at = this.pings.indexOf(socket);
    if (at >= 0) this.pings.splice(at, 1);
  }

  // ---- output

  // ---- addresses of either protocol

  override isLocal(address: Address): boolean {
    return wire.isIp6(address) ? this.v6.isLocal(address) : super.isLocal(address);
  }

  override isBroadcast(address: Address): boolean {
    return !wire.isIp6(address) && super.isBroadcast(address);
  }

  override mayBind(address: Address): boolean {
    return wire.isIp6(address) ? this.v6.mayBind(address) : super.mayBind(address);
  }

  /** The way to `destination`; `device` and `source` 0 leave the choice to the routes. A source of the other protocol has no way there: ENETUNREACH. */
  path(destination: Ip, device?: number, source?: Ip): Path<Ip> | Fail;
  path(destination: Address, device?: number, source?: Address): Path | Fail;
  path(destination: Address, device = 0, source: Address = 0): Path | Fail {
    if (source !== 0 && wire.isIp6(source) !== wire.isIp6(destination)) return -Errno.ENETUNREACH;
    return wire.isIp6(destination) ? this.v6.path(destination, device, source as Ip6 | 0) : this.path4(destination, device, source as Ip);
  }

  identification(): number {
    this.nextIdentification = (this.nextIdentification + 1) & 0xffff;
    return this.nextIdentification;
  }

  /** Number, fragment and send one of our own packets. EMSGSIZE when it must not be fragmented and is too long. */
  output(path: Path<Ip>, packet: Ipv4Packet, discovery: number = PmtuDiscovery.dont): Result {
    this.snmp.count('Ip.OutRequests');
    if (!path.device.up) return -Errno.ENETDOWN;
    const length = wire.IPV4_HEADER + packet.options.length + packet.payload.length;
    const heeds = discovery === PmtuDiscovery.want || discovery === PmtuDiscovery.do;
    const mtu = Math.min(path.device.mtu, heeds ? this.pathMtu.get(packet.destination) : Infinity);
    if (length > mtu && (discovery === PmtuDiscovery.do || discovery === PmtuDiscovery.probe)) return -Errno.EMSGSIZE;
    const dontFragment = discovery !== PmtuDiscovery.dont && discovery !== PmtuDiscovery.interface && discovery !== PmtuDiscovery.omit && length <= mtu;
    this.emit(path, { ...packet, identification: this.identification(), dontFragment }, mtu, false);
    return 0;
  }

  /** Put a packet on its link, in pieces if it does not fit. */
  private emit(path: Path<Ip>, packet: Ipv4Packet, mtu: number, forwarded: boolean): void {
    const length = wire.IPV4_HEADER + packet.options.length + packet.payload.length;
    const pieces = length > mtu ? wire.fragmentIpv4(packet, mtu) : [packet];
    if (pieces.length > 1) {
      this.snmp.count('Ip.FragOKs');
      this.snmp.count('Ip.FragCreates', pieces.length);
    }
    for (const piece of pieces) this.emitOne(path, wire.writeIpv4(piece), forwarded);
  }

  /** One packet whose bytes are made, on its link. */
  emitOne(path: Path<Ip>, packet: Uint8Array, forwarded: boolean): void {
    const { device, nextHop, kind } = path;
    this.snmp.count('IpExt.OutOctets', packet.length);
    countGroup(this.snmp, 'Out', kind === 'broadcast' ? 'Bcast' : groupOf(device, nextHop), packet.length);
    if (device.loopback) this.sendResolved(device, 0, packet);
    else if (kind === 'broadcast' || device.isBroadcast(nextHop)) this.sendResolved(device, wire.MAC_BROADCAST, packet);
    else if (wire.isMulticast(nextHop)) this.sendResolved(device, wire.multicastMac(nextHop), packet);
    else this.arp.send(device, nextHop, { packet, forwarded });
  }

  /** Members on this host hear what is sent to their group. */
  loopBack(packet: Ipv4Packet): void {
    this.sendResolved(this.loopback, 0, wire.writeIpv4(packet));
  }

  sendResolved(device: NetInterface, mac: Mac, packet: Uint8Array): void {
    this.sendFrame(device, mac, wire.ETHERTYPE_IPV4, packet);
  }

  sendFrame(device: NetInterface, mac: Mac, type: number, packet: Uint8Array): void {
    this.transmit(device, { destination: mac, source: device.mac, type, payload: packet });
  }

  private transmit(device: NetInterface, frame: wire.EthernetFrame): void {
    if (!device.up) {
      device.txDropped++;
      this.lose('interface.down');
      return;
    }
    this.transmitFrame(device, wire.writeEthernet(frame), null);
  }

  /** Put a whole frame on an interface that is up. `from` does not hear it itself. */
  transmitFrame(device: NetInterface, frame: Uint8Array, from: PacketTap | null): void {
    this.meter.charge('packet.tx');
    for (const tap of this.taps) if (tap !== from) tap.onFrame(device, frame, PacketKind.OUTGOING);
    device.transmit(frame);
  }

  // ---- ARP

  protected stateChanged(device: NetInterface): void {
    if (!device.up) this.arp.removeInterface(device);
    this.v6.stateChanged(device);
  }

  solicit(device: NetInterface, target: Address): void {
    const payload = wire.writeArp({ operation: wire.ARP_REQUEST, senderMac: device.mac, senderIp: device.address, targetMac: 0, targetIp: target as Ip });
    this.transmit(device, { destination: wire.MAC_BROADCAST, source: device.mac, type: wire.ETHERTYPE_ARP, payload });
  }

  /** Nobody answered for the next hop: tell the sender (RFC 1812 section 3.3.2). */
  unresolved(entry: ArpEntry, lost: PendingPacket[]): void {
    this.lose('arp.unresolved', lost.length);
    for (const { packet } of lost) {
      const parsed = wire.readIpv4(packet);
      if (typeof parsed === 'string') continue;
      sendIcmpError(this, parsed, { device: entry.interface, toGroup: false }, wire.ICMP_UNREACHABLE, wire.Unreachable.host);
    }
  }

  private arpIn(device: NetInterface, payload: Uint8Array): void {
    const packet = wire.readArp(payload);
    if (typeof packet === 'string') {
      this.count(packet);
      return;
    }
    if (device.loopback || this.isLocal(packet.senderIp) || wire.isMulticast(packet.senderIp)) {
      this.count('arp.sender');
      return;
    }
    const forUs = device.address !== 0 && this.isLocal(packet.targetIp) && !wire.isLoopback(packet.targetIp);
    const asked = forUs && packet.operation === wire.ARP_REQUEST;
    const learned = this.arp.learn(device, packet.senderIp, packet.senderMac, asked);
    if (!asked) {
      if (learned) this.take('arp.neighbour');
      else this.count(forUs ? 'arp.unsolicited' : 'arp.not-for-us');
      return;
    }
    this.take('arp.request');
    const reply = wire.writeArp({ operation: wire.ARP_REPLY, senderMac: device.mac, senderIp: packet.targetIp, targetMac: packet.senderMac, targetIp: packet.senderIp });
    this.transmit(device, { destination: packet.senderMac, source: device.mac, type: wire.ETHERTYPE_ARP, payload: reply });
  }

  // ---- input

  /** The frame at hand goes nowhere. */
  count(drop: string): void {
    this.drops.count(drop);
    this.take(drop);
  }

  /** The frame at hand got somewhere. */
  take(use: string): void {
    if (this.fate === '') this.fate = use;
  }

  ringFilled(device: NetInterface): void {
    if (!device.draining) device.draining = this.events.at(this.clock.cycles, this, 'drain', device);
  }

  onEvent(_kind: string, argument: unknown): void {
    const device = argument as NetInterface;
    device.draining = null;
    const frame = device.ring.shift();
    if (!frame) return;
    if (device.burst++ === 0) device.burstStart = this.clock.cycles;
    device.rxPackets++;
    device.rxBytes += frame.length;
    this.meter.charge('packet.rx');
    this.fate = '';
    this.frameIn(device, frame);
    this.fates.count(this.fate || 'silent');
    this.scheduleDrain(device);
  }

  /**
   * After a full burst the soft interrupt hands over to ksoftirqd, which shares the CPU evenly with the
   * programs that want it: it rests as long as the burst took. When all sleep it goes on.
   */
  private scheduleDrain(device: NetInterface): void {
    if (device.draining) return;
    const now = this.clock.cycles;
    if (device.ring.length === 0) {
      device.burst = 0;
      return;
    }
    let at = now;
    if (device.burst >= BURST) {
      if (this.programs.runnable > 0) at += now - device.burstStart;
      device.burst = 0;
    }
    device.draining = this.events.at(at, this, 'drain', device);
  }

  private frameIn(device: NetInterface, bytes: Uint8Array): void {
    const frame = wire.readEthernet(bytes);
    if (typeof frame === 'string') {
      if (frame === 'eth.short') device.rxErrors++;
      else device.rxDropped++;
      this.count(frame);
      return;
    }
    const accepted = device.acceptsMac(frame.destination);
    if (accepted && wire.isGroupMac(frame.destination)) device.rxMulticast++;
    const heard = (accepted || device.hearsAll) && this.tapped(device, bytes, accepted ? kindOf(device, frame.destination) : PacketKind.OTHERHOST);
    if (!accepted) {
      if (heard) this.take('packet.socket');
      else this.count('eth.other-host');
    } else if (frame.type === wire.ETHERTYPE_ARP) {
      this.arpIn(device, frame.payload);
    } else if (frame.type === wire.ETHERTYPE_IPV4) {
      this.ipIn({ device, toGroup: !device.loopback && frame.destination !== device.mac }, frame.payload);
    } else if (frame.type === wire.ETHERTYPE_IPV6) {
      this.v6.packetIn({ device, toGroup: !device.loopback && frame.destination !== device.mac }, frame.payload);
    } else if (heard) {
      this.take('packet.socket');
    } else {
      device.rxDropped++;
      this.count('eth.unknown-type');
    }
  }

  /** Whether a packet socket kept it. */
  private tapped(device: NetInterface, bytes: Uint8Array, kind: number): boolean {
    let heard = false;
    for (const tap of this.taps) if (tap.onFrame(device, bytes, kind)) heard = true;
    return heard;
  }

  private ipIn(arrival: Arrival, bytes: Uint8Array): void {
    this.snmp.count('Ip.InReceives');
    this.snmp.count('IpExt.InOctets', bytes.length);
    const packet = wire.readIpv4(bytes);
    if (typeof packet === 'string') {
      this.snmp.count(packet === 'ip.truncated' ? 'IpExt.InTruncatedPkts' : 'Ip.InHdrErrors');
      if (packet === 'ip.checksum') this.snmp.count('IpExt.InCsumErrors');
      this.count(packet);
      return;
    }
    const martian = this.martian(arrival.device, packet);
    if (martian !== null) {
      this.snmp.count('Ip.InAddrErrors');
      this.count(martian);
      return;
    }
    const { destination } = packet;
    countGroup(this.snmp, 'In', groupOf(arrival.device, destination), bytes.length);
    if (this.isLocal(destination) || arrival.device.isBroadcast(destination) || destination === wire.LIMITED_BROADCAST) this.localIn(arrival, packet);
    else if (wire.isMulticast(destination)) this.multicastIn(arrival, packet);
    else this.forward(arrival, packet);
  }

  /** Addresses no honest packet has (RFC 1812 sections 5.3.7 and 5.3.8). */
  private martian(device: NetInterface, { source, destination }: Ipv4Packet): string | null {
    if (device.loopback) return null;
    if (wire.isLoopback(destination) || destination === 0 || wire.isReserved(destination)) return 'ip.martian-destination';
    if (source === 0) return destination === wire.LIMITED_BROADCAST || wire.isMulticast(destination) || this.isLocal(destination) ? null : 'ip.martian-source';
    if (source >>> 24 === 0 || wire.isLoopback(source) || wire.isMulticast(source) || source >>> 28 === 15) return 'ip.martian-source';
    if (this.isLocal(source) || this.isBroadcast(source)) return 'ip.martian-source';
    if (!this.reversePath) return null;
    return this.routes.lookup(source)?.device === device.index ? null : 'ip.reverse-path';
  }

  private multicastIn(arrival: Arrival, packet: Ipv4Packet): void {
    const members = arrival.device.loopback ? this.interfaces : [arrival.device];
    if (members.some((device) => device.isMember(packet.destination))) this.localIn(arrival, packet);
    else this.count('ip.multicast-not-joined');
  }

  private localIn(arrival: Arrival, packet: Ipv4Packet): void {
    let whole: Ipv4Packet | null = packet;
    if (packet.moreFragments || packet.fragmentOffset > 0) {
      this.snmp.count('Ip.ReasmReqds');
      whole = this.reassembler.add(packet);
      if (!whole) return this.take('fragment.held');
      this.snmp.count('Ip.ReasmOKs');
    }
    this.deliver(arrival, whole);
  }

  private deliver(arrival: Arrival, packet: Ipv4Packet): void {
    this.snmp.count('Ip.InDelivers');
    const heard = rawIn(this, arrival, packet);
    if (packet.protocol === wire.IP_UDP) udpIn(this, arrival, packet);
    else if (packet.protocol === wire.IP_TCP) this.tcp.packetIn(arrival, packet);
    else if (packet.protocol === wire.IP_ICMP) icmpIn(this, arrival, packet);
    else if (packet.protocol === wire.IP_IGMP) this.igmp.receive(arrival.device, packet);
    else if (!heard) {
      this.count('ip.unknown-protocol');
      this.snmp.count('Ip.InUnknownProtos');
      sendIcmpError(this, packet, arrival, wire.ICMP_UNREACHABLE, wire.Unreachable.protocol);
    } else {
      this.take('raw.buffer-full');
    }
  }


  reassemblyTimeout(first: Packet | null): void {
    this.snmp.count('Ip.ReasmFails');
    this.snmp.count('Ip.ReasmTimeout');
    if (!first || wire.isIp6(first.source)) return;
    const path = this.path(first.source);
    if (!failed(path)) sendIcmpError(this, first as Ipv4Packet, { device: path.device, toGroup: false }, wire.ICMP_TIME_EXCEEDED, 1);
  }

  // ---- forwarding (RFC 1812 section 5.2)

  private forward(arrival: Arrival, packet: Ipv4Packet): void {
    if (!this.forwarding) {
      this.count('ip.not-for-us');
      this.snmp.count('Ip.InAddrErrors');
      return;
    }
    if (arrival.toGroup || packet.source === 0) return this.count('ip.forward-group');
    if (packet.ttl <= 1) {
      this.count('ip.ttl');
      this.snmp.count('Ip.InHdrErrors');
      sendIcmpError(this, packet, arrival, wire.ICMP_TIME_EXCEEDED, 0);
      return;
    }
    const path = this.path(packet.destination);
    if (failed(path)) {
      this.count('ip.no-route');
      this.snmp.count('IpExt.InNoRoutes');
      const code = path === -Errno.EHOSTUNREACH ? wire.Unreachable.host : wire.Unreachable.net;
      sendIcmpError(this, packet, arrival, wire.ICMP_UNREACHABLE, code);
      return;
    }
    // A directed broadcast of another of our links is not forwarded (RFC 2644).
    if (path.kind !== 'unicast') return this.count('ip.directed-broadcast');
    this.forwardTo(path, arrival, packet);
  }

  private forwardTo(path: Path<Ip>, arrival: Arrival, packet: Ipv4Packet): void {
    const length = wire.IPV4_HEADER + packet.options.length + packet.payload.length;
    const { mtu } = path.device;
    if (length > mtu && packet.dontFragment) {
      this.count('ip.fragmentation-needed');
      this.snmp.count('Ip.FragFails');
      sendIcmpError(this, packet, arrival, wire.ICMP_UNREACHABLE, wire.Unreachable.fragmentation, mtu);
      return;
    }
    this.snmp.count('Ip.ForwDatagrams');
    this.take('ip.forwarded');
    this.emit(path, { ...packet, ttl: packet.ttl - 1 }, mtu, true);
  }
}
snapshotClass('NetStack', NetStack);

function kindOf(device: NetInterface, destination: Mac): number {
  if (destination === device.mac) return PacketKind.HOST;
  if (destination === wire.MAC_BROADCAST) return PacketKind.BROADCAST;
  return wire.isGroupMac(destination) ? PacketKind.MULTICAST : PacketKind.HOST;
}

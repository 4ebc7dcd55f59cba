import { Errno, failed, snapshotClass, type EventTarget, type Result, type TimedEvent } from '../../base/index.js';
import { ArpTable, type ArpEntry, type ArpUser, type PendingPacket } from '../arp-table.js';
import { PmtuDiscovery } from '../datagram-socket.js';
import { rawIn, udpIn } from '../demux.js';
import type { NetInterface } from '../interface.js';
import { Reassembler, type ReassemblyUser } from '../reassembly.js';
import type { Arrival, NetStack } from '../stack.js';
import * as wire from '../wire/index.js';
import type { Address, HeaderProblem, Ip6, Ipv6Packet, Mac, Packet } from '../wire/index.js';
import { Addressing6, type Path6 } from './addressing6.js';
import { startDetection, startSolicitation, solicitNeighbour, soliciting } from './discovery.js';
import { icmp6In, sendIcmp6Error } from './icmp6.js';
import type { Address6 } from './interface6.js';
import { Mld } from './mld.js';

const DEFAULT_HOPS = 64;

/** IPv6 of a stack (RFC 8200): what comes in over all interfaces and goes out over them. */
export class Ipv6 extends Addressing6 implements EventTarget, ArpUser, ReassemblyUser {
  readonly neighbours: ArpTable;
  readonly reassembler: Reassembler;
  readonly mld: Mld;
  private nextIdentification = 0;
  private expiry: TimedEvent | null = null;

  constructor(net: NetStack) {
    super(net);
    this.neighbours = new ArpTable(net.clock, net.events, this, 'ndp');
    this.reassembler = new Reassembler(net.clock, net.events, this);
    this.mld = new Mld(net);
  }

  count(drop: string): void {
    this.net.count(drop);
  }

  lose(drop: string, amount = 1): void {
    this.net.lose(drop, amount);
  }

  stateChanged(device: NetInterface): void {
    if (!device.up) {
      this.neighbours.removeInterface(device);
      return this.disable(device);
    }
    this.enable(device);
    if (!this.forwarding && device.v6.addresses.length > 0) startSolicitation(this, device);
  }

  protected groupChanged(device: NetInterface, group: Ip6, joined: boolean): void {
    this.mld.changed(device, group, joined);
  }

  protected detectDuplicate(device: NetInterface, of: Address6): void {
    startDetection(this, device, of);
  }

  /** Count for the machine and for the interface (RFC 4293: ipIfStatsTable). */
  mib(device: NetInterface, name: string, amount = 1): void {
    this.net.snmp.count(name, amount);
    device.v6.counters.count(name, amount);
  }

  mtuOf(device: NetInterface): number {
    return device.v6.conf.mtu || Math.min(device.mtu, wire.IPV6_HEADER + 65_535);
  }

  // ---- output

  /** Send one of our own packets, in fragments if it must be. EMSGSIZE when it is too long and may not be cut. A hop limit of -1 is the interface's. */
  output(path: Path6, packet: Ipv6Packet, discovery: number = PmtuDiscovery.want): Result {
    const { net } = this;
    const { device } = path;
    this.mib(device, 'Ip6.OutRequests');
    if (!device.up) return -Errno.ENETDOWN;
    const whole = packet.ttl >= 0 ? packet : { ...packet, ttl: device.loopback ? DEFAULT_HOPS : device.v6.conf.hopLimit };
    const length = wire.IPV6_HEADER + packet.options.length + packet.payload.length;
    const mtu = Math.min(this.mtuOf(device), net.pathMtu.get(packet.destination));
    if (wire.isMulticast6(packet.destination)) this.mib(device, 'Ip6.OutMcastPkts');
    if (length <= mtu) this.emit(path, whole, false);
    else if (discovery === PmtuDiscovery.do || discovery === PmtuDiscovery.probe || packet.options.length > 0) return -Errno.EMSGSIZE;
    else this.emitPieces(path, whole, mtu);
    return 0;
  }

  private emitPieces(path: Path6, packet: Ipv6Packet, mtu: number): void {
    const { device } = path;
    this.nextIdentification = (this.nextIdentification + 1) >>> 0;
    const pieces = wire.fragmentIpv6({ ...packet, identification: this.nextIdentification }, mtu);
    this.mib(device, 'Ip6.FragOKs');
    this.mib(device, 'Ip6.FragCreates', pieces.length);
    for (const piece of pieces) this.emit(path, piece, false);
  }

  private emit({ device, nextHop }: Path6, packet: Ipv6Packet, forwarded: boolean): void {
    const bytes = wire.writeIpv6(packet);
    if (device.loopback) this.sendResolved(device, 0, bytes);
    else if (wire.isMulticast6(nextHop)) this.sendResolved(device, wire.multicastMac6(nextHop), bytes);
    else this.neighbours.send(device, nextHop, { packet: bytes, forwarded });
  }

  /** Members on this host hear what is sent to their group, as if it came in where it went out. */
  loopBack(device: NetInterface, packet: Ipv6Packet): void {
    this.net.events.at(this.net.clock.cycles, this, 'own', { device, bytes: wire.writeIpv6(packet) });
  }

  private ownIn({ device, bytes }: { device: NetInterface; bytes: Uint8Array }): void {
    const packet = wire.readIpv6(bytes);
    if (isPacket(packet)) this.multicastIn({ device, toGroup: true }, packet);
  }

  /** An ICMPv6 message of our own from the address the way out suggests, or from `source`. */
  sendIcmp(destination: Ip6, device: number, message: wire.Icmp6Message, source: Ip6 | 0 = 0, more: Partial<Ipv6Packet> = {}): Result {
    const path = this.path(destination, device, source);
    if (failed(path)) return path;
    const payload = wire.writeIcmp6(message, path.source, destination);
    this.mib(path.device, 'Icmp6.OutMsgs');
    return this.output(path, wire.ipv6({ source: path.source, destination, protocol: wire.IP_ICMPV6, payload, ttl: -1, ...more }));
  }

  // ---- neighbours

  solicit(device: NetInterface, target: Address): void {
    solicitNeighbour(this, device, target as Ip6);
  }

  sendResolved(device: NetInterface, mac: Mac, packet: Uint8Array): void {
    this.net.sendFrame(device, mac, wire.ETHERTYPE_IPV6, packet);
  }

  /** RFC 4861 section 7.2.2: nobody answered, tell the sender. */
  unresolved(entry: ArpEntry, lost: PendingPacket[]): void {
    this.net.lose('ndp.unresolved', lost.length);
    for (const { packet } of lost) {
      const parsed = wire.readIpv6(packet);
      if (isPacket(parsed)) sendIcmp6Error(this, parsed, { device: entry.interface, toGroup: false }, wire.Icmp6.UNREACHABLE, wire.Unreachable6.address, 0);
    }
  }

  // ---- input

  packetIn(arrival: Arrival, bytes: Uint8Array): void {
    this.mib(arrival.device, 'Ip6.InReceives');
    this.mib(arrival.device, 'Ip6.InOctets', bytes.length);
    if (arrival.device.v6.addresses.length === 0) return this.count('ip6.disabled');
    const packet = wire.readIpv6(bytes);
    if (!isPacket(packet)) return this.malformed(arrival, bytes, packet);
    const { source, destination } = packet;
    const martian = this.martian(arrival.device, source, destination);
    if (martian !== null) {
      this.mib(arrival.device, 'Ip6.InAddrErrors');
      return this.count(martian);
    }
    if (wire.isMulticast6(destination)) this.multicastIn(arrival, packet);
    else if (this.isLocal(destination) && !(wire.isLinkLocal(destination) && !this.onLink(arrival.device, destination))) this.localIn(this.where(arrival, destination), packet);
    else if (arrival.device.v6.find(destination)) this.count('ip6.tentative');
    else this.forward(arrival, packet);
  }

  /** A link-local address is ours only on its own link; what went over the loopback was ours to begin with. */
  private onLink(device: NetInterface, address: Ip6): boolean {
    return device.loopback || device.v6.has(address);
  }

  /** What we send to ourselves goes over the loopback, but comes in, for sockets, at the interface that has the address (Linux: inet6_iif). */
  private where(arrival: Arrival, destination: Ip6): Arrival {
    return arrival.device.loopback ? { ...arrival, device: this.owner(destination) ?? arrival.device } : arrival;
  }

  private malformed(arrival: Arrival, bytes: Uint8Array, problem: HeaderProblem | string): void {
    this.mib(arrival.device, 'Ip6.InHdrErrors');
    if (typeof problem === 'string') return this.count(problem);
    this.count(problem.drop);
    const destination = wire.readIp6(bytes, 24);
    if ((arrival.toGroup || wire.isMulticast6(destination)) && !problem.toGroup) return undefined;
    // Quoted as it came: only source, destination and the bytes matter.
    const quoted = wire.ipv6({ source: wire.readIp6(bytes, 8), destination, protocol: wire.Next.NONE, payload: bytes.subarray(wire.IPV6_HEADER), options: bytes.subarray(0, 0) });
    return sendIcmp6Error(this, quoted, { ...arrival, toGroup: false }, wire.Icmp6.PARAMETER, problem.code, problem.pointer, bytes);
  }

  /** Addresses no honest packet has (RFC 4291 sections 2.5 and 2.7). */
  private martian(device: NetInterface, source: Ip6, destination: Ip6): string | null {
    if (destination === wire.ANY6 || wire.isMapped(source) || wire.isMapped(destination)) return 'ip6.martian-address';
    if (wire.isMulticast6(destination) && (wire.scope6(destination) === 0 || (wire.scope6(destination) === 1 && !device.loopback))) return 'ip6.martian-destination';
    if (device.loopback) return null;
    if (source === wire.LOOPBACK6 || destination === wire.LOOPBACK6) return 'ip6.martian-loopback';
    return source !== wire.ANY6 && this.isLocal(source) ? 'ip6.martian-source' : null;
  }

  private multicastIn(arrival: Arrival, packet: Ipv6Packet): void {
    this.mib(arrival.device, 'Ip6.InMcastPkts');
    const members = arrival.device.loopback ? this.net.interfaces : [arrival.device];
    if (members.some((device) => device.v6.groups.has(packet.destination))) this.localIn(arrival, packet);
    else this.count('ip6.multicast-not-joined');
  }

  private localIn(arrival: Arrival, packet: Ipv6Packet): void {
    if (!packet.fragment) return this.deliver(arrival, packet);
    this.mib(arrival.device, 'Ip6.ReasmReqds');
    // RFC 6946: a lone fragment that is the whole stands apart from others of its number.
    const whole = packet.fragmentOffset === 0 && !packet.moreFragments ? packet : this.reassembler.add(packet);
    if (!whole) return this.net.take('fragment.held');
    this.mib(arrival.device, 'Ip6.ReasmOKs');
    const walked = wire.walk(whole);
    return isPacket(walked) ? this.deliver(arrival, walked) : this.malformed(arrival, wire.writeIpv6(whole), walked);
  }

  private deliver(arrival: Arrival, packet: Ipv6Packet): void {
    const { net } = this;
    this.mib(arrival.device, 'Ip6.InDelivers');
    if (packet.protocol === wire.IP_ICMPV6) return icmp6In(this, arrival, packet);
    const heard = rawIn(net, arrival, packet);
    if (packet.protocol === wire.IP_UDP) return udpIn(net, arrival, packet);
    if (packet.protocol === wire.IP_TCP) return net.tcp.packetIn(arrival, packet);
    if (heard || packet.protocol === wire.Next.NONE) return net.take(heard ? 'raw.buffer-full' : 'ip6.no-next-header');
    this.count('ip6.unknown-protocol');
    this.mib(arrival.device, 'Ip6.InUnknownProtos');
    return sendIcmp6Error(this, packet, arrival, wire.Icmp6.PARAMETER, 1, 6);
  }

  reassemblyTimeout(first: Packet | null): void {
    this.net.snmp.count('Ip6.ReasmTimeout');
    this.net.snmp.count('Ip6.ReasmFails');
    if (!first || !wire.isIp6(first.source)) return;
    const path = this.path(first.source, 0, 0);
    if (!failed(path)) sendIcmp6Error(this, first as Ipv6Packet, { device: path.device, toGroup: false }, wire.Icmp6.TIME_EXCEEDED, 1, 0);
  }

  // ---- forwarding

  private forward(arrival: Arrival, packet: Ipv6Packet): void {
    if (!this.forwarding) {
      this.mib(arrival.device, 'Ip6.InAddrErrors');
      return this.count('ip6.not-for-us');
    }
    const { source, destination } = packet;
    if (arrival.toGroup || source === wire.ANY6 || wire.isLinkLocal(source) || wire.isLinkLocal(destination)) return this.count('ip6.forward-scope');
    if (packet.ttl <= 1) {
      this.count('ip6.hop-limit');
      return sendIcmp6Error(this, packet, arrival, wire.Icmp6.TIME_EXCEEDED, 0, 0);
    }
    const path = this.path(destination, 0, source);
    if (failed(path)) {
      this.count('ip6.no-route');
      this.mib(arrival.device, 'Ip6.InNoRoutes');
      return sendIcmp6Error(this, packet, arrival, wire.Icmp6.UNREACHABLE, wire.Unreachable6.route, 0);
    }
    return this.forwardTo(path, arrival, packet);
  }

  private forwardTo(path: Path6, arrival: Arrival, packet: Ipv6Packet): void {
    const mtu = this.mtuOf(path.device);
    // A fragment header was taken off the options; it goes on again as it came.
    const onward = packet.fragment ? refragmented(packet) : packet;
    if (wire.IPV6_HEADER + onward.options.length + onward.payload.length > mtu) {
      this.count('ip6.too-big');
      this.mib(arrival.device, 'Ip6.InTooBigErrors');
      return sendIcmp6Error(this, packet, arrival, wire.Icmp6.TOO_BIG, 0, mtu);
    }
    this.mib(path.device, 'Ip6.OutForwDatagrams');
    this.net.take('ip6.forwarded');
    return this.emit(path, { ...onward, ttl: packet.ttl - 1 }, true);
  }

  // ---- time

  onEvent(kind: string, argument: unknown): void {
    if (kind === 'expire') this.expire();
    else if (kind === 'own') this.ownIn(argument as { device: NetInterface; bytes: Uint8Array });
    else soliciting(this, kind, argument);
  }

  /** Look at what has an end when the first one is due. */
  expireAt(time: number): void {
    if (time === Infinity || (this.expiry && this.expiry.time <= time)) return;
    this.net.events.cancel(this.expiry);
    this.expiry = this.net.events.at(time, this, 'expire');
  }

  private expire(): void {
    const now = this.net.clock.cycles;
    this.expiry = null;
    for (const device of this.net.interfaces) {
      for (const { address, valid } of device.v6.addresses.slice()) if (valid <= now) this.removeAddress(device, address);
    }
    for (const route of this.routes.routes.slice()) if ((route.expires ?? Infinity) <= now) this.dropRoute(route);
    const ends = [...this.net.interfaces.flatMap((device) => device.v6.addresses.map(({ valid }) => valid)), ...this.routes.routes.map(({ expires = Infinity }) => expires)];
    this.expireAt(Math.min(Infinity, ...ends));
  }
}
snapshotClass('Ipv6', Ipv6);

function isPacket(read: Ipv6Packet | HeaderProblem | string): read is Ipv6Packet {
  return typeof read !== 'string' && 'payload' in read;
}

function refragmented(packet: Ipv6Packet): Ipv6Packet {
  const payload = new Uint8Array(8 + packet.payload.length);
  payload[0] = packet.protocol;
  wire.write16(payload, 2, packet.fragmentOffset | (packet.moreFragments ? 1 : 0));
  wire.write32(payload, 4, packet.identification);
  payload.set(packet.payload, 8);
  return { ...packet, protocol: wire.Next.FRAGMENT, payload };
}

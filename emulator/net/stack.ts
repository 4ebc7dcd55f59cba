import type { Clock, EventLog, EventQueue, EventTarget, Fail, Meter, Random, Result } from '../base/index.js';
import { Errno, failed, Ledger, snapshotClass, WaitQueue } from '../base/index.js';
import { ArpTable, type ArpEntry, type ArpUser, type PendingPacket } from './arp-table.js';
import type { InterfaceAddress, NetChange, NetWatcher } from './changes.js';
import type { Datagram, DatagramSocket } from './datagram-socket.js';
import { PmtuDiscovery, SocketBuffers } from './datagram-socket.js';
import { IcmpLimiter } from './icmp-limiter.js';
import { icmpIn, sendIcmpError } from './icmp.js';
import { Igmp } from './igmp.js';
import { NetInterface, type RingOwner } from './interface.js';
import type { Link, Side } from './link.js';
import { PacketKind, type PacketTap } from './packet-tap.js';
import { PathMtu } from './path-mtu.js';
import { PingSocket, RawSocket } from './raw-socket.js';
import { Reassembler, type ReassemblyUser } from './reassembly.js';
import { RouteTable, type Route } from './routes.js';
import { TcpStack } from './tcp/index.js';
import { UdpSocket, type SendOptions } from './udp-socket.js';
import { UdpTable } from './udp-table.js';
import * as wire from './wire/index.js';
import type { Ip, Ipv4Packet, Mac } from './wire/index.js';

/** Which way a packet leaves. */
export interface Path {
  device: NetInterface;
  nextHop: Ip;
  source: Ip;
  kind: 'local' | 'unicast' | 'broadcast' | 'multicast';
}

/** How a packet came in. */
export interface Arrival {
  device: NetInterface;
  /** The frame was addressed to a group: it is never answered with an ICMP error, nor forwarded. */
  toGroup: boolean;
}

/** NAPI: frames taken in a row before the CPU goes back to programs (Linux: netdev weight 64). */
const BURST = 64;
const LOOPBACK_MTU = 65_536;
const LOOPBACK_BACKLOG = 1000;
/** Addresses of an interface beyond the first. */
const ADDRESSES_MAX = 64;
/** rtm_protocol: RTPROT_KERNEL, RTPROT_BOOT. */
const BY_KERNEL = 2;
const BY_HAND = 3;

/**
 * The router's IPv4 stack. Frames enter through the interfaces' rings and are taken out by a "drain" event
 * each; packets leave through `output`. Every packet that goes nowhere is counted under a name.
 */
export class NetStack implements EventTarget, RingOwner, ArpUser, ReassemblyUser {
  readonly clock: Clock;
  readonly events: EventQueue;
  readonly meter: Meter;
  readonly random: Random;
  readonly log: EventLog;
  readonly interfaces: NetInterface[] = [];
  readonly routes = new RouteTable();
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
  /** Drops by reason: "ip.checksum", "udp.no-socket", "interface.ring-full", … */
  readonly drops = new Ledger();
  /** What became of each frame taken from a ring, one name a frame: a drop's, or a use's ("udp.socket", "ip.forwarded", …). */
  readonly fates = new Ledger();
  /** Of the frame at hand; the first thing said of it holds. */
  private fate = '';
  /** MIB counters under their /proc/net/snmp names: "Ip.InReceives", "Udp.NoPorts", … */
  readonly snmp = new Ledger();
  /** Woken when an interface or route changes. */
  readonly changed = new WaitQueue();
  /** Told what it was. */
  readonly watchers: NetWatcher[] = [];
  /** Packet sockets. */
  readonly taps: PacketTap[] = [];
  /** net.ipv4.ip_forward */
  forwarding = false;
  /** net.ipv4.conf.all.rp_filter: drop what comes in where the answer would not go out (RFC 3704). */
  reversePath = false;
  private nextIdentification: number;

  constructor(clock: Clock, events: EventQueue, meter: Meter, random: Random, log: EventLog) {
    this.clock = clock;
    this.events = events;
    this.meter = meter;
    this.random = random;
    this.log = log;
    this.arp = new ArpTable(clock, events, this);
    this.udp = new UdpTable(random);
    this.reassembler = new Reassembler(clock, events, this);
    this.limiter = new IcmpLimiter(clock);
    this.pathMtu = new PathMtu(clock);
    this.nextIdentification = random.below(0x10000);
    this.tcp = new TcpStack(this);
    const lo = new NetInterface(this, 1, 'lo', 0, null, 0, LOOPBACK_BACKLOG);
    lo.mtu = LOOPBACK_MTU;
    lo.setAddress(wire.LOOPBACK, 8);
    lo.up = true;
    this.interfaces.push(lo);
  }

  // ---- interfaces

  /** The stack sits at `side` of the link. The ring takes `ringSize` frames. */
  addInterface(name: string, mac: Mac, link: Link, side: Side, ringSize = 128): NetInterface {
    const added = new NetInterface(this, this.interfaces.length + 1, name, mac, link, side, ringSize);
    this.interfaces.push(added);
    return added;
  }

  /** By name or index. */
  interface(which: string | number): NetInterface | undefined {
    return typeof which === 'number' ? this.interfaces[which - 1] : this.interfaces.find(({ name }) => name === which);
  }

  get loopback(): NetInterface {
    return this.interfaces[0];
  }

  /** Set address and state together; ENODEV without such an interface. */
  configure(name: string, address: Ip, prefix: number, up = true): Result {
    const device = this.interface(name);
    if (!device) return -Errno.ENODEV;
    this.setAddress(device, address, prefix);
    this.setUp(device, up);
    return 0;
  }

  setAddress(device: NetInterface, address: Ip, prefix: number): void {
    const before = this.addressOf(device);
    if (device.address !== 0) this.removeConnected(device, device);
    if (before) this.notify({ kind: 'address', gone: true, of: before });
    device.setAddress(address, prefix);
    const now = this.addressOf(device);
    if (now) this.notify({ kind: 'address', gone: false, of: now });
    this.addConnected(device, device);
    this.log.add('net.address', { device: device.name, address: `${wire.formatIp(device.address)}/${device.prefix}` });
  }

  private addressOf(device: NetInterface): InterfaceAddress | null {
    const { address, prefix, broadcast } = device;
    return address === 0 ? null : { device, address, prefix, broadcast };
  }

  /** Another address on an interface, the first one if it has none. EEXIST when it has this one. */
  addAddress(device: NetInterface, address: Ip, prefix: number, broadcast: Ip): Result {
    if (device.has(address)) return -Errno.EEXIST;
    if (device.address === 0) {
      this.setAddress(device, address, prefix);
      if (broadcast !== 0) device.broadcast = broadcast;
      return 0;
    }
    if (device.secondary.length >= ADDRESSES_MAX) return -Errno.ENOBUFS;
    const added = { address, prefix, broadcast: broadcast || (prefix >= 31 ? 0 : wire.directedBroadcast(address, prefix)) };
    device.secondary.push(added);
    this.notify({ kind: 'address', gone: false, of: { device, ...added } });
    this.addConnected(device, added);
    return 0;
  }

  /** EADDRNOTAVAIL when the interface has it not. The others of its subnet go with the first one (promote_secondaries is 0); one of another subnet takes its place. */
  removeAddress(device: NetInterface, address: Ip): Result {
    if (!device.has(address)) return -Errno.EADDRNOTAVAIL;
    const at = device.secondary.findIndex((one) => one.address === address);
    if (at >= 0) {
      const [gone] = device.secondary.splice(at, 1);
      this.removeConnected(device, gone);
      this.notify({ kind: 'address', gone: true, of: { device, ...gone } });
      return 0;
    }
    const subnet = networkOf(device);
    for (const one of device.secondary.filter((other) => other.prefix === device.prefix && networkOf(other) === subnet)) this.removeAddress(device, one.address);
    const next = device.secondary.shift();
    if (next) this.removeConnected(device, next);
    this.setAddress(device, next?.address ?? 0, next?.prefix ?? 0);
    return 0;
  }

  setUp(device: NetInterface, up: boolean): void {
    if (device.up === up) return;
    device.up = up;
    if (up) {
      for (const one of [device, ...device.secondary]) this.addConnected(device, one);
    } else {
      for (const route of this.routes.routes.filter((one) => one.device === device.index)) this.dropRoute(route);
      this.arp.removeInterface(device);
      if (device.ring.length > 0) this.lose('interface.down', device.ring.length);
      device.rxMissed += device.ring.length;
      device.ring.length = 0;
    }
    this.log.add('net.link', { device: device.name, up });
    this.notify({ kind: 'link', device });
  }

  private addConnected(device: NetInterface, of: { address: Ip; prefix: number }): void {
    if (!device.up || of.address === 0 || device.loopback || of.prefix === 32) return;
    this.insertRoute({ network: networkOf(of), prefix: of.prefix, gateway: 0, device: device.index, metric: 0, reject: false, protocol: BY_KERNEL, source: of.address });
  }

  private removeConnected(device: NetInterface, of: { address: Ip; prefix: number }): void {
    this.removeRoute(networkOf(of), of.prefix, 0, device.index);
  }

  /** ENETUNREACH when the gateway is on no link. */
  addRoute(destination: Ip, prefix: number, gateway: Ip, deviceName = '', metric = 0, more: Partial<Route> = {}): Result {
    let device = deviceName === '' ? undefined : this.interface(deviceName);
    if (deviceName !== '' && !device) return -Errno.ENODEV;
    if (!device) {
      const way = this.routes.lookup(gateway);
      if (!way || way.gateway !== 0) return -Errno.ENETUNREACH;
      device = this.interface(way.device) as NetInterface;
    }
    if (!device.up) return -Errno.ENETDOWN;
    if (gateway !== 0 && this.isLocal(gateway)) return -Errno.EINVAL;
    return this.insertRoute({ network: destination, prefix, gateway, device: device.index, metric, reject: false, protocol: BY_HAND, ...more });
  }

  /** A route as it stands; EEXIST when there is one like it. */
  insertRoute(route: Route): Result {
    const result = this.routes.add(route);
    if (result === 0) this.notify({ kind: 'route', gone: false, route });
    return result;
  }

  /** The first that matches; gateway and device 0 match any. ESRCH without one. */
  removeRoute(destination: Ip, prefix: number, gateway: Ip, device: number, metric?: number): Result {
    const route = this.routes.find(destination, prefix, gateway, device, metric);
    if (!route) return -Errno.ESRCH;
    this.dropRoute(route);
    return 0;
  }

  private dropRoute(route: Route): void {
    this.routes.drop(route);
    this.notify({ kind: 'route', gone: true, route });
  }

  notify(change: NetChange): void {
    for (const watcher of this.watchers) watcher.onChange(change);
    this.changed.wakeAll();
  }

  // ---- addresses

  /** One of our own unicast addresses. */
  isLocal(address: Ip): boolean {
    return wire.isLoopback(address) || this.interfaces.some((device) => device.has(address));
  }

  isBroadcast(address: Ip): boolean {
    return address === wire.LIMITED_BROADCAST || this.interfaces.some((device) => device.up && device.isBroadcast(address));
  }

  mayBind(address: Ip): boolean {
    return address === 0 || this.isLocal(address) || this.isBroadcast(address) || wire.isMulticast(address);
  }

  // ---- sockets

  udpSocket(): UdpSocket {
    return new UdpSocket(this);
  }

  rawSocket(protocol: number): RawSocket {
    const socket = new RawSocket(this, protocol);
    this.raw.push(socket);
    return socket;
  }

  removeRaw(socket: RawSocket): void {
    const at = this.raw.indexOf(socket);
    if (at >= 0) this.raw.splice(at, 1);
  }

  pingSocket(): PingSocket {
    return new PingSocket(this);
  }

  bindPing(socket: PingSocket, identifier: number): Result {
    const taken = (id: number): boolean => this.pings.some((other) => other.identifier === id);
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

  /** IP_ADD_MEMBERSHIP. ENODEV, EADDRINUSE (a member already), EINVAL (no group), ENOBUFS. */
  join(socket: DatagramSocket, group: Ip, device: number): Result {
    if (!wire.isMulticast(group)) return -Errno.EINVAL;
    const on = device !== 0 ? this.interface(device) : this.multicastDevice(group);
    if (!on) return -Errno.ENODEV;
    if (socket.memberships.some((member) => member.group === group && member.device === on.index)) return -Errno.EADDRINUSE;
    // Linux: igmp_max_memberships.
    if (socket.memberships.length >= 20) return -Errno.ENOBUFS;
    socket.memberships.push({ group, device: on.index });
    this.joinOn(on, group);
    return 0;
  }

  leave(socket: DatagramSocket, group: Ip, device: number): Result {
    const at = socket.memberships.findIndex((member) => member.group === group && (device === 0 || member.device === device));
    if (at < 0) return -Errno.EADDRNOTAVAIL;
    const [member] = socket.memberships.splice(at, 1);
    this.leaveOn(member.device, group);
    return 0;
  }

  leaveAll(socket: DatagramSocket): void {
    for (const { group, device } of socket.memberships) this.leaveOn(device, group);
    socket.memberships.length = 0;
  }

  /** The first member on an interface, and the end of the last one, are told to the routers on its link. */
  private joinOn(device: NetInterface, group: Ip): void {
    const first = !device.groups.has(group);
    device.join(group);
    if (first) this.igmp.changed(device, group, true);
  }

  private leaveOn(index: number, group: Ip): void {
    const device = this.interface(index);
    device?.leave(group);
    if (device && !device.groups.has(group)) this.igmp.changed(device, group, false);
  }

  private multicastDevice(group: Ip): NetInterface | undefined {
    const route = this.routes.lookup(group);
    return route ? this.interface(route.device) : this.interfaces.find((device) => device.up && !device.loopback);
  }

  // ---- output

  /** The way to `destination`; `device` and `source` 0 leave the choice to the routes. */
  path(destination: Ip, device = 0, source: Ip = 0): Path | Fail {
    if (this.isLocal(destination)) return { device: this.loopback, nextHop: destination, source: source || destination, kind: 'local' };
    const bound = device === 0 ? undefined : this.interface(device);
    if (device !== 0 && !bound) return -Errno.ENODEV;
    if (bound && !bound.up) return -Errno.ENETDOWN;
    const out = (on: NetInterface, nextHop: Ip, kind: Path['kind']): Path => ({ device: on, nextHop, source: source || on.address, kind });
    const directed = destination === wire.LIMITED_BROADCAST ? undefined
      : this.interfaces.find((on) => on.up && on.isBroadcast(destination) && (device === 0 || on.index === device));
    if (directed) return out(directed, destination, 'broadcast');
    if (destination === wire.LIMITED_BROADCAST || wire.isMulticast(destination)) {
      const kind = destination === wire.LIMITED_BROADCAST ? 'broadcast' : 'multicast';
      const on = bound ?? this.owner(source) ?? this.groupDevice(destination);
      return on ? out(on, destination, kind) : -Errno.ENETUNREACH;
    }
    const route = this.routes.lookup(destination, device);
    if (!route) return bound && !bound.loopback ? out(bound, destination, 'unicast') : -Errno.ENETUNREACH;
    if (route.reject) return -Errno.EHOSTUNREACH;
    const way = out(this.interface(route.device) as NetInterface, route.gateway || destination, 'unicast');
    return source === 0 && route.source ? { ...way, source: route.source } : way;
  }

  private owner(address: Ip): NetInterface | undefined {
    return address === 0 ? undefined : this.interfaces.find((device) => device.has(address) && !device.loopback && device.up);
  }

  private groupDevice(destination: Ip): NetInterface | undefined {
    const route = this.routes.lookup(destination);
    return route ? this.interface(route.device) : undefined;
  }

  /** `path` for a socket: its bound address, its multicast device, its permission to broadcast. */
  outputPath(socket: DatagramSocket, destination: Ip, device: number, source: Ip): Path | Fail {
    const multicast = wire.isMulticast(destination);
    const path = this.path(destination, device || (multicast ? socket.multicastDevice : 0), source || unicastSource(this, socket.localAddress));
    if (failed(path)) return path;
    return path.kind === 'broadcast' && !socket.broadcast ? -Errno.EACCES : path;
  }

  /** Send `payload` with the socket's IP options. */
  sendFor(socket: DatagramSocket, path: Path, destination: Ip, protocol: number, payload: Uint8Array, options: SendOptions): Result {
    if (options.dontRoute && path.nextHop !== destination) return -Errno.ENETUNREACH;
    const multicast = path.kind === 'multicast';
    const ttl = options.ttl ?? (multicast ? socket.multicastTtl : socket.ttl);
    const packet = wire.ipv4({ source: path.source, destination, protocol, payload, ttl, tos: options.tos ?? socket.tos });
    if (multicast && socket.multicastLoop && path.device.isMember(destination)) this.loopBack({ ...packet, identification: this.identification() });
    return this.output(path, packet, socket.pmtuDiscovery);
  }

  /** A packet whose header its sender wrote (IP_HDRINCL): length and checksum are ours, number and source only if left out (raw(7)). EMSGSIZE, EINVAL. */
  sendWhole(path: Path, bytes: Uint8Array): Result {
    if (bytes.length > path.device.mtu) return -Errno.EMSGSIZE;
    const header = (bytes[0] & 15) * 4;
    if (bytes.length < wire.IPV4_HEADER || header < wire.IPV4_HEADER || header > bytes.length) return -Errno.EINVAL;
    if (!path.device.up) return -Errno.ENETDOWN;
    const packet = bytes.slice();
    wire.write16(packet, 2, packet.length);
    if (wire.read16(packet, 4) === 0) wire.write16(packet, 4, this.identification());
    if (wire.read32(packet, 12) === 0) wire.write32(packet, 12, path.source);
    wire.write16(packet, 10, 0);
    wire.write16(packet, 10, wire.checksum(packet, 0, header));
    this.snmp.count('Ip.OutRequests');
    this.emitOne(path, packet, false);
    return 0;
  }

  identification(): number {
    this.nextIdentification = (this.nextIdentification + 1) & 0xffff;
    return this.nextIdentification;
  }

  /** Number, fragment and send one of our own packets. EMSGSIZE when it must not be fragmented and is too long. */
  output(path: Path, packet: Ipv4Packet, discovery: number = PmtuDiscovery.dont): Result {
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
  private emit(path: Path, packet: Ipv4Packet, mtu: number, forwarded: boolean): void {
    const length = wire.IPV4_HEADER + packet.options.length + packet.payload.length;
    const pieces = length > mtu ? wire.fragmentIpv4(packet, mtu) : [packet];
    if (pieces.length > 1) {
      this.snmp.count('Ip.FragOKs');
      this.snmp.count('Ip.FragCreates', pieces.length);
    }
    for (const piece of pieces) this.emitOne(path, wire.writeIpv4(piece), forwarded);
  }

  private emitOne(path: Path, packet: Uint8Array, forwarded: boolean): void {
    const { device, nextHop, kind } = path;
    if (device.loopback) this.sendResolved(device, 0, packet);
    else if (kind === 'broadcast' || device.isBroadcast(nextHop)) this.sendResolved(device, wire.MAC_BROADCAST, packet);
    else if (wire.isMulticast(nextHop)) this.sendResolved(device, wire.multicastMac(nextHop), packet);
    else this.arp.send(device, nextHop, { packet, forwarded });
  }

  private loopBack(packet: Ipv4Packet): void {
    this.sendResolved(this.loopback, 0, wire.writeIpv4(packet));
  }

  sendResolved(device: NetInterface, mac: Mac, packet: Uint8Array): void {
    this.transmit(device, { destination: mac, source: device.mac, type: wire.ETHERTYPE_IPV4, payload: packet });
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

  sendArpRequest(device: NetInterface, target: Ip): void {
    const payload = wire.writeArp({ operation: wire.ARP_REQUEST, senderMac: device.mac, senderIp: device.address, targetMac: 0, targetIp: target });
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

  /** Something else than the frame at hand is lost. */
  lose(drop: string, amount = 1): void {
    this.drops.count(drop, amount);
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
   * After a full burst the soft interrupt hands over to ksoftirqd, which shares the CPU evenly with
   * programs: it rests as long as the burst took.
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
      at += now - device.burstStart;
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
    const heard = this.rawIn(arrival, packet);
    if (packet.protocol === wire.IP_UDP) this.udpIn(arrival, packet);
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

  private rawIn(arrival: Arrival, packet: Ipv4Packet): boolean {
    let heard = false;
    for (const socket of this.raw) {
      if (socket.protocol !== packet.protocol || (socket.device !== 0 && socket.device !== arrival.device.index)) continue;
      if (socket.localAddress !== 0 && socket.localAddress !== packet.destination) continue;
      if (socket.remoteAddress !== 0 && socket.remoteAddress !== packet.source) continue;
      heard = true;
      const type = packet.payload[0] ?? 0;
      if (packet.protocol === wire.IP_ICMP && type < 32 && (socket.icmpFilter >>> type) & 1) continue;
      if (socket.deliver(this.datagram(arrival, packet, 0, wire.writeIpv4(packet)), this.buffers)) this.take('raw.socket');
      else this.lose('raw.buffer-full');
    }
    return heard;
  }

  /** The record a socket queues. */
  datagram(arrival: Arrival, packet: Ipv4Packet, sourcePort: number, payload: Uint8Array): Datagram {
    const { source, destination, ttl, tos } = packet;
    return { payload, source, sourcePort, destination, device: arrival.device.index, ttl, tos, time: this.clock.nanoseconds() };
  }

  private udpIn(arrival: Arrival, packet: Ipv4Packet): void {
    const { source, destination } = packet;
    const udp = wire.readUdp(packet.payload, source, destination);
    if (typeof udp === 'string') {
      this.snmp.count('Udp.InErrors');
      if (udp === 'udp.checksum') this.snmp.count('Udp.InCsumErrors');
      this.count(udp);
      return;
    }
    const group = wire.isMulticast(destination) || this.isBroadcast(destination);
    const device = arrival.device.index;
    const one = group ? null : this.udp.find(destination, udp.destinationPort, source, udp.sourcePort, device);
    const sockets = group ? this.udp.findAll(destination, udp.destinationPort, source, udp.sourcePort, device) : one ? [one] : [];
    const datagram = this.datagram(arrival, packet, udp.sourcePort, udp.payload);
    let drop = '';
    for (const socket of sockets) drop = this.udpDeliver(socket, datagram) || drop;
    if (sockets.length > 0) return this.take(drop || 'udp.socket');
    this.snmp.count('Udp.NoPorts');
    this.count('udp.no-socket');
    sendIcmpError(this, packet, arrival, wire.ICMP_UNREACHABLE, wire.Unreachable.port);
  }

  /** Why it did not get there; '' when it did. */
  private udpDeliver(socket: UdpSocket, datagram: Datagram): string {
    const full = !socket.readShutdown && !socket.deliver(datagram, this.buffers);
    const drop = socket.readShutdown ? 'udp.shut-down' : full ? 'udp.buffer-full' : '';
    if (full) {
      this.snmp.count('Udp.RcvbufErrors');
      this.snmp.count('Udp.InErrors');
    }
    if (drop !== '') {
      this.lose(drop);
    } else {
      this.snmp.count('Udp.InDatagrams');
      this.take('udp.socket');
    }
    return drop;
  }

  reassemblyTimeout(first: Ipv4Packet | null): void {
    this.snmp.count('Ip.ReasmFails');
    this.snmp.count('Ip.ReasmTimeout');
    if (!first) return;
    const path = this.path(first.source);
    if (!failed(path)) sendIcmpError(this, first, { device: path.device, toGroup: false }, wire.ICMP_TIME_EXCEEDED, 1);
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

  private forwardTo(path: Path, arrival: Arrival, packet: Ipv4Packet): void {
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

function networkOf({ address, prefix }: { address: Ip; prefix: number }): Ip {
  return (address & wire.prefixMask(prefix)) >>> 0;
}

/** A socket bound to a group or broadcast address sends from the route's address. */
function unicastSource(stack: NetStack, address: Ip): Ip {
  return wire.isMulticast(address) || stack.isBroadcast(address) ? 0 : address;
}

import type { Clock, EventLog, EventQueue, Fail, Meter, Random, Result } from '../base/index.js';
import { Errno, Ledger, WaitQueue } from '../base/index.js';
import type { InterfaceAddress, NetChange, NetWatcher } from './changes.js';
import { NetInterface, type RingOwner } from './interface.js';
import type { Link, Side } from './link.js';
import { RouteTable, type Route } from './routes.js';
import * as wire from './wire/index.js';
import type { Address, Ip, Mac } from './wire/index.js';

/** Which way a packet leaves. */
export interface Path<A extends Address = Address> {
  device: NetInterface;
  nextHop: A;
  source: A;
  kind: 'local' | 'unicast' | 'broadcast' | 'multicast';
}

const LOOPBACK_MTU = 65_536;
const LOOPBACK_BACKLOG = 1000;
/** Addresses of an interface beyond the first. */
const ADDRESSES_MAX = 64;
/** rtm_protocol: RTPROT_KERNEL, RTPROT_BOOT. */
const BY_KERNEL = 2;
const BY_HAND = 3;

/** What a host knows of itself and the ways out: its interfaces, their IPv4 addresses, the routes. What goes in and out is NetStack's, IPv6 in ipv6/. */
export abstract class Addressing implements RingOwner {
  readonly clock: Clock;
  readonly events: EventQueue;
  readonly meter: Meter;
  readonly random: Random;
  readonly log: EventLog;
  readonly interfaces: NetInterface[] = [];
  readonly routes = new RouteTable();
  /** Drops by reason: "ip.checksum", "udp.no-socket", "interface.ring-full", … */
  readonly drops = new Ledger();
  /** Woken when an interface or route changes. */
  readonly changed = new WaitQueue();
  /** Told what it was. */
  readonly watchers: NetWatcher[] = [];

  constructor(clock: Clock, events: EventQueue, meter: Meter, random: Random, log: EventLog) {
    this.clock = clock;
    this.events = events;
    this.meter = meter;
    this.random = random;
    this.log = log;
    const lo = new NetInterface(this, 1, 'lo', 0, null, 0, LOOPBACK_BACKLOG);
    lo.mtu = LOOPBACK_MTU;
    lo.setAddress(wire.LOOPBACK, 8);
    lo.up = true;
    this.interfaces.push(lo);
  }

  abstract ringFilled(device: NetInterface): void;
  /** The interface is up, or no more. */
  protected abstract stateChanged(device: NetInterface): void;

  /** Something else than the frame at hand is lost. */
  lose(drop: string, amount = 1): void {
    this.drops.count(drop, amount);
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
      if (device.ring.length > 0) this.lose('interface.down', device.ring.length);
      device.rxMissed += device.ring.length;
      device.ring.length = 0;
    }
    this.stateChanged(device);
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

  // ---- ways out

  /** The way to an IPv4 `destination`; `device` and `source` 0 leave the choice to the routes. */
  protected path4(destination: Ip, device: number, source: Ip): Path<Ip> | Fail {
    if (this.isLocal(destination)) return { device: this.loopback, nextHop: destination, source: source || destination, kind: 'local' };
    const bound = device === 0 ? undefined : this.interface(device);
    if (device !== 0 && !bound) return -Errno.ENODEV;
    if (bound && !bound.up) return -Errno.ENETDOWN;
    const out = (on: NetInterface, nextHop: Ip, kind: Path['kind']): Path<Ip> => ({ device: on, nextHop, source: source || on.address, kind });
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
}

function networkOf({ address, prefix }: { address: Ip; prefix: number }): Ip {
  return (address & wire.prefixMask(prefix)) >>> 0;
}

import { Errno, type Fail, type Result } from '../../base/index.js';
import type { Path } from '../addressing.js';
import type { NetInterface } from '../interface.js';
import { RouteTable, type Route6 } from '../routes.js';
import type { NetStack } from '../stack.js';
import * as wire from '../wire/index.js';
import type { Ip6 } from '../wire/index.js';
import type { Address6 } from './interface6.js';

export type Path6 = Path<Ip6>;

/** Linux: addresses of one interface, net.ipv6.conf.max_addresses. */
const ADDRESSES_MAX = 16;
/** Linux: IP6_RT_PRIO_USER and IP6_RT_PRIO_ADDRCONF. */
const METRIC_USER = 1024;
const METRIC_KERNEL = 256;
/** rtm_protocol: RTPROT_KERNEL, RTPROT_BOOT. */
const BY_KERNEL = 2;
const BY_HAND = 3;

/** IPv6 addresses, routes and ways out of a stack. */
export abstract class Addressing6 {
  readonly net: NetStack;
  readonly routes = new RouteTable<Ip6>();
  /** net.ipv6.conf.all.forwarding */
  forwarding = false;

  constructor(net: NetStack) {
    this.net = net;
  }

  /** Tell the routers on the link that a group is wanted, or no longer. */
  protected abstract groupChanged(device: NetInterface, group: Ip6, joined: boolean): void;
  /** A new address is looked for on the link before it is used. */
  protected abstract detectDuplicate(device: NetInterface, of: Address6): void;

  // ---- addresses

  /** The interface came up: it gets its link-local address (RFC 4862 section 5.3). */
  enable(device: NetInterface): void {
    if (device.v6.conf.disabled || device.v6.addresses.length > 0) return;
    device.v6.join(wire.ALL_NODES);
    if (this.forwarding) device.v6.join(wire.ALL_ROUTERS);
    if (device.loopback) this.addAddress(device, wire.LOOPBACK6, 128);
    else this.addAddress(device, wire.linkLocalOf(device.mac), 64);
  }

  /** It went down: addresses, routes and memberships of its own are gone. Those of sockets stay. */
  disable(device: NetInterface): void {
    if (device.v6.addresses.length === 0) return;
    for (const { address } of device.v6.addresses.slice()) this.removeAddress(device, address);
    for (const route of this.routes.routes.filter((one) => one.device === device.index)) this.dropRoute(route);
    device.v6.leave(wire.ALL_NODES);
    if (this.forwarding) device.v6.leave(wire.ALL_ROUTERS);
  }

  /** EEXIST, ENOBUFS; EINVAL for what is no unicast address. */
  addAddress(device: NetInterface, address: Ip6, prefix: number, more: Partial<Address6> = {}): Result {
    if (wire.isMulticast6(address) || address === wire.ANY6 || wire.isMapped(address)) return -Errno.EINVAL;
    if (device.v6.conf.disabled) return -Errno.EACCES;
    if (device.v6.find(address)) return -Errno.EEXIST;
    if (device.v6.addresses.length >= ADDRESSES_MAX) return -Errno.ENOBUFS;
    const of: Address6 = { address, prefix, preferred: Infinity, valid: Infinity, autonomous: false, tentative: false, ...more };
    // As Linux lists them: the wider scope first, of one scope the newest.
    const at = device.v6.addresses.findIndex((one) => wire.scope6(address) >= wire.scope6(one.address));
    device.v6.addresses.splice(at < 0 ? device.v6.addresses.length : at, 0, of);
    const { net } = this;
    if (!device.loopback) this.joinOn(device, wire.solicitedNode(address));
    if (!device.loopback && prefix < 128 && !of.autonomous) this.insertRoute({ network: wire.network6(address, prefix), prefix, gateway: 0, device: device.index, metric: METRIC_KERNEL, reject: false, protocol: BY_KERNEL });
    net.log.add('net.address', { device: device.name, address: `${wire.formatIp6(address)}/${prefix}` });
    if (device.up && !device.loopback && device.v6.conf.dadTransmits > 0) this.detectDuplicate(device, of);
    else net.notify({ kind: 'address6', gone: false, device, of });
    return 0;
  }

  /** EADDRNOTAVAIL when the interface has it not. The route of its subnet goes with the last address there. */
  removeAddress(device: NetInterface, address: Ip6): Result {
    const at = device.v6.addresses.findIndex((one) => one.address === address);
    if (at < 0) return -Errno.EADDRNOTAVAIL;
    const [gone] = device.v6.addresses.splice(at, 1);
    if (!device.loopback) this.leaveOn(device, wire.solicitedNode(address));
    const network = wire.network6(address, gone.prefix);
    const shared = device.v6.addresses.some((one) => one.prefix === gone.prefix && wire.network6(one.address, one.prefix) === network);
    if (!shared) {
      const route = this.routes.find(network, gone.prefix, 0, device.index, METRIC_KERNEL);
      if (route?.protocol === BY_KERNEL) this.dropRoute(route);
    }
    this.net.notify({ kind: 'address6', gone: true, device, of: gone });
    return 0;
  }

  isLocal(address: Ip6): boolean {
    return this.net.interfaces.some((device) => device.v6.has(address));
  }

  mayBind(address: Ip6): boolean {
    return wire.isMulticast6(address) || this.isLocal(address);
  }

  /** The interface that has the address. */
  owner(address: Ip6): NetInterface | undefined {
    return this.net.interfaces.find((device) => device.v6.has(address));
  }

  linkLocal(device: NetInterface): Ip6 | undefined {
    return device.v6.addresses.find((one) => wire.isLinkLocal(one.address) && !one.tentative)?.address;
  }

  setForwarding(on: boolean): void {
    if (this.forwarding === on) return;
    this.forwarding = on;
    for (const device of this.net.interfaces) {
      if (device.v6.addresses.length === 0) continue;
      if (on) device.v6.join(wire.ALL_ROUTERS);
      else device.v6.leave(wire.ALL_ROUTERS);
    }
  }

  // ---- groups

  joinOn(device: NetInterface, group: Ip6): void {
    if (device.v6.join(group)) this.groupChanged(device, group, true);
  }

  leaveOn(device: NetInterface, group: Ip6): void {
    if (device.v6.leave(group)) this.groupChanged(device, group, false);
  }

  /** Where a group is joined, or sent to, if nobody says where. */
  groupDevice(group: Ip6): NetInterface | undefined {
    const route = this.routes.lookup(group);
    if (route) return this.net.interface(route.device);
    return this.net.interfaces.find((device) => device.up && !device.loopback && device.v6.addresses.length > 0);
  }

  // ---- routes

  /** ENETUNREACH when the gateway is on no link; metric 0 is Linux's own for routes made by hand. */
  addRoute(network: Ip6, prefix: number, gateway: Ip6 | 0, device: number, metric = 0, more: Partial<Route6> = {}): Result {
    const on = device !== 0 ? this.net.interface(device) : this.gatewayDevice(gateway);
    if (!on) return device !== 0 ? -Errno.ENODEV : -Errno.EHOSTUNREACH;
    if (!on.up) return -Errno.ENETDOWN;
    if (gateway !== 0 && this.isLocal(gateway)) return -Errno.EINVAL;
    return this.insertRoute({ network, prefix, gateway, device: on.index, metric: metric || METRIC_USER, reject: false, protocol: BY_HAND, ...more });
  }

  private gatewayDevice(gateway: Ip6 | 0): NetInterface | undefined {
    const way = gateway === 0 ? null : this.routes.lookup(gateway);
    return way && way.gateway === 0 ? this.net.interface(way.device) : undefined;
  }

  insertRoute(route: Route6): Result {
    const result = this.routes.add(route);
    if (result === 0) this.net.notify({ kind: 'route6', gone: false, route });
    return result;
  }

  /** The first that matches, as RouteTable.find. ESRCH without one. */
  removeRoute(network: Ip6, prefix: number, gateway: Ip6 | 0, device: number, metric?: number): Result {
    const route = this.routes.find(network, prefix, gateway, device, metric);
    if (!route) return -Errno.ESRCH;
    this.dropRoute(route);
    return 0;
  }

  dropRoute(route: Route6): void {
    this.routes.drop(route);
    this.net.notify({ kind: 'route6', gone: true, route });
  }

  // ---- ways out

  /** The way to `destination`; `device` and `source` 0 leave the choice to routes and addresses. */
  path(destination: Ip6, device: number, source: Ip6 | 0): Path6 | Fail {
    const { net } = this;
    const bound = device === 0 ? undefined : net.interface(device);
    if (device !== 0 && !bound) return -Errno.ENODEV;
    if (bound && !bound.up) return -Errno.ENETDOWN;
    if (this.isLocal(destination)) return { device: net.loopback, nextHop: destination, source: source || destination, kind: 'local' };
    const from = bound ?? (source !== 0 && wire.needsScope(destination) ? this.owner(source) : undefined);
    if (wire.isMulticast6(destination)) {
      const on = from ?? this.groupDevice(destination);
      // The loopback has no route to groups, as in Linux.
      return on && !on.loopback ? this.out(on, destination, destination, source, 'multicast') : -Errno.ENETUNREACH;
    }
    const route = this.routes.lookup(destination, from?.index ?? 0);
    if (!route) return -Errno.ENETUNREACH;
    if (route.reject) return -Errno.EHOSTUNREACH;
    return this.out(net.interface(route.device) as NetInterface, route.gateway || destination, destination, source || route.source || 0, 'unicast');
  }

  private out(device: NetInterface, nextHop: Ip6, destination: Ip6, source: Ip6 | 0, kind: Path6['kind']): Path6 | Fail {
    const chosen = source || this.chooseSource(destination, device);
    return chosen === null ? -Errno.EADDRNOTAVAIL : { device, nextHop, source: chosen, kind };
  }

  /** RFC 6724 section 5, rules 2, 3, 5 and 8: fitting scope, not deprecated, on the way out, longest common prefix. null: there is none. */
  chooseSource(destination: Ip6, device: NetInterface): Ip6 | null {
    const wanted = wire.scope6(destination);
    const now = this.net.clock.cycles;
    let best: { address: Ip6; rank: number } | null = null;
    for (const on of this.net.interfaces) {
      // What has meaning on one link only is no source on another.
      if (on !== device && wanted <= 2) continue;
      for (const { address, preferred, tentative } of on.v6.addresses) {
        if (tentative || (on !== device && wire.scope6(address) <= 2)) continue;
        const scope = wire.scope6(address);
        const fits = scope >= wanted ? 2000 - scope : scope;
        const rank = fits * 1000 + (preferred > now ? 500 : 0) + (on === device ? 200 : 0) + wire.commonPrefix6(address, destination);
        if (!best || rank > best.rank) best = { address, rank };
      }
    }
    return best?.address ?? null;
  }
}

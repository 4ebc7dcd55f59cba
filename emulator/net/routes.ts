import { Errno, snapshotClass, type Result } from '../base/index.js';
import { inPrefix, inPrefix6, isIp6, network6, prefixMask, type Address, type Ip, type Ip6 } from './wire/index.js';

export interface RouteTo<A extends Address> {
  network: A;
  prefix: number;
  /** 0: the destination is on the link itself. */
  gateway: A | 0;
  /** Interface index. */
  device: number;
  metric: number;
  /** RTF_REJECT: the destination is unreachable on purpose. */
  reject: boolean;
  /** Who made it (rtm_protocol): 2 the kernel, 3 an administrator's ioctl, 4 and up as the maker says. */
  protocol?: number;
  /** The source address it prefers; 0 leaves it to the interface. */
  source?: A | 0;
  /** rtm_type of a rejecting route: blackhole 6, unreachable 7, prohibit 8. */
  type?: number;
  /** Cycles; left out it is for ever. A router's advertisement bounds it. */
  expires?: number;
}

export type Route = RouteTo<Ip>;
export type Route6 = RouteTo<Ip6>;

const MAX_ROUTES = 1024;

/** Longest prefix first, then lowest metric, then the older route. */
export class RouteTable<A extends Address = Ip> {
  readonly routes: RouteTo<A>[] = [];

  add(route: RouteTo<A>): Result {
    if (networkOf(route.network, route.prefix) !== route.network) return -Errno.EINVAL;
    if (this.routes.some((known) => same(known, route))) return -Errno.EEXIST;
    if (this.routes.length >= MAX_ROUTES) return -Errno.ENOBUFS;
    const behind = (known: RouteTo<A>): boolean => known.prefix < route.prefix || (known.prefix === route.prefix && known.metric > route.metric);
    const at = this.routes.findIndex(behind);
    this.routes.splice(at < 0 ? this.routes.length : at, 0, route);
    return 0;
  }

  /** As Linux lists them: by destination, of one destination the longest prefix first. */
  sorted(): RouteTo<A>[] {
    return [...this.routes].sort((a, b) => (a.network < b.network ? -1 : a.network > b.network ? 1 : 0) || b.prefix - a.prefix || a.metric - b.metric);
  }

  /** The first route that matches; a gateway or device of 0 matches any, and so does no metric. */
  find(network: A, prefix: number, gateway: A | 0, device: number, metric?: number): RouteTo<A> | undefined {
    return this.routes.find((route) => route.network === network && route.prefix === prefix
      && (gateway === 0 || route.gateway === gateway) && (device === 0 || route.device === device) && (metric === undefined || route.metric === metric));
  }

  drop(route: RouteTo<A>): void {
    const at = this.routes.indexOf(route);
    if (at >= 0) this.routes.splice(at, 1);
  }

  /** `device` 0: any. */
  lookup(destination: A, device = 0): RouteTo<A> | null {
    for (const route of this.routes) {
      if (within(destination, route.network, route.prefix) && (device === 0 || route.device === device)) return route;
    }
    return null;
  }
}
snapshotClass('RouteTable', RouteTable);

function networkOf(address: Address, prefix: number): Address {
  return isIp6(address) ? network6(address, prefix) : (address & prefixMask(prefix)) >>> 0;
}

function within(address: Address, network: Address, prefix: number): boolean {
  return isIp6(address) ? inPrefix6(address, network as Ip6, prefix) : inPrefix(address, network as Ip, prefix);
}

function same<A extends Address>(a: RouteTo<A>, b: RouteTo<A>): boolean {
  return a.network === b.network && a.prefix === b.prefix && a.metric === b.metric && a.gateway === b.gateway && a.device === b.device;
}

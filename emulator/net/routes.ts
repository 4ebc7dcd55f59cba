import { Errno, snapshotClass, type Result } from '../base/index.js';
import { inPrefix, prefixMask, type Ip } from './wire/index.js';

export interface Route {
  network: Ip;
  prefix: number;
  /** 0: the destination is on the link itself. */
  gateway: Ip;
  /** Interface index. */
  device: number;
  metric: number;
  /** RTF_REJECT: the destination is unreachable on purpose. */
  reject: boolean;
  /** Who made it (rtm_protocol): 2 the kernel, 3 an administrator's ioctl, 4 and up as the maker says. */
  protocol?: number;
  /** The source address it prefers; 0 leaves it to the interface. */
  source?: Ip;
  /** rtm_type of a rejecting route: blackhole 6, unreachable 7, prohibit 8. */
  type?: number;
}

const MAX_ROUTES = 1024;

/** Longest prefix first, then lowest metric, then the older route. */
export class RouteTable {
  readonly routes: Route[] = [];

  add(route: Route): Result {
    if ((route.network & prefixMask(route.prefix)) >>> 0 !== route.network) return -Errno.EINVAL;
    if (this.routes.some((known) => same(known, route))) return -Errno.EEXIST;
    if (this.routes.length >= MAX_ROUTES) return -Errno.ENOBUFS;
    const behind = (known: Route): boolean => known.prefix < route.prefix || (known.prefix === route.prefix && known.metric > route.metric);
    const at = this.routes.findIndex(behind);
    this.routes.splice(at < 0 ? this.routes.length : at, 0, route);
    return 0;
  }

  /** As Linux lists them: by destination, of one destination the longest prefix first. */
  sorted(): Route[] {
    return [...this.routes].sort((a, b) => a.network - b.network || b.prefix - a.prefix || a.metric - b.metric);
  }

  /** The first route that matches; a gateway or device of 0 matches any, and so does no metric. */
  find(network: Ip, prefix: number, gateway: Ip, device: number, metric?: number): Route | undefined {
    return this.routes.find((route) => route.network === network && route.prefix === prefix
      && (gateway === 0 || route.gateway === gateway) && (device === 0 || route.device === device) && (metric === undefined || route.metric === metric));
  }

  drop(route: Route): void {
    const at = this.routes.indexOf(route);
    if (at >= 0) this.routes.splice(at, 1);
  }

  /** `device` 0: any. */
  lookup(destination: Ip, device = 0): Route | null {
    for (const route of this.routes) {
      if (inPrefix(destination, route.network, route.prefix) && (device === 0 || route.device === device)) return route;
    }
    return null;
  }
}
snapshotClass('RouteTable', RouteTable);

function same(a: Route, b: Route): boolean {
  return a.network === b.network && a.prefix === b.prefix && a.metric === b.metric && a.gateway === b.gateway && a.device === b.device;
}

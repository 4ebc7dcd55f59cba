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

  /** Removes the first route that matches; a gateway or device of 0 matches any. */
  remove(network: Ip, prefix: number, gateway: Ip, device: number): Result {
    const at = this.routes.findIndex((route) => route.network === network && route.prefix === prefix
      && (gateway === 0 || route.gateway === gateway) && (device === 0 || route.device === device));
    if (at < 0) return -Errno.ESRCH;
    this.routes.splice(at, 1);
    return 0;
  }

  removeDevice(device: number): void {
    for (let i = this.routes.length - 1; i >= 0; i--) if (this.routes[i].device === device) this.routes.splice(i, 1);
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

import { Errno, failed, type Fail } from '../../base/index.js';
import type { Route } from '../../net/routes.js';
import type { NetStack } from '../../net/stack.js';
import { isLoopback, prefixMask } from '../../net/wire/index.js';
import { AF } from '../socket-numbers.js';
import { addressesOf } from './addresses.js';
import { deleteRoute6, dumpRoutes6, lookUp6, newRoute6 } from './routes6.js';
import type { NlAnswer } from './netlink-socket.js';
import { fromNetworkOrder, networkOrder, Nlm, NlBody, littleEndian, word } from './message.js';
import type { Request } from './rtnetlink.js';
import { Rtm } from './rtm.js';

/** struct rtmsg (12 bytes): 0 family | 1 destination length | 2 source length | 3 TOS | 4 table | 5 protocol | 6 scope | 7 type | 8 flags */
export const RTMSG = 12;

const Rta = { DST: 1, IIF: 3, OIF: 4, GATEWAY: 5, PRIORITY: 6, PREFSRC: 7, MULTIPATH: 9, TABLE: 15 } as const;
const Table = { MAIN: 254, LOCAL: 255 } as const;
const Scope = { UNIVERSE: 0, LINK: 253, HOST: 254, NOWHERE: 255 } as const;
const Type = { UNICAST: 1, LOCAL: 2, BROADCAST: 3, BLACKHOLE: 6, UNREACHABLE: 7, PROHIBIT: 8 } as const;
const BY_KERNEL = 2;
const BY_HAND = 3;

interface Fields {
  prefix: number;
  table: number;
  protocol: number;
  scope: number;
  type: number;
  destination: number;
  metric?: number;
  source?: number;
  gateway?: number;
  device?: number;
}

function body(of: Fields): Uint8Array {
  const made = new NlBody().raw(Uint8Array.of(AF.INET, of.prefix, 0, 0, of.table, of.protocol, of.scope, of.type)).raw(littleEndian(0)).u32(Rta.TABLE, of.table);
  if (of.prefix > 0) made.attribute(Rta.DST, networkOrder(of.destination, 4));
  if (of.metric) made.u32(Rta.PRIORITY, of.metric);
  if (of.source) made.attribute(Rta.PREFSRC, networkOrder(of.source, 4));
  if (of.gateway) made.attribute(Rta.GATEWAY, networkOrder(of.gateway, 4));
  if (of.device) made.u32(Rta.OIF, of.device);
  return made.bytes();
}

export function routeBody(net: NetStack, route: Route): Uint8Array {
  const { network, prefix, gateway, device, metric, reject, protocol = BY_HAND } = route;
  const scope = reject || gateway !== 0 ? Scope.UNIVERSE : Scope.LINK;
  const source = route.source && net.isLocal(route.source) ? route.source : 0;
  return body({
    prefix, table: Table.MAIN, protocol, scope, type: reject ? route.type ?? Type.UNREACHABLE : Type.UNICAST, destination: network, metric, source, gateway, device: reject ? 0 : device,
  });
}

/** The local table: what is delivered here, as the kernel keeps it for every address. */
function localRoutes(net: NetStack): Fields[] {
  return net.interfaces.filter((device) => device.up).flatMap(addressesOf).flatMap(({ device, address, prefix, broadcast }) => {
    const common = { table: Table.LOCAL, protocol: BY_KERNEL, source: address, device: device.index };
    const local = { ...common, prefix: 32, scope: Scope.HOST, type: Type.LOCAL, destination: address };
    if (isLoopback(address)) return [{ ...local, prefix, destination: (address & prefixMask(prefix)) >>> 0 }, local, { ...common, prefix: 32, scope: Scope.LINK, type: Type.BROADCAST, destination: 0x7fffffff }];
    return broadcast === 0 ? [local] : [local, { ...common, prefix: 32, scope: Scope.LINK, type: Type.BROADCAST, destination: broadcast }];
  });
}

export function getRoutes(net: NetStack, request: Request): NlAnswer {
  const six = request.family === AF.INET6;
  if (!request.dump) return six ? lookUp6(net, request) : lookUp(net, request);
  const table = request.strict ? word(request.attributes.get(Rta.TABLE), request.body[4]) : 0;
  const device = request.strict ? word(request.attributes.get(Rta.OIF)) : 0;
  const parts: Uint8Array[] = [];
  if (six) parts.push(...dumpRoutes6(net, table, device));
  if (!six && (table === 0 || table === Table.MAIN)) parts.push(...net.routes.sorted().filter((route) => device === 0 || route.device === device).map((route) => routeBody(net, route)));
  if (!six && (table === 0 || table === Table.LOCAL)) parts.push(...localRoutes(net).filter((route) => device === 0 || route.device === device).map(body));
  if (request.family === AF.UNSPEC) parts.push(...dumpRoutes6(net, table, device));
  return { parts: parts.map((one) => ({ type: Rtm.NEWROUTE, body: one })) };
}

/** RTM_GETROUTE of one destination: the way a packet would take. */
function lookUp(net: NetStack, { attributes }: Request): NlAnswer {
  const destination = fromNetworkOrder(attributes.get(Rta.DST));
  const path = net.path(destination, word(attributes.get(Rta.OIF)), fromNetworkOrder(attributes.get(Rta.PREFSRC)));
  if (failed(path)) return { error: path };
  const type = path.kind === 'local' ? Type.LOCAL : path.kind === 'broadcast' ? Type.BROADCAST : Type.UNICAST;
  const gateway = path.nextHop === destination ? 0 : path.nextHop;
  const table = path.kind === 'local' ? Table.LOCAL : Table.MAIN;
  const answer = body({ prefix: 32, table, protocol: 0, scope: Scope.UNIVERSE, type, destination, source: path.source, gateway, device: path.device.index });
  return { parts: [{ type: Rtm.NEWROUTE, body: answer }] };
}

function asked(request: Request): Route | Fail {
  const { body: head, attributes, family } = request;
  if (family !== AF.INET) return -Errno.EAFNOSUPPORT;
  const [prefix, type] = [head[1], head[7]];
  const network = fromNetworkOrder(attributes.get(Rta.DST));
  if (prefix > 32 || (network & ~prefixMask(prefix)) !== 0) return -Errno.EINVAL;
  const table = word(attributes.get(Rta.TABLE), head[4]);
  // One table besides the local one; a network of several has none of the policies that would choose between them.
  if (table !== 0 && table !== 253 && table !== Table.MAIN) return -Errno.EOPNOTSUPP;
  return {
    network, prefix, gateway: fromNetworkOrder(attributes.get(Rta.GATEWAY)), device: word(attributes.get(Rta.OIF)), metric: word(attributes.get(Rta.PRIORITY)) >>> 0,
    reject: type === Type.BLACKHOLE || type === Type.UNREACHABLE || type === Type.PROHIBIT, protocol: head[5], source: fromNetworkOrder(attributes.get(Rta.PREFSRC)), type,
  };
}

export function newRoute(net: NetStack, request: Request): NlAnswer {
  if (request.family === AF.INET6) return newRoute6(net, request);
  const route = asked(request);
  if (failed(route)) return { error: route };
  if (request.attributes.has(Rta.MULTIPATH)) return { error: -Errno.EOPNOTSUPP, reason: 'Multipath routes are not supported here' };
  if (route.source && !net.isLocal(route.source)) return { error: -Errno.EINVAL, reason: 'Invalid prefsrc address' };
  const known = net.routes.routes.find((one) => one.network === route.network && one.prefix === route.prefix && one.metric === route.metric);
  const { flags } = request;
  if (known && flags & Nlm.EXCL) return { error: -Errno.EEXIST };
  if (!known && !(flags & Nlm.CREATE)) return { error: -Errno.ENOENT };
  const refused = check(net, route);
  if (refused) return refused;
  if (known && flags & Nlm.REPLACE) net.removeRoute(known.network, known.prefix, known.gateway, known.device, known.metric);
  const result = insert(net, route);
  return result ? { error: result } : {};
}

function check(net: NetStack, route: Route): NlAnswer | null {
  if (route.reject) return null;
  const device = net.interface(route.device);
  if (route.device !== 0 && !device) return { error: -Errno.ENODEV };
  if (device && !device.up) return { error: -Errno.ENETDOWN, reason: 'Nexthop device is not up' };
  if (route.gateway === 0) return device ? null : { error: -Errno.ENODEV };
  if (net.isLocal(route.gateway)) return { error: -Errno.EINVAL, reason: 'Nexthop has invalid gateway' };
  const way = net.routes.lookup(route.gateway, route.device);
  return way && way.gateway === 0 ? null : { error: -Errno.ENETUNREACH, reason: 'Nexthop has invalid gateway' };
}

function insert(net: NetStack, route: Route): number {
  if (route.reject) return net.insertRoute({ ...route, gateway: 0, device: net.loopback.index });
  const device = route.device || net.routes.lookup(route.gateway)?.device || 0;
  return net.insertRoute({ ...route, device });
}

export function deleteRoute(net: NetStack, request: Request): NlAnswer {
  if (request.family === AF.INET6) return deleteRoute6(net, request);
  const route = asked(request);
  if (failed(route)) return { error: route };
  const metric = request.attributes.has(Rta.PRIORITY) ? route.metric : undefined;
  const result = net.removeRoute(route.network, route.prefix, route.gateway, route.device, metric);
  return result ? { error: result } : {};
}

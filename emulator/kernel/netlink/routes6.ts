import { Errno, failed, type Fail } from '../../base/index.js';
import type { Route6 } from '../../net/routes.js';
import type { NetStack } from '../../net/stack.js';
import { ANY6, bytesOfIp6, network6, readIp6, type Ip6 } from '../../net/wire/index.js';
import { AF } from '../socket-numbers.js';
import { littleEndian, Nlm, NlBody, word } from './message.js';
import type { NlAnswer } from './netlink-socket.js';
import type { Request } from './rtnetlink.js';
import { Rtm } from './rtm.js';

const Rta = { DST: 1, OIF: 4, GATEWAY: 5, PRIORITY: 6, PREFSRC: 7, MULTIPATH: 9, CACHEINFO: 12, TABLE: 15, PREF: 20 } as const;
const Table = { MAIN: 254, LOCAL: 255 } as const;
const Type = { UNICAST: 1, LOCAL: 2, MULTICAST: 5, BLACKHOLE: 6, UNREACHABLE: 7, PROHIBIT: 8 } as const;
const BY_KERNEL = 2;
const BY_HAND = 3;
const METRIC_USER = 1024;

interface Fields {
  prefix: number;
  table: number;
  protocol: number;
  type: number;
  destination: Ip6;
  metric: number;
  device: number;
  source?: Ip6 | 0;
  gateway?: Ip6 | 0;
}

function body(of: Fields): Uint8Array {
  const made = new NlBody().raw(Uint8Array.of(AF.INET6, of.prefix, 0, 0, of.table, of.protocol, 0, of.type)).raw(littleEndian(0)).u32(Rta.TABLE, of.table);
  if (of.prefix > 0) made.attribute(Rta.DST, bytesOfIp6(of.destination));
  if (of.source) made.attribute(Rta.PREFSRC, bytesOfIp6(of.source));
  made.u32(Rta.PRIORITY, of.metric);
  if (of.gateway) made.attribute(Rta.GATEWAY, bytesOfIp6(of.gateway));
  if (of.device) made.u32(Rta.OIF, of.device);
  return made.attribute(Rta.CACHEINFO, new Uint8Array(32)).u8(Rta.PREF, 0).bytes();
}

export function route6Body(route: Route6): Uint8Array {
  const { network, prefix, gateway, device, metric, reject, protocol = BY_HAND, source = 0 } = route;
  return body({ prefix, table: Table.MAIN, protocol, type: reject ? route.type ?? Type.UNREACHABLE : Type.UNICAST, destination: network, metric, device, gateway, source });
}

/** The local table: what is delivered here, and groups. */
function localRoutes(net: NetStack): Fields[] {
  return net.interfaces.filter((device) => device.up).flatMap((device) => {
    const common = { table: Table.LOCAL, protocol: BY_KERNEL, device: device.index };
    const own = device.v6.addresses.map(({ address }) => ({ ...common, prefix: 128, type: Type.LOCAL, destination: address, metric: 0 }));
    const groups = device.loopback || own.length === 0 ? [] : [{ ...common, prefix: 8, type: Type.MULTICAST, destination: 'ff'.padEnd(32, '0'), metric: 256 }];
    return [...own, ...groups];
  });
}

/** All of a dump, the tables and devices of a strict one. */
export function dumpRoutes6(net: NetStack, table: number, device: number): Uint8Array[] {
  const wanted = (one: { device: number }): boolean => device === 0 || one.device === device;
  const main = table === 0 || table === Table.MAIN ? net.v6.routes.sorted().filter(wanted).map(route6Body) : [];
  const local = table === 0 || table === Table.LOCAL ? localRoutes(net).filter(wanted).map(body) : [];
  return [...main, ...local];
}

function address(bytes: Uint8Array | undefined): Ip6 | 0 {
  return bytes?.length === 16 ? readIp6(bytes, 0) : 0;
}

/** RTM_GETROUTE of one destination: the way a packet would take. */
export function lookUp6(net: NetStack, { attributes }: Request): NlAnswer {
  const destination = address(attributes.get(Rta.DST)) || ANY6;
  const path = net.v6.path(destination, word(attributes.get(Rta.OIF)), address(attributes.get(Rta.PREFSRC)));
  if (failed(path)) return { error: path };
  const local = path.kind === 'local';
  const gateway = path.nextHop === destination ? 0 : path.nextHop;
  const answer = body({
    prefix: 128, table: local ? Table.LOCAL : Table.MAIN, protocol: 0, type: local ? Type.LOCAL : path.kind === 'multicast' ? Type.MULTICAST : Type.UNICAST,
    destination, source: path.source, gateway, device: path.device.index, metric: local ? 0 : METRIC_USER,
  });
  return { parts: [{ type: Rtm.NEWROUTE, body: answer }] };
}

function asked({ body: head, attributes }: Request): Route6 | Fail {
  const [prefix, type] = [head[1], head[7]];
  const network = address(attributes.get(Rta.DST)) || ANY6;
  if (prefix > 128 || network6(network, prefix) !== network) return -Errno.EINVAL;
  const table = word(attributes.get(Rta.TABLE), head[4]);
  if (table !== 0 && table !== 253 && table !== Table.MAIN) return -Errno.EOPNOTSUPP;
  return {
    network, prefix, gateway: address(attributes.get(Rta.GATEWAY)), device: word(attributes.get(Rta.OIF)), metric: word(attributes.get(Rta.PRIORITY)) >>> 0,
    reject: type === Type.BLACKHOLE || type === Type.UNREACHABLE || type === Type.PROHIBIT, protocol: head[5], source: address(attributes.get(Rta.PREFSRC)), type,
  };
}

export function newRoute6(net: NetStack, request: Request): NlAnswer {
  const route = asked(request);
  if (failed(route)) return { error: route };
  if (request.attributes.has(Rta.MULTIPATH)) return { error: -Errno.EOPNOTSUPP, reason: 'Multipath routes are not supported here' };
  if (route.source && !net.v6.isLocal(route.source)) return { error: -Errno.EINVAL, reason: 'Invalid source address' };
  const metric = route.metric || METRIC_USER;
  const known = net.v6.routes.routes.find((one) => one.network === route.network && one.prefix === route.prefix && one.metric === metric);
  const { flags } = request;
  if (known && flags & Nlm.EXCL) return { error: -Errno.EEXIST };
  if (!known && flags & Nlm.REPLACE && !(flags & Nlm.CREATE)) return { error: -Errno.ENOENT };
  if (known && flags & Nlm.REPLACE) net.v6.dropRoute(known);
  const { network, prefix, gateway, device, protocol, source, type } = route;
  const result = route.reject ? net.v6.insertRoute({ ...route, metric, gateway: 0, device: net.loopback.index })
    : net.v6.addRoute(network, prefix, gateway, device, metric, { protocol, source, type });
  return result ? { error: result } : {};
}

export function deleteRoute6(net: NetStack, request: Request): NlAnswer {
  const route = asked(request);
  if (failed(route)) return { error: route };
  const result = net.v6.removeRoute(route.network, route.prefix, route.gateway, route.device, route.metric || undefined);
  return result ? { error: result } : {};
}

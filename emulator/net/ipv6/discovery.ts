import type { NetInterface } from '../interface.js';
import type { Arrival } from '../stack.js';
import * as wire from '../wire/index.js';
import type { Icmp6Message, Ip6, Ipv6Packet, RouterAdvertisement } from '../wire/index.js';
import type { Address6 } from './interface6.js';
import type { Ipv6 } from './ipv6.js';

const { Icmp6, NdOption } = wire;

/** RFC 4861 section 10. */
const RETRANSMIT_NS = 1e9;
const SOLICITATION_NS = 4e9;
/** Every message of neighbour discovery comes over no router: its hop limit was never lowered (RFC 4861 section 6.1, 7.1). */
const HOPS = 255;
/** First word of a neighbour advertisement. */
const NA_ROUTER = 0x80000000;
const NA_SOLICITED = 0x40000000;
const NA_OVERRIDE = 0x20000000;
/** RFC 4862 section 5.5.3: an unauthenticated advertisement does not shorten a life below two hours. */
const TWO_HOURS = 7200;
/** rtm_protocol RTPROT_RA, and the metric Linux gives such routes. */
const BY_RA = 9;
const METRIC_RA = 1024;
const METRIC_PREFIX = 256;
const FOR_EVER = 0xffffffff;

interface Solicitation {
  device: NetInterface;
  left: number;
  /** The address that is looked for; null: a router. */
  of: Address6 | null;
}

/** Neighbour discovery (RFC 4861): neighbours, and on hosts what a router advertises (RFC 4862). */
export function neighbourIn(v6: Ipv6, arrival: Arrival, packet: Ipv6Packet, message: Icmp6Message): void {
  const { device } = arrival;
  v6.mib(device, `Icmp6.In${COUNTERS[message.type - Icmp6.ROUTER_SOLICIT]}`);
  // What a daemon of this host sends to a group comes back to it.
  if (device.loopback || v6.isLocal(packet.source)) return undefined;
  if (packet.ttl !== HOPS || message.code !== 0) return v6.count('ndp.invalid');
  switch (message.type) {
    case Icmp6.NEIGHBOUR_SOLICIT: return solicited(v6, arrival, packet, message);
    case Icmp6.NEIGHBOUR_ADVERT: return advertised(v6, device, packet, message);
    case Icmp6.ROUTER_SOLICIT: return routerSolicited(v6, device, packet, message);
    case Icmp6.ROUTER_ADVERT: return routerAdvertised(v6, device, packet, message);
  }
  return v6.count('ndp.redirect');
}

const COUNTERS = ['RouterSolicits', 'RouterAdvertisements', 'NeighborSolicits', 'NeighborAdvertisements', 'Redirects'];

// ---- neighbours

export function solicitNeighbour(v6: Ipv6, device: NetInterface, target: Ip6): void {
  const source = v6.linkLocal(device) ?? v6.chooseSource(target, device);
  if (source === null) return v6.lose('ndp.no-source');
  v6.mib(device, 'Icmp6.OutNeighborSolicits');
  const data = wire.neighbourData(target, NdOption.SOURCE_MAC, device.mac);
  v6.sendIcmp(wire.solicitedNode(target), device.index, { type: Icmp6.NEIGHBOUR_SOLICIT, code: 0, rest: 0, data }, source, { ttl: HOPS });
  return undefined;
}

/** Target and options of a neighbour message; null when it is malformed. */
function neighbourMessage({ data }: Icmp6Message): { target: Ip6; options: { type: number; bytes: Uint8Array }[] } | null {
  const options = data.length < 16 ? null : wire.readNdOptions(data.subarray(16));
  const target = wire.readIp6(data, 0);
  return options && !wire.isMulticast6(target) ? { target, options } : null;
}

function solicited(v6: Ipv6, { device }: Arrival, packet: Ipv6Packet, message: Icmp6Message): void {
  const asked = neighbourMessage(message);
  const probing = packet.source === wire.ANY6;
  if (!asked || (probing && (packet.destination !== wire.solicitedNode(asked.target) || wire.macOption(asked.options, NdOption.SOURCE_MAC) !== null))) return v6.count('ndp.invalid');
  const own = device.v6.find(asked.target);
  if (own?.tentative) {
    if (probing) duplicate(v6, device, own);
    return undefined;
  }
  if (!own) return v6.count('ndp.not-ours');
  const mac = wire.macOption(asked.options, NdOption.SOURCE_MAC);
  if (mac !== null && !probing) v6.neighbours.learn(device, packet.source, mac, true);
  return advertise(v6, device, asked.target, probing ? wire.ALL_NODES : packet.source, !probing);
}

function advertise(v6: Ipv6, device: NetInterface, target: Ip6, to: Ip6, asked: boolean): void {
  const rest = ((v6.forwarding ? NA_ROUTER : 0) | (asked ? NA_SOLICITED : 0) | NA_OVERRIDE) >>> 0;
  v6.mib(device, 'Icmp6.OutNeighborAdvertisements');
  const data = wire.neighbourData(target, NdOption.TARGET_MAC, device.mac);
  v6.sendIcmp(to, device.index, { type: Icmp6.NEIGHBOUR_ADVERT, code: 0, rest, data }, target, { ttl: HOPS });
}

function advertised(v6: Ipv6, device: NetInterface, packet: Ipv6Packet, message: Icmp6Message): void {
  const told = neighbourMessage(message);
  if (!told || (wire.isMulticast6(packet.destination) && message.rest & NA_SOLICITED)) return v6.count('ndp.invalid');
  const own = device.v6.find(told.target);
  if (own) return own.tentative ? duplicate(v6, device, own) : v6.count('ndp.conflict');
  const mac = wire.macOption(told.options, NdOption.TARGET_MAC);
  if (mac !== null) v6.neighbours.learn(device, told.target, mac, false);
  return undefined;
}

// ---- duplicate address detection (RFC 4862 section 5.4)

export function startDetection(v6: Ipv6, device: NetInterface, of: Address6): void {
  of.tentative = true;
  soliciting(v6, 'detect', { device, left: device.v6.conf.dadTransmits, of });
}

function duplicate(v6: Ipv6, device: NetInterface, of: Address6): void {
  v6.count('ndp.duplicate-address');
  v6.net.log.add('net.duplicate-address', { device: device.name, address: wire.formatIp6(of.address) });
  v6.removeAddress(device, of.address);
}

/** The next solicitation of a series, or its end. */
export function soliciting(v6: Ipv6, kind: string, argument: unknown): void {
  const due = argument as Solicitation;
  const { device, left, of } = due;
  if (!device.up) return;
  if (kind === 'detect' && of) {
    if (device.v6.find(of.address) !== of) return;
    if (left === 0) return detected(v6, device, of);
    probe(v6, device, of);
  } else {
    // A router has answered.
    if (left === 0 || v6.forwarding || v6.routes.routes.some((route) => route.device === device.index && route.protocol === BY_RA)) return;
    solicitRouter(v6, device);
  }
  const { clock, events } = v6.net;
  events.at(clock.cycles + clock.toCycles(kind === 'detect' ? RETRANSMIT_NS : SOLICITATION_NS), v6, kind, { ...due, left: left - 1 });
}

function probe(v6: Ipv6, device: NetInterface, of: Address6): void {
  const data = wire.bytesOfIp6(of.address);
  v6.mib(device, 'Icmp6.OutNeighborSolicits');
  v6.sendIcmp(wire.solicitedNode(of.address), device.index, { type: Icmp6.NEIGHBOUR_SOLICIT, code: 0, rest: 0, data }, wire.ANY6, { ttl: HOPS });
}

function detected(v6: Ipv6, device: NetInterface, of: Address6): void {
  of.tentative = false;
  v6.net.notify({ kind: 'address6', gone: false, device, of });
}

// ---- routers

/** The interface of a host came up: it asks for a router after a moment (RFC 4861 section 6.3.7). */
export function startSolicitation(v6: Ipv6, device: NetInterface): void {
  const { conf } = device.v6;
  if (device.loopback || conf.routerSolicitations === 0 || !conf.acceptRa) return;
  const { clock, events } = v6.net;
  const first = clock.cycles + clock.toCycles((conf.dadTransmits + 1) * RETRANSMIT_NS);
  events.at(first, v6, 'router', { device, left: conf.routerSolicitations, of: null });
}

function solicitRouter(v6: Ipv6, device: NetInterface): void {
  const source = v6.linkLocal(device);
  if (source === undefined) return;
  const data = new Uint8Array(8);
  data[0] = NdOption.SOURCE_MAC;
  data[1] = 1;
  wire.write48(data, 2, device.mac);
  v6.mib(device, 'Icmp6.OutRouterSolicits');
  v6.sendIcmp(wire.ALL_ROUTERS, device.index, { type: Icmp6.ROUTER_SOLICIT, code: 0, rest: 0, data }, source, { ttl: HOPS });
}

/** A daemon answers it (radvd); the kernel learns who asks. */
function routerSolicited(v6: Ipv6, device: NetInterface, packet: Ipv6Packet, { data }: Icmp6Message): void {
  const options = wire.readNdOptions(data);
  if (!options) return v6.count('ndp.invalid');
  const mac = wire.macOption(options, NdOption.SOURCE_MAC);
  if (v6.forwarding && mac !== null && packet.source !== wire.ANY6) v6.neighbours.learn(device, packet.source, mac, true);
  return undefined;
}

function routerAdvertised(v6: Ipv6, device: NetInterface, packet: Ipv6Packet, message: Icmp6Message): void {
  const told = wire.isLinkLocal(packet.source) ? wire.readRouterAdvertisement(message) : null;
  if (!told) return v6.count('ndp.invalid');
  const { conf } = device.v6;
  if (v6.forwarding || !conf.acceptRa) return v6.count('ndp.advertisement-ignored');
  if (told.mac !== null) v6.neighbours.learn(device, packet.source, told.mac, true);
  if (told.hopLimit > 0) conf.hopLimit = told.hopLimit;
  if (told.mtu >= wire.IPV6_MIN_MTU && told.mtu <= device.mtu) conf.mtu = told.mtu;
  defaultRouter(v6, device, packet.source, told.lifetime);
  for (const one of told.prefixes) prefixIn(v6, device, one);
  return undefined;
}

function ends(v6: Ipv6, seconds: number): number {
  return seconds === FOR_EVER ? Infinity : v6.net.clock.cycles + v6.net.clock.toCycles(seconds * 1e9);
}

function defaultRouter(v6: Ipv6, device: NetInterface, gateway: Ip6, lifetime: number): void {
  const known = v6.routes.find(wire.ANY6, 0, gateway, device.index, METRIC_RA);
  if (lifetime === 0) {
    if (known?.protocol === BY_RA) v6.dropRoute(known);
    return;
  }
  const expires = ends(v6, lifetime);
  if (known) known.expires = expires;
  else v6.insertRoute({ network: wire.ANY6, prefix: 0, gateway, device: device.index, metric: METRIC_RA, reject: false, protocol: BY_RA, expires });
  v6.expireAt(expires);
}

function prefixIn(v6: Ipv6, device: NetInterface, told: RouterAdvertisement['prefixes'][number]): void {
  const { length, valid, preferred } = told;
  if (length > 128 || preferred > valid || wire.needsScope(told.prefix)) return v6.count('ndp.prefix');
  const network = wire.network6(told.prefix, length);
  if (told.onLink) onLink(v6, device, network, length, valid);
  // RFC 4862 section 5.5.3: the interface identifier of Ethernet has 64 bits.
  if (told.autonomous && device.v6.conf.autoconf && length === 64) autoconfigure(v6, device, network, valid, preferred);
  return undefined;
}

function onLink(v6: Ipv6, device: NetInterface, network: Ip6, prefix: number, valid: number): void {
  const known = v6.routes.find(network, prefix, 0, device.index, METRIC_PREFIX);
  const expires = ends(v6, valid);
  if (known) {
    if (known.expires !== undefined) known.expires = expires;
    if (valid === 0 && known.protocol === BY_RA) v6.dropRoute(known);
  } else if (valid > 0) {
    v6.insertRoute({ network, prefix, gateway: 0, device: device.index, metric: METRIC_PREFIX, reject: false, protocol: BY_RA, expires });
  }
  v6.expireAt(expires);
}

function autoconfigure(v6: Ipv6, device: NetInterface, network: Ip6, valid: number, preferred: number): void {
  const address = wire.withInterfaceId(network, device.mac);
  const known = device.v6.find(address);
  const { clock } = v6.net;
  if (!known) {
    if (valid > 0) v6.addAddress(device, address, 64, { autonomous: true, valid: ends(v6, valid), preferred: ends(v6, preferred) });
  } else if (known.autonomous) {
    const left = clock.toNanoseconds(known.valid - clock.cycles) / 1e9;
    known.valid = ends(v6, valid > TWO_HOURS || valid > left ? valid : Math.min(left, TWO_HOURS));
    known.preferred = ends(v6, preferred);
  }
  const own = device.v6.find(address);
  if (own) v6.expireAt(own.valid);
}

import { Errno, type Result } from '../base/index.js';
import type { Conf6 } from '../net/index.js';
import type { NetInterface } from '../net/interface.js';
import type { NetStack } from '../net/stack.js';
import { IPV6_MIN_MTU } from '../net/wire/index.js';
import type { ProcSpec } from './procfs.js';

const dir = (entries: () => Record<string, ProcSpec>): ProcSpec => ({ type: 'dir', entries });
const constant = (value: string | number): ProcSpec => ({ type: 'reg', read: () => `${value}\n` });

/** A number from `least` to `most`; EINVAL for any other text. */
function value(get: () => number, set: (value: number) => Result, least = 0, most = 1): ProcSpec {
  const write = (text: string): Result => {
    const number = /^\s*\d+\s*$/.test(text) ? Number(text) : -1;
    return number < least || number > most ? -Errno.EINVAL : set(number);
  };
  return { type: 'reg', read: () => `${get()}\n`, write };
}

/** /proc/sys/net/ipv6. One switch forwards on all interfaces; "all" and "default" change every interface there is. */
export function sysctls6(net: NetStack | null): Record<string, ProcSpec> {
  if (!net) return {};
  const names = (): string[] => ['all', 'default', ...net.interfaces.map((device) => device.name)];
  const conf = dir(() => Object.fromEntries(names().map((name) => [name, dir(() => confOf(net, name))])));
  const neighbour = dir(() => ({ retrans_time_ms: constant(1000), base_reachable_time_ms: constant(60_000), mcast_solicit: constant(3) }));
  return { bindv6only: constant(0), conf, neigh: dir(() => Object.fromEntries(names().filter((name) => name !== 'all').map((name) => [name, neighbour]))) };
}

function confOf(net: NetStack, name: string): Record<string, ProcSpec> {
  const one = net.interface(name);
  const devices = one ? [one] : net.interfaces;
  const first = (one ?? net.interfaces.find((device) => !device.loopback) ?? net.loopback).v6.conf;
  const flag = (key: 'acceptRa' | 'autoconf' | 'acceptRedirects'): ProcSpec => value(() => (first[key] ? 1 : 0), (on) => each(devices, (conf) => { conf[key] = on !== 0; }), 0, 2);
  const number = (key: 'hopLimit' | 'dadTransmits' | 'routerSolicitations', least: number, most: number): ProcSpec =>
    value(() => first[key], (to) => each(devices, (conf) => { conf[key] = to; }), least, most);
  return {
    forwarding: value(() => (net.v6.forwarding ? 1 : 0), (on) => {
      net.v6.setForwarding(on !== 0);
      return 0;
    }),
    hop_limit: number('hopLimit', 1, 255), dad_transmits: number('dadTransmits', 0, 10), router_solicitations: number('routerSolicitations', 0, 100),
    accept_ra: flag('acceptRa'), autoconf: flag('autoconf'), accept_redirects: flag('acceptRedirects'),
    mtu: value(() => net.v6.mtuOf(one ?? net.interfaces[1] ?? net.loopback), (mtu) => setMtu(devices, mtu), 0, 65_575),
    disable_ipv6: value(() => (first.disabled ? 1 : 0), (off) => disable(net, devices, off !== 0)),
    accept_dad: constant(0), use_tempaddr: constant(0), proxy_ndp: constant(0), accept_source_route: constant(0), max_addresses: constant(16),
  };
}

function each(devices: readonly NetInterface[], change: (conf: Conf6) => void): Result {
  for (const device of devices) change(device.v6.conf);
  return 0;
}

function setMtu(devices: readonly NetInterface[], mtu: number): Result {
  if (mtu < IPV6_MIN_MTU || devices.some((device) => mtu > device.mtu)) return -Errno.EINVAL;
  return each(devices, (conf) => { conf.mtu = mtu; });
}

function disable(net: NetStack, devices: readonly NetInterface[], off: boolean): Result {
  for (const device of devices) {
    device.v6.conf.disabled = off;
    if (off) net.v6.disable(device);
    else if (device.up) net.v6.enable(device);
  }
  return 0;
}

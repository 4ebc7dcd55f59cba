import { isIp6, type Address } from './wire/index.js';

/** What an AF_INET6 socket has of its own (ipv6(7)); what it shares with AF_INET is its socket's. */
export interface SixOptions {
  /** IPV6_V6ONLY: IPv4 peers are not for it. */
  only: boolean;
  /** IPV6_UNICAST_HOPS, IPV6_MULTICAST_HOPS, IPV6_TCLASS; -1 leaves hops to the route. */
  hops: number;
  multicastHops: number;
  trafficClass: number;
  multicastLoop: boolean;
  /** Interface index. */
  multicastDevice: number;
}

export function sixOptions(): SixOptions {
  return { only: false, hops: -1, multicastHops: 1, trafficClass: 0, multicastLoop: true, multicastDevice: 0 };
}

/** What decides which addresses an end point has: `six` null is an AF_INET socket; the local address 0 is "any". */
export interface Bound {
  readonly six: Readonly<SixOptions> | null;
  readonly localAddress: Address;
}

/** Is something for the local address `to` for this socket? */
export function covers({ six, localAddress }: Bound, to: Address): boolean {
  if (localAddress !== 0) return localAddress === to;
  return isIp6(to) ? six !== null : !six?.only;
}

/** Would both sockets get what comes for some address, if `a` had the local address `address`? */
export function overlap(a: Bound, address: Address, b: Bound): boolean {
  const mine: Bound = { six: a.six, localAddress: address };
  if (address !== 0) return covers(b, address);
  if (b.localAddress !== 0) return covers(mine, b.localAddress);
  return (!a.six?.only && !b.six?.only) || (a.six !== null && b.six !== null);
}

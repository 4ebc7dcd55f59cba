import type { Clock } from '../base/index.js';
import { snapshotClass } from '../base/index.js';
import { isIp6, IPV6_MIN_MTU, type Address } from './wire/index.js';

/** Linux: min_pmtu 552, mtu_expires 600 s. */
const MIN_MTU = 552;
const LIFETIME_NS = 600e9;
const MAX_ENTRIES = 256;

/** What "fragmentation needed" said about the way to a destination (RFC 1191), or "packet too big" (RFC 8201). */
export class PathMtu {
  private readonly clock: Clock;
  private readonly known = new Map<Address, { mtu: number; expires: number }>();

  constructor(clock: Clock) {
    this.clock = clock;
  }

  /** Infinity: nothing is known. */
  get(destination: Address): number {
    const entry = this.known.get(destination);
    if (!entry) return Infinity;
    if (entry.expires > this.clock.cycles) return entry.mtu;
    this.known.delete(destination);
    return Infinity;
  }

  learn(destination: Address, mtu: number): void {
    if (this.known.size >= MAX_ENTRIES && !this.known.has(destination)) this.known.delete(this.known.keys().next().value as Address);
    const lowered = Math.max(isIp6(destination) ? IPV6_MIN_MTU : MIN_MTU, Math.min(mtu, this.get(destination)));
    this.known.set(destination, { mtu: lowered, expires: this.clock.cycles + this.clock.toCycles(LIFETIME_NS) });
  }
}
snapshotClass('PathMtu', PathMtu);

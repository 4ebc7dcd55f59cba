import type { Clock } from '../base/index.js';
import { snapshotClass } from '../base/index.js';
import type { Address } from './wire/index.js';

interface Bucket {
  tokens: number;
  /** Nanoseconds. */
  filled: number;
}

/** Linux: icmp_msgs_per_sec 1000 with a burst of 50; icmp_ratelimit one a second to one peer, burst 6. */
const ALL = { perSecond: 1000, burst: 50 };
const PEER = { perSecond: 1, burst: 6 };
const MAX_PEERS = 256;

/** How many ICMP errors may be sent (RFC 1812 section 4.3.2.8): token buckets for all and for each peer. */
export class IcmpLimiter {
  private readonly clock: Clock;
  private readonly all: Bucket = { tokens: ALL.burst, filled: 0 };
  private readonly peers = new Map<Address, Bucket>();

  constructor(clock: Clock) {
    this.clock = clock;
  }

  allow(peer: Address): boolean {
    const now = this.clock.nanoseconds();
    refill(this.all, ALL, now);
    const bucket = this.bucket(peer, now);
    refill(bucket, PEER, now);
    if (this.all.tokens < 1 || bucket.tokens < 1) return false;
    this.all.tokens--;
    bucket.tokens--;
    return true;
  }

  private bucket(peer: Address, now: number): Bucket {
    const known = this.peers.get(peer);
    if (known) return known;
    if (this.peers.size >= MAX_PEERS) this.peers.delete(this.peers.keys().next().value as Address);
    const bucket = { tokens: PEER.burst, filled: now };
    this.peers.set(peer, bucket);
    return bucket;
  }
}
snapshotClass('IcmpLimiter', IcmpLimiter);

function refill(bucket: Bucket, rate: typeof ALL, now: number): void {
  bucket.tokens = Math.min(rate.burst, bucket.tokens + ((now - bucket.filled) * rate.perSecond) / 1e9);
  bucket.filled = now;
}

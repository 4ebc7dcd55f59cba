import { snapshotClass } from '../../base/index.js';
import { hashAddress, isIp6, type Address } from '../wire/index.js';

/** A connection request that was answered and not yet confirmed. */
export interface HalfOpen {
  local: Address;
  localPort: number;
  remote: Address;
  remotePort: number;
  /** Initial sequence numbers, the peer's and ours. */
  irs: number;
  iss: number;
  /** Number of the listener (TcpStack.listeners). */
  listener: number;
  /** The peer's MSS and its window as in the SYN. */
  mss: number;
  window: number;
  /** -1: no window scaling. */
  scale: number;
  sack: boolean;
  timestamps: boolean;
  tsRecent: number;
}

const FLAG_SACK = 0x10;
const FLAG_TIMESTAMPS = 0x20;
const NO_SCALE = 15;
const LEVELS = 8;
const MIN_CAPACITY = 64;
/** Two addresses and their place in a map. */
const SIX_BYTES = 160;

/**
 * The half-open connections of a stack: parallel typed arrays, some 60 bytes an entry, found by hash. An entry that was
 * answered n times stands in the n-th list; all of a list wait equally long, so each list is in order of its deadlines.
 */
export class SynQueue {
  count = 0;
  private capacity = 0;
  private free = -1;
  private remote = new Uint32Array(0);
  private local = new Uint32Array(0);
  private ports = new Uint32Array(0);
  private irs = new Uint32Array(0);
  private iss = new Uint32Array(0);
  private listener = new Uint32Array(0);
  private tsRecent = new Uint32Array(0);
  private deadline = new Float64Array(0);
  private mss = new Uint16Array(0);
  private window = new Uint16Array(0);
  private flags = new Uint8Array(0);
  private tries = new Uint8Array(0);
  private next = new Int32Array(0);
  private previous = new Int32Array(0);
  private chain = new Int32Array(0);
  private buckets = new Int32Array(0);
  /** Of entries over IPv6 the addresses; `local` and `remote` then hold their hashes. */
  private readonly six = new Map<number, { local: Address; remote: Address }>();
  private readonly heads = new Int32Array(LEVELS).fill(-1);
  private readonly tails = new Int32Array(LEVELS).fill(-1);

  /** Bytes of the arrays. */
  get bytes(): number {
    return this.capacity * (8 * 4 + 8 + 2 * 2 + 2 + 3 * 4) + this.six.size * SIX_BYTES;
  }

  find(local: Address, localPort: number, remote: Address, remotePort: number): number {
    if (this.count === 0) return -1;
    const [own, other] = [hashAddress(local), hashAddress(remote)];
    const ports = ((remotePort << 16) | localPort) >>> 0;
    for (let at = this.buckets[this.bucket(own, other, ports)]; at >= 0; at = this.chain[at]) {
      if (this.remote[at] === other && this.ports[at] === ports && this.local[at] === own && this.named(at, local, remote)) return at;
    }
    return -1;
  }

  private named(at: number, local: Address, remote: Address): boolean {
    const names = this.six.get(at);
    return names ? names.local === local && names.remote === remote : !isIp6(local);
  }

  add(entry: HalfOpen, deadline: number): number {
    if (this.free < 0) this.grow();
    const at = this.free;
    this.free = this.next[at];
    this.remote[at] = hashAddress(entry.remote);
    this.local[at] = hashAddress(entry.local);
    if (isIp6(entry.local)) this.six.set(at, { local: entry.local, remote: entry.remote });
    this.ports[at] = (entry.remotePort << 16) | entry.localPort;
    this.irs[at] = entry.irs;
    this.iss[at] = entry.iss;
    this.listener[at] = entry.listener;
    this.tsRecent[at] = entry.tsRecent;
    this.mss[at] = entry.mss;
    this.window[at] = entry.window;
    this.flags[at] = (entry.scale < 0 ? NO_SCALE : entry.scale) | (entry.sack ? FLAG_SACK : 0) | (entry.timestamps ? FLAG_TIMESTAMPS : 0);
    this.tries[at] = 0;
    this.deadline[at] = deadline;
    const bucket = this.bucket(this.local[at], this.remote[at], this.ports[at]);
    this.chain[at] = this.buckets[bucket];
    this.buckets[bucket] = at;
    this.append(at, 0);
    this.count++;
    return at;
  }

  get(at: number): HalfOpen {
    const flags = this.flags[at];
    const names = this.six.get(at);
    return {
      local: names?.local ?? this.local[at], localPort: this.ports[at] & 0xffff, remote: names?.remote ?? this.remote[at], remotePort: this.ports[at] >>> 16,
      irs: this.irs[at], iss: this.iss[at], listener: this.listener[at], mss: this.mss[at], window: this.window[at],
      scale: (flags & 15) === NO_SCALE ? -1 : flags & 15, sack: (flags & FLAG_SACK) !== 0, timestamps: (flags & FLAG_TIMESTAMPS) !== 0, tsRecent: this.tsRecent[at],
    };
  }

  triesOf(at: number): number {
    return this.tries[at];
  }

  remove(at: number): void {
    const bucket = this.bucket(this.local[at], this.remote[at], this.ports[at]);
    if (this.buckets[bucket] === at) this.buckets[bucket] = this.chain[at];
    else {
      let before = this.buckets[bucket];
      while (this.chain[before] !== at) before = this.chain[before];
      this.chain[before] = this.chain[at];
    }
    this.unlink(at);
    this.six.delete(at);
    this.next[at] = this.free;
    this.free = at;
    this.count--;
  }

  /** The entry whose time comes first, or -1. */
  first(): number {
    let best = -1;
    for (const head of this.heads) if (head >= 0 && (best < 0 || this.deadline[head] < this.deadline[best])) best = head;
    return best;
  }

  deadlineOf(at: number): number {
    return this.deadline[at];
  }

  /** It was answered once more and waits until `deadline`. */
  again(at: number, deadline: number): void {
    this.unlink(at);
    this.tries[at]++;
    this.deadline[at] = deadline;
    this.append(at, this.tries[at]);
  }

  /** All entries of a listener. */
  of(listener: number): number[] {
    const found: number[] = [];
    for (const head of this.heads) {
      for (let at = head; at >= 0; at = this.next[at]) if (this.listener[at] === listener) found.push(at);
    }
    return found;
  }

  list(): HalfOpen[] {
    const found: HalfOpen[] = [];
    for (const head of this.heads) for (let at = head; at >= 0; at = this.next[at]) found.push(this.get(at));
    return found;
  }

  private bucket(local: number, remote: number, ports: number): number {
    let hash = Math.imul(remote ^ Math.imul(local, 0x85ebca6b), 0xc2b2ae35);
    hash = Math.imul(hash ^ ports ^ (hash >>> 13), 0x27d4eb2f);
    return (hash ^ (hash >>> 15)) & (this.capacity - 1);
  }

  private append(at: number, level: number): void {
    const tail = this.tails[level];
    this.previous[at] = tail;
    this.next[at] = -1;
    if (tail >= 0) this.next[tail] = at;
    else this.heads[level] = at;
    this.tails[level] = at;
  }

  private unlink(at: number): void {
    const level = this.tries[at];
    const [before, behind] = [this.previous[at], this.next[at]];
    if (before >= 0) this.next[before] = behind;
    else this.heads[level] = behind;
    if (behind >= 0) this.previous[behind] = before;
    else this.tails[level] = before;
  }

  private grow(): void {
    const before = this.capacity;
    this.capacity = Math.max(MIN_CAPACITY, before * 2);
    for (const name of ['remote', 'local', 'ports', 'irs', 'iss', 'listener', 'tsRecent'] as const) this[name] = grown(new Uint32Array(this.capacity), this[name]);
    for (const name of ['next', 'previous', 'chain'] as const) this[name] = grown(new Int32Array(this.capacity), this[name]);
    for (const name of ['mss', 'window'] as const) this[name] = grown(new Uint16Array(this.capacity), this[name]);
    for (const name of ['flags', 'tries'] as const) this[name] = grown(new Uint8Array(this.capacity), this[name]);
    this.deadline = grown(new Float64Array(this.capacity), this.deadline);
    for (let at = this.capacity - 1; at >= before; at--) {
      this.next[at] = this.free;
      this.free = at;
    }
    this.rehash(before);
  }

  /** All entries below `used` are live: the arrays grow only when they are full. */
  private rehash(used: number): void {
    this.buckets = new Int32Array(this.capacity).fill(-1);
    for (let at = 0; at < used; at++) {
      const bucket = this.bucket(this.local[at], this.remote[at], this.ports[at]);
      this.chain[at] = this.buckets[bucket];
      this.buckets[bucket] = at;
    }
  }
}
snapshotClass('TcpSynQueue', SynQueue);

function grown<T extends { set(from: ArrayLike<number>): void }>(larger: T, old: ArrayLike<number>): T {
  larger.set(old);
  return larger;
}

import type { Clock, EventQueue, EventTarget, Random } from '../base/index.js';
import { snapshotClass } from '../base/index.js';

/** Whoever is at one end of a link. */
export interface Port {
  /** The frame may be kept but not changed. */
  receive(frame: Uint8Array): void;
}

export type Side = 0 | 1;

/**
 * Two ends, Ethernet frames (no preamble, no frame check sequence). `send(side, frame)` hands in a frame at
 * one side; the port at the other side receives it, or not. A frame handed in must not change afterwards.
 * Wrappers do something to a frame on its way in and pass it to the link they wrap; they compose in any order.
 */
export interface Link {
  attach(side: Side, port: Port): void;
  send(side: Side, frame: Uint8Array): void;
}

interface Passage {
  side: Side;
  frame: Uint8Array;
}

/** A wire. Delivery is an event after `latency` cycles, so that two ends never call each other recursively. */
export class Cable implements Link, EventTarget {
  private readonly clock: Clock;
  private readonly events: EventQueue;
  private readonly latency: number;
  private readonly ports: [Port | null, Port | null] = [null, null];
  /** Frames that had no port to go to. */
  unconnected = 0;

  constructor(clock: Clock, events: EventQueue, latency = 0) {
    this.clock = clock;
    this.events = events;
    this.latency = latency;
  }

  attach(side: Side, port: Port): void {
    this.ports[side] = port;
  }

  send(side: Side, frame: Uint8Array): void {
    this.events.at(this.clock.cycles + this.latency, this, 'deliver', { side, frame } satisfies Passage);
  }

  onEvent(_kind: string, argument: unknown): void {
    const { side, frame } = argument as Passage;
    const port = this.ports[side === 0 ? 1 : 0];
    if (port) port.receive(frame);
    else this.unconnected++;
  }
}
snapshotClass('Cable', Cable);

/** What every wrapper does: pass on. */
abstract class Wrapper implements Link {
  protected readonly inner: Link;

  constructor(inner: Link) {
    this.inner = inner;
  }

  attach(side: Side, port: Port): void {
    this.inner.attach(side, port);
  }

  abstract send(side: Side, frame: Uint8Array): void;
}

/** Holds each frame for `delay` cycles, plus up to `jitter` more (seeded; jitter may reorder). */
export class Delay extends Wrapper implements EventTarget {
  private readonly clock: Clock;
  private readonly events: EventQueue;
  private readonly delay: number;
  private readonly jitter: number;
  private readonly random: Random | null;

  constructor(inner: Link, clock: Clock, events: EventQueue, delay: number, jitter = 0, random: Random | null = null) {
    super(inner);
    this.clock = clock;
    this.events = events;
    this.delay = delay;
    this.jitter = jitter;
    this.random = random;
  }

  send(side: Side, frame: Uint8Array): void {
    const extra = this.random && this.jitter > 0 ? this.random.below(this.jitter + 1) : 0;
    this.events.at(this.clock.cycles + this.delay + extra, this, 'deliver', { side, frame } satisfies Passage);
  }

  onEvent(_kind: string, argument: unknown): void {
    const { side, frame } = argument as Passage;
    this.inner.send(side, frame);
  }
}
snapshotClass('Delay', Delay);

/** Loses, corrupts (one flipped bit) and duplicates frames with given probabilities. */
export class Loss extends Wrapper {
  private readonly random: Random;
  private readonly chance: { loss: number; corrupt: number; duplicate: number };
  lost = 0;
  corrupted = 0;
  duplicated = 0;

  constructor(inner: Link, random: Random, chance: { loss?: number; corrupt?: number; duplicate?: number }) {
    super(inner);
    this.random = random;
    this.chance = { loss: 0, corrupt: 0, duplicate: 0, ...chance };
  }

  send(side: Side, frame: Uint8Array): void {
    const { loss, corrupt, duplicate } = this.chance;
    // All three are drawn for every frame, so that one setting does not shift the others' sequence.
    const [toLose, toCorrupt, toDuplicate] = [this.random.fraction(), this.random.fraction(), this.random.fraction()];
    if (toLose < loss) {
      this.lost++;
      return;
    }
    const sent = toCorrupt < corrupt ? this.flipped(frame) : frame;
    this.inner.send(side, sent);
    if (toDuplicate < duplicate) {
      this.duplicated++;
      this.inner.send(side, sent);
    }
  }

  private flipped(frame: Uint8Array): Uint8Array {
    this.corrupted++;
    const copy = frame.slice();
    if (copy.length > 0) copy[this.random.below(copy.length)] ^= 1 << this.random.below(8);
    return copy;
  }
}
snapshotClass('Loss', Loss);

/** Preamble, frame check sequence and gap take the wire for 24 bytes more (IEEE 802.3). */
const WIRE_OVERHEAD = 24;

/** Sends at `bitsPerSecond` a direction; at most `queueLimit` frames wait, the rest is dropped at the tail. */
export class Rate extends Wrapper implements EventTarget {
  private readonly clock: Clock;
  private readonly events: EventQueue;
  private readonly bitsPerSecond: number;
  private readonly queueLimit: number;
  private readonly freeAt: [number, number] = [0, 0];
  private readonly waiting: [number, number] = [0, 0];
  dropped = 0;

  constructor(inner: Link, clock: Clock, events: EventQueue, bitsPerSecond: number, queueLimit: number) {
    super(inner);
    this.clock = clock;
    this.events = events;
    this.bitsPerSecond = bitsPerSecond;
    this.queueLimit = queueLimit;
  }

  send(side: Side, frame: Uint8Array): void {
    if (this.waiting[side] >= this.queueLimit) {
      this.dropped++;
      return;
    }
    const bits = (Math.max(frame.length, 60) + WIRE_OVERHEAD) * 8;
    const duration = Math.ceil((bits * this.clock.hz) / this.bitsPerSecond);
    const done = Math.max(this.clock.cycles, this.freeAt[side]) + duration;
    this.freeAt[side] = done;
    this.waiting[side]++;
    this.events.at(done, this, 'sent', { side, frame } satisfies Passage);
  }

  onEvent(_kind: string, argument: unknown): void {
    const { side, frame } = argument as Passage;
    this.waiting[side]--;
    this.inner.send(side, frame);
  }
}
snapshotClass('Rate', Rate);

/** Now and then keeps a frame back until the next one of its direction has passed. */
export class Reorder extends Wrapper {
  private readonly random: Random;
  private readonly chance: number;
  private readonly held: [Uint8Array | null, Uint8Array | null] = [null, null];
  reordered = 0;

  constructor(inner: Link, random: Random, chance: number) {
    super(inner);
    this.random = random;
    this.chance = chance;
  }

  send(side: Side, frame: Uint8Array): void {
    const held = this.held[side];
    const hold = this.random.fraction() < this.chance;
    if (held === null && hold) {
      this.held[side] = frame;
      this.reordered++;
      return;
    }
    this.inner.send(side, frame);
    if (held === null) return;
    this.held[side] = null;
    this.inner.send(side, held);
  }
}
snapshotClass('Reorder', Reorder);

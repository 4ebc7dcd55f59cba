import type { Clock } from '../base/index.js';
import { snapshotClass } from '../base/index.js';
import type { Link, Port, Side } from './link.js';
import type { PcapngPacket } from './pcapng.js';
import { writePcapng } from './pcapng.js';

export interface CapturedFrame {
  /** Virtual nanoseconds since power-on. */
  time: number;
  side: Side;
  frame: Uint8Array;
  /** What a reader of the capture should know about this packet; may be set later. */
  comment: string;
}

/**
 * Records what passes and passes it on. Wrapped outermost it sees what the ends send; around the cable
 * itself, what is left after loss and delay.
 */
export class Capture implements Link {
  /** But for the comments, which a savepoint does not take back. */
  static readonly appendOnly = ['frames'];
  readonly name: string;
  readonly frames: CapturedFrame[] = [];
  private readonly inner: Link;
  private readonly clock: Clock;
  private readonly limitBytes: number;
  private bytes = 0;
  /** Frames not kept because the capture was full. */
  missed = 0;

  constructor(inner: Link, clock: Clock, name: string, limitBytes = 64 << 20) {
    this.inner = inner;
    this.clock = clock;
    this.name = name;
    this.limitBytes = limitBytes;
  }

  attach(side: Side, port: Port): void {
    this.inner.attach(side, port);
  }

  send(side: Side, frame: Uint8Array): void {
    if (this.bytes + frame.length <= this.limitBytes) {
      this.bytes += frame.length;
      this.frames.push({ time: this.clock.nanoseconds(), side, frame, comment: '' });
    } else {
      this.missed++;
    }
    this.inner.send(side, frame);
  }

  /** Attach a comment to a frame by its index in `frames`; several are joined. */
  annotate(index: number, comment: string): void {
    const entry = this.frames[index];
    if (entry) entry.comment = entry.comment ? `${entry.comment}; ${comment}` : comment;
  }

  /** Index of the latest frame, -1 when there is none. */
  get last(): number {
    return this.frames.length - 1;
  }
}
snapshotClass('Capture', Capture);

/** One pcapng file of several captures, merged by time; one interface each. Side 0 counts as outbound. */
export function capturesToPcapng(captures: readonly Capture[], clock: Clock, comment = ''): Uint8Array {
  const epoch = BigInt(clock.bootEpoch) * 1_000_000_000n;
  const packets: PcapngPacket[] = captures.flatMap((capture, index) =>
    capture.frames.map(({ time, side, frame, comment: note }) => ({
      interface: index,
      time: epoch + BigInt(time),
      bytes: frame,
      comment: note,
      direction: side === 0 ? ('out' as const) : ('in' as const),
    })));
  packets.sort((a, b) => (a.time < b.time ? -1 : a.time > b.time ? 1 : 0));
  const interfaces = captures.map(({ name }) => ({ name, description: '' }));
  return writePcapng({ interfaces, packets, comment, hardware: '', application: 'shuntbox' });
}

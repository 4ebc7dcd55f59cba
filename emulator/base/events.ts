import { snapshotClass } from './snapshot.js';

/**
 * Whoever asks to be called at a virtual time. Implementors are plain-data classes known to the
 * snapshot registry: a deadline is (time, target, kind, argument), never a closure.
 */
export interface EventTarget {
  onEvent(kind: string, argument: unknown): void;
}

export class TimedEvent {
  /** In cycles. */
  time: number;
  /** Insertion number: events of equal time fire in the order they were scheduled. */
  sequence: number;
  target: EventTarget;
  kind: string;
  argument: unknown;
  cancelled = false;
  /** Still in the heap. */
  queued = true;

  constructor(time: number, sequence: number, target: EventTarget, kind: string, argument: unknown) {
    this.time = time;
    this.sequence = sequence;
    this.target = target;
    this.kind = kind;
    this.argument = argument;
  }
}
snapshotClass('TimedEvent', TimedEvent);

/** Below this many events a heap full of cancelled ones is not worth the sweep. */
const SWEEP_MIN = 64;

/** A binary heap on (time, sequence). It holds every deadline of the machine and of its surroundings. */
export class EventQueue {
  private heap: TimedEvent[] = [];
  private sequence = 0;
  /** Cancelled events in the heap. */
  private cancelled = 0;

  /** Schedule at an absolute time in cycles; a time already past fires at the next opportunity. */
  at(time: number, target: EventTarget, kind: string, argument: unknown = null): TimedEvent {
    const event = new TimedEvent(time, this.sequence++, target, kind, argument);
    this.heap.push(event);
    this.siftUp(this.heap.length - 1);
    return event;
  }

  /**
   * Cancelled events stay in the heap until their turn and are skipped; when more than half of it is cancelled they are
   * swept out, so that a deadline moved a million times does not leave a million events.
   */
  cancel(event: TimedEvent | null): void {
    if (!event || event.cancelled) return;
    event.cancelled = true;
    if (event.queued && ++this.cancelled * 2 > this.heap.length && this.heap.length >= SWEEP_MIN) this.sweep();
  }

  /** The order of events is total, so rebuilding the heap changes none of it. */
  private sweep(): void {
    this.heap = this.heap.filter((event) => !event.cancelled);
    this.cancelled = 0;
    for (let index = (this.heap.length >> 1) - 1; index >= 0; index--) this.siftDown(index);
  }

  /** Events held, cancelled ones included. */
  get length(): number {
    return this.heap.length;
  }

  /** Time of the earliest live event, or Infinity. */
  nextTime(): number {
    this.dropCancelled();
    return this.heap.length > 0 ? this.heap[0].time : Infinity;
  }

  /** Take the earliest event due at or before `now`, or null. */
  popDue(now: number): TimedEvent | null {
    if (this.nextTime() > now) return null;
    return this.pop();
  }

  private dropCancelled(): void {
    while (this.heap.length > 0 && this.heap[0].cancelled) this.pop();
  }

  private pop(): TimedEvent {
    const top = this.heap[0];
    top.queued = false;
    if (top.cancelled) this.cancelled--;
    const last = this.heap.pop() as TimedEvent;
    if (this.heap.length > 0) {
      this.heap[0] = last;
      this.siftDown(0);
    }
    return top;
  }

  private before(a: TimedEvent, b: TimedEvent): boolean {
    return a.time < b.time || (a.time === b.time && a.sequence < b.sequence);
  }

  private siftUp(index: number): void {
    const { heap } = this;
    const event = heap[index];
    while (index > 0) {
      const parent = (index - 1) >> 1;
      if (!this.before(event, heap[parent])) break;
      heap[index] = heap[parent];
      index = parent;
    }
    heap[index] = event;
  }

  private siftDown(index: number): void {
    const { heap } = this;
    const event = heap[index];
    for (let child = 2 * index + 1; child < heap.length; child = 2 * index + 1) {
      if (child + 1 < heap.length && this.before(heap[child + 1], heap[child])) child++;
      if (!this.before(heap[child], event)) break;
      heap[index] = heap[child];
      index = child;
    }
    heap[index] = event;
  }
}
snapshotClass('EventQueue', EventQueue);

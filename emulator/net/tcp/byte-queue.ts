import { snapshotClass } from '../../base/index.js';

const NOTHING = new Uint8Array(0);
/** V8 keeps an array this short in its own heap, which costs a fraction of any longer one. */
const MIN_CAPACITY = 64;
/** An empty queue larger than this lets go of its memory. */
const KEPT_CAPACITY = 8192;

/** Bytes in and out at the ends, readable anywhere: a ring that grows with what it holds and costs nothing while empty. */
export class ByteQueue {
  private ring: Uint8Array = NOTHING;
  private start = 0;
  length = 0;

  append(bytes: Uint8Array): void {
    this.reserve(this.length + bytes.length);
    const { ring } = this;
    const end = (this.start + this.length) % (ring.length || 1);
    const first = Math.min(bytes.length, ring.length - end);
    ring.set(first === bytes.length ? bytes : bytes.subarray(0, first), end);
    if (first < bytes.length) ring.set(bytes.subarray(first), 0);
    this.length += bytes.length;
  }

  private reserve(wanted: number): void {
    if (wanted <= this.ring.length) return;
    let capacity = Math.max(MIN_CAPACITY, this.ring.length * 2);
    while (capacity < wanted) capacity *= 2;
    const grown = new Uint8Array(capacity);
    this.copyTo(grown, 0, this.length);
    this.ring = grown;
    this.start = 0;
  }

  private copyTo(target: Uint8Array, offset: number, length: number): void {
    const from = (this.start + offset) % (this.ring.length || 1);
    const first = Math.min(length, this.ring.length - from);
    target.set(this.ring.subarray(from, from + first), 0);
    if (first < length) target.set(this.ring.subarray(0, length - first), first);
  }

  /** A copy of up to `length` bytes from `offset`. */
  copy(offset: number, length: number): Uint8Array {
    const size = Math.max(0, Math.min(length, this.length - offset));
    const from = (this.start + offset) % (this.ring.length || 1);
    // Most often they lie in one piece, and are copied without being cleared before.
    if (from + size <= this.ring.length) return this.ring.slice(from, from + size);
    const bytes = new Uint8Array(size);
    this.copyTo(bytes, offset, size);
    return bytes;
  }

  /** The same bytes, for whoever has done with them before the queue changes. */
  view(offset: number, length: number): Uint8Array {
    const from = (this.start + offset) % (this.ring.length || 1);
    return offset + length <= this.length && from + length <= this.ring.length ? this.ring.subarray(from, from + length) : this.copy(offset, length);
  }

  drop(count: number): void {
    this.length -= count;
    if (this.length === 0) {
      this.start = 0;
      if (this.ring.length > KEPT_CAPACITY) this.ring = NOTHING;
    } else {
      this.start = (this.start + count) % this.ring.length;
    }
  }

  clear(): void {
    this.length = 0;
    this.start = 0;
    this.ring = NOTHING;
  }
}
snapshotClass('TcpByteQueue', ByteQueue);

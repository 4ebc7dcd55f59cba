/** Little-endian writing into a buffer that grows. */
export class ByteWriter {
  private bytes: Uint8Array;
  private view: DataView;
  private at = 0;

  constructor(capacity = 4096) {
    this.bytes = new Uint8Array(capacity);
    this.view = new DataView(this.bytes.buffer);
  }

  /** Where `length` more bytes go. May exchange `view`: call it before that is looked at. */
  private room(length: number): number {
    const at = this.at;
    if (at + length > this.bytes.length) this.grow(at + length);
    this.at = at + length;
    return at;
  }

  private grow(needed: number): void {
    const larger = new Uint8Array(Math.max(needed, 2 * this.bytes.length));
    larger.set(this.bytes);
    this.bytes = larger;
    this.view = new DataView(larger.buffer);
  }

  /** A 32-bit word, signed or unsigned. */
  word(value: number): this {
    const at = this.room(4);
    this.view.setInt32(at, value, true);
    return this;
  }

  words(values: ArrayLike<number>): this {
    const at = this.room(4 * values.length);
    const { view } = this;
    for (let i = 0; i < values.length; i++) view.setInt32(at + 4 * i, values[i], true);
    return this;
  }

  double(value: number): this {
    const at = this.room(8);
    this.view.setFloat64(at, value, true);
    return this;
  }

  /** Latin-1, its length first. */
  text(value: string): this {
    const at = this.room(4 + value.length);
    this.view.setUint32(at, value.length, true);
    for (let i = 0; i < value.length; i++) this.bytes[at + 4 + i] = value.charCodeAt(i);
    return this;
  }

  list<T>(items: readonly T[], write: (item: T) => void): this {
    this.word(items.length);
    for (const item of items) write(item);
    return this;
  }

  finish(): Uint8Array {
    return this.bytes.subarray(0, this.at);
  }
}

/** The bytes are not what they claim to be; caught where an image is decoded. */
export class Malformed extends Error {}

export function demand(holds: boolean, what: string): asserts holds {
  if (!holds) throw new Malformed(what);
}

/** Reads what a ByteWriter wrote, from bytes nobody vouches for: throws Malformed rather than read past the end. */
export class ByteReader {
  private readonly bytes: Uint8Array;
  private readonly view: DataView;
  private at = 0;

  constructor(bytes: Uint8Array) {
    this.bytes = bytes;
    this.view = new DataView(bytes.buffer, bytes.byteOffset, bytes.length);
  }

  private take(length: number): number {
    const at = this.at;
    demand(length <= this.bytes.length - at, 'cut off');
    this.at = at + length;
    return at;
  }

  /** Signed. */
  word(): number {
    return this.view.getInt32(this.take(4), true);
  }

  unsigned(): number {
    return this.word() >>> 0;
  }

  words(count: number): Int32Array {
    const at = this.take(4 * count);
    const words = new Int32Array(count);
    for (let i = 0; i < count; i++) words[i] = this.view.getInt32(at + 4 * i, true);
    return words;
  }

  double(): number {
    return this.view.getFloat64(this.take(8), true);
  }

  /** A whole number of cycles, bytes or the like. */
  amount(): number {
    const value = this.double();
    demand(value >= 0 && value <= Number.MAX_SAFE_INTEGER, 'amount');
    return value;
  }

  text(limit = 4096): string {
    const length = this.unsigned();
    demand(length <= limit, 'text');
    const at = this.take(length);
    return String.fromCharCode(...this.bytes.subarray(at, at + length));
  }

  list<T>(limit: number, read: () => T): T[] {
    const count = this.unsigned();
    demand(count <= limit, 'list');
    const items: T[] = [];
    for (let i = 0; i < count; i++) items.push(read());
    return items;
  }

  finish(): void {
    demand(this.at === this.bytes.length, 'trailing bytes');
  }
}

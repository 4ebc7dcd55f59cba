/** Smaller buffers are not worth keeping. */
const KEEP_FROM = 65_536;

/**
 * Host buffers of deleted files, kept for the next large file: the device too reuses the pages of a deleted
 * file, and a fresh host buffer would cost page faults no device has. A cache, never state: memfs shows no byte
 * of a buffer before it was written or zero-filled.
 */
export class BufferPool {
  private readonly spare: Buffer[] = [];
  private bytes = 0;
  private readonly limit: number;

  constructor(limit: number) {
    this.limit = limit;
  }

  /** At least `size` bytes: the smallest spare of up to twice that, or a new buffer of exactly that. */
  take(size: number): Buffer {
    let best = -1;
    for (let i = 0; i < this.spare.length; i++) {
      const { length } = this.spare[i];
      if (length >= size && length <= 2 * size && (best < 0 || length < this.spare[best].length)) best = i;
    }
    if (best < 0) return Buffer.allocUnsafeSlow(size);
    const [buffer] = this.spare.splice(best, 1);
    this.bytes -= buffer.length;
    return buffer;
  }

  put(buffer: Buffer): void {
    if (buffer.length < KEEP_FROM || buffer.length !== buffer.buffer.byteLength || buffer.length > this.limit) return;
    this.spare.push(buffer);
    this.bytes += buffer.length;
    while (this.bytes > this.limit) this.bytes -= (this.spare.shift() as Buffer).length;
  }
}

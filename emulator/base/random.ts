import { snapshotClass } from './snapshot.js';

/** xoshiro128** (Blackman and Vigna), seeded through splitmix32. Its four words are the whole state. */
export class Random {
  private state: Uint32Array;

  constructor(seed: number) {
    this.state = new Uint32Array(4);
    let mixed = seed >>> 0;
    for (let i = 0; i < 4; i++) {
      mixed = (mixed + 0x9e3779b9) >>> 0;
      let z = mixed;
      z = Math.imul(z ^ (z >>> 16), 0x85ebca6b);
      z = Math.imul(z ^ (z >>> 13), 0xc2b2ae35);
      this.state[i] = z ^ (z >>> 16);
    }
  }

  /** The next 32 bits, unsigned. */
  next(): number {
    const s = this.state;
    const scrambled = Math.imul(s[1], 5);
    const result = Math.imul((scrambled << 7) | (scrambled >>> 25), 9) >>> 0;
    const shifted = s[1] << 9;
    s[2] ^= s[0];
    s[3] ^= s[1];
    s[1] ^= s[2];
    s[0] ^= s[3];
    s[2] ^= shifted;
    s[3] = (s[3] << 11) | (s[3] >>> 21);
    return result;
  }

  /** An integer in [0, bound), bound at most 2^32; the bias is below bound / 2^32. */
  below(bound: number): number {
    return Math.floor((this.next() / 4294967296) * bound);
  }

  /** In [0, 1). */
  fraction(): number {
    return this.next() / 4294967296;
  }

  fill(bytes: Uint8Array): void {
    for (let i = 0; i < bytes.length; i++) bytes[i] = this.next() >>> 24;
  }

  /** An independent stream, named by a number, that does not disturb this one. */
  fork(stream: number): Random {
    return new Random((this.state[0] ^ Math.imul(stream + 1, 0x9e3779b9)) >>> 0);
  }
}
snapshotClass('Random', Random);

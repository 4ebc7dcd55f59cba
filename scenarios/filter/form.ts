import { concat } from '../codecs/dns.js';
import type { Random } from '../../emulator/base/index.js';

/** One message of a corpus: what kind of change made it, and how it is sent. */
export interface Form {
  kind: string;
  bytes: Uint8Array;
  /** It leaves from this port instead of the sender's own. */
  sourcePort?: number;
}

/** Makes one form; null when the message at hand has nothing that this kind could change. */
export type Maker = (random: Random) => Uint8Array | null;
export type Makers = Readonly<Record<string, Maker>>;

export const randomBytes = (random: Random, length: number): Uint8Array => {
  const bytes = new Uint8Array(length);
  random.fill(bytes);
  return bytes;
};

/** From `low` to `high`, both possible. */
export const between = (random: Random, low: number, high: number): number => low + random.below(high - low + 1);

export const pick = <T>(random: Random, items: readonly T[]): T => items[random.below(items.length)];

/** What can be done to bytes by someone who does not know what they mean. */
export function blindMakers(message: Uint8Array): Makers {
  return {
    'byte flips': (random) => {
      const bytes = message.slice();
      for (let n = between(random, 1, 4); n > 0 && bytes.length > 0; n--) bytes[random.below(bytes.length)] ^= between(random, 1, 255);
      return bytes;
    },
    'bytes inserted': (random) => {
      const at = random.below(message.length + 1);
      return concat(message.subarray(0, at), randomBytes(random, between(random, 1, 8)), message.subarray(at));
    },
    'bytes removed': (random) => {
      const at = random.below(message.length);
      return concat(message.subarray(0, at), message.subarray(at + between(random, 1, 8)));
    },
    'cut short': (random) => message.slice(0, between(random, 1, Math.max(1, message.length - 1))),
    'bytes appended': (random) => concat(message, randomBytes(random, between(random, 1, 32))),
  };
}

import { Errno, failed, type Fail, type Result } from '../base/index.js';
import type { AddressSpace } from '../memory/address-space.js';
import { PAGE_MASK, PAGE_SIZE } from '../memory/ram.js';

/** A signed 64-bit number from its two words; beyond 2^53 it is not exact. */
export function pair(low: number, high: number): number {
  return high * 4294967296 + (low >>> 0);
}

/** A duration or point in time as guests give it; seconds may exceed 32 bits in the time64 calls. */
export interface GuestTime {
  seconds: number;
  nanoseconds: number;
}

/** struct timespec (8 bytes) or __kernel_timespec (16 bytes); -EINVAL unless it is normalized and not negative. */
export function readTimespec(space: AddressSpace, va: number, wide: boolean): GuestTime | Fail {
  const words = space.readWords(va >>> 0, wide ? 4 : 2);
  if (failed(words)) return words;
  const seconds = wide ? pair(words[0], words[1]) : words[0];
  // Of tv_nsec in a 64-bit timespec the kernel reads the low word for 32-bit programs (get_timespec64).
  const nanoseconds = wide ? words[2] : words[1];
  return seconds < 0 || nanoseconds < 0 || nanoseconds >= 1e9 ? -Errno.EINVAL : { seconds, nanoseconds };
}

export function writeTimespec(space: AddressSpace, va: number, time: GuestTime, wide: boolean): Result {
  const high = Math.floor(time.seconds / 4294967296);
  return space.writeWords(va >>> 0, wide ? [time.seconds | 0, high, time.nanoseconds, 0] : [time.seconds | 0, time.nanoseconds]);
}

/** Whole nanoseconds as seconds and rest. */
export function splitNanoseconds(ns: number): GuestTime {
  const seconds = Math.floor(ns / 1e9);
  return { seconds, nanoseconds: ns - seconds * 1e9 };
}

/** Not more than about 100 days: longer sleeps outlast any run, and 2^53 ns is the limit of exact sums. */
export function toNanoseconds(time: GuestTime): number {
  return Math.min(time.seconds, 9_000_000) * 1e9 + time.nanoseconds;
}

/** Pointers read at once. */
const POINTERS = 16;

/** A NULL-terminated array of string pointers (argv, envp); -E2BIG beyond `limit` bytes or entries. */
export function readStrings(space: AddressSpace, va: number, limit: number): string[] | Fail {
  const strings: string[] = [];
  let bytes = 0;
  if (va === 0) return strings;
  for (let at = va >>> 0; ;) {
    // Some at a time, but only up to the end of the page: what lies behind the NULL need not be there.
    const count = Math.max(1, Math.min(POINTERS, (PAGE_SIZE - (at & PAGE_MASK)) >> 2));
    const pointers = space.readWords(at, count);
    if (failed(pointers)) return pointers;
    for (const pointer of pointers) {
      if (pointer === 0) return strings;
      const text = space.copyinString(pointer >>> 0, 131072);
      if (failed(text)) return text === -Errno.ENAMETOOLONG ? -Errno.E2BIG : text;
      bytes += text.length + 5;
      if (bytes > limit) return -Errno.E2BIG;
      strings.push(text);
    }
    at += 4 * count;
  }
}

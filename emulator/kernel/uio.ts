import { Errno, failed, type Fail } from '../base/index.js';
import { PAGE_MASK, PAGE_SIZE } from '../memory/ram.js';
import { Access, type AddressSpace } from '../memory/address-space.js';
import type { Gather } from '../vfs/vnode.js';

/** Most bytes one call transfers (MAX_RW_COUNT: a page less than 2 GiB). */
export const TRANSFER_MAX = 0x7fff_f000;
const IOV_MAX = 1024;

export interface IoVector {
  base: number;
  length: number;
}

/**
 * Live views of user memory, for a kernel routine that copies it once itself: neighbouring frames come as one view. They
 * are good until the caller returns to the run loop. A bad page after good ones ends the list; at the start it is -EFAULT.
 */
export function userViews(space: AddressSpace, va: number, length: number): Uint8Array[] | Fail {
  const views: Uint8Array[] = [];
  const { memory } = space.ram;
  let start = -1;
  let end = -1;
  for (let done = 0; done < length;) {
    const at = space.resolve((va >>> 0) + done, Access.read);
    if (at < 0) {
      if (done === 0) return -Errno.EFAULT;
      break;
    }
    const size = Math.min(length - done, PAGE_SIZE - (((va >>> 0) + done) & PAGE_MASK));
    if (at === end) end += size;
    else {
      if (start >= 0) views.push(Buffer.from(memory.buffer, start, end - start));
      start = at;
      end = at + size;
    }
    done += size;
  }
  if (start >= 0) views.push(Buffer.from(memory.buffer, start, end - start));
  return views;
}

/** The kernel's half: MIPS's access_ok tests the top bit of a buffer's ends, whatever is mapped (asm/uaccess.h). */
const KSEG0 = 0x8000_0000;

/** Does a buffer lie in the program's half of the address space? */
export function inUserHalf(va: number, length: number): boolean {
  return (va >>> 0) + (length >>> 0) < KSEG0;
}

/** An array of struct iovec (8 bytes: base, length). */
export function readVectors(space: AddressSpace, va: number, count: number): IoVector[] | Fail {
  if (count < 0 || count > IOV_MAX) return -Errno.EINVAL;
  const words = space.readWords(va >>> 0, count * 2);
  if (failed(words)) return words;
  const vectors: IoVector[] = [];
  let total = 0;
  for (let i = 0; i < count; i++) {
    const vector = { base: words[2 * i] >>> 0, length: words[2 * i + 1] };
    if (vector.length < 0) return -Errno.EINVAL;
    if (!inUserHalf(vector.base, vector.length)) return -Errno.EFAULT;
    vector.length = Math.min(vector.length, TRANSFER_MAX - total);
    total += vector.length;
    vectors.push(vector);
  }
  return vectors;
}

/** Views of all of it; what follows a bad page is left out. */
export function gatherVectors(space: AddressSpace, vectors: readonly IoVector[]): Uint8Array[] | Fail {
  const all: Uint8Array[] = [];
  for (const { base, length } of vectors) {
    if (length === 0) continue;
    const views = userViews(space, base, length);
    if (failed(views)) return all.length > 0 ? all : views;
    all.push(...views);
    if (views.reduce((sum, view) => sum + view.length, 0) < length) break;
  }
  return all;
}

/** How many bytes arrived: those on the pages before a bad one do; -EFAULT if none. */
export function deliver(space: AddressSpace, va: number, bytes: Uint8Array): number {
  if (!failed(space.copyout(va >>> 0, bytes))) return bytes.length;
  let done = 0;
  while (done < bytes.length) {
    const at = (va >>> 0) + done;
    const part = bytes.subarray(done, done + PAGE_SIZE - (at & PAGE_MASK));
    if (failed(space.copyout(at, part))) break;
    done += part.length;
  }
  return done > 0 ? done : -Errno.EFAULT;
}

/** Spread bytes over the vectors; how many of them arrived, or -EFAULT if none. */
export function scatterVectors(space: AddressSpace, vectors: readonly IoVector[], bytes: Uint8Array): number {
  let done = 0;
  for (const { base, length } of vectors) {
    const part = bytes.subarray(done, done + length);
    if (part.length === 0) continue;
    const arrived = deliver(space, base, part);
    if (arrived < 0) return done > 0 ? done : arrived;
    done += arrived;
    if (arrived < part.length) break;
  }
  return done;
}

/** One array that nobody else changes. */
export function flatten(gather: Gather): Uint8Array {
  return gather instanceof Uint8Array ? Uint8Array.from(gather) : new Uint8Array(Buffer.concat(gather));
}

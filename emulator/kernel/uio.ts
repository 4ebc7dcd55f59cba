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

/** Spread bytes over the vectors; how many of them arrived, or -EFAULT if none. */
export function scatterVectors(space: AddressSpace, vectors: readonly IoVector[], bytes: Uint8Array): number {
  let done = 0;
  for (const { base, length } of vectors) {
    const part = bytes.subarray(done, done + length);
    if (part.length === 0) continue;
    const result = space.copyout(base, part);
    if (failed(result)) return done > 0 ? done : result;
    done += part.length;
  }
  return done;
}

/** One array that nobody else changes. */
export function flatten(gather: Gather): Uint8Array {
  return gather instanceof Uint8Array ? Uint8Array.from(gather) : new Uint8Array(Buffer.concat(gather));
}

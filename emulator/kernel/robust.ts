import { Errno, failed, type Fail } from '../base/index.js';
import type { AddressSpace } from '../memory/index.js';
import { futexWake } from './futex.js';
import type { Thread } from './thread.js';

/** struct robust_list_head: next, futex_offset, list_op_pending. */
export const ROBUST_HEAD_BYTES = 12;
/** Entries looked at, so that a list in a circle ends (ROBUST_LIST_LIMIT). */
const LIMIT = 2048;

// A robust futex: bit 31 somebody waits | bit 30 its owner died | bits 29-0 the owner's tid.
const WAITERS = 0x8000_0000 | 0;
const OWNER_DIED = 0x4000_0000;
const TID_MASK = 0x3fff_ffff;
/** Bit 0 of a list's pointer: the futex is one with priority inheritance, whose waiters sleep elsewhere. */
const PI = 1;

/**
 * What the thread still held is marked as left by a dead owner, and one waiter of each is told (set_robust_list(2),
 * kernel/futex). The list is the program's own: where it leads nowhere, the rest is left alone.
 */
export function releaseRobust(thread: Thread): void {
  const head = thread.robustList >>> 0;
  if (head === 0) return;
  thread.robustList = 0;
  const { space } = thread.process;
  const words = wordsAt(space, head, 3);
  if (failed(words)) return;
  const [first, offset, pending] = words;
  for (const entry of entriesOf(space, head, first)) if ((entry & ~PI) !== (pending & ~PI) && !markDead(thread, entry, offset, false)) return;
  if ((pending & ~PI) !== 0) markDead(thread, pending, offset, true);
}

const wordsAt = (space: AddressSpace, va: number, count: number): Int32Array | Fail => (va & 3 ? -Errno.EFAULT : space.readWords(va >>> 0, count));

/** Follows the pointers; it comes back to the head, or goes astray. */
function* entriesOf(space: AddressSpace, head: number, first: number): Generator<number> {
  let entry = first;
  for (let i = 0; i < LIMIT && (entry & ~PI) >>> 0 !== head; i++) {
    // Read before the entry is marked: its new owner may take it out of the list at once.
    const next = wordsAt(space, entry & ~PI, 1);
    yield entry;
    if (failed(next)) return;
    entry = next[0];
  }
}

/** `pending`: it was just being taken or given back. False: nothing is mapped there. */
function markDead(thread: Thread, entry: number, offset: number, pending: boolean): boolean {
  const { space, kernel } = thread.process;
  const va = ((entry & ~PI) + offset) >>> 0;
  const words = wordsAt(space, va, 1);
  if (failed(words)) return false;
  const [word] = words;
  const given = pending && (entry & PI) === 0 && (word & TID_MASK) === 0;
  const held = (word & TID_MASK) === thread.tid;
  if (held && failed(space.writeWords(va, [(word & WAITERS) | OWNER_DIED]))) return false;
  if (given || (held && (word & WAITERS) !== 0 && (entry & PI) === 0)) futexWake(kernel, space, va, 1, ~0);
  return true;
}

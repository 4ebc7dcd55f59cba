import type { AddressSpace } from '../memory/address-space.js';
import type { Thread } from './thread.js';

/** A thread asleep in futex(2). Keyed by (space, address), or by (frame, offset in the page) for a shared mapping. */
export interface FutexWaiter {
  thread: Thread;
  space: AddressSpace | null;
  /** Address in `space`; frame * 4096 + offset when `space` is null. */
  address: number;
  bitset: number;
}

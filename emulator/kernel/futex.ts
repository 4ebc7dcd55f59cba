import { Errno, failed, type Fail } from '../base/index.js';
import { Access, type AddressSpace } from '../memory/index.js';
import type { Kernel } from './kernel.js';
import type { Thread } from './thread.js';

/**
 * Where a futex is: (space, address), or, in a shared mapping, (frame, offset) so that every process that maps
 * the page means the same one (futex(2)). `space` is null in the second case and `address` a byte address in RAM.
 */
export interface FutexKey {
  space: AddressSpace | null;
  address: number;
}

export interface FutexWaiter extends FutexKey {
  thread: Thread;
  bitset: number;
}

/** Key of the word at `va`, which is made resident. -EINVAL if misaligned, -EFAULT if not mapped. */
export function futexKey(space: AddressSpace, va: number, isPrivate: boolean): FutexKey | Fail {
  const address = va >>> 0;
  if (address & 3) return -Errno.EINVAL;
  if (address >= 0x8000_0000) return -Errno.EFAULT;
  if (isPrivate || !space.find(address)?.shared) return failed(space.copyin(address, 4)) ? -Errno.EFAULT : { space, address };
  const ramAddress = space.resolve(address, Access.read);
  return ramAddress < 0 ? -Errno.EFAULT : { space: null, address: ramAddress };
}

/** Wake up to `count` waiters whose bitset meets `bitset`, oldest first. */
export function wakeKey(kernel: Kernel, key: FutexKey, count: number, bitset: number): number {
  const waiting = kernel.futexes.filter((waiter) => waiter.space === key.space && waiter.address === key.address && (waiter.bitset & bitset) !== 0);
  const woken = waiting.slice(0, count);
  for (const waiter of woken) {
    forgetWaiter(kernel, waiter);
    waiter.thread.wake();
  }
  return woken.length;
}

/** Move up to `count` waiters from one futex to another; they sleep on. */
export function requeueKey(kernel: Kernel, from: FutexKey, to: FutexKey, count: number): number {
  let moved = 0;
  for (const waiter of kernel.futexes) {
    if (moved >= count) break;
    if (waiter.space !== from.space || waiter.address !== from.address) continue;
    waiter.space = to.space;
    waiter.address = to.address;
    moved++;
  }
  return moved;
}

export function forgetWaiter(kernel: Kernel, waiter: FutexWaiter): void {
  const index = kernel.futexes.indexOf(waiter);
  if (index >= 0) kernel.futexes.splice(index, 1);
}

/** The kernel's own wake (a thread's end): tries the private and the shared meaning of the address. */
export function futexWake(kernel: Kernel, space: AddressSpace, va: number, count: number, bitset: number): void {
  for (const isPrivate of [true, false]) {
    const key = futexKey(space, va, isPrivate);
    if (!failed(key)) wakeKey(kernel, key, count, bitset);
  }
}

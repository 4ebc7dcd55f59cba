import { Errno, failed } from '../../base/index.js';
import { forgetWaiter, futexKey, requeueKey, wakeKey, type FutexKey } from '../futex.js';
import type { Kernel } from '../kernel.js';
import { defineSyscalls } from '../syscall-table.js';
import type { Thread } from '../thread.js';
import { readTimespec, toNanoseconds } from '../user-memory.js';

/** futex(2) operations; priority inheritance is not among them. */
const Op = { WAIT: 0, WAKE: 1, REQUEUE: 3, CMP_REQUEUE: 4, WAKE_OP: 5, WAIT_BITSET: 9, WAKE_BITSET: 10 } as const;
const PRIVATE = 0x80;
const CLOCK_REALTIME = 0x100;
const ANY = -1;

/** What a waiter asks for: relative to now, or absolute on one of two clocks. */
function deadlineOf(kernel: Kernel, thread: Thread, va: number, wide: boolean, absolute: boolean, realtime: boolean): number {
  if (va === 0) return Infinity;
  const time = readTimespec(thread.process.space, va, wide);
  if (failed(time)) return time;
  const { clock } = kernel;
  if (!absolute) return clock.cycles + clock.toCycles(toNanoseconds(time));
  if (!realtime) return clock.toCycles(toNanoseconds(time));
  const ns = clock.untilRealtime(time.seconds, time.nanoseconds);
  return ns < 0 ? 0 : clock.cycles + clock.toCycles(Math.min(ns, 9e15));
}

function wait(kernel: Kernel, thread: Thread, va: number, value: number, bitset: number, key: FutexKey, deadline: () => number): number {
  if (thread.blocked) {
    const waiter = kernel.futexes.find((one) => one.thread === thread);
    if (!waiter) return 0;
    if (thread.blocked.timedOut) {
      forgetWaiter(kernel, waiter);
      return -Errno.ETIMEDOUT;
    }
    return thread.block('futex', [], { restart: thread.blocked.restart });
  }
  const words = thread.process.space.readWords(va >>> 0, 1);
  if (failed(words)) return words;
  if (words[0] !== value) return -Errno.EAGAIN;
  if (bitset === 0) return -Errno.EINVAL;
  const end = deadline();
  if (failed(end)) return end;
  kernel.futexes.push({ ...key, thread, bitset });
  return thread.block('futex', [], { deadline: end, restart: end === Infinity ? 'sys' : 'nohand' });
}

/** Compare and move: wake some waiters of one futex, let others wait on a second. */
function requeue(kernel: Kernel, thread: Thread, from: FutexKey, to: FutexKey, wakes: number, moves: number, expected: { va: number; value: number } | null): number {
  if (wakes < 0 || moves < 0) return -Errno.EINVAL;
  if (expected) {
    const words = thread.process.space.readWords(expected.va >>> 0, 1);
    if (failed(words)) return words;
    if (words[0] !== expected.value) return -Errno.EAGAIN;
  }
  // Both operations count the moved ones too, whatever futex(2) says of FUTEX_REQUEUE (kernel/futex, futex_requeue).
  return wakeKey(kernel, from, wakes, ANY) + requeueKey(kernel, from, to, moves);
}

/**
 * FUTEX_WAKE_OP: change the second word, wake on the first, and on the second if its old value meets a comparison.
 *   31 shift argument | 30-28 operation | 27-24 comparison | 23-12 operand | 11-0 comparison operand
 */
function wakeOp(kernel: Kernel, thread: Thread, first: FutexKey, second: FutexKey, va2: number, wakes: number, wakes2: number, code: number): number {
  const { space } = thread.process;
  const words = space.readWords(va2 >>> 0, 1);
  if (failed(words)) return words;
  const old = words[0];
  let operand = (code << 8) >> 20;
  const comparand = (code << 20) >> 20;
  if (code < 0) operand = 1 << (operand & 31);
  const results = [operand, old + operand, old | operand, old & ~operand, old ^ operand];
  const operation = (code >>> 28) & 7;
  if (operation >= results.length) return -Errno.ENOSYS;
  const written = space.writeWords(va2 >>> 0, [results[operation] | 0]);
  if (failed(written)) return written;
  const holds = [old === comparand, old !== comparand, old < comparand, old <= comparand, old > comparand, old >= comparand][(code >>> 24) & 15];
  if (holds === undefined) return -Errno.ENOSYS;
  return wakeKey(kernel, first, wakes, ANY) + (holds ? wakeKey(kernel, second, wakes2, ANY) : 0);
}

function futex(kernel: Kernel, thread: Thread, va: number, op: number, value: number, time: number, va2: number, value3: number, wide: boolean): number {
  const isPrivate = (op & PRIVATE) !== 0;
  const command = op & ~(PRIVATE | CLOCK_REALTIME);
  const { space } = thread.process;
  const key = futexKey(space, va, isPrivate);
  if (failed(key)) return key;
  if (command === Op.WAIT || command === Op.WAIT_BITSET) {
    const absolute = command === Op.WAIT_BITSET;
    return wait(kernel, thread, va, value, absolute ? value3 : ANY, key, () => deadlineOf(kernel, thread, time, wide, absolute, (op & CLOCK_REALTIME) !== 0));
  }
  if (command === Op.WAKE) return wakeKey(kernel, key, Math.max(value, 1), ANY);
  if (command === Op.WAKE_BITSET) return value3 === 0 ? -Errno.EINVAL : wakeKey(kernel, key, Math.max(value, 1), value3);
  if (command !== Op.REQUEUE && command !== Op.CMP_REQUEUE && command !== Op.WAKE_OP) return -Errno.ENOSYS;
  const second = futexKey(space, va2, isPrivate);
  if (failed(second)) return second;
  // The fourth argument is a number here, not a time.
  if (command === Op.WAKE_OP) return wakeOp(kernel, thread, key, second, va2, value, time, value3);
  return requeue(kernel, thread, key, second, value, time, command === Op.CMP_REQUEUE ? { va, value: value3 } : null);
}

defineSyscalls({
  4238: ['futex', 6, (kernel, thread, va, op, value, time, va2, value3) => futex(kernel, thread, va, op, value, time, va2, value3, false), 'ptr futex int ptr ptr hex'],
  4422: ['futex_time64', 6, (kernel, thread, va, op, value, time, va2, value3) => futex(kernel, thread, va, op, value, time, va2, value3, true), 'ptr futex int ptr ptr hex'],
});

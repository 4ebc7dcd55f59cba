import { Errno, failed } from '../base/index.js';
import { hooks } from './hooks.js';
import type { Kernel } from './kernel.js';
import { deliverSignals, finishCall } from './signals.js';
import {
  BLOCKED, ERESTART_RESTARTBLOCK, ERESTARTNOHAND, ERESTARTNOINTR, ERESTARTSYS, findSyscall, NO_RETURN, type Syscall,
} from './syscall-table.js';
import type { Restart, Thread } from './thread.js';

/** syscall(2): the number is the first argument, the others move down by one. */
const SYS_INDIRECT = 4000;
const SP = 29;
const STACK_ARGUMENTS = 16;
const MAX_ARGUMENTS = 7;

const restartOf = new Map<number, Restart>([
  [-ERESTARTSYS, 'sys'], [-ERESTARTNOINTR, 'nointr'], [-ERESTARTNOHAND, 'nohand'], [-ERESTART_RESTARTBLOCK, 'nohand'],
]);

/** The thread executed `syscall`: find the call, fetch its arguments, run it (arch/mips/kernel/scall32-o32.S). */
export function enterSyscall(kernel: Kernel, thread: Thread, nextPc: number): void {
  kernel.meter.charge('syscall');
  const { call } = thread;
  call.nextPc = nextPc;
  const entry = fetchCall(kernel, thread);
  if (entry) invoke(kernel, thread, entry);
}

/** Number and arguments into `thread.call`; null when the call is already answered (EFAULT, ENOSYS). */
function fetchCall(kernel: Kernel, thread: Thread): Syscall | null {
  const { gpr } = thread.ctx;
  const { call } = thread;
  const shift = gpr[2] === SYS_INDIRECT ? 1 : 0;
  call.number = shift ? gpr[4] : gpr[2];
  const entry = call.number === SYS_INDIRECT ? undefined : findSyscall(call.number);
  const inRegisters = 4 - shift;
  for (let i = 0; i < MAX_ARGUMENTS; i++) call.args[i] = i < inRegisters ? gpr[4 + shift + i] : 0;
  if (!entry) return refuseUnknown(kernel, thread);
  kernel.ledger.count(entry.counter);
  if (entry.argc <= inRegisters) return entry;
  const words = thread.process.space.readWords((gpr[SP] >>> 0) + STACK_ARGUMENTS, entry.argc - inRegisters);
  if (failed(words)) {
    finishCall(thread.ctx, call.nextPc, -Errno.EFAULT);
    return null;
  }
  for (let i = 0; i < words.length; i++) call.args[inRegisters + i] = words[i];
  return entry;
}

function refuseUnknown(kernel: Kernel, thread: Thread): null {
  kernel.countUnknown(String(thread.call.number), thread.process.comm);
  kernel.tracer?.unknown(thread);
  finishCall(thread.ctx, thread.call.nextPc, -Errno.ENOSYS);
  return null;
}

function invoke(kernel: Kernel, thread: Thread, entry: Syscall): void {
  kernel.tracer?.enter(thread, entry);
  if (thread.process.guarded) hooks.call(thread, entry.name);
  const a = thread.call.args;
  const result = entry.handler(kernel, thread, a[0], a[1], a[2], a[3], a[4], a[5], a[6]);
  settle(kernel, thread, entry, result);
}

/** A thread whose call was blocked has been woken: ask the handler again. */
export function resumeCall(kernel: Kernel, thread: Thread): void {
  const entry = findSyscall(thread.call.number);
  if (!entry) return;
  const a = thread.call.args;
  const result = entry.handler(kernel, thread, a[0], a[1], a[2], a[3], a[4], a[5], a[6]);
  settle(kernel, thread, entry, result);
}

function settle(kernel: Kernel, thread: Thread, entry: Syscall, result: number): void {
  if (result === BLOCKED) {
    goToSleep(kernel, thread);
    return;
  }
  const restart = restartOf.get(result);
  if (restart !== undefined && thread.state === 'runnable') {
    interrupt(thread, restart);
    return;
  }
  thread.unblock();
  if (result === NO_RETURN) {
    kernel.tracer?.noReturn(thread, entry);
    return;
  }
  thread.restoreMask();
  finishCall(thread.ctx, thread.call.nextPc, result);
  kernel.tracer?.result(thread, entry, result);
}

/** The handler put the thread on its queues. A signal already waiting interrupts the sleep before it begins. */
function goToSleep(kernel: Kernel, thread: Thread): void {
  if (thread.hasSignal() && !thread.blocked?.uninterruptible) {
    thread.leaveQueues();
    thread.state = 'runnable';
    deliverSignals(thread);
    return;
  }
  kernel.tracer?.begin(thread);
  if (thread.process.guarded) hooks.sleep(thread);
  kernel.scheduler.remove(thread);
  thread.process.usage.voluntarySwitches++;
}

/** The handler itself saw the signal and asked for a restart: the same decision as for a sleeping call. */
function interrupt(thread: Thread, restart: Restart): void {
  if (thread.blocked) thread.blocked.restart = restart;
  else thread.block('interrupted', [], { restart });
  thread.leaveQueues();
  thread.state = 'runnable';
  deliverSignals(thread);
  restartIfIdle(thread);
}

/** No handler ran: the call starts again, since pc still stands at it. */
function restartIfIdle(thread: Thread): void {
  if (!thread.blocked || thread.state !== 'blocked') return;
  thread.unblock();
  thread.state = 'runnable';
}

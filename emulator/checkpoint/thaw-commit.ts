import { failed, invariant } from '../base/index.js';
import { endThread } from '../kernel/exit.js';
import { applyMemoryLimits } from '../kernel/exec.js';
import { Thread, type Kernel, type Process } from '../kernel/index.js';
import { Rlimit } from '../kernel/limits.js';
import { findSyscall } from '../kernel/syscall-table.js';
import { FrameUse, PAGE_SIZE, Prot, flushTlb, type AddressSpace, type Region } from '../memory/index.js';
import { vref, vrele } from '../vfs/vop.js';
import type { CallRecord, KernelRecord } from './checkpoint.js';
import { eachPage } from './persist.js';
import type { ImageRecord, ThreadRecord } from './record.js';
import { PageStep, type ThawPlan } from './thaw-plan.js';

/*
 * The commit of a thaw: overlay the process with the image. Nothing here can fail: all that could was done by the plan.
 */

/** Memory. The regions the process had come back: their files are let go when the image's part of the work is done. */
export function overlayMemory(kernel: Kernel, space: AddressSpace, plan: ThawPlan): Region[] {
  for (const va of plan.drops) space.dropPage(va);
  for (const region of plan.own.regions) region.pager?.addRef();
  const before = space.overlayRegions(plan.own.regions.map((region) => region.slice(region.start, region.end)));
  overlayPages(kernel, space, plan);
  for (const frame of plan.zeros) zeroFrame(space, frame);
  writeCarried(kernel, space, plan);
  for (const frame of plan.reserved.splice(0)) kernel.ram.release(frame);
  if (kernel.ram.activeSpace === space) flushTlb(kernel.ram);
  return before;
}

/** The last mapping of a file gone may cost vnode operations, as a munmap would. */
export function releaseOldMap(regions: readonly Region[]): void {
  for (const region of regions) region.pager?.release();
}

/** Everything but memory and descriptors. */
export function restoreProcess(kernel: Kernel, process: Process, record: ImageRecord, own: KernelRecord): void {
  restoreSettings(process, record, own);
  restoreThreads(kernel, process, record, own.calls);
  restoreFutexes(kernel, process, own);
}

function zeroFrame(space: AddressSpace, frame: number): void {
  space.ram.page(frame).fill(0);
  space.ram.dropCode(frame);
}

/** Give every page of the image its frame, then copy: as many pages at a time as lie side by side on both ends. */
function overlayPages(kernel: Kernel, space: AddressSpace, plan: ThawPlan): void {
  const { va, step, frame } = plan.pages;
  const regions = plan.own.regions;
  let target = 0;
  for (let i = 0; i < va.length; i++) {
    while (regions[target].end <= va[i]) target++;
    frame[i] = placePage(kernel, space, plan, regions[target], i);
  }
  const copied = copyPages(kernel, plan);
  kernel.meter.charge('copy.bytes', copied * PAGE_SIZE);
  kernel.meter.charge('checkpoint.page', step.length);
}

/** The frame to copy into, or -1 when nothing is to be copied. */
function placePage(kernel: Kernel, space: AddressSpace, plan: ThawPlan, region: Region, i: number): number {
  const { ram } = kernel;
  const { va, step, frame } = plan.pages;
  const writable = (region.prot & Prot.write) !== 0;
  switch (step[i]) {
    case PageStep.keep: return -1;
    case PageStep.map:
      ram.addRef(frame[i]);
      space.setPage(va[i], frame[i], writable, true);
      return -1;
    case PageStep.live: case PageStep.leave:
      ram.addRef(frame[i]);
      space.setPage(va[i], frame[i], writable);
      if (writable) region.pager?.markDirty?.(region.index(va[i]));
      return step[i] === PageStep.live ? frame[i] : -1;
    case PageStep.reuse:
      ram.addRef(frame[i]);
      space.setPage(va[i], frame[i], writable);
      return frame[i];
    default: {
      const fresh = takeFrame(kernel, plan);
      space.setPage(va[i], fresh, writable);
      return fresh;
    }
  }
}

/** A frame of those reserved or given up. */
function takeFrame(kernel: Kernel, plan: ThawPlan): number {
  const frame = plan.reserved.pop() ?? kernel.ram.alloc(FrameUse.user, false);
  invariant(!failed(frame), 'a thaw ran out of the frames it had reserved');
  return frame;
}

function copyPages(kernel: Kernel, plan: ThawPlan): number {
  const { ram } = kernel;
  const { run, page, frame } = plan.pages;
  const { source } = plan.image;
  let copied = 0;
  for (let i = 0; i < frame.length;) {
    if (frame[i] < 0) {
      i++;
      continue;
    }
    let count = 1;
    while (i + count < frame.length && run[i + count] === run[i] && frame[i + count] === frame[i] + count) count++;
    const bytes = source.extent(run[i], page[i], count);
    ram.u8.set(bytes, ram.address(frame[i]));
    const pages = bytes.length / PAGE_SIZE;
    for (let k = 0; k < pages; k++) ram.dropCode(frame[i] + k);
    copied += pages;
    i += pages;
  }
  return copied;
}

/** The paper's copyout: persisted bytes go over the restored ones, in pages the process then owns alone. */
function writeCarried(kernel: Kernel, space: AddressSpace, plan: ThawPlan): void {
  const { ram } = kernel;
  for (const { range, bytes } of plan.carried) {
    eachPage(range.addr, range.size, (va, offset, length) => {
      const frame = ownPage(kernel, space, plan, va - (va % PAGE_SIZE));
      ram.u8.set(bytes.subarray(offset, offset + length), ram.address(frame) + (va % PAGE_SIZE));
      ram.dropCode(frame);
    });
    kernel.meter.charge('copy.bytes', 2 * bytes.length);
  }
}

function ownPage(kernel: Kernel, space: AddressSpace, plan: ThawPlan, va: number): number {
  const { ram } = kernel;
  const current = space.frameAt(va);
  const region = space.find(va);
  if (current >= 0 && (region?.shared || ram.refs[current] === 1)) return current;
  const frame = takeFrame(kernel, plan);
  if (current >= 0) ram.copyPage(current, frame);
  else ram.page(frame).fill(0);
  kernel.meter.charge(current >= 0 ? 'copy.bytes' : 'zero.bytes', PAGE_SIZE);
  ram.dropCode(frame);
  space.setPage(va, frame, true);
  return frame;
}

/** What belongs to the process as a whole. Credentials and the root directory stay: rights given up are not got back. */
function restoreSettings(process: Process, record: ImageRecord, own: KernelRecord): void {
  const { space } = process;
  space.brkStart = record.brkStart;
  space.brk = record.brk;
  space.mapTop = record.mapTop;
  restoreLimits(process, own);
  process.umask = own.umask;
  if (process.cwd !== own.cwd && process.root === own.root) {
    vref(own.cwd);
    const before = process.cwd;
    process.cwd = own.cwd;
    vrele(before);
  }
  for (let signo = 1; signo <= 128; signo++) restoreAction(process, record.actions, signo);
  record.timers.forEach(({ left, interval }, which) => process.itimers.set(which, left, interval));
}

/** Soft limits go back as far as the hard ones of now allow. */
function restoreLimits(process: Process, own: KernelRecord): void {
  process.limits.forEach((limit, i) => { limit.soft = Math.min(own.limits[i].soft, limit.hard); });
  applyMemoryLimits(process);
  process.fds.limit = process.limits[Rlimit.NOFILE].soft;
}

/** A foreign image: its registers and signal handling under the caller's numbers, limits and rights. */
export function restoreForeignState(kernel: Kernel, thread: Thread, record: ImageRecord): void {
  const { process } = thread;
  const { space } = process;
  Object.assign(space, { brkStart: record.brkStart, brk: record.brk, mapTop: record.mapTop });
  process.umask = record.umask;
  process.comm = record.comm;
  process.argv = [...record.argv];
  process.auxv = record.auxv.map(([type, value]) => [type, value]);
  for (let signo = 1; signo <= 128; signo++) restoreAction(process, record.actions, signo);
  record.timers.forEach(({ left, interval }, which) => process.itimers.set(which, left, interval));
  const threads = record.threads.map((one, i) => ({ ...one, tid: i === 0 ? thread.tid : kernel.newPid() }));
  const calls = threads.map(({ tid, call }) => ({ tid, call, blocked: null, pending: [] }));
  restoreThreads(kernel, process, { ...record, threads }, calls);
  // What was pending there is pending here: the image has the numbers, not who sent them.
  process.threads.forEach((one, i) => { one.pending.queue = threads[i].pending.map((signo) => ({ signo, code: 0 })); });
  kernel.futexes = kernel.futexes.filter((waiter) => waiter.thread.process !== process);
}

const SIGKILL = 9;
const SIGSTOP = 23;

function restoreAction(process: Process, words: Int32Array, signo: number): void {
  if (signo === SIGKILL || signo === SIGSTOP) return;
  const at = 6 * (signo - 1);
  const action = process.actions[signo];
  action.handler = words[at] >>> 0;
  action.flags = words[at + 1];
  // Handlers being entered may hold the old mask.
  action.mask = new Uint32Array(4);
  for (let i = 0; i < 4; i++) action.mask[i] = words[at + 2 + i];
}

/** Threads made since the freeze end without a trace; those that ended come back under their numbers. */
function restoreThreads(kernel: Kernel, process: Process, record: ImageRecord, calls: readonly CallRecord[]): void {
  const wanted = new Set(record.threads.map((thread) => thread.tid));
  for (const thread of process.threads) {
    if (wanted.has(thread.tid)) continue;
    thread.clearTid = 0;
    thread.robustList = 0;
    endThread(thread);
  }
  process.threads = record.threads.map((one, i) => {
    const living = process.threads.find((thread) => thread.tid === one.tid && thread.state !== 'dead');
    const thread = living ?? new Thread(one.tid, process);
    if (!living) thread.pending.queue = [...calls[i].pending];
    restoreThread(kernel, thread, one, calls[i]);
    return thread;
  });
}

/** Waiters stand where they stood, those moved to another futex since the call included. */
function restoreFutexes(kernel: Kernel, process: Process, own: KernelRecord): void {
  kernel.futexes = kernel.futexes.filter((waiter) => waiter.thread.process !== process);
  for (const { tid, shared, address, bitset } of own.futexes) {
    const thread = process.threads.find((one) => one.tid === tid);
    if (thread?.blocked) kernel.futexes.push({ thread, space: shared ? null : process.space, address, bitset });
  }
}

function restoreThread(kernel: Kernel, thread: Thread, record: ThreadRecord, own: CallRecord): void {
  const { ctx } = thread;
  thread.unblock();
  ctx.gpr.set(record.gpr);
  ctx.fpr.set(record.fpr);
  Object.assign(ctx, { hi: record.hi, lo: record.lo, pc: record.pc, fcsr: record.fcsr, userLocal: record.userLocal, llbit: 0 });
  thread.sigmask = Uint32Array.from(record.mask);
  thread.savedMask = record.savedMask && Uint32Array.from(record.savedMask);
  thread.waitingFor = null;
  thread.altStack = { ...record.altStack };
  thread.clearTid = record.clearTid;
  thread.robustList = record.robustList;
  thread.call = { number: own.call.number, args: Array.from({ length: 7 }, (_, i) => own.call.args[i] ?? 0), nextPc: own.call.nextPc };
  restoreBlocked(kernel, thread, own);
  if (thread.state === 'stopped') return;
  thread.state = 'runnable';
  kernel.scheduler.enqueue(thread);
}

/** The call goes on: its handler is asked again, with its notes and what was left of its time. */
function restoreBlocked(kernel: Kernel, thread: Thread, own: CallRecord): void {
  const { blocked } = own;
  if (!blocked || !findSyscall(own.call.number)) return;
  const deadline = kernel.clock.cycles + blocked.remaining;
  thread.blocked = {
    name: blocked.name, queues: [], deadline, timedOut: blocked.timedOut,
    data: blocked.data === null ? null : (JSON.parse(blocked.data) as unknown), restart: blocked.restart as 'sys',
    partial: blocked.partial, uninterruptible: blocked.uninterruptible, top: false,
    timer: deadline === Infinity || blocked.timedOut ? null : kernel.events.at(deadline, thread, 'deadline'),
  };
}

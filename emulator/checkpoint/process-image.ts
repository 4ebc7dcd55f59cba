import { failed } from '../base/index.js';
import { EF_MIPS_O32 } from '../kernel/core.js';
import type { Kernel, Process, Thread } from '../kernel/index.js';
import type { OpenFile } from '../kernel/open-file.js';
import { AnonPager, PAGE_SIZE, type Region } from '../memory/index.js';
import { Backing, PageKind, type BlockedRecord, type DescriptorRecord, type FileRecord, type ImageRecord, type PageRun, type RegionRecord, type ThreadRecord } from './record.js';

/**
 * A process as a gather list: the record, and the frames that hold its pages, in the order of the record's runs.
 * Nothing is copied yet; the frames are those the process runs in. `files` are the open files the record numbers.
 */
export interface ProcessImage {
  record: ImageRecord;
  frames: number[];
  files: OpenFile[];
}

/** `self`: the thread that called freeze, and what the call returns to it, now and whenever it is thawed. */
export interface Caller {
  thread: Thread;
  result: number;
}

/** `elsewhere`: frames of shared mappings that another image of this moment holds; they are left out, and those taken here are added. */
export function collectImage(kernel: Kernel, process: Process, descriptor: number, self: Caller | null, elsewhere: Set<number> | null = null): ProcessImage {
  const { space, cred } = process;
  const { runs, frames } = collectPages(process, elsewhere);
  const { descriptors, files } = collectDescriptors(process);
  const cwd = kernel.vfs.pathOf(process.cwd, process.root);
  const record: ImageRecord = {
    pid: process.pid, ppid: process.parent?.pid ?? 0, pgid: process.pgid, sid: process.sid, uid: cred.uid, gid: cred.gid,
    descriptor, time: kernel.clock.cycles, comm: process.comm, exe: process.exe, cwd: failed(cwd) ? '' : cwd, argv: process.argv,
    elfFlags: EF_MIPS_O32, umask: process.umask, times: collectTimes(kernel, process), brkStart: space.brkStart, brk: space.brk, mapTop: space.mapTop,
    auxv: process.auxv, limits: process.limits,
    threads: collectThreads(kernel, process, self),
    regions: space.regions.map(regionRecord), runs, descriptors, files: files.map(fileRecord),
    actions: collectActions(process), timers: [0, 1, 2].map((which) => process.itimers.get(which)),
  };
  return { record, frames, files };
}

function collectThreads(kernel: Kernel, process: Process, self: Caller | null): ThreadRecord[] {
  const alive = process.threads.filter((thread) => thread.state !== 'dead');
  if (!self) return alive.map((thread) => threadRecord(kernel, thread));
  const caller = threadRecord(kernel, self.thread);
  returnFromCall(caller, self);
  return [caller, ...alive.filter((thread) => thread !== self.thread).map((thread) => threadRecord(kernel, thread))];
}

/** The image's registers are those after the call. */
function returnFromCall(record: ThreadRecord, self: Caller): void {
  record.gpr[2] = self.result;
  record.gpr[7] = 0;
  record.pc = self.thread.call.nextPc >>> 0;
  record.blocked = null;
}

export function threadRecord(kernel: Kernel, thread: Thread): ThreadRecord {
  const { ctx, call } = thread;
  return {
    tid: thread.tid, gpr: Int32Array.from(ctx.gpr), hi: ctx.hi, lo: ctx.lo, pc: ctx.pc, fpr: Uint32Array.from(ctx.fpr), fcsr: ctx.fcsr,
    userLocal: ctx.userLocal, mask: Uint32Array.from(thread.sigmask), savedMask: thread.savedMask && Uint32Array.from(thread.savedMask),
    pending: thread.pending.queue.map((info) => info.signo), altStack: { ...thread.altStack }, clearTid: thread.clearTid,
    robustList: thread.robustList, call: { number: call.number, args: Int32Array.from(call.args), nextPc: call.nextPc },
    blocked: blockedRecord(kernel, thread),
  };
}

/** A call whose notes are not plain data is simply made again after a thaw: pc is still at its instruction. */
function blockedRecord(kernel: Kernel, thread: Thread): BlockedRecord | null {
  const { blocked } = thread;
  if (!blocked) return null;
  const data = plainJson(blocked.data);
  if (data === undefined) return null;
  return {
    name: blocked.name, remaining: Math.max(blocked.deadline - kernel.clock.cycles, 0), timedOut: blocked.timedOut, restart: blocked.restart,
    partial: blocked.partial, uninterruptible: blocked.uninterruptible, data,
  };
}

/** JSON of plain data; null for null, undefined for what JSON would not give back. */
function plainJson(value: unknown): string | null | undefined {
  if (value === null || value === undefined) return null;
  return isPlain(value, 4) ? JSON.stringify(value) : undefined;
}

function isPlain(value: unknown, depth: number): boolean {
  if (value === null || typeof value === 'string' || typeof value === 'boolean') return true;
  if (typeof value === 'number') return Number.isFinite(value);
  if (typeof value !== 'object' || depth === 0) return false;
  if (Array.isArray(value)) return value.every((item) => isPlain(item, depth - 1));
  return Object.getPrototypeOf(value) === Object.prototype && Object.values(value).every((item) => isPlain(item, depth - 1));
}

function regionRecord(region: Region): RegionRecord {
  const { start, end, prot, maxProt, shared, flags, pageOffset, name, pager } = region;
  const backing = pager === null ? Backing.zero : pager instanceof AnonPager ? Backing.sharedMemory : Backing.file;
  return { start, end, prot, maxProt, shared, flags, backing, pageOffset, name };
}

function collectTimes(kernel: Kernel, process: Process): number[] {
  const { usage, childUsage } = process;
  return [usage.user, usage.system, childUsage.user, childUsage.system].flatMap((cycles) => {
    const microseconds = Math.floor(kernel.clock.toNanoseconds(cycles) / 1000);
    return [Math.floor(microseconds / 1e6), microseconds % 1e6];
  });
}

/** Pages with contents of their own: what the page table holds, and in shared mappings what any process has touched. */
function collectPages(process: Process, elsewhere: Set<number> | null): { runs: PageRun[]; frames: number[] } {
  const runs: PageRun[] = [];
  const frames: number[] = [];
  let run: PageRun | null = null;
  const add = (region: Region, va: number, frame: number): void => {
    const kind = kindOf(region, va, frame);
    if (kind === PageKind.shared && elsewhere?.has(frame)) return;
    if (kind === PageKind.shared) elsewhere?.add(frame);
    if (run && run.kind === kind && va > region.start && va === run.va + run.pages * PAGE_SIZE) run.pages++;
    else runs.push(run = { va, pages: 1, kind });
    frames.push(frame);
  };
  for (const region of process.space.regions) {
    if (region.shared) sharedPages(process, region, add);
    else process.space.forEachPage(region.start, region.end, (va, frame) => add(region, va, frame));
  }
  return { runs, frames };
}

function kindOf(region: Region, va: number, frame: number): number {
  if (region.shared) return PageKind.shared;
  return region.pager?.resident(region.index(va)) === frame ? PageKind.file : PageKind.own;
}

function sharedPages(process: Process, region: Region, add: (region: Region, va: number, frame: number) => void): void {
  for (let va = region.start; va < region.end; va += PAGE_SIZE) {
    const mapped = process.space.frameAt(va);
    const frame = mapped >= 0 ? mapped : region.pager?.resident(region.index(va)) ?? -1;
    if (frame >= 0) add(region, va, frame);
  }
}

function collectDescriptors(process: Process): { descriptors: DescriptorRecord[]; files: OpenFile[] } {
  const numbers = new Map<OpenFile, number>();
  const descriptors = process.fds.list().map((fd) => {
    const file = process.fds.get(fd) as OpenFile;
    if (!numbers.has(file)) numbers.set(file, numbers.size);
    return { fd, cloexec: process.fds.cloexec(fd), file: numbers.get(file) as number };
  });
  return { descriptors, files: [...numbers.keys()] };
}

function fileRecord(file: OpenFile): FileRecord {
  return { kind: file.kind, flags: file.flags, offset: file.position, consumed: file.consumed, what: file.describe() };
}

/** 128 x {handler, flags, mask[4]}. */
function collectActions(process: Process): Int32Array {
  const words = new Int32Array(128 * 6);
  for (let signo = 1; signo <= 128; signo++) {
    const { handler, flags, mask } = process.actions[signo];
    const at = 6 * (signo - 1);
    words[at] = handler;
    words[at + 1] = flags;
    for (let i = 0; i < 4; i++) words[at + 2 + i] = mask[i];
  }
  return words;
}

/** Is anything in this machine sharing the process's memory or descriptors as its own (CLONE_VM, vfork)? */
export function sharesItself(kernel: Kernel, process: Process): boolean {
  if (process.fds.refs > 1) return true;
  for (const other of kernel.processes.values()) {
    if (other !== process && other.state === 'alive' && other.space === process.space) return true;
  }
  return false;
}


import { Errno, failed, type Fail } from '../base/index.js';
import { PAGE_SIZE } from '../memory/ram.js';
import { hooks } from './hooks.js';
import type { Kernel } from './kernel.js';
import { copyLimits, Rlimit } from './limits.js';
import { Process } from './process.js';
import { Signal } from './signal-numbers.js';
import { copySet } from './sigset.js';
import { SS_DISABLE, Thread } from './thread.js';

/** clone(2) flags (uapi/linux/sched.h). */
export const CLONE = {
  VM: 0x100, FS: 0x200, FILES: 0x400, SIGHAND: 0x800, PIDFD: 0x1000, PTRACE: 0x2000, VFORK: 0x4000, PARENT: 0x8000, THREAD: 0x10000,
  NEWNS: 0x20000, SYSVSEM: 0x40000, SETTLS: 0x80000, PARENT_SETTID: 0x100000, CHILD_CLEARTID: 0x200000, DETACHED: 0x400000,
  UNTRACED: 0x800000, CHILD_SETTID: 0x1000000, NEWCGROUP: 0x2000000, NEWUTS: 0x4000000, NEWIPC: 0x8000000, NEWUSER: 0x10000000,
  NEWPID: 0x20000000, NEWNET: 0x40000000, IO: 0x80000000,
} as const;
const NAMESPACES = CLONE.NEWNS | CLONE.NEWCGROUP | CLONE.NEWUTS | CLONE.NEWIPC | CLONE.NEWUSER | CLONE.NEWPID | CLONE.NEWNET;

export interface CloneRequest {
  flags: number;
  /** The child's stack pointer, or 0 to go on with the parent's. */
  stack: number;
  parentTid: number;
  tls: number;
  childTid: number;
}

/** Kernel stack of a thread (THREAD_SIZE); all of them may take an eighth of the memory (kernel/fork.c, set_max_threads). */
const THREAD_BYTES = 8192;

/** Threads of the machine, root's too: kernel.threads-max. */
export function threadsMax(kernel: Kernel): number {
  return Math.max(20, Math.floor(kernel.ram.bytes / (THREAD_BYTES * 8)));
}

/** Zombies count until they are collected. */
function threadCount(kernel: Kernel): number {
  let count = 0;
  for (const process of kernel.processes.values()) count += Math.max(1, process.threads.length);
  return count;
}

/** A new thread or process that goes on where `parent`'s call returns, with result 0. */
export function clone(kernel: Kernel, parent: Thread, request: CloneRequest): Thread | Fail {
  const { flags } = request;
  if (flags & CLONE.THREAD && !(flags & CLONE.SIGHAND)) return -Errno.EINVAL;
  if (flags & CLONE.SIGHAND && !(flags & CLONE.VM)) return -Errno.EINVAL;
  // Name spaces do not exist here; as a kernel built without them answers.
  if (flags & (NAMESPACES | CLONE.PIDFD)) return -Errno.EINVAL;
  if (threadCount(kernel) >= threadsMax(kernel)) return -Errno.EAGAIN;
  const child = flags & CLONE.THREAD ? newThread(kernel, parent) : newProcess(kernel, parent, flags);
  if (failed(child)) return child;
  applyRequest(parent, child, request);
  if (!(flags & CLONE.THREAD)) {
    hooks.fork(parent.process, child.process);
    kernel.log.add('process.fork', { pid: parent.process.pid, comm: parent.process.comm, child: child.process.pid });
  }
  kernel.scheduler.enqueue(child);
  return child;
}

function newThread(kernel: Kernel, parent: Thread): Thread {
  const { process } = parent;
  const thread = new Thread(kernel.newPid(), process);
  process.threads.push(thread);
  return thread;
}

function newProcess(kernel: Kernel, parent: Thread, flags: number): Thread | Fail {
  const from = parent.process;
  const sameUser = [...kernel.processes.values()].filter((process) => process.cred.uid === from.cred.uid).length;
  if (from.cred.euid !== 0 && sameUser >= from.limits[Rlimit.NPROC].soft) return -Errno.EAGAIN;
  if (!(flags & CLONE.FILES) && from.fds.copyBytes > Math.max(0, kernel.ram.free()) * PAGE_SIZE) return -Errno.ENOMEM;
  const space = flags & CLONE.VM ? from.space : from.space.fork();
  if (failed(space)) return space;
  if (flags & CLONE.VM) space.retain();
  const fds = flags & CLONE.FILES ? from.fds.share() : from.fds.fork();
  const process = new Process(kernel, kernel.newPid(), space, fds, from.cwd, from.root);
  inherit(process, from);
  if (flags & CLONE.SIGHAND) process.actions = from.actions;
  process.exitSignal = flags & 0xff;
  process.parent = flags & CLONE.PARENT ? from.parent : from;
  process.parent?.children.push(process);
  process.vforked = (flags & CLONE.VFORK) !== 0;
  kernel.processes.set(process.pid, process);
  const thread = new Thread(process.pid, process);
  process.threads.push(thread);
  const keepsAltStack = !(flags & CLONE.VM) || (flags & CLONE.VFORK) !== 0;
  if (keepsAltStack) thread.altStack = { ...parent.altStack };
  return thread;
}

/** What fork(2) hands down; pending signals, timers and times used are not among it. */
function inherit(child: Process, from: Process): void {
  child.pgid = from.pgid;
  child.sid = from.sid;
  child.terminal = from.terminal;
  child.comm = from.comm;
  child.exe = from.exe;
  child.argv = from.argv;
  child.envp = from.envp;
  child.auxv = from.auxv.map(([type, value]) => [type, value]);
  child.umask = from.umask;
  child.cred = from.cred.clone();
  child.actions = from.actions.map((action) => ({ handler: action.handler, flags: action.flags, mask: copySet(action.mask) }));
  child.limits = copyLimits(from.limits);
  child.nice = from.nice;
  child.dumpable = from.dumpable;
  child.noNewPrivileges = from.noNewPrivileges;
  child.keepCapabilities = from.keepCapabilities;
}

function applyRequest(parent: Thread, child: Thread, request: CloneRequest): void {
  const { flags } = request;
  const { ctx } = child;
  ctx.copyFrom(parent.ctx);
  ctx.llbit = 0;
  ctx.pc = parent.call.nextPc;
  ctx.gpr[2] = 0;
  ctx.gpr[7] = 0;
  if (request.stack !== 0) ctx.gpr[29] = request.stack;
  if (flags & CLONE.SETTLS) ctx.userLocal = request.tls >>> 0;
  child.sigmask = copySet(parent.savedMask ?? parent.sigmask);
  if (flags & CLONE.THREAD) child.altStack = { sp: 0, size: 0, flags: SS_DISABLE };
  if (flags & CLONE.CHILD_CLEARTID) child.clearTid = request.childTid >>> 0;
  // A pointer that cannot be written is the program's loss, as in Linux: the call succeeds.
  if (flags & CLONE.PARENT_SETTID) parent.process.space.writeWords(request.parentTid >>> 0, [child.tid]);
  if (flags & CLONE.CHILD_SETTID) child.process.space.writeWords(request.childTid >>> 0, [child.tid]);
}

export const FORK_FLAGS: number = Signal.CHLD;

import { AddressSpace } from '../memory/address-space.js';
import { FdTable } from './fd-table.js';
import { futexWake } from './futex.js';
import { hooks } from './hooks.js';
import { Rlimit } from './limits.js';
import { PendingSignals } from './pending-signals.js';
import type { Process, Usage } from './process.js';
import { releaseRobust } from './robust.js';
import { SA, SI, Signal, SIG_IGN } from './signal-numbers.js';
import { notifyParent, signalProcess, type SigInfo } from './signals.js';
import type { Thread } from './thread.js';
import { leaveTerminal } from './tty/pty.js';

/** Bit of the wait status that says a core was dumped. */
const CORE_DUMPED = 0x80;

/** One thread ends (exit(2)); with the last one the process does. `status` is what exit_group would give. */
export function exitThread(thread: Thread, status: number): void {
  const { process } = thread;
  if (process.threads.every((other) => other === thread || other.state === 'dead')) {
    exitProcess(process, (status & 0xff) << 8);
    return;
  }
  endThread(thread);
  process.threads = process.threads.filter((other) => other !== thread);
}

/** A signal without a handler ends the process. */
export function killProcess(thread: Thread, info: SigInfo, core: boolean): void {
  const { process } = thread;
  const { kernel } = process;
  if (process.exiting) return;
  let dumped = false;
  if (core) {
    kernel.log.add('process.fatal', {
      pid: process.pid, comm: process.comm, signo: info.signo, code: info.code, pc: thread.ctx.pc, address: info.badVaddr ?? info.addr ?? 0,
    });
    dumped = hooks.fatalSignal(thread, info.signo, info);
  }
  kernel.tracer?.killed(thread, info.signo, dumped);
  exitProcess(process, info.signo | (dumped ? CORE_DUMPED : 0));
}

/** The end of a process, with a status word as wait4 gives it (exit_group(2), or a fatal signal). */
export function exitProcess(process: Process, status: number): void {
  if (process.exiting) return;
  process.exiting = true;
  const { kernel } = process;
  hooks.exit(process);
  for (const thread of process.threads) {
    endThread(thread);
    kernel.tracer?.gone(thread);
  }
  for (const which of [0, 1, 2]) process.itimers.set(which, 0, 0);
  process.timers.clear();
  process.fds.release(kernel);
  leaveTerminal(process);
  releaseMemory(process);
  process.exitStatus = status;
  process.state = 'zombie';
  process.stopSignal = 0;
  const signo = status & 0x7f;
  kernel.tracer?.exited(process, status);
  kernel.log.add('process.exit', signo ? { pid: process.pid, comm: process.comm, signo } : { pid: process.pid, comm: process.comm, status: status >> 8 });
  giveAwayChildren(process);
  reportEnd(process);
}

/** The process no longer uses its memory: exec has new memory for it, or it ends. A vfork parent goes on. */
export function releaseMemory(process: Process): void {
  process.space.destroy();
  process.vforked = false;
  process.vforkDone.wakeAll();
}

/** The thread runs no more. Its clear_child_tid word becomes zero and is woken, which is how a joiner learns of it. */
export function endThread(thread: Thread): void {
  const { process } = thread;
  if (thread.state === 'dead') return;
  thread.unblock();
  thread.state = 'dead';
  process.kernel.scheduler.remove(thread);
  leaveMemory(thread);
}

/** The thread ends, or executes another program: who shares the memory is told (kernel/fork.c, mm_release). */
export function leaveMemory(thread: Thread): void {
  releaseRobust(thread);
  clearTid(thread);
}

/** Only if somebody else uses the memory. */
function clearTid(thread: Thread): void {
  const { space, kernel, threads } = thread.process;
  if (thread.clearTid === 0 || (space.users < 2 && threads.length < 2)) return;
  space.writeWords(thread.clearTid, [0]);
  futexWake(kernel, space, thread.clearTid, 1, ~0);
  thread.clearTid = 0;
}

/** Orphans go to process 1; without one, to nobody, and dead ones vanish. */
function giveAwayChildren(process: Process): void {
  const { kernel } = process;
  const heir = kernel.init && kernel.init !== process && kernel.init.state === 'alive' ? kernel.init : null;
  for (const child of process.children) {
    child.parent = heir;
    if (child.deathSignal) signalProcess(child, { signo: child.deathSignal, code: SI.USER, pid: process.pid, uid: process.cred.uid });
    heir?.children.push(child);
    if (child.state !== 'zombie') continue;
    if (heir) reportEnd(child);
    else reap(child);
  }
  process.children = [];
}

/** Children their parent no longer knows of end at once, and theirs before them; it never hears of it. */
export function endAbandoned(parent: Process, children: readonly Process[]): void {
  const { init } = parent.kernel;
  for (const child of children) {
    endAbandoned(child, [...child.children]);
    parent.children = parent.children.filter((one) => one !== child);
    child.parent = init !== parent && init?.state === 'alive' ? init : null;
    child.parent?.children.push(child);
    if (child.state === 'alive') exitProcess(child, Signal.KILL);
    else reportEnd(child);
  }
}

/**
 * Undo the end of a process for a thaw: it is in the process table and `parent`'s child again, under its number. Threads and descriptors
 * are the thaw's to bring back, memory it was given before (`emptyMemory`).
 */
export function reviveProcess(process: Process, parent: Process | null): void {
  const { kernel } = process;
  Object.assign(process, { state: 'alive', exiting: false, exitStatus: 0, unreported: null, stopSignal: 0, threads: [], parent });
  process.pending = new PendingSignals();
  process.fds = new FdTable(kernel.memory, process.limits[Rlimit.NOFILE].soft);
  kernel.processes.set(process.pid, process);
  if (!parent) return;
  if (!parent.children.includes(process)) parent.children.push(process);
  parent.pending.queue = parent.pending.queue.filter(({ signo, pid }) => signo !== Signal.CHLD || pid !== process.pid);
}

/** A process that has ended gets a space with nothing in it, for a thaw to be planned on. */
export function emptyMemory(process: Process): void {
  process.space = new AddressSpace(process.kernel.ram, process.kernel.meter);
}

/** SIGCHLD for the parent; nobody will ask for the status if there is no parent or it ignores SIGCHLD (wait(2), NOTES). */
function reportEnd(process: Process): void {
  const { parent, exitStatus } = process;
  if (!parent) {
    reap(process);
    return;
  }
  const action = parent.actions[Signal.CHLD];
  const unwanted = process.exitSignal === Signal.CHLD && (action.handler === SIG_IGN || (action.flags & SA.NOCLDWAIT) !== 0);
  if (unwanted) leave(process);
  const signo = exitStatus & 0x7f;
  if (signo === 0) notifyParent(process, parent, SI.CLD_EXITED, exitStatus >> 8);
  else notifyParent(process, parent, exitStatus & CORE_DUMPED ? SI.CLD_DUMPED : SI.CLD_KILLED, signo);
}

function addUsage(to: Usage, from: Usage): void {
  for (const key of Object.keys(to) as (keyof Usage)[]) to[key] += from[key];
}

/** The status has been collected: what the process used is its parent's children's. */
export function reap(process: Process): void {
  const { parent } = process;
  if (parent) {
    addUsage(parent.childUsage, process.usage);
    addUsage(parent.childUsage, process.childUsage);
  }
  leave(process);
}

/** The process leaves the table. Who does not want to hear of children is not charged for them (getrusage(2), NOTES). */
function leave(process: Process): void {
  const { parent, kernel } = process;
  process.state = 'dead';
  kernel.processes.delete(process.pid);
  addUsage(kernel.ended, process.usage);
  if (!parent) return;
  parent.children = parent.children.filter((child) => child !== process);
}

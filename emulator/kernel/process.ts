import { snapshotClass, WaitQueue } from '../base/index.js';
import type { AddressSpace } from '../memory/address-space.js';
import type { Vnode } from '../vfs/vnode.js';
import { Credentials } from './credentials.js';
import type { FdTable } from './fd-table.js';
import type { Kernel } from './kernel.js';
import { defaultLimits, type Limit } from './limits.js';
import { PendingSignals } from './pending-signals.js';
import { defaultActions, type SigAction } from './signals.js';
import type { Thread } from './thread.js';
import { Signal } from './signal-numbers.js';
import { PosixTimers } from './posix-timers.js';
import type { Pty } from './tty/pty.js';
import { IntervalTimers } from './timers.js';

/** 'zombie': dead, status not yet collected. 'dead': collected, out of the process table. */
export type ProcessState = 'alive' | 'zombie' | 'dead';

/** Time used, in cycles, and events counted (getrusage(2)). */
export interface Usage {
  user: number;
  system: number;
  minorFaults: number;
  voluntarySwitches: number;
  involuntarySwitches: number;
}

export const noUsage = (): Usage => ({ user: 0, system: 0, minorFaults: 0, voluntarySwitches: 0, involuntarySwitches: 0 });

export class Process {
  readonly pid: number;
  readonly kernel: Kernel;
  state: ProcessState = 'alive';
  parent: Process | null = null;
  children: Process[] = [];
  pgid: number;
  sid: number;
  /** Its controlling terminal. */
  terminal: Pty | null = null;

  /** Program name, at most 15 characters (prctl PR_SET_NAME). */
  comm = '';
  /** Path the program was executed by. */
  exe = '';
  argv: string[] = [];
  envp: string[] = [];
  auxv: [number, number][] = [];

  /** Shared with the parent between vfork and exec: `retain` and `destroy` count the users. */
  space: AddressSpace;
  fds: FdTable;
  cwd: Vnode;
  root: Vnode;
  umask = 0o22;
  cred = new Credentials();
  /** Index = signal number, 1..128; [0] is unused. */
  actions: SigAction[] = defaultActions();
  limits: Limit[] = defaultLimits();

  threads: Thread[] = [];
  /** Signals sent to the process as a whole. */
  pending = new PendingSignals();
  /** Where readers of a signalfd sleep. */
  signalled = new WaitQueue();
  itimers: IntervalTimers = new IntervalTimers(this);
  /** POSIX timers by id (timer_create). */
  timers = new PosixTimers(this);
  nice = 0;

  /** Status word as wait4 gives it: 0x7f & signal, status << 8. Valid once state is not 'alive'. */
  exitStatus = 0;
  /** What the parent hears of the end: the low byte of clone's flags; 0 = nothing. */
  exitSignal: number = Signal.CHLD;
  /** The signal that stopped it, or 0. */
  stopSignal = 0;
  /** A stop or a continuation the parent has not yet collected. */
  unreported: 'stopped' | 'continued' | null = null;
  /** A fatal end is under way; no second one begins. */
  exiting = false;
  /** Where waiters for a change of any child sleep. */
  childChange = new WaitQueue();
  /** Where the parent of a vfork sleeps until exec or exit; `vforked` says it still does. */
  vforkDone = new WaitQueue();
  vforked = false;
  /** prctl PR_SET_PDEATHSIG, PR_SET_DUMPABLE, PR_SET_NO_NEW_PRIVS, PR_SET_KEEPCAPS. */
  deathSignal = 0;
  dumpable = true;
  noNewPrivileges = false;
  keepCapabilities = false;
  /** Has called execve since its fork. */
  executed = false;
  /** An upper layer wants to see its calls (hooks.beforeCall, hooks.sleep) and may save it from a fatal fault. */
  guarded = false;

  /** In cycles. */
  startTime: number;
  usage = noUsage();
  childUsage = noUsage();
  /** State of upper layers (checkpoint), by their name: plain data or snapshot classes. */
  extension = new Map<string, unknown>();

  constructor(kernel: Kernel, pid: number, space: AddressSpace, fds: FdTable, cwd: Vnode, root: Vnode) {
    this.kernel = kernel;
    this.pid = pid;
    this.pgid = pid;
    this.sid = pid;
    this.space = space;
    this.fds = fds;
    this.cwd = cwd;
    this.root = root;
    this.startTime = kernel.clock.cycles;
  }

  /** The thread the process is named after; it may have ended before the others. */
  get leader(): Thread | undefined {
    return this.threads.find((thread) => thread.tid === this.pid) ?? this.threads[0];
  }
}
snapshotClass('Process', Process);

import { Clock, EventLog, EventQueue, Ledger, Meter, Random, snapshotClass, type Fail } from '../base/index.js';
import { Cpu } from '../cpu/cpu.js';
import { Ram } from '../memory/ram.js';
import type { NetStack } from '../net/stack.js';
import type { Vfs } from '../vfs/vfs.js';
import type { Vnode } from '../vfs/vnode.js';
import { Console } from './console.js';
import type { Costs } from './costs.js';
import type { Credentials } from './credentials.js';
import type { FutexWaiter } from './futex.js';
import type { Injection } from './injection.js';
import { KernelMemory } from './kernel-memory.js';
import type { Limit } from './limits.js';
import type { OpenFile } from './open-file.js';
import { noUsage, type Process } from './process.js';
import { Scheduler } from './scheduler.js';
import { runMachine } from './run.js';
import { SI } from './signal-numbers.js';
import { signalProcess, signalThread, type SigInfo } from './signals.js';
import { spawnProcess } from './spawn.js';
import { Tracer } from './strace.js';
import { Thread } from './thread.js';
import './syscalls/index.js';

/** Entries of the list of unknown calls. */
const UNKNOWN_MAX = 500;

export interface KernelConfig {
  /** Device RAM in bytes. */
  ram: number;
  /** Clock rate in Hz. */
  hz: number;
  /** Cycles an instruction, a multiple of 1/64. */
  cpi: number;
  /** Scheduling quantum in instructions. */
  quantum: number;
  seed: number;
  costs: Costs;
  /** Seconds since the epoch at power-on. */
  bootEpoch?: number;
  hostname?: string;
}

/** Configuration of the checkpoint layer; the kernel only carries it. */
export interface CheckpointOptions {
  /** Store bits of sys_checkpoint: 0x100 vnode file, 0x200, 0x300, 0x400 the memory shunts. */
  store: number;
  /** Per program name. */
  daemons: Record<string, number>;
  quota: { checkpoints: number; bytes: number };
  poolFrames: number;
  checksum: boolean;
  /** Daemons the router freezes and thaws by itself; null: none. */
  guard: GuardOptions | null;
}

/** Transparent checkpoints, of programs that know nothing of them. Times in virtual nanoseconds. */
export interface GuardOptions {
  /** Program names as in /proc/PID/comm; '*': every process but the first. */
  daemons: string[];
  /** Between two freezes of a process at least. */
  intervalNs: number;
  /** An image this old is kept as the older generation, and a new one begun. */
  generationNs: number;
  /** Processor time from one round of the event loop to the next after which it counts as hung; 0: no watchdog. */
  watchdogNs: number;
  /** Thaws without a finished round before the older generation is tried, and as many again before the process is let die. */
  strikes: number;
  /** Faults at one instruction, rounds that ended well in between, before the first state is tried, lest all since be damaged; 0: never. */
  repeats: number;
}

export interface KernelOptions {
  /** Instructions after which cpu.run is left for the host's sake. It moves no event, preemption or log entry. */
  hostSlice: number;
  checkpoint: CheckpointOptions | null;
}

export interface SpawnOptions {
  stdio?: [OpenFile, OpenFile, OpenFile];
  cwd?: Vnode;
  cred?: Credentials;
  /** Resource limits that differ from the defaults, as [Rlimit number, limit]. */
  limits?: [number, Limit][];
  /** Becomes process 1, whom orphans are given to and whom unhandled signals do not hurt. */
  init?: boolean;
}

export interface RunResult {
  /** time: `until` reached. idle: all sleep and no event is due ever. halted: reboot(2). stopped: stop() or the instruction limit. */
  reason: 'time' | 'idle' | 'halted' | 'stopped' | 'breakpoint';
  /** The thread that met the breakpoint. */
  thread?: Thread;
}

export class Kernel {
  static readonly transient = ['cpu', 'tracer', 'stopRequested'];

  readonly clock: Clock;
  readonly events = new EventQueue();
  readonly log: EventLog;
  readonly ledger = new Ledger();
  readonly meter: Meter;
  readonly random: Random;
  readonly ram: Ram;
  readonly memory: KernelMemory;
  cpu: Cpu;
  readonly cpi: number;
  /** Set by whoever mounts the root filesystem, before the first spawn. */
  vfs!: Vfs;
  net: NetStack | null = null;
  console: Console;

  readonly scheduler: Scheduler;
  processes = new Map<number, Process>();
  /** Process 1, if there is one. */
  init: Process | null = null;
  futexes: FutexWaiter[] = [];
  options: KernelOptions = { hostSlice: 1_000_000, checkpoint: null };
  hostname: string;
  domainname = '(none)';
  /** Instructions retired by all threads. */
  retired = 0;
  /** "name program" or "number program" -> how often it was called without being known; for the end-of-run report. */
  unknownCalls = new Map<string, number>();
  /** State of other kernel parts and layers (System V IPC, checkpoint pools, …), by their name. */
  extension = new Map<string, unknown>();
  /** How the machine was halted by reboot(2), or null. */
  halted: 'halt' | 'poweroff' | 'restart' | null = null;
  /** What is done to threads at chosen instructions, or null. */
  injection: Injection | null = null;
  tracer: Tracer | null = null;
  stopRequested = false;
  /** Used by processes that have left the table: what /proc/stat tells of the machine never goes back. */
  readonly ended = noUsage();
  private nextPid = 2;
  /** Of at least two digits: net-tools takes a shorter "socket:[N]" for no socket. */
  private nextInode = 1000;

  constructor(config: KernelConfig) {
    this.clock = new Clock(config.hz, config.bootEpoch);
    this.log = new EventLog(this.clock);
    this.meter = new Meter(this.clock, this.ledger, config.costs);
    this.random = new Random(config.seed);
    this.ram = new Ram(config.ram);
    this.memory = new KernelMemory(this.ram);
    this.cpu = new Cpu(this.ram);
    this.console = new Console(this.log);
    this.cpi = config.cpi;
    this.scheduler = new Scheduler(config.quantum);
    this.hostname = config.hostname ?? 'shuntbox';
  }

  afterLoad(): void {
    this.cpu = new Cpu(this.ram);
    this.tracer = null;
    this.stopRequested = false;
  }

  /** The processor keeps its decoded code: Ram has told it which of it is stale. */
  afterRewind(): void {
    this.stopRequested = false;
  }

  /** Virtual time of the wall clock in ns since the epoch; a double holds it to 256 ns, so times are given as pairs where that matters. */
  realtime(): { seconds: number; nanoseconds: number } {
    return this.clock.realtime();
  }

  /** Inode number for an object without a filesystem: pipe, socket, eventfd. */
  newInode(): number {
    return this.nextInode++;
  }

  newPid(): number {
    return this.nextPid++;
  }

  /** The newest of all process and thread ids. */
  get lastPid(): number {
    return this.nextPid - 1;
  }

  /** Start a program as a new process without a parent. Without `stdio` it gets the console three times. */
  spawn(path: string, argv: string[], envp: string[], options: SpawnOptions = {}): Process | Fail {
    return spawnProcess(this, path, argv, envp, options);
  }

  /**
   * Run until virtual time `until` (cycles), or until `retired` reaches `stopAt` (exactly, or one more when that lies
   * between a branch and its delay slot; later only where the slice would have ended there anyway).
   */
  run(until: number, stopAt = Infinity): RunResult {
    return runMachine(this, until, stopAt);
  }

  /** Make run() return before the next instruction. */
  stop(): void {
    this.stopRequested = true;
  }

  /** Send a signal to a process, or to one thread. */
  signal(target: Process | Thread, signo: number, info: SigInfo = { signo, code: SI.KERNEL }): void {
    if (target instanceof Thread) signalThread(target, info);
    else signalProcess(target, info);
  }

  /** Signal every process of a group (the terminal's ^C). */
  signalGroup(pgid: number, signo: number, info: SigInfo = { signo, code: SI.KERNEL }): number {
    const members = [...this.processes.values()].filter((process) => process.pgid === pgid && process.state === 'alive');
    for (const member of members) signalProcess(member, { ...info });
    return members.length;
  }

  findThread(tid: number): Thread | undefined {
    for (const process of this.processes.values()) {
      const thread = process.threads.find((one) => one.tid === tid && one.state !== 'dead');
      if (thread) return thread;
    }
    return undefined;
  }

  /** Where strace lines go; no machine state. Null switches them off. */
  traceTo(sink: ((text: string) => void) | null): void {
    this.tracer = sink ? new Tracer(sink) : null;
  }

  /** Guests choose the words: only so many are told apart, and nothing in them can steer a terminal. */
  countUnknown(what: string, program: string): void {
    const name = `${what} ${program}`.replace(/[^\x20-\x7e]/g, '?');
    const key = this.unknownCalls.has(name) || this.unknownCalls.size < UNKNOWN_MAX ? name : 'others';
    this.unknownCalls.set(key, (this.unknownCalls.get(key) ?? 0) + 1);
  }
}
snapshotClass('Kernel', Kernel);

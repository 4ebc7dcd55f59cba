import { failed, snapshotClass, type EventTarget, type TimedEvent } from '../base/index.js';
import { killAbandoned, SI, Signal, signalProcess, type GuardOptions, type Kernel, type Process, type SigInfo, type Thread } from '../kernel/index.js';
import { TcpSocket } from '../kernel/tcp-socket.js';
import { freezeProcess } from './freeze.js';
import { layerOf } from './layer.js';
import { checkpointsOf, Policy } from './process-checkpoints.js';
import { thawProcess } from './thaw.js';

type Generation = 'newest' | 'older' | 'first';

/**
 * Transparent checkpoints: the router freezes a daemon that knows nothing of them at the top of its event loop, and thaws it when
 * it would die of a fault or does not come back to the top in time.
 *
 *   serving --wait call, input consumed, interval over--> freeze into the newest generation
 *   fault or watchdog --> thaw the newest; after `strikes` thaws without a finished round the older, then the first; then let it die
 *   SIGABRT --> thaw the first, made before any input: the program itself has found its state to be bad
 *
 * A round is finished when the daemon comes back to a wait call after it consumed input. A state made after a thaw is frozen only
 * after such a round, so that a state that leads into a fault at once is not saved again.
 */
interface Guarded {
  /** Descriptors of the newest generation, of the one before it, and of the state before any input; 0: none yet. */
  newest: number;
  older: number;
  first: number;
  /** Virtual times, cycles. */
  frozenAt: number;
  generationAt: number;
  /** Bytes of input consumed at the last freeze or thaw, over all open files. */
  consumed: number;
  /** Thaws since the last finished round. */
  strikes: number;
  /** Cycles the process had used when the round began. */
  usedAt: number;
  /** Children that existed at the freeze of each. */
  children: Record<Generation, number[]>;
  timer: TimedEvent | null;
}

/** One freeze for at most every 10 ms of traffic, two generations half a minute apart, a second of processor time for one round. */
export const defaultGuard: Omit<GuardOptions, 'daemons'> = { intervalNs: 10e6, generationNs: 30e9, watchdogNs: 1e9, strikes: 4 };

const fresh = (): Guarded => ({ newest: 0, older: 0, first: 0, frozenAt: -Infinity, generationAt: -Infinity, consumed: 0, strikes: 0, usedAt: 0, children: { newest: [], older: [], first: [] }, timer: null });

const KEY = 'guard';

/** Calls that are the top of an event loop whether they sleep or not. */
const loopCalls: ReadonlySet<string> = new Set(['poll', 'ppoll', 'ppoll_time64', '_newselect', 'pselect6', 'pselect6_time64', 'epoll_wait', 'epoll_pwait']);
/** What a thread is seen to wait for when a server without such a call waits for its next client or datagram. */
const idleWaits = /^(udp|raw|unix|netlink|packet|tcp|socket|datagram)\.(recv|accept|receive)/;

function guardedOf(process: Process): Guarded | null {
  return (process.extension.get(KEY) as Guarded | undefined) ?? null;
}

/** A program of the list begins to run: from now on it is watched. */
export function watch(process: Process, options: GuardOptions | null): void {
  process.extension.delete(KEY);
  process.guarded = options !== null && process !== process.kernel.init && (options.daemons.includes(process.comm) || options.daemons.includes('*'));
  if (process.guarded) process.extension.set(KEY, fresh());
}

export function unwatch(process: Process): void {
  process.guarded = false;
  process.extension.delete(KEY);
}

const consumedBy = (process: Process): number => process.fds.list().reduce((sum, fd) => sum + (process.fds.get(fd)?.consumed ?? 0), 0);

/** Before a call: is this the top of the loop? */
export function beforeCall(thread: Thread, name: string): void {
  if (loopCalls.has(name)) atTop(thread);
}

/** A call has put the thread to sleep. */
export function beforeSleep(thread: Thread): void {
  if (idleWaits.test(thread.blocked?.name ?? '')) atTop(thread);
}

function atTop(thread: Thread): void {
  const { process } = thread;
  const { kernel } = process;
  const guarded = guardedOf(process);
  const guard = layerOf(kernel)?.guard;
  if (!guarded || !guard) return;
  guarded.usedAt = process.usage.user + process.usage.system;
  const worked = consumedBy(process) !== guarded.consumed;
  if (worked) guarded.strikes = 0;
  const { options } = guard;
  const now = kernel.clock.cycles;
  const due = now - guarded.frozenAt >= kernel.clock.toCycles(options.intervalNs);
  if (guarded.newest === 0 || (worked && due)) freeze(kernel, process, guarded, options);
  guard.arm(process, guarded);
}

/** Into the newest generation while it is young; then the older one is given up for a new newest. The very first is made twice, and kept. */
function freeze(kernel: Kernel, process: Process, guarded: Guarded, options: GuardOptions): void {
  const now = kernel.clock.cycles;
  guarded.frozenAt = now;
  guarded.consumed = consumedBy(process);
  const children = process.children.map((child) => child.pid);
  if (guarded.first === 0) {
    guarded.first = Math.max(0, freezeProcess(kernel, process));
    guarded.children.first = children;
  }
  const old = guarded.newest === 0 || now - guarded.generationAt >= kernel.clock.toCycles(options.generationNs);
  const into = old ? guarded.older : guarded.newest;
  const descriptor = freezeProcess(kernel, process, into > 0 ? { into } : {});
  if (failed(descriptor)) return;
  if (old) {
    Object.assign(guarded, { older: guarded.newest, newest: descriptor, generationAt: now });
    guarded.children.older = guarded.children.newest;
  }
  guarded.children.newest = children;
}

/** A fault would end the process: thaw it instead. False: nothing left to thaw, let it die. */
export function rescue(thread: Thread, info: SigInfo): boolean {
  const { process } = thread;
  const guarded = guardedOf(process);
  const guard = layerOf(process.kernel)?.guard;
  if (!guarded || !guard || guarded.newest === 0) return false;
  process.kernel.log.add('guard.fault', { pid: process.pid, comm: process.comm, signo: info.signo, strikes: guarded.strikes });
  return goBack(process, guarded, guard, info.signo);
}

const generations: readonly Generation[] = ['newest', 'older', 'first'];

/** Where to go after so many thaws in a row that led nowhere; undefined: there is nothing left to try. */
function choose(guarded: Guarded, strikes: number, signo: number): Generation | undefined {
  const level = Math.floor(guarded.strikes / strikes);
  if (level >= generations.length) return undefined;
  return generations.slice(signo === Signal.ABRT ? generations.indexOf('first') : level).find((one) => guarded[one] > 0);
}

function goBack(process: Process, guarded: Guarded, guard: Guard, signo: number): boolean {
  const { kernel } = process;
  const { pid, comm } = process;
  const generation = choose(guarded, guard.options.strikes, signo);
  resetStreams(process);
  if (generation === undefined || failed(thawProcess(kernel, process, guarded[generation]))) {
    kernel.log.add('guard.gave-up', { pid, comm, strikes: guarded.strikes });
    return false;
  }
  guarded.strikes++;
  guarded.consumed = consumedBy(process);
  guarded.usedAt = process.usage.user + process.usage.system;
  // What is newer than the state gone back to is not trusted: the next freeze replaces it.
  if (generation !== 'newest') guarded.generationAt = kernel.clock.cycles;
  const known = guarded.children[generation];
  killAbandoned(process, process.children.filter((child) => !known.includes(child.pid)));
  kernel.log.add('guard.serving', { pid, comm, generation, state: guarded[generation], strikes: guarded.strikes });
  guard.arm(process, guarded);
  return true;
}

/** A stream of which bytes were read since the freeze stands in the middle of a message: it is reset. Datagrams are dropped by having been read. */
function resetStreams(process: Process): void {
  const state = checkpointsOf(process);
  for (const fd of process.fds.list()) {
    const file = process.fds.get(fd);
    if (file instanceof TcpSocket) state.setPolicy(fd, file, Policy.reset);
  }
}

/** Seen from outside: a thread of it waits for the next client, datagram or event. */
const waitsAtTop = (process: Process): boolean =>
  process.threads.some(({ blocked }) => blocked !== null && (/^(poll|select|epoll)$/.test(blocked.name) || idleWaits.test(blocked.name)));

/** The guard of one machine: its options, and the watchdogs. */
export class Guard implements EventTarget {
  readonly options: GuardOptions;
  private readonly kernel: Kernel;

  constructor(kernel: Kernel, options: GuardOptions) {
    this.options = options;
    this.kernel = kernel;
  }

  /** Expect the process at the top of its loop again before it has used `ns` of processor time. */
  arm(process: Process, guarded: Guarded, ns = this.options.watchdogNs): void {
    const { clock, events } = this.kernel;
    events.cancel(guarded.timer);
    guarded.timer = this.options.watchdogNs > 0 ? events.at(clock.cycles + clock.toCycles(ns), this, 'watchdog', process.pid) : null;
  }

  onEvent(_kind: string, argument: unknown): void {
    const process = this.kernel.processes.get(argument as number);
    const guarded = process && guardedOf(process);
    if (!guarded || process.state !== 'alive') return;
    const now = process.usage.user + process.usage.system;
    if (waitsAtTop(process)) guarded.usedAt = now;
    const used = this.kernel.clock.toNanoseconds(now - guarded.usedAt);
    if (used < this.options.watchdogNs) this.arm(process, guarded, this.options.watchdogNs - used);
    else this.hung(process, guarded);
  }

  private hung(process: Process, guarded: Guarded): void {
    const { pid, comm, leader } = process;
    const pc = leader?.ctx.pc ?? 0;
    checkpointsOf(process).cause = { signo: Signal.XCPU, pc, address: 0 };
    this.kernel.log.add('guard.hang', { pid, comm, pc });
    if (!goBack(process, guarded, this, Signal.XCPU)) signalProcess(process, { signo: Signal.KILL, code: SI.KERNEL });
  }
}
snapshotClass('Guard', Guard);

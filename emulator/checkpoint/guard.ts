import { snapshotClass, type EventTarget } from '../base/index.js';
import { SI, Signal, signalProcess, type GuardOptions, type Kernel, type Process, type SigInfo, type Thread } from '../kernel/index.js';
import { TcpSocket } from '../kernel/tcp-socket.js';
import { UnixSocket } from '../kernel/unix-socket.js';
import { endTrial, suspect } from './fault-sites.js';
import { groupOf, isAsleep, isAtTop, isIn, isQuiet, knows, mayJoin, memberOf, newGroup, seatChild, seatWithParents, unseat, type Group, type GroupState, type Member } from './group.js';
import { freezeGroup, leaveGroup, sweepDeparted, thawGroup } from './group-state.js';
import { layerOf } from './layer.js';
import { checkpointsOf, Policy } from './process-checkpoints.js';

type Generation = 'newest' | 'older' | 'first';

/*
 * Transparent checkpoints: the router freezes a daemon that knows nothing of them at the top of its event loop, and thaws it when
 * it would die of a fault or does not come back to the top in time. A daemon with a pool of workers is one group (group.ts): all
 * of it is frozen when one of them is at the top and the others sleep, and all of it is thawed when one of them faults.
 *
 *   serving --wait call, input consumed, interval over--> freeze into the newest generation
 *   fault or watchdog --> thaw the newest; after `strikes` thaws without a finished round the older, then the first; then let it die
 *   the `repeats`th fault at one instruction --> thaw the first and try whether all states since then are damaged (fault-sites.ts)
 *   SIGABRT --> thaw the first, made before any input: the program itself has found its state to be bad
 *
 * A round is finished when the daemon comes back to a wait call after it consumed input. A state made after a thaw is frozen only
 * after such a round, so that a state that leads into a fault at once is not saved again.
 */

/**
 * One freeze for at most every 10 ms of traffic, two generations half a minute apart, a second of processor time for one round. No trials: under
 * an attack that is repeated, what a DHCP server promises during one it has promised to somebody else already.
 */
export const defaultGuard: Omit<GuardOptions, 'daemons'> = { intervalNs: 10e6, generationNs: 30e9, watchdogNs: 1e9, strikes: 4, repeats: 0 };

/** Calls that are the top of an event loop whether they sleep or not. */
const loopCalls: ReadonlySet<string> = new Set(['poll', 'ppoll', 'ppoll_time64', '_newselect', 'pselect6', 'pselect6_time64', 'epoll_wait', 'epoll_pwait']);

/** A program of the list begins to run: from now on it is watched. */
export function watch(process: Process, options: GuardOptions | null): void {
  unseat(process);
  const watched = options !== null && process !== process.kernel.init && (options.daemons.includes(process.comm) || options.daemons.includes('*'));
  if (watched) newGroup([process]);
}

/** A child of a guarded process may become one of its workers. */
export const forked = seatChild;

/** The process ends, or executes another program. True: its checkpoints are wanted further. */
export function leave(process: Process, ends: boolean): boolean {
  const group = groupOf(process);
  if (group && memberOf(process)) return leaveGroup(process, group, ends);
  unseat(process);
  return false;
}

/** Clients taken from its listeners. */
const acceptedBy = ({ fds }: Process): number => fds.list().reduce((sum, fd) => sum + (fds.get(fd)?.accepted ?? 0), 0);

/** Before a call: is this the top of the loop? */
export function beforeCall(thread: Thread, name: string): void {
  if (loopCalls.has(name)) atTop(thread, false);
}

/** A call has put the thread to sleep. */
export function beforeSleep(thread: Thread): void {
  if (thread.blocked?.top) atTop(thread, true);
}

function atTop(thread: Thread, asleep: boolean): void {
  const { process } = thread;
  const { kernel } = process;
  const guard = layerOf(kernel)?.guard;
  const member = guard && (memberOf(process) ?? join(thread, asleep));
  const group = groupOf(process);
  if (!guard || !member || !group) return;
  member.served = true;
  member.usedAt = process.usage.user + process.usage.system;
  const worked = process.fds.consumed !== member.consumed;
  member.rounds++;
  if (worked) finishRound(member, group);
  if (worked || acceptedBy(process) !== member.accepted) group.worked = true;
  const { options } = guard;
  if (isDue(kernel, group, options)) freezeIfQuiet(process, group, options);
  if (group.changed) guard.freezeLater(group);
  guard.arm(member);
}

/** Freezes of a pool take a fifth of the processor at most. */
const REST = 4;
/** How long a freeze waits for a member that sleeps in the middle of its work, as one does that writes to a slow client. */
const PATIENCE_NS = 1e9;

function freezeIfQuiet(process: Process, group: Group, options: GuardOptions): void {
  const { kernel } = process;
  const { clock } = kernel;
  const patient = clock.cycles - group.dueSince < clock.toCycles(PATIENCE_NS);
  group.dueSince = Math.min(group.dueSince, clock.cycles);
  if (isQuiet(group, process, patient)) freeze(kernel, group, options);
}

/** A worker that comes before there was any input is waited for no longer than it takes: the first state is to have it. */
function isDue(kernel: Kernel, group: Group, { intervalNs }: GuardOptions): boolean {
  if (isTrying(kernel, group)) return false;
  if (group.newest === null || (group.changed && !group.touched && !group.worked)) return true;
  const { cycles } = kernel.clock;
  return (group.worked || group.changed) && cycles >= group.restUntil && cycles - group.frozenAt >= kernel.clock.toCycles(intervalNs);
}

/** A parent that takes no input itself finishes its rounds with its workers', once it has been through its loop since the last thaw. */
function finishRound(member: Member, group: Group): void {
  member.strikes = 0;
  member.reads = true;
  for (const one of group.members) if (!one.reads && (one.served ? one.rounds > 1 : isAsleep(one.process))) one.strikes = 0;
}

/** A worker's first time at the top. Whose head has gone, as a daemon's first process does, is a head itself. */
function join(thread: Thread, asleep: boolean): Member | null {
  const { process } = thread;
  const group = groupOf(process);
  if (!group || !mayJoin(thread, group, asleep)) return null;
  if (group.ended) return (group.heir = newGroup([process])).members[0];
  group.changed = true;
  const member = seatWithParents(group, process);
  note(member);
  process.kernel.log.add('guard.join', { pid: process.pid, comm: process.comm, head: group.members[0].process.pid, members: group.members.length });
  return member;
}

/** Into the newest generation while it is young; then the older one is given up for a new newest. The very first is made twice, and kept. */
function freeze(kernel: Kernel, group: Group, options: GuardOptions): void {
  const now = kernel.clock.cycles;
  group.frozenAt = now;
  if (group.worked && group.first) group.touched = true;
  if (group.first === null || !group.touched) group.first = freezeGroup(kernel, group, group.first) ?? group.first;
  const old = group.newest === null || now - group.generationAt >= kernel.clock.toCycles(options.generationNs);
  const state = freezeGroup(kernel, group, old ? group.older : group.newest);
  if (group.members.length > 1) group.restUntil = kernel.clock.cycles + REST * (kernel.clock.cycles - now);
  settle(group);
  if (!state) return;
  if (old) Object.assign(group, { older: group.newest, generationAt: now });
  group.newest = state;
  sweepDeparted(kernel, group);
}

/** What has been consumed up to now is no news any more. */
function settle(group: Group): void {
  Object.assign(group, { worked: false, changed: false, dueSince: Infinity });
  group.members.forEach(note);
}

function note(member: Member): void {
  member.consumed = member.process.fds.consumed;
  member.accepted = acceptedBy(member.process);
}

/** A fault would end the process: thaw it, and its group, instead. False: nothing left to thaw, let it die. */
export function rescue(thread: Thread, info: SigInfo): boolean {
  const { process } = thread;
  const { pid, comm, kernel } = process;
  const member = memberOf(process);
  const group = groupOf(process);
  const guard = layerOf(kernel)?.guard;
  if (!guard || !member || !group?.newest) return false;
  kernel.log.add('guard.fault', { pid, comm, signo: info.signo, strikes: member.strikes });
  return goBack(member, group, guard, judge(thread, group, guard.options, info.signo), info.signo);
}

/** How far back the place of the fault demands. */
function judge({ process, ctx }: Thread, group: Group, { repeats, generationNs }: GuardOptions, signo: number): Generation {
  const { pid, comm, kernel } = process;
  const { clock, log } = kernel;
  const pc = ctx.pc >>> 0;
  isTrying(kernel, group);
  const suspicion = suspect(group.sites, { pc, signo, now: clock.cycles }, repeats, clock.toCycles(generationNs));
  if (suspicion === 'none') return 'newest';
  if (suspicion !== 'on-trial') log.add('guard.trial', { pid, comm, pc, signo, verdict: suspicion === 'acquit' ? 'input' : 'open' });
  return suspicion === 'acquit' ? 'newest' : 'first';
}

/** While the first state is tried nothing is frozen: the newest is kept in case it was the input. */
function isTrying(kernel: Kernel, group: Group): boolean {
  const { sites, members } = group;
  const { trial } = sites;
  if (trial && endTrial(sites, kernel.clock.cycles)) {
    const { pid, comm } = members[0].process;
    kernel.log.add('guard.trial', { pid, comm, pc: trial.site.pc, signo: trial.site.signo, verdict: 'damage' });
  }
  return sites.trial !== null;
}

const generations: readonly Generation[] = ['newest', 'older', 'first'];

/** Where to go after so many thaws in a row that led nowhere, `least` that far back; undefined: there is nothing left to try. */
function choose(group: Group, member: Member, strikes: number, least: Generation): Generation | undefined {
  const level = Math.floor(member.strikes / strikes);
  if (level >= generations.length) return undefined;
  return generations.slice(Math.max(level, generations.indexOf(least))).find((one) => group[one] !== null);
}

function goBack(member: Member, group: Group, guard: Guard, least: Generation, signo: number): boolean {
  const { process } = member;
  const { kernel, pid, comm } = process;
  const generation = choose(group, member, guard.options.strikes, signo === Signal.ABRT ? 'first' : least);
  const state = generation === undefined ? null : group[generation];
  // One that was no member yet, and stays as it is, would only fault again.
  const helps = state !== null && (isIn(state, process) || !knows(state, process));
  for (const one of group.members) cutStreams(one.process);
  if (!helps || !thawGroup(kernel, group, state)) {
    kernel.log.add('guard.gave-up', { pid, comm, strikes: member.strikes });
    return false;
  }
  member.strikes++;
  settle(group);
  // What is newer than the state gone back to is not trusted: the next freeze replaces it.
  if (generation !== 'newest') group.generationAt = kernel.clock.cycles;
  kernel.log.add('guard.serving', { pid, comm, generation: generation as string, state: descriptorOf(state, process), strikes: member.strikes, ...(state.members.length > 1 ? { members: state.members.length } : {}) });
  for (const one of group.members) one.rounds = 0;
  for (const one of group.members.filter(({ served }) => served)) {
    one.usedAt = one.process.usage.user + one.process.usage.system;
    guard.arm(one);
  }
  return true;
}

const descriptorOf = (state: GroupState, process: Process): number => (state.members.find((one) => one.process === process) ?? state.members[0]).descriptor;

/** A stream on which bytes moved since the freeze stands in the middle of a message: it is reset. Datagrams are dropped by having been read. */
function cutStreams(process: Process): void {
  const state = checkpointsOf(process);
  for (const fd of process.fds.list()) {
    const file = process.fds.get(fd);
    if (file instanceof TcpSocket || file instanceof UnixSocket) state.setPolicy(fd, file, Policy.cut);
  }
}

/** The guard of one machine: its options, and the watchdogs. */
export class Guard implements EventTarget {
  readonly options: GuardOptions;
  private readonly kernel: Kernel;

  constructor(kernel: Kernel, options: GuardOptions) {
    this.options = options;
    this.kernel = kernel;
  }

  /** Expect the member at the top of its loop again before it has used `ns` of processor time. */
  arm(member: Member, ns = this.options.watchdogNs): void {
    const { clock, events } = this.kernel;
    events.cancel(member.timer);
    member.timer = this.options.watchdogNs > 0 ? events.at(clock.cycles + clock.toCycles(ns), this, 'watchdog', member.process.pid) : null;
  }

  /** A worker has come, and there may be no input for long: freeze when it is due. */
  freezeLater(group: Group): void {
    const { clock, events } = this.kernel;
    if (group.expected) return;
    group.expected = true;
    const due = Math.max(clock.cycles + 1, group.restUntil, group.frozenAt + clock.toCycles(this.options.intervalNs));
    events.at(due, this, 'freeze', group.members[0].process.pid);
  }

  onEvent(kind: string, argument: unknown): void {
    const process = this.kernel.processes.get(argument as number);
    const member = process && memberOf(process);
    if (!member || process.state !== 'alive') return;
    if (kind === 'freeze') this.freezeNow(process);
    else this.check(process, member);
  }

  private freezeNow(head: Process): void {
    const group = groupOf(head);
    if (!group) return;
    group.expected = false;
    if (group.changed && isDue(this.kernel, group, this.options) && isQuiet(group, null, true)) freeze(this.kernel, group, this.options);
  }

  private check(process: Process, member: Member): void {
    const now = process.usage.user + process.usage.system;
    if (isAtTop(process)) member.usedAt = now;
    const used = this.kernel.clock.toNanoseconds(now - member.usedAt);
    if (used < this.options.watchdogNs) this.arm(member, this.options.watchdogNs - used);
    else this.hung(member);
  }

  private hung(member: Member): void {
    const { process } = member;
    const { pid, comm, leader } = process;
    const group = groupOf(process);
    const pc = leader?.ctx.pc ?? 0;
    checkpointsOf(process).cause = { signo: Signal.XCPU, pc, address: 0 };
    this.kernel.log.add('guard.hang', { pid, comm, pc });
    if (!group || !goBack(member, group, this, group.sites.trial ? 'first' : 'newest', Signal.XCPU)) signalProcess(process, { signo: Signal.KILL, code: SI.KERNEL });
  }
}
snapshotClass('Guard', Guard);

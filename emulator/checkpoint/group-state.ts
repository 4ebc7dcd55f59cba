import { failed } from '../base/index.js';
import { emptyMemory, endAbandoned, reviveProcess, type Kernel, type Process } from '../kernel/index.js';
import { holdsLock } from '../kernel/locks.js';
import type { OpenFile } from '../kernel/open-file.js';
import { TcpSocket } from '../kernel/tcp-socket.js';
import { UnixSocket } from '../kernel/unix-socket.js';
import { dropCheckpoint, freezeProcess } from './freeze.js';
import { forgetFiles, isKept, recallFiles, recordFiles, type GroupFiles } from './group-files.js';
import { filesOf, isIn, memberOf, newGroup, seat, statesOf, unseat, type Departed, type FrozenMember, type Group, type GroupState } from './group.js';
import { checkpointsOf } from './process-checkpoints.js';
import type { ThawGroup } from './thaw-plan.js';
import { abandonThaw, commitThaw, prepareThaw, type PreparedThaw } from './thaw.js';

/*
 * One freeze of all members at one moment, and one thaw. Nothing of the machine runs in between.
 */

/** All members as they are now, instead of `replaced`. Null when something failed; every older state is then as it was. */
export function freezeGroup(kernel: Kernel, group: Group, replaced: GroupState | null): GroupState | null {
  const processes = group.members.map(({ process }) => process);
  const files = recordFiles(kernel, processes, group.departed.flatMap(({ held }) => held));
  if (failed(files)) return null;
  const alone = processes.length === 1 && (!replaced || (replaced.members.length === 1 && isIn(replaced, processes[0])));
  return alone ? freezeAlone(kernel, processes[0], files, replaced) : freezeAll(kernel, processes, files, replaced);
}

function freezeAll(kernel: Kernel, processes: readonly Process[], files: GroupFiles, replaced: GroupState | null): GroupState | null {
  const elsewhere = new Set<number>();
  const members: FrozenMember[] = [];
  for (const process of processes) {
    const descriptor = freezeProcess(kernel, process, { elsewhere });
    if (failed(descriptor)) {
      dropState(kernel, { members, files });
      return null;
    }
    members.push(frozen(process, descriptor));
  }
  if (replaced) dropState(kernel, replaced);
  return { members, files };
}

/** A process alone is frozen over the image that is replaced. */
function freezeAlone(kernel: Kernel, process: Process, files: GroupFiles, replaced: GroupState | null): GroupState | null {
  const descriptor = freezeProcess(kernel, process, replaced ? { into: replaced.members[0].descriptor } : {});
  const given = failed(descriptor) ? files : replaced?.files;
  if (given) forgetFiles(kernel, given);
  return failed(descriptor) ? null : { members: [frozen(process, descriptor)], files };
}

const frozen = (process: Process, descriptor: number): FrozenMember => ({ process, descriptor, parent: process.parent, children: process.children.map(({ pid }) => pid) });

function dropState(kernel: Kernel, { members, files }: GroupState): void {
  for (const { process, descriptor } of members) dropCheckpoint(kernel, process, descriptor);
  forgetFiles(kernel, files);
}

/** Dead workers that no state has any more are gone for good. */
export function sweepDeparted(kernel: Kernel, group: Group): void {
  const states = statesOf(group);
  const gone = group.departed.filter(({ process }) => !states.some((state) => isIn(state, process)));
  if (gone.length === 0) return;
  group.departed = group.departed.filter((one) => !gone.includes(one));
  for (const { held } of gone) for (const file of held) file.release(kernel);
}

/**
 * The whole group as it was: workers that have ended come back, children that have come since end. False when an image
 * cannot be thawed; then nothing has changed.
 */
export function thawGroup(kernel: Kernel, group: Group, state: GroupState): boolean {
  const dead = state.members.filter(({ process }) => process.state !== 'alive');
  for (const { process } of dead) emptyMemory(process);
  const newcomers = newcomersOf(group, state);
  const prepared = prepareAll(kernel, state, thawTogether(state, dead, newcomers));
  if (!prepared) return false;
  for (const child of newcomers) if (child.parent) endAbandoned(child.parent, [child]);
  for (const { process, parent } of dead) {
    const lives = parent?.state === 'alive' || dead.some((one) => one.process === parent);
    reviveProcess(process, lives ? parent : kernel.init);
    kernel.log.add('guard.revive', { pid: process.pid, comm: process.comm });
  }
  takeBackChildren(group, state);
  state.members.forEach(({ process }, i) => commitThaw(kernel, process, prepared[i]));
  recallFiles(kernel, state.files);
  for (const { process } of dead) comeBack(kernel, group, process);
  return true;
}

/** A connection that was closed comes back as one that was reset: to a program that knows nothing, a descriptor that has gone would be another's soon. */
function thawTogether(state: GroupState, dead: readonly FrozenMember[], newcomers: readonly Process[]): ThawGroup {
  const revived = new Set(dead.map(({ process }) => process));
  const frames = new Set<number>();
  for (const { process, descriptor } of state.members) {
    const checkpoint = checkpointsOf(process).find(descriptor);
    if (!failed(checkpoint)) for (const frame of checkpoint.own.sharedFrames) frames.add(frame);
  }
  return {
    processes: new Set([...state.members.map(({ process }) => process), ...newcomers]), frames,
    comesBack: (process, file) => state.files.own.has(file) || (revived.has(process) && file.refs > 0) || (file.refs === 0 && file.reopens && isStream(file)),
  };
}

const isStream = (file: OpenFile): boolean => file instanceof TcpSocket || file instanceof UnixSocket;

/** Null, and every plan given up, when one of them fails. */
function prepareAll(kernel: Kernel, state: GroupState, group: ThawGroup): PreparedThaw[] | null {
  const prepared: PreparedThaw[] = [];
  for (const { process, descriptor } of state.members) {
    const one = prepareThaw(kernel, process, descriptor, { group });
    if (failed(one)) {
      kernel.log.add('checkpoint.fail', { pid: process.pid, comm: process.comm, op: 'thaw', errno: -one });
      for (const other of prepared) abandonThaw(kernel, other);
      return null;
    }
    prepared.push(one);
  }
  return prepared;
}

/** Children that the state does not know, of members that live and of those that have ended. */
function newcomersOf(group: Group, state: GroupState): Process[] {
  return state.members.flatMap(({ process, children }) => {
    const left = group.departed.find((one) => one.process === process)?.children ?? process.children;
    return left.filter((child) => !children.includes(child.pid) && child.state !== 'dead');
  });
}

/** Children of a worker that has ended were given away. */
function takeBackChildren(group: Group, state: GroupState): void {
  for (const { process, children } of state.members) {
    const left = group.departed.find((one) => one.process === process)?.children ?? [];
    for (const child of left) {
      if (!children.includes(child.pid) || child.state === 'dead' || child.parent === process) continue;
      if (child.parent) child.parent.children = child.parent.children.filter((one) => one !== child);
      child.parent = process;
      process.children.push(child);
    }
  }
}

function comeBack(kernel: Kernel, group: Group, process: Process): void {
  const member = seat(group, process);
  for (const { served, held } of group.departed.filter((one) => one.process === process)) {
    member.served = served;
    for (const file of held) file.release(kernel);
  }
  group.departed = group.departed.filter((one) => one.process !== process);
}

/**
 * A member leaves: it ends, or (`ends` false) it executes another program. True: its checkpoints are wanted further, for it to come
 * back with its group. With the head the group ends, and the workers that are left are one of their own.
 */
export function leaveGroup(process: Process, group: Group, ends: boolean): boolean {
  const { kernel } = process;
  const member = memberOf(process);
  const wasHead = group.members[0] === member;
  kernel.events.cancel(member?.timer ?? null);
  group.members = group.members.filter((one) => one !== member);
  const kept = ends && !wasHead && statesOf(group).some((state) => isIn(state, process));
  if (kept) group.departed.push({ process, served: member?.served ?? false, held: hold(process), children: [...process.children] });
  unseat(process);
  if (wasHead) dissolve(kernel, group, process);
  else if (!ends) forgetWith(kernel, group, process);
  return kept;
}

function hold(process: Process): Departed['held'] {
  return filesOf(process).filter((file) => isKept(file) && !holdsLock(file, process.fds)).map((file) => file.addRef());
}

/** Another program runs under the number: states that have the old one cannot come back. The next freeze makes new ones. */
function forgetWith(kernel: Kernel, group: Group, process: Process): void {
  for (const generation of ['first', 'older', 'newest'] as const) {
    const state = group[generation];
    if (!state || !isIn(state, process)) continue;
    dropState(kernel, state);
    group[generation] = null;
  }
  sweepDeparted(kernel, group);
}

/** The head's own images are dropped by whoever ends it. */
function dissolve(kernel: Kernel, group: Group, head: Process): void {
  for (const { members, files } of statesOf(group)) dropState(kernel, { members: members.filter(({ process }) => process !== head), files });
  Object.assign(group, { newest: null, older: null, first: null, ended: true });
  sweepDeparted(kernel, group);
  const left = group.members.map(({ process }) => process);
  if (left.length > 0) group.heir = newGroup(left);
}

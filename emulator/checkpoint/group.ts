import { failed, type TimedEvent } from '../base/index.js';
import { EpollFile } from '../kernel/eventpoll.js';
import type { Process, Thread } from '../kernel/index.js';
import { InetSocket } from '../kernel/inet-socket.js';
import { Poll, type OpenFile } from '../kernel/open-file.js';
import { SocketType } from '../kernel/socket-numbers.js';
import { TcpSocket } from '../kernel/tcp-socket.js';
import { UnixSocket } from '../kernel/unix-socket.js';
import type { FaultSites } from './fault-sites.js';
import type { GroupFiles } from './group-files.js';

/**
 * Who is frozen and thawed together: a guarded daemon, the head, and its pool of workers. All of it is plain data.
 *
 * A forked child of a member that has not executed another program becomes a worker when it comes to the top of a loop itself, and
 *   - was forked before the group had a first state, so that it cannot have been forked for a client; or
 *   - sleeps there for clients on a listener, or a datagram socket without a peer, that another member has as well.
 * Every other child is one client's: it is not frozen, costs nothing, and when it faults it dies alone.
 */
export interface Group {
  /** The head first. */
  members: Member[];
  newest: GroupState | null;
  older: GroupState | null;
  /** Before any input. */
  first: GroupState | null;
  /** Virtual times, cycles; several processes rest after a freeze for as long as it took, a few times over. */
  frozenAt: number;
  restUntil: number;
  generationAt: number;
  /** Since when a freeze is due that waits for a member in the middle of its work; Infinity: none is. */
  dueSince: number;
  /** Since the last freeze or thaw: a member has consumed input and come back to the top; a worker has come. */
  worked: boolean;
  changed: boolean;
  /** An event is to come that freezes for the sake of who has come. */
  expected: boolean;
  /** A member has consumed input ever. */
  touched: boolean;
  /** Where members faulted. */
  sites: FaultSites;
  /** Dead workers that are in a state. */
  departed: Departed[];
  /** The head has ended: what its children belong to now, once there is one. */
  ended: boolean;
  heir: Group | null;
}

export interface Member {
  process: Process;
  /** Input it had taken at the last freeze or thaw: bytes, and clients from its listeners. */
  consumed: number;
  accepted: number;
  /** Thaws it caused since the last round it finished. */
  strikes: number;
  /** It has been at the top; how often since the last thaw. */
  served: boolean;
  rounds: number;
  /** It has consumed input ever. */
  reads: boolean;
  /** Cycles the process had used when the round began. */
  usedAt: number;
  timer: TimedEvent | null;
}

/** One moment of a group. */
export interface GroupState {
  members: FrozenMember[];
  files: GroupFiles;
}

export interface FrozenMember {
  process: Process;
  descriptor: number;
  parent: Process | null;
  /** Process ids of its children then. */
  children: number[];
}

/** A worker that has ended: what it held and nobody may close before its states go, and the children it left. */
export interface Departed {
  process: Process;
  served: boolean;
  held: OpenFile[];
  children: Process[];
}

/** What the guard keeps for a process: its group, and whether it is a member of it already. */
interface Seat {
  group: Group;
  member: Member | null;
  /** Forked before the group had a first state. */
  early: boolean;
}

const KEY = 'guard';

export function seatOf(process: Process): Seat | null {
  return (process.extension.get(KEY) as Seat | undefined) ?? null;
}

export function memberOf(process: Process): Member | null {
  return seatOf(process)?.member ?? null;
}

/** The group of a process, and the one its children belong to when the head has ended. */
export function groupOf(process: Process): Group | null {
  const seat = seatOf(process);
  if (!seat) return null;
  while (seat.group.heir) seat.group = seat.group.heir;
  return seat.group;
}

const fresh = (process: Process): Member => ({ process, consumed: 0, accepted: 0, strikes: 0, served: false, rounds: 0, reads: false, usedAt: 0, timer: null });

export function newGroup(processes: readonly Process[]): Group {
  const group: Group = {
    members: [], newest: null, older: null, first: null, frozenAt: -Infinity, restUntil: -Infinity, generationAt: -Infinity, dueSince: Infinity,
    worked: false, changed: false, expected: false, touched: false, sites: { list: [], trial: null }, departed: [], ended: false, heir: null,
  };
  for (const process of processes) seat(group, process);
  return group;
}

/** Make a process a member; who is one already only changes its group. */
export function seat(group: Group, process: Process): Member {
  const member = memberOf(process) ?? fresh(process);
  process.guarded = true;
  process.extension.set(KEY, { group, member, early: true } satisfies Seat);
  if (!group.members.includes(member)) group.members.push(member);
  return member;
}

/** A child of anyone with a seat has one too, as a candidate. */
export function seatChild(parent: Process, child: Process): void {
  const group = groupOf(parent);
  child.extension.delete(KEY);
  child.guarded = group !== null;
  if (group) child.extension.set(KEY, { group, member: null, early: group.first === null && !group.touched } satisfies Seat);
}

export function unseat(process: Process): void {
  process.guarded = false;
  process.extension.delete(KEY);
}

/** Make it a member, after those between it and the head. */
export function seatWithParents(group: Group, process: Process): Member {
  const { parent } = process;
  if (parent && groupOf(parent) === group && !memberOf(parent)) seatWithParents(group, parent);
  return seat(group, process);
}

/** A candidate has come to the top of a loop, and sleeps there unless `asleep` is false: does it join? */
export function mayJoin(thread: Thread, group: Group, asleep: boolean): boolean {
  return (seatOf(thread.process)?.early ?? false) || (asleep && waitsForClients(thread, group));
}

/** It sleeps on something that another member has too and that gives clients to whoever comes first. */
function waitsForClients(thread: Thread, group: Group): boolean {
  const { process, blocked } = thread;
  const theirs = new Set(group.members.filter((member) => member.process !== process).flatMap((member) => filesOf(member.process)));
  const sources = new Set(filesOf(process).filter((file) => theirs.has(file) && givesClients(file)));
  if (sources.size === 0 || !blocked) return false;
  const queues = new Set(blocked.queues);
  const waitedOn = (file: OpenFile): boolean => file.waitQueues(Poll.IN).some((queue) => queues.has(queue));
  return filesOf(process).some((file) => waitedOn(file) && (sources.has(file) || (file instanceof EpollFile && file.watchesAny(sources))));
}

function givesClients(file: OpenFile): boolean {
  if (file instanceof TcpSocket) return file.connection.state === 'LISTEN';
  if (file instanceof UnixSocket) return file.listing().listening || (file.type === SocketType.DGRAM && failed(file.peerName()));
  return file instanceof InetSocket && failed(file.peerName());
}

/** Open files, each once. */
export function filesOf(process: Process): OpenFile[] {
  return [...new Set(process.fds.list().map((fd) => process.fds.get(fd) as OpenFile))];
}

/**
 * May the group be frozen now, with this member at the top? Not while another runs: it is in the middle of its work, and that would keep what
 * it is about to die of. One that sleeps, but not at its top, is in the middle of its work too; it is waited for if `patient`.
 */
export function isQuiet(group: Group, process: Process | null, patient: boolean): boolean {
  return group.members.every((one) => one.process === process || (isAsleep(one.process) && (!patient || !one.served || isAtTop(one.process))));
}

/** Woken and not yet run counts: it stands at its call. */
export function isAsleep(process: Process): boolean {
  return process.threads.every((thread) => thread.blocked !== null || thread.state === 'stopped' || thread.state === 'dead');
}

/** A thread of it waits for the next client, datagram or event. */
export function isAtTop(process: Process): boolean {
  return process.threads.some(({ blocked }) => blocked?.top === true);
}

export function statesOf(group: Group): GroupState[] {
  return [group.first, group.older, group.newest].filter((state) => state !== null);
}

export function isIn(state: GroupState, process: Process): boolean {
  return state.members.some((member) => member.process === process);
}

/** The state has it as somebody's child, which goes on as it is. */
export function knows(state: GroupState, process: Process): boolean {
  return state.members.some(({ children }) => children.includes(process.pid));
}

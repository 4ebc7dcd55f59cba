import { Errno, type Fail } from '../base/index.js';
import { EpollFile, EventFile, type Interest } from '../kernel/eventpoll.js';
import type { Kernel, Process } from '../kernel/index.js';
import type { OpenFile } from '../kernel/open-file.js';
import { PipeFile, type Pipe, type Slot } from '../kernel/pipe.js';
import { TcpSocket } from '../kernel/tcp-socket.js';
import { UnixSocket, type UnixRecord } from '../kernel/unix-socket.js';

/**
 * The open files that nobody but the members of a group holds, with what lies in them: pipes and socket pairs between members, event
 * counters, epoll sets. They go back with the group, closed since or not. Files that somebody outside holds too keep their state.
 */
export interface GroupFiles {
  own: Set<OpenFile>;
  pipes: { pipe: Pipe; contents: Slot[] }[];
  sockets: { socket: UnixSocket; record: UnixRecord }[];
  counters: { file: EventFile; counter: number }[];
  sets: { file: EpollFile; interests: Interest[] }[];
  /** Charged to the kernel's memory. */
  bytes: number;
}

/** `held`: references the group itself has. ENOMEM without memory for the contents. */
export function recordFiles(kernel: Kernel, processes: readonly Process[], held: readonly OpenFile[]): GroupFiles | Fail {
  const own = ownFiles(processes, held);
  const record: GroupFiles = { own, pipes: [], sockets: [], counters: [], sets: [], bytes: 0 };
  for (const pipe of new Set([...own].filter((file) => file instanceof PipeFile).map((file) => file.pipe))) {
    record.pipes.push({ pipe, contents: pipe.contents() });
    record.bytes += pipe.length;
  }
  for (const file of own) {
    const socket = file instanceof UnixSocket ? file.record() : null;
    if (file instanceof UnixSocket && socket) record.sockets.push({ socket: file, record: socket });
    if (socket) record.bytes += socket.messages.reduce((sum, { bytes }) => sum + bytes.length, 0);
    if (file instanceof EventFile) record.counters.push({ file, counter: file.counter });
    if (file instanceof EpollFile) record.sets.push({ file, interests: file.interests() });
  }
  return kernel.memory.take(record.bytes) < 0 ? -Errno.ENOMEM : record;
}

/** Everyone has their descriptors back. */
export function recallFiles(kernel: Kernel, { pipes, sockets, counters, sets }: GroupFiles): void {
  for (const { pipe, contents } of pipes) if (pipe.readers + pipe.writers > 0) pipe.refill(contents);
  for (const { socket, record } of sockets) if (socket.refs > 0) socket.recall(kernel, record);
  for (const { file, counter } of counters) file.recall(counter);
  for (const { file, interests } of sets) if (file.refs > 0) file.restoreInterests(interests);
}

export function forgetFiles(kernel: Kernel, { bytes }: GroupFiles): void {
  kernel.memory.give(bytes);
}

/** Without TCP: a connection that was closed is over for its peer. */
function ownFiles(processes: readonly Process[], held: readonly OpenFile[]): Set<OpenFile> {
  const references = new Map<OpenFile, number>();
  const count = (file: OpenFile): void => { references.set(file, (references.get(file) ?? 0) + 1); };
  for (const { fds } of processes) for (const fd of fds.list()) count(fds.get(fd) as OpenFile);
  held.forEach(count);
  const ours = new Set([...references].filter(([file, times]) => file.refs === times && file.reopens && !(file instanceof TcpSocket)).map(([file]) => file));
  return new Set([...ours].filter((file) => staysInside(file, ours)));
}

/** Of what has two ends, the other one is the group's as well, or nobody's. */
function staysInside(file: OpenFile, ours: ReadonlySet<OpenFile>): boolean {
  if (file instanceof PipeFile) {
    const ends = [...ours].filter((one) => one instanceof PipeFile && one.pipe === file.pipe);
    return ends.filter((end) => end.readable).length === file.pipe.readers && ends.filter((end) => end.writable).length === file.pipe.writers;
  }
  if (!(file instanceof UnixSocket)) return true;
  const { partner } = file;
  if (!partner || file.record() === null) return false;
  return partner.refs === 0 || (ours.has(partner) && partner.record() !== null);
}

/** What an ending worker's states need that its end would close for good: named files without a lock, which nobody waits for. */
export function isKept(file: OpenFile): boolean {
  return file.kind === 'vnode' || file.kind === 'device';
}

import type { EpollFile, Interest } from '../kernel/eventpoll.js';
import type { Kernel, Process } from '../kernel/index.js';
import type { OpenFile } from '../kernel/open-file.js';
import { PipeFile } from '../kernel/pipe.js';
import { TcpSocket } from '../kernel/tcp-socket.js';
import { UnixSocket } from '../kernel/unix-socket.js';
import type { KernelRecord } from './checkpoint.js';
import { Policy, type FilePolicy } from './process-checkpoints.js';

export interface DescriptorChanges {
  /** Opened since the freeze, now closed. */
  closed: number[];
  /** Closed since the freeze: their files are gone, the numbers read as EBADF. */
  lost: number[];
}

/**
 * Bring the descriptor table back. Open files are kernel objects and keep their state; only what belongs to the
 * program's idea of them, offset, status flags and the interest list of an epoll instance, goes back. A file the process has
 * closed under all its numbers stays closed, even if others still hold it, unless it `comesBack`: that right was given up. Its
 * numbers stay taken, or the program would go on with another file under them.
 */
export function restoreDescriptors(kernel: Kernel, process: Process, own: KernelRecord, comesBack: (file: OpenFile) => boolean = () => false): DescriptorChanges {
  const { fds } = process;
  const held = new Set(fds.list().map((fd) => fds.get(fd) as OpenFile));
  const wantedBack = new Set(own.files.filter((file) => held.has(file) || comesBack(file)));
  const kept = own.descriptors.filter((one) => wantedBack.has(own.files[one.file]));
  const lost = own.descriptors.filter((one) => !wantedBack.has(own.files[one.file])).map((one) => one.fd);
  for (const file of held) file.addRef();
  const wanted = new Map(kept.map((one) => [one.fd, one]));
  const stays = new Set(kept.map((one) => own.files[one.file]));
  const closed: number[] = [];
  for (const fd of fds.list()) {
    const one = wanted.get(fd);
    const file = fds.get(fd) as OpenFile;
    if (one && own.files[one.file] === file) continue;
    if (!one) closed.push(fd);
    // A duplicate goes without taking record locks with it: the file itself stays open.
    if (stays.has(file)) fds.take(fd)?.release(kernel);
    else fds.close(kernel, fd);
  }
  for (const { fd, file, cloexec } of kept) {
    if (!fds.get(fd)) {
      if (own.files[file].refs === 0) own.files[file].reopen(kernel);
      fds.put(fd, own.files[file], cloexec);
    }
    fds.setCloexec(fd, cloexec);
  }
  for (const file of held) file.release(kernel);
  for (const { file } of kept) restoreFile(own, file);
  for (const { file, interests } of own.epolls) restoreEpoll(process, own.files[file] as EpollFile, interests);
  fds.lost = new Set([...own.lost, ...lost]);
  return { closed, lost };
}

function restoreFile(own: KernelRecord, index: number): void {
  const { offset, flags } = own.fileRecords[index];
  own.files[index].position = Math.max(offset, 0);
  own.files[index].flags = flags;
}

/** One that another process holds as well keeps its list: it is not this process's idea alone. */
function restoreEpoll({ fds }: Process, epoll: EpollFile, interests: readonly Interest[]): void {
  const mine = fds.list().filter((fd) => fds.get(fd) === epoll).length;
  if (mine > 0 && mine === epoll.refs) epoll.restoreInterests(interests);
}

/**
 * What the program asked for, done before the table is brought back: a TCP connection on which bytes moved since the freeze, or since
 * it was opened after the freeze, reset, since its peer is in mid-message; of other streams unread input dropped, always or when a
 * message was read in part. A connection made since that another process holds too is that one's.
 */
export function applyPolicies({ fds }: Process, own: KernelRecord, policies: readonly FilePolicy[]): void {
  const held = fds.list().map((fd) => fds.get(fd));
  for (const { file, policy } of policies) {
    const mine = held.filter((one) => one === file).length;
    const index = own.files.indexOf(file);
    if (mine === 0 || (index < 0 && mine < file.refs)) continue;
    const moved = file.moved !== (index < 0 ? 0 : own.moved[index]);
    if (policy === Policy.cut) cutStream(file, moved);
    else if (policy === Policy.reset && moved && file instanceof TcpSocket) file.resetStream();
    else if (policy === Policy.drop || (policy === Policy.reset && moved)) dropUnread(file);
  }
}

function cutStream(file: OpenFile, moved: boolean): void {
  if (moved && (file instanceof TcpSocket || file instanceof UnixSocket)) file.resetStream();
}

function dropUnread(file: OpenFile): void {
  if (file instanceof PipeFile) file.pipe.clear();
  else (file as OpenFile & { dropUnread?(): number }).dropUnread?.();
}

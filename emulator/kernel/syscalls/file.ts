import { Errno, failed, hex, type Result } from '../../base/index.js';
import { OpenFlag } from '../../vfs/open-flags.js';
import { gatherLength } from '../../vfs/vnode.js';
import { VOP_ALLOCATE, VOP_FSYNC } from '../../vfs/vop.js';
import { FD_MAX } from '../fd-table.js';
import { Ioctl } from '../ioctl.js';
import type { Kernel } from '../kernel.js';
import { flock, recordLock } from '../locks.js';
import { LINGER, Poll, type OpenFile } from '../open-file.js';
import { Pipe, PipeFile } from '../pipe.js';
import { truncateNode } from '../truncate.js';
import { BLOCKED, defineSyscalls } from '../syscall-table.js';
import { lingerOn } from '../tcp-socket.js';
import type { Thread } from '../thread.js';
import { deliver, flatten, gatherVectors, inUserHalf, readVectors, scatterVectors, TRANSFER_MAX, userViews, type IoVector } from '../uio.js';
import { pair } from '../user-memory.js';

/** System calls on descriptors: transfer of bytes, positions, duplication, control. */

const V1 = 3;
/** Flags fcntl(F_SETFL) can change. */
const SETTABLE = OpenFlag.APPEND | OpenFlag.NONBLOCK | OpenFlag.ASYNC | OpenFlag.DIRECT | OpenFlag.NOATIME;

function readableFile(thread: Thread, fd: number): OpenFile | Result {
  const file = thread.process.fds.get(fd);
  if (!file?.readable) return -Errno.EBADF;
  return file.vnode?.type === 'dir' && file.kind === 'vnode' ? -Errno.EISDIR : file;
}

function writableFile(thread: Thread, fd: number): OpenFile | Result {
  const file = thread.process.fds.get(fd);
  return file?.writable ? file : -Errno.EBADF;
}

function canSeek(file: OpenFile): boolean {
  return file.vnode !== null && (file.vnode.type === 'reg' || file.kind === 'device');
}

// ---- read and write

function readInto(kernel: Kernel, thread: Thread, fd: number, buffer: number, count: number, offset: number | null): number {
  const file = readableFile(thread, fd);
  if (typeof file === 'number') return file;
  if (!inUserHalf(buffer, count)) return -Errno.EFAULT;
  const before = file.position;
  const bytes = file.read(kernel, thread, Math.min(count, TRANSFER_MAX), offset);
  if (typeof bytes === 'number') return bytes;
  return arrived(file, before, deliver(thread.process.space, buffer, bytes));
}

/** What did not reach the program counts as unread: a position that moved goes back. */
function arrived(file: OpenFile, before: number, result: number): number {
  if (file.position > before) file.position = before + Math.max(result, 0);
  return result;
}

function writeFrom(kernel: Kernel, thread: Thread, fd: number, buffer: number, count: number, offset: number | null): number {
  const file = writableFile(thread, fd);
  if (typeof file === 'number') return file;
  if (!inUserHalf(buffer, count)) return -Errno.EFAULT;
  return writeViews(kernel, thread, file, userViews(thread.process.space, buffer, Math.min(count, TRANSFER_MAX)), offset);
}

function writeViews(kernel: Kernel, thread: Thread, file: OpenFile, views: Uint8Array[] | number, offset: number | null): number {
  if (typeof views === 'number') return views;
  if (file.gathers) return file.write(kernel, thread, views.length === 1 ? views[0] : views, offset);
  if (gatherLength(views) > kernel.ram.bytes) return -Errno.ENOMEM;
  const copy = flatten(views);
  kernel.meter.charge('copy.bytes', copy.length);
  return file.write(kernel, thread, copy, offset);
}

function read(kernel: Kernel, thread: Thread, fd: number, buffer: number, count: number): number {
  return readInto(kernel, thread, fd, buffer, count, null);
}

function write(kernel: Kernel, thread: Thread, fd: number, buffer: number, count: number): number {
  return writeFrom(kernel, thread, fd, buffer, count, null);
}

function pread64(kernel: Kernel, thread: Thread, fd: number, buffer: number, count: number, _pad: number, low: number, high: number): number {
  const refused = checkPositioned(thread, fd, pair(low, high));
  return refused || readInto(kernel, thread, fd, buffer, count, pair(low, high));
}

function pwrite64(kernel: Kernel, thread: Thread, fd: number, buffer: number, count: number, _pad: number, low: number, high: number): number {
  const refused = checkPositioned(thread, fd, pair(low, high));
  return refused || writeFrom(kernel, thread, fd, buffer, count, pair(low, high));
}

function checkPositioned(thread: Thread, fd: number, offset: number): Result {
  const file = thread.process.fds.get(fd);
  if (!file) return -Errno.EBADF;
  if (offset < 0) return -Errno.EINVAL;
  return canSeek(file) || file.vnode?.type === 'dir' ? 0 : -Errno.ESPIPE;
}

function vectors(thread: Thread, base: number, count: number): IoVector[] | Result {
  return readVectors(thread.process.space, base, count);
}

function readVector(kernel: Kernel, thread: Thread, fd: number, base: number, count: number, offset: number | null): number {
  const file = readableFile(thread, fd);
  if (typeof file === 'number') return file;
  const list = vectors(thread, base, count);
  if (failed(list)) return list;
  const before = file.position;
  const bytes = file.read(kernel, thread, list.reduce((sum, vector) => sum + vector.length, 0), offset);
  return typeof bytes === 'number' ? bytes : arrived(file, before, scatterVectors(thread.process.space, list, bytes));
}

function writeVector(kernel: Kernel, thread: Thread, fd: number, base: number, count: number, offset: number | null): number {
  const file = writableFile(thread, fd);
  if (typeof file === 'number') return file;
  const list = vectors(thread, base, count);
  if (failed(list)) return list;
  return writeViews(kernel, thread, file, gatherVectors(thread.process.space, list), offset);
}

function readv(kernel: Kernel, thread: Thread, fd: number, base: number, count: number): number {
  return readVector(kernel, thread, fd, base, count, null);
}

function writev(kernel: Kernel, thread: Thread, fd: number, base: number, count: number): number {
  return writeVector(kernel, thread, fd, base, count, null);
}

function preadv(kernel: Kernel, thread: Thread, fd: number, base: number, count: number, low: number, high: number): number {
  const refused = checkPositioned(thread, fd, pair(low, high));
  return refused || readVector(kernel, thread, fd, base, count, pair(low, high));
}

function pwritev(kernel: Kernel, thread: Thread, fd: number, base: number, count: number, low: number, high: number): number {
  const refused = checkPositioned(thread, fd, pair(low, high));
  return refused || writeVector(kernel, thread, fd, base, count, pair(low, high));
}

/** A sendfile that sleeps in the middle of its output: bytes gone before, and what the output noted of the part it is at. */
interface Sending {
  sent: number;
  part: unknown;
}

const isSending = (data: unknown): data is Sending => typeof data === 'object' && data !== null && 'part' in data;

/** What an earlier try of this call got through; the output's own note is put back for it. */
function sentBefore(thread: Thread): number {
  const { blocked } = thread;
  if (!blocked || !isSending(blocked.data)) return 0;
  const { sent, part } = blocked.data;
  blocked.data = part;
  return sent;
}

/**
 * sendfile(2): a part at a time. To a blocking output all of it goes, as on Linux; one that does not block ends it with what went through.
 * `moved` counts this try, `result` the whole call.
 */
function transfer(kernel: Kernel, thread: Thread, outFd: number, inFd: number, start: number | null, count: number): { result: number; moved: number } {
  const input = thread.process.fds.get(inFd);
  const output = thread.process.fds.get(outFd);
  if (!input?.readable || !output?.writable) return { result: -Errno.EBADF, moved: 0 };
  if (input.vnode?.type !== 'reg' || output.flags & OpenFlag.APPEND) return { result: -Errno.EINVAL, moved: 0 };
  const step = output.vnode?.type === 'reg' ? 1 << 20 : 4096;
  const before = sentBefore(thread);
  let moved = 0;
  while (before + moved < count) {
    if (before + moved > 0 && output.nonBlocking && !(output.poll() & Poll.OUT)) break;
    const at = (start ?? input.position) + (start === null ? 0 : moved);
    const bytes = input.read(kernel, thread, Math.min(step, count - before - moved), at);
    if (typeof bytes === 'number') return { result: before + moved > 0 ? before + moved : bytes, moved };
    if (bytes.length === 0) break;
    const written = output.write(kernel, thread, output.gathers ? bytes : flatten(bytes), null);
    if (written === BLOCKED) {
      sleepSending(thread, before + moved);
      return { result: BLOCKED, moved };
    }
    if (written < 0) return { result: before + moved > 0 ? before + moved : written, moved };
    // A part that had blocked is done: what it noted of itself is nothing to the next one.
    if (thread.blocked) thread.blocked.data = null;
    moved += written;
    if (start === null) input.position += written;
    if (written < bytes.length) break;
  }
  return { result: before + moved, moved };
}

function sleepSending(thread: Thread, sent: number): void {
  const { blocked } = thread;
  if (!blocked) return;
  blocked.data = { sent, part: blocked.data } satisfies Sending;
  if (sent > 0 || blocked.partial !== null) blocked.partial = sent + (blocked.partial ?? 0);
}

/** The offset is written back whenever the call stops, be it to sleep: it then goes on from there. */
function sendfile(kernel: Kernel, thread: Thread, outFd: number, inFd: number, offsetAt: number, count: number, wide: boolean): number {
  const { space } = thread.process;
  if (count < 0) return -Errno.EINVAL;
  if (offsetAt === 0) return transfer(kernel, thread, outFd, inFd, null, Math.min(count, TRANSFER_MAX)).result;
  const words = space.readWords(offsetAt >>> 0, wide ? 2 : 1);
  if (failed(words)) return words;
  const start = wide ? pair(words[0], words[1]) : words[0];
  if (start < 0) return -Errno.EINVAL;
  const { result, moved } = transfer(kernel, thread, outFd, inFd, start, Math.min(count, TRANSFER_MAX));
  if (moved > 0) space.writeWords(offsetAt >>> 0, wide ? [(start + moved) | 0, Math.floor((start + moved) / 4294967296)] : [start + moved]);
  return result;
}

// ---- positions and sizes

function lseek(_kernel: Kernel, thread: Thread, fd: number, offset: number, whence: number): number {
  const file = thread.process.fds.get(fd);
  if (!file) return -Errno.EBADF;
  const before = file.position;
  const result = file.seek(offset, whence);
  if (result <= 0x7fff_ffff) return result;
  file.position = before;
  return -Errno.EOVERFLOW;
}

function llseek(_kernel: Kernel, thread: Thread, fd: number, high: number, low: number, resultAt: number, whence: number): number {
  const { fds, space } = thread.process;
  const file = fds.get(fd);
  if (!file) return -Errno.EBADF;
  const result = file.seek(pair(low, high), whence);
  return result < 0 ? result : space.writeWords(resultAt >>> 0, [result | 0, Math.floor(result / 4294967296)]);
}

function ftruncateTo(kernel: Kernel, thread: Thread, fd: number, size: number): Result {
  const file = thread.process.fds.get(fd);
  if (!file) return -Errno.EBADF;
  if (!file.writable || !file.vnode) return -Errno.EINVAL;
  return truncateNode(kernel, file.vnode, size);
}

const FALLOC_FL_KEEP_SIZE = 1;

function fallocate(_kernel: Kernel, thread: Thread, fd: number, mode: number, low: number, high: number, lengthLow: number, lengthHigh: number): number {
  const file = writableFile(thread, fd);
  if (typeof file === 'number') return file;
  const [offset, length] = [pair(low, high), pair(lengthLow, lengthHigh)];
  if (offset < 0 || length <= 0) return -Errno.EINVAL;
  if (mode & ~FALLOC_FL_KEEP_SIZE) return -Errno.EOPNOTSUPP;
  if (!file.vnode) return -Errno.ESPIPE;
  return VOP_ALLOCATE(file.vnode, offset, length, (mode & FALLOC_FL_KEEP_SIZE) !== 0);
}

function fsync(_kernel: Kernel, thread: Thread, fd: number): number {
  const file = thread.process.fds.get(fd);
  if (!file) return -Errno.EBADF;
  return file.vnode && (file.vnode.type === 'reg' || file.vnode.type === 'dir') ? VOP_FSYNC(file.vnode) : -Errno.EINVAL;
}

function known(_kernel: Kernel, thread: Thread, fd: number): number {
  return thread.process.fds.get(fd) ? 0 : -Errno.EBADF;
}

// ---- descriptors

/** The descriptor is free before a socket lingers: called again, it is about the file only. */
function close(kernel: Kernel, thread: Thread, fd: number): number {
  if (thread.blocked?.name === LINGER) return lingerOn(kernel, thread);
  const { fds } = thread.process;
  const file = fds.get(fd);
  const result = fds.close(kernel, fd);
  return file && file.refs === 0 && result === 0 ? file.linger(kernel, thread) : result;
}

const CLOSE_RANGE_CLOEXEC = 4;

function closeRange(kernel: Kernel, thread: Thread, first: number, last: number, flags: number): number {
  if (first >>> 0 > last >>> 0 || flags & ~(CLOSE_RANGE_CLOEXEC | 2)) return -Errno.EINVAL;
  const { fds } = thread.process;
  for (const fd of fds.list()) {
    if (fd < first >>> 0 || fd > last >>> 0) continue;
    if (flags & CLOSE_RANGE_CLOEXEC) fds.setCloexec(fd, true);
    else fds.close(kernel, fd);
  }
  return 0;
}

function dup(_kernel: Kernel, thread: Thread, fd: number): number {
  const file = thread.process.fds.get(fd);
  return file ? thread.process.fds.install(file) : -Errno.EBADF;
}

function dup2(kernel: Kernel, thread: Thread, from: number, to: number): number {
  return thread.process.fds.dup2(kernel, from, to);
}

function dup3(kernel: Kernel, thread: Thread, from: number, to: number, flags: number): number {
  if (flags & ~OpenFlag.CLOEXEC || from === to) return -Errno.EINVAL;
  return thread.process.fds.dup2(kernel, from, to, (flags & OpenFlag.CLOEXEC) !== 0);
}

function makePipe(kernel: Kernel, thread: Thread, flags: number): [number, number] | Result {
  const { fds } = thread.process;
  const pipe = new Pipe(kernel.memory);
  const cloexec = (flags & OpenFlag.CLOEXEC) !== 0;
  const kept = flags & (OpenFlag.NONBLOCK | OpenFlag.DIRECT);
  const input = fds.install(new PipeFile(kernel, thread, pipe, OpenFlag.RDONLY | kept), 0, cloexec);
  if (input < 0) return input;
  const output = fds.install(new PipeFile(kernel, thread, pipe, OpenFlag.WRONLY | kept), 0, cloexec);
  if (output < 0) {
    fds.close(kernel, input);
    return output;
  }
  return [input, output];
}

/** pipe of MIPS gives its two descriptors in v0 and v1. */
function pipe(kernel: Kernel, thread: Thread): number {
  const ends = makePipe(kernel, thread, 0);
  if (typeof ends === 'number') return ends;
  thread.ctx.gpr[V1] = ends[1];
  return ends[0];
}

function pipe2(kernel: Kernel, thread: Thread, at: number, flags: number): number {
  if (flags & ~(OpenFlag.CLOEXEC | OpenFlag.NONBLOCK | OpenFlag.DIRECT)) return -Errno.EINVAL;
  const ends = makePipe(kernel, thread, flags);
  if (typeof ends === 'number') return ends;
  const result = thread.process.space.writeWords(at >>> 0, ends);
  if (failed(result)) for (const fd of ends) thread.process.fds.close(kernel, fd);
  return result;
}

const F = {
  DUPFD: 0, GETFD: 1, SETFD: 2, GETFL: 3, SETFL: 4, SETLK: 6, SETLKW: 7, GETLK: 14, GETOWN: 23, SETOWN: 24,
  GETLK64: 33, SETLK64: 34, SETLKW64: 35, DUPFD_CLOEXEC: 1030, SETPIPE_SZ: 1031, GETPIPE_SZ: 1032,
} as const;

/** A process, or a group as a negative number; 0 nobody. */
function setOwner(kernel: Kernel, file: OpenFile, owner: number): Result {
  const found = owner >= 0 ? owner === 0 || kernel.processes.has(owner) : [...kernel.processes.values()].some(({ pgid }) => pgid === -owner);
  if (!found) return -Errno.ESRCH;
  file.owner = owner;
  return 0;
}

/** fcntl and fcntl64 differ in the lock structures only, and those have their own commands. */
function fcntl(kernel: Kernel, thread: Thread, fd: number, command: number, argument: number): number {
  const { fds } = thread.process;
  const file = fds.get(fd);
  if (!file) return -Errno.EBADF;
  switch (command) {
    case F.DUPFD: case F.DUPFD_CLOEXEC:
      return argument < 0 || argument >= Math.min(fds.limit, FD_MAX) ? -Errno.EINVAL : fds.install(file, argument, command === F.DUPFD_CLOEXEC);
    case F.GETFD: return fds.cloexec(fd) ? 1 : 0;
    case F.SETFD: fds.setCloexec(fd, (argument & 1) !== 0); return 0;
    case F.GETFL: return file.flags;
    case F.SETFL: file.flags = (file.flags & ~SETTABLE) | (argument & SETTABLE); return 0;
    case F.GETLK: return recordLock(thread, file, 'get', argument, false);
    case F.SETLK: return recordLock(thread, file, 'set', argument, false);
    case F.SETLKW: return recordLock(thread, file, 'wait', argument, false);
    case F.GETLK64: return recordLock(thread, file, 'get', argument, true);
    case F.SETLK64: return recordLock(thread, file, 'set', argument, true);
    case F.SETLKW64: return recordLock(thread, file, 'wait', argument, true);
    case F.GETOWN: return file.owner;
    case F.SETOWN: return setOwner(kernel, file, argument);
    case F.SETPIPE_SZ: return file instanceof PipeFile ? file.resize(argument) : -Errno.EBADF;
    case F.GETPIPE_SZ: return file instanceof PipeFile ? file.pipe.capacity : -Errno.EBADF;
    default: return -Errno.EINVAL;
  }
}

function flockCall(_kernel: Kernel, thread: Thread, fd: number, operation: number): number {
  const file = thread.process.fds.get(fd);
  return file ? flock(thread, file, operation) : -Errno.EBADF;
}

function ioctl(kernel: Kernel, thread: Thread, fd: number, request: number, argument: number): number {
  const { fds, space, comm } = thread.process;
  const file = fds.get(fd);
  if (!file) return -Errno.EBADF;
  switch (request >>> 0) {
    case Ioctl.FIOCLEX: fds.setCloexec(fd, true); return 0;
    case Ioctl.FIONCLEX: fds.setCloexec(fd, false); return 0;
    case Ioctl.FIONBIO: case Ioctl.FIOASYNC: {
      const on = space.readWords(argument >>> 0, 1);
      if (failed(on)) return on;
      const flag = request === Ioctl.FIONBIO ? OpenFlag.NONBLOCK : OpenFlag.ASYNC;
      file.flags = on[0] ? file.flags | flag : file.flags & ~flag;
      return 0;
    }
  }
  const result = file.ioctl(kernel, thread, request >>> 0, argument);
  if (result === -Errno.ENOTTY && !(request >>> 0 in terminalRequests)) kernel.countUnknown(`ioctl ${hex(request)}`, comm);
  return result;
}

/** Asked of anything, in case it is a terminal. */
const terminalRequests: Record<number, true> = {
  [Ioctl.TCGETS]: true, [Ioctl.TIOCGWINSZ]: true, [Ioctl.TCGETA]: true, [Ioctl.TIOCGPGRP]: true,
  [Ioctl.TCSETS]: true, [Ioctl.TCSETSW]: true, [Ioctl.TCSETSF]: true, [Ioctl.TIOCSPGRP]: true,
};


defineSyscalls({
  4003: ['read', 3, read],
  4004: ['write', 3, write],
  4006: ['close', 1, close],
  4019: ['lseek', 3, lseek],
  4041: ['dup', 1, dup],
  4042: ['pipe', 0, pipe],
  4054: ['ioctl', 3, ioctl],
  4055: ['fcntl', 3, fcntl],
  4063: ['dup2', 2, dup2],
  4093: ['ftruncate', 2, ftruncateTo],
  4118: ['fsync', 1, fsync],
  4140: ['_llseek', 5, llseek],
  4143: ['flock', 2, flockCall],
  4145: ['readv', 3, readv],
  4146: ['writev', 3, writev],
  4152: ['fdatasync', 1, fsync],
  4200: ['pread64', 6, pread64],
  4201: ['pwrite64', 6, pwrite64],
  4207: ['sendfile', 4, (kernel, thread, out, input, at, count) => sendfile(kernel, thread, out, input, at, count, false)],
  4212: ['ftruncate64', 4, (kernel, thread, fd, _pad, low, high) => ftruncateTo(kernel, thread, fd, pair(low, high))],
  4220: ['fcntl64', 3, fcntl],
  4223: ['readahead', 5, known],
  4237: ['sendfile64', 4, (kernel, thread, out, input, at, count) => sendfile(kernel, thread, out, input, at, count, true)],
  4254: ['fadvise64_64', 7, known],
  4305: ['sync_file_range', 7, known],
  4320: ['fallocate', 6, fallocate],
  4327: ['dup3', 3, dup3],
  4328: ['pipe2', 2, pipe2],
  4330: ['preadv', 5, preadv],
  4331: ['pwritev', 5, pwritev],
  4436: ['close_range', 3, closeRange],
});

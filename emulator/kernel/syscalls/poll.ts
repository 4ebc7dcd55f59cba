import { Errno, failed, type Result } from '../../base/index.js';
import { OpenFlag } from '../../vfs/open-flags.js';
import { EpollFile, EventFile } from '../eventpoll.js';
import { inotifyAddWatch, inotifyInit, inotifyRemoveWatch } from '../inotify.js';
import type { Kernel } from '../kernel.js';
import { Rlimit } from '../limits.js';
import { Poll } from '../open-file.js';
import { isBlocked, pollWait, type PollEntry } from '../poll.js';
import { setDelete, setFromBytes, SIGSET_BYTES } from '../sigset.js';
import { SignalFile } from '../signal-file.js';
import { Signal } from '../signal-numbers.js';
import { defineSyscalls, type Handler } from '../syscall-table.js';
import type { Thread } from '../thread.js';
import { TimerFile } from '../timer-file.js';
import { readTimespec, splitNanoseconds, toNanoseconds, writeTimespec } from '../user-memory.js';

/** Waiting for several descriptors: poll, select and epoll families, event and timer descriptors. */

// ---- times and masks

function after(kernel: Kernel, nanoseconds: number): number {
  return kernel.clock.cycles + kernel.clock.toCycles(nanoseconds);
}

/** Milliseconds, negative for ever. */
function deadlineOf(kernel: Kernel, milliseconds: number): number {
  return milliseconds < 0 ? Infinity : after(kernel, milliseconds * 1e6);
}

/** A struct timespec that may be absent. */
function readDeadline(kernel: Kernel, thread: Thread, at: number, wide: boolean): number {
  if (at === 0) return Infinity;
  const time = readTimespec(thread.process.space, at, wide);
  return failed(time) ? time : after(kernel, toNanoseconds(time));
}

/** The signal mask in force during the wait; 0 for none. */
function useMaskAt(thread: Thread, at: number, size: number): Result {
  if (at === 0) return 0;
  if (size !== SIGSET_BYTES) return -Errno.EINVAL;
  const bytes = thread.process.space.copyin(at >>> 0, SIGSET_BYTES);
  if (failed(bytes)) return bytes;
  const mask = setFromBytes(bytes);
  setDelete(mask, Signal.KILL);
  setDelete(mask, Signal.STOP);
  thread.useMask(mask);
  return 0;
}

function remaining(kernel: Kernel, thread: Thread, deadline: number): number {
  return kernel.clock.toNanoseconds(Math.max(0, (thread.blocked?.deadline ?? deadline) - kernel.clock.cycles));
}

// ---- poll

/** struct pollfd: fd, events:16, revents:16. */
function readEntries(thread: Thread, at: number, count: number): PollEntry[] | Result {
  if (count < 0 || count > thread.process.limits[Rlimit.NOFILE].soft) return -Errno.EINVAL;
  const words = thread.process.space.readWords(at >>> 0, count * 2);
  if (failed(words)) return words;
  return Array.from({ length: count }, (_, i) => ({ fd: words[2 * i], events: words[2 * i + 1] & 0xffff, ready: 0 }));
}

function doPoll(thread: Thread, at: number, count: number, deadline: number): number {
  const entries = readEntries(thread, at, count);
  if (typeof entries === 'number') return entries;
  const result = pollWait(thread, 'poll', entries, deadline);
  if (result < 0 || count === 0) return result;
  const words = new Int32Array(2 * entries.length);
  entries.forEach(({ fd, events, ready }, i) => words.set([fd, events | (ready << 16)], 2 * i));
  const written = thread.process.space.writeWords(at >>> 0, words);
  return failed(written) ? written : result;
}

function poll(kernel: Kernel, thread: Thread, at: number, count: number, timeout: number): number {
  return doPoll(thread, at, count, deadlineOf(kernel, timeout));
}

const ppoll = (wide: boolean): Handler => (kernel, thread, at, count, timeAt, maskAt, maskSize) => {
  const deadline = readDeadline(kernel, thread, timeAt, wide);
  if (deadline < 0) return deadline;
  const refused = useMaskAt(thread, maskAt, maskSize);
  if (refused) return refused;
  const result = doPoll(thread, at, count, deadline);
  if (timeAt !== 0 && !isBlocked(result)) writeTimespec(thread.process.space, timeAt, splitNanoseconds(remaining(kernel, thread, deadline)), wide);
  return result;
};

// ---- select

/** Readable includes the end and errors, writable errors, exceptional urgent data (select(2), "Correspondence"). */
const SELECT_BITS = [Poll.IN | Poll.RDNORM | Poll.HUP | Poll.ERR, Poll.OUT | Poll.ERR, Poll.PRI] as const;
const SELECT_ASKS = [Poll.IN | Poll.RDNORM, Poll.OUT, Poll.PRI] as const;

function readSets(thread: Thread, count: number, addresses: readonly number[]): Int32Array[] | Result {
  const words = (count + 31) >> 5;
  const sets: Int32Array[] = [];
  for (const at of addresses) {
    const set = at === 0 ? new Int32Array(words) : thread.process.space.readWords(at >>> 0, words);
    if (failed(set)) return set;
    sets.push(set);
  }
  return sets;
}

const has = (set: Int32Array, fd: number): boolean => ((set[fd >> 5] >>> (fd & 31)) & 1) !== 0;

function doSelect(thread: Thread, count: number, addresses: readonly number[], deadline: number): number {
  if (count < 0) return -Errno.EINVAL;
  const bounded = Math.min(count, thread.process.fds.slots);
  const sets = readSets(thread, bounded, addresses);
  if (typeof sets === 'number') return sets;
  const entries: PollEntry[] = [];
  for (let fd = 0; fd < bounded; fd++) {
    let events = 0;
    sets.forEach((set, i) => { if (has(set, fd)) events |= SELECT_ASKS[i]; });
    if (events === 0) continue;
    if (!thread.process.fds.get(fd)) return -Errno.EBADF;
    entries.push({ fd, events, ready: 0 });
  }
  const result = pollWait(thread, 'select', entries, deadline);
  return result < 0 ? result : writeSets(thread, addresses, sets, entries);
}

function writeSets(thread: Thread, addresses: readonly number[], asked: readonly Int32Array[], entries: readonly PollEntry[]): number {
  let total = 0;
  for (let i = 0; i < addresses.length; i++) {
    const answer = new Int32Array(asked[i].length);
    for (const { fd, ready } of entries) {
      if (!has(asked[i], fd) || !(ready & SELECT_BITS[i])) continue;
      answer[fd >> 5] |= 1 << (fd & 31);
      total++;
    }
    const result = addresses[i] === 0 ? 0 : thread.process.space.writeWords(addresses[i] >>> 0, answer);
    if (failed(result)) return result;
  }
  return total;
}

/** The struct timeval is updated to the time left, as Linux does. */
function newselect(kernel: Kernel, thread: Thread, count: number, read: number, write: number, except: number, timeAt: number): number {
  const { space } = thread.process;
  let deadline = Infinity;
  if (timeAt !== 0) {
    const words = space.readWords(timeAt >>> 0, 2);
    if (failed(words)) return words;
    if (words[0] < 0 || words[1] < 0) return -Errno.EINVAL;
    deadline = after(kernel, toNanoseconds({ seconds: words[0], nanoseconds: 0 }) + words[1] * 1000);
  }
  const result = doSelect(thread, count, [read, write, except], deadline);
  if (timeAt !== 0 && !isBlocked(result)) {
    const { seconds, nanoseconds } = splitNanoseconds(remaining(kernel, thread, deadline));
    space.writeWords(timeAt >>> 0, [seconds, Math.floor(nanoseconds / 1000)]);
  }
  return result;
}

/** The sixth argument points to the mask's address and size. */
const pselect6 = (wide: boolean): Handler => (kernel, thread, count, read, write, except, timeAt, packAt) => {
  const { space } = thread.process;
  const deadline = readDeadline(kernel, thread, timeAt, wide);
  if (deadline < 0) return deadline;
  if (packAt !== 0) {
    const pack = space.readWords(packAt >>> 0, 2);
    if (failed(pack)) return pack;
    const refused = useMaskAt(thread, pack[0], pack[1]);
    if (refused) return refused;
  }
  const result = doSelect(thread, count, [read, write, except], deadline);
  if (timeAt !== 0 && !isBlocked(result)) writeTimespec(space, timeAt, splitNanoseconds(remaining(kernel, thread, deadline)), wide);
  return result;
};

// ---- epoll

function epollCreate(kernel: Kernel, thread: Thread, flags: number): number {
  if (flags & ~OpenFlag.CLOEXEC) return -Errno.EINVAL;
  return thread.process.fds.install(new EpollFile(kernel.memory, OpenFlag.RDWR), 0, (flags & OpenFlag.CLOEXEC) !== 0);
}

function epollOf(thread: Thread, fd: number): EpollFile | Result {
  const file = thread.process.fds.get(fd);
  if (!file) return -Errno.EBADF;
  return file instanceof EpollFile ? file : -Errno.EINVAL;
}

const EPOLL_CTL_ADD = 1;
const EPOLL_CTL_DEL = 2;
const EPOLL_CTL_MOD = 3;

/** struct epoll_event of MIPS: events, 4 bytes of padding, data u64. */
function epollCtl(_kernel: Kernel, thread: Thread, fd: number, operation: number, watched: number, at: number): number {
  const { fds, space } = thread.process;
  const epoll = epollOf(thread, fd);
  if (typeof epoll === 'number') return epoll;
  const file = fds.get(watched);
  if (!file) return -Errno.EBADF;
  if (operation === EPOLL_CTL_DEL) return epoll.delete(watched, file);
  const words = space.readWords(at >>> 0, 4);
  if (failed(words)) return words;
  if (operation === EPOLL_CTL_ADD) return epoll.add(watched, file, words[0], [words[2], words[3]]);
  return operation === EPOLL_CTL_MOD ? epoll.modify(watched, file, words[0], [words[2], words[3]]) : -Errno.EINVAL;
}

function epollWaitUntil(thread: Thread, fd: number, at: number, max: number, deadline: number): number {
  const epoll = epollOf(thread, fd);
  if (typeof epoll === 'number') return epoll;
  if (max <= 0 || max > 0x0fff_ffff) return -Errno.EINVAL;
  const events = epoll.collect(max);
  const { clock } = thread.process.kernel;
  if (events.length > 0) {
    const written = thread.process.space.writeWords(at >>> 0, events.flatMap(({ events: bits, data }) => [bits, 0, data[0], data[1]]));
    return failed(written) ? written : events.length;
  }
  if (thread.blocked?.timedOut || clock.cycles >= (thread.blocked?.deadline ?? deadline)) return 0;
  return thread.block('epoll', [epoll.changed], { deadline, restart: 'never', top: true });
}

function epollWait(kernel: Kernel, thread: Thread, fd: number, at: number, max: number, timeout: number): number {
  return epollWaitUntil(thread, fd, at, max, deadlineOf(kernel, timeout));
}

function epollPwait(kernel: Kernel, thread: Thread, fd: number, at: number, max: number, timeout: number, maskAt: number, size: number): number {
  return useMaskAt(thread, maskAt, size) || epollWaitUntil(thread, fd, at, max, deadlineOf(kernel, timeout));
}

// ---- signalfd, eventfd and timerfd

/** fd -1 makes a descriptor; another one is given a new set. */
function signalfd(_kernel: Kernel, thread: Thread, fd: number, maskAt: number, size: number, flags: number): number {
  if (flags & ~(OpenFlag.CLOEXEC | OpenFlag.NONBLOCK) || size !== SIGSET_BYTES) return -Errno.EINVAL;
  const { process } = thread;
  const bytes = process.space.copyin(maskAt >>> 0, SIGSET_BYTES);
  if (failed(bytes)) return bytes;
  const wanted = setFromBytes(bytes);
  if (fd === -1) return process.fds.install(new SignalFile(process, wanted, flags), 0, (flags & OpenFlag.CLOEXEC) !== 0);
  const file = process.fds.get(fd);
  if (!file) return -Errno.EBADF;
  if (!(file instanceof SignalFile)) return -Errno.EINVAL;
  file.want(wanted);
  return fd;
}

function eventfd(_kernel: Kernel, thread: Thread, initial: number, flags: number): number {
  if (flags & ~(OpenFlag.CLOEXEC | OpenFlag.NONBLOCK | 1)) return -Errno.EINVAL;
  return thread.process.fds.install(new EventFile(initial >>> 0, flags), 0, (flags & OpenFlag.CLOEXEC) !== 0);
}

const CLOCK_REALTIME = 0;
const TFD_TIMER_ABSTIME = 1;

function timerfdCreate(kernel: Kernel, thread: Thread, clockId: number, flags: number): number {
  if (flags & ~(OpenFlag.CLOEXEC | OpenFlag.NONBLOCK) || ![0, 1, 7, 8, 9].includes(clockId)) return -Errno.EINVAL;
  return thread.process.fds.install(new TimerFile(kernel, clockId, flags), 0, (flags & OpenFlag.CLOEXEC) !== 0);
}

function timerOf(thread: Thread, fd: number): TimerFile | Result {
  const file = thread.process.fds.get(fd);
  if (!file) return -Errno.EBADF;
  return file instanceof TimerFile ? file : -Errno.EINVAL;
}

/** struct itimerspec: interval, value. */
function writeSetting(kernel: Kernel, thread: Thread, timer: TimerFile, at: number, wide: boolean): Result {
  const { left, interval } = timer.get();
  const half = wide ? 16 : 8;
  const result = writeTimespec(thread.process.space, at, splitNanoseconds(kernel.clock.toNanoseconds(interval)), wide);
  return failed(result) ? result : writeTimespec(thread.process.space, at + half, splitNanoseconds(kernel.clock.toNanoseconds(left)), wide);
}

const timerfdSettime = (wide: boolean): Handler => (kernel, thread, fd, flags, at, oldAt) => {
  const timer = timerOf(thread, fd);
  if (typeof timer === 'number') return timer;
  if (flags & ~(TFD_TIMER_ABSTIME | 2)) return -Errno.EINVAL;
  const interval = readTimespec(thread.process.space, at, wide);
  if (failed(interval)) return interval;
  const value = readTimespec(thread.process.space, at + (wide ? 16 : 8), wide);
  if (failed(value)) return value;
  const old = oldAt === 0 ? 0 : writeSetting(kernel, thread, timer, oldAt, wide);
  if (failed(old)) return old;
  const armed = value.seconds !== 0 || value.nanoseconds !== 0;
  const { clock } = kernel;
  const wall = timer.clockId === CLOCK_REALTIME;
  const absolute = wall ? Math.max(0, clock.untilRealtime(value.seconds, value.nanoseconds)) : Math.max(0, toNanoseconds(value) - clock.nanoseconds());
  const first = after(kernel, flags & TFD_TIMER_ABSTIME ? Math.min(absolute, 9e15) : toNanoseconds(value));
  timer.set(armed ? first : Infinity, kernel.clock.toCycles(toNanoseconds(interval)));
  return 0;
};

const timerfdGettime = (wide: boolean): Handler => (kernel, thread, fd, at) => {
  const timer = timerOf(thread, fd);
  return typeof timer === 'number' ? timer : writeSetting(kernel, thread, timer, at, wide);
};

defineSyscalls({
  4142: ['_newselect', 5, newselect],
  4188: ['poll', 3, poll],
  4248: ['epoll_create', 1, (kernel, thread, size) => (size <= 0 ? -Errno.EINVAL : epollCreate(kernel, thread, 0))],
  4249: ['epoll_ctl', 4, epollCtl],
  4250: ['epoll_wait', 4, epollWait],
  4301: ['pselect6', 6, pselect6(false)],
  4302: ['ppoll', 5, ppoll(false)],
  4313: ['epoll_pwait', 6, epollPwait],
  4319: ['eventfd', 1, (kernel, thread, initial) => eventfd(kernel, thread, initial, 0)],
  4284: ['inotify_init', 0, (kernel, thread) => inotifyInit(kernel, thread, 0)],
  4285: ['inotify_add_watch', 3, inotifyAddWatch, 'fd path hex'],
  4286: ['inotify_rm_watch', 2, inotifyRemoveWatch, 'fd int'],
  4329: ['inotify_init1', 1, inotifyInit, 'hex'],
  4317: ['signalfd', 3, (kernel, thread, fd, mask, size) => signalfd(kernel, thread, fd, mask, size, 0), 'int ptr uint'],
  4324: ['signalfd4', 4, signalfd, 'int ptr uint hex'],
  4321: ['timerfd_create', 2, timerfdCreate],
  4322: ['timerfd_gettime', 2, timerfdGettime(false)],
  4323: ['timerfd_settime', 4, timerfdSettime(false)],
  4325: ['eventfd2', 2, eventfd],
  4326: ['epoll_create1', 1, epollCreate],
  4410: ['timerfd_gettime64', 2, timerfdGettime(true)],
  4411: ['timerfd_settime64', 4, timerfdSettime(true)],
  4413: ['pselect6_time64', 6, pselect6(true)],
  4414: ['ppoll_time64', 5, ppoll(true)],
});

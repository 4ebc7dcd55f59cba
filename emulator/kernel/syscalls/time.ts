import { Errno, failed, type Result } from '../../base/index.js';
import { Cap, capable } from '../capabilities.js';
import type { Kernel } from '../kernel.js';
import { Sigev, type PosixTimer } from '../posix-timers.js';
import { Signal } from '../signal-numbers.js';
import { NSIG } from '../sigset.js';
import { defineSyscalls, type Handler } from '../syscall-table.js';
import type { Thread } from '../thread.js';
import { Itimer } from '../timers.js';
import { readTimespec, splitNanoseconds, toNanoseconds, writeTimespec, type GuestTime } from '../user-memory.js';

/** clock_gettime(2). */
const Clock = {
  REALTIME: 0, MONOTONIC: 1, PROCESS_CPUTIME: 2, THREAD_CPUTIME: 3, MONOTONIC_RAW: 4, REALTIME_COARSE: 5, MONOTONIC_COARSE: 6,
  BOOTTIME: 7, REALTIME_ALARM: 8, BOOTTIME_ALARM: 9, TAI: 11,
} as const;
const realtimeClocks: readonly number[] = [Clock.REALTIME, Clock.REALTIME_COARSE, Clock.REALTIME_ALARM, Clock.TAI];
const coarseClocks: readonly number[] = [Clock.REALTIME_COARSE, Clock.MONOTONIC_COARSE];
const cpuClocks: readonly number[] = [Clock.PROCESS_CPUTIME, Clock.THREAD_CPUTIME];
const uptimeClocks: readonly number[] = [Clock.MONOTONIC, Clock.MONOTONIC_RAW, Clock.MONOTONIC_COARSE, Clock.BOOTTIME, Clock.BOOTTIME_ALARM];

const TIMER_ABSTIME = 1;
/** A tick of CONFIG_HZ=100, the step of the coarse clocks. */
const TICK_NS = 10_000_000;
/** Dynamic clock ids of clock_getcpuclockid and pthread_getcpuclockid: ~pid << 3 | type, bit 2 = one thread. */
const isDynamic = (clock: number): boolean => clock < 0;

function knows(clock: number): boolean {
  return isDynamic(clock) || realtimeClocks.includes(clock) || uptimeClocks.includes(clock) || cpuClocks.includes(clock);
}

/** Current time of a clock, or null if there is no such clock. */
function readClock(kernel: Kernel, thread: Thread, clock: number): GuestTime | null {
  if (!knows(clock)) return null;
  if (isDynamic(clock)) return readDynamic(kernel, thread, clock);
  const { user, system } = thread.process.usage;
  if (clock === Clock.PROCESS_CPUTIME) return splitNanoseconds(kernel.clock.toNanoseconds(user + system));
  if (clock === Clock.THREAD_CPUTIME) return splitNanoseconds(kernel.clock.toNanoseconds(thread.retired * kernel.cpi));
  const ns = kernel.clock.nanoseconds();
  const shown = coarseClocks.includes(clock) ? ns - (ns % TICK_NS) : ns;
  return realtimeClocks.includes(clock) ? kernel.clock.realtime(shown) : splitNanoseconds(shown);
}

function readDynamic(kernel: Kernel, thread: Thread, clock: number): GuestTime | null {
  const id = ~(clock >> 3);
  if (clock & 4) {
    const target = id === 0 ? thread : kernel.findThread(id);
    return target ? splitNanoseconds(kernel.clock.toNanoseconds(target.retired * kernel.cpi)) : null;
  }
  const target = id === 0 ? thread.process : kernel.processes.get(id);
  return target ? splitNanoseconds(kernel.clock.toNanoseconds(target.usage.user + target.usage.system)) : null;
}

const clockGettime = (wide: boolean): Handler => (kernel, thread, clock, va) => {
  const time = readClock(kernel, thread, clock);
  return time ? writeTimespec(thread.process.space, va, time, wide) : -Errno.EINVAL;
};

const clockGetres = (wide: boolean): Handler => (_kernel, thread, clock, va) => {
  if (!knows(clock)) return -Errno.EINVAL;
  const nanoseconds = coarseClocks.includes(clock) ? TICK_NS : 1;
  return va ? writeTimespec(thread.process.space, va, { seconds: 0, nanoseconds }, wide) : 0;
};

function setWallClock(kernel: Kernel, thread: Thread, { seconds, nanoseconds }: GuestTime): Result {
  if (!capable(thread.process.cred, Cap.SYS_TIME)) return -Errno.EPERM;
  if (!kernel.clock.setRealtime(seconds, nanoseconds)) return -Errno.EINVAL;
  kernel.log.add('clock.set', { pid: thread.process.pid, comm: thread.process.comm, seconds, nanoseconds });
  return 0;
}

const clockSettime = (wide: boolean): Handler => (kernel, thread, clock, va) => {
  if (clock !== Clock.REALTIME) return -Errno.EINVAL;
  const time = readTimespec(thread.process.space, va, wide);
  return failed(time) ? time : setWallClock(kernel, thread, time);
};

/** A time zone alone is taken and forgotten. */
function settimeofday(kernel: Kernel, thread: Thread, timeVa: number): number {
  if (timeVa === 0) return capable(thread.process.cred, Cap.SYS_TIME) ? 0 : -Errno.EPERM;
  const words = thread.process.space.readWords(timeVa >>> 0, 2);
  if (failed(words)) return words;
  const [seconds, microseconds] = words;
  if (seconds < 0 || microseconds < 0 || microseconds >= 1e6) return -Errno.EINVAL;
  return setWallClock(kernel, thread, { seconds, nanoseconds: microseconds * 1000 });
}

function stime(kernel: Kernel, thread: Thread, va: number): number {
  const words = thread.process.space.readWords(va >>> 0, 1);
  return failed(words) ? words : setWallClock(kernel, thread, { seconds: words[0], nanoseconds: 0 });
}

function gettimeofday(kernel: Kernel, thread: Thread, timeVa: number, zoneVa: number): number {
  const { space } = thread.process;
  const { seconds, nanoseconds } = kernel.realtime();
  const result = timeVa ? space.writeWords(timeVa >>> 0, [seconds, Math.floor(nanoseconds / 1000)]) : 0;
  return zoneVa && !failed(result) ? space.writeWords(zoneVa >>> 0, [0, 0]) : result;
}

function time(kernel: Kernel, thread: Thread, va: number): number {
  const { seconds } = kernel.realtime();
  const result = va ? thread.process.space.writeWords(va >>> 0, [seconds]) : 0;
  return failed(result) ? result : seconds;
}

/** times(2): clock ticks (100 a second) since power-on, and what the process and its children used. */
function times(kernel: Kernel, thread: Thread, va: number): number {
  const ticks = (cycles: number): number => Math.floor(kernel.clock.toNanoseconds(cycles) / TICK_NS);
  const { usage, childUsage, space } = thread.process;
  const result = va ? space.writeWords(va >>> 0, [usage.user, usage.system, childUsage.user, childUsage.system].map(ticks)) : 0;
  return failed(result) ? result : ticks(kernel.clock.cycles);
}

/** Sleep until a point in cycles. `restVa`: where to write what is left when a signal ends the sleep, for relative sleeps. */
function sleepUntil(kernel: Kernel, thread: Thread, deadline: number, restVa: number, wide: boolean): number {
  const { blocked } = thread;
  if (blocked?.timedOut || kernel.clock.cycles >= (blocked?.deadline ?? deadline)) return 0;
  const result = thread.block('nanosleep', [], { deadline, restart: 'nohand' });
  if (!restVa || !thread.hasSignal()) return result;
  const rest = kernel.clock.toNanoseconds((thread.blocked?.deadline ?? deadline) - kernel.clock.cycles);
  const written = writeTimespec(thread.process.space, restVa, splitNanoseconds(rest), wide);
  if (!failed(written)) return result;
  thread.unblock();
  thread.state = 'runnable';
  return written;
}

const nanosleep = (wide: boolean): Handler => (kernel, thread, requestVa, restVa) => {
  const request = readTimespec(thread.process.space, requestVa, wide);
  if (failed(request)) return request;
  return sleepUntil(kernel, thread, kernel.clock.cycles + kernel.clock.toCycles(toNanoseconds(request)), restVa, wide);
};

const clockNanosleep = (wide: boolean): Handler => (kernel, thread, clock, flags, requestVa, restVa) => {
  if (!knows(clock) || clock === Clock.THREAD_CPUTIME) return -Errno.EINVAL;
  if (coarseClocks.includes(clock) || clock === Clock.MONOTONIC_RAW) return -Errno.EOPNOTSUPP;
  const request = readTimespec(thread.process.space, requestVa, wide);
  if (failed(request)) return request;
  const now = readClock(kernel, thread, clock);
  if (!now) return -Errno.EINVAL;
  if (!(flags & TIMER_ABSTIME)) return sleepUntil(kernel, thread, kernel.clock.cycles + kernel.clock.toCycles(toNanoseconds(request)), restVa, wide);
  return sleepUntil(kernel, thread, absoluteCycles(kernel, request, now), 0, wide);
};

/** When a clock that now shows `now` will show `at`. */
function absoluteCycles(kernel: Kernel, at: GuestTime, now: GuestTime): number {
  const ns = (at.seconds - now.seconds) * 1e9 + (at.nanoseconds - now.nanoseconds);
  return ns <= 0 ? kernel.clock.cycles : kernel.clock.cycles + kernel.clock.toCycles(Math.min(ns, 9e15));
}

/** alarm(2): seconds left of the alarm before, rounded, never 0 if there was one. */
function alarm(kernel: Kernel, thread: Thread, seconds: number): number {
  const { itimers } = thread.process;
  const { left } = itimers.get(Itimer.REAL);
  itimers.set(Itimer.REAL, kernel.clock.toCycles((seconds >>> 0) * 1e9), 0);
  return left === 0 ? 0 : Math.max(1, Math.floor(kernel.clock.toNanoseconds(left) / 1e9 + 0.5));
}

const MICROSECOND = 1000;

function readTimeval(thread: Thread, va: number): number {
  const words = thread.process.space.readWords(va >>> 0, 2);
  if (failed(words)) return words;
  const [seconds, microseconds] = words;
  if (seconds < 0 || microseconds < 0 || microseconds >= 1e6) return -Errno.EINVAL;
  return toNanoseconds({ seconds, nanoseconds: microseconds * MICROSECOND });
}

function timevalWords(kernel: Kernel, cycles: number): number[] {
  const { seconds, nanoseconds } = splitNanoseconds(kernel.clock.toNanoseconds(cycles));
  return [seconds, Math.floor(nanoseconds / MICROSECOND)];
}

/** A running timer never shows zero. */
function writeItimer(kernel: Kernel, thread: Thread, which: number, va: number): Result {
  const { left, interval } = thread.process.itimers.get(which);
  const value = timevalWords(kernel, left);
  if (left > 0 && value[0] === 0 && value[1] === 0) value[1] = 1;
  return thread.process.space.writeWords(va >>> 0, [...timevalWords(kernel, interval), ...value]);
}

function getitimer(kernel: Kernel, thread: Thread, which: number, va: number): number {
  return which < 0 || which > 2 ? -Errno.EINVAL : writeItimer(kernel, thread, which, va);
}

function setitimer(kernel: Kernel, thread: Thread, which: number, newVa: number, oldVa: number): number {
  if (which < 0 || which > 2) return -Errno.EINVAL;
  const interval = newVa ? readTimeval(thread, newVa) : 0;
  if (failed(interval)) return interval;
  const left = newVa ? readTimeval(thread, newVa + 8) : 0;
  if (failed(left)) return left;
  const written = oldVa ? writeItimer(kernel, thread, which, oldVa) : 0;
  thread.process.itimers.set(which, kernel.clock.toCycles(left), kernel.clock.toCycles(interval));
  return written;
}

// ---- timer_create and its relatives

function timerCreate(_kernel: Kernel, thread: Thread, clock: number, eventVa: number, idVa: number): number {
  const { process } = thread;
  if (!knows(clock) || coarseClocks.includes(clock) || clock === Clock.MONOTONIC_RAW) return -Errno.EINVAL;
  // struct sigevent: value, signo, notify, thread id.
  const words = eventVa ? process.space.readWords(eventVa >>> 0, 4) : null;
  if (failed(words)) return words;
  const [value, signo, notify, tid] = words ?? [0, Signal.ALRM, Sigev.SIGNAL, 0];
  if (notify !== Sigev.NONE && (signo < 1 || signo > NSIG)) return -Errno.EINVAL;
  if (notify !== Sigev.SIGNAL && notify !== Sigev.NONE && notify !== Sigev.THREAD_ID) return -Errno.EINVAL;
  if (notify === Sigev.THREAD_ID && !process.threads.some((one) => one.tid === tid)) return -Errno.EINVAL;
  const timer = process.timers.create({ clock, notify, signo, value, tid });
  if (!timer) return -Errno.EAGAIN;
  if (!words) timer.value = timer.id;
  const written = process.space.writeWords(idVa >>> 0, [timer.id]);
  if (failed(written)) process.timers.delete(timer.id);
  return written;
}

function writeTimer(kernel: Kernel, thread: Thread, timer: PosixTimer, va: number, wide: boolean): Result {
  const { space, timers } = thread.process;
  const parts = [timer.interval, timers.left(timer)].map((cycles) => splitNanoseconds(kernel.clock.toNanoseconds(cycles)));
  const first = writeTimespec(space, va, parts[0], wide);
  return failed(first) ? first : writeTimespec(space, va + (wide ? 16 : 8), parts[1], wide);
}

const timerSettime = (wide: boolean): Handler => (kernel, thread, id, flags, newVa, oldVa) => {
  const { timers, space } = thread.process;
  const timer = timers.find(id);
  if (!timer || !newVa) return -Errno.EINVAL;
  const interval = readTimespec(space, newVa, wide);
  if (failed(interval)) return interval;
  const value = readTimespec(space, newVa + (wide ? 16 : 8), wide);
  if (failed(value)) return value;
  const written = oldVa ? writeTimer(kernel, thread, timer, oldVa, wide) : 0;
  if (failed(written)) return written;
  const { clock } = kernel;
  const now = readClock(kernel, thread, timer.clock) ?? { seconds: 0, nanoseconds: 0 };
  const relative = clock.cycles + clock.toCycles(toNanoseconds(value));
  const armed = value.seconds !== 0 || value.nanoseconds !== 0;
  timers.set(timer, armed ? (flags & TIMER_ABSTIME ? absoluteCycles(kernel, value, now) : relative) : 0, clock.toCycles(toNanoseconds(interval)));
  return 0;
};

const timerGettime = (wide: boolean): Handler => (kernel, thread, id, va) => {
  const timer = thread.process.timers.find(id);
  return timer ? writeTimer(kernel, thread, timer, va, wide) : -Errno.EINVAL;
};

defineSyscalls({
  4013: ['time', 1, time, 'ptr'],
  4025: ['stime', 1, stime, 'ptr'],
  4027: ['alarm', 1, alarm, 'int'],
  4043: ['times', 1, times, 'ptr'],
  4078: ['gettimeofday', 2, gettimeofday, 'ptr ptr'],
  4079: ['settimeofday', 2, settimeofday, 'ptr ptr'],
  4104: ['setitimer', 3, setitimer, 'itimer itimerval ptr'],
  4105: ['getitimer', 2, getitimer, 'itimer ptr'],
  4166: ['nanosleep', 2, nanosleep(false), 'timespec ptr'],
  4257: ['timer_create', 3, timerCreate, 'clock ptr ptr'],
  4258: ['timer_settime', 4, timerSettime(false), 'int int ptr ptr'],
  4259: ['timer_gettime', 2, timerGettime(false), 'int ptr'],
  4260: ['timer_getoverrun', 1, (_kernel, thread, id) => thread.process.timers.find(id)?.overrun ?? -Errno.EINVAL, 'int'],
  4261: ['timer_delete', 1, (_kernel, thread, id) => (thread.process.timers.delete(id) ? 0 : -Errno.EINVAL), 'int'],
  4262: ['clock_settime', 2, clockSettime(false), 'clock timespec'],
  4263: ['clock_gettime', 2, clockGettime(false), 'clock timespecout'],
  4264: ['clock_getres', 2, clockGetres(false), 'clock timespecout'],
  4265: ['clock_nanosleep', 4, clockNanosleep(false), 'clock hex timespec ptr'],
  4403: ['clock_gettime64', 2, clockGettime(true), 'clock timespec64out'],
  4404: ['clock_settime64', 2, clockSettime(true), 'clock timespec64'],
  4406: ['clock_getres_time64', 2, clockGetres(true), 'clock timespec64out'],
  4407: ['clock_nanosleep_time64', 4, clockNanosleep(true), 'clock hex timespec64 ptr'],
  4408: ['timer_gettime64', 2, timerGettime(true), 'int ptr'],
  4409: ['timer_settime64', 4, timerSettime(true), 'int int ptr ptr'],
});

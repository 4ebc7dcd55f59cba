import { Errno, failed } from '../../base/index.js';
import { Cap, capable, LAST_CAPABILITY } from '../capabilities.js';
import { PAGE_SIZE } from '../../memory/ram.js';
import type { Kernel } from '../kernel.js';
import { defineSyscalls } from '../syscall-table.js';
import type { Thread } from '../thread.js';
import { splitNanoseconds, writeTimespec } from '../user-memory.js';

// ---- identity of the machine

const UTS_FIELD = 65;
const UTS_RELEASE = '5.10.0-shuntbox';
const UTS_VERSION = '#1 Thu Jan 1 00:00:00 UTC 2026';

function uname(kernel: Kernel, thread: Thread, va: number): number {
  const bytes = Buffer.alloc(6 * UTS_FIELD);
  ['Linux', kernel.hostname, UTS_RELEASE, UTS_VERSION, 'mips', kernel.domainname].forEach((text, i) => bytes.write(text.slice(0, UTS_FIELD - 1), i * UTS_FIELD, 'latin1'));
  return thread.process.space.copyout(va >>> 0, bytes);
}

const setName = (key: 'hostname' | 'domainname') => (kernel: Kernel, thread: Thread, va: number, length: number): number => {
  if (thread.process.cred.euid !== 0) return -Errno.EPERM;
  if (length < 0 || length >= UTS_FIELD) return -Errno.EINVAL;
  const bytes = thread.process.space.copyin(va >>> 0, length);
  if (failed(bytes)) return bytes;
  kernel[key] = Buffer.from(bytes).toString('latin1').replace(/\0.*$/s, '');
  return 0;
};

/**
 * struct sysinfo, 64 bytes: uptime 0, loads[3] 4, totalram 16, freeram 20, sharedram 24, bufferram 28, totalswap 32,
 * freeswap 36, procs 40:16, totalhigh 44, freehigh 48, mem_unit 52.
 */
function sysinfo(kernel: Kernel, thread: Thread, va: number): number {
  const words = new Array<number>(16).fill(0);
  words[0] = Math.floor(kernel.clock.nanoseconds() / 1e9);
  words[4] = kernel.ram.frames * PAGE_SIZE;
  words[5] = kernel.ram.free() * PAGE_SIZE;
  words[10] = kernel.processes.size;
  words[13] = 1;
  return thread.process.space.writeWords(va >>> 0, words);
}

// ---- prctl

const Pr = {
  SET_PDEATHSIG: 1, GET_PDEATHSIG: 2, GET_DUMPABLE: 3, SET_DUMPABLE: 4, GET_KEEPCAPS: 7, SET_KEEPCAPS: 8, SET_NAME: 15, GET_NAME: 16,
  CAPBSET_READ: 23, CAPBSET_DROP: 24, GET_SECUREBITS: 27, SET_SECUREBITS: 28, SET_TIMERSLACK: 29, GET_TIMERSLACK: 30, SET_NO_NEW_PRIVS: 38,
  GET_NO_NEW_PRIVS: 39, SET_FP_MODE: 45, GET_FP_MODE: 46, CAP_AMBIENT: 47,
} as const;
const COMM_BYTES = 16;
const TIMER_SLACK = 50_000;

function prctl(_kernel: Kernel, thread: Thread, option: number, a1: number): number {
  const { process } = thread;
  const { space } = process;
  switch (option) {
    case Pr.SET_PDEATHSIG:
      if (a1 < 0 || a1 > 128) return -Errno.EINVAL;
      process.deathSignal = a1;
      return 0;
    case Pr.GET_PDEATHSIG: return space.writeWords(a1 >>> 0, [process.deathSignal]);
    case Pr.GET_DUMPABLE: return process.dumpable ? 1 : 0;
    case Pr.SET_DUMPABLE:
      if (a1 !== 0 && a1 !== 1) return -Errno.EINVAL;
      process.dumpable = a1 === 1;
      return 0;
    case Pr.GET_KEEPCAPS: return process.keepCapabilities ? 1 : 0;
    case Pr.SET_KEEPCAPS:
      if (a1 !== 0 && a1 !== 1) return -Errno.EINVAL;
      process.keepCapabilities = a1 === 1;
      return 0;
    case Pr.SET_NAME: return setProcessName(thread, a1);
    case Pr.GET_NAME: {
      const bytes = Buffer.alloc(COMM_BYTES);
      bytes.write(process.comm, 'latin1');
      return space.copyout(a1 >>> 0, bytes);
    }
    case Pr.CAPBSET_READ: return a1 >= 0 && a1 <= LAST_CAPABILITY ? 1 : -Errno.EINVAL;
    case Pr.CAPBSET_DROP: return a1 >= 0 && a1 <= LAST_CAPABILITY ? 0 : -Errno.EINVAL;
    case Pr.GET_SECUREBITS: return 0;
    case Pr.SET_SECUREBITS: return capable(process.cred, Cap.SETPCAP) ? 0 : -Errno.EPERM;
    case Pr.SET_TIMERSLACK: return 0;
    case Pr.GET_TIMERSLACK: return TIMER_SLACK;
    case Pr.SET_NO_NEW_PRIVS:
      if (a1 !== 1) return -Errno.EINVAL;
      process.noNewPrivileges = true;
      return 0;
    case Pr.GET_NO_NEW_PRIVS: return process.noNewPrivileges ? 1 : 0;
    // FR = 0 is the only mode of the processor modelled.
    case Pr.GET_FP_MODE: return 0;
    case Pr.SET_FP_MODE: return a1 === 0 ? 0 : -Errno.EOPNOTSUPP;
    case Pr.CAP_AMBIENT: return 0;
    default: return -Errno.EINVAL;
  }
}

function setProcessName(thread: Thread, va: number): number {
  const { process } = thread;
  const bytes = process.space.copyin(va >>> 0, COMM_BYTES);
  // Up to the terminator only: the string may end right before an unmapped page.
  const text = failed(bytes) ? process.space.copyinString(va >>> 0, COMM_BYTES) : Buffer.from(bytes).toString('latin1').replace(/\0.*$/s, '');
  if (failed(text)) return text;
  process.comm = text.slice(0, COMM_BYTES - 1);
  return 0;
}

// ---- random numbers, from the machine's seed

const GRND_FLAGS = 7;
const GETRANDOM_MAX = 0x1ffffff;

function getrandom(kernel: Kernel, thread: Thread, va: number, length: number, flags: number): number {
  if (flags & ~GRND_FLAGS) return -Errno.EINVAL;
  const wanted = Math.min(length >>> 0, GETRANDOM_MAX);
  const chunk = new Uint8Array(Math.min(wanted, 4096));
  for (let done = 0; done < wanted; done += chunk.length) {
    const part = chunk.subarray(0, wanted - done);
    kernel.random.fill(part);
    const result = thread.process.space.copyout((va >>> 0) + done, part);
    if (failed(result)) return done > 0 ? done : result;
  }
  return wanted;
}

// ---- power

const REBOOT_MAGIC1 = 0xfee1dead | 0;
const REBOOT_MAGIC2: readonly number[] = [672274793, 85072278, 369367448, 537993216];
const halts = new Map<number, 'halt' | 'poweroff' | 'restart'>([
  [0x01234567, 'restart'], [0xcdef0123 | 0, 'halt'], [0x4321fedc, 'poweroff'], [0xa1b2c3d4 | 0, 'restart'],
]);
/** RB_ENABLE_CAD, RB_DISABLE_CAD. */
const CTRL_ALT_DEL: readonly number[] = [0x89abcdef | 0, 0];

function reboot(kernel: Kernel, thread: Thread, magic1: number, magic2: number, command: number): number {
  if (thread.process.cred.euid !== 0) return -Errno.EPERM;
  if (magic1 !== REBOOT_MAGIC1 || !REBOOT_MAGIC2.includes(magic2)) return -Errno.EINVAL;
  if (CTRL_ALT_DEL.includes(command)) return 0;
  const how = halts.get(command);
  if (!how) return -Errno.EINVAL;
  kernel.log.add('machine.halt', { how, pid: thread.process.pid });
  kernel.halted = how;
  return 0;
}

// ---- scheduling: one policy, no priorities

const SCHED_OTHER = 0;
const SCHED_FIFO = 1;
const SCHED_RR = 2;
const SCHED_BATCH = 3;
const SCHED_IDLE = 5;

function priorityRange(policy: number, realtime: number): number {
  if (policy === SCHED_FIFO || policy === SCHED_RR) return realtime;
  return [SCHED_OTHER, SCHED_BATCH, SCHED_IDLE].includes(policy) ? 0 : -Errno.EINVAL;
}

const findTask = (kernel: Kernel, thread: Thread, tid: number): Thread | undefined => (tid === 0 ? thread : kernel.findThread(tid));

function schedYield(kernel: Kernel): number {
  kernel.scheduler.yield();
  return 0;
}

/** The mask of the one processor. The call returns the bytes written. */
function getAffinity(kernel: Kernel, thread: Thread, tid: number, length: number, va: number): number {
  if (!findTask(kernel, thread, tid)) return -Errno.ESRCH;
  if ((length >>> 0) < 4 || length & 3) return -Errno.EINVAL;
  const result = thread.process.space.writeWords(va >>> 0, [1]);
  return failed(result) ? result : 4;
}

function setAffinity(kernel: Kernel, thread: Thread, tid: number, length: number, va: number): number {
  if (!findTask(kernel, thread, tid)) return -Errno.ESRCH;
  const bytes = thread.process.space.copyin(va >>> 0, Math.min(length >>> 0, 4));
  if (failed(bytes)) return bytes;
  return bytes.length > 0 && bytes[0] & 1 ? 0 : -Errno.EINVAL;
}

/** Real-time policies are refused as to a process without the right to them. */
function setScheduler(kernel: Kernel, thread: Thread, tid: number, policy: number, va: number): number {
  if (!findTask(kernel, thread, tid)) return -Errno.ESRCH;
  const words = thread.process.space.readWords(va >>> 0, 1);
  if (failed(words)) return words;
  if (policy === SCHED_FIFO || policy === SCHED_RR) return -Errno.EPERM;
  return priorityRange(policy, 0) === 0 && words[0] === 0 ? 0 : -Errno.EINVAL;
}

/** The time a thread may run while others wait: the scheduler's quantum. */
function roundRobinInterval(kernel: Kernel, thread: Thread, tid: number, va: number, wide: boolean): number {
  if (tid < 0) return -Errno.EINVAL;
  if (!findTask(kernel, thread, tid)) return -Errno.ESRCH;
  const quantum = Math.floor(kernel.clock.toNanoseconds(kernel.scheduler.quantum * kernel.cpi));
  return writeTimespec(thread.process.space, va, splitNanoseconds(quantum), wide);
}

const PRIO_PROCESS = 0;
const NICE_MIN = -20;
const NICE_MAX = 19;

/** The system call gives 20 - nice, so that no result looks like an error. */
function getpriority(kernel: Kernel, thread: Thread, which: number, who: number): number {
  if (which < 0 || which > 2) return -Errno.EINVAL;
  const target = which === PRIO_PROCESS && who !== 0 ? kernel.processes.get(who) : thread.process;
  return target ? 20 - target.nice : -Errno.ESRCH;
}

function setpriority(kernel: Kernel, thread: Thread, which: number, who: number, value: number): number {
  if (which < 0 || which > 2) return -Errno.EINVAL;
  const target = which === PRIO_PROCESS && who !== 0 ? kernel.processes.get(who) : thread.process;
  if (!target) return -Errno.ESRCH;
  const nice = Math.max(NICE_MIN, Math.min(NICE_MAX, value));
  if (nice < target.nice && !capable(thread.process.cred, Cap.SYS_NICE)) return -Errno.EACCES;
  target.nice = nice;
  return 0;
}

function nice(kernel: Kernel, thread: Thread, increment: number): number {
  const result = setpriority(kernel, thread, PRIO_PROCESS, 0, thread.process.nice + Math.max(-40, Math.min(40, increment)));
  return result === -Errno.EACCES ? -Errno.EPERM : result;
}

// ---- the rest

/** The kernel's message buffer is empty: the event log is its counterpart. */
function syslog(_kernel: Kernel, _thread: Thread, type: number): number {
  return type >= 0 && type <= 10 ? 0 : -Errno.EINVAL;
}

const PER_LINUX = 0;
const PERSONALITY_QUERY = -1;

function membarrier(_kernel: Kernel, _thread: Thread, command: number): number {
  // Only MEMBARRIER_CMD_QUERY (0) and GLOBAL (1): one processor runs one thread at a time, so every barrier holds already.
  return command === 0 ? 1 : command === 1 ? 0 : -Errno.EINVAL;
}

defineSyscalls({
  4034: ['nice', 1, nice, 'int'],
  4074: ['sethostname', 2, setName('hostname'), 'ptr int'],
  4088: ['reboot', 3, reboot, 'hex hex hex'],
  4096: ['getpriority', 2, getpriority, 'int int'],
  4097: ['setpriority', 3, setpriority, 'int int int'],
  4103: ['syslog', 3, syslog, 'int ptr int'],
  4116: ['sysinfo', 1, sysinfo, 'ptr'],
  4121: ['setdomainname', 2, setName('domainname'), 'ptr int'],
  4122: ['uname', 1, uname, 'ptr'],
  4136: ['personality', 1, (_kernel, _thread, value) => (value === PERSONALITY_QUERY || value === PER_LINUX ? PER_LINUX : -Errno.EINVAL), 'hex'],
  4158: ['sched_setparam', 2, (kernel, thread, tid, va) => setScheduler(kernel, thread, tid, SCHED_OTHER, va), 'int ptr'],
  4159: ['sched_getparam', 2, (kernel, thread, tid, va) => (findTask(kernel, thread, tid) ? thread.process.space.writeWords(va >>> 0, [0]) : -Errno.ESRCH), 'int ptr'],
  4160: ['sched_setscheduler', 3, setScheduler, 'int int ptr'],
  4161: ['sched_getscheduler', 1, (kernel, thread, tid) => (findTask(kernel, thread, tid) ? SCHED_OTHER : -Errno.ESRCH), 'int'],
  4162: ['sched_yield', 0, schedYield],
  4163: ['sched_get_priority_max', 1, (_kernel, _thread, policy) => priorityRange(policy, 99), 'int'],
  4164: ['sched_get_priority_min', 1, (_kernel, _thread, policy) => priorityRange(policy, 1), 'int'],
  4165: ['sched_rr_get_interval', 2, (kernel, thread, tid, va) => roundRobinInterval(kernel, thread, tid, va, false), 'int timespecout'],
  4423: ['sched_rr_get_interval_time64', 2, (kernel, thread, tid, va) => roundRobinInterval(kernel, thread, tid, va, true), 'int timespec64out'],
  4192: ['prctl', 5, prctl, 'prctl hex hex hex hex'],
  4239: ['sched_setaffinity', 3, setAffinity, 'int int ptr'],
  4240: ['sched_getaffinity', 3, getAffinity, 'int int ptr'],
  4312: ['getcpu', 3, (_kernel, thread, cpu, node) => (cpu ? thread.process.space.writeWords(cpu >>> 0, [0]) : 0) || (node ? thread.process.space.writeWords(node >>> 0, [0]) : 0), 'ptr ptr ptr'],
  4353: ['getrandom', 3, getrandom, 'ptr int hex'],
  4358: ['membarrier', 2, membarrier, 'int int'],
});

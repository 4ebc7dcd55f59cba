import { Errno, errnoName, hex } from '../base/index.js';
import type { Process } from './process.js';
import { SI, Signal, signalCodeName, signalName } from './signal-numbers.js';
import type { SigInfo } from './signals.js';
import { showArguments } from './strace-args.js';
import { EMAXERRNO, type Syscall } from './syscall-table.js';
import type { Restart, Thread } from './thread.js';

const messages = new Map<number, string>([
  [Errno.EPERM, 'Operation not permitted'], [Errno.ENOENT, 'No such file or directory'], [Errno.ESRCH, 'No such process'], [Errno.EINTR, 'Interrupted system call'],
  [Errno.EIO, 'Input/output error'], [Errno.E2BIG, 'Argument list too long'], [Errno.ENOEXEC, 'Exec format error'], [Errno.EBADF, 'Bad file descriptor'],
  [Errno.ECHILD, 'No child processes'], [Errno.EAGAIN, 'Resource temporarily unavailable'], [Errno.ENOMEM, 'Cannot allocate memory'], [Errno.EACCES, 'Permission denied'],
  [Errno.EFAULT, 'Bad address'], [Errno.EBUSY, 'Device or resource busy'], [Errno.EEXIST, 'File exists'], [Errno.EXDEV, 'Invalid cross-device link'], [Errno.ENODEV, 'No such device'],
  [Errno.ENOTDIR, 'Not a directory'], [Errno.EISDIR, 'Is a directory'], [Errno.EINVAL, 'Invalid argument'], [Errno.EMFILE, 'Too many open files'],
  [Errno.ENOTTY, 'Inappropriate ioctl for device'], [Errno.EFBIG, 'File too large'], [Errno.ENOSPC, 'No space left on device'], [Errno.ESPIPE, 'Illegal seek'],
  [Errno.EROFS, 'Read-only file system'], [Errno.EPIPE, 'Broken pipe'], [Errno.ERANGE, 'Numerical result out of range'], [Errno.ENOSYS, 'Function not implemented'],
  [Errno.ELOOP, 'Too many levels of symbolic links'], [Errno.ENOTEMPTY, 'Directory not empty'], [Errno.ENAMETOOLONG, 'File name too long'],
  [Errno.ENOTSOCK, 'Socket operation on non-socket'], [Errno.EAFNOSUPPORT, 'Address family not supported by protocol'], [Errno.EADDRINUSE, 'Address already in use'],
  [Errno.EADDRNOTAVAIL, 'Cannot assign requested address'], [Errno.ENOTCONN, 'Transport endpoint is not connected'], [Errno.ECONNREFUSED, 'Connection refused'],
  [Errno.ETIMEDOUT, 'Connection timed out'], [Errno.EINPROGRESS, 'Operation now in progress'], [Errno.EOPNOTSUPP, 'Operation not supported'],
]);

const restartNames: Record<Restart, string> = {
  sys: 'ERESTARTSYS (To be restarted if SA_RESTART is set)', nohand: 'ERESTARTNOHAND (To be restarted if no handler)',
  nointr: 'ERESTARTNOINTR (To be restarted)', never: 'EINTR (Interrupted system call)',
};
/** Calls whose result is an address. */
const addressResults: readonly string[] = ['brk', 'mmap', 'mmap2', 'mremap', 'shmat'];

interface Pending {
  entry: Syscall;
  /** Arguments already written; -1: not even the name. */
  written: number;
}

/**
 * System calls and signals in strace's form, e.g. `[pid 12] openat(AT_FDCWD, "/etc/x", O_RDONLY) = 3`. A host-side observer:
 * it changes nothing and is no machine state.
 */
export class Tracer {
  private readonly sink: (text: string) => void;
  private readonly pending = new Map<Thread, Pending>();
  /** The thread whose line is still open at the end of the output. */
  private open: Thread | null = null;

  constructor(sink: (text: string) => void) {
    this.sink = sink;
  }

  /** Nothing is written yet: what the arguments point at may not be resident before the call has read it. */
  enter(thread: Thread, entry: Syscall): void {
    this.pending.set(thread, { entry, written: -1 });
  }

  /** The call will not come back soon, or not to these arguments (execve): write what is known of it. */
  begin(thread: Thread): void {
    const pending = this.pending.get(thread);
    if (!pending || pending.written >= 0) return;
    this.breakOff();
    const { entry } = pending;
    const { shown, complete } = showArguments(thread, entry.name, entry.argc, entry.format, null);
    this.sink(`${prefix(thread)}${entry.name}(${shown.join(', ')}${!complete && shown.length > 0 ? ', ' : ''}`);
    pending.written = shown.length;
    this.open = thread;
  }

  result(thread: Thread, entry: Syscall, result: number): void {
    this.finish(thread, entry, result, describeResult(entry, result));
  }

  noReturn(thread: Thread, entry: Syscall): void {
    if (thread.state === 'dead') return;
    this.finish(thread, entry, 0, entry.name.startsWith('exec') ? '0' : '? (registers restored)');
  }

  /** A signal handler ends or restarts a blocked call. */
  interrupted(thread: Thread, restart: Restart, partial: number | null): void {
    const pending = this.pending.get(thread);
    if (pending) this.finish(thread, pending.entry, -Errno.EINTR, partial !== null ? String(partial) : `? ${restartNames[restart]}`);
  }

  unknown(thread: Thread): void {
    this.breakOff();
    const args = thread.call.args.slice(0, 4).map((value) => hex(value));
    this.sink(`${prefix(thread)}syscall_${hex(thread.call.number)}(${args.join(', ')}) = -1 ENOSYS (Function not implemented)\n`);
  }

  signal(thread: Thread, info: SigInfo): void {
    this.line(thread, `--- ${signalName(info.signo)} {${signalFields(info).join(', ')}} ---`);
  }

  killed(thread: Thread, signo: number, dumped: boolean): void {
    this.line(thread, `+++ killed by ${signalName(signo)}${dumped ? ' (core dumped)' : ''} +++`);
  }

  /** A thread ends within a call (exit, or because its process does). */
  gone(thread: Thread): void {
    const pending = this.pending.get(thread);
    if (pending) this.finish(thread, pending.entry, 0, '?');
  }

  exited(process: Process, status: number): void {
    const leader = process.leader;
    if ((status & 0x7f) === 0 && leader) this.line(leader, `+++ exited with ${status >> 8} +++`);
  }

  private line(thread: Thread, text: string): void {
    this.breakOff();
    this.sink(`${prefix(thread)}${text}\n`);
  }

  /** Another line must be written: end the open one. */
  private breakOff(): void {
    if (this.open) this.sink(' <unfinished ...>\n');
    this.open = null;
  }

  private finish(thread: Thread, entry: Syscall, result: number, text: string): void {
    const written = this.pending.get(thread)?.written ?? Infinity;
    this.pending.delete(thread);
    if (this.open !== thread) {
      this.breakOff();
      this.sink(prefix(thread) + (written < 0 ? `${entry.name}(` : `<... ${entry.name} resumed>`));
    }
    this.open = null;
    const { shown } = showArguments(thread, entry.name, entry.argc, entry.format, result, Math.max(written, 0));
    this.sink(`${shown.join(', ')}) = ${text}\n`);
  }
}

const prefix = (thread: Thread): string => `[pid ${thread.tid}] `;

function describeResult(entry: Syscall, result: number): string {
  if (result < 0 && result >= -EMAXERRNO) {
    const message = messages.get(-result);
    return `-1 ${errnoName(-result)}${message ? ` (${message})` : ''}`;
  }
  return addressResults.includes(entry.name) ? hex(result) : String(result);
}

function signalFields(info: SigInfo): string[] {
  const fields = [`si_signo=${signalName(info.signo)}`, `si_code=${signalCodeName(info.signo, info.code)}`];
  if (info.addr !== undefined) fields.push(`si_addr=${info.addr === 0 ? 'NULL' : hex(info.addr)}`);
  if (info.pid !== undefined) fields.push(`si_pid=${info.pid}`, `si_uid=${info.uid ?? 0}`);
  if (info.signo === Signal.CHLD && info.status !== undefined) fields.push(`si_status=${info.code === SI.CLD_EXITED ? info.status : signalName(info.status)}`);
  return fields;
}

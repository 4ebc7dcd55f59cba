import { Errno, snapshotClass, type WaitQueue } from '../base/index.js';
import type { Attr } from '../vfs/vnode.js';
import { anonymousAttr } from './eventpoll.js';
import { OpenFile, Poll } from './open-file.js';
import type { PendingSignals } from './pending-signals.js';
import type { Process } from './process.js';
import { SI, Signal } from './signal-numbers.js';
import type { SigInfo } from './signals.js';
import { copySet, setDelete, type Sigset } from './sigset.js';
import type { Thread } from './thread.js';

/** struct signalfd_siginfo */
const SIGINFO_BYTES = 128;
const FAULTS: readonly number[] = [Signal.SEGV, Signal.BUS, Signal.ILL, Signal.FPE, Signal.TRAP];

/**
 * signalfd(2): pending signals of a set, read instead of delivered. A reader takes its own and its process's, whoever made the
 * descriptor; an epoll set asks for the process that made it, as on Linux.
 */
export class SignalFile extends OpenFile {
  readonly kind = 'signalfd';
  private readonly maker: Process;
  private wanted: Sigset;

  constructor(maker: Process, wanted: Sigset, flags: number) {
    super(flags);
    this.maker = maker;
    this.wanted = takeable(wanted);
  }

  /** What it is about from now on. */
  want(wanted: Sigset): void {
    this.wanted = takeable(wanted);
    this.maker.signalled.wakeAll();
  }

  /** What a mask would have to block so that only the wanted ones are left. */
  private get others(): Sigset {
    return this.wanted.map((word) => ~word);
  }

  override read(_kernel: unknown, thread: Thread, length: number): Uint8Array | number {
    if (length < SIGINFO_BYTES) return -Errno.EINVAL;
    const taken: Uint8Array[] = [];
    for (let info = this.take(thread); info; info = taken.length * SIGINFO_BYTES + SIGINFO_BYTES <= length ? this.take(thread) : null) taken.push(encode(info));
    if (taken.length > 0) return Buffer.concat(taken);
    return this.nonBlocking ? -Errno.EAGAIN : thread.block('signalfd.read', [thread.process.signalled]);
  }

  private take(thread: Thread): SigInfo | null {
    const { others } = this;
    const from = (pending: PendingSignals): SigInfo | null => {
      const signo = pending.next(others);
      return signo === 0 ? null : pending.take(signo);
    };
    return from(thread.pending) ?? from(thread.process.pending);
  }

  override poll(asker: Thread | undefined = this.maker.leader): number {
    const { others } = this;
    const ready = asker !== undefined && (asker.pending.next(others) !== 0 || asker.process.pending.next(others) !== 0);
    return ready ? Poll.IN | Poll.RDNORM : 0;
  }

  override waitQueues(_events: number, asker?: Thread): WaitQueue[] {
    return [(asker?.process ?? this.maker).signalled];
  }

  stat(): Attr {
    return anonymousAttr();
  }

  describe(): string {
    return 'anon_inode:[signalfd]';
  }
}
snapshotClass('SignalFile', SignalFile);

function takeable(set: Sigset): Sigset {
  const copy = copySet(set);
  setDelete(copy, Signal.KILL);
  setDelete(copy, Signal.STOP);
  return copy;
}

/** 0 signo, errno, code, pid, uid, fd, tid, band, overrun, trapno, status, int | 48 ptr:64, utime:64, stime:64, addr:64 */
function encode(info: SigInfo): Uint8Array {
  const bytes = new Uint8Array(SIGINFO_BYTES);
  const view = new DataView(bytes.buffer);
  const put = (at: number, value: number | undefined): void => view.setInt32(at, value ?? 0, true);
  put(0, info.signo);
  put(4, info.errno);
  put(8, info.code);
  if (info.code > 0 && info.code !== SI.KERNEL && FAULTS.includes(info.signo)) {
    put(72, info.addr);
    return bytes;
  }
  if (info.code === SI.TIMER) {
    put(24, info.timerId);
    put(32, info.overrun);
  } else {
    put(12, info.raw ? wordOf(info.raw, 0) : info.pid);
    put(16, info.raw ? wordOf(info.raw, 4) : info.uid);
  }
  if (info.code > 0 && info.signo === Signal.CHLD) {
    put(40, info.status);
    put(56, info.utime);
    put(64, info.stime);
    return bytes;
  }
  const value = info.raw ? wordOf(info.raw, 8) : info.value ?? 0;
  put(44, value);
  put(48, value);
  return bytes;
}

function wordOf(raw: Uint8Array, at: number): number {
  return raw.length >= at + 4 ? new DataView(raw.buffer, raw.byteOffset).getInt32(at, true) : 0;
}

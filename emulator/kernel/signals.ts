import { Signal, SIG_DFL } from './signal-numbers.js';
import { emptySet, NSIG, type Sigset } from './sigset.js';

/** siginfo_t before it is laid out: the fields that exist depend on signal and code (sigaction(2)). */
export interface SigInfo {
  signo: number;
  code: number;
  errno?: number;
  pid?: number;
  uid?: number;
  /** Faults: the address. */
  addr?: number;
  /** SIGCHLD: exit status or signal, and times in clock ticks. */
  status?: number;
  utime?: number;
  stime?: number;
  /** sigqueue and POSIX timers: sigval. */
  value?: number;
  timerId?: number;
  overrun?: number;
  /** Bytes 12.. of the 128 as the sender gave them (rt_sigqueueinfo). */
  raw?: Uint8Array;
}

export interface SigAction {
  /** SIG_DFL, SIG_IGN or an address. */
  handler: number;
  flags: number;
  mask: Sigset;
}

export const defaultAction = (): SigAction => ({ handler: SIG_DFL, flags: 0, mask: emptySet() });
export const defaultActions = (): SigAction[] => Array.from({ length: NSIG + 1 }, defaultAction);

type Disposition = 'ignore' | 'terminate' | 'core' | 'stop' | 'continue';
const ignored: readonly number[] = [Signal.CHLD, Signal.WINCH, Signal.URG];
const dumping: readonly number[] = [
  Signal.QUIT, Signal.ILL, Signal.TRAP, Signal.ABRT, Signal.EMT, Signal.FPE, Signal.BUS, Signal.SEGV, Signal.SYS, Signal.XCPU, Signal.XFSZ,
];
const stopping: readonly number[] = [Signal.STOP, Signal.TSTP, Signal.TTIN, Signal.TTOU];

/** What happens without a handler (signal(7)). */
export function defaultDisposition(signo: number): Disposition {
  if (signo === Signal.CONT) return 'continue';

  if (ignored.includes(signo)) return 'ignore';
  if (stopping.includes(signo)) return 'stop';
  return dumping.includes(signo) ? 'core' : 'terminate';
}

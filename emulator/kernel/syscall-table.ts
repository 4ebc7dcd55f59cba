import { invariant } from '../base/index.js';
import type { Kernel } from './kernel.js';
import type { Thread } from './thread.js';

/**
 * A system call. Arguments are signed 32-bit integers (a0-a3, then the user stack). The result is a value
 * (any integer outside [-1133, -1]), a negative errno, one of the ERESTART codes, BLOCKED or NO_RETURN.
 */
export type Handler = (kernel: Kernel, thread: Thread, a0: number, a1: number, a2: number, a3: number, a4: number, a5: number, a6: number) => number;

export interface Syscall {
  readonly number: number;
  readonly name: string;
  /** Its name in the ledger, "syscall.read". */
  readonly counter: string;
  /** How many arguments it takes; those from the fifth on are fetched from the user stack (EFAULT). */
  readonly argc: number;
  readonly handler: Handler;
  /** Argument kinds for strace, separated by blanks; see strace.ts. */
  readonly format: string | undefined;
}

/** The handler called `thread.block(…)`; it is called again, with the same arguments, after a wake-up. */
export const BLOCKED = -100000;
/** The handler has set all registers itself (sigreturn, execve, a thaw). */
export const NO_RETURN = -100001;

/**
 * Results that never reach the user (include/linux/errno.h): how the call goes on when a signal interrupts it.
 * SYS: restarted if the handler has SA_RESTART. NOINTR: always restarted. NOHAND: restarted only when no handler
 * runs. RESTARTBLOCK: as NOHAND (the remaining time is kept in the blocked record).
 */
export const ERESTARTSYS = 512;
export const ERESTARTNOINTR = 513;
export const ERESTARTNOHAND = 514;
export const ERESTART_RESTARTBLOCK = 516;

/** The largest errno of MIPS (EDQUOT); internal results in [-EMAXERRNO, -1] are errors. */
export const EMAXERRNO = 1133;

const table = new Map<number, Syscall>();
const numbers = new Map<string, number>();

/** Add calls, by their number (4000 + n in o32). Called when a module is loaded; the table is no machine state. */
export function defineSyscalls(calls: Record<number, readonly [name: string, argc: number, handler: Handler, format?: string]>): void {
  for (const [key, [name, argc, handler, format]] of Object.entries(calls)) {
    const number = Number(key);
    const known = table.get(number);
    invariant(!known, `system call ${number} is defined twice: ${known?.name} and ${name}`);
    table.set(number, { number, name, counter: `syscall.${name}`, argc, handler, format });
    numbers.set(name, number);
  }
}

export function findSyscall(number: number): Syscall | undefined {
  return table.get(number);
}

export function syscallNumber(name: string): number | undefined {
  return numbers.get(name);
}

export function syscallCount(): number {
  return table.size;
}

/** Signal numbers of Linux/MIPS (arch/mips/include/uapi/asm/signal.h); they differ from other machines from 7 up. */
export const Signal = {
  HUP: 1, INT: 2, QUIT: 3, ILL: 4, TRAP: 5, ABRT: 6, EMT: 7, FPE: 8, KILL: 9, BUS: 10, SEGV: 11, SYS: 12, PIPE: 13,
  ALRM: 14, TERM: 15, USR1: 16, USR2: 17, CHLD: 18, PWR: 19, WINCH: 20, URG: 21, IO: 22, STOP: 23, TSTP: 24,
  CONT: 25, TTIN: 26, TTOU: 27, VTALRM: 28, PROF: 29, XCPU: 30, XFSZ: 31,
} as const;

const names = new Map<number, string>(Object.entries(Signal).map(([name, value]) => [value, `SIG${name}`]));

/** "SIGSEGV"; real-time signals as strace writes them: "SIGRT_3" is SIGRTMIN+3. */
export function signalName(signo: number): string {
  return names.get(signo) ?? (signo >= 32 && signo <= 128 ? `SIGRT_${signo - 32}` : String(signo));
}

/** sigaction flags. */
export const SA = {
  NOCLDSTOP: 1, SIGINFO: 8, NOCLDWAIT: 0x10000, ONSTACK: 0x08000000, RESTART: 0x10000000, NODEFER: 0x40000000,
  RESETHAND: 0x80000000 | 0,
} as const;

export const SIG_DFL = 0;
export const SIG_IGN = 1;

/** si_code. SI_ASYNCIO, SI_TIMER and SI_MESGQ are numbered otherwise than on other machines. */
export const SI = {
  USER: 0, KERNEL: 0x80, QUEUE: -1, ASYNCIO: -2, TIMER: -3, MESGQ: -4, TKILL: -6,
  CLD_EXITED: 1, CLD_KILLED: 2, CLD_DUMPED: 3, CLD_TRAPPED: 4, CLD_STOPPED: 5, CLD_CONTINUED: 6,
} as const;

const faultCodes: Record<number, readonly string[]> = {
  [Signal.ILL]: ['', 'ILL_ILLOPC', 'ILL_ILLOPN', 'ILL_ILLADR', 'ILL_ILLTRP', 'ILL_PRVOPC', 'ILL_PRVREG', 'ILL_COPROC', 'ILL_BADSTK'],
  [Signal.FPE]: ['', 'FPE_INTDIV', 'FPE_INTOVF', 'FPE_FLTDIV', 'FPE_FLTOVF', 'FPE_FLTUND', 'FPE_FLTRES', 'FPE_FLTINV', 'FPE_FLTSUB'],
  [Signal.SEGV]: ['', 'SEGV_MAPERR', 'SEGV_ACCERR'],
  [Signal.BUS]: ['', 'BUS_ADRALN', 'BUS_ADRERR', 'BUS_OBJERR'],
  [Signal.TRAP]: ['', 'TRAP_BRKPT', 'TRAP_TRACE'],
  [Signal.CHLD]: ['', 'CLD_EXITED', 'CLD_KILLED', 'CLD_DUMPED', 'CLD_TRAPPED', 'CLD_STOPPED', 'CLD_CONTINUED'],
};
const generalCodes = new Map<number, string>([
  [0, 'SI_USER'], [0x80, 'SI_KERNEL'], [-1, 'SI_QUEUE'], [-2, 'SI_ASYNCIO'], [-3, 'SI_TIMER'], [-4, 'SI_MESGQ'], [-6, 'SI_TKILL'],
]);

export function signalCodeName(signo: number, code: number): string {
  return generalCodes.get(code) ?? (faultCodes[signo]?.[code] || String(code));
}

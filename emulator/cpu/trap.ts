/** Why Cpu.run() came back. */
export const TrapKind = { budget: 0, syscall: 1, fault: 2, exception: 3, breakpoint: 4 } as const;
export type TrapKind = (typeof TrapKind)[keyof typeof TrapKind];

/** Signal numbers and si_code values a processor exception raises on Linux/MIPS (uapi/asm/siginfo.h). */
export const Signo = { ILL: 4, TRAP: 5, FPE: 8, BUS: 10, SEGV: 11 } as const;
export const SigCode = {
  SI_KERNEL: 0x80,
  ILL_ILLOPC: 1,
  FPE_INTDIV: 1, FPE_INTOVF: 2, FPE_FLTDIV: 3, FPE_FLTOVF: 4, FPE_FLTUND: 5, FPE_FLTRES: 6, FPE_FLTINV: 7, FPE_FLTUNK: 14,
  TRAP_BRKPT: 1,
  BUS_ADRALN: 1, BUS_ADRERR: 2,
  SEGV_MAPERR: 1, SEGV_ACCERR: 2,
} as const;

/** Filled by Cpu.run(); one object a Cpu, overwritten by the next run. */
export class Trap {
  kind: TrapKind = TrapKind.budget;
  /** Address of the trapping instruction, or of the branch when it sits in a delay slot. Unsigned. */
  epc = 0;
  /** Cause.BD: the trapping instruction is the one after `epc`. */
  inDelaySlot = false;
  /** Where execution goes on when the trapping instruction is taken as done: epc + 4, or where the branch leads. */
  nextPc = 0;
  /** The data or instruction address that could not be used; 0 if the trap is not about an address. */
  badVaddr = 0;
  /** Access.read, write or exec, for `fault`. */
  access = 0;
  /** Fault code of AddressSpace.resolve(), for `fault`; 0 otherwise. */
  fault = 0;
  signo = 0;
  sigcode = 0;
  /** Code field of break and of the conditional traps. */
  code = 0;
}

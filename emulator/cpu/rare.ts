import type { Cpu } from './cpu.js';
import { Op } from './ops.js';
import { FCSR, LLADDR, LLBIT, USER_LOCAL } from './registers.js';
import { SigCode, Signo, TrapKind } from './trap.js';

/** done; the trap is filled in; a `breakpoint` that does not stop this run. */
export const Slow = { done: 0, trap: 1, step: 2 } as const;

/** BRK_OVERFLOW and BRK_DIVZERO of asm/break.h: codes of break and of the traps that mean an arithmetic error. */
const BRK_OVERFLOW = 6;
const BRK_DIVZERO = 7;

const SIZE: Record<number, number> = { [Op.lw]: 4, [Op.lh]: 2, [Op.lhu]: 2, [Op.lb]: 1, [Op.lbu]: 1, [Op.ld]: 8, [Op.sw]: 4, [Op.sh]: 2, [Op.sb]: 1, [Op.sd]: 8 };

/**
 * Operations that are not worth a place in the interpreter's switch, and memory accesses in full generality.
 * Answers a Slow code.
 */
export function rare(cpu: Cpu, i: number): number {
  const { code, i32 } = cpu;
  const op = code[i] & 0xff;
  const a = (code[i] >>> 8) & 0xff;
  const b = (code[i] >>> 16) & 0xff;
  const c = code[i] >>> 24;
  const k = code[i + 1];
  if (op < Op.firstRare) return access(cpu, op, a, (i32[b] + k) | 0);
  switch (op) {
    case Op.fpu: return cpu.fpu.execute(k) ? Slow.done : floatException(cpu);
    case Op.move2:
      i32[a] = i32[b];
      i32[a + 1] = i32[b + 1];
      return Slow.done;
    case Op.lwx: return access(cpu, Op.lw, a, (i32[b] + i32[c]) | 0);
    case Op.swx: return access(cpu, Op.sw, a, (i32[b] + i32[c]) | 0);
    case Op.ldx: return access(cpu, Op.ld, a, (i32[b] + i32[c]) | 0);
    case Op.sdx: return access(cpu, Op.sd, a, (i32[b] + i32[c]) | 0);
    case Op.ll: return loadLinked(cpu, a, (i32[b] + k) | 0);
    case Op.sc: return storeConditional(cpu, a, (i32[b] + k) | 0);
    case Op.clo: i32[a] = Math.clz32(~i32[b]); return Slow.done;
    case Op.movf: if ((i32[FCSR] & k) === 0) i32[a] = i32[b]; return Slow.done;
    case Op.movt: if ((i32[FCSR] & k) !== 0) i32[a] = i32[b]; return Slow.done;
    case Op.cfc1: i32[a] = cpu.fpu.control(b); return Slow.done;
    case Op.ctc1: return cpu.fpu.setControl(b, i32[c]) ? Slow.done : floatException(cpu);
    case Op.rdhwr: return readHardware(cpu, i, a, b);
    case Op.add: return checked(cpu, a, i32[b] + i32[c]);
    case Op.addi: return checked(cpu, a, i32[b] + k);
    case Op.sub: return checked(cpu, a, i32[b] - i32[c]);
    case Op.syscall: return cpu.raise(TrapKind.syscall, 0, 0, 0, k);
    case Op.break: return breakpointInstruction(cpu, k);
    case Op.breakpoint: return cpu.breakpointHits(i) ? cpu.raise(TrapKind.breakpoint, Signo.TRAP, SigCode.TRAP_BRKPT) : Slow.step;
    case Op.reserved: return reservedInstruction(cpu);
  }
    // The immediate forms have no code (do_tr in arch/mips/kernel/traps.c).
  if (!trapHolds(op, i32[b], a === 1 ? k : i32[c])) return Slow.done;
  return trapOrBreak(cpu, a === 1 ? 0 : k, SigCode.SI_KERNEL);
}

function reservedInstruction(cpu: Cpu): number {
  return cpu.raise(TrapKind.exception, Signo.ILL, SigCode.ILL_ILLOPC);
}

function floatException(cpu: Cpu): number {
  return cpu.raise(TrapKind.exception, Signo.FPE, cpu.fpu.signalCode());
}

/** Add and subtract with overflow trap; the sum of two 32-bit integers is exact in a double. */
function checked(cpu: Cpu, a: number, exact: number): number {
  if (exact !== (exact | 0)) return cpu.raise(TrapKind.exception, Signo.FPE, SigCode.FPE_INTOVF);
  cpu.i32[a] = exact;
  return Slow.done;
}

function trapHolds(op: number, x: number, y: number): boolean {
  switch (op) {
    case Op.tge: return x >= y;
    case Op.tgeu: return x >>> 0 >= y >>> 0;
    case Op.tlt: return x < y;
    case Op.tltu: return x >>> 0 < y >>> 0;
    case Op.teq: return x === y;
  }
  return x !== y;
}

/** Assemblers put the code of `break n` into the upper ten bits of the field; do_bp accepts either. */
function breakpointInstruction(cpu: Cpu, field: number): number {
  const code = field >= 1 << 10 ? ((field & 0x3ff) << 10) | (field >> 10) : field;
  return trapOrBreak(cpu, code, SigCode.TRAP_BRKPT);
}

function trapOrBreak(cpu: Cpu, code: number, sigcode: number): number {
  if (code === BRK_DIVZERO) return cpu.raise(TrapKind.exception, Signo.FPE, SigCode.FPE_INTDIV, 0, code);
  if (code === BRK_OVERFLOW) return cpu.raise(TrapKind.exception, Signo.FPE, SigCode.FPE_INTOVF, 0, code);
  return cpu.raise(TrapKind.exception, Signo.TRAP, sigcode, 0, code);
}

/** Registers Linux enables in HWREna; the others are reserved. A 24K has 32-byte lines and counts every second cycle. */
function readHardware(cpu: Cpu, i: number, a: number, register: number): number {
  const { i32 } = cpu;
  switch (register) {
    case 0: i32[a] = 0; return Slow.done;
    case 1: i32[a] = 32; return Slow.done;
    case 2: i32[a] = cpu.cycleCounter(i); return Slow.done;
    case 3: i32[a] = 2; return Slow.done;
    case 29: i32[a] = i32[USER_LOCAL]; return Slow.done;
  }
  return reservedInstruction(cpu);
}

function loadLinked(cpu: Cpu, a: number, va: number): number {
  if ((va & 3) !== 0) return misalignedAtomic(cpu, va, 0);
  if (!cpu.memory.read(va, 4)) return Slow.trap;
  cpu.i32[a] = cpu.memory.low;
  cpu.i32[LLBIT] = 1;
  cpu.i32[LLADDR] = va;
  return Slow.done;
}

function storeConditional(cpu: Cpu, a: number, va: number): number {
  const { i32 } = cpu;
  if ((va & 3) !== 0) return misalignedAtomic(cpu, va, 1);
  const success = i32[LLBIT] === 1 && i32[LLADDR] === va;
  if (success && !cpu.memory.write(va, 4, i32[a])) return Slow.trap;
  i32[LLBIT] = 0;
  if (a !== 0) i32[a] = success ? 1 : 0;
  return Slow.done;
}

/** The kernel does not fix up ll and sc. */
function misalignedAtomic(cpu: Cpu, va: number, kind: number): number {
  cpu.addressError(va, kind);
  return Slow.trap;
}

function access(cpu: Cpu, op: number, a: number, va: number): number {
  const { i32, memory } = cpu;
  switch (op) {
    case Op.lwl: case Op.lwr: return loadPart(cpu, op, a, va);
    case Op.swl: return storePart(cpu, va & ~3, (va & 3) + 1, i32[a] >>> (24 - 8 * (va & 3)), va);
    case Op.swr: return storePart(cpu, va, 4 - (va & 3), i32[a], va);
  }
  const size = SIZE[op];
  if ((va & (size - 1)) !== 0) cpu.space.meter.charge('fault.unaligned');
  if (op === Op.sw || op === Op.sh || op === Op.sb || op === Op.sd) {
    return memory.write(va, size, i32[a], size === 8 ? i32[a + 1] : 0) ? Slow.done : Slow.trap;
  }
  if (!memory.read(va, size)) return Slow.trap;
  const { low } = memory;
  i32[a] = op === Op.lh ? (low << 16) >> 16 : op === Op.lb ? (low << 24) >> 24 : low;
  if (op === Op.ld) i32[a + 1] = memory.high;
  return Slow.done;
}

function loadPart(cpu: Cpu, op: number, a: number, va: number): number {
  const { i32, memory } = cpu;
  if (!memory.read(va & ~3, 4)) return partTrap(cpu, va);
  const n = (va & 3) * 8;
  i32[a] = op === Op.lwl
    ? (memory.low << (24 - n)) | (i32[a] & (0x00ff_ffff >>> n))
    : (memory.low >>> n) | (i32[a] & (0xffff_ff00 << (24 - n)));
  return Slow.done;
}

function storePart(cpu: Cpu, from: number, bytes: number, value: number, va: number): number {
  return cpu.memory.write(from, bytes, value) ? Slow.done : partTrap(cpu, va);
}

/** BadVAddr is the address the instruction named, not the word around it. */
function partTrap(cpu: Cpu, va: number): number {
  cpu.trap.badVaddr = va >>> 0;
  return Slow.trap;
}

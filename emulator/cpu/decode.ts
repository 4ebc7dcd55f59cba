import { Op } from './ops.js';
import { FPR, HI, LO, SINK } from './registers.js';

/**
 * One instruction decoded: op and operands as ops.ts describes them. Branches come back with `branch` set;
 * the page decoder turns them into their final form, which depends on the delay slot.
 */
export interface Decoded {
  op: number;
  a: number;
  b: number;
  c: number;
  k: number;
}

/** What a branch does; `offset` is relative to the branch, `region` the low 28 bits of a j or jal target. */
export const BranchKind = { none: 0, conditional: 1, region: 2, register: 3 } as const;

const signed16 = (word: number): number => (word << 16) >> 16;
const rs = (word: number): number => (word >>> 21) & 31;
const rt = (word: number): number => (word >>> 16) & 31;
const rd = (word: number): number => (word >>> 11) & 31;
const shamt = (word: number): number => (word >>> 6) & 31;
const destination = (register: number): number => (register === 0 ? SINK : register);

/** MIPS32 architecture volume II, opcode tables: bits 31..26. */
const SPECIAL = 0, REGIMM = 1, COP1 = 17, COP1X = 19, SPECIAL2 = 28, SPECIAL3 = 31;

export function branchKind(word: number): number {
  const opcode = word >>> 26;
  switch (opcode) {
    case SPECIAL: return (word & 0x3e) === 8 ? BranchKind.register : BranchKind.none;
    case REGIMM: return (rt(word) & 0x0c) === 0 ? BranchKind.conditional : BranchKind.none;
    case 2: case 3: return BranchKind.region;
    case COP1: return rs(word) === 8 ? BranchKind.conditional : BranchKind.none;
  }
  return (opcode >= 4 && opcode <= 7) || (opcode >= 20 && opcode <= 23) ? BranchKind.conditional : BranchKind.none;
}

/** Byte offset of a conditional branch's target from the branch itself. */
export function branchOffset(word: number): number {
  return signed16(word) * 4 + 4;
}

/** The operation of a branch without regard to its delay slot; conditions are in a and b (a bit number for bc1). */
export function decodeBranch(word: number, out: Decoded): void {
  out.a = rs(word);
  out.b = rt(word);
  out.c = out.k = 0;
  out.op = branchOp(word);
  if (word >>> 26 === COP1) out.b = conditionBit((word >>> 18) & 7);
  else if (word >>> 26 === SPECIAL) {
    out.b = rs(word);
    out.a = destination(rd(word));
  }
}

function branchOp(word: number): number {
  switch (word >>> 26) {
    case SPECIAL: return (word & 1) === 0 ? Op.jr : Op.jalr;
    case REGIMM: return [Op.bltz, Op.bgez, Op.bltzl, Op.bgezl, Op.bltzal, Op.bgezal, Op.bltzall, Op.bgezall][((rt(word) & 16) >> 2) | (rt(word) & 3)];
    case 2: return Op.jump;
    case 3: return Op.jal;
    case 4: return Op.beq;
    case 5: return Op.bne;
    case 6: return Op.blez;
    case 7: return Op.bgtz;
    case 20: return Op.beql;
    case 21: return Op.bnel;
    case 22: return Op.blezl;
    case 23: return Op.bgtzl;
  }
  return [Op.bc1f, Op.bc1t, Op.bc1fl, Op.bc1tl][rt(word) & 3];
}

/** Number of the bit of condition code n in FCSR: 23 for 0, 25..31 for 1..7. */
export function conditionBit(n: number): number {
  return n === 0 ? 23 : 24 + n;
}

/** Decode anything but a branch. */
export function decodeInstruction(word: number, out: Decoded): void {
  const s = rs(word);
  const t = rt(word);
  const immediate = signed16(word);
  switch (word >>> 26) {
    case SPECIAL: return decodeSpecial(word, out);
    case REGIMM: return decodeRegimm(word, out);
    case 8: return set(out, Op.addi, destination(t), s, immediate);
    case 9: return immediateOp(out, Op.addiu, t, s, immediate);
    case 10: return immediateOp(out, Op.slti, t, s, immediate);
    case 11: return immediateOp(out, Op.sltiu, t, s, immediate);
    case 12: return immediateOp(out, Op.andi, t, s, word & 0xffff);
    case 13: return immediateOp(out, Op.ori, t, s, word & 0xffff);
    case 14: return immediateOp(out, Op.xori, t, s, word & 0xffff);
    case 15: return immediateOp(out, Op.li, t, s === 0 ? 0 : -1, immediate << 16);
    case COP1: return decodeCop1(word, out);
    case COP1X: return decodeCop1x(word, out);
    case SPECIAL2: return decodeSpecial2(word, out);
    case SPECIAL3: return decodeSpecial3(word, out);
    case 32: return set(out, Op.lb, destination(t), s, immediate);
    case 33: return set(out, Op.lh, destination(t), s, immediate);
    case 34: return set(out, Op.lwl, t === 0 ? SINK : t, s, immediate);
    case 35: return set(out, Op.lw, destination(t), s, immediate);
    case 36: return set(out, Op.lbu, destination(t), s, immediate);
    case 37: return set(out, Op.lhu, destination(t), s, immediate);
    case 38: return set(out, Op.lwr, t === 0 ? SINK : t, s, immediate);
    case 40: return set(out, Op.sb, t, s, immediate);
    case 41: return set(out, Op.sh, t, s, immediate);
    case 42: return set(out, Op.swl, t, s, immediate);
    case 43: return set(out, Op.sw, t, s, immediate);
    case 46: return set(out, Op.swr, t, s, immediate);
    case 48: return set(out, Op.ll, destination(t), s, immediate);
    case 49: return set(out, Op.lw, FPR + t, s, immediate);
    case 51: return set(out, Op.nop, 0, 0, 0); // pref
    case 53: return set(out, Op.ld, FPR + (t & 30), s, immediate);
    case 56: return set(out, Op.sc, t, s, immediate);
    case 57: return set(out, Op.sw, FPR + t, s, immediate);
    case 61: return set(out, Op.sd, FPR + (t & 30), s, immediate);
  }
  reserved(out);
}

function set(out: Decoded, op: number, a: number, b: number, k: number): void {
  out.op = op;
  out.a = a;
  out.b = b;
  out.c = 0;
  out.k = k;
}

function registers(out: Decoded, op: number, a: number, b: number, c: number): void {
  set(out, op, a, b, 0);
  out.c = c;
}

function reserved(out: Decoded): void {
  set(out, Op.reserved, 0, 0, 0);
}

/** Operations without side effects other than their destination: with $0 they are nops. */
function pure(out: Decoded, op: number, d: number, b: number, k: number): void {
  if (d === 0) set(out, Op.nop, 0, 0, 0);
  else set(out, op, d, b, k);
}

function pureRegisters(out: Decoded, op: number, d: number, b: number, c: number): void {
  if (d === 0) set(out, Op.nop, 0, 0, 0);
  else registers(out, op, d, b, c);
}

function immediateOp(out: Decoded, op: number, t: number, s: number, immediate: number): void {
  if (s < 0) reserved(out);
  else if (s === 0 && (op === Op.addiu || op === Op.ori || op === Op.xori)) pure(out, Op.li, t, 0, immediate);
  else if (op === Op.addiu && immediate === 0) pure(out, Op.move, t, s, 0);
  else pure(out, op, t, s, immediate);
}

function decodeSpecial(word: number, out: Decoded): void {
  const s = rs(word);
  const t = rt(word);
  const d = rd(word);
  const sa = shamt(word);
  const hasShamt = sa !== 0;
  switch (word & 63) {
    case 0: return s !== 0 ? reserved(out) : shift(out, Op.sll, d, t, sa);
    case 1: return (word & 0x0002_07c0) !== 0 ? reserved(out) : pure(out, (word & 0x10000) === 0 ? Op.movf : Op.movt, d, s, 1 << conditionBit((word >>> 18) & 7));
    case 2: return s > 1 ? reserved(out) : shift(out, s === 1 ? Op.rotr : Op.srl, d, t, sa);
    case 3: return s !== 0 ? reserved(out) : shift(out, Op.sra, d, t, sa);
    case 4: return hasShamt ? reserved(out) : pureRegisters(out, Op.sllv, d, t, s);
    case 6: return sa > 1 ? reserved(out) : pureRegisters(out, sa === 1 ? Op.rotrv : Op.srlv, d, t, s);
    case 7: return hasShamt ? reserved(out) : pureRegisters(out, Op.srav, d, t, s);
    case 10: return hasShamt ? reserved(out) : pureRegisters(out, Op.movz, d, s, t);
    case 11: return hasShamt ? reserved(out) : pureRegisters(out, Op.movn, d, s, t);
    case 12: return set(out, Op.syscall, 0, 0, (word >>> 6) & 0xfffff);
    case 13: return set(out, Op.break, 0, 0, (word >>> 6) & 0xfffff);
    case 15: return set(out, Op.nop, 0, 0, 0); // sync
    case 16: return (word & 0x03ff_07c0) !== 0 ? reserved(out) : pure(out, Op.move, d, HI, 0);
    case 17: return (word & 0x001f_ffc0) !== 0 ? reserved(out) : set(out, Op.move, HI, s, 0);
    case 18: return (word & 0x03ff_07c0) !== 0 ? reserved(out) : pure(out, Op.move, d, LO, 0);
    case 19: return (word & 0x001f_ffc0) !== 0 ? reserved(out) : set(out, Op.move, LO, s, 0);
    case 24: return (word & 0xffc0) !== 0 ? reserved(out) : registers(out, Op.mult, 0, s, t);
    case 25: return (word & 0xffc0) !== 0 ? reserved(out) : registers(out, Op.multu, 0, s, t);
    case 26: return (word & 0xffc0) !== 0 ? reserved(out) : registers(out, Op.div, 0, s, t);
    case 27: return (word & 0xffc0) !== 0 ? reserved(out) : registers(out, Op.divu, 0, s, t);
    case 48: case 49: case 50: case 51: case 52: case 54:
      return trap(out, (word & 63) - 48, s, t, (word >>> 6) & 0x3ff);
  }
  if (hasShamt) return reserved(out);
  switch (word & 63) {
    case 32: return registers(out, Op.add, destination(d), s, t);
    case 33: return t === 0 ? pure(out, Op.move, d, s, 0) : pureRegisters(out, Op.addu, d, s, t);
    case 34: return registers(out, Op.sub, destination(d), s, t);
    case 35: return pureRegisters(out, Op.subu, d, s, t);
    case 36: return pureRegisters(out, Op.and, d, s, t);
    case 37: return t === 0 ? pure(out, Op.move, d, s, 0) : pureRegisters(out, Op.or, d, s, t);
    case 38: return pureRegisters(out, Op.xor, d, s, t);
    case 39: return pureRegisters(out, Op.nor, d, s, t);
    case 42: return pureRegisters(out, Op.slt, d, s, t);
    case 43: return pureRegisters(out, Op.sltu, d, s, t);
  }
  reserved(out);
}

function shift(out: Decoded, op: number, d: number, t: number, sa: number): void {
  if (sa === 0) pure(out, Op.move, d, t, 0);
  else pure(out, op, d, t, sa);
}

/** Conditional traps: a = 0: registers b and c, k the code; a = 1: register b and immediate k. */
function trap(out: Decoded, selector: number, s: number, t: number, code: number): void {
  registers(out, Op.tge + [0, 1, 2, 3, 4, -1, 5][selector], 0, s, t);
  out.k = code;
}

function decodeRegimm(word: number, out: Decoded): void {
  const selector = rt(word);
  if (selector === 31) return set(out, Op.nop, 0, 0, 0); // synci: stores already invalidate decoded code
  if (selector < 8 || selector > 14 || selector === 13) return reserved(out);
  set(out, Op.tge + [0, 1, 2, 3, 4, -1, 5][selector - 8], 1, rs(word), signed16(word));
}

function decodeSpecial2(word: number, out: Decoded): void {
  const s = rs(word);
  const t = rt(word);
  const d = rd(word);
  if (shamt(word) !== 0) return reserved(out);
  switch (word & 63) {
    case 0: return d !== 0 ? reserved(out) : registers(out, Op.madd, 0, s, t);
    case 1: return d !== 0 ? reserved(out) : registers(out, Op.maddu, 0, s, t);
    case 2: return pureRegisters(out, Op.mul, d, s, t);
    case 4: return d !== 0 ? reserved(out) : registers(out, Op.msub, 0, s, t);
    case 5: return d !== 0 ? reserved(out) : registers(out, Op.msubu, 0, s, t);
    case 32: return pure(out, Op.clz, d, s, 0);
    case 33: return pure(out, Op.clo, d, s, 0);
  }
  reserved(out);
}

function decodeSpecial3(word: number, out: Decoded): void {
  const s = rs(word);
  const t = rt(word);
  const d = rd(word);
  const sa = shamt(word);
  switch (word & 63) {
    case 0: // ext: size = d + 1 bits from position sa, as a shift left, then a logical shift right
      if (sa + d > 31) return reserved(out);
      return pure(out, Op.ext, t, s, (31 - d - sa) | ((31 - d) << 8));
    case 4: // ins: bits sa..d
      if (d < sa) return reserved(out);
      return pure(out, Op.ins, t, s, (0xffff_ffff >>> (31 - (d - sa))) << sa);
    case 32: // bshfl
      if (s !== 0) return reserved(out);
      if (sa === 2) return pure(out, Op.wsbh, d, t, 0);
      if (sa === 16) return pure(out, Op.seb, d, t, 0);
      if (sa === 24) return pure(out, Op.seh, d, t, 0);
      return reserved(out);
    case 59:
      if (s !== 0 || sa !== 0) return reserved(out);
      return set(out, Op.rdhwr, destination(t), d, 0);
  }
  reserved(out);
}

const FMT_S = 16, FMT_D = 17, FMT_W = 20;

function decodeCop1(word: number, out: Decoded): void {
  const t = rt(word);
  const fs = rd(word);
  const fd = shamt(word);
  switch (rs(word)) {
    case 0: return (word & 0x7ff) !== 0 ? reserved(out) : pure(out, Op.move, t, FPR + fs, 0);
    case 2: return (word & 0x7ff) !== 0 ? reserved(out) : set(out, Op.cfc1, destination(t), fs, 0);
    case 3: return (word & 0x7ff) !== 0 ? reserved(out) : pure(out, Op.move, t, FPR + (fs | 1), 0);
    case 4: return (word & 0x7ff) !== 0 ? reserved(out) : set(out, Op.move, FPR + fs, t, 0);
    case 6: return (word & 0x7ff) !== 0 ? reserved(out) : registers(out, Op.ctc1, 0, fs, t);
    case 7: return (word & 0x7ff) !== 0 ? reserved(out) : set(out, Op.move, FPR + (fs | 1), t, 0);
    case FMT_S: return decodeFloat(word, out);
    case FMT_D: return decodeFloat(word, out);
    case FMT_W: // cvt.s.w, cvt.d.w
      if (t !== 0 || ((word & 63) !== 32 && (word & 63) !== 33)) return reserved(out);
      return (word & 63) === 33 && (fd & 1) !== 0 ? reserved(out) : set(out, Op.fpu, 0, 0, word);
  }
  reserved(out);
}

/**
 * S and D formats. With Status.FR = 0 a double lives in an even register, and the long formats and paired
 * singles are reserved (MIPS32 volume I, 5.4, and volume II under each instruction).
 */
function decodeFloat(word: number, out: Decoded): void {
  const double = rs(word) === FMT_D;
  const fn = word & 63;
  const fs = rd(word);
  const fd = shamt(word);
  if (!floatFunctions(double).has(fn)) return reserved(out);
  const sources = fn <= 3 || fn >= 48 ? fs | rt(word) : fs;
  if (double && (sources & 1) !== 0) return reserved(out);
  if (wideResult(fn, double) && (fd & 1) !== 0) return reserved(out);
  if (fn !== 6) return set(out, Op.fpu, 0, 0, word);
  set(out, double ? Op.move2 : Op.move, FPR + fd, FPR + fs, 0);
}

const COMPARES = Array.from({ length: 16 }, (_, i) => 48 + i);
// add sub mul div, sqrt abs mov neg, round trunc ceil floor (.w), movcf movz movn, recip rsqrt, cvt.w
const COMMON = [0, 1, 2, 3, 4, 5, 6, 7, 12, 13, 14, 15, 17, 18, 19, 21, 22, 36, ...COMPARES];
const SINGLE_FUNCTIONS = new Set([...COMMON, 33]);
const DOUBLE_FUNCTIONS = new Set([...COMMON, 32]);

function floatFunctions(double: boolean): Set<number> {
  return double ? DOUBLE_FUNCTIONS : SINGLE_FUNCTIONS;
}

/** Does the operation write a double? Conversions to W or S and compares do not. */
function wideResult(fn: number, double: boolean): boolean {
  if (!double) return fn === 33;
  return fn < 12 || (fn > 15 && fn < 32);
}

function decodeCop1x(word: number, out: Decoded): void {
  const base = rs(word);
  const index = rt(word);
  const fs = rd(word);
  const fd = shamt(word);
  switch (word & 63) {
    case 0: return registers(out, Op.lwx, FPR + fd, base, index);
    case 1: return (fd & 1) !== 0 ? reserved(out) : registers(out, Op.ldx, FPR + fd, base, index);
    case 8: return registers(out, Op.swx, FPR + fs, base, index);
    case 9: return (fs & 1) !== 0 ? reserved(out) : registers(out, Op.sdx, FPR + fs, base, index);
    case 15: return set(out, Op.nop, 0, 0, 0); // prefx
    case 32: case 40: case 48: case 56: return set(out, Op.fpu, 0, 0, word); // madd.s msub.s nmadd.s nmsub.s
    case 33: case 41: case 49: case 57:
      return ((base | index | fs | fd) & 1) !== 0 ? reserved(out) : set(out, Op.fpu, 0, 0, word);
  }
  reserved(out);
}

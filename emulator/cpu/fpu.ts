import type { Ram } from '../memory/ram.js';
import { FCSR, FPR } from './registers.js';
import { DOUBLE, Flag, SINGLE, SoftFloat, type Format } from './softfloat.js';
import { SigCode } from './trap.js';

/**
 * FCSR:  31..25 FCC7..1 | 24 FS | 23 FCC0 | 17..12 cause E V Z O U I | 11..7 enables V Z O U I | 6..2 flags V Z O U I | 1..0 RM
 */
const CAUSE_SHIFT = 12;
const ENABLE_SHIFT = 7;
const FLAG_SHIFT = 2;
const CAUSE_MASK = 0x3f << CAUSE_SHIFT;
const FS = 1 << 24;
const FCC_MASK = 0xfe80_0000;
/** Bits 18..22 are fixed at 0: legacy NaN and legacy abs. */
const WRITABLE = 0xff83_ffff;

/** FIR of a 24Kf: S, D, W, L, 64-bit registers; implementation 0x93. */
const FIR = 0x0073_9300;
const CONTROL = { fir: 0, fccr: 25, fexr: 26, fenr: 28, fcsr: 31 } as const;

/** The quiet NaN an invalid operation delivers. In the legacy encoding a set top fraction bit means *signalling*. */
const NAN_SINGLE = 0x7fbf_ffff;
const NAN_DOUBLE_HIGH = 0x7ff7_ffff;
const NAN_DOUBLE_LOW = -1;
const SIGNALLING_SINGLE = 1 << 22;
const SIGNALLING_DOUBLE_HIGH = 1 << 19;
/** What a conversion to an integer delivers when there is no answer. */
const INTEGER_INVALID = 0x7fff_ffff;

const FMT_S = 16;
const FMT_W = 20;
const COP1X = 19;

/**
 * The floating point unit with Status.FR = 0, on the register file in Ram's control area. execute() runs one
 * arithmetic instruction; moves, loads and stores are the interpreter's. Precise: an instruction that raises an
 * enabled exception leaves its destination and the sticky flags alone.
 */
export class Fpu {
  /** Instructions executed since begin(). */
  executed = 0;
  private readonly i32: Int32Array;
  private readonly f32: Float32Array;
  private readonly f64: Float64Array;
  private readonly soft = new SoftFloat();

  constructor(ram: Ram) {
    this.i32 = ram.i32;
    this.f32 = ram.f32;
    this.f64 = ram.f64;
  }

  begin(): void {
    this.executed = 0;
  }

  /** True when done; false when a SIGFPE is due, see signalCode(). */
  execute(word: number): boolean {
    this.executed++;
    const { soft } = this;
    const fcsr = this.i32[FCSR];
    soft.flags = 0;
    soft.rounding = fcsr & 3;
    soft.flush = (fcsr & FS) !== 0;
    const fs = (word >>> 11) & 31;
    const fd = (word >>> 6) & 31;
    const ft = (word >>> 16) & 31;
    const fr = (word >>> 21) & 31;
    if (word >>> 26 === COP1X) return this.multiplyAdd(word & 63, fd, fs, ft, fr);
    if (fr === FMT_W) return this.fromInteger(word & 63, fd, this.i32[FPR + fs]);
    return this.operate(word, word & 63, fr === FMT_S ? SINGLE : DOUBLE, fd, fs, ft);
  }

  private operate(word: number, fn: number, format: Format, fd: number, fs: number, ft: number): boolean {
    if (fn >= 48) return this.compare(fn & 15, format, fs, ft, (word >>> 8) & 7);
    switch (fn) {
      case 0: case 1: case 2: case 3: return this.binary(fn, format, fd, fs, ft);
      case 4: case 21: case 22: return this.root(fn, format, fd, fs);
      case 5: return this.changeSign(format, fd, fs, 0x7fff_ffff, 0);
      case 7: return this.changeSign(format, fd, fs, -1, 0x8000_0000);
      case 12: case 13: case 14: case 15: return this.toInteger(format, fd, fs, fn - 12);
      case 17: return this.moveIf(((this.i32[FCSR] & conditionMask(ft >> 2)) !== 0) === ((ft & 1) !== 0), format, fd, fs);
      case 18: return this.moveIf(this.i32[ft] === 0, format, fd, fs);
      case 19: return this.moveIf(this.i32[ft] !== 0, format, fd, fs);
      case 32: return this.narrow(fd, fs);
      case 33: return this.widen(fd, fs);
    }
    return this.toInteger(format, fd, fs, this.soft.rounding); // 36, cvt.w
  }

  private read(format: Format, register: number): number {
    return format === SINGLE ? this.f32[FPR + register] : this.f64[(FPR + register) >> 1];
  }

  private isSignalling(format: Format, register: number): boolean {
    const at = FPR + register;
    return format === SINGLE ? (this.i32[at] & SIGNALLING_SINGLE) !== 0 : (this.i32[at + 1] & SIGNALLING_DOUBLE_HIGH) !== 0;
  }

  /** Deliver a result. The legacy encoding has no payloads to pass on: every NaN result is the default one. */
  private finish(format: Format, fd: number, value: number): boolean {
    if (!this.settle()) return false;
    if (value !== value) this.putDefaultNaN(format, fd);
    else if (format === SINGLE) this.f32[FPR + fd] = value;
    else this.f64[(FPR + fd) >> 1] = value;
    return true;
  }

  private putDefaultNaN(format: Format, fd: number): void {
    const at = FPR + fd;
    if (format === SINGLE) {
      this.i32[at] = NAN_SINGLE;
    } else {
      this.i32[at] = NAN_DOUBLE_LOW;
      this.i32[at + 1] = NAN_DOUBLE_HIGH;
    }
  }

  /** Enter the flags of this instruction into FCSR; false if one of them is enabled to trap. */
  private settle(): boolean {
    const { flags } = this.soft;
    const fcsr = (this.i32[FCSR] & ~CAUSE_MASK) | (flags << CAUSE_SHIFT);
    const enabled = ((fcsr >>> ENABLE_SHIFT) & 31) | Flag.unimplemented;
    if ((flags & enabled) !== 0) {
      this.i32[FCSR] = fcsr;
      return false;
    }
    this.i32[FCSR] = fcsr | (flags << FLAG_SHIFT);
    return true;
  }

  /** si_code of the pending exception; enabled cause bits are cleared, as the kernel does before the signal. */
  signalCode(): number {
    const fcsr = this.i32[FCSR];
    const raised = (fcsr >>> CAUSE_SHIFT) & (((fcsr >>> ENABLE_SHIFT) & 31) | Flag.unimplemented);
    this.i32[FCSR] = fcsr & ~(raised << CAUSE_SHIFT);
    if (raised & Flag.invalid) return SigCode.FPE_FLTINV;
    if (raised & Flag.divideByZero) return SigCode.FPE_FLTDIV;
    if (raised & Flag.overflow) return SigCode.FPE_FLTOVF;
    if (raised & Flag.underflow) return SigCode.FPE_FLTUND;
    return raised & Flag.inexact ? SigCode.FPE_FLTRES : SigCode.FPE_FLTUNK;
  }

  private isSignallingNaN(format: Format, register: number): boolean {
    const x = this.read(format, register);
    return x !== x && this.isSignalling(format, register);
  }

  /** Result of an operation some operand of which is a NaN: the default NaN; invalid if one is signalling. */
  private deliverNaN(to: Format, fd: number, signalling: boolean): boolean {
    if (signalling) this.soft.flags |= Flag.invalid;
    return this.finish(to, fd, NaN);
  }

  private copy(format: Format, fd: number, from: number): void {
    this.i32[FPR + fd] = this.i32[FPR + from];
    if (format === DOUBLE) this.i32[FPR + fd + 1] = this.i32[FPR + from + 1];
  }

  private binary(fn: number, format: Format, fd: number, fs: number, ft: number): boolean {
    const x = this.read(format, fs);
    const y = this.read(format, ft);
    if (x !== x || y !== y) return this.deliverNaN(format, fd, this.isSignallingNaN(format, fs) || this.isSignallingNaN(format, ft));
    return this.finish(format, fd, this.compute(fn, x, y, format));
  }

  private compute(fn: number, x: number, y: number, format: Format): number {
    switch (fn) {
      case 0: return this.soft.add(x, y, format);
      case 1: return this.soft.sub(x, y, format);
      case 2: return this.soft.mul(x, y, format);
    }
    return this.soft.div(x, y, format);
  }

  /** sqrt, recip, rsqrt; the last rounds twice. */
  private root(fn: number, format: Format, fd: number, fs: number): boolean {
    const x = this.read(format, fs);
    if (x !== x) return this.deliverNaN(format, fd, this.isSignalling(format, fs));
    const { soft } = this;
    if (fn === 4) return this.finish(format, fd, soft.sqrt(x, format));
    const y = fn === 21 ? x : soft.sqrt(x, format);
    return this.finish(format, fd, y !== y ? y : soft.div(1, y, format));
  }

  private changeSign(format: Format, fd: number, fs: number, keep: number, flip: number): boolean {
    const high = format === SINGLE ? 0 : 1;
    const sign = (this.i32[FPR + fs + high] & keep) ^ flip;
    if (high) this.i32[FPR + fd] = this.i32[FPR + fs];
    this.i32[FPR + fd + high] = sign;
    return true;
  }

  private moveIf(condition: boolean, format: Format, fd: number, fs: number): boolean {
    if (condition) this.copy(format, fd, fs);
    return true;
  }

  private toInteger(format: Format, fd: number, fs: number, rounding: number): boolean {
    const value = this.soft.toInteger(this.read(format, fs), rounding);
    if (!this.settle()) return false;
    this.i32[FPR + fd] = value ?? INTEGER_INVALID;
    return true;
  }

  private fromInteger(fn: number, fd: number, value: number): boolean {
    const format = fn === 32 ? SINGLE : DOUBLE;
    return this.finish(format, fd, this.soft.convert(value, format));
  }

  private narrow(fd: number, fs: number): boolean {
    const x = this.read(DOUBLE, fs);
    if (x !== x) return this.deliverNaN(SINGLE, fd, this.isSignalling(DOUBLE, fs));
    return this.finish(SINGLE, fd, this.soft.convert(x, SINGLE));
  }

  private widen(fd: number, fs: number): boolean {
    const x = this.read(SINGLE, fs);
    if (x !== x) return this.deliverNaN(DOUBLE, fd, this.isSignalling(SINGLE, fs));
    return this.finish(DOUBLE, fd, x);
  }

  /** madd, msub, nmadd, nmsub: the product is rounded before the sum, as MIPS32r2 has it; then the sign. */
  private multiplyAdd(fn: number, fd: number, fs: number, ft: number, fr: number): boolean {
    const format = (fn & 1) === 0 ? SINGLE : DOUBLE;
    const x = this.read(format, fs);
    const y = this.read(format, ft);
    const z = this.read(format, fr);
    const { soft } = this;
    if ([fs, ft, fr].some((register) => this.isSignallingNaN(format, register))) soft.flags |= Flag.invalid;
    const product = x === x && y === y ? soft.mul(x, y, format) : NaN;
    let result = NaN;
    if (product === product && z === z) result = (fn & 8) === 0 ? soft.add(product, z, format) : soft.sub(product, z, format);
    const negate = fn >= 48;
    if (!this.finish(format, fd, negate ? -result : result)) return false;
    if (negate && result !== result) this.changeSign(format, fd, fd, -1, 0x8000_0000);
    return true;
  }

  /** c.cond: bit 3 signals on quiet NaNs too, bit 2 less, bit 1 equal, bit 0 unordered. */
  private compare(condition: number, format: Format, fs: number, ft: number, cc: number): boolean {
    const x = this.read(format, fs);
    const y = this.read(format, ft);
    const unordered = x !== x || y !== y;
    if (unordered && ((condition & 8) !== 0 || (x !== x && this.isSignalling(format, fs)) || (y !== y && this.isSignalling(format, ft)))) {
      this.soft.flags |= Flag.invalid;
    }
    if (!this.settle()) return false;
    const holds = unordered ? condition & 1 : (x < y && (condition & 4) !== 0) || (x === y && (condition & 2) !== 0);
    const mask = conditionMask(cc);
    if (holds) this.i32[FCSR] |= mask;
    else this.i32[FCSR] &= ~mask;
    return true;
  }

  /** cfc1; an unknown control register reads as 0. */
  control(register: number): number {
    const fcsr = this.i32[FCSR];
    switch (register) {
      case CONTROL.fir: return FIR;
      case CONTROL.fccr: return ((fcsr >>> 24) & 0xfe) | ((fcsr >>> 23) & 1);
      case CONTROL.fexr: return fcsr & 0x0003_f07c;
      case CONTROL.fenr: return (fcsr & 0xf83) | ((fcsr >>> 22) & 4);
      case CONTROL.fcsr: return fcsr;
    }
    return 0;
  }

  /** ctc1; false when the new FCSR holds a cause that is enabled. */
  setControl(register: number, value: number): boolean {
    const fcsr = this.i32[FCSR];
    switch (register) {
      case CONTROL.fccr: this.i32[FCSR] = (fcsr & ~FCC_MASK) | ((value & 0xfe) << 24) | ((value & 1) << 23); break;
      case CONTROL.fexr: this.i32[FCSR] = (fcsr & ~0x0003_f07c) | (value & 0x0003_f07c); break;
      case CONTROL.fenr: this.i32[FCSR] = (fcsr & ~(0xf83 | FS)) | (value & 0xf83) | ((value << 22) & FS); break;
      case CONTROL.fcsr: this.i32[FCSR] = value & WRITABLE; break;
      default: return true;
    }
    const now = this.i32[FCSR];
    return ((now >>> CAUSE_SHIFT) & (((now >>> ENABLE_SHIFT) & 31) | Flag.unimplemented)) === 0;
  }
}

function conditionMask(cc: number): number {
  return cc === 0 ? 1 << 23 : 1 << (24 + cc);
}

/**
 * Exact IEEE 754 arithmetic on host doubles in either format, with any rounding mode and all flags. Every finite
 * single or double is a host double, so operands and results travel as numbers; NaNs never come here. The
 * host's own arithmetic rounds to nearest and reports no flags: it serves where the flags can be derived from it by
 * error-free transformations (Dekker, Knuth); the rest is done in integers.
 */

/** Bits of the FCSR cause, flag and enable fields. */
export const Flag = { inexact: 1, underflow: 2, overflow: 4, divideByZero: 8, invalid: 16, unimplemented: 32 } as const;

/** Values of FCSR.RM. */
export const Round = { nearest: 0, zero: 1, up: 2, down: 3 } as const;

export interface Format {
  /** Significant bits. */
  precision: number;
  /** Exponent of the smallest and of the largest normal number. */
  minimum: number;
  maximum: number;
  smallest: number;
  largest: number;
}
export const SINGLE: Format = { precision: 24, minimum: -126, maximum: 127, smallest: 1.1754943508222875e-38, largest: 3.4028234663852886e38 };
export const DOUBLE: Format = { precision: 53, minimum: -1022, maximum: 1023, smallest: 2.2250738585072014e-308, largest: 1.7976931348623157e308 };

/** Outside these, products of halves lose bits; 2^-900 and 2^900. */
const TINY = 1.1830521861667747e-271;
const HUGE = 8.452712498170644e270;

const view = new DataView(new ArrayBuffer(8));

function powerOfTwo(exponent: number): number {
  view.setUint32(0, (exponent + 1023) << 20);
  view.setUint32(4, 0);
  return view.getFloat64(0);
}

function bitLength(m: bigint): number {
  const digits = m.toString(16);
  return digits.length * 4 - Math.clz32(parseInt(digits[0], 16)) + 28;
}

/** |x| = m * 2^e. */
function decompose(x: number): { m: bigint; e: number } {
  view.setFloat64(0, x);
  const high = view.getUint32(0);
  const exponent = (high >>> 20) & 0x7ff;
  const fraction = (BigInt(high & 0xfffff) << 32n) | BigInt(view.getUint32(4));
  return exponent === 0 ? { m: fraction, e: -1074 } : { m: fraction | (1n << 52n), e: exponent - 1075 };
}

const isNegative = (x: number): boolean => x < 0 || Object.is(x, -0);

/** Error of the rounded sum s = x + y. */
function sumError(x: number, y: number, s: number): number {
  const z = s - x;
  return x - (s - z) + (y - z);
}

const SPLITTER = 134217729; // 2^27 + 1

/** Error of the rounded product p = x * y, in the range where splitting is exact. */
function productError(x: number, y: number, p: number): number {
  const cx = SPLITTER * x;
  const xh = cx - (cx - x);
  const xl = x - xh;
  const cy = SPLITTER * y;
  const yh = cy - (cy - y);
  const yl = y - yh;
  return xl * yl - (p - xh * yh - xl * yh - xh * yl);
}

function inRange(x: number): boolean {
  const size = x < 0 ? -x : x;
  return size > TINY && size < HUGE;
}

const { fround, sqrt: hostSqrt } = Math;

export class SoftFloat {
  /** Flags raised since the caller cleared them. */
  flags = 0;
  rounding: number = Round.nearest;
  /** FCSR.FS: what would be subnormal becomes zero or, rounding away from it, the smallest normal number. */
  flush = false;

  /** The host's result `r` of an exact operation: usable when nothing special happened to it. */
  private plain(r: number, exact: boolean, format: Format): boolean {
    if (this.rounding !== Round.nearest) return false;
    const size = r < 0 ? -r : r;
    if (!(size <= format.largest)) return false;
    if (size <= format.smallest && (!exact || this.flush)) return false;
    if (!exact) this.flags |= Flag.inexact;
    return true;
  }

  add(x: number, y: number, format: Format): number {
    const s = x + y;
    if (x - x !== 0 || y - y !== 0) return this.special(s);
    if (s === 0) return this.zeroSum(x, y, s);
    const r = format === SINGLE ? fround(s) : s;
    if (s - s === 0 && this.plain(r, r === s && sumError(x, y, s) === 0, format)) return r;
    return this.addExact(x, y, format);
  }

  sub(x: number, y: number, format: Format): number {
    return this.add(x, -y, format);
  }

  /** Host result of an operation on an infinity: exact, or invalid. */
  private special(r: number): number {
    if (r !== r) this.flags |= Flag.invalid;
    return r;
  }

  /** A sum of exactly zero is -0 when rounding down, unless both operands are +0. */
  private zeroSum(x: number, y: number, s: number): number {
    if (x === 0 && y === 0 && isNegative(x) === isNegative(y)) return s;
    return this.rounding === Round.down ? -0 : 0;
  }

  private addExact(x: number, y: number, format: Format): number {
    const a = decompose(x);
    const b = decompose(y);
    const e = Math.min(a.e, b.e);
    const am = a.m << BigInt(a.e - e);
    const bm = b.m << BigInt(b.e - e);
    const sum = (x < 0 ? -am : am) + (y < 0 ? -bm : bm);
    return this.round(sum < 0n, sum < 0n ? -sum : sum, e, format);
  }

  mul(x: number, y: number, format: Format): number {
    const p = x * y;
    if (x - x !== 0 || y - y !== 0) return this.special(p);
    if (x === 0 || y === 0) return p;
    if (format === SINGLE) {
      const r = fround(p);
      if (this.plain(r, r === p, format)) return r;
    } else if (inRange(p) && inRange(x) && inRange(y) && this.plain(p, productError(x, y, p) === 0, format)) return p;
    const a = decompose(x);
    const b = decompose(y);
    return this.round(isNegative(x) !== isNegative(y), a.m * b.m, a.e + b.e, format);
  }

  div(x: number, y: number, format: Format): number {
    const q = x / y;
    if (x - x !== 0 || y - y !== 0 || (x === 0 && y === 0)) return this.special(q);
    if (y === 0) {
      this.flags |= Flag.divideByZero;
      return q;
    }
    if (x === 0) return q;
    if (format === SINGLE) {
      const r = fround(q);
      if (this.plain(r, r * y === x, format)) return r;
    } else if (inRange(q) && inRange(x) && inRange(y) && this.plain(q, q * y === x && productError(q, y, x) === 0, format)) return q;
    return this.divExact(x, y, format);
  }

  private divExact(x: number, y: number, format: Format): number {
    const a = decompose(x);
    const b = decompose(y);
    const shift = Math.max(0, format.precision + 3 + bitLength(b.m) - bitLength(a.m));
    const numerator = a.m << BigInt(shift);
    const quotient = numerator / b.m;
    const sticky = quotient * b.m === numerator ? 0n : 1n;
    return this.round(isNegative(x) !== isNegative(y), (quotient << 1n) | sticky, a.e - b.e - shift - 1, format);
  }

  sqrt(x: number, format: Format): number {
    if (x < 0) {
      this.flags |= Flag.invalid;
      return NaN;
    }
    const s = hostSqrt(x);
    if (x === 0 || x - x !== 0) return s;
    if (format === SINGLE) {
      const r = fround(s);
      if (this.plain(r, r * r === x, format)) return r;
    } else if (inRange(x) && this.plain(s, s * s === x && productError(s, s, x) === 0, format)) return s;
    return this.sqrtExact(x, format);
  }

  private sqrtExact(x: number, format: Format): number {
    let { m, e } = decompose(x);
    let shift = Math.max(0, 2 * (format.precision + 3) - bitLength(m));
    if (((e - shift) & 1) !== 0) shift++;
    m <<= BigInt(shift);
    e -= shift;
    const root = integerRoot(m);
    const sticky = root * root === m ? 0n : 1n;
    return this.round(false, (root << 1n) | sticky, e / 2 - 1, format);
  }

  /** Change of format, also from integers: any finite or infinite number. */
  convert(x: number, format: Format): number {
    if (x === 0 || x - x !== 0) return x;
    const r = format === SINGLE ? fround(x) : x;
    if (this.plain(r, r === x, format)) return r;
    const { m, e } = decompose(x);
    return this.round(isNegative(x), m, e, format);
  }

  /** To a signed 32-bit integer; null and Flag.invalid when it does not fit. */
  toInteger(x: number, rounding: number): number | null {
    const r = roundToInteger(x, rounding);
    if (!(r >= -2147483648 && r <= 2147483647)) {
      this.flags |= Flag.invalid;
      return null;
    }
    if (r !== x) this.flags |= Flag.inexact;
    return r | 0;
  }

  /** (-1)^negative * m * 2^e in `format`, rounded; m = 0 is a sum that came out exact. */
  private round(negative: boolean, m: bigint, e: number, format: Format): number {
    const bits = bitLength(m);
    const top = e + bits - 1;
    const lowest = format.minimum - format.precision + 1;
    if (top < format.minimum && this.flush && this.tinyAfterRounding(negative, m, bits, top, format)) return this.flushed(negative, format);
    const unit = Math.max(top - format.precision + 1, lowest);
    const drop = unit - e;
    let kept = drop > 0 ? m >> BigInt(drop) : m << BigInt(-drop);
    const rest = drop > 0 ? m - (kept << BigInt(drop)) : 0n;
    if (rest !== 0n) {
      this.flags |= Flag.inexact;
      if (top < format.minimum && this.tinyAfterRounding(negative, m, bits, top, format)) this.flags |= Flag.underflow;
      if (this.roundsUp(negative, kept, rest, drop)) kept += 1n;
    }
    const size = scale(Number(kept), unit);
    if (!(size <= format.largest)) return this.overflowed(negative, format);
    return negative ? -size : size;
  }

  private roundsUp(negative: boolean, kept: bigint, rest: bigint, drop: number): boolean {
    switch (this.rounding) {
      case Round.zero: return false;
      case Round.up: return !negative;
      case Round.down: return negative;
    }
    const half = 1n << BigInt(drop - 1);
    return rest > half || (rest === half && (kept & 1n) === 1n);
  }

  /** Would the value, rounded as if the exponent had no lower limit, still be below the smallest normal? */
  private tinyAfterRounding(negative: boolean, m: bigint, bits: number, top: number, format: Format): boolean {
    if (top !== format.minimum - 1 || bits <= format.precision) return true;
    const drop = bits - format.precision;
    const kept = m >> BigInt(drop);
    const rest = m - (kept << BigInt(drop));
    const carried = rest !== 0n && this.roundsUp(negative, kept, rest, drop) ? kept + 1n : kept;
    return bitLength(carried) === format.precision;
  }

  private flushed(negative: boolean, format: Format): number {
    this.flags |= Flag.inexact | Flag.underflow;
    const away = this.rounding === (negative ? Round.down : Round.up);
    const size = away ? format.smallest : 0;
    return negative ? -size : size;
  }

  private overflowed(negative: boolean, format: Format): number {
    this.flags |= Flag.inexact | Flag.overflow;
    const away = this.rounding === Round.nearest || this.rounding === (negative ? Round.down : Round.up);
    const size = away ? Infinity : format.largest;
    return negative ? -size : size;
  }
}

/** m * 2^unit, exact by the caller's choice of unit; in two steps where 2^unit is subnormal. */
function scale(m: number, unit: number): number {
  if (unit > 971) return Infinity;
  return unit >= -1022 ? m * powerOfTwo(unit) : m * powerOfTwo(unit + 200) * powerOfTwo(-200);
}

function roundToInteger(x: number, rounding: number): number {
  switch (rounding) {
    case Round.zero: return Math.trunc(x);
    case Round.up: return Math.ceil(x);
    case Round.down: return Math.floor(x);
  }
  const below = Math.floor(x);
  const part = x - below;
  if (part > 0.5 || (part === 0.5 && below % 2 !== 0)) return below + 1;
  return below;
}

/** Floor of the square root, by Newton's iteration from above. */
function integerRoot(m: bigint): bigint {
  let root = 1n << BigInt((bitLength(m) + 1) >> 1);
  for (;;) {
    const next = (root + m / root) >> 1n;
    if (next >= root) return root;
    root = next;
  }
}

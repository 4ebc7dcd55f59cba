/** Sequence numbers are unsigned 32-bit numbers that wrap (RFC 9293 section 3.4). */
export function before(a: number, b: number): boolean {
  return ((a - b) | 0) < 0;
}

export function after(a: number, b: number): boolean {
  return ((a - b) | 0) > 0;
}

/** How far `to` lies behind `from`, which must not be after it. */
export function distance(from: number, to: number): number {
  return (to - from) >>> 0;
}

export function plus(sequence: number, count: number): number {
  return (sequence + count) >>> 0;
}

export function latest(a: number, b: number): number {
  return before(a, b) ? b : a;
}

export function earliest(a: number, b: number): number {
  return before(a, b) ? a : b;
}

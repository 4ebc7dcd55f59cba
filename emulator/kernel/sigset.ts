/**
 * Signal sets of Linux/MIPS: 128 signals in four 32-bit words, signal n in bit (n-1)%32 of word
 * (n-1)/32 (arch/mips/include/uapi/asm/signal.h). A set is a Uint32Array of length 4.
 */
export type Sigset = Uint32Array;

export const NSIG = 128;
export const SIGSET_BYTES = 16;
export const SIGRTMIN = 32;

export const emptySet = (): Sigset => new Uint32Array(4);
export const copySet = (set: Sigset): Sigset => new Uint32Array(set);

export function setHas(set: Sigset, signo: number): boolean {
  return ((set[(signo - 1) >> 5] >>> ((signo - 1) & 31)) & 1) === 1;
}

export function setAdd(set: Sigset, signo: number): void {
  set[(signo - 1) >> 5] |= 1 << ((signo - 1) & 31);
}

export function setDelete(set: Sigset, signo: number): void {
  set[(signo - 1) >> 5] &= ~(1 << ((signo - 1) & 31));
}

/** `target` |= `other`. */
export function setUnion(target: Sigset, other: Sigset): void {
  for (let i = 0; i < 4; i++) target[i] |= other[i];
}

/** `target` &= ~`other`. */
export function setSubtract(target: Sigset, other: Sigset): void {
  for (let i = 0; i < 4; i++) target[i] &= ~other[i];
}

export function setOf(...signals: number[]): Sigset {
  const set = emptySet();
  for (const signo of signals) setAdd(set, signo);
  return set;
}

/** The sixteen bytes as they lie in guest memory. */
export function setFromBytes(bytes: Uint8Array): Sigset {
  const view = new DataView(bytes.buffer, bytes.byteOffset, SIGSET_BYTES);
  return Uint32Array.from({ length: 4 }, (_, i) => view.getUint32(4 * i, true));
}

export function setToBytes(set: Sigset): Uint8Array {
  const bytes = new Uint8Array(SIGSET_BYTES);
  const view = new DataView(bytes.buffer);
  set.forEach((word, i) => view.setUint32(4 * i, word, true));
  return bytes;
}

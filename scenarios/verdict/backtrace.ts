import { hex } from '../../emulator/base/index.js';
import type { Place, Symboliser } from './symboliser.js';

/** Where a thread stands: registers, and how to look at its memory (null where nothing is mapped). */
export interface Standing {
  pc: number;
  /** $29 and $31. */
  sp: number;
  ra: number;
  word(address: number): number | null;
}

export interface Backtrace {
  frames: Place[];
  /** How the frames were found, and why there are no more. */
  method: string;
  /** Values further up the stack that point behind a call: callers perhaps, or leftovers. Only where the frames could not be followed. */
  onStack: Place[];
}

const MAX_FRAMES = 32;
const MAX_CANDIDATES = 12;
/** jal and its delay slot. */
const CALL_BYTES = 8;
const STACK_WORDS = 1024;
/** No function here has a larger frame; a larger number is no prologue. */
const MAX_FRAME = 1 << 20;

/** addiu sp,sp,imm | sw ra,imm(sp) | jr ra; imm is signed. */
const isAdjust = (word: number): boolean => word >>> 16 === 0x27bd;
const isSaveRa = (word: number): boolean => word >>> 16 === 0xafbf;
const immediate = (word: number): number => (word << 16) >> 16;

/** A call ends two words before the address it returns to: jal, jalr with a link, bal/bgezal, bltzal. */
function isBehindCall(code: Symboliser, address: number): boolean {
  const word = code.word(address - CALL_BYTES);
  if (word === null || !code.isCode(address)) return false;
  const operation = word >>> 26;
  if (operation === 3) return true;
  if (operation === 0 && (word & 0x3f) === 9) return true;
  return operation === 1 && ((word >>> 16) & 0x1e) === 0x10;
}

interface Frame {
  /** Bytes the function has taken off the stack at this point. */
  size: number;
  /** Where it saved ra, from sp; null: ra is still in the register. */
  raAt: number | null;
}

const NO_FRAME: Frame = { size: 0, raAt: null };

/** What an instruction does to the frame. An adjustment while ra is saved keeps its slot where it is in memory. */
function step(frame: Frame, word: number): Frame {
  if (isSaveRa(word) && frame.raAt === null) return { ...frame, raAt: immediate(word) };
  if (!isAdjust(word)) return frame;
  const size = frame.size - immediate(word);
  if (size < 0 || size > MAX_FRAME) return frame;
  return { size, raAt: size === 0 || frame.raAt === null ? null : frame.raAt - immediate(word) };
}

/** Where control may go after the instruction at `at` and its delay slot; null: it is no branch. `falls`: behind the delay slot, too. */
function branch(word: number, at: number): { target: number | null; falls: boolean } | null {
  const operation = word >>> 26;
  const relative = at + 4 + 4 * immediate(word);
  if (operation === 2) return { target: ((at & 0xf000_0000) | ((word & 0x3ff_ffff) << 2)) >>> 0, falls: false };
  if (operation === 3) return { target: null, falls: true };
  if (operation === 0 && (word & 0x3f) === 8) return { target: null, falls: false };
  if (operation === 0 && (word & 0x3f) === 9) return { target: null, falls: true };
  // regimm: bltz, bgez and their likely forms; with a link (bal) it is a call. Codes from 8 on are traps.
  if (operation === 1 && ((word >>> 16) & 0x0c) === 0) return { target: (word >>> 16) & 0x10 ? null : relative, falls: true };
  if ((operation >= 4 && operation <= 7) || (operation >= 20 && operation <= 23)) return { target: relative, falls: word >>> 16 !== 0x1000 };
  return null;
}

/**
 * The function's frame at `pc`: the code is followed from the function's start along its branches. Compilers for MIPS o32 use no frame
 * pointer and may take the frame late and give it back in the middle of a function, so the order in the text says little. Code that only a jump
 * table leads to gets the frame that most of the function has.
 */
function frameAt(code: Symboliser, start: number, end: number, pc: number): Frame {
  const seen = new Map<number, Frame>();
  const open: [number, Frame][] = [[start, NO_FRAME]];
  let deepest = NO_FRAME;
  for (let next = open.pop(); next; next = open.pop()) {
    let [at, frame] = next;
    while (at >= start && at < end && !seen.has(at)) {
      seen.set(at, frame);
      const word = code.word(at);
      if (word === null) break;
      const jump = branch(word, at);
      frame = step(frame, word);
      if (frame.size > deepest.size || (frame.size === deepest.size && deepest.raAt === null)) deepest = frame;
      at += 4;
      if (!jump) continue;
      const slot = code.word(at);
      if (!seen.has(at)) seen.set(at, frame);
      if (slot !== null) frame = step(frame, slot);
      if (jump.target !== null) open.push([jump.target, frame]);
      if (!jump.falls) break;
      at += 4;
    }
  }
  return seen.get(pc) ?? deepest;
}

/**
 * Walks from frame to frame by the prologues of the functions, which their symbols delimit. It needs no unwind tables, which router
 * programs lack; it ends where no symbol covers the address or where the saved address is no place behind a call.
 */
export function backtrace(code: Symboliser, standing: Standing): Backtrace {
  const frames: Place[] = [code.place(standing.pc >>> 0)];
  if (!code.hasSymbols) return ended(code, standing, frames, standing.sp, 'the program has no symbols');
  // In a caller `at` is the call, two words before the address it returns to: behind abort() another function may begin.
  let [at, sp] = [standing.pc, standing.sp];
  let register: number | null = standing.ra;
  while (frames.length < MAX_FRAMES) {
    const symbol = code.functionAt(at);
    if (!symbol) {
      // A jump to nowhere leaves ra as the caller's call set it.
      if (frames.length > 1 || register === null || !isBehindCall(code, register)) return ended(code, standing, frames, sp, `no function covers ${hex(at)}`);
      frames.push(code.returnPlace(register));
      at = register - CALL_BYTES;
      register = null;
      continue;
    }
    const frame = frameAt(code, symbol.start, symbol.end, at);
    const saved = frame.raAt === null ? register : standing.word(sp + frame.raAt);
    sp += frame.size;
    register = null;
    if (saved === null) return ended(code, standing, frames, sp, `${symbol.name} has saved no return address`, /_start|__start/.test(symbol.name));
    if (saved === 0 && /start/.test(symbol.name)) return { frames, method: BY_PROLOGUES, onStack: [] };
    if (!isBehindCall(code, saved >>> 0)) return ended(code, standing, frames, sp, `the return address of ${symbol.name}, ${hex(saved)}, lies behind no call`);
    frames.push(code.returnPlace(saved >>> 0));
    at = (saved >>> 0) - CALL_BYTES;
  }
  return ended(code, standing, frames, sp, `more than ${MAX_FRAMES} frames`);
}

const BY_PROLOGUES = 'found by the prologues of the functions';

function ended(code: Symboliser, standing: Standing, frames: Place[], sp: number, why: string, outermost = false): Backtrace {
  const method = outermost ? BY_PROLOGUES : `${BY_PROLOGUES} until ${why}`;
  return { frames, method, onStack: outermost ? [] : callersOnStack(code, standing, sp) };
}

function callersOnStack(code: Symboliser, standing: Standing, sp: number): Place[] {
  const found: Place[] = [];
  for (let i = 0; i < STACK_WORDS && found.length < MAX_CANDIDATES; i++) {
    const value = standing.word((sp & ~3) + 4 * i);
    if (value === null) break;
    if (isBehindCall(code, value >>> 0)) found.push(code.returnPlace(value >>> 0));
  }
  return found;
}

import { READ_TLB, WRITE_TLB } from '../memory/tlb.js';

/** How interpret() ended. Only budget and jump are stop points. */
export const Exit = {
  /** The budget is used up; `index` is the next instruction, in the current page. */
  budget: 0,
  /** At a jump whose target is not in the fetch cache: `target`. */
  jump: 1,
  /** Before an undecoded instruction; `index`. */
  decode: 2,
  /** Before an access that missed the TLB or is misaligned, or before a rare operation; `index`. */
  slow: 3,
  /** At a branch in the last word of a page; `index`. */
  edge: 4,
} as const;

/** What interpret() works on; its state between two calls. */
export interface Machine {
  readonly i32: Int32Array;
  readonly u8: Uint8Array;
  readonly u16: Uint16Array;
  readonly i8: Int8Array;
  readonly i16: Int16Array;
  /** The pool of predecoded code; replaced only between two calls. */
  readonly code: Int32Array;
  /** Fetch cache: tag, pool index of the page; 256 entries by page number. */
  readonly fetch: Int32Array;
  index: number;
  start: number;
  left: number;
  base: number;
  page: number;
  target: number;
}

const { imul, clz32 } = Math;
const READ_WORD = READ_TLB >> 2;
const WRITE_WORD = WRITE_TLB >> 2;

/** High word of the unsigned 64-bit product. */
function multiplyHighUnsigned(x: number, y: number): number {
  const xl = x & 0xffff;
  const xh = x >>> 16;
  const yl = y & 0xffff;
  const yh = y >>> 16;
  const middle = (imul(xh, yl) + (imul(xl, yl) >>> 16)) | 0;
  const carry = (imul(xl, yh) + (middle & 0xffff)) | 0;
  return (imul(xh, yh) + (middle >>> 16) + (carry >>> 16)) | 0;
}

function multiplyHigh(x: number, y: number): number {
  return (multiplyHighUnsigned(x, y) - (x < 0 ? y : 0) - (y < 0 ? x : 0)) | 0;
}

/** HI:LO plus or minus a 64-bit product. */
function accumulate(i32: Int32Array, high: number, low: number, subtract: boolean): void {
  const before = i32[34];
  const after = subtract ? (before - low) | 0 : (before + low) | 0;
  const carry = subtract ? (before >>> 0 < low >>> 0 ? 1 : 0) : (after >>> 0 < low >>> 0 ? 1 : 0);
  i32[34] = after;
  i32[33] = subtract ? i32[33] - high - carry : i32[33] + high + carry;
}

/**
 * Execute predecoded code from `m.index` until something else has to be done; answers an Exit.
 *
 * State in locals, written back to `m` at the exit: i the pool index of the instruction, base that of its page,
 * page the page's virtual address; so the pc is page + (i - base). left is the budget in bytes of code (4 an
 * instruction), settled at the end of each straight run, which began at `start`. Stop points are: a branch
 * taken, after its delay slot; and falling through the end of a page.
 *
 * The tag compare masks keep the bits that must be zero for alignment: see memory/tlb.ts. Numbers of the
 * cases: ops.ts. A case that leaves the switch by `break` asks for the slow path, one that leaves by
 * `break jump` goes to `target`.
 *
 * The loop calls nothing. That lets V8 keep the arrays' addresses and lengths in registers instead of checking
 * them at every access, which is worth more than anything else that was tried (see docs of the benchmark).
 */
export function interpret(m: Machine): number {
  const { i32, u8, u16, i8, i16, fetch } = m;
  const code = m.code;
  let i = m.index;
  let start = m.start;
  let left = m.left;
  let base = m.base;
  let page = m.page;
  let target = m.target;
  let exit = 0;
  run: for (;;) {
    jump: {
      switch (code[i]) {
        case 0: // decode
          exit = 2;
          break run;
        case 1: /* nop */ i += 4; continue;
        case 2: /* li */ i32[code[i + 1]] = code[i + 3]; i += 4; continue;
        case 3: /* move */ i32[code[i + 1]] = i32[code[i + 2]]; i += 4; continue;
        case 4: /* addu */ i32[code[i + 1]] = i32[code[i + 2]] + i32[code[i + 3]]; i += 4; continue;
        case 5: /* addiu */ i32[code[i + 1]] = i32[code[i + 2]] + code[i + 3]; i += 4; continue;
        case 6: /* subu */ i32[code[i + 1]] = i32[code[i + 2]] - i32[code[i + 3]]; i += 4; continue;
        case 7: /* and */ i32[code[i + 1]] = i32[code[i + 2]] & i32[code[i + 3]]; i += 4; continue;
        case 8: /* or */ i32[code[i + 1]] = i32[code[i + 2]] | i32[code[i + 3]]; i += 4; continue;
        case 9: /* xor */ i32[code[i + 1]] = i32[code[i + 2]] ^ i32[code[i + 3]]; i += 4; continue;
        case 10: /* nor */ i32[code[i + 1]] = ~(i32[code[i + 2]] | i32[code[i + 3]]); i += 4; continue;
        case 11: /* andi */ i32[code[i + 1]] = i32[code[i + 2]] & code[i + 3]; i += 4; continue;
        case 12: /* ori */ i32[code[i + 1]] = i32[code[i + 2]] | code[i + 3]; i += 4; continue;
        case 13: /* xori */ i32[code[i + 1]] = i32[code[i + 2]] ^ code[i + 3]; i += 4; continue;
        case 14: /* slt */ i32[code[i + 1]] = i32[code[i + 2]] < i32[code[i + 3]] ? 1 : 0; i += 4; continue;
        case 15: /* sltu */ i32[code[i + 1]] = i32[code[i + 2]] >>> 0 < i32[code[i + 3]] >>> 0 ? 1 : 0; i += 4; continue;
        case 16: /* slti */ i32[code[i + 1]] = i32[code[i + 2]] < code[i + 3] ? 1 : 0; i += 4; continue;
        case 17: /* sltiu */ i32[code[i + 1]] = i32[code[i + 2]] >>> 0 < code[i + 3] >>> 0 ? 1 : 0; i += 4; continue;
        case 18: /* sll */ i32[code[i + 1]] = i32[code[i + 2]] << code[i + 3]; i += 4; continue;
        case 19: /* srl */ i32[code[i + 1]] = i32[code[i + 2]] >>> code[i + 3]; i += 4; continue;
        case 20: /* sra */ i32[code[i + 1]] = i32[code[i + 2]] >> code[i + 3]; i += 4; continue;
        case 21: { // rotr
          const x = i32[code[i + 2]];
          const n = code[i + 3];
          i32[code[i + 1]] = (x >>> n) | (x << -n);
          i += 4;
          continue;
        }
        case 22: /* sllv */ i32[code[i + 1]] = i32[code[i + 2]] << i32[code[i + 3]]; i += 4; continue;
        case 23: /* srlv */ i32[code[i + 1]] = i32[code[i + 2]] >>> i32[code[i + 3]]; i += 4; continue;
        case 24: /* srav */ i32[code[i + 1]] = i32[code[i + 2]] >> i32[code[i + 3]]; i += 4; continue;
        case 25: { // rotrv
          const x = i32[code[i + 2]];
          const n = i32[code[i + 3]];
          i32[code[i + 1]] = (x >>> n) | (x << -n);
          i += 4;
          continue;
        }
        case 26: /* movz */ if (i32[code[i + 3]] === 0) i32[code[i + 1]] = i32[code[i + 2]]; i += 4; continue;
        case 27: /* movn */ if (i32[code[i + 3]] !== 0) i32[code[i + 1]] = i32[code[i + 2]]; i += 4; continue;
        case 28: /* mul */ i32[code[i + 1]] = imul(i32[code[i + 2]], i32[code[i + 3]]); i += 4; continue;
        case 29: { // mult
          const x = i32[code[i + 2]];
          const y = i32[code[i + 3]];
          i32[33] = multiplyHigh(x, y);
          i32[34] = imul(x, y);
          i += 4;
          continue;
        }
        case 30: { // multu
          const x = i32[code[i + 2]];
          const y = i32[code[i + 3]];
          i32[33] = multiplyHighUnsigned(x, y);
          i32[34] = imul(x, y);
          i += 4;
          continue;
        }
        case 31: { // div
          // Division by zero leaves HI and LO UNPREDICTABLE; chosen: as if divided by 1.
          const x = i32[code[i + 2]];
          const y = i32[code[i + 3]];
          i32[34] = y === 0 ? x : (x / y) | 0;
          i32[33] = y === 0 ? 0 : (x % y) | 0;
          i += 4;
          continue;
        }
        case 32: { // divu
          const x = i32[code[i + 2]] >>> 0;
          const y = i32[code[i + 3]] >>> 0;
          i32[34] = y === 0 ? x : (x / y) >>> 0;
          i32[33] = y === 0 ? 0 : (x % y) >>> 0;
          i += 4;
          continue;
        }
        case 33: { // madd
          const x = i32[code[i + 2]];
          const y = i32[code[i + 3]];
          accumulate(i32, multiplyHigh(x, y), imul(x, y), false);
          i += 4;
          continue;
        }
        case 34: { // maddu
          const x = i32[code[i + 2]];
          const y = i32[code[i + 3]];
          accumulate(i32, multiplyHighUnsigned(x, y), imul(x, y), false);
          i += 4;
          continue;
        }
        case 35: { // msub
          const x = i32[code[i + 2]];
          const y = i32[code[i + 3]];
          accumulate(i32, multiplyHigh(x, y), imul(x, y), true);
          i += 4;
          continue;
        }
        case 36: { // msubu
          const x = i32[code[i + 2]];
          const y = i32[code[i + 3]];
          accumulate(i32, multiplyHighUnsigned(x, y), imul(x, y), true);
          i += 4;
          continue;
        }
        case 37: /* clz */ i32[code[i + 1]] = clz32(i32[code[i + 2]]); i += 4; continue;
        case 38: /* seb */ i32[code[i + 1]] = (i32[code[i + 2]] << 24) >> 24; i += 4; continue;
        case 39: /* seh */ i32[code[i + 1]] = (i32[code[i + 2]] << 16) >> 16; i += 4; continue;
        case 40: { // wsbh
          const x = i32[code[i + 2]];
          i32[code[i + 1]] = ((x & 0x00ff00ff) << 8) | ((x >>> 8) & 0x00ff00ff);
          i += 4;
          continue;
        }
        case 41: { // ext
          const c = code[i + 3];
          i32[code[i + 1]] = (i32[code[i + 2]] << c) >>> (c >>> 8);
          i += 4;
          continue;
        }
        case 42: { // ins
          const mask = code[i + 3];
          const a = code[i + 1];
          i32[a] = (i32[a] & ~mask) | ((i32[code[i + 2]] << (31 - clz32(mask & -mask))) & mask);
          i += 4;
          continue;
        }
        case 43: { // lw
          const va = (i32[code[i + 2]] + code[i + 3]) | 0;
          const t = ((va >>> 11) & 0x7fe) + READ_WORD;
          if (i32[t] !== (va & -4093)) break;
          i32[code[i + 1]] = i32[(va + i32[t + 1]) >> 2];
          i += 4;
          continue;
        }
        case 44: { // lh
          const va = (i32[code[i + 2]] + code[i + 3]) | 0;
          const t = ((va >>> 11) & 0x7fe) + READ_WORD;
          if (i32[t] !== (va & -4095)) break;
          i32[code[i + 1]] = i16[(va + i32[t + 1]) >> 1];
          i += 4;
          continue;
        }
        case 45: { // lhu
          const va = (i32[code[i + 2]] + code[i + 3]) | 0;
          const t = ((va >>> 11) & 0x7fe) + READ_WORD;
          if (i32[t] !== (va & -4095)) break;
          i32[code[i + 1]] = u16[(va + i32[t + 1]) >> 1];
          i += 4;
          continue;
        }
        case 46: { // lb
          const va = (i32[code[i + 2]] + code[i + 3]) | 0;
          const t = ((va >>> 11) & 0x7fe) + READ_WORD;
          if (i32[t] !== (va & -4096)) break;
          i32[code[i + 1]] = i8[(va + i32[t + 1]) | 0];
          i += 4;
          continue;
        }
        case 47: { // lbu
          const va = (i32[code[i + 2]] + code[i + 3]) | 0;
          const t = ((va >>> 11) & 0x7fe) + READ_WORD;
          if (i32[t] !== (va & -4096)) break;
          i32[code[i + 1]] = u8[(va + i32[t + 1]) | 0];
          i += 4;
          continue;
        }
        case 48: { // sw
          const va = (i32[code[i + 2]] + code[i + 3]) | 0;
          const t = ((va >>> 11) & 0x7fe) + WRITE_WORD;
          if (i32[t] !== (va & -4093)) break;
          i32[(va + i32[t + 1]) >> 2] = i32[code[i + 1]];
          i += 4;
          continue;
        }
        case 49: { // sh
          const va = (i32[code[i + 2]] + code[i + 3]) | 0;
          const t = ((va >>> 11) & 0x7fe) + WRITE_WORD;
          if (i32[t] !== (va & -4095)) break;
          i16[(va + i32[t + 1]) >> 1] = i32[code[i + 1]];
          i += 4;
          continue;
        }
        case 50: { // sb
          const va = (i32[code[i + 2]] + code[i + 3]) | 0;
          const t = ((va >>> 11) & 0x7fe) + WRITE_WORD;
          if (i32[t] !== (va & -4096)) break;
          u8[(va + i32[t + 1]) | 0] = i32[code[i + 1]];
          i += 4;
          continue;
        }
        case 51: { // lwl
          const va = (i32[code[i + 2]] + code[i + 3]) | 0;
          const t = ((va >>> 11) & 0x7fe) + READ_WORD;
          if (i32[t] !== (va & -4096)) break;
          const n = (va & 3) << 3;
          const a = code[i + 1];
          i32[a] = (i32[(va + i32[t + 1]) >> 2] << (24 - n)) | (i32[a] & (0x00ffffff >>> n));
          i += 4;
          continue;
        }
        case 52: { // lwr
          const va = (i32[code[i + 2]] + code[i + 3]) | 0;
          const t = ((va >>> 11) & 0x7fe) + READ_WORD;
          if (i32[t] !== (va & -4096)) break;
          const n = (va & 3) << 3;
          const a = code[i + 1];
          i32[a] = (i32[(va + i32[t + 1]) >> 2] >>> n) | (i32[a] & (0xffffff00 << (24 - n)));
          i += 4;
          continue;
        }
        case 53: { // swl
          const va = (i32[code[i + 2]] + code[i + 3]) | 0;
          const t = ((va >>> 11) & 0x7fe) + WRITE_WORD;
          if (i32[t] !== (va & -4096)) break;
          const n = (va & 3) << 3;
          const at = (va + i32[t + 1]) >> 2;
          i32[at] = (i32[at] & (0xffffff00 << n)) | (i32[code[i + 1]] >>> (24 - n));
          i += 4;
          continue;
        }
        case 54: { // swr
          const va = (i32[code[i + 2]] + code[i + 3]) | 0;
          const t = ((va >>> 11) & 0x7fe) + WRITE_WORD;
          if (i32[t] !== (va & -4096)) break;
          const n = (va & 3) << 3;
          const at = (va + i32[t + 1]) >> 2;
          i32[at] = (i32[at] & (0x00ffffff >>> (24 - n))) | (i32[code[i + 1]] << n);
          i += 4;
          continue;
        }
        case 55: { // ld
          const va = (i32[code[i + 2]] + code[i + 3]) | 0;
          const t = ((va >>> 11) & 0x7fe) + READ_WORD;
          if (i32[t] !== (va & -4089)) break;
          const at = (va + i32[t + 1]) >> 2;
          const a = code[i + 1];
          i32[a] = i32[at];
          i32[a + 1] = i32[at + 1];
          i += 4;
          continue;
        }
        case 56: { // sd
          const va = (i32[code[i + 2]] + code[i + 3]) | 0;
          const t = ((va >>> 11) & 0x7fe) + WRITE_WORD;
          if (i32[t] !== (va & -4089)) break;
          const at = (va + i32[t + 1]) >> 2;
          const a = code[i + 1];
          i32[at] = i32[a];
          i32[at + 1] = i32[a + 1];
          i += 4;
          continue;
        }

        case 57: /* beq */ i = i32[code[i + 1]] === i32[code[i + 2]] ? code[i + 3] : i + 4; continue;
        case 58: /* bne */ i = i32[code[i + 1]] !== i32[code[i + 2]] ? code[i + 3] : i + 4; continue;
        case 59: /* blez */ i = i32[code[i + 1]] <= 0 ? code[i + 3] : i + 4; continue;
        case 60: /* bgtz */ i = i32[code[i + 1]] > 0 ? code[i + 3] : i + 4; continue;
        case 61: /* bltz */ i = i32[code[i + 1]] < 0 ? code[i + 3] : i + 4; continue;
        case 62: /* bgez */ i = i32[code[i + 1]] >= 0 ? code[i + 3] : i + 4; continue;
        case 63: /* b */ i = code[i + 3]; continue;
        case 64: /* bal */ i32[31] = page + (i - base) + 8; i = code[i + 3]; continue;
        case 65: // beqNop
          if (i32[code[i + 1]] !== i32[code[i + 2]]) { i += 8; continue; }
          left -= i + 8 - start;
          i = start = code[i + 3];
          if (left > 0) continue;
          break run;
        case 66: // bneNop
          if (i32[code[i + 1]] === i32[code[i + 2]]) { i += 8; continue; }
          left -= i + 8 - start;
          i = start = code[i + 3];
          if (left > 0) continue;
          break run;
        case 67: // blezNop
          if (i32[code[i + 1]] > 0) { i += 8; continue; }
          left -= i + 8 - start;
          i = start = code[i + 3];
          if (left > 0) continue;
          break run;
        case 68: // bgtzNop
          if (i32[code[i + 1]] <= 0) { i += 8; continue; }
          left -= i + 8 - start;
          i = start = code[i + 3];
          if (left > 0) continue;
          break run;
        case 69: // bltzNop
          if (i32[code[i + 1]] >= 0) { i += 8; continue; }
          left -= i + 8 - start;
          i = start = code[i + 3];
          if (left > 0) continue;
          break run;
        case 70: // bgezNop
          if (i32[code[i + 1]] < 0) { i += 8; continue; }
          left -= i + 8 - start;
          i = start = code[i + 3];
          if (left > 0) continue;
          break run;
        case 72: // balNop
          i32[31] = page + (i - base) + 8;
          left -= i + 8 - start;
          i = start = code[i + 3];
          if (left > 0) continue;
          break run;
        case 71: // bNop
          left -= i + 8 - start;
          i = start = code[i + 3];
          if (left > 0) continue;
          break run;
        case 73: // jump
          target = (page & 0xf0000000) | code[i + 2];
          i = code[i + 3];
          continue;
        case 74: // jumpNop
          target = (page & 0xf0000000) | code[i + 2];
          left -= i + 8 - start;
          break jump;
        case 75: // jal
          target = (page & 0xf0000000) | code[i + 2];
          i32[31] = page + (i - base) + 8;
          i = code[i + 3];
          continue;
        case 76: // jalNop
          target = (page & 0xf0000000) | code[i + 2];
          i32[31] = page + (i - base) + 8;
          left -= i + 8 - start;
          break jump;
        case 77: // jr
          target = i32[code[i + 2]];
          i = code[i + 3];
          continue;
        case 78: // jrNop
          target = i32[code[i + 2]];
          left -= i + 8 - start;
          break jump;
        case 79: // jalr
          target = i32[code[i + 2]];
          i32[code[i + 1]] = page + (i - base) + 8;
          i = code[i + 3];
          continue;
        case 80: // jalrNop
          target = i32[code[i + 2]];
          i32[code[i + 1]] = page + (i - base) + 8;
          left -= i + 8 - start;
          break jump;

        // Branch likely: not taken, its delay slot is not executed and not counted.
        case 81: // beql
          if (i32[code[i + 1]] === i32[code[i + 2]]) { i = code[i + 3]; continue; }
          left -= i + 4 - start;
          i = start = i + 8;
          continue;
        case 82: // bnel
          if (i32[code[i + 1]] !== i32[code[i + 2]]) { i = code[i + 3]; continue; }
          left -= i + 4 - start;
          i = start = i + 8;
          continue;
        case 83: // blezl
          if (i32[code[i + 1]] <= 0) { i = code[i + 3]; continue; }
          left -= i + 4 - start;
          i = start = i + 8;
          continue;
        case 84: // bgtzl
          if (i32[code[i + 1]] > 0) { i = code[i + 3]; continue; }
          left -= i + 4 - start;
          i = start = i + 8;
          continue;
        case 85: // bltzl
          if (i32[code[i + 1]] < 0) { i = code[i + 3]; continue; }
          left -= i + 4 - start;
          i = start = i + 8;
          continue;
        case 86: // bgezl
          if (i32[code[i + 1]] >= 0) { i = code[i + 3]; continue; }
          left -= i + 4 - start;
          i = start = i + 8;
          continue;
        case 87: { // bltzal
          const taken = i32[code[i + 1]] < 0;
          i32[31] = page + (i - base) + 8;
          i = taken ? code[i + 3] : i + 4;
          continue;
        }
        case 88: { // bgezal
          const taken = i32[code[i + 1]] >= 0;
          i32[31] = page + (i - base) + 8;
          i = taken ? code[i + 3] : i + 4;
          continue;
        }
        case 89: { // bltzall
          const taken = i32[code[i + 1]] < 0;
          i32[31] = page + (i - base) + 8;
          if (taken) { i = code[i + 3]; continue; }
          left -= i + 4 - start;
          i = start = i + 8;
          continue;
        }
        case 90: { // bgezall
          const taken = i32[code[i + 1]] >= 0;
          i32[31] = page + (i - base) + 8;
          if (taken) { i = code[i + 3]; continue; }
          left -= i + 4 - start;
          i = start = i + 8;
          continue;
        }
        case 91: /* bc1f */ i = (i32[35] & code[i + 2]) === 0 ? code[i + 3] : i + 4; continue;
        case 92: /* bc1t */ i = (i32[35] & code[i + 2]) !== 0 ? code[i + 3] : i + 4; continue;
        case 93: // bc1fl
          if ((i32[35] & code[i + 2]) === 0) { i = code[i + 3]; continue; }
          left -= i + 4 - start;
          i = start = i + 8;
          continue;
        case 94: // bc1tl
          if ((i32[35] & code[i + 2]) !== 0) { i = code[i + 3]; continue; }
          left -= i + 4 - start;
          i = start = i + 8;
          continue;

        case 95: // endNear
          left -= code[i + 1] - start;
          i = start = code[i + 3];
          if (left > 0) continue;
          break run;
        case 96: // endFar
          left -= code[i + 1] - start;
          target = page + code[i + 3];
          break jump;
        case 97: // endJump
          left -= code[i + 1] - start;
          break jump;
        case 98: // pageEnd
          left -= i - start;
          target = page + 4096;
          break jump;
        case 99: // edge
          exit = 4;
          break run;
      }

      exit = 3;
      break;
    }

    // Jump to `target`: this page, a page in the fetch cache, or leave.
    const tag = target & -4093;
    if (tag === page) {
      i = start = base + (target & 0xffc);
    } else {
      const f = (target >>> 11) & 0x1fe;
      if (fetch[f] !== tag) {
        exit = 1;
        break;
      }
      page = tag;
      base = fetch[f + 1];
      i = start = base + (target & 0xffc);
    }
    if (left <= 0) break;
  }
  m.index = i;
  m.start = start;
  m.base = base;
  m.page = page;
  m.target = target;
  m.left = left;
  return exit;
}

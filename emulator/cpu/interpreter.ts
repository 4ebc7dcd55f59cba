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
  /** At a branch whose delay slot is on the next page, or is itself a branch; `index`. */
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
 * page the page's virtual address; so the pc is page + 2 (i - base). left is the budget in words of code (2 an
 * instruction), settled at the end of each straight run, which began at `start`. Stop points are: a branch
 * taken, after its delay slot; and falling through the end of a page.
 *
 * The tag compare masks keep the bits that must be zero for alignment: see memory/tlb.ts. Numbers of the
 * cases: ops.ts. A case that leaves the switch by `break` asks for the slow path, one that leaves by
 * `break jump` goes to `target`.
 *
 * The loop calls nothing: a call in it would make V8 check and reload every array's address and length after it, on
 * every path. Few array accesses matter more than few operations, since each costs a bounds check: operands
 * are packed into one word, and fusing pairs of instructions gained nothing measurable. `| 0` keeps i and its like
 * machine integers; without it they are tagged.
 */
export function interpret(m: Machine): number {
  const { i32, u8, u16, i8, i16, fetch } = m;
  const code = m.code;
  let i = m.index | 0;
  let start = m.start | 0;
  let left = m.left | 0;
  let base = m.base | 0;
  let page = m.page | 0;
  let target = m.target | 0;
  let exit = 0;
  run: for (;;) {
    jump: {
      const w = code[i];
      switch (w & 0xff) {
        case 0: // decode
          exit = 2;
          break run;
        case 1: /* nop */ i = (i + 2) | 0; continue;
        case 2: /* li */ i32[(w >>> 8) & 0xff] = code[i + 1]; i = (i + 2) | 0; continue;
        case 3: /* move */ i32[(w >>> 8) & 0xff] = i32[(w >>> 16) & 0xff]; i = (i + 2) | 0; continue;
        case 4: /* addu */ i32[(w >>> 8) & 0xff] = i32[(w >>> 16) & 0xff] + i32[w >>> 24]; i = (i + 2) | 0; continue;
        case 5: /* addiu */ i32[(w >>> 8) & 0xff] = i32[(w >>> 16) & 0xff] + code[i + 1]; i = (i + 2) | 0; continue;
        case 6: /* subu */ i32[(w >>> 8) & 0xff] = i32[(w >>> 16) & 0xff] - i32[w >>> 24]; i = (i + 2) | 0; continue;
        case 7: /* and */ i32[(w >>> 8) & 0xff] = i32[(w >>> 16) & 0xff] & i32[w >>> 24]; i = (i + 2) | 0; continue;
        case 8: /* or */ i32[(w >>> 8) & 0xff] = i32[(w >>> 16) & 0xff] | i32[w >>> 24]; i = (i + 2) | 0; continue;
        case 9: /* xor */ i32[(w >>> 8) & 0xff] = i32[(w >>> 16) & 0xff] ^ i32[w >>> 24]; i = (i + 2) | 0; continue;
        case 10: /* nor */ i32[(w >>> 8) & 0xff] = ~(i32[(w >>> 16) & 0xff] | i32[w >>> 24]); i = (i + 2) | 0; continue;
        case 11: /* andi */ i32[(w >>> 8) & 0xff] = i32[(w >>> 16) & 0xff] & code[i + 1]; i = (i + 2) | 0; continue;
        case 12: /* ori */ i32[(w >>> 8) & 0xff] = i32[(w >>> 16) & 0xff] | code[i + 1]; i = (i + 2) | 0; continue;
        case 13: /* xori */ i32[(w >>> 8) & 0xff] = i32[(w >>> 16) & 0xff] ^ code[i + 1]; i = (i + 2) | 0; continue;
        case 14: /* slt */ i32[(w >>> 8) & 0xff] = i32[(w >>> 16) & 0xff] < i32[w >>> 24] ? 1 : 0; i = (i + 2) | 0; continue;
        case 15: /* sltu */ i32[(w >>> 8) & 0xff] = i32[(w >>> 16) & 0xff] >>> 0 < i32[w >>> 24] >>> 0 ? 1 : 0; i = (i + 2) | 0; continue;
        case 16: /* slti */ i32[(w >>> 8) & 0xff] = i32[(w >>> 16) & 0xff] < code[i + 1] ? 1 : 0; i = (i + 2) | 0; continue;
        case 17: /* sltiu */ i32[(w >>> 8) & 0xff] = i32[(w >>> 16) & 0xff] >>> 0 < code[i + 1] >>> 0 ? 1 : 0; i = (i + 2) | 0; continue;
        case 18: /* sll */ i32[(w >>> 8) & 0xff] = i32[(w >>> 16) & 0xff] << code[i + 1]; i = (i + 2) | 0; continue;
        case 19: /* srl */ i32[(w >>> 8) & 0xff] = i32[(w >>> 16) & 0xff] >>> code[i + 1]; i = (i + 2) | 0; continue;
        case 20: /* sra */ i32[(w >>> 8) & 0xff] = i32[(w >>> 16) & 0xff] >> code[i + 1]; i = (i + 2) | 0; continue;
        case 21: { // rotr
          const x = i32[(w >>> 16) & 0xff];
          const n = code[i + 1];
          i32[(w >>> 8) & 0xff] = (x >>> n) | (x << -n);
          i = (i + 2) | 0;
          continue;
        }
        case 22: /* sllv */ i32[(w >>> 8) & 0xff] = i32[(w >>> 16) & 0xff] << i32[w >>> 24]; i = (i + 2) | 0; continue;
        case 23: /* srlv */ i32[(w >>> 8) & 0xff] = i32[(w >>> 16) & 0xff] >>> i32[w >>> 24]; i = (i + 2) | 0; continue;
        case 24: /* srav */ i32[(w >>> 8) & 0xff] = i32[(w >>> 16) & 0xff] >> i32[w >>> 24]; i = (i + 2) | 0; continue;
        case 25: { // rotrv
          const x = i32[(w >>> 16) & 0xff];
          const n = i32[w >>> 24];
          i32[(w >>> 8) & 0xff] = (x >>> n) | (x << -n);
          i = (i + 2) | 0;
          continue;
        }
        case 26: /* movz */ if (i32[w >>> 24] === 0) i32[(w >>> 8) & 0xff] = i32[(w >>> 16) & 0xff]; i = (i + 2) | 0; continue;
        case 27: /* movn */ if (i32[w >>> 24] !== 0) i32[(w >>> 8) & 0xff] = i32[(w >>> 16) & 0xff]; i = (i + 2) | 0; continue;
        case 28: /* mul */ i32[(w >>> 8) & 0xff] = imul(i32[(w >>> 16) & 0xff], i32[w >>> 24]); i = (i + 2) | 0; continue;
        case 29: { // mult
          const x = i32[(w >>> 16) & 0xff];
          const y = i32[w >>> 24];
          i32[33] = multiplyHigh(x, y);
          i32[34] = imul(x, y);
          i = (i + 2) | 0;
          continue;
        }
        case 30: { // multu
          const x = i32[(w >>> 16) & 0xff];
          const y = i32[w >>> 24];
          i32[33] = multiplyHighUnsigned(x, y);
          i32[34] = imul(x, y);
          i = (i + 2) | 0;
          continue;
        }
        case 31: { // div
          // Division by zero leaves HI and LO UNPREDICTABLE; chosen: as if divided by 1.
          const x = i32[(w >>> 16) & 0xff];
          const y = i32[w >>> 24];
          i32[34] = y === 0 ? x : (x / y) | 0;
          i32[33] = y === 0 ? 0 : (x % y) | 0;
          i = (i + 2) | 0;
          continue;
        }
        case 32: { // divu
          const x = i32[(w >>> 16) & 0xff] >>> 0;
          const y = i32[w >>> 24] >>> 0;
          i32[34] = y === 0 ? x : (x / y) >>> 0;
          i32[33] = y === 0 ? 0 : (x % y) >>> 0;
          i = (i + 2) | 0;
          continue;
        }
        case 33: { // madd
          const x = i32[(w >>> 16) & 0xff];
          const y = i32[w >>> 24];
          accumulate(i32, multiplyHigh(x, y), imul(x, y), false);
          i = (i + 2) | 0;
          continue;
        }
        case 34: { // maddu
          const x = i32[(w >>> 16) & 0xff];
          const y = i32[w >>> 24];
          accumulate(i32, multiplyHighUnsigned(x, y), imul(x, y), false);
          i = (i + 2) | 0;
          continue;
        }
        case 35: { // msub
          const x = i32[(w >>> 16) & 0xff];
          const y = i32[w >>> 24];
          accumulate(i32, multiplyHigh(x, y), imul(x, y), true);
          i = (i + 2) | 0;
          continue;
        }
        case 36: { // msubu
          const x = i32[(w >>> 16) & 0xff];
          const y = i32[w >>> 24];
          accumulate(i32, multiplyHighUnsigned(x, y), imul(x, y), true);
          i = (i + 2) | 0;
          continue;
        }
        case 37: /* clz */ i32[(w >>> 8) & 0xff] = clz32(i32[(w >>> 16) & 0xff]); i = (i + 2) | 0; continue;
        case 38: /* seb */ i32[(w >>> 8) & 0xff] = (i32[(w >>> 16) & 0xff] << 24) >> 24; i = (i + 2) | 0; continue;
        case 39: /* seh */ i32[(w >>> 8) & 0xff] = (i32[(w >>> 16) & 0xff] << 16) >> 16; i = (i + 2) | 0; continue;
        case 40: { // wsbh
          const x = i32[(w >>> 16) & 0xff];
          i32[(w >>> 8) & 0xff] = ((x & 0x00ff00ff) << 8) | ((x >>> 8) & 0x00ff00ff);
          i = (i + 2) | 0;
          continue;
        }
        case 41: { // ext
          const c = code[i + 1];
          i32[(w >>> 8) & 0xff] = (i32[(w >>> 16) & 0xff] << c) >>> (c >>> 8);
          i = (i + 2) | 0;
          continue;
        }
        case 42: { // ins
          const mask = code[i + 1];
          const a = (w >>> 8) & 0xff;
          i32[a] = (i32[a] & ~mask) | ((i32[(w >>> 16) & 0xff] << (31 - clz32(mask & -mask))) & mask);
          i = (i + 2) | 0;
          continue;
        }
        case 43: { // lw
          const va = (i32[(w >>> 16) & 0xff] + code[i + 1]) | 0;
          const t = (((va >>> 11) ^ (va >>> 21)) & 0x7fe) + READ_WORD;
          if (i32[t] !== (va & -4093)) break;
          i32[(w >>> 8) & 0xff] = i32[(va + i32[t + 1]) >> 2];
          i = (i + 2) | 0;
          continue;
        }
        case 44: { // lh
          const va = (i32[(w >>> 16) & 0xff] + code[i + 1]) | 0;
          const t = (((va >>> 11) ^ (va >>> 21)) & 0x7fe) + READ_WORD;
          if (i32[t] !== (va & -4095)) break;
          i32[(w >>> 8) & 0xff] = i16[(va + i32[t + 1]) >> 1];
          i = (i + 2) | 0;
          continue;
        }
        case 45: { // lhu
          const va = (i32[(w >>> 16) & 0xff] + code[i + 1]) | 0;
          const t = (((va >>> 11) ^ (va >>> 21)) & 0x7fe) + READ_WORD;
          if (i32[t] !== (va & -4095)) break;
          i32[(w >>> 8) & 0xff] = u16[(va + i32[t + 1]) >> 1];
          i = (i + 2) | 0;
          continue;
        }
        case 46: { // lb
          const va = (i32[(w >>> 16) & 0xff] + code[i + 1]) | 0;
          const t = (((va >>> 11) ^ (va >>> 21)) & 0x7fe) + READ_WORD;
          if (i32[t] !== (va & -4096)) break;
          i32[(w >>> 8) & 0xff] = i8[(va + i32[t + 1]) | 0];
          i = (i + 2) | 0;
          continue;
        }
        case 47: { // lbu
          const va = (i32[(w >>> 16) & 0xff] + code[i + 1]) | 0;
          const t = (((va >>> 11) ^ (va >>> 21)) & 0x7fe) + READ_WORD;
          if (i32[t] !== (va & -4096)) break;
          i32[(w >>> 8) & 0xff] = u8[(va + i32[t + 1]) | 0];
          i = (i + 2) | 0;
          continue;
        }
        case 48: { // sw
          const va = (i32[(w >>> 16) & 0xff] + code[i + 1]) | 0;
          const t = (((va >>> 11) ^ (va >>> 21)) & 0x7fe) + WRITE_WORD;
          if (i32[t] !== (va & -4093)) break;
          i32[(va + i32[t + 1]) >> 2] = i32[(w >>> 8) & 0xff];
          i = (i + 2) | 0;
          continue;
        }
        case 49: { // sh
          const va = (i32[(w >>> 16) & 0xff] + code[i + 1]) | 0;
          const t = (((va >>> 11) ^ (va >>> 21)) & 0x7fe) + WRITE_WORD;
          if (i32[t] !== (va & -4095)) break;
          i16[(va + i32[t + 1]) >> 1] = i32[(w >>> 8) & 0xff];
          i = (i + 2) | 0;
          continue;
        }
        case 50: { // sb
          const va = (i32[(w >>> 16) & 0xff] + code[i + 1]) | 0;
          const t = (((va >>> 11) ^ (va >>> 21)) & 0x7fe) + WRITE_WORD;
          if (i32[t] !== (va & -4096)) break;
          u8[(va + i32[t + 1]) | 0] = i32[(w >>> 8) & 0xff];
          i = (i + 2) | 0;
          continue;
        }
        case 51: { // lwl
          const va = (i32[(w >>> 16) & 0xff] + code[i + 1]) | 0;
          const t = (((va >>> 11) ^ (va >>> 21)) & 0x7fe) + READ_WORD;
          if (i32[t] !== (va & -4096)) break;
          const n = (va & 3) << 3;
          const a = (w >>> 8) & 0xff;
          i32[a] = (i32[(va + i32[t + 1]) >> 2] << (24 - n)) | (i32[a] & (0x00ffffff >>> n));
          i = (i + 2) | 0;
          continue;
        }
        case 52: { // lwr
          const va = (i32[(w >>> 16) & 0xff] + code[i + 1]) | 0;
          const t = (((va >>> 11) ^ (va >>> 21)) & 0x7fe) + READ_WORD;
          if (i32[t] !== (va & -4096)) break;
          const n = (va & 3) << 3;
          const a = (w >>> 8) & 0xff;
          i32[a] = (i32[(va + i32[t + 1]) >> 2] >>> n) | (i32[a] & (0xffffff00 << (24 - n)));
          i = (i + 2) | 0;
          continue;
        }
        case 53: { // swl
          const va = (i32[(w >>> 16) & 0xff] + code[i + 1]) | 0;
          const t = (((va >>> 11) ^ (va >>> 21)) & 0x7fe) + WRITE_WORD;
          if (i32[t] !== (va & -4096)) break;
          const n = (va & 3) << 3;
          const at = (va + i32[t + 1]) >> 2;
          i32[at] = (i32[at] & (0xffffff00 << n)) | (i32[(w >>> 8) & 0xff] >>> (24 - n));
          i = (i + 2) | 0;
          continue;
        }
        case 54: { // swr
          const va = (i32[(w >>> 16) & 0xff] + code[i + 1]) | 0;
          const t = (((va >>> 11) ^ (va >>> 21)) & 0x7fe) + WRITE_WORD;
          if (i32[t] !== (va & -4096)) break;
          const n = (va & 3) << 3;
          const at = (va + i32[t + 1]) >> 2;
          i32[at] = (i32[at] & (0x00ffffff >>> (24 - n))) | (i32[(w >>> 8) & 0xff] << n);
          i = (i + 2) | 0;
          continue;
        }
        case 55: { // ld
          const va = (i32[(w >>> 16) & 0xff] + code[i + 1]) | 0;
          const t = (((va >>> 11) ^ (va >>> 21)) & 0x7fe) + READ_WORD;
          if (i32[t] !== (va & -4089)) break;
          const at = (va + i32[t + 1]) >> 2;
          const a = (w >>> 8) & 0xff;
          i32[a] = i32[at];
          i32[a + 1] = i32[at + 1];
          i = (i + 2) | 0;
          continue;
        }
        case 56: { // sd
          const va = (i32[(w >>> 16) & 0xff] + code[i + 1]) | 0;
          const t = (((va >>> 11) ^ (va >>> 21)) & 0x7fe) + WRITE_WORD;
          if (i32[t] !== (va & -4089)) break;
          const at = (va + i32[t + 1]) >> 2;
          const a = (w >>> 8) & 0xff;
          i32[at] = i32[a];
          i32[at + 1] = i32[a + 1];
          i = (i + 2) | 0;
          continue;
        }

        case 57: /* beq */ i = i32[(w >>> 8) & 0xff] === i32[(w >>> 16) & 0xff] ? code[i + 1] : (i + 2) | 0; continue;
        case 58: /* bne */ i = i32[(w >>> 8) & 0xff] !== i32[(w >>> 16) & 0xff] ? code[i + 1] : (i + 2) | 0; continue;
        case 59: /* blez */ i = i32[(w >>> 8) & 0xff] <= 0 ? code[i + 1] : (i + 2) | 0; continue;
        case 60: /* bgtz */ i = i32[(w >>> 8) & 0xff] > 0 ? code[i + 1] : (i + 2) | 0; continue;
        case 61: /* bltz */ i = i32[(w >>> 8) & 0xff] < 0 ? code[i + 1] : (i + 2) | 0; continue;
        case 62: /* bgez */ i = i32[(w >>> 8) & 0xff] >= 0 ? code[i + 1] : (i + 2) | 0; continue;
        case 63: /* b */ i = code[i + 1]; continue;
        case 64: /* bal */ i32[31] = page + ((i - base) << 1) + 8; i = code[i + 1]; continue;
        case 65: // beqNop
          if (i32[(w >>> 8) & 0xff] !== i32[(w >>> 16) & 0xff]) { i = (i + 4) | 0; continue; }
          left = (left - (i + 4 - start)) | 0;
          i = start = code[i + 1];
          if (left > 0) continue;
          break run;
        case 66: // bneNop
          if (i32[(w >>> 8) & 0xff] === i32[(w >>> 16) & 0xff]) { i = (i + 4) | 0; continue; }
          left = (left - (i + 4 - start)) | 0;
          i = start = code[i + 1];
          if (left > 0) continue;
          break run;
        case 67: // blezNop
          if (i32[(w >>> 8) & 0xff] > 0) { i = (i + 4) | 0; continue; }
          left = (left - (i + 4 - start)) | 0;
          i = start = code[i + 1];
          if (left > 0) continue;
          break run;
        case 68: // bgtzNop
          if (i32[(w >>> 8) & 0xff] <= 0) { i = (i + 4) | 0; continue; }
          left = (left - (i + 4 - start)) | 0;
          i = start = code[i + 1];
          if (left > 0) continue;
          break run;
        case 69: // bltzNop
          if (i32[(w >>> 8) & 0xff] >= 0) { i = (i + 4) | 0; continue; }
          left = (left - (i + 4 - start)) | 0;
          i = start = code[i + 1];
          if (left > 0) continue;
          break run;
        case 70: // bgezNop
          if (i32[(w >>> 8) & 0xff] < 0) { i = (i + 4) | 0; continue; }
          left = (left - (i + 4 - start)) | 0;
          i = start = code[i + 1];
          if (left > 0) continue;
          break run;
        case 72: // balNop
          i32[31] = page + ((i - base) << 1) + 8;
          left = (left - (i + 4 - start)) | 0;
          i = start = code[i + 1];
          if (left > 0) continue;
          break run;
        case 71: // bNop
          left = (left - (i + 4 - start)) | 0;
          i = start = code[i + 1];
          if (left > 0) continue;
          break run;
        case 73: // jump
          target = (page & 0xf0000000) | code[i + 1];
          i = w >>> 8;
          continue;
        case 74: // jumpNop
          target = (page & 0xf0000000) | code[i + 1];
          left = (left - (i + 4 - start)) | 0;
          break jump;
        case 75: // jal
          target = (page & 0xf0000000) | code[i + 1];
          i32[31] = page + ((i - base) << 1) + 8;
          i = w >>> 8;
          continue;
        case 76: // jalNop
          target = (page & 0xf0000000) | code[i + 1];
          i32[31] = page + ((i - base) << 1) + 8;
          left = (left - (i + 4 - start)) | 0;
          break jump;
        case 77: // jr
          target = i32[(w >>> 16) & 0xff];
          i = code[i + 1];
          continue;
        case 78: // jrNop
          target = i32[(w >>> 16) & 0xff];
          left = (left - (i + 4 - start)) | 0;
          break jump;
        case 79: // jalr
          target = i32[(w >>> 16) & 0xff];
          i32[(w >>> 8) & 0xff] = page + ((i - base) << 1) + 8;
          i = code[i + 1];
          continue;
        case 80: // jalrNop
          target = i32[(w >>> 16) & 0xff];
          i32[(w >>> 8) & 0xff] = page + ((i - base) << 1) + 8;
          left = (left - (i + 4 - start)) | 0;
          break jump;

        // Branch likely: not taken, its delay slot is not executed and not counted.
        case 81: // beql
          if (i32[(w >>> 8) & 0xff] === i32[(w >>> 16) & 0xff]) { i = code[i + 1]; continue; }
          left = (left - (i + 2 - start)) | 0;
          i = start = (i + 4) | 0;
          continue;
        case 82: // bnel
          if (i32[(w >>> 8) & 0xff] !== i32[(w >>> 16) & 0xff]) { i = code[i + 1]; continue; }
          left = (left - (i + 2 - start)) | 0;
          i = start = (i + 4) | 0;
          continue;
        case 83: // blezl
          if (i32[(w >>> 8) & 0xff] <= 0) { i = code[i + 1]; continue; }
          left = (left - (i + 2 - start)) | 0;
          i = start = (i + 4) | 0;
          continue;
        case 84: // bgtzl
          if (i32[(w >>> 8) & 0xff] > 0) { i = code[i + 1]; continue; }
          left = (left - (i + 2 - start)) | 0;
          i = start = (i + 4) | 0;
          continue;
        case 85: // bltzl
          if (i32[(w >>> 8) & 0xff] < 0) { i = code[i + 1]; continue; }
          left = (left - (i + 2 - start)) | 0;
          i = start = (i + 4) | 0;
          continue;
        case 86: // bgezl
          if (i32[(w >>> 8) & 0xff] >= 0) { i = code[i + 1]; continue; }
          left = (left - (i + 2 - start)) | 0;
          i = start = (i + 4) | 0;
          continue;
        case 87: { // bltzal
          const taken = i32[(w >>> 8) & 0xff] < 0;
          i32[31] = page + ((i - base) << 1) + 8;
          i = taken ? code[i + 1] : (i + 2) | 0;
          continue;
        }
        case 88: { // bgezal
          const taken = i32[(w >>> 8) & 0xff] >= 0;
          i32[31] = page + ((i - base) << 1) + 8;
          i = taken ? code[i + 1] : (i + 2) | 0;
          continue;
        }
        case 89: { // bltzall
          const taken = i32[(w >>> 8) & 0xff] < 0;
          i32[31] = page + ((i - base) << 1) + 8;
          if (taken) { i = code[i + 1]; continue; }
          left = (left - (i + 2 - start)) | 0;
          i = start = (i + 4) | 0;
          continue;
        }
        case 90: { // bgezall
          const taken = i32[(w >>> 8) & 0xff] >= 0;
          i32[31] = page + ((i - base) << 1) + 8;
          if (taken) { i = code[i + 1]; continue; }
          left = (left - (i + 2 - start)) | 0;
          i = start = (i + 4) | 0;
          continue;
        }
        case 91: /* bc1f */ i = (i32[35] & (1 << ((w >>> 16) & 31))) === 0 ? code[i + 1] : (i + 2) | 0; continue;
        case 92: /* bc1t */ i = (i32[35] & (1 << ((w >>> 16) & 31))) !== 0 ? code[i + 1] : (i + 2) | 0; continue;
        case 93: // bc1fl
          if ((i32[35] & (1 << ((w >>> 16) & 31))) === 0) { i = code[i + 1]; continue; }
          left = (left - (i + 2 - start)) | 0;
          i = start = (i + 4) | 0;
          continue;
        case 94: // bc1tl
          if ((i32[35] & (1 << ((w >>> 16) & 31))) !== 0) { i = code[i + 1]; continue; }
          left = (left - (i + 2 - start)) | 0;
          i = start = (i + 4) | 0;
          continue;

        case 95: // endNear
          left = (left - (base + (w >>> 8) - start)) | 0;
          i = start = code[i + 1];
          if (left > 0) continue;
          break run;
        case 96: // endFar
          left = (left - (base + (w >>> 8) - start)) | 0;
          target = (page + code[i + 1]) | 0;
          break jump;
        case 97: // endJump
          left = (left - (base + (w >>> 8) - start)) | 0;
          break jump;
        case 98: // pageEnd
          left = (left - (i - start)) | 0;
          target = (page + 4096) | 0;
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
      i = start = (base + ((target & 0xffc) >> 1)) | 0;
    } else {
      const f = (target >>> 11) & 0x1fe;
      if (fetch[f] !== tag) {
        exit = 1;
        break;
      }
      page = tag;
      base = fetch[f + 1];
      i = start = (base + ((target & 0xffc) >> 1)) | 0;
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

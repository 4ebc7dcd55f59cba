import type { Ram } from '../memory/ram.js';
import { BranchKind, branchKind, branchOffset, decodeBranch, decodeInstruction, type Decoded } from './decode.js';
import { Op } from './ops.js';

/** Words of a decoded instruction: an index distance is half a pc distance. */
export const WORDS = 2;
export const PAGE_WORDS = 1024 * WORDS;
const INITIAL_WORDS = 1 << 17;
const MAXIMUM_WORDS = 1 << 22;
/** The most a branch needs: its shadow of two instructions. */
const SHADOW_WORDS = 2 * WORDS;
/** Two spare shadows at the start of the pool, for what is executed out of place. */
export const SCRATCH = 0;
const FIRST_PAGE = 4 * WORDS;

/** Form of a branch whose slot is a nop; only where the target is inside the page or dynamic. */
const nopForm = new Map<number, number>([
  [Op.beq, Op.beqNop], [Op.bne, Op.bneNop], [Op.blez, Op.blezNop], [Op.bgtz, Op.bgtzNop],
  [Op.bltz, Op.bltzNop], [Op.bgez, Op.bgezNop], [Op.b, Op.bNop], [Op.bal, Op.balNop],
]);

/**
 * Decoded code, a page at a time, keyed by frame; each instruction is decoded when it is first reached.
 *
 *   pool: | scratch | page: 1024 instructions, pageEnd | shadow | shadow | page ... | shadow ...
 *
 * A page is valid while ram.code[frame] is set. What became stale stays in the pool, unused, until the pool is
 * full and all of it is dropped. A cache: it holds nothing that cannot be decoded again.
 */
export class CodeCache {
  pool = new Int32Array(INITIAL_WORDS);
  private used = FIRST_PAGE;
  private readonly ram: Ram;
  /** Pool index of a frame's page, 0 = none. */
  private readonly pages: Int32Array;
  /** Counts dropAll(): indices from before are void. */
  generation = 0;
  private readonly scratch: Decoded = { op: 0, a: 0, b: 0, c: 0, k: 0 };

  constructor(ram: Ram) {
    this.ram = ram;
    this.pages = new Int32Array(ram.frames);
  }

  /** Index of the page of `frame`; makes an undecoded one when there is none. May replace the pool. */
  page(frame: number): number {
    if (this.ram.code[frame] !== 0 && this.pages[frame] !== 0) return this.pages[frame];
    this.reserve(PAGE_WORDS + WORDS + SHADOW_WORDS);
    const base = this.used;
    this.used += PAGE_WORDS + WORDS;
    this.pool.fill(Op.decode, base, this.used);
    this.put(base + PAGE_WORDS, Op.pageEnd, 0, 0, 0, this.ram.address(frame));
    this.pages[frame] = base;
    this.ram.markCode(frame);
    return base;
  }

  /** Ram address of the page at `base`. */
  addressOf(base: number): number {
    return this.pool[base + PAGE_WORDS + 1];
  }

  /** Is there room to decode one more instruction? If not, leave the page and let makeRoom() run. */
  hasRoom(): boolean {
    return this.used + SHADOW_WORDS <= this.pool.length;
  }

  /** Enlarge the pool, or drop everything. Indices held by the caller are void afterwards. */
  makeRoom(): void {
    this.reserve(PAGE_WORDS);
  }

  dropAll(): void {
    this.generation++;
    this.pages.fill(0);
    this.used = FIRST_PAGE;
  }

  private reserve(words: number): void {
    if (this.used + words <= this.pool.length) return;
    if (this.pool.length >= MAXIMUM_WORDS) return this.dropAll();
    const larger = new Int32Array(this.pool.length * 2);
    larger.set(this.pool);
    this.pool = larger;
  }

  /** Decode the instruction at `index`; for a branch its delay slot as well. `address` is its page in Ram. */
  decodeAt(index: number, base: number, address: number): void {
    const at = (address >> 2) + (index - base) / WORDS;
    const word = this.ram.i32[at];
    const kind = branchKind(word);
    if (kind === BranchKind.none) return this.putPlain(index, word);
    const slot = this.ram.i32[at + 1];
    // The slot is on another page, or is itself a branch: decided out of line, also when it is not taken.
    if (index - base === PAGE_WORDS - WORDS || branchKind(slot) !== BranchKind.none) return this.put(index, Op.edge, 0, 0, 0, word);
    if (this.pool[index + WORDS] === Op.decode) this.putPlain(index + WORDS, slot);
    this.putBranch(index, base, word, slot, kind);
  }

  private putPlain(index: number, word: number): void {
    const d = this.scratch;
    decodeInstruction(word, d);
    this.put(index, d.op, d.a, d.b, d.c, d.k);
  }

  /** An instruction in a delay slot; another branch there is reserved (UNPREDICTABLE in the architecture). */
  private putSlot(index: number, word: number): void {
    if (branchKind(word) === BranchKind.none) this.putPlain(index, word);
    else this.put(index, Op.reserved, 0, 0, 0, 0);
  }

  private putBranch(index: number, base: number, word: number, slot: number, kind: number): void {
    const d = this.scratch;
    decodeInstruction(slot, d);
    const nop = d.op === Op.nop;
    decodeBranch(word, d);
    if (d.op === Op.beq && d.a === d.b) d.op = Op.b;
    if (d.op === Op.bgezal && d.a === 0) d.op = Op.bal;
    const { op, a, b } = d;
    if (kind !== BranchKind.conditional) return this.putJump(index, base, word, slot, nop, op, a, b);
    const bytes = branchOffset(word);
    const target = index + bytes / (4 / WORDS);
    const near = target >= base && target < base + PAGE_WORDS;
    const short = nopForm.get(op);
    if (nop && near && short !== undefined) return this.put(index, short, a, b, 0, target);
    const shadow = near
      ? this.shadow(index - base, slot, nop, Op.endNear, target)
      : this.shadow(index - base, slot, nop, Op.endFar, (index - base) * (4 / WORDS) + bytes);
    this.put(index, op, a, b, 0, shadow);
  }

  private putJump(index: number, base: number, word: number, slot: number, nop: boolean, op: number, a: number, b: number): void {
    const region = (word & 0x03ff_ffff) << 2;
    const isRegion = op === Op.jump || op === Op.jal;
    if (nop) return this.put(index, op + 1, a, b, 0, isRegion ? region : 0);
    const shadow = this.shadow(index - base, slot, false, Op.endJump, 0);
    if (isRegion) this.putWide(index, op, shadow, region);
    else this.put(index, op, a, b, 0, shadow);
  }

  /** `branch` is relative to its page. */
  private shadow(branch: number, slot: number, nop: boolean, end: number, k: number): number {
    const index = this.used;
    this.used += nop ? WORDS : SHADOW_WORDS;
    if (!nop) this.putPlain(index, slot);
    this.putWide(nop ? index : index + WORDS, end, branch + 2 * WORDS, k);
    return index;
  }

  /** One instruction out of place, as the delay slot of `branch` (relative to its page), followed by a jump. */
  putScratchSlot(branch: number, word: number): number {
    this.putSlot(SCRATCH, word);
    this.putWide(SCRATCH + WORDS, Op.endJump, branch + 2 * WORDS, 0);
    return SCRATCH;
  }

  /** The instruction at `index` (relative to its page) out of place, followed by a stop. */
  putScratchStep(index: number, word: number): number {
    this.putPlain(SCRATCH, word);
    this.putWide(SCRATCH + WORDS, Op.stop, index + 2 * WORDS, 0);
    return SCRATCH;
  }

  put(index: number, op: number, a: number, b: number, c: number, k: number): void {
    this.pool[index] = op | (a << 8) | (b << 16) | (c << 24);
    this.pool[index + 1] = k;
  }

  /** An operation with a 24-bit operand in place of a, b and c. */
  private putWide(index: number, op: number, operand: number, k: number): void {
    this.pool[index] = op | (operand << 8);
    this.pool[index + 1] = k;
  }
}

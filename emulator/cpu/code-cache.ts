import type { Ram } from '../memory/ram.js';
import { BranchKind, branchKind, branchOffset, decodeBranch, decodeInstruction, type Decoded } from './decode.js';
import { Op } from './ops.js';

/** Words of a decoded instruction; equal to its bytes, so that an index distance is a pc distance. */
const WORDS = 4;
const PAGE_WORDS = 4096;
const INITIAL_WORDS = 1 << 18;
const MAXIMUM_WORDS = 1 << 23;
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
 *   pool: | scratch | page: 1024 instructions, pageEnd (a = Ram address) | shadow | shadow | page ... | shadow ...
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
  private readonly scratch: Decoded = { op: 0, a: 0, b: 0, c: 0 };

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
    this.put(base + PAGE_WORDS, Op.pageEnd, this.ram.address(frame), 0, 0);
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
    const offset = index - base;
    const word = this.ram.i32[(address + offset) >> 2];
    const kind = branchKind(word);
    if (kind === BranchKind.none) return this.putPlain(index, word);
    if (offset === PAGE_WORDS - WORDS) return this.put(index, Op.edge, word, 0, 0);
    const slot = this.ram.i32[(address + offset + 4) >> 2];
    if (this.pool[index + WORDS] === Op.decode && branchKind(slot) === BranchKind.none) this.putPlain(index + WORDS, slot);
    this.putBranch(index, base, word, slot, kind);
  }

  private putPlain(index: number, word: number): void {
    const d = this.scratch;
    decodeInstruction(word, d);
    this.put(index, d.op, d.a, d.b, d.c);
  }

  /** An instruction in a delay slot; another branch there is reserved (UNPREDICTABLE in the architecture). */
  private putSlot(index: number, word: number): void {
    if (branchKind(word) === BranchKind.none) this.putPlain(index, word);
    else this.put(index, Op.reserved, 0, 0, 0);
  }

  private putBranch(index: number, base: number, word: number, slot: number, kind: number): void {
    const d = this.scratch;
    decodeInstruction(slot, d);
    const nop = branchKind(slot) === BranchKind.none && d.op === Op.nop;
    decodeBranch(word, d);
    if (d.op === Op.beq && d.a === d.b) d.op = Op.b;
    if (d.op === Op.bgezal && d.a === 0) d.op = Op.bal;
    const { op, a, b } = d;
    if (kind !== BranchKind.conditional) return this.putJump(index, word, slot, nop, op, a, b);
    const target = index + branchOffset(word);
    const near = target >= base && target < base + PAGE_WORDS;
    const short = nopForm.get(op);
    if (nop && near && short !== undefined) return this.put(index, short, a, b, target);
    const shadow = this.shadow(index, slot, nop, near ? Op.endNear : Op.endFar, near ? target : target - base);
    this.put(index, op, a, b, shadow);
  }

  private putJump(index: number, word: number, slot: number, nop: boolean, op: number, a: number, b: number): void {
    const region = (word & 0x03ff_ffff) << 2;
    const isRegion = op === Op.jump || op === Op.jal;
    if (nop) return this.put(index, op + 1, a, isRegion ? region : b, 0);
    this.put(index, op, a, isRegion ? region : b, this.shadow(index, slot, false, Op.endJump, 0));
  }

  private shadow(branch: number, slot: number, nop: boolean, end: number, c: number): number {
    const index = this.used;
    this.used += nop ? WORDS : SHADOW_WORDS;
    if (!nop) this.putSlot(index, slot);
    this.put(nop ? index : index + WORDS, end, branch + 2 * WORDS, 0, c);
    return index;
  }

  /** One instruction out of place, as the delay slot of `branch` (an index), followed by a jump. */
  putScratchSlot(branch: number, word: number): number {
    this.putSlot(SCRATCH, word);
    this.put(SCRATCH + WORDS, Op.endJump, branch + 2 * WORDS, 0, 0);
    return SCRATCH;
  }

  /** One instruction out of place, followed by a stop. */
  putScratchStep(index: number, word: number): number {
    this.putPlain(SCRATCH, word);
    this.put(SCRATCH + WORDS, Op.stop, index + 2 * WORDS, 0, 0);
    return SCRATCH;
  }

  put(index: number, op: number, a: number, b: number, c: number): void {
    const { pool } = this;
    pool[index] = op;
    pool[index + 1] = a;
    pool[index + 2] = b;
    pool[index + 3] = c;
  }
}

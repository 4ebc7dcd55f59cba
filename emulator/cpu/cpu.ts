import { snapshotClass } from '../base/index.js';
import { Access, Fault, type AddressSpace } from '../memory/address-space.js';
import type { Ram } from '../memory/ram.js';
import { flushWriteTlb, TLB_EMPTY } from '../memory/tlb.js';
import { CodeCache, PAGE_WORDS, WORDS } from './code-cache.js';
import type { CpuContext } from './context.js';
import { BranchKind, branchKind, branchOffset, decodeBranch, type Decoded } from './decode.js';
import { Fpu } from './fpu.js';
import { Exit, interpret, type Machine } from './interpreter.js';
import { Op } from './ops.js';
import { rare, Slow } from './rare.js';
import { FCSR, FPR, HI, LLADDR, LLBIT, LO, USER_LOCAL } from './registers.js';
import { SlowMemory } from './slow-memory.js';
import { SigCode, Signo, Trap, TrapKind } from './trap.js';

/** Words of code executed per entry of the interpreter; V8 optimises functions that return now and then. */
const SLICE_WORDS = 1 << 19;
/** No straight run is longer: the end of a page is a stop point. */
const LONGEST_RUN = 1100;
const PAGE = 4096;
/** Of the fetch cache; the interpreter's index computation knows it. */
const FETCH_ENTRIES = 256;

/**
 * The processor. Architectural state is in the CpuContext; while run() is active, in Ram's control area. Everything
 * else here is cache. One Cpu to a Ram.
 *
 * Stop points, the only places where a budget may end: after the delay slot of a taken branch or jump, and on
 * falling through the end of a 4 KiB page. They are properties of the executed code alone, so that a budget
 * split in any way ends at the same instruction as the whole one.
 */
export class Cpu implements Machine {
  static readonly transient = ['trap', 'retired', 'floats', 'i32', 'u8', 'u16', 'i8', 'i16', 'code', 'fetch', 'index', 'start', 'left',
    'base', 'page', 'target', 'cache', 'fpu', 'memory', 'space', 'due', 'total', 'epoch', 'entryPc', 'decoded', 'gprView', 'fprView'];

  readonly ram: Ram;
  /** Where run() stops; by virtual address in whatever space. */
  readonly breakpoints = new Set<number>();
  /** For `rdhwr CC`: cycles at the start of the run and per instruction, set by whoever keeps the time. */
  cycleBase = 0;
  cyclesPerInstruction = 1;

  trap!: Trap;
  /** Instructions retired by the last run() or runExact(). */
  retired = 0;
  /** Floating point arithmetic instructions among them, for profiles whose kernel emulates the FPU. */
  floats = 0;

  // Working state of a run; interpreter.ts explains it.
  i32!: Int32Array;
  u8!: Uint8Array;
  u16!: Uint16Array;
  i8!: Int8Array;
  i16!: Int16Array;
  code!: Int32Array;
  fetch!: Int32Array;
  index = 0;
  start = 0;
  left = 0;
  base = 0;
  page = 0;
  target = 0;

  private cache!: CodeCache;
  fpu!: Fpu;
  memory!: SlowMemory;
  space!: AddressSpace;
  /** Budget beyond `left`, in words of code. */
  private due = 0;
  /** Budget with which the run began, in words of code. */
  private total = 0;
  /** ram.codeEpoch for which `fetch` holds. */
  private epoch = -1;
  private entryPc = 0;
  private decoded!: Decoded;
  private gprView!: Int32Array;
  private fprView!: Uint32Array;

  constructor(ram: Ram) {
    this.ram = ram;
    this.afterLoad();
  }

  /** Build the caches; the registers in the control area are dead between runs. */
  afterLoad(): void {
    const { ram } = this;
    this.trap = new Trap();
    this.retired = this.floats = 0;
    this.i32 = ram.i32;
    this.u8 = ram.u8;
    this.u16 = ram.u16;
    this.i8 = ram.i8;
    this.i16 = ram.i16;
    this.gprView = ram.i32.subarray(0, 32);
    this.fprView = ram.u32.subarray(FPR, FPR + 32);
    this.cache = new CodeCache(ram);
    this.code = this.cache.pool;
    this.fetch = new Int32Array(2 * FETCH_ENTRIES).fill(TLB_EMPTY);
    this.fpu = new Fpu(ram);
    this.memory = new SlowMemory(this);
    this.index = this.start = this.left = this.base = this.page = this.target = 0;
    this.due = this.total = this.entryPc = 0;
    this.epoch = -1;
    this.decoded = { op: 0, a: 0, b: 0, c: 0, k: 0 };
  }

  /**
   * Execute until a trap, or until at least `budget` instructions are retired and a stop point is reached.
   * ctx.pc is then the next instruction; at a trap it is trap.epc, and the trapping instruction has neither
   * happened nor been counted (the branch before it in a delay slot is not counted either).
   */
  run(ctx: CpuContext, space: AddressSpace, budget: number): TrapKind {
    this.enter(ctx, space);
    this.left = 0;
    this.due = this.total = budget * WORDS;
    const kind = budget > 0 ? this.execute(ctx.pc | 0) : this.stopAt(ctx.pc | 0);
    this.leave(ctx, budget * WORDS - this.due - this.left);
    return kind;
  }

  /** Like run(), but stops after exactly `count` instructions, or one more so as not to part a branch from its delay slot. */
  runExact(ctx: CpuContext, space: AddressSpace, count: number): TrapKind {
    let done = 0;
    let floats = 0;
    let kind: TrapKind = TrapKind.budget;
    if (count > LONGEST_RUN) {
      kind = this.run(ctx, space, count - LONGEST_RUN);
      done = this.retired;
      floats = this.floats;
    }
    while (kind === TrapKind.budget && done < count) {
      kind = this.stepOnce(ctx, space);
      done += this.retired;
      floats += this.floats;
    }
    this.trap.kind = kind;
    this.retired = done;
    this.floats = floats;
    return kind;
  }

  /** A breakpoint at the very instruction a run begins with does not stop it. In a delay slot it never hits. */
  addBreakpoint(va: number): void {
    this.breakpoints.add(va >>> 0);
    this.dropCode();
  }

  removeBreakpoint(va: number): void {
    this.breakpoints.delete(va >>> 0);
    this.dropCode();
  }

  /**
   * Tell `watch` of the address and size of every store that user code makes, in whatever space; null ends it. The write TLB is
   * kept empty meanwhile, so that each store takes the slow path; nothing that programs can see changes.
   */
  watchStores(watch: ((va: number, size: number) => void) | null): void {
    this.memory.watch = watch;
    this.ram.storesWatched = watch !== null;
    flushWriteTlb(this.ram);
  }

  /** Index of the instruction a watcher was called from; one executed out of place as the delay slot of a branch stands behind that. */
  private watchedIndex(): number {
    const { index, code } = this;
    return this.inShadow(index) ? this.base + (code[index + WORDS] >>> 8) - WORDS : index;
  }

  /** For watchers: instructions the present run has done before the one at hand. */
  executed(): number {
    return (this.total - this.due - this.left + this.watchedIndex() - this.start) / WORDS;
  }

  /** For watchers: the address of the instruction at hand. */
  pc(): number {
    return this.pcOf(this.watchedIndex()) >>> 0;
  }

  private dropCode(): void {
    this.cache.dropAll();
    this.flushFetch();
  }

  private flushFetch(): void {
    this.fetch.fill(TLB_EMPTY);
    this.epoch = this.ram.codeEpoch;
  }

  private enter(ctx: CpuContext, space: AddressSpace): void {
    const { i32 } = this;
    this.space = space;
    space.activate();
    if (this.epoch !== this.ram.codeEpoch) this.flushFetch();
    this.gprView.set(ctx.gpr);
    this.fprView.set(ctx.fpr);
    i32[0] = 0;
    i32[HI] = ctx.hi;
    i32[LO] = ctx.lo;
    i32[FCSR] = ctx.fcsr;
    i32[USER_LOCAL] = ctx.userLocal;
    i32[LLBIT] = ctx.llbit;
    i32[LLADDR] = ctx.lladdr;
    this.fpu.begin();
    this.entryPc = ctx.pc | 0;
  }

  private leave(ctx: CpuContext, words: number): void {
    const { i32, ram } = this;
    ctx.gpr.set(this.gprView);
    ctx.fpr.set(this.fprView);
    ctx.hi = i32[HI];
    ctx.lo = i32[LO];
    ctx.fcsr = ram.u32[FCSR];
    ctx.userLocal = ram.u32[USER_LOCAL];
    ctx.llbit = i32[LLBIT];
    ctx.lladdr = ram.u32[LLADDR];
    ctx.pc = this.trap.epc;
    this.retired = words / WORDS;
    this.floats = this.fpu.executed;
  }

  /** The run loop: everything that interpret() leaves to be done. */
  private execute(pc: number): TrapKind {
    let kind = this.goTo(pc);
    while (kind < 0) {
      this.refill();
      switch (interpret(this)) {
        case Exit.budget: kind = this.spent() ? this.stopAt(this.pcOf(this.index)) : -1; break;
        case Exit.jump: kind = this.spent() ? this.stopAt(this.target) : this.goTo(this.target); break;
        case Exit.decode: kind = this.decode(); break;
        case Exit.slow: kind = this.slow(); break;
        default: kind = this.startBranch(this.index, this.code[this.index + 1]); break;
      }
    }
    return kind as TrapKind;
  }

  private refill(): void {
    if (this.left > 0 || this.due <= 0) return;
    const total = this.due + this.left;
    this.left = Math.min(total, SLICE_WORDS);
    this.due = total - this.left;
  }

  private spent(): boolean {
    return this.left + this.due <= 0;
  }

  private pcOf(index: number): number {
    return (this.page + (index - this.base) * (4 / WORDS)) | 0;
  }

  private stopAt(pc: number): TrapKind {
    this.trap.kind = TrapKind.budget;
    this.trap.epc = pc >>> 0;
    this.trap.inDelaySlot = false;
    return TrapKind.budget;
  }

  /** Continue at `pc`: -1, or the trap its fetch raised. */
  private goTo(pc: number): number {
    const slot = (pc >>> 11) & 0x1fe;
    const tag = pc & ~0xffc;
    if (this.fetch[slot] !== tag) {
      const kind = this.fetchPage(pc, slot);
      if (kind >= 0) return kind;
    }
    this.page = tag;
    this.base = this.fetch[slot + 1];
    this.index = this.start = this.base + (pc & 0xffc) / (4 / WORDS);
    return -1;
  }

  private fetchPage(pc: number, slot: number): number {
    if (pc < 0 || (pc & 3) !== 0) return this.badFetch(pc, pc, false, this.addressError(pc, Access.exec));
    const address = this.space.resolve(pc, Access.exec);
    if (address < 0) return this.badFetch(pc, pc, false, this.pageFault(pc, Access.exec, address));
    const { generation } = this.cache;
    const base = this.cache.page(this.ram.frameOf(address));
    this.code = this.cache.pool;
    if (generation !== this.cache.generation || this.epoch !== this.ram.codeEpoch) this.flushFetch();
    this.fetch[slot] = pc & ~0xfff;
    this.fetch[slot + 1] = base;
    return -1;
  }

  private badFetch(epc: number, next: number, inDelaySlot: boolean, kind: TrapKind): TrapKind {
    this.trap.epc = epc >>> 0;
    this.trap.nextPc = next >>> 0;
    this.trap.inDelaySlot = inDelaySlot;
    return kind;
  }

  /** At an undecoded instruction. */
  private decode(): number {
    const { cache, index, base } = this;
    if (!cache.hasRoom()) return this.makeRoom();
    if (this.breakpoints.size > 0 && this.breakpointAt((index - base) * (4 / WORDS))) cache.put(index, Op.breakpoint, 0, 0, 0, 0);
    else cache.decodeAt(index, base, cache.addressOf(base));
    return -1;
  }

  /** By offset in the page only: the same code may be mapped at several addresses. */
  private breakpointAt(offset: number): boolean {
    for (const va of this.breakpoints) if ((va & (PAGE - 1)) === offset) return true;
    return false;
  }

  private makeRoom(): number {
    const pc = this.pcOf(this.index);
    this.left -= this.index - this.start;
    this.cache.makeRoom();
    this.code = this.cache.pool;
    this.flushFetch();
    return this.goTo(pc);
  }

  /** The instruction at `index` changed code or translations: find the next one anew. */
  private afterStale(): number {
    if (this.epoch !== this.ram.codeEpoch) this.flushFetch();
    const { index, code } = this;
    if (!this.inShadow(index)) {
      this.left -= index + WORDS - this.start;
      return this.goTo(this.pcOf(index + WORDS));
    }
    const end = index + WORDS;
    if ((code[end] & 0xff) === Op.stop) return this.stepped(end);
    const next = this.endTarget(end);
    this.left -= this.base + (code[end] >>> 8) - this.start;
    return this.spent() ? this.stopAt(next) : this.goTo(next);
  }

  private inShadow(index: number): boolean {
    return index < this.base || index >= this.base + PAGE_WORDS;
  }

  /** Where the end operation of a shadow leads. */
  private endTarget(end: number): number {
    const { code } = this;
    switch (code[end] & 0xff) {
      case Op.endNear: return this.pcOf(code[end + 1]);
      case Op.endFar: return (this.page + code[end + 1]) | 0;
    }
    return this.target;
  }

  /** Fill in where the trap that slow() described happened. */
  private trapped(): TrapKind {
    const { code, trap, index } = this;
    let at = index;
    trap.inDelaySlot = false;
    if (this.inShadow(index)) {
      const end = index + WORDS;
      at = this.base + (code[end] >>> 8) - 2 * WORDS;
      trap.inDelaySlot = (code[end] & 0xff) !== Op.stop;
      trap.nextPc = (trap.inDelaySlot ? this.endTarget(end) : this.target) >>> 0;
    } else if (index > this.start && branchKind(this.wordAt(index - WORDS)) !== BranchKind.none) {
      // Reached in line behind a branch that was not taken.
      at = index - WORDS;
      trap.inDelaySlot = true;
      trap.nextPc = this.pcOf(index + WORDS) >>> 0;
    } else {
      trap.nextPc = this.pcOf(index + WORDS) >>> 0;
    }
    this.left -= at - this.start;
    trap.epc = this.pcOf(at) >>> 0;
    return trap.kind;
  }

  private wordAt(index: number): number {
    return this.i32[(this.cache.addressOf(this.base) >> 2) + (index - this.base) / WORDS];
  }

  /** Decide a branch and go on in its delay slot, which is executed out of place. */
  private startBranch(index: number, word: number): number {
    const pc = this.pcOf(index);
    const taken = this.decide(word, pc);
    if (!taken) {
      this.target = (pc + 8) | 0;
      if (isLikely(word)) {
        this.left -= index + WORDS - this.start;
        return this.spent() ? this.stopAt(this.target) : this.goTo(this.target);
      }
    }
    const slot = (pc + 4) | 0;
    const address = slot < 0 ? -1 : this.space.resolve(slot, Access.exec);
    if (address < 0) {
      this.left -= index - this.start;
      return this.badFetch(pc, this.target, true, slot < 0 ? this.addressError(slot, Access.exec) : this.pageFault(slot, Access.exec, address));
    }
    this.index = this.cache.putScratchSlot(index - this.base, this.i32[address >> 2]);
    return -1;
  }

  /** Is the branch taken? Sets the link register and, if taken, `target`. */
  private decide(word: number, pc: number): boolean {
    const { i32, decoded } = this;
    decodeBranch(word, decoded);
    const { op, a, b } = decoded;
    const kind = branchKind(word);
    if (kind === BranchKind.register) this.target = i32[b];
    else if (kind === BranchKind.region) this.target = ((pc + 4) & 0xf000_0000) | ((word & 0x03ff_ffff) << 2);
    const taken = kind === BranchKind.conditional ? holds(op, i32[a], i32[b], i32[FCSR] & (1 << b)) : true;
    if (kind === BranchKind.conditional && taken) this.target = (pc + branchOffset(word)) | 0;
    if (op === Op.jalr) i32[a] = pc + 8;
    else if (op === Op.jal || (op >= Op.bltzal && op <= Op.bgezall)) i32[31] = pc + 8;
    return taken;
  }

  /** Execute one instruction, or a branch with its delay slot. */
  private stepOnce(ctx: CpuContext, space: AddressSpace): TrapKind {
    this.enter(ctx, space);
    this.left = this.total = WORDS;
    this.due = 0;
    let kind = this.goTo(ctx.pc | 0);
    if (kind < 0) kind = this.finishStep();
    this.leave(ctx, WORDS - this.left);
    return kind as TrapKind;
  }

  private finishStep(): number {
    let kind = this.startStep();
    while (kind < 0) {
      switch (interpret(this)) {
        case Exit.budget: kind = this.stopAt(this.pcOf(this.index)); break;
        case Exit.jump: kind = this.stopAt(this.target); break;
        default: kind = (this.code[this.index] & 0xff) === Op.stop ? this.stepped(this.index) : this.slow(); break;
      }
    }
    return kind;
  }

  private startStep(): number {
    const { index } = this;
    const word = this.wordAt(index);
    if (branchKind(word) !== BranchKind.none) return this.startBranch(index, word);
    this.target = this.pcOf(index + WORDS);
    this.index = this.cache.putScratchStep(index - this.base, word);
    return -1;
  }

  /** The instruction before a `stop` is done. */
  private stepped(end: number): TrapKind {
    this.left -= this.base + (this.code[end] >>> 8) - WORDS - this.start;
    return this.stopAt(this.target);
  }

  /** Execute the instruction under a breakpoint operation that is not meant, then go on. */
  private stepOver(): number {
    const { left, due } = this;
    this.left = WORDS;
    this.due = 0;
    const kind = this.finishStep();
    this.left += left - WORDS;
    this.due = due;
    return kind === TrapKind.budget ? this.goTo(this.trap.epc | 0) : kind;
  }

  /**
   * Execute the instruction at `index` in full generality: a memory access the TLB did not serve, or a rare
   * operation. Answers -1, or the trap it ends with.
   */
  private slow(): number {
    const answer = rare(this, this.index);
    if (answer === Slow.trap) return this.trapped();
    if (answer === Slow.step) return this.stepOver();
    if (this.epoch !== this.ram.codeEpoch) return this.afterStale();
    this.index += WORDS;
    return -1;
  }

  /** Does the breakpoint operation at index i stop this run? */
  breakpointHits(i: number): boolean {
    const pc = this.pcOf(i);
    if (pc === this.entryPc && this.left + this.due - (i - this.start) >= this.total) return false;
    return this.breakpoints.has(pc >>> 0);
  }

  /** `rdhwr CC`: the cycle counter, which a 24K increments every second cycle. */
  cycleCounter(i: number): number {
    const words = this.total - this.due - this.left + (this.inShadow(i) ? 0 : i - this.start);
    return Math.floor((this.cycleBase + (words / WORDS) * this.cyclesPerInstruction) / 2) | 0;
  }

  raise(kind: TrapKind, signo: number, sigcode: number, badVaddr = 0, code = 0): number {
    const { trap } = this;
    trap.kind = kind;
    trap.signo = signo;
    trap.sigcode = sigcode;
    trap.badVaddr = badVaddr >>> 0;
    trap.code = code;
    trap.access = 0;
    trap.fault = 0;
    return Slow.trap;
  }

  addressError(va: number, access: number): TrapKind {
    this.raise(TrapKind.exception, Signo.BUS, SigCode.BUS_ADRERR, va);
    this.trap.access = access;
    return TrapKind.exception;
  }

  pageFault(va: number, access: number, fault: number): TrapKind {
    const bus = fault === Fault.bus;
    const code = bus ? SigCode.BUS_ADRERR : fault === Fault.accerr ? SigCode.SEGV_ACCERR : SigCode.SEGV_MAPERR;
    this.raise(TrapKind.fault, bus ? Signo.BUS : Signo.SEGV, code, va);
    this.trap.access = access;
    this.trap.fault = fault;
    return TrapKind.fault;
  }
}
snapshotClass('Cpu', Cpu);

function isLikely(word: number): boolean {
  const opcode = word >>> 26;
  return opcode >= 20 || (opcode === 1 && (word & (2 << 16)) !== 0) || (opcode === 17 && (word & (2 << 16)) !== 0);
}

/** The condition of a conditional branch. */
function holds(op: number, x: number, y: number, flag: number): boolean {
  switch (op) {
    case Op.beq: case Op.beql: return x === y;
    case Op.bne: case Op.bnel: return x !== y;
    case Op.blez: case Op.blezl: return x <= 0;
    case Op.bgtz: case Op.bgtzl: return x > 0;
    case Op.bltz: case Op.bltzl: case Op.bltzal: case Op.bltzall: return x < 0;
    case Op.bgez: case Op.bgezl: case Op.bgezal: case Op.bgezall: return x >= 0;
    case Op.bc1f: case Op.bc1fl: return flag === 0;
  }
  return flag !== 0;
}

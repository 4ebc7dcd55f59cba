import { hex, snapshotClass, type EventTarget, type Random } from '../../emulator/base/index.js';
import { forceSignal, Signal, type Injection, type Kernel, type Process, type Thread } from '../../emulator/kernel/index.js';
import type { AddressSpace, Region } from '../../emulator/memory/index.js';
import { registerNumber } from '../registers.js';
import { locationText } from '../verdict/location.js';
import type { FaultPlan } from './fault-plan.js';

/** A fault that struck. */
export interface Strike {
  /** From 1, over all faults of the scenario. */
  number: number;
  /** Cycles. */
  t: number;
  pid: number;
  pc: number;
  /** What was done, and where. */
  words: string;
}

/** One fault of the scenario, waiting for its moment. */
interface Pending {
  plan: FaultPlan;
  armed: boolean;
  /** The process it is looked for in; another one begins anew. */
  pid: number;
  /** Input the process had read when it was first seen; what comes after is a client's. */
  consumed: number;
  /** Instructions the thread had retired when counting began; -1: it has not. */
  since: number;
  hits: number;
  /** Instructions retired at the last hit: asked twice at one instruction, it is one hit. */
  lastHit: number;
  /** The place as an address of the process; 0: not known (yet). */
  va: number;
}

const MAPERR = 1;
const STACK_POINTER = 29;
const WORD_BITS = 32;


/**
 * Memory faults at chosen instructions of daemons: what a flaw, a cosmic ray or a bad RAM chip would do, without an attacker. Plain data of the
 * machine: a saved simulation keeps its pending faults, and how the run is cut into slices moves none of them.
 *
 *   waiting --time--> armed --the process reads a client's input--> counting --instruction or address reached--> strikes
 */
export class FaultInjector implements Injection, EventTarget {
  readonly strikes: Strike[] = [];
  /** When the first one is armed, in cycles. */
  readonly begin: number;
  private readonly kernel: Kernel;
  private readonly random: Random;
  private readonly faults: Pending[];

  constructor(kernel: Kernel, random: Random, plans: readonly FaultPlan[], start: number) {
    this.kernel = kernel;
    this.random = random;
    this.faults = plans.map((plan) => ({ plan, armed: false, pid: 0, consumed: 0, since: -1, hits: 0, lastHit: -1, va: 0 }));
    const { clock, events } = kernel;
    this.begin = start + Math.min(...plans.map((plan) => clock.toCycles(plan.start)));
    plans.forEach((plan, index) => {
      for (let i = 0; i < plan.count; i++) events.at(start + clock.toCycles(plan.start + i * plan.every), this, 'arm', index);
    });
  }

  /** One that is still pending stays as it is. */
  onEvent(_kind: string, argument: unknown): void {
    const fault = this.faults[argument as number];
    if (!fault.armed) Object.assign(fault, { armed: true, pid: 0 });
  }

  before(thread: Thread): number {
    let limit = Infinity;
    for (const fault of this.faults) {
      if (!fault.armed || !this.concerns(fault, thread) || !this.counts(fault, thread)) continue;
      const left = this.left(fault, thread);
      if (left > 0) limit = Math.min(limit, left);
      else this.strike(fault, thread);
    }
    return thread.hasSignal() ? 0 : limit;
  }

  owns(pc: number): boolean {
    return this.faults.some(({ armed, va }) => armed && va === pc >>> 0);
  }

  /** The daemon itself, as init started it; what it forked is not struck. */
  private concerns({ plan }: Pending, { process, tid }: Thread): boolean {
    return process.comm === plan.comm && process.parent === this.kernel.init && tid === process.pid;
  }

  /** Has counting begun? */
  private counts(fault: Pending, thread: Thread): boolean {
    const { process } = thread;
    if (fault.pid !== process.pid) Object.assign(fault, { pid: process.pid, consumed: process.fds.consumed, since: -1, hits: 0, lastHit: -1, va: 0 });
    if (fault.since >= 0) return true;
    if (fault.plan.from === 'input' && process.fds.consumed === fault.consumed) return false;
    fault.since = thread.retired;
    return true;
  }

  /** Instructions to go; Infinity while an address has not been reached often enough. */
  private left(fault: Pending, thread: Thread): number {
    const { place } = fault.plan;
    if ('instruction' in place) return fault.since + place.instruction - thread.retired;
    if (fault.va === 0) fault.va = this.addressOf(place, thread.process);
    if (fault.va === 0) return Infinity;
    const { cpu } = this.kernel;
    // Breakpoints are the processor's, which is made anew when a machine is loaded.
    if (!cpu.breakpoints.has(fault.va)) cpu.addBreakpoint(fault.va);
    if (thread.ctx.pc >>> 0 !== fault.va || thread.retired === fault.lastHit) return Infinity;
    fault.lastHit = thread.retired;
    fault.hits++;
    return fault.hits >= place.hit ? 0 : Infinity;
  }

  /** Where the file is mapped; 0 while it is not. */
  private addressOf({ address, object }: { address: number; object: string | null }, process: Process): number {
    const first = process.space.regions.find(({ name }) => (object === null ? name === process.exe : name.endsWith(`/${object}`)));
    if (!first) return 0;
    const base = first.pageOffset === 0 && first.start > address ? first.start : 0;
    return (base + address) >>> 0;
  }

  private strike(fault: Pending, thread: Thread): void {
    const { clock, log, cpu } = this.kernel;
    const { process, ctx } = thread;
    const pc = ctx.pc >>> 0;
    fault.armed = false;
    if (fault.va !== 0 && !this.owns(fault.va)) cpu.removeBreakpoint(fault.va);
    const done = this.apply(fault.plan, thread);
    const words = `${done} at ${locationText(process.space, pc)}`;
    const number = this.strikes.length + 1;
    this.strikes.push({ number, t: clock.cycles, pid: process.pid, pc, words });
    log.add('fault.inject', { number, pid: process.pid, comm: process.comm, pc, words });
  }

  /** What was done, in words. */
  private apply({ what }: FaultPlan, thread: Thread): string {
    const { gpr } = thread.ctx;
    if ('wild' in what) {
      const number = registerNumber(what.wild.register);
      const was = gpr[number];
      gpr[number] = what.wild.value | 0;
      return `register ${what.wild.register} was ${hex(was)} and became ${hex(what.wild.value)}`;
    }
    if ('access' in what) {
      forceSignal(thread, { signo: Signal.SEGV, code: MAPERR, addr: what.access, badVaddr: what.access });
      return `an access of ${hex(what.access)}, where nothing is mapped,`;
    }
    if ('in' in what.flip) return this.flip(thread.process.space, this.wordIn(what.flip.in, thread), this.random.below(WORD_BITS));
    return this.flip(thread.process.space, (gpr[registerNumber(what.flip.register)] + what.flip.offset) & ~3, what.flip.bit);
  }

  private flip(space: AddressSpace, address: number, bit: number): string {
    const words = space.peekWords(address >>> 0, 1);
    const written = words instanceof Int32Array ? space.writeWords(address >>> 0, [words[0] ^ (1 << bit)]) : -1;
    return `bit ${bit} of the word ${locationText(space, address >>> 0)} ${written < 0 ? 'could not be flipped' : 'flipped'}`;
  }

  /** Any word of the part of its memory, all alike. */
  private wordIn(part: 'stack' | 'heap' | 'data', { process, ctx }: Thread): number {
    const start = (region: Region): number => (part === 'stack' ? Math.max(region.start, ctx.gpr[STACK_POINTER] >>> 0) & ~3 : region.start);
    const regions = process.space.regions.filter((region) => isPart(part, region, process.exe));
    let word = this.random.below(Math.max(1, regions.reduce((sum, region) => sum + (region.end - start(region)) / 4, 0)));
    for (const region of regions) {
      const size = (region.end - start(region)) / 4;
      if (word < size) return start(region) + 4 * word;
      word -= size;
    }
    return 0;
  }
}
snapshotClass('FaultInjector', FaultInjector);

const PROT_WRITE = 2;

function isPart(part: 'stack' | 'heap' | 'data', { name, prot, shared }: Region, exe: string): boolean {
  if (shared || (prot & PROT_WRITE) === 0) return false;
  return part === 'data' ? name === exe : name === `[${part}]`;
}

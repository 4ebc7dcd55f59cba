import type { Thread } from '../../emulator/kernel/index.js';
import type { ArmName } from '../arms.js';
import { FAULT_SIGNALS } from '../../emulator/router/lifecycle/lifecycle.js';
import type { Scenario } from '../scenario.js';
import type { CorruptionSpec } from '../schema.js';
import { Simulation, type SimulationOptions } from '../simulation.js';
import { debugProgram, Symbols } from './symbols.js';
import { whileWatchingSignals } from './fault-watch.js';

const PAGE = 4096;
const SP = 29;
const RA = 31;
const ARGUMENTS = { a0: 4, a1: 5, a2: 6, a3: 7 } as const;
const PROGRESS_STEPS = 200;

export interface BadStore {
  pc: number;
  at: string;
  address: number;
  size: number;
  /** Bytes behind the end of the object that it reaches. */
  beyond: number;
  seconds: number;
  /** Calls of the function that were watched until this one. */
  calls: number;
}

export interface Signalled {
  signal: number;
  pc: number;
  at: string;
  ra: string;
  seconds: number;
}

/** From the first bad store to the first signal of a fault, as the daemon's own thread counts. */
export interface Distance {
  arm: ArmName;
  first: BadStore | null;
  signal: Signalled | null;
  /** Instructions begun after the first bad store, up to the one that raised the signal, or to the end of the run without one. */
  instructions: number;
  /** Bytes of all the daemon's stores in between, the first bad one among them, and pages they fell on. */
  storedBytes: number;
  pages: number;
  microseconds: number;
  /** Freezes in between: checkpoints that hold the corruption. */
  freezes: number;
}

export interface DistanceOptions extends SimulationOptions {
  onProgress?: (share: number) => void;
}

/** Runs the scenario under `arm` and watches the daemon's stores from its bug's site on until a signal comes. */
export function corruptionDistance(scenario: Scenario, site: CorruptionSpec, arm: ArmName, options: DistanceOptions): Distance {
  const daemon = scenario.daemons.find(({ name }) => name === site.daemon);
  const symbols = new Symbols(debugProgram(daemon?.program ?? site.daemon));
  const simulation = Simulation.create(scenario, arm, options);
  const watch = new Watch(simulation, site, symbols);
  whileWatchingSignals((thread, { signo }) => watch.onSignal(thread, signo), () => {
    for (let step = 1; step <= PROGRESS_STEPS && !watch.done; step++) {
      watch.run(simulation.start + ((simulation.end - simulation.start) * step) / PROGRESS_STEPS);
      options.onProgress?.(simulation.progress);
    }
  });
  return watch.result(arm);
}

interface Call {
  thread: Thread;
  sp: number;
  ra: number;
  start: number;
  end: number;
  /** Stores behind the end count. */
  armed: boolean;
}

class Watch {
  private readonly simulation: Simulation;
  private readonly site: CorruptionSpec;
  private readonly symbols: Symbols;
  private readonly entry: number;
  private call: Call | null = null;
  private calls = 0;
  private first: BadStore | null = null;
  private culprit: Thread | null = null;
  private firstAt = { instruction: 0, cycles: 0, entries: 0 };
  private storedBytes = 0;
  private readonly pages = new Set<number>();
  private signalled: (Signalled & { instruction: number; cycles: number }) | null = null;

  constructor(simulation: Simulation, site: CorruptionSpec, symbols: Symbols) {
    this.simulation = simulation;
    this.site = site;
    this.symbols = symbols;
    this.entry = symbols.find(site.function).value;
    this.kernel.cpu.addBreakpoint(this.entry);
  }

  private get kernel(): Simulation['router']['kernel'] {
    return this.simulation.router.kernel;
  }

  get done(): boolean {
    return this.signalled !== null;
  }

  run(until: number): void {
    while (!this.done) {
      const { reason, thread } = this.simulation.router.run(until);
      if (reason !== 'breakpoint' || !thread) return;
      this.onBreakpoint(thread);
    }
  }

  private onBreakpoint(thread: Thread): void {
    const { pc, gpr } = thread.ctx;
    if (this.first) return this.dropBreakpoints();
    if (this.call && thread === this.call.thread && pc === this.call.ra && gpr[SP] >>> 0 >= this.call.sp) this.leave();
    if (!this.call && pc === this.entry && thread.process === this.simulation.daemonProcess()) this.enter(thread);
  }

  private enter(thread: Thread): void {
    const { when } = this.site;
    const { gpr } = thread.ctx;
    if (when && gpr[ARGUMENTS[when.register]] >>> 0 <= when.above) return;
    const start = this.objectStart(gpr);
    this.call = { thread, sp: gpr[SP] >>> 0, ra: gpr[RA] >>> 0, start, end: start + this.site.range.length, armed: !('stack' in this.site.range) };
    this.calls++;
    this.kernel.cpu.addBreakpoint(this.call.ra);
    this.kernel.cpu.watchStores((address, size) => this.onStore(address, size));
  }

  private objectStart(gpr: Int32Array): number {
    const { range } = this.site;
    if ('stack' in range) return (gpr[SP] + range.stack) >>> 0;
    if ('register' in range) return (gpr[ARGUMENTS[range.register]] + range.offset) >>> 0;
    return (this.symbols.find(range.symbol).value + range.offset) >>> 0;
  }

  /** What is bad has begun; from here on only stores are watched, whatever returns. */
  private dropBreakpoints(): void {
    const { cpu } = this.kernel;
    for (const address of cpu.breakpoints) cpu.removeBreakpoint(address);
  }

  /** The function returned and had done nothing bad. */
  private leave(): void {
    const { cpu } = this.kernel;
    cpu.watchStores(null);
    if (this.call && this.call.ra !== this.entry) cpu.removeBreakpoint(this.call.ra);
    this.call = null;
  }

  private onStore(address: number, size: number): void {
    const thread = this.kernel.scheduler.last;
    if (this.first) {
      if (thread === this.culprit) this.count(address, size);
      return;
    }
    const { call } = this;
    if (!call || thread !== call.thread) return;
    if (address < call.end && address + size > call.start) call.armed = true;
    if (call.armed && address + size > call.end && address < call.end + this.site.reach) this.begin(call, address, size);
  }

  private begin(call: Call, address: number, size: number): void {
    const { cpu, clock, log } = this.kernel;
    const { thread } = call;
    const pc = cpu.pc();
    this.culprit = thread;
    this.first = { pc, at: this.symbols.describe(pc), address, size, beyond: address + size - call.end, seconds: this.seconds(clock.cycles), calls: this.calls };
    this.firstAt = { instruction: thread.retired + cpu.executed(), cycles: clock.cycles + cpu.executed() * this.kernel.cpi, entries: log.length };
    this.count(address, size);
  }

  private count(address: number, size: number): void {
    this.storedBytes += size;
    this.pages.add(Math.floor(address / PAGE)).add(Math.floor((address + size - 1) / PAGE));
  }

  onSignal(thread: Thread, signal: number): void {
    if (thread !== this.culprit || this.done || !FAULT_SIGNALS.has(signal)) return;
    const { clock, cpu } = this.kernel;
    const { pc, gpr } = thread.ctx;
    this.signalled = {
      signal, pc, at: this.symbols.describe(pc), ra: this.symbols.describe(gpr[RA] >>> 0), seconds: this.seconds(clock.cycles),
      instruction: thread.retired, cycles: clock.cycles,
    };
    cpu.watchStores(null);
    this.kernel.stop();
  }

  private seconds(cycles: number): number {
    return (cycles - this.simulation.start) / this.kernel.clock.hz;
  }

  result(arm: ArmName): Distance {
    const { first, signalled, culprit, kernel } = this;
    kernel.cpu.watchStores(null);
    const until = signalled ?? { instruction: culprit?.retired ?? 0, cycles: kernel.clock.cycles };
    const between = kernel.log.since(this.firstAt.entries).filter((entry) => entry.what === 'checkpoint.freeze' && entry.pid === culprit?.process.pid);
    return {
      arm, first,
      signal: signalled && { signal: signalled.signal, pc: signalled.pc, at: signalled.at, ra: signalled.ra, seconds: signalled.seconds },
      instructions: first ? until.instruction - this.firstAt.instruction : 0,
      storedBytes: this.storedBytes, pages: this.pages.size,
      microseconds: first ? ((until.cycles - this.firstAt.cycles) / kernel.clock.hz) * 1e6 : 0,
      freezes: first ? between.length : 0,
    };
  }
}

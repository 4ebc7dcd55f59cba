import { Invariant, type TimedEvent } from '../base/index.js';
import { TrapKind, type Trap } from '../cpu/trap.js';
import { Fault } from '../memory/address-space.js';
import { enterSyscall, resumeCall } from './dispatch.js';
import type { Kernel, RunResult } from './kernel.js';
import { outOfMemory } from './oom.js';
import { deliverSignals, forceSignal, type SigInfo } from './signals.js';
import { SI, Signal } from './signal-numbers.js';
import type { Thread } from './thread.js';

/**
 * The machine's main loop: fire what is due, pick a thread, let it run to its next trap or to the end of its budget.
 *
 * Determinism: a budget is the instructions left in the quantum or up to the next deadline, whichever is less, and ends at an
 * architectural branch. Stopping in between for the caller (`until`, the host slice, `stopAt`) changes no later stop, since
 * all limits are absolute. Kernel work done while the processor runs (pages brought in, the FPU emulated) goes on the clock at the
 * next stop that is not the caller's: budgets are made from the clock, so it must not depend on where they were cut.
 */
export function runMachine(kernel: Kernel, until: number, stopAt: number): RunResult {
  const { clock, events, scheduler } = kernel;
  kernel.stopRequested = false;
  for (;;) {
    fireDue(kernel, until);
    if (kernel.halted) return { reason: 'halted' };
    if (kernel.stopRequested || kernel.retired >= stopAt) return { reason: 'stopped' };
    if (clock.cycles >= until) return { reason: 'time' };
    const thread = scheduler.pick();
    if (!thread) {
      const next = events.nextTime();
      if (next === Infinity) return { reason: 'idle' };
      clock.cycles = Math.max(clock.cycles, Math.min(next, until));
      continue;
    }
    if (step(kernel, thread, until, stopAt)) return { reason: 'breakpoint', thread };
  }
}

/** A flood makes a row of events that each end after the next is due, so the caller's `until` holds inside it as well. */
function fireDue(kernel: Kernel, until: number): void {
  const { clock, events } = kernel;
  const due = (): TimedEvent | null => events.popDue(Math.min(clock.cycles, until));
  for (let event = due(); event; event = kernel.stopRequested ? null : due()) event.target.onEvent(event.kind, event.argument);
}

/** One slice of one thread; true if it met a breakpoint. */
function step(kernel: Kernel, thread: Thread, until: number, stopAt: number): boolean {
  switchTo(kernel, thread);
  const before = kernel.clock.cycles;
  const faults = kernel.ledger.get('fault.page');
  let user = 0;
  let atBreakpoint = false;
  if (thread.blocked) resumeCall(kernel, thread);
  else if (thread.hasSignal()) deliverSignals(thread);
  else {
    const limit = kernel.injection?.before(thread) ?? Infinity;
    if (limit <= 0) return false;
    const kind = execute(kernel, thread, Math.min(until, kernel.clock.cycles + limit * kernel.cpi), stopAt);
    user = kernel.cpu.retired * kernel.cpi;
    atBreakpoint = kind === TrapKind.breakpoint && kernel.injection?.owns(thread.ctx.pc) !== true;
    if (kind === TrapKind.syscall) user += systemCall(kernel, thread);
    else if (kind === TrapKind.fault || kind === TrapKind.exception) raise(kernel, thread);
  }
  const { usage, itimers } = thread.process;
  const system = kernel.clock.cycles - before - user;
  usage.user += user;
  usage.system += system;
  usage.minorFaults += kernel.ledger.get('fault.page') - faults;
  if (itimers.counting) itimers.charge(user, system);
  return atBreakpoint;
}

function switchTo(kernel: Kernel, thread: Thread): void {
  const { scheduler } = kernel;
  if (scheduler.last === thread) return;
  scheduler.last = thread;
  thread.ctx.llbit = 0;
  kernel.meter.charge('context.switch');
}

function execute(kernel: Kernel, thread: Thread, until: number, stopAt: number): number {
  const { cpu, clock, cpi, scheduler } = kernel;
  const { space, itimers } = thread.process;
  space.activate();
  const deadline = Math.min(kernel.events.nextTime(), until, itimers.counting ? clock.cycles + itimers.nextCounted() : Infinity);
  const budget = Math.max(1, Math.min(scheduler.quantumLeft, Math.ceil((deadline - clock.cycles) / cpi)));
  const left = stopAt - kernel.retired;
  cpu.cycleBase = clock.cycles;
  cpu.cyclesPerInstruction = cpi;
  kernel.meter.holding = true;
  // Exactly at the budget the slice ends at a branch anyway, where it must end however it was reached.
  const kind = left < budget && left <= kernel.options.hostSlice
    ? cpu.runExact(thread.ctx, space, left)
    : cpu.run(thread.ctx, space, Math.min(budget, kernel.options.hostSlice));
  if (cpu.floats > 0) kernel.meter.charge('fp.instruction', cpu.floats);
  kernel.meter.holding = false;
  retire(kernel, thread, cpu.retired);
  const trapped = kind !== TrapKind.budget && kind !== TrapKind.breakpoint;
  if (trapped || scheduler.quantumLeft <= 0 || clock.cycles >= kernel.events.nextTime()) kernel.meter.settle();
  return kind;
}

function retire(kernel: Kernel, thread: Thread, instructions: number): void {
  kernel.retired += instructions;
  thread.retired += instructions;
  kernel.scheduler.quantumLeft -= instructions;
  kernel.clock.cycles += instructions * kernel.cpi;
}

/** The `syscall` instruction itself counts as one. Returns its cycles. */
function systemCall(kernel: Kernel, thread: Thread): number {
  retire(kernel, thread, 1);
  enterSyscall(kernel, thread, kernel.cpu.trap.nextPc);
  return kernel.cpi;
}

/** An exception of the processor becomes a signal, or a search for memory. */
function raise(kernel: Kernel, thread: Thread): void {
  const { trap } = kernel.cpu;
  thread.ctx.llbit = 0;
  if (trap.fault === Fault.oom) {
    outOfMemory(kernel, thread);
    return;
  }
  if (trap.signo === 0) throw new Invariant(`trap of kind ${trap.kind} without a signal at ${trap.epc.toString(16)}`);
  forceSignal(thread, faultInfo(trap));
}

/**
 * siginfo as arch/mips raises it: page faults and FP or integer traps carry a code and an address; address errors
 * (do_ade) and illegal instructions (do_ri) are sent by force_sig(), without either. The log keeps the address.
 */
function faultInfo(trap: Trap): SigInfo {
  const { signo, sigcode } = trap;
  const plain = trap.kind === TrapKind.exception && (signo === Signal.BUS || signo === Signal.ILL);
  if (plain || sigcode === SI.KERNEL) return { signo, code: SI.KERNEL, badVaddr: trap.badVaddr };
  const aboutAddress = signo === Signal.SEGV || signo === Signal.BUS;
  return { signo, code: sigcode, addr: aboutAddress ? trap.badVaddr : trap.epc + (trap.inDelaySlot ? 4 : 0), badVaddr: trap.badVaddr };
}

import { processCore } from '../../emulator/checkpoint/index.js';
import { coreSignal } from '../../emulator/checkpoint/export.js';
import { Signal, type Kernel, type Process, type SigInfo, type Thread } from '../../emulator/kernel/index.js';
import { InetSocket } from '../../emulator/kernel/inet-socket.js';
import type { AddressSpace } from '../../emulator/memory/index.js';
import type { Datagram } from '../../emulator/net/index.js';
import { FAULT_SIGNALS } from '../../emulator/router/lifecycle/lifecycle.js';
import { observing, type Observer } from '../observer.js';
import { backtrace, type Backtrace } from './backtrace.js';
import { locate } from './location.js';
import type { Place, Symboliser } from './symboliser.js';

/** A fault as it was seen, before anybody asked where its input came from. */
export interface SeenFault {
  daemon: string;
  pid: number;
  /** 0: no signal, the process hangs. */
  signal: number;
  /** The address the processor reported. */
  address: number;
  /** Cycles. */
  t: number;
  pc: Place;
  /** The register $ra: where the innermost call returns to, unless the function has called another meanwhile. */
  ra: Place;
  trace: Backtrace;
  /** The datagram the process took last before, or null. */
  input: Datagram | null;
}

interface Taken {
  datagram: Datagram;
  t: number;
  /** Time the process had used, in cycles. */
  used: number;
}

/** Faults kept of one arm; more are counted by the metrics, but shown nowhere. */
export const MAX_FAULTS = 200;
/** Nothing is taken for hanging before it has ignored its input, or spun on it, this long. */
const HANG_NS = 2e9;
const SPIN_SHARE = 0.9;
const STACK_POINTER = 29;
const RETURN_ADDRESS = 31;

const used = (process: Process): number => process.usage.user + process.usage.system;

/**
 * Writes down every fault of the programs under test with registers, backtrace and the input taken last, and keeps an ELF core of the
 * first one, made before the fault is handled. A watchdog's alarm is a fault only if the program answers it with a thaw.
 */
export class FaultRecorder implements Observer {
  readonly faults: SeenFault[] = [];
  /** Core of the first fault. */
  core: Uint8Array | null = null;
  private alarm: { fault: SeenFault; core: Uint8Array | null } | null = null;
  private readonly taken = new Map<number, Taken>();
  /** Name of a program's process (comm) -> its symbols. */
  private readonly programs: ReadonlyMap<string, Symboliser>;

  constructor(programs: ReadonlyMap<string, Symboliser>) {
    this.programs = programs;
  }

  during<T>(work: () => T): T {
    return observing(this, work);
  }

  onReceive(thread: Thread, datagram: Datagram): void {
    const { process } = thread;
    if (this.programs.has(process.comm)) this.taken.set(process.pid, { datagram, t: process.kernel.clock.cycles, used: used(process) });
  }

  onSignal(thread: Thread, info: SigInfo): void {
    const { process } = thread;
    if (!this.programs.has(process.comm)) return;
    if (info.signo === Signal.ALRM) this.onAlarm(thread, info);
    else if (FAULT_SIGNALS.has(info.signo)) this.add(this.see(thread, info.signo, info.badVaddr ?? info.addr ?? 0), () => processCore(process.kernel, thread, coreSignal(info)));
  }

  private add(fault: SeenFault, core: () => Uint8Array | null): void {
    this.core ??= core();
    if (this.faults.length < MAX_FAULTS) this.faults.push(fault);
  }

  /** Only an alarm that finds the program at work may be a watchdog's. */
  private onAlarm(thread: Thread, info: SigInfo): void {
    const { kernel } = thread.process;
    this.settleAlarm(kernel);
    if (thread.blocked) return;
    this.alarm = { fault: this.see(thread, info.signo, 0), core: this.core ? null : processCore(kernel, thread, coreSignal(info)) };
  }

  private settleAlarm(kernel: Kernel): void {
    const { alarm } = this;
    this.alarm = null;
    if (!alarm) return;
    const entries = kernel.log.since();
    for (let i = entries.length - 1; i >= 0 && entries[i].t >= alarm.fault.t; i--) {
      const { what, pid, signo } = entries[i];
      if (what === 'checkpoint.thaw' && Number(pid) === alarm.fault.pid && Number(signo) === Signal.ALRM) return this.add(alarm.fault, () => alarm.core);
    }
  }

  private see(thread: Thread, signal: number, address: number): SeenFault {
    const { process, ctx } = thread;
    const code = this.programs.get(process.comm) as Symboliser;
    const word = (at: number): number | null => {
      const words = at % 4 === 0 ? process.space.peekWords(at >>> 0, 1) : null;
      return words instanceof Int32Array ? words[0] : null;
    };
    const [pc, ra] = [ctx.pc >>> 0, ctx.gpr[RETURN_ADDRESS] >>> 0];
    return {
      daemon: process.comm, pid: process.pid, signal, address: address >>> 0, t: process.kernel.clock.cycles,
      pc: inObject(process.space, code.place(pc)), ra: inObject(process.space, code.returnPlace(ra)),
      trace: backtrace(code, { pc, ra, sp: ctx.gpr[STACK_POINTER], word }),
      input: this.taken.get(process.pid)?.datagram ?? null,
    };
  }

  /** To be called at the end of a run: alarms that are still open, and processes that hang. */
  finish(kernel: Kernel): void {
    this.settleAlarm(kernel);
    for (const process of kernel.processes.values()) {
      const thread = process.leader;
      if (!thread || process.state !== 'alive' || !this.programs.has(process.comm) || !this.hangs(process, thread)) continue;
      this.add(this.see(thread, 0, 0), () => processCore(kernel, thread));
    }
  }

  /** Input has waited too long in its sockets, or it has been computing ever since the last one. */
  private hangs(process: Process, thread: Thread): boolean {
    const { clock } = process.kernel;
    const longAgo = clock.cycles - clock.toCycles(HANG_NS);
    const last = this.taken.get(process.pid);
    if (last && last.t > longAgo) return false;
    for (const fd of process.fds.list()) {
      const file = process.fds.get(fd);
      if (file instanceof InetSocket && file.end.queue.some(({ time }) => clock.toCycles(time) < longAgo)) return true;
    }
    return last !== undefined && thread.state === 'runnable' && (used(process) - last.used) / (clock.cycles - last.t) > SPIN_SHARE;
  }
}

/** A program without symbols: the mapped file the address lies in, and where in it, as objdump counts. */
function inObject(space: AddressSpace, place: Place): Place {
  const found = place.function === null ? locate(space, place.address) : null;
  return found ? { ...place, function: found.object, offset: found.offset } : place;
}

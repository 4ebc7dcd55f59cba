import { coreSignal, processCore } from '../emulator/checkpoint/export.js';
import type { SigInfo, Thread } from '../emulator/kernel/index.js';
import { FAULT_SIGNALS } from '../emulator/router/lifecycle/lifecycle.js';
import { observing, type Observer } from './observer.js';

/**
 * Keeps an ELF core of the first fault of the given programs, taken before the fault is handled, whether the program then
 * dies or rolls back. It looks on from outside: nothing is charged to the machine or written to its ramdisk.
 */
export class CoreCollector implements Observer {
  first: Uint8Array | null = null;
  private readonly programs: readonly string[];

  constructor(programs: readonly string[]) {
    this.programs = programs;
  }

  during<T>(work: () => T): T {
    return observing(this, work);
  }

  onSignal(thread: Thread, info: SigInfo): void {
    if (this.first || !FAULT_SIGNALS.has(info.signo) || !this.programs.includes(thread.process.comm)) return;
    this.first = processCore(thread.process.kernel, thread, coreSignal(info));
  }
}

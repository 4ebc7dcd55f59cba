import { coreSignal, processCore } from '../emulator/checkpoint/export.js';
import { registerHooks, type SigInfo, type Thread } from '../emulator/kernel/index.js';
import { FAULT_SIGNALS } from '../emulator/router/lifecycle/lifecycle.js';

/** The collectors that listen, the last one first; the hook itself can be registered only once. */
const listening: CoreCollector[] = [];

registerHooks({
  onSignal(thread, info) {
    listening.at(-1)?.onSignal(thread, info);
  },
});

/**
 * Keeps an ELF core of the first fault of the given programs, taken before the fault is handled, whether the program then
 * dies or rolls back. It looks on from outside: nothing is charged to the machine or written to its ramdisk.
 */
export class CoreCollector {
  first: Uint8Array | null = null;
  private readonly programs: readonly string[];

  constructor(programs: readonly string[]) {
    this.programs = programs;
  }

  during<T>(work: () => T): T {
    listening.push(this);
    try {
      return work();
    } finally {
      listening.pop();
    }
  }

  onSignal(thread: Thread, info: SigInfo): void {
    if (this.first || !FAULT_SIGNALS.has(info.signo) || !this.programs.includes(thread.process.comm)) return;
    this.first = processCore(thread.process.kernel, thread, coreSignal(info));
  }
}

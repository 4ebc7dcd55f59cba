import { registerHooks, type SigInfo, type Thread } from '../emulator/kernel/index.js';
import type { Datagram } from '../emulator/net/index.js';

/** Looks on from outside while a machine runs: it is no part of the machine, costs it nothing and is not saved with it. */
export interface Observer {
  onSignal?(thread: Thread, info: SigInfo): void;
  onReceive?(thread: Thread, datagram: Datagram): void;
}

/** Those that look on, the last one first; the hooks themselves can be registered only once. */
const observers: Observer[] = [];

registerHooks({
  onSignal(thread, info) {
    observers.at(-1)?.onSignal?.(thread, info);
  },
  onReceive(thread, datagram) {
    observers.at(-1)?.onReceive?.(thread, datagram);
  },
});

export function observing<T>(observer: Observer, work: () => T): T {
  observers.push(observer);
  try {
    return work();
  } finally {
    observers.pop();
  }
}

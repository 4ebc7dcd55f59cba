import { registerHooks, type SigInfo, type Thread } from '../../emulator/kernel/index.js';

/** Told of each signal before it is delivered. The last one listens; the hook itself can be registered only once. */
const listening: ((thread: Thread, info: SigInfo) => void)[] = [];

registerHooks({
  onSignal(thread, info) {
    listening.at(-1)?.(thread, info);
  },
});

export function whileWatchingSignals<T>(listener: (thread: Thread, info: SigInfo) => void, work: () => T): T {
  listening.push(listener);
  try {
    return work();
  } finally {
    listening.pop();
  }
}

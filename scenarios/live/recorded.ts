import { LiveMachine, type LiveSink } from './live-machine.js';
import type { Outcome } from './input.js';
import type { Recording } from './recording.js';
import { liveOptions } from './setup.js';

const silent: LiveSink = { onData: () => undefined, onEnd: () => undefined, onGone: () => undefined, onDatagram: () => undefined, onConsole: () => undefined };

export interface Repeated {
  outcome: Outcome;
  /** Against the recording's own outcome; null when that session was cut off. */
  same: boolean | null;
}

/** Run a recorded session again: the same inputs at the same virtual times. */
export function repeat({ setup, inputs, outcome }: Recording, options: { rootfs?: string; onProgress?: (share: number) => void } = {}): Repeated {
  const machine = new LiveMachine(liveOptions(setup, options.rootfs ?? setup.rootfs), silent);
  let until = machine.cycles;
  const end = outcome?.until ?? inputs.at(-1)?.until ?? until;
  const advance = (to: number): void => {
    if (to <= until) return;
    machine.run(to);
    until = to;
    options.onProgress?.(end > 0 ? to / end : 1);
  };
  for (const input of inputs) {
    advance(input.until);
    machine.apply(input);
  }
  advance(end);
  const repeated = machine.outcome(end);
  return { outcome: repeated, same: outcome === null ? null : repeated.eventLog === outcome.eventLog && repeated.output === outcome.output };
}

import { textOf, type LogEntry } from '../../emulator/base/index.js';
import type { Metrics } from '../metric-names.js';
import { signalName } from '../../emulator/kernel/index.js';
import { formatShare } from '../units.js';
import { faultName, type Fault } from './fault.js';

/** What became of the daemon under test. `recovered`: it faulted, but its process never died. */
export type Outcome = 'survived' | 'recovered' | 'crashed' | 'exited' | 'hung';

export interface Verdict {
  outcome: Outcome;
  /** One sentence. */
  words: string;
}

/** The process lived through it all and still takes its input. */
export const stands = ({ outcome }: Verdict): boolean => outcome === 'survived' || outcome === 'recovered';

const times = (count: number): string => (count === 1 ? 'once' : count === 2 ? 'twice' : `${count} times`);

interface Ends {
  killed: number;
  /** By which signals. */
  by: Set<number>;
  exited: number;
  last: string;
}

/** What init said of the ends of the daemons. An exit with status 0 is an end, too: nobody asked for it. */
function endsOf(entries: readonly LogEntry[], daemons: readonly string[]): Ends {
  const ends: Ends = { killed: 0, by: new Set(), exited: 0, last: '' };
  for (const entry of entries) {
    const match = entry.what === 'console.line' ? /^init: (\S+) pid \d+ (?:killed by signal (\d+)|(exited status \d+))$/.exec(textOf(entry.text)) : null;
    if (!match || !daemons.includes(match[1])) continue;
    if (match[2]) {
      ends.killed++;
      ends.by.add(Number(match[2]));
    } else {
      ends.exited++;
    }
    ends.last = match[3] ?? '';
  }
  return ends;
}

/** `silent`: what it had answered it does not answer any more. */
export function verdictOf(run: { entries: readonly LogEntry[]; daemons: readonly string[] }, metrics: Metrics, faults: readonly Fault[], lives: readonly string[], silent = false): Verdict {
  const { killed, by, exited, last } = endsOf(run.entries, run.daemons);
  const after = lives.includes('failed') ? 'and stayed dead' : metrics.restarts > 0 ? `and was started again${metrics.restarts > 1 ? ' each time' : ''}` : '';
  const signals = [...new Set(faults.filter(({ signal }) => signal !== 0).map(faultName))].join(', ');
  if (faults.some(({ signal }) => signal === 0)) return { outcome: 'hung', words: 'it is alive but no longer takes its input' };
  if (killed > 0) return { outcome: 'crashed', words: `it crashed ${times(killed)} (${signals || [...by].map(signalName).join(', ')}) ${after}`.trim() };
  if (exited > 0) return { outcome: 'exited', words: `it ended by itself ${times(exited)} (${last.replace('exited', 'exit')}) ${after}`.trim() };
  if (metrics.rollbacks > 0) return { outcome: 'recovered', words: `it faulted (${signals || 'watchdog'}) and rolled back ${times(metrics.rollbacks)}; its process never died` };
  if (silent) return { outcome: 'hung', words: 'it is alive but does not answer any more what it answered before' };
  return { outcome: 'survived', words: `it took no harm${unserved(metrics)}` };
}

/** Below this share of answered probes a daemon that lives does not serve. */
const SERVES = 0.99;

/** A process can be whole and its service gone: what a rollback has no answer to. */
const unserved = ({ availability }: Metrics): string => (availability < SERVES ? `, but left ${formatShare(1 - availability)} of the probes unanswered` : '');

import { timeRungs } from './harness.js';
import { modelRung, type Modelled } from './model.js';
import { checkpointsLeft, Refused, type LadderRung } from './rungs.js';
import { ratios, summarize, type Summary } from './statistics.js';
import type { Subject } from './subject.js';

export interface RungResult {
  group: 'freeze' | 'thaw';
  key: string;
  title: string;
  /** Host seconds of act and undo together. */
  host: Summary;
  /** Host time over that of the group's floor, round by round. */
  ratio: Summary;
  modelled: Modelled;
}

/** A rung the device has no room for. */
export interface RefusedRung {
  key: string;
  title: string;
  errno: string;
}

export interface RungResults {
  rungs: RungResult[];
  refused: RefusedRung[];
}

/** Keys of the rungs that the others of a group are compared with. */
const FLOORS = { freeze: 'floor', thaw: 'thaw:floor' } as const;

export interface MeasureOptions {
  rounds: number;
  /** Host seconds a rung gets in a round. */
  seconds: number;
  onProgress?: (share: number) => void;
}

/** Measure rungs of one process: modelled once, host time over rounds. Throws when a rung leaves anything behind. */
export function measureRungs(subject: Subject, rungs: readonly LadderRung[], options: MeasureOptions): RungResults {
  const { kernel } = subject.router;
  const free = kernel.ram.free();
  const refused: RefusedRung[] = [];
  const modelled = rungs.map((rung) => modelOrRefuse(subject, rung, refused));
  const done = rungs.flatMap((rung, i) => (modelled[i] ? [{ rung, modelled: modelled[i] }] : []));
  const given = new Map<string, string>();
  const times = timeRungs(done.map(({ rung }) => timed(rung, given)), { ...options, onRound: (round, rounds) => options.onProgress?.(round / rounds) });
  if (checkpointsLeft(subject) > 0 || kernel.ram.free() < free) throw new Error(`${subject.name}: the measurement left ${checkpointsLeft(subject)} checkpoints and ${free - kernel.ram.free()} frames behind`);
  const results = done.map(({ rung: { group, key, title }, modelled: model }, i) => {
    const floor = done.findIndex(({ rung }) => rung.key === FLOORS[group]);
    return { group, key, title, host: summarize(times[i]), ratio: summarize(floor < 0 ? [] : ratios(times[i], times[floor])), modelled: model };
  });
  for (const { key, title } of results) if (given.has(key)) refused.push({ key, title, errno: given.get(key) ?? '' });
  return { rungs: results.filter(({ key }) => !given.has(key)), refused };
}

function modelOrRefuse(subject: Subject, rung: LadderRung, refused: RefusedRung[]): Modelled | null {
  try {
    return modelRung(subject, rung);
  } catch (error) {
    if (!(error instanceof Refused)) throw error;
    refused.push({ key: rung.key, title: rung.title, errno: error.errno });
    return null;
  }
}

/** A rung that fits once may not fit the next time; it is then given up, and `given` says why. */
function timed(rung: LadderRung, given: Map<string, string>): { name: string; before(): void; run(): void; after(): void } {
  const guarded = (work: () => void): void => {
    if (given.has(rung.key)) return;
    try {
      work();
    } catch (error) {
      if (!(error instanceof Refused)) throw error;
      given.set(rung.key, error.errno);
      rung.finish?.();
    }
  };
  return {
    name: rung.key,
    before: () => guarded(() => rung.prepare?.()),
    run: () => guarded(() => {
      rung.act();
      rung.undo();
    }),
    after: () => guarded(() => rung.finish?.()),
  };
}

import { timeRungs } from './harness.js';
import { modelRung, type Modelled } from './model.js';
import { checkpointsLeft, ladder, type LadderRung } from './rungs.js';
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

export interface SubjectResult {
  subject: string;
  profile: string;
  hz: number;
  residentPages: number;
  rungs: RungResult[];
}

export interface MeasureOptions {
  rounds: number;
  seconds: number;
  onProgress?(share: number): void;
}

/** Measure every rung for one process: modelled once, host time over rounds. Throws Invariant when a rung fails or leaks. */
export function measureSubject(subject: Subject, options: MeasureOptions): SubjectResult {
  const rungs = ladder(subject);
  const { kernel, profile } = subject.router;
  const free = kernel.ram.free();
  const residentPages = subject.process.space.residentPages();
  const modelled = rungs.map((rung) => modelRung(subject, rung));
  const times = timeRungs(rungs.map(timed), { rounds: options.rounds, seconds: options.seconds, onRound: (round, rounds) => options.onProgress?.(round / rounds) });
  if (checkpointsLeft(subject) > 0 || kernel.ram.free() < free) throw new Error(`${subject.name}: the measurement left ${checkpointsLeft(subject)} checkpoints and ${free - kernel.ram.free()} frames behind`);
  const results = rungs.map(({ group, key, title }, i) => {
    const floor = rungs.findIndex((rung) => rung.group === group);
    return { group, key, title, host: summarize(times[i]), ratio: summarize(ratios(times[i], times[floor])), modelled: modelled[i] };
  });
  return { subject: subject.name, profile: profile.name, hz: profile.hz, residentPages, rungs: results };
}

function timed(rung: LadderRung): { name: string; before?(): void; run(): void; after?(): void } {
  return {
    name: rung.key,
    before: () => rung.prepare?.(),
    run: (): void => {
      rung.act();
      rung.undo();
    },
    after: () => rung.finish?.(),
  };
}

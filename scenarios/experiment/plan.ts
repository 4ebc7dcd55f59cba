import type { ArmName } from '../arms.js';
import type { Scenario } from '../scenario.js';
import { conditionNames, conditions, obstacle, type Condition } from './conditions.js';
import { spanAt } from './rate.js';
import type { Job } from './run.js';

const SEEDS = 2 ** 32;

/** `count` seeds from the first one on. */
export const seedsFrom = (first: number, count: number): number[] => Array.from({ length: count }, (_, i) => (first + i) % SEEDS);

export interface Plan {
  jobs: Job[];
  /** Conditions that cannot be made of this scenario, and why. */
  obstacles: Partial<Record<Condition, string>>;
}

/** The runs of an experiment over seeds. Seed by seed, so that one that is interrupted has whole seeds. */
export function planSeeds(scenario: Scenario, arms: readonly ArmName[], seeds: readonly number[], files: ReadonlySet<string>, controls: boolean): Plan {
  const obstacles: Plan['obstacles'] = {};
  const wanted = conditionNames.filter((condition) => {
    if (condition === 'attack') return true;
    const why = obstacle(condition, scenario, files, arms);
    if (controls && why !== null) obstacles[condition] = why;
    return controls && why === null;
  });
  const jobs = seeds.flatMap((seed) => wanted.flatMap((condition) =>
    conditions[condition].arms(arms).map((arm): Job => ({ condition, arm, seed, rate: null, durationNs: scenario.duration }))));
  return { jobs, obstacles };
}

/** The runs of a sweep over attack rates, the cheap ones of each seed first. */
export function planSweep(scenario: Scenario, arms: readonly ArmName[], seeds: readonly number[], rates: readonly number[]): Job[] {
  return seeds.flatMap((seed) => rates.flatMap((rate) => arms.map((arm): Job => ({ condition: 'attack', arm, seed, rate, durationNs: spanAt(scenario, rate).durationNs }))));
}

import { createHash } from 'node:crypto';
import { armNames, type ArmName } from '../arms.js';
import { compareOrder, type ExpectationResult, type MetricsByArm } from '../judgement.js';
import { metricNames, type MetricName, type Metrics } from '../metric-names.js';
import type { Scenario } from '../scenario.js';
import type { Condition } from './conditions.js';
import { compareReseeding, figure, judgeControls, type Control } from './controls.js';
import { writeNumber } from './numbers.js';
import type { Run } from './run.js';
import type { Summary } from './summary.js';

export interface ArmFigures {
  arm: ArmName;
  figures: Record<MetricName, Summary>;
}

/** One demand of the scenario, over the seeds. */
export interface AssertionOverSeeds {
  arm: ArmName;
  what: MetricName | 'console';
  demand: string;
  held: number;
  runs: number;
  /** The first value that did not meet it. */
  worst: string | null;
}

/** A scenario over seeds: a pure function of its runs, whatever made them and in which order. */
export interface SeedsResult {
  schema: 'shuntbox-seeds/1';
  scenario: string;
  title: string;
  profile: string;
  seeds: number[];
  arms: ArmFigures[];
  assertions: AssertionOverSeeds[];
  expectations: ExpectationResult[];
  controls: Control[];
  reseeding: ReturnType<typeof compareReseeding>;
  /** Runs whose event log was full. */
  logFull: string[];
  passed: boolean;
  runs: Omit<Run, 'host'>[];
}

/** `runs` may be fewer than planned when the work was interrupted. */
export function summarizeSeeds(scenario: Scenario, runs: readonly Run[], obstacles: Partial<Record<Condition, string>>): SeedsResult {
  const attacked = runs.filter(({ condition }) => condition === 'attack');
  const present = armNames.filter((arm) => attacked.some((run) => run.arm === arm));
  const perArm = present.map((arm) => ({ arm, figures: figuresOf(attacked.filter((run) => run.arm === arm)) }));
  const medians: MetricsByArm = Object.fromEntries(perArm.map(({ arm, figures }) => [arm, Object.fromEntries(metricNames.map((name) => [name, figures[name].median])) as Metrics]));
  const assertions = assertionsOver(attacked);
  const controls = judgeControls(runs, obstacles);
  return {
    schema: 'shuntbox-seeds/1', scenario: scenario.name, title: scenario.title, profile: scenario.profile,
    seeds: [...new Set(attacked.map(({ seed }) => seed))],
    arms: perArm, assertions,
    expectations: scenario.expectation.map((expectation) => compareOrder(expectation, medians)),
    controls, reseeding: compareReseeding(runs),
    logFull: runs.filter((run) => run.logFull.length > 0).map(({ condition, arm, seed, logFull }) => `${condition} ${arm} seed ${seed}: ${logFull.join(', ')}`),
    passed: assertions.every((one) => one.held === one.runs) && controls.every((one) => one.verdict !== 'failed'),
    runs: runs.map(withoutHost),
  };
}

/** What follows from the job alone, in one order of fields whether the run was just made or read from a file. */
export function withoutHost({ condition, arm, seed, rate, durationNs, assertions, cameUp, logFull, metrics }: Run): Omit<Run, 'host'> {
  return { condition, arm, seed, rate, durationNs, assertions, cameUp, logFull, metrics: Object.fromEntries(metricNames.map((name) => [name, metrics[name]])) as Metrics };
}

const figuresOf = (runs: readonly Run[]): ArmFigures['figures'] => Object.fromEntries(metricNames.map((name) => [name, figure(runs, name)])) as ArmFigures['figures'];

function assertionsOver(runs: readonly Run[]): AssertionOverSeeds[] {
  const found = new Map<string, AssertionOverSeeds>();
  for (const arm of armNames) {
    for (const { assertions } of runs.filter((run) => run.arm === arm)) {
      for (const { what, demand, value, held } of assertions) {
        const key = `${arm} ${what} ${demand}`;
        const one = found.get(key) ?? { arm, what, demand, held: 0, runs: 0, worst: null };
        found.set(key, { ...one, held: one.held + (held ? 1 : 0), runs: one.runs + 1, worst: one.worst ?? (held ? null : value) });
      }
    }
  }
  return [...found.values()];
}

/** Identity of a result: equal for equal seeds on any computer with any number of workers. */
export function resultDigest(result: object): string {
  return createHash('sha256').update(JSON.stringify(result, writeNumber)).digest('hex').slice(0, 16);
}

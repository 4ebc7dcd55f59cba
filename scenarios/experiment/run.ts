import { textOf } from '../../emulator/base/index.js';
import type { ArmName } from '../arms.js';
import { withHostTimes } from '../host-timing.js';
import type { AssertionResult } from '../judgement.js';
import { checkAssertions, checkConsoles } from '../judgement.js';
import type { Metrics } from '../metric-names.js';
import { computeMetrics, percentile } from '../metrics.js';
import { runArm } from '../replay.js';
import type { Scenario } from '../scenario.js';
import { conditions, type Condition } from './conditions.js';
import { atRate } from './rate.js';

/** One run of one arm: everything that decides its outcome besides scenario, image and program. */
export interface Job {
  condition: Condition;
  arm: ArmName;
  seed: number;
  /** Attack messages a second instead of the scenario's own; null leaves it as it is. */
  rate: number | null;
  durationNs: number;
}

export const jobKey = ({ condition, arm, seed, rate, durationNs }: Job): string => `${condition} ${arm} ${seed} ${rate ?? 'own'} ${durationNs}`;

/** What is kept of a run. All but `host` follows from the job, on whatever computer. */
export interface Run extends Job {
  metrics: Metrics;
  /** The scenario's assertions about this arm; none under other conditions than the attack. */
  assertions: AssertionResult[];
  /** Every daemon under test served at least once: the condition did not keep it from starting. */
  cameUp: boolean;
  /** Kinds of log entries that found no room: figures counted from them are too low. */
  logFull: string[];
  host: HostFigures;
}

/** Differs from run to run. */
export interface HostFigures {
  wallSeconds: number;
  freezeMs: number | null;
  thawMs: number | null;
}

/** The scenario as the job's condition and rate change it. */
export function scenarioOf(scenario: Scenario, job: Pick<Job, 'condition' | 'rate' | 'durationNs'>): Scenario {
  const changed = conditions[job.condition].change(scenario);
  return job.rate === null ? changed : atRate(changed, job.rate, job.durationNs);
}

export function runJob(scenario: Scenario, job: Job, image: Uint8Array, onProgress?: (share: number) => void): Run {
  const begin = performance.now();
  const options = { image, seed: job.seed, durationNs: job.durationNs, flags: conditions[job.condition].flags, onProgress: (_arm: ArmName, done: number) => onProgress?.(done) };
  const { result: simulation, times } = withHostTimes(() => runArm(scenarioOf(scenario, job), job.arm, options));
  const record = simulation.record();
  const metrics = computeMetrics(record);
  const { condition, arm, seed, rate, durationNs } = job;
  return {
    condition, arm, seed, rate, durationNs, metrics,
    assertions: condition === 'attack' && rate === null ? assertionsOf(scenario, arm, metrics, simulation.router.consoleText()) : [],
    cameUp: record.daemons.every((name) => record.entries.some((entry) => entry.what === 'daemon.state' && entry.name === name && entry.to === 'serving')),
    logFull: record.entries.filter((entry) => entry.what === 'log.full').map((entry) => textOf(entry.kind)),
    host: { wallSeconds: (performance.now() - begin) / 1000, freezeMs: medianOf(times.freeze), thawMs: medianOf(times.thaw) },
  };
}

const medianOf = (values: readonly number[]): number | null => (values.length === 0 ? null : percentile(values, 0.5));

const assertionsOf = ({ assertions }: Scenario, arm: ArmName, metrics: Metrics, console: string): AssertionResult[] =>
  [...checkAssertions(assertions, { [arm]: metrics }), ...checkConsoles(assertions, { [arm]: console })];

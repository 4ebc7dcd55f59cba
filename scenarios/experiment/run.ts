import type { ArmName } from '../arms.js';
import type { AssertionResult } from '../judgement.js';
import { checkAssertions, checkConsoles } from '../judgement.js';
import type { Metrics } from '../metric-names.js';
import { replayArm, type ArmResult } from '../replay.js';
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
  const result = replayArm(scenarioOf(scenario, job), job.arm, {
    image, seed: job.seed, durationNs: job.durationNs, flags: conditions[job.condition].flags, onProgress: (_arm, done) => onProgress?.(done),
  });
  const { condition, arm, seed, rate, durationNs } = job;
  return {
    condition, arm, seed, rate, durationNs,
    metrics: result.metrics,
    assertions: condition === 'attack' && rate === null ? assertionsOf(scenario, result) : [],
    cameUp: scenario.daemons.every((daemon) => !daemon.underTest || result.timeline.lives.some(({ daemon: name, life }) => name === daemon.name && life === 'serving')),
    logFull: result.logFull,
    host: { wallSeconds: result.wallSeconds, freezeMs: result.hostFreezeMs, thawMs: result.hostThawMs },
  };
}

const assertionsOf = ({ assertions }: Scenario, { arm, metrics, console }: ArmResult): AssertionResult[] =>
  [...checkAssertions(assertions, { [arm]: metrics }), ...checkConsoles(assertions, { [arm]: console })];

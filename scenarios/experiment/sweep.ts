import Table from 'cli-table3';
import { armNames, arms, type ArmName } from '../arms.js';
import type { MetricName } from '../metric-names.js';
import type { Scenario } from '../scenario.js';
import { formatShare } from '../units.js';
import { figure } from './controls.js';
import { spanAt } from './rate.js';
import type { Run } from './run.js';
import { withoutHost } from './seeds.js';
import { cell } from './seed-table.js';
import type { Summary } from './summary.js';

const swept = ['availability', 'availabilityLastThird', 'requestsLost', 'faults', 'crashes', 'restarts', 'outages', 'downP50', 'downP99', 'recoveryP50', 'filtered', 'falseDrops'] as const satisfies readonly MetricName[];
type Swept = (typeof swept)[number];

export interface SweepPoint {
  arm: ArmName;
  rate: number;
  figures: Record<Swept, Summary>;
}

/** Where an arm's availability falls: the highest rate at which it still serves, and the lowest from which on it does not. */
export interface Cliff {
  arm: ArmName;
  /** Null when it never serves. */
  serves: number | null;
  /** Null when it always does. */
  fails: number | null;
}

export interface SweepResult {
  schema: 'shuntbox-sweep/1';
  scenario: string;
  title: string;
  profile: string;
  seeds: number[];
  /** How long a run at each rate lasts, in virtual time, and why not as long as the scenario says. */
  rates: { rate: number; seconds: number; why: string | null }[];
  points: SweepPoint[];
  cliffs: Cliff[];
  logFull: string[];
  runs: Omit<Run, 'host'>[];
}

/** An arm serves at a rate when it answers at least this share of the probes there. */
export const SERVES = 0.5;

export function summarizeSweep(scenario: Scenario, runs: readonly Run[], rates: readonly number[]): SweepResult {
  const present = armNames.filter((arm) => runs.some((run) => run.arm === arm));
  const points = present.flatMap((arm) => rates.flatMap((rate): SweepPoint[] => {
    const made = runs.filter((run) => run.arm === arm && run.rate === rate);
    return made.length === 0 ? [] : [{ arm, rate, figures: Object.fromEntries(swept.map((name) => [name, figure(made, name)])) as Record<Swept, Summary> }];
  }));
  return {
    schema: 'shuntbox-sweep/1', scenario: scenario.name, title: scenario.title, profile: scenario.profile,
    seeds: [...new Set(runs.map(({ seed }) => seed))],
    rates: rates.map((rate) => ({ rate, seconds: spanAt(scenario, rate).durationNs / 1e9, why: spanAt(scenario, rate).why })),
    points, cliffs: present.map((arm) => cliffOf(arm, points.filter((point) => point.arm === arm))),
    logFull: runs.filter((run) => run.logFull.length > 0).map(({ arm, seed, rate, logFull }) => `${arm} at ${rate}/s, seed ${seed}: ${logFull.join(', ')}`),
    runs: runs.map(withoutHost),
  };
}

/** The rates of one arm must be in rising order. What is left in the last third counts: an outage at the end is one for good. */
export function cliffOf(arm: ArmName, points: readonly SweepPoint[]): Cliff {
  let serves: number | null = null;
  let fails: number | null = null;
  for (const { rate, figures } of points) {
    if (figures.availabilityLastThird.median >= SERVES) {
      serves = rate;
      fails = null;
    } else {
      fails ??= rate;
    }
  }
  return { arm, serves, fails };
}

export const rateText = (rate: number): string => `${rate}/s`;

/** Rows are rates, columns are arms. */
export function sweepTable(result: SweepResult, name: Swept, colours: boolean): string {
  const present = result.cliffs.map(({ arm }) => arm);
  const style = colours ? {} : { head: [], border: [] };
  const table = new Table({ head: ['attack rate', 'run', ...present.map((arm) => arms[arm].title)], style, colAligns: ['right', 'right', ...present.map(() => 'right' as const)], chars: { mid: '', 'left-mid': '', 'mid-mid': '', 'right-mid': '' } });
  for (const { rate, seconds, why } of result.rates) {
    const cells = present.map((arm) => result.points.find((point) => point.arm === arm && point.rate === rate)).map((point) => (point ? cell(name, point.figures[name]) : '-'));
    table.push([rateText(rate), `${seconds.toFixed(0)} s${why === null ? ' ' : '*'}`, ...cells]);
  }
  return table.toString();
}

/** Which runs are not as long as the scenario says; nothing when all are. */
export function spanNotes(result: Pick<SweepResult, 'rates'>): string[] {
  const reasons = [...new Set(result.rates.flatMap(({ why }) => why ?? []))];
  return reasons.map((reason) => `* at ${result.rates.filter(({ why }) => why === reason).map(({ rate }) => rateText(rate)).join(', ')} a run is ${reason} of the attack`);
}

export function cliffLines(cliffs: readonly Cliff[]): string[] {
  const width = Math.max(0, ...cliffs.map(({ arm }) => arms[arm].title.length));
  return cliffs.map(({ arm, serves, fails }) => `  ${arms[arm].title.padEnd(width)}  ${cliffWords(serves, fails)}`);
}

function cliffWords(serves: number | null, fails: number | null): string {
  const share = formatShare(SERVES);
  if (fails === null) return `still answers ${share} or more in the last third at ${rateText(serves ?? NaN)}, the highest rate run`;
  if (serves === null) return `answers less than ${share} in the last third at every rate, from ${rateText(fails)} on`;
  return `answers ${share} or more in the last third up to ${rateText(serves)}, less from ${rateText(fails)} on`;
}

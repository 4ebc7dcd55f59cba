import { arms, type ArmName } from './arms.js';
import { metricInfo, type Metrics, type MetricName } from './metric-names.js';
import type { AssertionSpec, ExpectationSpec } from './schema.js';
import { formatBytes, formatDuration, formatShare } from './units.js';

export function formatMetric(name: MetricName, value: number): string {
  const { unit } = metricInfo[name];
  if (Number.isNaN(value)) return '-';
  if (unit === 'share') return formatShare(value);
  if (unit === 'ns') return formatDuration(value);
  if (unit === 'bytes') return formatBytes(value);
  return Number.isInteger(value) ? String(value) : value.toFixed(1);
}

export interface AssertionResult {
  arm: ArmName;
  what: MetricName | 'console';
  demand: string;
  value: string;
  held: boolean;
}

export type MetricsByArm = Partial<Record<ArmName, Metrics>>;

/** Checks what the scenario insists on. Arms that were not run are left out. A value that does not exist fails. */
export function checkAssertions(assertions: readonly AssertionSpec[], results: MetricsByArm): AssertionResult[] {
  const checked: AssertionResult[] = [];
  for (const assertion of assertions) {
    if ('console' in assertion) continue;
    const { arm, metric, atLeast, atMost, equals } = assertion;
    const value = results[arm]?.[metric];
    if (value === undefined) continue;
    const demands: [string, boolean][] = [];
    if (atLeast !== undefined) demands.push([`>= ${formatMetric(metric, atLeast)}`, value >= atLeast]);
    if (atMost !== undefined) demands.push([`<= ${formatMetric(metric, atMost)}`, value <= atMost]);
    if (equals !== undefined) demands.push([`= ${formatMetric(metric, equals)}`, value === equals]);
    for (const [demand, held] of demands) checked.push({ arm, what: metric, demand, value: formatMetric(metric, value), held });
  }
  return checked;
}

/** Checks what the scenario wants to read on the console. `consoles` holds what each arm's console said. */
export function checkConsoles(assertions: readonly AssertionSpec[], consoles: Partial<Record<ArmName, string>>): AssertionResult[] {
  const checked: AssertionResult[] = [];
  for (const assertion of assertions) {
    const text = consoles[assertion.arm];
    if (!('console' in assertion) || text === undefined) continue;
    const held = text.split('\n').includes(assertion.console);
    checked.push({ arm: assertion.arm, what: 'console', demand: `says "${assertion.console}"`, value: held ? 'it does' : 'it does not', held });
  }
  return checked;
}

export interface ExpectationResult {
  metric: MetricName;
  expected: ArmName[][];
  found: ArmName[][];
  agrees: boolean;
  why: string;
  /** What disagrees, in words; empty when nothing does. */
  disagreements: string[];
}

/** Compares the order the scenario expects with the one the run shows. A disagreement is a finding, not a failure. */
export function compareOrder(expectation: ExpectationSpec, results: MetricsByArm): ExpectationResult {
  const { metric, within, why } = expectation;
  const run = (arm: ArmName): boolean => results[arm] !== undefined && !Number.isNaN(results[arm][metric]);
  const expected = expectation.order.map((group) => group.filter(run)).filter((group) => group.length > 0);
  const value = (arm: ArmName): number => (results[arm] as Metrics)[metric];
  const disagreements: string[] = [];
  const groups = expected.map((group, rank) => group.map((arm) => ({ arm, rank }))).flat();
  for (let i = 0; i < groups.length; i++) {
    for (let j = i + 1; j < groups.length; j++) {
      const problem = comparePair(groups[i], groups[j], metric, within, value);
      if (problem) disagreements.push(problem);
    }
  }
  return { metric, expected, found: ranked(expected.flat(), metric, within, value), agrees: disagreements.length === 0, why, disagreements };
}

interface Ranked {
  arm: ArmName;
  rank: number;
}

function comparePair(a: Ranked, b: Ranked, metric: MetricName, within: number, value: (arm: ArmName) => number): string | null {
  const order = compare(value(a.arm), value(b.arm), metric, within);
  const words = `${arms[a.arm].title} (${formatMetric(metric, value(a.arm))}) and ${arms[b.arm].title} (${formatMetric(metric, value(b.arm))})`;
  if (a.rank === b.rank) return order === 0 ? null : `expected equal: ${words}`;
  return order < 0 ? null : `expected the first to be better: ${words}`;
}

/** Negative: a is better than b; 0: equal within the tolerance. */
function compare(a: number, b: number, metric: MetricName, within: number): number {
  if (a === b) return 0;
  if (Number.isFinite(a) && Number.isFinite(b) && Math.abs(a - b) <= within * Math.max(Math.abs(a), Math.abs(b))) return 0;
  const higher = metricInfo[metric].better === 'higher';
  return (higher ? a > b : a < b) ? -1 : 1;
}

function ranked(list: readonly ArmName[], metric: MetricName, within: number, value: (arm: ArmName) => number): ArmName[][] {
  const sorted = [...list].sort((a, b) => compare(value(a), value(b), metric, 0));
  const groups: ArmName[][] = [];
  for (const arm of sorted) {
    const last = groups.at(-1);
    if (last && compare(value(last[0]), value(arm), metric, within) === 0) last.push(arm);
    else groups.push([arm]);
  }
  return groups;
}

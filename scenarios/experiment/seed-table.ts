import Table from 'cli-table3';
import { arms } from '../arms.js';
import { formatMetric } from '../judgement.js';
import { metricInfo, type MetricName } from '../metric-names.js';
import { conditions } from './conditions.js';
import type { ArmFigures, SeedsResult } from './seeds.js';
import type { Control } from './controls.js';
import type { Summary } from './summary.js';

/** What is shown of every arm. */
export const metricGroups: [title: string, metrics: MetricName[]][] = [
  ['service', ['availability', 'availabilityLastThird', 'requestsLost', 'latencyP50']],
  ['outages (RFC 6201)', ['outages', 'downP50', 'downLossP50', 'downP99', 'downLossP99', 'probeGap']],
  ['faults', ['faults', 'crashes', 'restarts', 'rollbacks', 'recoveryP50', 'recoveryP99']],
  ['memory', ['cacheLost', 'leasesLost', 'leasesTwice', 'repeatedIds', 'idsByChance', 'repeatedPairs', 'pairsByChance', 'answersContradicted']],
  ['filter', ['filtered', 'missedVariants', 'falseDrops']],
  ['images', ['imagesHeld', 'imageBytes', 'ramHeld']],
  ['cost (modelled)', ['freezes', 'freezeTime', 'pageBreaks', 'breakTime', 'thawTime', 'freezeVnodeOps', 'thawVnodeOps']],
];

/** Median and quartiles as text; the quartiles are null where they look the same. */
function texts(name: MetricName, { samples, median, q1, q3 }: Summary): [median: string, quartiles: string | null] {
  if (samples === 0) return ['-', null];
  const [low, high] = [formatMetric(name, q1), formatMetric(name, q3)];
  return [formatMetric(name, median), low === high ? null : `${low} … ${high}`];
}

/** Median, and the quartiles beneath it where they differ. */
export const cell = (name: MetricName, summary: Summary): string => texts(name, summary).filter((text) => text !== null).join('\n');

/** The same in one line. */
export function words(name: MetricName, summary: Summary): string {
  const [median, quartiles] = texts(name, summary);
  return quartiles === null ? median : `${median} (${quartiles})`;
}

const OUTAGE: readonly MetricName[] = ['downP50', 'downLossP50', 'downP99', 'downLossP99'];

/**
 * Where the prober saw no outage at all, what it could have seen. A figure that does not exist in every seed (no outage, so no length of one) says in
 * how many it does: it is no figure of the others.
 */
export function shown(name: MetricName, { figures }: ArmFigures): string {
  const { samples } = figures[name];
  const runs = figures.faults.samples;
  if (OUTAGE.includes(name) && samples === 0 && figures.probes.median > 0) return `none above ${formatMetric('probeGap', figures.probeGap.median)}`;
  const text = cell(name, figures[name]);
  return samples > 0 && samples < runs ? `${text}\nin ${samples} of ${runs} seeds` : text;
}

/** Lines between rows would double the height of the table. */
const NO_RULES = { mid: '', 'left-mid': '', 'mid-mid': '', 'right-mid': '' };

export function seedsTable(result: Pick<SeedsResult, 'arms'>, colours: boolean): string {
  const style = colours ? {} : { head: [], border: [] };
  const table = new Table({ head: ['', ...result.arms.map(({ arm }) => arms[arm].title)], style, wordWrap: true, colAligns: ['left', ...result.arms.map(() => 'right' as const)], chars: NO_RULES });
  for (const [title, metrics] of metricGroups) {
    const rows = metrics.filter((name) => result.arms.some(({ figures }) => figures[name].samples > 0));
    if (rows.length === 0) continue;
    table.push([title.toUpperCase(), ...result.arms.map(() => '')]);
    for (const name of rows) table.push([`  ${metricInfo[name].title}`, ...result.arms.map((arm) => shown(name, arm))]);
  }
  return table.toString();
}

const VERDICT: Record<Control['verdict'], string> = { held: 'ok  ', failed: 'FAIL', none: 'none' };

export function controlLines(controls: readonly Control[]): string[] {
  const width = Math.max(0, ...controls.map(({ title }) => title.length));
  return controls.map(({ condition, title, verdict, words: figures }) => `  ${VERDICT[verdict]} ${title.padEnd(width)}  (${conditions[condition].words}) ${figures}`);
}

export function reseedingLines(reseeding: SeedsResult['reseeding']): string[] {
  if (reseeding === null) return [];
  if (!reseeding.cameUp) return ['  the daemon does not come up with -R: nothing to compare'];
  return reseeding.figures.map((line) => `  ${metricInfo[line.metric].title.padEnd(22)} ${words(line.metric, line.with)} with, ${words(line.metric, line.without)} without`);
}

export function assertionLines(result: SeedsResult): string[] {
  return result.assertions.map(({ arm, what, demand, held, runs, worst }) =>
    `  ${held === runs ? 'ok  ' : 'FAIL'} ${arms[arm].title}: ${what} ${demand} in ${held} of ${runs} seeds${worst === null || what === 'console' ? '' : `, once ${worst}`}`);
}

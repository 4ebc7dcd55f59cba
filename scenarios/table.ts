import Table from 'cli-table3';
import { arms } from './arms.js';
import { formatMetric } from './judgement.js';
import type { MetricName } from './metric-names.js';
import type { ArmResult, ReplayResult } from './replay.js';
import { formatDuration } from './units.js';
import { causeLines } from './verdict/fault.js';

type Row = [title: string, cell: (arm: ArmResult) => string];

const metric = (title: string, name: MetricName): Row => [title, ({ metrics }) => formatMetric(name, metrics[name])];
const host = (ms: number | null): string => (ms === null ? '-' : formatDuration(ms * 1e6));

/** Every row of the table, in groups. */
const groups: [string, Row[]][] = [
  ['service', [
    metric('availability', 'availability'),
    metric('  in the last third', 'availabilityLastThird'),
    metric('requests lost', 'requestsLost'),
    metric('connections lost', 'connectionsLost'),
    metric('answer time p50', 'latencyP50'),
  ]],
  ['outages as the prober sees them (RFC 6201)', [
    metric('outages', 'outages'),
    metric('down p50, time stamps', 'downP50'),
    metric('down p50, frame loss', 'downLossP50'),
    metric('down p99, time stamps', 'downP99'),
    metric('down p99, frame loss', 'downLossP99'),
    metric("prober's resolution", 'probeGap'),
  ]],
  ['memory lost and contradicted (from the captures)', [
    metric('cache entries lost', 'cacheLost'),
    metric('leases lost', 'leasesLost'),
    metric('leases given twice', 'leasesTwice'),
    metric('DNS ids repeated', 'repeatedIds'),
    metric('  as many by chance', 'idsByChance'),
    metric('port and id repeated', 'repeatedPairs'),
    metric('  as many by chance', 'pairsByChance'),
    metric('answers contradicted', 'answersContradicted'),
  ]],
  ['faults', [
    metric('injected', 'injected'),
    metric('faults', 'faults'),
    metric('crashes', 'crashes'),
    metric('restarts', 'restarts'),
    metric('rollbacks', 'rollbacks'),
    metric('hazards', 'hazards'),
    metric('recovery p50', 'recoveryP50'),
    metric('recovery p99', 'recoveryP99'),
  ]],
  ['filter', [
    metric('attack filtered', 'filtered'),
    metric('missed variants', 'missedVariants'),
    metric('false drops', 'falseDrops'),
  ]],
  ['images', [
    metric('held at once', 'imagesHeld'),
    metric('largest', 'imageBytes'),
    metric('RAM held', 'ramHeld'),
  ]],
  ['freeze', [
    metric('count', 'freezes'),
    metric('bytes copied each', 'freezeCopied'),
    metric('vnode operations each', 'freezeVnodeOps'),
    metric('device time (model)', 'freezeTime'),
    metric('later: pages copied each', 'pageBreaks'),
    metric('later: time of that', 'breakTime'),
    ['host time (median)', (arm) => host(arm.hostFreezeMs)],
  ]],
  ['thaw', [
    metric('vnode operations each', 'thawVnodeOps'),
    metric('device time (model)', 'thawTime'),
    ['host time (median)', (arm) => host(arm.hostThawMs)],
  ]],
  ['run', [
    ['virtual time', ({ virtualSeconds }) => `${virtualSeconds.toFixed(1)} s`],
    ['wall time', ({ wallSeconds }) => `${wallSeconds.toFixed(1)} s`],
  ]],
];

/** The results side by side, one column an arm. Colours only where a terminal reads them. */
export function resultTable(result: ReplayResult, colours: boolean): string {
  const style = colours ? {} : { head: [], border: [] };
  const table = new Table({ head: ['', ...result.arms.map(({ arm }) => arms[arm].title)], style, wordWrap: true, colAligns: ['left', ...result.arms.map(() => 'right' as const)] });
  // Arms without checkpoints have nothing to say of them.
  const checkpoints = result.arms.some(({ metrics }) => metrics.freezes > 0 || metrics.rollbacks > 0);
  for (const [title, rows] of groups) {
    if (!checkpoints && ['filter', 'images', 'freeze', 'thaw'].includes(title)) continue;
    const shown = rows.filter(([, cell]) => result.arms.some((arm) => cell(arm) !== '-'));
    if (shown.length === 0) continue;
    table.push([{ content: title.toUpperCase(), colSpan: result.arms.length + 1 }]);
    for (const [name, cell] of shown) table.push([name, ...result.arms.map(cell)]);
  }
  return table.toString();
}

/** Arm by arm what became of the daemon; then the cause of the first fault, which most arms share. */
export function verdictLines(result: ReplayResult): string[] {
  const width = Math.max(...result.arms.map(({ arm }) => arms[arm].title.length));
  const answered = ({ answers }: ArmResult): string => (answers ? `; ${answers.answered} of ${answers.sent} datagrams answered` : '');
  const lines = result.arms.map((one) => `  ${arms[one.arm].title.padEnd(width)}  ${one.verdict.outcome}: ${one.verdict.words}${answered(one)}`);
  const faulted = result.arms.find(({ firstFault }) => firstFault);
  if (faulted?.firstFault) lines.push('', `First fault (${arms[faulted.arm].title})`, ...causeLines(faulted.firstFault, faulted.files.pcap ?? null).map((line) => `  ${line}`));
  return lines;
}

export function assertionLines(result: ReplayResult): string[] {
  return result.assertions.map(({ arm, what, demand, value, held }) => `  ${held ? 'ok  ' : 'FAIL'} ${arms[arm].title}: ${what} ${demand}${what === 'console' ? '' : ', is'} ${held && what === 'console' ? '' : value}`.trimEnd());
}

export function expectationLines(result: Pick<ReplayResult, 'expectations'>): string[] {
  const order = (groupsOfArms: readonly (readonly (keyof typeof arms)[])[]): string =>
    groupsOfArms.map((group) => group.map((arm) => arms[arm].title).join(' = ')).join('  >  ');
  return result.expectations.flatMap((one) => [
    `  ${one.metric}, best first`,
    `    expected  ${order(one.expected)}`,
    `    found     ${order(one.found)}`,
    ...one.disagreements.map((text) => `    DISAGREES ${text}`),
    ...(one.agrees ? [] : [`    the expectation was: ${one.why.trim()}`]),
  ]);
}

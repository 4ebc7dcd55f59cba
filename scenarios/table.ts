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

/** The groups and rows there is something to say in. Arms without checkpoints have nothing to say of them. */
function shownGroups({ arms: all }: Pick<ReplayResult, 'arms'>): [string, Row[]][] {
  const checkpoints = all.some(({ metrics }) => metrics.freezes > 0 || metrics.rollbacks > 0);
  return groups
    .filter(([title]) => checkpoints || !['filter', 'images', 'freeze', 'thaw'].includes(title))
    .map(([title, rows]): [string, Row[]] => [title, rows.filter(([, cell]) => all.some((arm) => cell(arm) !== '-'))])
    .filter(([, rows]) => rows.length > 0);
}

/** What a cell takes beside its text: a blank on either side and a line. */
const FRAME = 3;
const longest = (texts: readonly string[]): number => Math.max(0, ...texts.map((text) => text.length));

/** A title in lines of at most `width` letters, broken between words only. */
function wrapped(title: string, width: number): string {
  const lines = [''];
  for (const word of title.split(' ')) {
    const line = lines[lines.length - 1];
    if (line !== '' && line.length + 1 + word.length > width) lines.push(word);
    else lines[lines.length - 1] = line === '' ? word : `${line} ${word}`;
  }
  return lines.join('\n');
}

/** An arm's column: its title, in as many lines as the room asks for, and how many letters wide it is. */
interface Column {
  arm: ArmResult;
  title: string;
  width: number;
}

function columnsOf(results: readonly ArmResult[], rows: readonly Row[], narrow: boolean): Column[] {
  return results.map((arm) => {
    const { title } = arms[arm.arm];
    const least = Math.max(longest(title.split(' ')), longest(rows.map(([, cell]) => cell(arm))));
    return { arm, title: narrow ? wrapped(title, least) : title, width: narrow ? least : Math.max(least, title.length) };
  });
}

/** The columns in as few tables as `room` letters beside the rows' names allow; never less than one column. */
function sideBySide(columns: readonly Column[], room: number): Column[][] {
  const tables: Column[][] = [[]];
  let taken = 0;
  for (const column of columns) {
    taken += column.width + FRAME;
    if (taken > room && tables[tables.length - 1].length > 0) {
      tables.push([]);
      taken = column.width + FRAME;
    }
    tables[tables.length - 1].push(column);
  }
  return tables;
}

/** The results side by side, one column an arm. Colours only where a terminal reads them; where it has too few columns for all arms, one table below the other. */
export function resultTable(result: Pick<ReplayResult, 'arms'>, colours: boolean, terminalColumns = Infinity): string {
  const shown = shownGroups(result);
  const rows = shown.flatMap(([, all]) => all);
  const room = terminalColumns - longest(rows.map(([name]) => name)) - FRAME - 1;
  const wide = columnsOf(result.arms, rows, false);
  const tables = sideBySide(wide, room).length === 1 ? [wide] : sideBySide(columnsOf(result.arms, rows, true), room);
  return tables.map((columns) => tableOf(columns, shown, colours)).join('\n\n');
}

function tableOf(columns: readonly Column[], shown: readonly [string, Row[]][], colours: boolean): string {
  const style = colours ? {} : { head: [], border: [] };
  const table = new Table({ head: ['', ...columns.map(({ title }) => title)], style, colAligns: ['left', ...columns.map(() => 'right' as const)] });
  for (const [title, rows] of shown) {
    table.push([{ content: title.toUpperCase(), colSpan: columns.length + 1 }]);
    for (const [name, cell] of rows) table.push([name, ...columns.map(({ arm }) => cell(arm))]);
  }
  // Lines set the groups apart, not the rows.
  return table.toString().split('\n').filter((line) => !line.includes('┼')).join('\n');
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

import { profileNames } from '../../emulator/router/profiles.js';
import type { CapacityResult } from './capacity.js';
import type { CarryResult } from './carry.js';
import { totalCycles, type DirtyResult } from './dirty.js';
import type { FactorialResult } from './factorial.js';
import type { Fit } from './fit.js';
import { comparisons, mapOf, type MapResult } from './map.js';
import type { RungResult } from './measurement.js';
import { copiedBytes, vnodeOps } from './model.js';
import type { NativeResult } from './native.js';
import type { PartResult, ServiceResult } from './plan.js';
import { servicePaths } from './service.js';
import type { SizesResult } from './sizes.js';
import type { Summary } from './statistics.js';
import { countText, percentText, ratioText, sizeText, timeText } from './words.js';

/** One table of results, for terminal and page alike. */
export interface TextTable {
  title: string;
  head: string[];
  rows: string[][];
  note?: string;
}

const spread = ({ median, q1, q3 }: Summary, text: (value: number) => string): string => `${text(median)} [${text(q1)}–${text(q3)}]`;

export type TableKind = PartResult['kind'] | 'map';

/** Every table, in the order of the parts; the map stands behind the sweeps it is computed from. */
export const allTables = (results: readonly PartResult[]): (TextTable & { kind: TableKind })[] => {
  const sweeps = results.filter((one) => one.kind === 'sizes');
  return results.flatMap((result) => [
    ...tablesOf(result, results).map((table) => ({ ...table, kind: result.kind })),
    ...(result === sweeps.at(-1) ? [{ ...mapTable(mapOf(sweeps)), kind: 'map' as const }] : []),
  ]);
};

function tablesOf(result: PartResult, all: readonly PartResult[]): TextTable[] {
  switch (result.kind) {
    case 'factorial': return factorialTables(result);
    case 'sizes': return [fitTable(result)];
    case 'dirty': return [dirtyTable(result), crossoverTable(result)];
    case 'carry': return [carryTable(result)];
    case 'capacity': return [capacityTable(result)];
    case 'service': return [serviceTable(result)];
    case 'native': return nativeTables(result, all.filter((one) => one.kind === 'factorial'));
  }
}

function factorialTables(result: FactorialResult): TextTable[] {
  return (['freeze', 'thaw'] as const).map((group) => ({
    title: `${group} ${result.subject} (${result.residentPages} pages) on ${result.profile}, ramdisk ${result.ramdisk}`,
    head: ['', 'host', 'ratio', 'device', group === 'freeze' ? 'if all is written' : 'writing it again', 'drop', 'copied', 'vnode ops', 'RAM held'],
    rows: [
      ...result.rungs.filter((rung) => rung.group === group).map((rung) => factorialRow(rung, result.hz)),
      ...result.refused.filter(({ key }) => key.startsWith('thaw:') === (group === 'thaw')).map(({ title, errno }) => [title, errno, '', '', '', '', '', '', '']),
    ],
  }));
}

function factorialRow({ group, title, host, ratio, modelled: { act, dirty, undo, ramHeld } }: RungResult, hz: number): string[] {
  const cost = (cycles: number): string => (cycles === 0 ? '-' : timeText(cycles / hz));
  const [later, drop] = group === 'freeze' ? [dirty, undo] : [undo, dirty];
  return [title, spread(host, timeText), spread(ratio, ratioText), timeText(act.cycles / hz), cost(later.cycles), cost(drop.cycles), sizeText(copiedBytes(act)), String(vnodeOps(act)), sizeText(ramHeld)];
}

const fitCells = (fit: Fit | null): string[] => (fit
  ? [timeText(fit.fixed), timeText(fit.perSegment), timeText(fit.perByte * 1048576), fit.r2.toFixed(4), percentText(fit.worst)]
  : ['-', '-', '-', '-', '-']);

function fitTable({ profile, ramdisk, fits, points }: SizesResult): TextTable {
  const largest = (key: string): number => Math.max(...points.filter((one) => one.key === key).map(({ bytes }) => bytes));
  return {
    title: `time = fixed + segments × per segment + MiB × per MiB; ${profile}, ramdisk ${ramdisk}`,
    head: ['', 'of', 'fixed', 'per segment', 'per MiB', 'R²', 'worst', 'largest image'],
    rows: fits.flatMap(({ key, title, device, host }) => [
      [title, 'device', ...fitCells(device), sizeText(largest(key))],
      ['', 'host', ...fitCells(host), ''],
    ]),
    note: 'Device: the freeze. Host: freeze and drop. "worst" is the largest relative residual. "largest image": the largest of those tried that the device held.',
  };
}

function dirtyTable({ subject, profile, ramdisk, hz, pages, points }: DirtyResult): TextTable {
  const fractions = [...new Set(points.map(({ fraction }) => fraction))];
  const keys = [...new Set(points.map(({ key }) => key))];
  const cell = (key: string, fraction: number, of: 'device' | 'host'): string => {
    const point = points.find((one) => one.key === key && one.fraction === fraction);
    return point ? timeText(of === 'device' ? totalCycles(point) / hz : point.host ?? NaN) : '-';
  };
  return {
    title: `freeze + page breaks + drop of ${subject} against the share of its ${pages} writable pages written meanwhile; ${profile}, ramdisk ${ramdisk}`,
    head: ['', 'of', ...fractions.map(percentText)],
    rows: keys.flatMap((key) => [
      [points.find((one) => one.key === key)?.title ?? key, 'device', ...fractions.map((fraction) => cell(key, fraction, 'device'))],
      ['', 'host', ...fractions.map((fraction) => cell(key, fraction, 'host'))],
    ]),
  };
}

function crossoverTable({ crossovers }: DirtyResult): TextTable {
  return { title: 'sharing costs as much as copying (device) when so many pages are written', head: ['', 'pages written'], rows: crossovers.map(({ title, fraction }) => [title, fraction === null ? 'never' : percentText(fraction)]) };
}

function carryTable({ profile, hz, store, rows }: CarryResult): TextTable {
  const of = (cycles: number): string => timeText(cycles / hz);
  return {
    title: `carrying a range over a thaw from ${store}: cache at every update against persist at every thaw; ${profile}`,
    head: ['bytes', 'cache, an update', 'cache, back after a thaw', 'persist, once', 'persist, a thaw', 'persist is cheaper from'],
    rows: rows.map((row) => [sizeText(row.bytes), of(row.cacheUpdate), of(row.cacheBack), of(row.persistOnce), of(row.persistThaw), updates(row.crossover)]),
    note: 'Crossover: updates between two thaws.',
  };
}

const updates = (crossover: number): string => (crossover < 1 ? 'the first update' : `${crossover.toFixed(1)} updates a thaw`);

function capacityTable({ profile, ramBytes, rows }: CapacityResult): TextTable {
  return {
    title: `images that fit in the ${sizeText(ramBytes)} of ${profile}, ramdisk ${rows[0]?.ramdisk ?? ''}`,
    head: ['', 'process', 'written between', 'images', 'ended by', 'RAM an image'],
    rows: rows.map((row) => [row.title, row.subject, percentText(row.written), row.errno ? countText(row.images) : `> ${countText(row.images)}`, row.errno ?? 'not reached', row.ramdisk === 'block' && row.key.startsWith('vnode') ? 'set aside' : sizeText(row.each)]),
    note: 'A block device takes half of the RAM when the router boots, used or not; a tmpfs takes what its files need, up to half.',
  };
}

function serviceTable({ profile, ramdisk, rows }: ServiceResult): TextTable {
  return {
    title: `dnsd under ${countText(rows[0]?.offered ?? 0)} requests a second; ${profile}, ramdisk ${ramdisk}`,
    head: ['', 'image', 'freeze every', 'answered/s', 'p50', 'p99', 'no answer', 'lost: ring', 'lost: socket', 'time in freezes'],
    rows: rows.map((row) => [
      servicePaths[row.path].title, row.imageBytes > 0 ? sizeText(row.imageBytes) : row.state > 0 ? `(+${sizeText(row.state)})` : '-', row.interval === 0 ? '-' : countText(row.interval), countText(row.throughput),
      timeText(row.p50), timeText(row.p99), percentText(row.lost), countText(row.ringLost), countText(row.socketLost), percentText(row.frozen),
    ]),
    note: 'Half a second of virtual time each. "freeze every" counts requests. "answered/s": answers that came in it, to whatever request; the first of them may be to requests of the tenth of a second before. "no answer": of the requests sent in it up to a tenth of a second before its end, those without an answer at the end. p50 and p99 are of requests sent in it and answered.',
  };
}

function nativeTables({ folder, kernel, rows, skips }: NativeResult, factorials: readonly FactorialResult[]): TextTable[] {
  const table: TextTable = {
    title: `this computer itself: Linux ${kernel}, ${folder}, against a warm copy of as many bytes`,
    head: ['', 'bytes', 'time', 'ratio', 'ours, host', 'ours, device'],
    rows: rows.map((row) => [row.title, sizeText(row.bytes), spread(row.seconds, timeText), spread(row.ratio, ratioText), ...oursFor(row.key, row.bytes, factorials)]),
  };
  const skipped: TextTable = { title: 'skipped', head: ['', 'reason'], rows: skips.map(({ what, reason }) => [what, reason]) };
  return skips.length > 0 ? [table, skipped] : [table];
}

/** The rung that does the same here. */
const COUNTERPART: Record<string, string> = { copy: 'floor', new: 'vnode/fresh', inPlace: 'vnode/reused', renamed: 'vnode/fresh+atomic', small: 'vnode/fresh:4k', core: 'vnode/fresh+export' };

/** Ratios to our floor, of the process whose size is nearest. */
function oursFor(key: string, bytes: number, factorials: readonly FactorialResult[]): string[] {
  const near = factorials.filter(({ ramdisk, residentPages }) => ramdisk === 'tmpfs' && Math.abs(Math.log2((residentPages * 4096) / bytes)) < 1);
  const rung = near[0]?.rungs.find((one) => one.key === COUNTERPART[key]);
  const floor = near[0]?.rungs.find((one) => one.key === 'floor');
  if (!rung || !floor) return ['-', '-'];
  return [ratioText(rung.ratio.median), ratioText(rung.modelled.act.cycles / floor.modelled.act.cycles)];
}

/** What each comparison takes for the shunt to cost half. */
function mapTable({ lines, places }: MapResult): TextTable {
  const prices = profileNames.map((name) => `${name} ${places[name].byte.toFixed(2)} cycles a byte, ${Math.round(places[name].op)} an operation`).join('; ');
  return {
    title: 'vnode path over shunt, and the price of a vnode operation (cycles) from which on the shunt costs half',
    head: ['', 'image', ...profileNames.flatMap((name) => [`${name}: ratio`, 'half from'])],
    rows: lines.map((line) => [
      comparisons.find(({ name }) => name === line.comparison)?.title ?? line.comparison, sizeText(line.bytes),
      ...profileNames.flatMap((name) => [ratioText(line.ratios[name]), fromText(line.thresholds[name])]),
    ]),
    note: `The profiles: ${prices}. *: a quarter of the pages is written before the image is dropped, and the page breaks count.`,
  };
}

const fromText = (cycles: number | null): string => (cycles === null ? 'never' : cycles === 0 ? 'any' : countText(cycles));

import { cellKey, cellTitle, plainCells, type Path, type Transfer } from './cell.js';
import { chart, compose, type Chart, type LegendEntry } from './chart.js';
import { totalCycles, type DirtyResult } from './dirty.js';
import type { Fit } from './fit.js';
import { comparisons, FACTOR, mapOf, threshold, type MapLine, type MapResult } from './map.js';
import type { PartResult, ServiceResult } from './plan.js';
import { servicePaths, type ServiceRow } from './service.js';
import type { SizesResult } from './sizes.js';
import { sizeText, timeText } from './words.js';

export interface Figure {
  name: string;
  title: string;
  caption: string;
  /** For a page that sets the colours. */
  svg: string;
  /** For a file of its own: colours written out. */
  standalone: string;
}

/** Colours that stay apart in greyscale and on a dark page; a page may set the variables. */
const colours: Record<string, string> = { floor: 'var(--ink, #1c1c22)', tmpfs: 'var(--tmpfs, #c8641c)', block: 'var(--block, #8c1d40)', shunt: 'var(--shunt, #1f6fb2)' };
const dashes: Record<Path, Record<Transfer, string>> = { vnode: { fresh: '', reused: '13 8', share: '4 7' }, shunt: { fresh: '', reused: '7 4', share: '2 3' } };

interface Series {
  key: string;
  title: string;
  colour: string;
  dash: string;
  wide: number;
}

/** The vnode path is drawn first and wider: where both cost the same, both are seen. */
const WIDE = { vnode: 5, shunt: 2 } as const;

/** One line a path and transfer, the vnode path once a ramdisk; the shunt does not know the ramdisk. */
function seriesOf(ramdisks: readonly string[], ramdisk: string): Series[] {
  const several = ramdisks.length > 1;
  const own = plainCells.filter(({ path }) => path === 'vnode' || ramdisk === ramdisks[0])
    .map((cell) => ({ key: cellKey(cell), title: cellTitle(cell) + (several && cell.path === 'vnode' ? ` (${ramdisk})` : ''), colour: colours[cell.path === 'shunt' ? 'shunt' : ramdisk], dash: dashes[cell.path][cell.transfer], wide: WIDE[cell.path] }));
  const floor = { key: 'floor', title: 'bare copy into warm frames: the floor', colour: colours.floor, dash: '', wide: 1 };
  own.sort((a, b) => b.wide - a.wide);
  return ramdisk === ramdisks[0] ? [...own, floor] : own;
}

export async function figuresOf(results: readonly PartResult[]): Promise<Figure[]> {
  const sizes = results.filter((one) => one.kind === 'sizes');
  const dirty = results.filter((one) => one.kind === 'dirty');
  const services = results.filter((one) => one.kind === 'service');
  const figures: Figure[] = [];
  if (sizes.length > 0 || dirty.length > 0) figures.push(await costFigure(sizes, dirty));
  if (sizes.length > 0) figures.push(await ratioFigure(sizes), await mapFigure(mapOf(sizes)));
  if (services.length > 0) figures.push(await serviceFigure(services));
  return figures;
}

const figure = (name: string, title: string, caption: string, svg: string): Figure => ({ name, title, caption, svg, standalone: svg.replace(/var\(--[a-z-]+, (#[0-9a-f]+)\)/g, '$1') });

// ---- the cost of an image

const fewestSegments = ({ points }: SizesResult): number => Math.min(...points.map(({ segments }) => segments));

function fitText(fit: Fit | null | undefined): string {
  return fit ? `${timeText(fit.fixed)} + ${timeText(fit.perSegment)}/segment + ${timeText(fit.perByte * 1048576)}/MiB, R² ${fit.r2.toFixed(4)}` : '';
}

async function costFigure(sizes: readonly SizesResult[], dirty: readonly DirtyResult[]): Promise<Figure> {
  const ramdisks = [...new Set([...sizes, ...dirty].map(({ ramdisk }) => ramdisk))];
  const charts: Chart[] = [];
  if (sizes.length > 0) charts.push(await sizeChart(sizes, ramdisks));
  if (dirty.length > 0) charts.push(await dirtyChart(dirty, ramdisks));
  const drawn = new Set([...sizes, ...dirty].flatMap(({ ramdisk, points }) => points.map(({ key }) => `${ramdisk} ${key}`)));
  const legend = ramdisks.flatMap((ramdisk) => seriesOf(ramdisks, ramdisk).filter(({ key }) => drawn.has(`${ramdisk} ${key}`)).map((series): LegendEntry => ({
    ...series, detail: fitText(sizes.find((one) => one.ramdisk === ramdisk)?.fits.find(({ key }) => key === series.key)?.device),
  })));
  const { profile } = [...sizes, ...dirty][0];
  return figure('cost', 'What an image costs', `Device time on ${profile}: counts times the constants of the profile. Left: a freeze against the size of the image, both scales logarithmic, one
line a path and transfer; the fit stands in the legend. Right: all that one freeze costs until its image is gone (the freeze, the page breaks it causes later, the drop) against the share of pages written meanwhile.`, compose(charts, legend));
}

function sizeChart(sizes: readonly SizesResult[], ramdisks: readonly string[]): Promise<Chart> {
  return chart({
    title: 'one freeze: device time', width: 540, height: 400,
    x: { label: 'image', log: true, text: (value) => sizeText(value), values: powers(16, 26, 2) },
    y: { label: '', log: true, text: tick },
    lines: sizes.flatMap((one) => seriesOf(ramdisks, one.ramdisk).map((series) => ({
      ...series,
      points: one.points.filter(({ key, segments }) => key === series.key && segments === fewestSegments(one)).map(({ bytes, modelled }) => ({ x: bytes, y: modelled.act.cycles / one.hz })),
    }))),
  });
}

/** 1 ms instead of 1.00 ms. */
const tick = (value: number): string => timeText(value).replace(/(\.\d*?)0+ /, '$1 ').replace('. ', ' ');

const shortCount = (value: number): string => (value >= 1e6 ? `${value / 1e6} M` : value >= 1e3 ? `${value / 1e3} k` : String(value));

const powers = (from: number, to: number, step: number): number[] => Array.from({ length: Math.floor((to - from) / step) + 1 }, (_, i) => 2 ** (from + i * step));

function dirtyChart(dirty: readonly DirtyResult[], ramdisks: readonly string[]): Promise<Chart> {
  return chart({
    title: `freeze + page breaks + drop of ${dirty[0].subject}: device time`, width: 500, height: 400,
    x: { label: 'pages written before the next freeze', log: false, text: (value) => `${Math.round(value * 100)} %`, values: [0, 0.25, 0.5, 0.75, 1] },
    y: { label: '', log: false, text: tick },
    lines: dirty.flatMap((one) => seriesOf(ramdisks, one.ramdisk).map((series) => ({
      ...series, points: one.points.filter(({ key }) => key === series.key).map((point) => ({ x: point.fraction, y: totalCycles(point) / one.hz })),
    }))),
  });
}

async function ratioFigure(sizes: readonly SizesResult[]): Promise<Figure> {
  const ramdisks = sizes.map(({ ramdisk }) => ramdisk);
  const lines = sizes.flatMap((one) => {
    const fewest = fewestSegments(one);
    const perByte = one.fits.find(({ key }) => key === 'floor')?.device?.perByte ?? NaN;
    return seriesOf(ramdisks, one.ramdisk).map((series) => ({
      ...series,
      points: one.points.filter(({ key, segments }) => key === series.key && segments === fewest).map(({ bytes, modelled }) => ({ x: bytes, y: modelled.act.cycles / one.hz / (bytes * perByte) })),
    }));
  });
  const plot = await chart({
    title: 'freeze over bare copy: times the floor', width: 720, height: 360,
    x: { label: 'image', log: true, text: sizeText, values: powers(16, 26, 2) },
    y: { label: '', log: true, text: (value) => `${value}×` },
    lines,
  });
  const legend = lines.filter(({ points }) => points.length > 0).map((series) => ({ ...series, detail: '' }));
  return figure('ratio', 'The same over the floor', `How often the bytes could have been copied meanwhile. What lies above 1 is what a path adds to the copy; what lies below it is a copy avoided.`, compose([plot], legend));
}

// ---- the map

const MAP_BYTE: [number, number] = [0.1, 100];
const MAP_OP: [number, number] = [10, 1e6];
const sizeColours = ['var(--tmpfs, #c8641c)', 'var(--shunt, #1f6fb2)', 'var(--block, #8c1d40)'];

async function mapFigure(map: MapResult): Promise<Figure> {
  const sizes = [...new Set(map.lines.map(({ bytes }) => bytes))].sort((a, b) => a - b);
  const marks = Object.entries(map.places).map(([text, { byte, op }]) => ({ x: byte, y: op, text }));
  const charts = await Promise.all(comparisons.filter(({ name }) => map.lines.some((line) => line.comparison === name)).map(({ name, title }) => chart({
    title, width: 280, height: 300, marks,
    x: { label: '→ cycles a byte  ↑ cycles a vnode op.', log: true, text: String, domain: MAP_BYTE, values: [0.1, 1, 10, 100] },
    y: { label: '', log: true, text: shortCount, domain: MAP_OP, values: [10, 100, 1e3, 1e4, 1e5, 1e6] },
    lines: sizes.map((bytes, i) => ({
      key: String(bytes), title: sizeText(bytes), colour: sizeColours[i % sizeColours.length], dash: '',
      points: boundary(map.lines.find((line) => line.comparison === name && line.bytes === bytes)),
    })),
    above: true,
  })));
  const legend = sizes.map((bytes, i) => ({ key: String(bytes), title: `image of ${sizeText(bytes)}: in the shaded part above its line the shunt costs half or less`, colour: sizeColours[i % sizeColours.length], dash: '', detail: '' }));
  return figure('map', `Where the shunt wins by ${FACTOR}`, `The two prices that are assumed for a board are the axes; all else is counted. A line that has left the panel below means that the shunt wins at any price shown.
The dots are the three profiles. *: a quarter of the pages is written before the image is dropped, and the page breaks count.`, compose(charts, legend));
}

/** The line itself, and where it leaves the panel, its edge. */
function boundary(line: MapLine | undefined): { x: number; y: number }[] {
  if (!line) return [];
  const steps = 60;
  return Array.from({ length: steps + 1 }, (_, i) => {
    const x = MAP_BYTE[0] * (MAP_BYTE[1] / MAP_BYTE[0]) ** (i / steps);
    const at = threshold(line.vnode, line.shunt, x);
    return { x, y: at === null ? MAP_OP[1] : Math.min(MAP_OP[1], Math.max(MAP_OP[0], at)) };
  });
}

// ---- service

const serviceStyle: Record<string, { colour: string; dash: string; wide: number }> = {
  none: { colour: colours.floor, dash: '', wide: 1 }, 'vnode/fresh': { colour: colours.tmpfs, dash: '', wide: WIDE.vnode }, 'vnode/share': { colour: colours.tmpfs, dash: dashes.vnode.share, wide: WIDE.vnode },
  'shunt/fresh': { colour: colours.shunt, dash: '', wide: WIDE.shunt }, 'shunt/reused': { colour: colours.shunt, dash: dashes.shunt.reused, wide: WIDE.shunt }, 'shunt/share': { colour: colours.shunt, dash: dashes.shunt.share, wide: WIDE.shunt },
};

async function serviceFigure(services: readonly ServiceResult[]): Promise<Figure> {
  const largest = Math.max(...services.flatMap(({ rows }) => rows.map(({ state }) => state)));
  const series = services.flatMap((service, k) => Object.entries(servicePaths).filter(([path]) => k === 0 || path.startsWith('vnode')).map(([path, { title }]) => ({
    key: `${path} ${service.ramdisk}`, title: title + (services.length > 1 && path.startsWith('vnode') ? ` (${service.ramdisk})` : ''),
    ...serviceStyle[path], ...(path.startsWith('vnode') ? { colour: colours[service.ramdisk] } : {}),
    rows: service.rows.filter((row) => row.path === path && row.state === largest),
  }))).sort((a, b) => b.wide - a.wide);
  const intervals = [...new Set(series.flatMap(({ rows }) => rows.map(({ interval }) => interval)))].filter((interval) => interval > 0).sort((a, b) => a - b);
  const panel = (title: string, of: (row: ServiceRow) => number, y: { label: string; log: boolean; text: (value: number) => string }): Promise<Chart> => chart({
    title, width: 350, height: 320, x: { label: 'requests between freezes', log: true, text: String, values: intervals }, y,
    lines: series.map(({ rows, ...one }) => ({ ...one, points: rows.flatMap((row) => (row.interval === 0 ? intervals : [row.interval]).map((x) => ({ x, y: of(row) }))) })),
  });
  const charts = [
    await panel('answered a second', (row) => row.throughput, { label: '', log: false, text: (value) => value.toLocaleString('en') }),
    await panel('p99 of those answered', (row) => row.p99, { label: '', log: true, text: tick }),
    await panel('no answer in time', (row) => row.lost, { label: '', log: false, text: (value) => `${Math.round(value * 100)} %` }),
  ];
  const offered = services[0].rows[0]?.offered ?? 0;
  return figure('service', 'Service under load', `dnsd with ${sizeText(largest)} of tables beside its own memory, ${offered.toLocaleString('en')} requests a second, a freeze after every so many requests.`, compose(charts, series.filter(({ rows }) => rows.length > 0).map((one) => ({ ...one, detail: '' }))));
}

import { escape } from '../report/html.js';

export interface Axis {
  label: string;
  log: boolean;
  text: (value: number) => string;
  /** Ticks; by default Plot's own. */
  values?: number[];
  domain?: [number, number];
}

export interface Line {
  key: string;
  title: string;
  colour: string;
  dash: string;
  /** Pixels; lines drawn first are made wider where others may cover them. */
  wide?: number;
  points: { x: number; y: number }[];
}

export interface ChartSpec {
  title: string;
  width: number;
  height: number;
  x: Axis;
  y: Axis;
  lines: Line[];
  /** Named points. */
  marks?: { x: number; y: number; text: string }[];
  /** Shade what lies above each line. */
  above?: boolean;
}

export interface Chart {
  svg: string;
  title: string;
  width: number;
  height: number;
}

export interface LegendEntry extends Omit<Line, 'points'> {
  detail: string;
}

const INK = 'var(--ink, #1c1c22)';
const PAGE = 'var(--page, #ffffff)';
const SOFT = 'var(--soft, #5d5d68)';
const FONT = 'system-ui, sans-serif';
const FONT_SIZE = 12;
const TITLE_HEIGHT = 24;
const ROW_HEIGHT = 20;
const GAP = 12;
const MARGIN_LEFT = 64;

/** Drawn by Observable Plot without a browser; loaded only when figures are asked for. */
export async function chart(spec: ChartSpec): Promise<Chart> {
  const Plot = await import('@observablehq/plot');
  const { parseHTML } = await import('linkedom');
  const { document } = parseHTML('<!doctype html><html><body></body></html>');
  const lines = spec.lines.map((line) => ({ ...line, points: line.points.filter(({ x, y }) => Number.isFinite(x) && Number.isFinite(y)) })).filter(({ points }) => points.length > 0);
  const axis = ({ label, log, text, values, domain }: Axis, points: number[]) => ({
    type: log ? ('log' as const) : ('linear' as const), label: label || null, labelAnchor: 'center' as const, labelArrow: 'none' as const, tickFormat: text, grid: true,
    ...(log ? { ticks: (values ?? logTicks(points)).filter((value) => within(value, domain ?? points)) } : { nice: true, ticks: values ?? 5 }),
    ...(domain ? { domain } : log ? {} : { domain: [Math.min(0, ...points), Math.max(...points)] }),
  });
  const xs = lines.flatMap(({ points }) => points.map(({ x }) => x));
  const ys = lines.flatMap(({ points }) => points.map(({ y }) => y));
  const top = spec.y.domain?.[1] ?? Math.max(...ys);
  const plot = Plot.plot({
    document: document as never, width: spec.width, height: spec.height, marginLeft: MARGIN_LEFT, marginBottom: 44, marginTop: 12, marginRight: 26,
    style: { background: 'none', color: INK, fontSize: `${FONT_SIZE}px`, fontFamily: FONT },
    x: axis(spec.x, xs), y: axis(spec.y, ys),
    marks: [
      ...(spec.above ? lines.map(({ points, colour }) => Plot.areaY(points, { x: 'x', y1: 'y', y2: top, fill: colour, fillOpacity: 0.1 })) : []),
      ...lines.map(({ points, colour, dash, wide = 2 }) => Plot.line(points, { x: 'x', y: 'y', stroke: colour, strokeWidth: wide, strokeDasharray: dash || undefined, strokeLinecap: 'butt' })),
      ...(spec.marks ?? []).map((mark, i) => Plot.dot([mark], { x: 'x', y: 'y', r: 4, fill: INK, symbol: (['circle', 'square', 'triangle'] as const)[i % 3] })),
      ...(spec.marks ? [Plot.text(spread(spec.marks), { x: 'x', y: 'labelY', text: 'text', textAnchor: 'middle', fill: INK, stroke: PAGE, strokeWidth: 4, fontSize: FONT_SIZE })] : []),
    ],
  });
  return { svg: (plot as unknown as { outerHTML: string }).outerHTML, title: spec.title, width: spec.width, height: spec.height };
}

/** Powers of ten, with 2 and 5 between them where they are few. */
function logTicks(values: readonly number[]): number[] {
  const [low, high] = [Math.floor(Math.log10(Math.min(...values))), Math.ceil(Math.log10(Math.max(...values)))];
  const steps = high - low > 3 ? [1] : [1, 2, 5];
  return Array.from({ length: high - low + 1 }, (_, i) => low + i).flatMap((power) => steps.map((step) => Number(`${step}e${power}`)));
}

const within = (value: number, range: readonly number[]): boolean => value >= Math.min(...range) * 0.999 && value <= Math.max(...range) * 1.001;

/** Names above and below their points in turn, from left to right: neighbours would cover each other. */
function spread(marks: readonly { x: number; y: number; text: string }[]): { x: number; labelY: number; text: string }[] {
  return [...marks].sort((a, b) => a.x - b.x).map(({ x, y, text }, i) => ({ x, text, labelY: y * [1.9, 0.5, 3.6][i % 3] }));
}

/** Charts side by side, the legend below them, one entry a line. */
export function compose(charts: readonly Chart[], legend: readonly LegendEntry[]): string {
  const width = charts.reduce((sum, one) => sum + one.width, 0) + GAP * (charts.length - 1);
  const plotHeight = Math.max(...charts.map(({ height }) => height)) + TITLE_HEIGHT;
  const height = plotHeight + GAP + legend.length * ROW_HEIGHT + GAP;
  let x = 0;
  const drawn = charts.map((one) => {
    const at = x;
    x += one.width + GAP;
    return `<text x="${at + MARGIN_LEFT}" y="15" font-weight="600" fill="${INK}">${escape(one.title)}</text>${one.svg.replace('<svg', `<svg x="${at}" y="${TITLE_HEIGHT}"`)}`;
  });
  const entries = legend.map(({ title, colour, dash, wide = 2, detail }, i) => {
    const y = plotHeight + GAP + i * ROW_HEIGHT + ROW_HEIGHT / 2;
    return `<line x1="${MARGIN_LEFT}" x2="${MARGIN_LEFT + 40}" y1="${y}" y2="${y}" stroke="${colour}" stroke-width="${wide}"${dash ? ` stroke-dasharray="${dash}"` : ''}/>
<text x="${MARGIN_LEFT + 50}" y="${y + 4}" fill="${INK}">${escape(title)}<tspan fill="${SOFT}">${detail ? ` &#160; ${escape(detail)}` : ''}</tspan></text>`;
  });
  return `<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 ${width} ${height}" width="${width}" height="${height}" role="img" aria-label="${escape(charts.map(({ title }) => title).join('; '))}" font-family="${FONT}" font-size="${FONT_SIZE}">
${drawn.join('\n')}
${entries.join('\n')}
</svg>`;
}

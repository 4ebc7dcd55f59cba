import { arms, type ArmName } from '../arms.js';
import { formatMetric } from '../judgement.js';
import { cliffLines, rateText, SERVES, spanNotes, type SweepResult } from '../experiment/sweep.js';
import { formatShare } from '../units.js';
import { armStyles } from './arm-style.js';
import { drawingDocument, legend, LEGEND_ROW, legendRows, PLOT_STYLE, svgText, type Use } from './drawing.js';
import { escape, table } from './html.js';
import { plainPage, type Section } from './plain-page.js';

const WIDTH = 1040;
const PLOT_HEIGHT = 596;
const PANELS = { availability: 'whole run', availabilityLastThird: 'last third of the run' } as const;
type Panel = keyof typeof PANELS;

interface Point {
  arm: ArmName;
  panel: string;
  rate: number;
  median: number;
  q1: number;
  q3: number;
}

/** Availability against attack rate, one line an arm with the band of its quartiles; over the whole run, and in its last third. */
export async function sweepSvg(result: SweepResult, use: Use): Promise<string> {
  const Plot = await import('@observablehq/plot');
  const points = (Object.keys(PANELS) as Panel[]).flatMap((name) => result.points.map(({ arm, rate, figures }): Point => {
    const { median, q1, q3 } = figures[name];
    return { arm, panel: PANELS[name], rate, median: 100 * median, q1: 100 * q1, q3: 100 * q3 };
  }));
  const present = result.cliffs.map(({ arm }) => arm);
  const rates = result.rates.map(({ rate }) => rate);
  const marks = present.flatMap((arm) => {
    const own = points.filter((point) => point.arm === arm);
    const { colour, width, dash, symbol } = armStyles[arm];
    return [
      Plot.areaY(own, { x: 'rate', y1: 'q1', y2: 'q3', fy: 'panel', fill: colour, fillOpacity: 0.25 }),
      Plot.line(own, { x: 'rate', y: 'median', fy: 'panel', stroke: colour, strokeWidth: width, strokeDasharray: dash }),
      Plot.dot(own, { x: 'rate', y: 'median', fy: 'panel', fill: colour, symbol, r: 4.5, stroke: 'white', strokeWidth: 0.8 }),
    ];
  });
  const titles = present.map((arm) => arms[arm].title);
  const top = 44 + LEGEND_ROW * legendRows(present);
  const plot = Plot.plot({
    document: await drawingDocument(),
    width: WIDTH, height: PLOT_HEIGHT + top, marginLeft: 60, marginRight: 20, marginTop: top, marginBottom: 48, style: PLOT_STYLE,
    x: { type: 'log', domain: [rates[0] * 0.8, (rates.at(-1) ?? 1) * 1.25], label: 'attack messages a second of virtual time', labelAnchor: 'center', labelArrow: 'none', ticks: rates, tickFormat: (rate: number) => String(rate) },
    y: { domain: [0, 100], label: null, grid: true, ticks: 5 },
    fy: { domain: Object.values(PANELS), axis: null, padding: 0.16 },
    marks: [Plot.ruleY([0]), ...marks, Plot.text(Object.values(PANELS), { fy: (panel: string) => panel, text: (panel: string) => `probes answered in time, %: ${panel}`, frameAnchor: 'top-left', dy: -18, dx: -40, fontWeight: 600 })],
  });
  return svgText(plot, `Availability of ${titles.join(', ')} against attack rates from ${rates[0]} to ${rates.at(-1)} a second`, use, legend(present, WIDTH));
}

const CAPTION = `One line an arm: the median over the seeds; the band is the middle half of them. Lines that lie on one another are drawn thick to thin. The last third of a run shows what is left
when a supervisor has given up.`;

export async function sweepSections(result: SweepResult): Promise<Section[]> {
  return [
    { title: 'Availability against attack rate', html: `<figure>${await sweepSvg(result, 'page')}<figcaption>${escape(CAPTION)}</figcaption></figure>${spanNotes(result).map((note) => `<p class="soft">${escape(note)}</p>`).join('')}` },
    { title: 'Where service ends', html: `<p>Up to which rate an arm answers ${formatShare(SERVES)} of the probes in the last third of a run.</p><ul>${cliffLines(result.cliffs).map((line) => `<li>${escape(line.trim().replace(/ {2,}/, ': '))}</li>`).join('')}</ul>` },
    { title: 'Figures', html: (Object.keys(PANELS) as Panel[]).map((name) => `<h3>Availability, ${PANELS[name]}</h3>${sweepHtml(result, name)}`).join('') },
  ];
}

function sweepHtml(result: SweepResult, name: Panel): string {
  const present = result.cliffs.map(({ arm }) => arm);
  const rows = result.rates.map(({ rate, seconds, why }) => [`${rateText(rate)}`, `${seconds.toFixed(0)} s${why === null ? '' : '*'}`, ...present.map((arm) => {
    const point = result.points.find((one) => one.arm === arm && one.rate === rate);
    if (!point) return '-';
    const { median, q1, q3 } = point.figures[name];
    const [low, high] = [formatMetric(name, q1), formatMetric(name, q3)];
    return `${formatMetric(name, median)}${low === high ? '' : `<br><span class="soft">${low} … ${high}</span>`}`;
  })]);
  return table(['rate', 'run', ...present.map((arm) => escape(arms[arm].title))], rows);
}

export async function sweepReport(result: SweepResult): Promise<string> {
  const lead = `<p class="soft"><code>${escape(result.scenario)}</code>, profile ${escape(result.profile)}, ${result.seeds.length} seeds from ${result.seeds[0]} on</p>`;
  return plainPage(result.title, lead, await sweepSections(result));
}

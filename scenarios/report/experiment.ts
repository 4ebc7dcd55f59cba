import { arms } from '../arms.js';
import { conditions } from '../experiment/conditions.js';
import type { Control } from '../experiment/controls.js';
import { reseedingLines, shown, metricGroups } from '../experiment/seed-table.js';
import type { SeedsResult } from '../experiment/seeds.js';
import { metricInfo, type MetricName } from '../metric-names.js';
import { replay } from '../replay.js';
import type { Scenario } from '../scenario.js';
import { firmwareImage } from '../simulation.js';
import { armStyles } from './arm-style.js';
import { drawingDocument, PLOT_STYLE, svgText, type Use } from './drawing.js';
import { escape, table } from './html.js';
import { reportPage } from './page.js';
import type { Section } from './plain-page.js';

const WIDTH = 1040;
const ROW = 34;
const NEVER = 'never';

/** One metric of every arm: a dot a seed, the middle half as a bar, the median as a stroke. Seeds without the value are not drawn, "never" is at the right edge. */
export async function seedsSvg(result: Pick<SeedsResult, 'arms' | 'runs'>, name: MetricName, use: Use): Promise<string> {
  const Plot = await import('@observablehq/plot');
  const { title, unit } = metricInfo[name];
  const scale = unit === 'share' ? 100 : unit === 'ns' ? 1e-6 : 1;
  const dots = result.runs.filter((run) => run.condition === 'attack' && !Number.isNaN(run.metrics[name])).map((run) => ({ arm: arms[run.arm].title, style: armStyles[run.arm], value: run.metrics[name] * scale }));
  const finite = dots.map(({ value }) => value).filter(Number.isFinite);
  const [low, high] = unit === 'share' ? [0, 100] : [0, Math.max(1, ...finite)];
  const edge = high * 1.06;
  const at = (value: number): number => (Number.isFinite(value) ? value : edge);
  const summaries = result.arms.filter(({ figures }) => figures[name].samples > 0).map(({ arm, figures: { [name]: one } }) => ({ arm: arms[arm].title, median: at(one.median * scale), q1: at(one.q1 * scale), q3: at(one.q3 * scale), colour: armStyles[arm].colour }));
  const titles = result.arms.map(({ arm }) => arms[arm].title);
  const label = `${title}${unit === 'share' ? ', %' : unit === 'ns' ? ', ms' : ''}`;
  const plot = Plot.plot({
    document: await drawingDocument(),
    width: WIDTH, height: 56 + ROW * titles.length, marginLeft: 160, marginRight: 60, marginTop: 10, marginBottom: 42, style: PLOT_STYLE,
    x: { domain: [low, edge], label, labelAnchor: 'center', labelArrow: 'none', grid: true },
    y: { domain: titles, label: null, padding: 0.3 },
    marks: [
      Plot.barX(summaries, { y: 'arm', x1: 'q1', x2: 'q3', fill: 'colour', fillOpacity: 0.3 }),
      Plot.tickX(summaries, { y: 'arm', x: 'median', stroke: 'colour', strokeWidth: 3 }),
      Plot.dot(dots, { y: 'arm', x: (one: { value: number }) => at(one.value), fill: (one: (typeof dots)[number]) => one.style.colour, r: 3, fillOpacity: 0.7 }),
      ...(dots.some(({ value }) => !Number.isFinite(value)) ? [Plot.text([edge], { x: (value: number) => value, frameAnchor: 'top', text: () => NEVER, dy: -8 })] : []),
    ],
  });
  return svgText(plot, `${title} of ${titles.join(', ')} over the seeds`, use);
}

const VERDICT: Record<Control['verdict'], string> = { held: 'held', failed: '<strong>failed</strong>', none: 'cannot be made' };

/** What an experiment over seeds adds to the page of one run. */
export async function seedsSections(result: SeedsResult): Promise<Section[]> {
  const figures = await Promise.all((['availability', 'requestsLost'] as const).map((name) => seedsSvg(result, name, 'page')));
  const caption = 'A dot is a seed, the bar the middle half of the seeds, the stroke their median.';
  return [
    { title: `Over ${result.seeds.length} seeds`, html: `${figures.map((svg) => `<figure>${svg}</figure>`).join('\n')}<p class="soft">${caption}</p>${figuresHtml(result)}` },
    ...(result.controls.length > 0 ? [{ title: 'Controls', html: controlsHtml(result.controls) }] : []),
    ...(result.reseeding ? [{ title: 'State contradicted by rollback, with and without reseeding', html: `<ul>${reseedingLines(result.reseeding).map((line) => `<li>${escape(line.trim())}</li>`).join('')}</ul>` }] : []),
  ];
}

function figuresHtml(result: SeedsResult): string {
  const rows = metricGroups.flatMap(([, metrics]) => metrics).filter((name) => result.arms.some(({ figures }) => figures[name].samples > 0))
    .map((name) => [`<span title="${escape(metricInfo[name].meaning)}">${escape(metricInfo[name].title)}</span>`, ...result.arms.map((arm) => escape(shown(name, arm)).replaceAll('\n', '<br>'))]);
  return table(['median, quartiles beneath', ...result.arms.map(({ arm }) => escape(arms[arm].title))], rows);
}

function controlsHtml(controls: readonly Control[]): string {
  return table(['control', 'verdict', 'figures'], controls.map(({ condition, title, verdict, words }) => [`${escape(title)}<br><span class="soft">${escape(conditions[condition].words)}</span>`, VERDICT[verdict], escape(words)]));
}

/** The page of the first seed, with what the other seeds and the controls say. */
export async function seedsReport(scenario: Scenario, result: SeedsResult): Promise<string> {
  const one = replay(scenario, { image: firmwareImage(), arms: result.arms.map(({ arm }) => arm), seed: result.seeds[0] });
  return reportPage(one, { sections: await seedsSections(result) });
}

import { arms } from '../arms.js';
import type { ArmResult } from '../replay.js';
import { faultName } from '../verdict/fault.js';
import { faultId, MAX_PANELS } from './fault-panel.js';
import { LIFE_COLOURS } from './style.js';

const WIDTH = 1040;
const ROW = 74;
const MARGIN_TOP = 16;
const MARGIN_BOTTOM = 44;
/** Room for the names of the arms. */
export const MARGIN_LEFT = 170;

/**
 * The timeline of every arm on one axis, drawn by Observable Plot without a browser. Loaded only when a report is asked for:
 * the libraries take a third of a second.
 */
export async function timelineSvg(results: readonly ArmResult[]): Promise<string> {
  const Plot = await import('@observablehq/plot');
  const { parseHTML } = await import('linkedom');
  const { document } = parseHTML('<!doctype html><html><body></body></html>');
  const titles = results.map(({ arm }) => arms[arm].title);
  const of = <T>(pick: (result: ArmResult) => readonly T[]): (T & { arm: string })[] =>
    results.flatMap((result) => pick(result).map((item) => ({ ...item, arm: arms[result.arm].title })));
  const seconds = Math.max(...results.map(({ timeline }) => timeline.seconds));
  const colour = (life: string): string => `var(--life-${life in LIFE_COLOURS ? life : 'starting'})`;
  const lost = of(({ timeline }) => timeline.probes.filter(([, answered]) => !answered).map(([at]) => ({ at })));
  const faults = results.flatMap(({ arm, faults: all }) => all.map((fault, i) => ({
    arm: arms[arm].title, at: fault.at, name: `Fault ${i + 1} under ${arms[arm].title}: ${faultName(fault)}`, href: i < MAX_PANELS ? `#${faultId(arm, i)}` : null,
  })));
  const cross = { fy: 'arm', x: 'at', y: 0.6, r: 5.5, symbol: 'times' } as const;
  const plot = Plot.plot({
    document: document as never,
    width: WIDTH,
    height: MARGIN_TOP + MARGIN_BOTTOM + ROW * results.length,
    marginTop: MARGIN_TOP, marginBottom: MARGIN_BOTTOM, marginLeft: MARGIN_LEFT, marginRight: 16,
    style: { background: 'none', color: 'currentColor', fontSize: '13px', fontFamily: 'system-ui, sans-serif' },
    x: { domain: [0, seconds], label: 'seconds of the router\'s time since the load began', labelAnchor: 'center', labelArrow: 'none' },
    y: { domain: [0, 1], axis: null },
    fy: { domain: titles, label: null, padding: 0.12 },
    marks: [
      Plot.axisFy({ anchor: 'left', textAnchor: 'end', dx: -8, lineWidth: 13 }),
      Plot.rect(of(({ timeline }) => timeline.lives), { fy: 'arm', x1: 'from', x2: 'to', y1: 0.28, y2: 0.72, fill: (stretch: { life: string }) => colour(stretch.life) }),
      Plot.ruleX(of(({ timeline }) => timeline.attacks), { fy: 'arm', x: 'at', y1: 0.78, y2: 0.97, stroke: 'var(--attack)', strokeWidth: 1.5 }),
      Plot.ruleX(lost, { fy: 'arm', x: 'at', y1: 0.03, y2: 0.22, stroke: 'var(--lost)', strokeWidth: 1 }),
      Plot.dot(of(({ timeline }) => timeline.thaws), { fy: 'arm', x: 'at', y: 0.38, r: 3.2, fill: 'var(--jump)' }),
      Plot.dot(of(({ timeline }) => timeline.filters), { fy: 'arm', x: 'at', y: 0.38, r: 5, symbol: 'diamond', fill: 'none', stroke: 'var(--ink)', strokeWidth: 1.5 }),
      // Under each cross a wider one in the colour of the page, so that it stands out from any life.
      Plot.dot(faults, { ...cross, stroke: 'var(--page)', strokeWidth: 6 }),
      Plot.dot(faults.filter(({ href }) => href === null), { ...cross, stroke: 'var(--lost)', strokeWidth: 2.6 }),
      Plot.dot(faults.filter(({ href }) => href !== null), { ...cross, stroke: 'var(--lost)', strokeWidth: 2.6, href: 'href', ariaLabel: 'name' }),
    ],
  });
  const svg = plot as unknown as { setAttribute(name: string, value: string): void; outerHTML: string };
  svg.setAttribute('xmlns', 'http://www.w3.org/2000/svg');
  svg.setAttribute('role', 'img');
  svg.setAttribute('aria-label', `Timeline of ${titles.join(', ')} over ${seconds.toFixed(0)} seconds`);
  return svg.outerHTML;
}

import { arms } from '../arms.js';
import { hostWords } from '../host-words.js';
import { metricInfo, type MetricName } from '../metric-names.js';
import { formatMetric } from '../judgement.js';
import type { ArmResult, ReplayResult } from '../replay.js';
import { MAX_FAULTS } from '../verdict/fault-recorder.js';
import { causeLines } from '../verdict/fault.js';
import { faultPanels } from './fault-panel.js';
import { escape, table } from './html.js';
import { stateDiagramSvg } from './state-diagram.js';
import { LIFE_COLOURS, STYLE } from './style.js';
import { timelineSvg } from './timeline.js';

const shownMetrics: MetricName[] = [
  'availability', 'availabilityLastThird', 'requestsLost', 'connectionsLost', 'outage', 'latencyP50', 'injected', 'faults', 'crashes', 'restarts', 'rollbacks', 'recoveryP50', 'recoveryP99',
  'filtered', 'missedVariants', 'falseDrops', 'freezes', 'imagesHeld', 'imageBytes', 'ramHeld', 'freezeCopied', 'freezeVnodeOps', 'freezeTime', 'pageBreaks', 'breakTime', 'thawVnodeOps', 'thawTime',
];

/** What another part of an experiment adds to the page; `html` is put in as it is. */
export interface ReportSection {
  title: string;
  html: string;
}

/** The whole report as one HTML file that loads nothing. `command` repeats the run. */
export async function reportPage(result: ReplayResult, extra: { sections?: readonly ReportSection[]; command?: string } = {}): Promise<string> {
  const command = extra.command ?? `shuntbox replay ${result.scenario}`;
  const body = [
    header(result, command),
    '<h2>Verdict</h2>', verdicts(result),
    '<h2 id="timeline">What happened when</h2>', legend(result.arms), `<figure><div class="wide timeline">${await timelineSvg(result.arms)}</div><figcaption>${CAPTION}</figcaption></figure>`,
    '<h2>Faults</h2>', faultPanels(result.arms, command),
    '<h2>The arms</h2>', armWords(result),
    '<h2>What each arm cost</h2>', metricsTable(result.arms),
    `<p class="soft">Device times are modelled: counts of work multiplied by the constants of the profile. They are no measurements of a device. Host and wall times are those of the computer that made this page: ${escape(hostWords())}.</p>`,
    ...(extra.sections ?? []).flatMap(({ title, html }) => [`<h2>${escape(title)}</h2>`, html]),
    '<h2>Expected and found</h2>', expectations(result),
    '<h2>Assertions</h2>', assertions(result),
    '<h2>States and jumps</h2>', diagrams(result.arms),
    '<h2>What was asked for and is not there</h2>', unknown(result.arms),
  ].join('\n');
  return `<!doctype html>
<html lang="en"><head><meta charset="utf-8"><meta name="viewport" content="width=device-width, initial-scale=1">
<title>${escape(result.scenario)}: Shuntbox report</title><style>${STYLE}</style></head>
<body>
${body}
</body></html>
`;
}

const CAPTION = `One bar an arm, its colour the life of the daemon under attack as its supervisor sees it (one that hangs looks like one that serves). Strokes above the bar: attack messages and injected faults. Red strokes below it: probes that got no
answer in time. Red crosses: faults, the first ${MAX_FAULTS} of an arm; follow one to see its packet. Dots: rollbacks (thaws). Diamonds: a filter rule was learned.`;

function header(result: ReplayResult, command: string): string {
  const ofCapture = result.arms.some(({ answers }) => answers);
  const verdict = ofCapture
    ? (result.passed ? 'The daemon lived through it under every arm.' : 'The daemon did not live through it under every arm.')
    : (result.passed ? 'All assertions held.' : 'At least one assertion did not hold.');
  return `<h1>${escape(result.title)}</h1>
<p class="soft"><code>${escape(result.scenario)}</code>, profile ${escape(result.profile)},${result.ramdisk === undefined ? '' : ` ramdisk ${escape(result.ramdisk)},`} seed ${result.seed}, images ${result.checksum ? 'with' : 'without'} checksums in both stores<br>made with <code>${escape(command)}</code></p>
<p>${escape(result.summary.trim())}</p>
<p class="verdict ${result.passed ? 'good' : 'bad'}">${verdict}</p>`;
}

function verdicts(result: ReplayResult): string {
  const rows = result.arms.map(({ arm, verdict, answers }) => [escape(arms[arm].title), `<strong>${verdict.outcome}</strong>`, escape(verdict.words), answers ? `${answers.answered} of ${answers.sent}` : '']);
  const answered = result.arms.some(({ answers }) => answers);
  const faulted = result.arms.find(({ firstFault }) => firstFault);
  const cause = faulted?.firstFault ? `<p>The first fault under ${escape(arms[faulted.arm].title)}:</p><pre class="cause">${escape(causeLines(faulted.firstFault, faulted.files.pcap ?? null).join('\n'))}</pre>` : '';
  return `<div class="words">${table(['arm', 'outcome', 'in words', answered ? 'answered' : ''], rows)}</div>${cause}`;
}

function legend(results: readonly ArmResult[]): string {
  const used = new Set(results.flatMap(({ timeline }) => timeline.lives.map(({ life }) => life)));
  const items = Object.entries(LIFE_COLOURS).filter(([life]) => used.has(life));
  return `<div class="legend">${items.map(([life, { words }]) => `<span><i style="background: var(--life-${life})"></i>${words}</span>`).join('')}</div>`;
}

function armWords(result: ReplayResult): string {
  return `<dl>${result.arms.map(({ arm }) => `<dt>${escape(arms[arm].title)}</dt><dd>${escape(arms[arm].words)}</dd>`).join('\n')}</dl>`;
}

function metricsTable(results: readonly ArmResult[]): string {
  const rows = shownMetrics
    .filter((name) => results.some(({ metrics }) => !Number.isNaN(metrics[name])))
    .map((name) => [`<span title="${escape(metricInfo[name].meaning)}">${escape(metricInfo[name].title)}</span>`, ...results.map(({ metrics }) => escape(formatMetric(name, metrics[name])))]);
  const host = (ms: number | null): string => (ms === null ? '-' : `${ms.toFixed(3)} ms`);
  rows.push(['host time of a freeze, median (this computer)', ...results.map((one) => host(one.hostFreezeMs))]);
  rows.push(['host time of a thaw, median (this computer)', ...results.map((one) => host(one.hostThawMs))]);
  rows.push(['virtual time / wall time', ...results.map((one) => `${one.virtualSeconds.toFixed(1)} s / ${one.wallSeconds.toFixed(1)} s`)]);
  return table(['', ...results.map(({ arm }) => escape(arms[arm].title))], rows);
}

function expectations(result: ReplayResult): string {
  if (result.expectations.length === 0) return '<p>The scenario expects no order.</p>';
  const order = (groups: readonly (readonly (keyof typeof arms)[])[]): string => groups.map((group) => group.map((arm) => escape(arms[arm].title)).join(' = ')).join(' &gt; ');
  return result.expectations.map((one) => `<div class="verdict ${one.agrees ? 'good' : 'bad'}"><strong>${escape(metricInfo[one.metric].title)}</strong>, best first: ${one.agrees ? 'as expected' : 'not as expected'}<br>
expected ${order(one.expected)}<br>found ${order(one.found)}
${one.disagreements.map((text) => `<br>${escape(text)}`).join('')}<br><span class="soft">${escape(one.why.trim())}</span></div>`).join('\n');
}

function assertions(result: ReplayResult): string {
  if (result.assertions.length === 0) return '<p>None.</p>';
  return table(['arm and metric', 'demand', 'value', ''], result.assertions.map(({ arm, what, demand, value, held }) =>
    [escape(`${arms[arm].title}: ${what === 'console' ? what : metricInfo[what].title}`), escape(demand), escape(value), held ? 'held' : '<strong>failed</strong>']));
}

function diagrams(results: readonly ArmResult[]): string {
  const figures = results.flatMap(({ arm, timeline }) => {
    const svg = stateDiagramSvg(timeline.jumps);
    return svg ? [`<figure><strong>${escape(arms[arm].title)}</strong><br>${svg}</figure>`] : [];
  });
  if (figures.length === 0) return '<p>No arm took a checkpoint.</p>';
  return `<p>State 0 is the start of the program; each freeze makes or renews a state (arcs above), each signal that was answered by a rollback is a jump (arcs below).</p>
<div class="diagrams">${figures.join('\n')}</div>`;
}

function unknown(results: readonly ArmResult[]): string {
  const calls = new Map<string, number>();
  for (const { router } of results) for (const { call, times } of router.unknown) calls.set(call, (calls.get(call) ?? 0) + times);
  if (calls.size === 0) return '<p>Nothing: every system call the programs made is supported.</p>';
  return table(['call and program', 'times'], [...calls].map(([call, times]) => [escape(call), String(times)]));
}

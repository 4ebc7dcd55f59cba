import type { Figure, Measurement, Profile, Share } from './workload.js';

const LABEL_WIDTH = 12;
/** Shares below this are left out. */
const LEAST = 0.01;

/** Three digits that say something, with thousands apart. */
export function digits(value: number): string {
  if (Math.abs(value) >= 100) return value.toFixed(0).replace(/\B(?=(\d{3})+$)/g, ',');
  return value.toFixed(Math.abs(value) >= 10 ? 1 : 2);
}

/** Instructions as people say them. */
const count = (instructions: number): string => (instructions >= 1e6 ? `${digits(instructions / 1e6)} million` : String(instructions));

function figureLine({ name, unit, median, low, high }: Figure): string {
  const range = low === high ? '' : ` (${digits(low)}-${digits(high)})`;
  return `  ${name.padEnd(LABEL_WIDTH)} ${digits(median)} ${unit}${range}`;
}

/** How many times qemu's rate is ours, by the first unit both have. */
function ratio(figures: readonly Figure[]): string[] {
  const qemu = figures.find(({ name }) => name === 'qemu-mipsel');
  const ours = figures.find(({ name, unit }) => name === 'host' && unit === qemu?.unit);
  return qemu && ours ? [`  ${''.padEnd(LABEL_WIDTH)} qemu-mipsel is ${(qemu.median / ours.median).toFixed(1)} times as fast`] : [];
}

const percent = (share: number): string => `${(share * 100).toFixed(0)} %`;

const layers = (shares: readonly Share[], least: number): string => shares.filter(({ share }) => share >= least).map(({ layer, share }) => `${layer} ${percent(share)}`).join(', ');

function profileLines({ shares, functions }: Profile): string[] {
  return [
    `  host time goes to: ${layers(shares, LEAST)}`,
    ...functions.filter(({ share }) => share >= LEAST).map(({ name, place, share }) => `    ${percent(share).padStart(5)}  ${name}${place === '' ? '' : `  ${place}`}`),
  ];
}

export function text({ name, about, skipped, output, instructions, figures, profile }: Measurement): string {
  const head = `${name}: ${about}`;
  if (skipped !== null) return `${head}\n  skipped: ${skipped}`;
  const work = instructions === null ? output : `${output}; ${count(instructions)} guest instructions`;
  return [head, `  ${work}`, ...figures.map(figureLine), ...ratio(figures), ...(profile ? profileLines(profile) : [])].join('\n');
}

/** Shares below this do not make it into the page. */
const WORTH_A_WORD = 0.05;

function cell(figures: readonly Figure[], whose: Figure['name']): string {
  return figures.filter(({ name }) => name === whose).map(({ unit, median }) => `${digits(median)} ${unit}`).join('<br>') || '-';
}

/** The table of docs/benchmarks.md, with the conditions above it. */
export function markdown(found: readonly Measurement[], conditions: string): string {
  const rows = found.map(({ name, skipped, figures, profile }) => (skipped === null
    ? `| ${name} | ${cell(figures, 'host')} | ${cell(figures, 'virtual')} | ${cell(figures, 'qemu-mipsel')} | ${profile ? layers(profile.shares, WORTH_A_WORD) : '-'} |`
    : `| ${name} | skipped | | | |`));
  return `${conditions}\n\n| benchmark | host | virtual | qemu-mipsel | host time goes to |\n|---|---|---|---|---|\n${rows.join('\n')}\n`;
}

const BEGIN = '<!-- figures: npm run bench -- --profile --write docs/benchmarks.md -->\n';
const END = '<!-- end of figures -->';

/** The page with these figures in place of its own; null when it has no place for them. */
export function refreshed(page: string, figures: string): string | null {
  const [begin, end] = [page.indexOf(BEGIN), page.indexOf(END)];
  return begin < 0 || end < begin ? null : `${page.slice(0, begin)}${BEGIN}${figures}${page.slice(end)}`;
}

import type { Figure, Measurement, Profile } from './workload.js';

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

function profileLines({ shares, functions }: Profile): string[] {
  const layers = shares.filter(({ share }) => share >= LEAST).map(({ layer, share }) => `${layer} ${percent(share)}`);
  return [
    `  host time goes to: ${layers.join(', ')}`,
    ...functions.filter(({ share }) => share >= LEAST).map(({ name, place, share }) => `    ${percent(share).padStart(5)}  ${name}${place === '' ? '' : `  ${place}`}`),
  ];
}

export function text({ name, about, skipped, output, instructions, figures, profile }: Measurement): string {
  const head = `${name}: ${about}`;
  if (skipped !== null) return `${head}\n  skipped: ${skipped}`;
  const work = instructions === null ? output : `${output}; ${count(instructions)} guest instructions`;
  return [head, `  ${work}`, ...figures.map(figureLine), ...ratio(figures), ...(profile ? profileLines(profile) : [])].join('\n');
}

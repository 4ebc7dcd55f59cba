/**
 * Quantities as people write them in a scenario: "40s", "2.5ms", "20/s", "100Mbit", "64MiB". Everything is
 * kept as an integer of the smallest unit (nanoseconds, millihertz, bits a second, bytes) so that a scenario means
 * the same number of cycles everywhere.
 */
type Scale = Record<string, number>;

const timeScale: Scale = { ns: 1, us: 1e3, ms: 1e6, s: 1e9, min: 60e9 };
const rateScale: Scale = { '/s': 1000, '/min': 1000 / 60 };
const bitScale: Scale = { bit: 1, kbit: 1e3, Mbit: 1e6, Gbit: 1e9 };
const byteScale: Scale = { B: 1, KiB: 1024, MiB: 1048576, GiB: 1073741824 };

function parse(text: string, scale: Scale): number | null {
  const match = /^\s*(\d+(?:\.\d+)?)\s*([A-Za-z/]+)\s*$/.exec(text);
  if (!match) return null;
  const factor = scale[match[2]];
  if (factor === undefined || !Object.hasOwn(scale, match[2])) return null;
  return Math.round(Number(match[1]) * factor);
}

/** Nanoseconds, or null. */
export const parseDuration = (text: string): number | null => parse(text, timeScale);
/** Events in 1000 seconds (millihertz), or null. */
export const parseRate = (text: string): number | null => parse(text, rateScale);
/** Bits a second, or null. */
export const parseBandwidth = (text: string): number | null => parse(text, bitScale);
/** Bytes, or null. */
export const parseBytes = (text: string): number | null => parse(text, byteScale);

/** Bytes of a size as it is typed on a command line: 256K, 16M, 1G, also with the units written out, 16MiB; null for anything else. */
export function parseSize(text: string): number | null {
  const size = /^(\d+(?:\.\d+)?)([KMG])(?:i?B)?$/i.exec(text);
  return size ? Math.round(Number(size[1]) * byteScale[`${size[2].toUpperCase()}iB`]) : null;
}

function trimmed(value: number, digits: number): string {
  return String(Number(value.toFixed(digits)));
}

/** A time for people: three significant figures in the unit that suits it. */
export function formatDuration(nanoseconds: number): string {
  if (!Number.isFinite(nanoseconds)) return 'never';
  const size = Math.abs(nanoseconds);
  for (const [unit, scale] of [['s', 1e9], ['ms', 1e6], ['us', 1e3]] as const) {
    if (size >= scale) {
      const value = nanoseconds / scale;
      return `${trimmed(value, Math.abs(value) >= 100 ? 0 : Math.abs(value) >= 10 ? 1 : 2)} ${unit}`;
    }
  }
  return `${Math.round(nanoseconds)} ns`;
}

export function formatBytes(bytes: number): string {
  if (bytes >= 1048576) return `${trimmed(bytes / 1048576, bytes >= 104857600 ? 0 : 1)} MiB`;
  if (bytes >= 1024) return `${trimmed(bytes / 1024, bytes >= 102400 ? 0 : 1)} KiB`;
  return `${trimmed(bytes, 0)} B`;
}

/** A share of one, as a percentage that never rounds a loss away: 99.96 % stays below 100 %. */
export function formatShare(share: number): string {
  if (Number.isNaN(share)) return '-';
  const percent = share * 100;
  if (percent === 0 || percent === 100) return `${percent} %`;
  const digits = percent > 99 || percent < 1 ? 2 : 1;
  const rounded = Number(percent.toFixed(digits));
  if (rounded === 100) return '> 99.99 %';
  return `${rounded === 0 ? '< 0.01' : rounded} %`;
}

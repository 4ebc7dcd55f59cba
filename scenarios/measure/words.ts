/** Quantities as people read them. */
const KIB = 1024;
const MIB = 1024 * KIB;

export function timeText(seconds: number): string {
  if (!Number.isFinite(seconds)) return '-';
  // Less than a picosecond is what rounding leaves of nothing.
  if (Math.abs(seconds) < 1e-12) return '0';
  if (seconds < 1e-6) return `${(seconds * 1e9).toPrecision(3)} ns`;
  if (seconds < 1e-3) return `${(seconds * 1e6).toPrecision(3)} µs`;
  return seconds < 1 ? `${(seconds * 1e3).toPrecision(3)} ms` : `${seconds.toPrecision(3)} s`;
}

export function sizeText(bytes: number): string {
  const size = Math.abs(bytes);
  if (size < KIB) return `${Math.round(bytes)} B`;
  if (size < MIB) return `${trimmed(bytes / KIB)} KiB`;
  return `${trimmed(bytes / MIB)} MiB`;
}

const trimmed = (value: number): string => (Math.abs(value) >= 100 || Number.isInteger(value) ? String(Math.round(value)) : value.toFixed(1));

export const percentText = (share: number): string => (Number.isFinite(share) ? `${(share * 100).toFixed(share < 0.1 && share > 0 ? 1 : 0)} %` : '-');
export const ratioText = (ratio: number): string => (Number.isFinite(ratio) ? ratio.toFixed(ratio < 10 ? 2 : ratio < 100 ? 1 : 0) : '-');
export const countText = (count: number): string => (Number.isFinite(count) ? Math.round(count).toLocaleString('en') : '-');

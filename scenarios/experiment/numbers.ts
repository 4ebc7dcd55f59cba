/** JSON has no infinity and no NaN: "never" and null say it. */
export function writeNumber(_key: string, value: unknown): unknown {
  if (value === Infinity) return 'never';
  return typeof value === 'number' && Number.isNaN(value) ? null : value;
}

/** The number written as above; NaN for anything else. */
export function readNumber(value: unknown): number {
  if (value === 'never') return Infinity;
  return typeof value === 'number' ? value : NaN;
}

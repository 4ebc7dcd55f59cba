/** Order statistics of one figure over seeds. Infinity ("never") is a value like any other; NaN ("does not exist") is left out. */
export interface Summary {
  /** Seeds in which the figure exists. */
  samples: number;
  median: number;
  q1: number;
  q3: number;
}

/** Linear interpolation between closest ranks (Hyndman and Fan, type 7) that may meet infinite values. */
function quantile(sorted: readonly number[], q: number): number {
  const position = (sorted.length - 1) * q;
  const low = sorted[Math.floor(position)];
  const high = sorted[Math.ceil(position)];
  if (low === high) return low;
  return high === Infinity ? Infinity : low + (high - low) * (position - Math.floor(position));
}

export function summarize(values: readonly number[]): Summary {
  const sorted = values.filter((value) => !Number.isNaN(value)).sort((a, b) => a - b);
  if (sorted.length === 0) return { samples: 0, median: NaN, q1: NaN, q3: NaN };
  return { samples: sorted.length, median: quantile(sorted, 0.5), q1: quantile(sorted, 0.25), q3: quantile(sorted, 0.75) };
}

/** Width of the middle half; 0 when both quartiles are infinite. */
export const spread = ({ q1, q3 }: Summary): number => (q1 === q3 ? 0 : q3 - q1);

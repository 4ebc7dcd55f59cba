/** Order statistics of a sample; the input is not changed. */
export interface Summary {
  samples: number;
  median: number;
  /** Lower and upper quartile. */
  q1: number;
  q3: number;
}

/** Linear interpolation between closest ranks (Hyndman and Fan, type 7). `sorted` must not be empty. */
export function quantile(sorted: readonly number[], q: number): number {
  const position = (sorted.length - 1) * q;
  const low = Math.floor(position);
  const high = Math.min(low + 1, sorted.length - 1);
  return sorted[low] + (sorted[high] - sorted[low]) * (position - low);
}

export function summarize(values: readonly number[]): Summary {
  const sorted = [...values].sort((a, b) => a - b);
  if (sorted.length === 0) return { samples: 0, median: NaN, q1: NaN, q3: NaN };
  return { samples: sorted.length, median: quantile(sorted, 0.5), q1: quantile(sorted, 0.25), q3: quantile(sorted, 0.75) };
}

/** Value of `numerator[i] / denominator[i]`, round by round: the machine's drift cancels out. */
export function ratios(numerator: readonly number[], denominator: readonly number[]): number[] {
  return numerator.slice(0, denominator.length).map((value, i) => value / denominator[i]);
}

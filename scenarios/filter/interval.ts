/** A share of a sample with its confidence interval. */
export interface Share {
  count: number;
  of: number;
  /** NaN without a sample. */
  share: number;
  low: number;
  high: number;
}

/** Quantile of the normal distribution for a two-sided level of 95 %. */
const Z95 = 1.959963984540054;

/** Wilson's score interval (E. B. Wilson 1927): holds for shares of 0 and 1 too, where the usual one shrinks to a point. */
export function wilson(count: number, of: number, z = Z95): Share {
  if (of === 0) return { count, of, share: NaN, low: 0, high: 1 };
  const share = count / of;
  const square = (z * z) / of;
  const middle = share + square / 2;
  const half = z * Math.sqrt((share * (1 - share)) / of + square / (4 * of));
  const low = count === 0 ? 0 : (middle - half) / (1 + square);
  const high = count === of ? 1 : (middle + half) / (1 + square);
  return { count, of, share, low: Math.max(0, low), high: Math.min(1, high) };
}

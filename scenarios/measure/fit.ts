/** What a cost may be made of: y = fixed + perSegment × segments + perByte × bytes. */
export interface Fit {
  fixed: number;
  perSegment: number;
  perByte: number;
  /** Share of the variance that the fit explains, both weighted as the fit is. 1 where all points are equal and met. */
  r2: number;
  /** Largest |fitted - measured| / measured over the points. */
  worst: number;
  points: number;
}

export interface FitPoint {
  segments: number;
  bytes: number;
  y: number;
}

const TERMS = 3;
const terms = ({ segments, bytes }: FitPoint): number[] => [1, segments, bytes];

/**
 * Least squares over relative residuals: measurement errors grow with what is measured, and the plain sum of squares would let
 * the largest image decide everything. No term is negative (a negative cost has no meaning): with three of them, each of
 * the eight sets of terms is solved and the best admissible one taken, which is exact. Null with fewer than three points.
 */
export function fitCost(points: readonly FitPoint[]): Fit | null {
  const usable = points.filter(({ y }) => y > 0);
  if (usable.length < TERMS) return null;
  let best: { error: number; at: number[] } | null = null;
  for (let set = 1; set < 1 << TERMS; set++) {
    const at = solve(usable, [0, 1, 2].filter((term) => set & (1 << term)));
    if (!at || at.some((value) => value < 0)) continue;
    const error = relativeError(usable, at);
    if (!best || error < best.error) best = { error, at };
  }
  return best && describe(usable, best.at);
}

const value = (at: readonly number[], point: FitPoint): number => terms(point).reduce((sum, term, i) => sum + term * at[i], 0);

export const fitted = ({ fixed, perSegment, perByte }: Fit, segments: number, bytes: number): number => fixed + perSegment * segments + perByte * bytes;

function relativeError(points: readonly FitPoint[], at: readonly number[]): number {
  return points.reduce((sum, point) => sum + (value(at, point) / point.y - 1) ** 2, 0);
}

/** The coefficients of all terms, 0 for those not in `chosen`; null when they cannot be told apart. */
function solve(points: readonly FitPoint[], chosen: readonly number[]): number[] | null {
  const scale = chosen.map((term) => Math.max(...points.map((point) => terms(point)[term]), Number.MIN_VALUE));
  const rows = points.map((point) => chosen.map((term, k) => terms(point)[term] / scale[k] / point.y));
  const matrix = chosen.map((_, a) => [...chosen.map((_other, b) => rows.reduce((sum, row) => sum + row[a] * row[b], 0)), rows.reduce((sum, row) => sum + row[a], 0)]);
  const solved = eliminate(matrix);
  if (!solved) return null;
  const at = [0, 0, 0];
  chosen.forEach((term, k) => { at[term] = solved[k] / scale[k]; });
  return at;
}

/** Gauss with pivots; each row ends in its right-hand side. Null when singular. */
function eliminate(matrix: number[][]): number[] | null {
  const size = matrix.length;
  const largest = Math.max(...matrix.flat().map(Math.abs));
  for (let column = 0; column < size; column++) {
    const pivot = matrix.slice(column).reduce((best, row, i) => (Math.abs(row[column]) > Math.abs(matrix[best][column]) ? column + i : best), column);
    if (Math.abs(matrix[pivot][column]) < 1e-12 * largest) return null;
    [matrix[column], matrix[pivot]] = [matrix[pivot], matrix[column]];
    for (let row = 0; row < size; row++) {
      if (row === column) continue;
      const factor = matrix[row][column] / matrix[column][column];
      for (let k = column; k <= size; k++) matrix[row][k] -= factor * matrix[column][k];
    }
  }
  return matrix.map((row, i) => row[size] / row[i]);
}

function describe(points: readonly FitPoint[], at: readonly number[]): Fit {
  // The best constant under weights 1 / y².
  const mean = points.reduce((sum, { y }) => sum + 1 / y, 0) / points.reduce((sum, { y }) => sum + 1 / y ** 2, 0);
  const spread = points.reduce((sum, { y }) => sum + (mean / y - 1) ** 2, 0);
  const left = relativeError(points, at);
  const worst = Math.max(...points.map((point) => Math.abs(value(at, point) / point.y - 1)));
  return { fixed: at[0], perSegment: at[1], perByte: at[2], r2: spread === 0 ? 1 : 1 - left / spread, worst, points: points.length };
}

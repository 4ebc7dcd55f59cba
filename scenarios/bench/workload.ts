/** One thing the benchmark times. */
export interface Workload {
  readonly name: string;
  readonly about: string;
  /** A fresh instance to be run once; making it is not timed. */
  prepare(): () => Outcome;
  /** Command line of the same work under qemu-user, if it can be done there. */
  readonly native?: readonly string[];
}

export interface Outcome {
  /** Guest instructions retired. */
  instructions: number;
  /** What the program said, to be compared between runs and with qemu. */
  output: string;
}

export interface Measurement {
  name: string;
  about: string;
  instructions: number;
  output: string;
  /** Millions of guest instructions a second: median, lowest and highest run. */
  mips: { median: number; low: number; high: number };
  qemuMips: { median: number; low: number; high: number } | null;
}

export function spread(values: readonly number[]): { median: number; low: number; high: number } {
  const sorted = values.toSorted((a, b) => a - b);
  const middle = sorted.length >> 1;
  const median = sorted.length % 2 === 1 ? sorted[middle] : (sorted[middle - 1] + sorted[middle]) / 2;
  return { median, low: sorted[0], high: sorted[sorted.length - 1] };
}

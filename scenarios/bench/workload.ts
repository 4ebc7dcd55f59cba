/** One thing the benchmark times. */
export interface Workload {
  readonly name: string;
  readonly about: string;
  /** A fresh instance to be run once; making it is not timed. */
  prepare(): () => Outcome;
  /** What the work is counted in, beside instructions. */
  readonly units?: { name: string; count: number };
  /** Command line of the same work under qemu-user, if that is all it takes. */
  readonly native?: readonly string[];
  /** Else: seconds the same work takes there; null when it is not installed. */
  nativeSeconds?(): Promise<number | null>;
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
  /** Units of work a second of host time, median. */
  perSecond: { name: string; ours: number; qemu: number | null } | null;
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

/** What one run did. */
export interface Outcome {
  /** Guest instructions retired. */
  instructions: number;
  /** Seconds the router's clock went on; null on the bare processor, which has none. */
  virtualSeconds: number | null;
  /** Work done, in the workload's unit. */
  units: number;
  /** What was said or received, to be compared between runs and with qemu. */
  output: string;
}

/** What is timed: everything before it was preparation. */
export type Run = () => Outcome | Promise<Outcome>;

/** Something done at a rate. */
export interface Workload {
  readonly name: string;
  readonly about: string;
  /** What the work is counted in, like "queries" or "MB"; null: instructions say it all. */
  readonly unit: string | null;
  /** Why it cannot be run here, if so. */
  readonly missing?: string | null;
  /** It follows wall time, so two runs differ in instructions and virtual time. */
  readonly paced?: boolean;
  prepare(): Run | Promise<Run>;
  readonly native?: Native;
}

/** The same work under qemu-user. */
export interface Native {
  /** What the seconds are, like "wall time". */
  readonly by: string;
  /** Null when it is not installed. Throws when it says something else than we do. */
  seconds(expected: Outcome): Promise<number | null>;
}

export interface Spread {
  median: number;
  low: number;
  high: number;
}

/** One figure of a benchmark. */
export interface Figure extends Spread {
  /** Whose: "host" is by this computer's time, "virtual" by the router's clock, "qemu-mipsel" by this computer's under qemu. */
  name: 'host' | 'virtual' | 'qemu-mipsel';
  unit: string;
}

/** Share of the host's time, by layer. */
export interface Share {
  layer: string;
  share: number;
}

export interface Profile {
  shares: Share[];
  /** Functions with the largest share of their own. */
  functions: { name: string; place: string; share: number }[];
}

/** What a benchmark found. */
export interface Measurement {
  name: string;
  about: string;
  /** Why nothing was measured; null: something was. */
  skipped: string | null;
  /** What was done, in words. */
  output: string;
  /** Guest instructions a run; null where that says nothing. */
  instructions: number | null;
  figures: Figure[];
  profile: Profile | null;
}

export interface Conditions {
  /** Runs that count; one more comes first to warm up. */
  runs: number;
  /** Look where the time goes, in a run of its own. */
  profile: boolean;
  /** A folder for the profiles as they are; null: they are not kept. */
  profiles: string | null;
}

/** Anything the command can be asked for. */
export interface Bench {
  readonly name: string;
  readonly about: string;
  measure(conditions: Conditions): Promise<Measurement>;
}

export function spread(values: readonly number[]): Spread {
  const sorted = values.toSorted((a, b) => a - b);
  const middle = sorted.length >> 1;
  const median = sorted.length % 2 === 1 ? sorted[middle] : (sorted[middle - 1] + sorted[middle]) / 2;
  return { median, low: sorted[0], high: sorted[sorted.length - 1] };
}

export const nothing = (bench: Pick<Bench, 'name' | 'about'>, skipped: string): Measurement =>
  ({ name: bench.name, about: bench.about, skipped, output: '', instructions: null, figures: [], profile: null });

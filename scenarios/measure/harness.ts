import Benchmark from 'benchmark';
import { quantile } from './statistics.js';

/** One rung: `run` does the work once and leaves everything as it was (a freeze is freeze and drop). */
export interface Rung {
  name: string;
  run(): void;
  /** Before and after a round's runs of this rung; not timed. */
  before?(): void;
  after?(): void;
}

export interface HarnessOptions {
  rounds: number;
  /** Host seconds benchmark.js spends on one case in one round. */
  seconds: number;
  onRound?(round: number, rounds: number): void;
}

/**
 * Host time of each rung, one median a round, in seconds. Cases are interleaved: a round runs every case once,
 * in rotating order, since the host drifts by more than the differences we look for.
 */
export function timeRungs(rungs: readonly Rung[], options: HarnessOptions): number[][] {
  const medians: number[][] = rungs.map(() => []);
  for (let round = 0; round < options.rounds; round++) {
    for (let k = 0; k < rungs.length; k++) {
      const index = (k + round) % rungs.length;
      medians[index].push(timeOnce(rungs[index], options.seconds));
    }
    options.onRound?.(round + 1, options.rounds);
  }
  return medians;
}

/** benchmark.js does not reject when a case throws: it leaves zeros, which must not be mistaken for speed. */
function timeOnce(rung: Rung, seconds: number): number {
  const bench = new Benchmark(rung.name, () => rung.run(), { maxTime: seconds, minTime: seconds / 8, minSamples: 5, initCount: 1 });
  rung.before?.();
  bench.run({ async: false });
  rung.after?.();
  const failure = (bench as { error?: unknown }).error;
  if (failure) throw failure instanceof Error ? failure : new Error(JSON.stringify(failure));
  const samples = [...bench.stats.sample].sort((a, b) => a - b);
  if (samples.length === 0) throw new Error(`${rung.name}: benchmark.js took no sample`);
  return quantile(samples, 0.5);
}

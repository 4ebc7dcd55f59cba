import { keep, record, summarise, type CpuProfile } from './profile.js';
import { nothing, spread, type Bench, type Conditions, type Figure, type Measurement, type Outcome, type Workload } from './workload.js';

export const QEMU = 'qemu-mipsel-static';

export function secondsSince(start: bigint): number {
  return Number(process.hrtime.bigint() - start) / 1e9;
}

interface Timed {
  outcome: Outcome;
  seconds: number;
}

async function time(workload: Workload): Promise<Timed> {
  const run = await workload.prepare();
  const start = process.hrtime.bigint();
  const outcome = await run();
  return { outcome, seconds: secondsSince(start) };
}

/** The machine is deterministic: two runs that differ are a bug, whatever their speed. */
function sameWork(workload: Workload, first: Outcome, other: Outcome): void {
  const of = ({ instructions, virtualSeconds, units, output }: Outcome): string =>
    JSON.stringify(workload.paced ? [units, output] : [instructions, virtualSeconds, units, output]);
  if (of(first) !== of(other)) throw new Error(`${workload.name}: two runs differ: ${of(first)}, then ${of(other)}`);
}

async function natively({ native }: Workload, expected: Outcome, runs: number): Promise<number[]> {
  const times: number[] = [];
  for (let n = 0; n <= runs && native; n++) {
    const seconds = await native.seconds(expected);
    // A clock of 10 ms may not have moved.
    if (!seconds) return [];
    if (n > 0) times.push(seconds);
  }
  return times;
}

/** Units a second and, where qemu has the same program to run, guest instructions a second. */
function rates({ unit, native }: Workload, name: Figure['name'], { units, instructions }: Outcome, times: readonly number[]): Figure[] {
  if (times.length === 0) return [];
  const figure = (what: string, count: number): Figure => ({ name, unit: `${what} a second`, ...spread(times.map((seconds) => count / seconds)) });
  return [...(unit === null ? [] : [figure(unit, units)]), ...(native && name !== 'virtual' ? [figure('million instructions', instructions / 1e6)] : [])];
}

async function profiled(workload: Workload, { profiles }: Conditions): Promise<CpuProfile> {
  const run = await workload.prepare();
  const found = await record(async () => { await run(); });
  if (profiles !== null) keep(found, profiles, workload.name);
  return found;
}

/** A workload as a benchmark: run several times, the same work each time. */
export function rate(workload: Workload): Bench {
  const { name, about, missing } = workload;
  return {
    name, about,
    async measure(conditions): Promise<Measurement> {
      if (missing) return nothing(workload, missing);
      const { outcome } = await time(workload);
      const times: number[] = [];
      const virtual: number[] = [];
      for (let n = 0; n < conditions.runs; n++) {
        const run = await time(workload);
        sameWork(workload, outcome, run.outcome);
        times.push(run.seconds);
        if (run.outcome.virtualSeconds !== null) virtual.push(run.outcome.virtualSeconds);
      }
      const profile = conditions.profile ? summarise(await profiled(workload, conditions)) : null;
      const native = await natively(workload, outcome, conditions.runs);
      return {
        name, about, skipped: null, output: outcome.output.trim(), instructions: outcome.instructions, profile,
        figures: [...rates(workload, 'host', outcome, times), ...rates(workload, 'virtual', outcome, virtual), ...rates(workload, 'qemu-mipsel', outcome, native)],
      };
    },
  };
}

import { readFileSync, rmSync } from 'node:fs';
import { cpus, tmpdir } from 'node:os';
import { join } from 'node:path';
import { InvalidArgumentError, Option, type Command } from 'commander';
import { armNames, needsLibrary, type ArmName } from '../arms.js';
import { needsRootfs } from '../distribution.js';
import { jobKey, type Job, type Run } from '../experiment/run.js';
import { identityOf, RunStore } from '../experiment/store.js';
import { runInWorkers } from '../experiment/workers.js';
import type { Scenario } from '../scenario.js';
import { firmwareImage } from '../simulation.js';
import { commandName } from './command-name.js';
import { UsageError } from './errors.js';
import { outputFile } from './outputs.js';
import { Progress } from './progress.js';

export const DEFAULT_SEEDS = 10;
/** What a shell reports of a program that an interrupt ended. */
export const EXIT_INTERRUPTED = 130;
const MAX_SEEDS = 10_000;
const MAX_WORKERS = 256;

export interface ExperimentFlags {
  arm?: ArmName[];
  seed?: number;
  seeds?: number | true;
  workers?: number;
  out?: string;
  json?: boolean;
}

const integer = (what: string, least: number, most: number) => (text: string): number => {
  const value = Number(text);
  if (!/^\d+$/.test(text) || value < least || value > most) throw new InvalidArgumentError(`${what} is an integer from ${least} to ${most}.`);
  return value;
};

/** The options that every experiment of many runs has. */
export function experimentOptions(command: Command): Command {
  return command
    .addOption(new Option('--seeds [n]', `run under so many seeds, from --seed or the scenario's on (${DEFAULT_SEEDS} without a number): medians and quartiles`).argParser(integer('the number of seeds', 1, MAX_SEEDS)))
    .option('--workers <n>', 'processes that share the runs (default: one a core)', integer('the number of workers', 1, MAX_WORKERS))
    .option('--out <file>', 'keep finished runs in this file, one JSON object a line; what it already has is not run again', outputFile);
}

/** The arms that are wanted, in the order of the table. Throws UsageError for one the scenario does not have. */
export function wantedArms(scenario: Scenario, flags: Pick<ExperimentFlags, 'arm'>): ArmName[] {
  const missing = flags.arm?.filter((arm) => !scenario.arms.includes(arm)) ?? [];
  if (missing.length > 0) throw new UsageError(`the scenario ${scenario.name} has no arm ${missing.join(', ')}; it has ${scenario.arms.join(', ')}${needsRootfs(scenario) && missing.some(needsLibrary) ? '; its daemons are unmodified and have no recovery library to roll back with' : ''}`);
  return armNames.filter((arm) => scenario.arms.includes(arm) && (flags.arm?.includes(arm) ?? true));
}

export interface Outcome {
  /** Finished runs in the order of the jobs. */
  runs: Run[];
  planned: number;
  /** Runs that were in the file already. */
  reused: number;
  interrupted: boolean;
  workers: number;
  wallSeconds: number;
}

/** Makes the runs that --out does not hold yet. An interrupt ends it; what is finished is kept and said. */
export async function runExperiment(scenario: Scenario, jobs: readonly Job[], flags: ExperimentFlags): Promise<Outcome> {
  const begin = performance.now();
  const file = flags.out ?? join(tmpdir(), `shuntbox-${scenario.name}-${process.pid}.jsonl`);
  const script = process.argv[1];
  const store = new RunStore(file, scenario.name, identityOf(scenario, firmwareImage(), readFileSync(script)));
  const todo = jobs.filter((job) => store.get(job) === undefined);
  const workers = Math.min(flags.workers ?? cpus().length, Math.max(1, todo.length));
  const reused = jobs.length - todo.length;
  const interrupted = await untilInterrupted(async (signal) => {
    const progress = new RunProgress(jobs.length, reused);
    try {
      await runInWorkers(scenario, todo, { workers, self: [script, 'worker'], signal, onRun: (run) => store.add(run), onProgress: (done) => progress.show(done) });
    } finally {
      progress.stop();
    }
  });
  const runs = jobs.flatMap((job) => store.get(job) ?? []);
  if (interrupted) process.stderr.write(howToGoOn(runs.length, jobs.length, file, flags.out === undefined));
  else if (flags.out === undefined) rmSync(file, { force: true });
  return { runs, planned: jobs.length, reused, interrupted, workers, wallSeconds: (performance.now() - begin) / 1000 };
}

/** True when an interrupt ended the work. A second one ends the program. */
async function untilInterrupted(work: (signal: AbortSignal) => Promise<void>): Promise<boolean> {
  const controller = new AbortController();
  const abort = (): void => controller.abort();
  process.once('SIGINT', abort);
  process.once('SIGTERM', abort);
  try {
    await work(controller.signal);
  } finally {
    process.removeListener('SIGINT', abort);
    process.removeListener('SIGTERM', abort);
  }
  return controller.signal.aborted;
}

/** A word as a shell takes it. */
export const quoted = (word: string): string => (/^[\w./:=,+@%-]+$/.test(word) ? word : `'${word.replace(/'/g, `'\\''`)}'`);

function howToGoOn(done: number, planned: number, file: string, named: boolean): string {
  const again = [commandName(), ...process.argv.slice(2).map(quoted), ...(named ? ['--out', quoted(file)] : [])].join(' ');
  if (done === 0) return `\ninterrupted: none of ${planned} runs was finished, nothing is kept\n`;
  return `\ninterrupted: ${done} of ${planned} runs are finished and kept in ${file}\nto go on: ${again}\n`;
}

/** How far all runs together are: a bar on a terminal, else a line now and then, so that a log shows that it goes on. */
class RunProgress {
  private static readonly SILENCE_MS = 15_000;
  private readonly bar = new Progress();
  private readonly planned: number;
  private readonly before: number;
  private readonly begin = performance.now();
  private said = performance.now();

  constructor(planned: number, before: number) {
    this.planned = planned;
    this.before = before;
    if (before > 0) process.stderr.write(`${before} of ${planned} runs are in the file already\n`);
  }

  show(done: number): void {
    const all = this.before + done;
    const words = `${Math.floor(all)} of ${this.planned} runs${this.remaining(done)}`;
    this.bar.show(words, all / this.planned);
    if (process.stderr.isTTY || performance.now() - this.said < RunProgress.SILENCE_MS) return;
    this.said = performance.now();
    process.stderr.write(`${words}\n`);
  }

  private remaining(done: number): string {
    const seconds = (performance.now() - this.begin) / 1000;
    if (done < 1 || seconds < 3) return '';
    return `, ${Math.ceil((seconds / done) * (this.planned - this.before - done))} s left`;
  }

  stop(): void {
    this.bar.stop();
  }
}

/** Host figures of an outcome, kept apart from what the seeds decide. */
export function hostFigures({ runs, workers, wallSeconds, reused }: Outcome): object {
  return {
    node: process.version, processor: cpus()[0]?.model ?? 'unknown', workers, wallSeconds, reused,
    runs: runs.map((run) => ({ run: jobKey(run), ...run.host })),
  };
}

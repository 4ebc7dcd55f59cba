import { createHash } from 'node:crypto';
import { appendFileSync, existsSync, readFileSync, truncateSync } from 'node:fs';
import { join } from 'node:path';
import { z } from 'zod';
import { armNames } from '../arms.js';
import { InputError } from '../input-error.js';
import { readInput } from '../input-file.js';
import { metricNames, type Metrics } from '../metric-names.js';
import type { Scenario } from '../scenario.js';
import { conditionNames } from './conditions.js';
import { readNumber, writeNumber } from './numbers.js';
import { jobKey, type Job, type Run } from './run.js';

const SCHEMA = 'shuntbox-run/1';
const MAX_FILE_BYTES = 1 << 30;
const NEWLINE = 10;

/** What the outcome of a job depends on besides the job: digests of the scenario with its captures, the root filesystem and this program. */
export interface Identity {
  scenario: string;
  image: string;
  program: string;
}

const digest = (...parts: (string | Uint8Array)[]): string => {
  const hash = createHash('sha256');
  for (const part of parts) hash.update(part);
  return hash.digest('hex').slice(0, 16);
};

/** `program` is whatever changes when the program does: its bundle, or a version. Where a scenario lies does not matter. */
export function identityOf(scenario: Scenario, image: Uint8Array, program: string | Uint8Array): Identity {
  const { folder, file: _file, ...content } = scenario;
  const captures = scenario.attack.flatMap(({ message }) => ('capture' in message ? [readFileSync(join(folder, message.capture))] : []));
  return { scenario: digest(JSON.stringify(content), ...captures), image: digest(image), program: digest(program) };
}

const lineSchema = z.object({
  schema: z.literal(SCHEMA),
  scenario: z.string(),
  of: z.object({ scenario: z.string(), image: z.string(), program: z.string() }),
  condition: z.enum(conditionNames), arm: z.enum(armNames), seed: z.number(), rate: z.number().nullable(), durationNs: z.number(),
  metrics: z.record(z.string(), z.unknown()),
  assertions: z.array(z.object({ arm: z.enum(armNames), what: z.enum([...metricNames, 'console']), demand: z.string(), value: z.string(), held: z.boolean() })),
  cameUp: z.boolean(), logFull: z.array(z.string()),
  host: z.object({ wallSeconds: z.number(), freezeMs: z.number().nullable(), thawMs: z.number().nullable() }),
});

/**
 * Finished runs in a file, one JSON object a line, written as they end: what is there need not be run again. Lines are complete in themselves, so
 * files of several computers can be joined with cat.
 */
export class RunStore {
  readonly file: string;
  private readonly scenario: string;
  private readonly identity: Identity;
  private readonly runs = new Map<string, Run>();

  /** Reads what the file has, if it exists. Throws InputError for runs of anything else, and for what is no run. */
  constructor(file: string, scenario: string, identity: Identity) {
    this.file = file;
    this.scenario = scenario;
    this.identity = identity;
    if (existsSync(file)) this.load();
  }

  get(job: Job): Run | undefined {
    return this.runs.get(jobKey(job));
  }

  add(run: Run): void {
    this.runs.set(jobKey(run), run);
    appendFileSync(this.file, JSON.stringify({ schema: SCHEMA, scenario: this.scenario, of: this.identity, ...run }, writeNumber) + '\n');
  }

  private load(): void {
    const bytes = readInput(this.file, MAX_FILE_BYTES, 'begin a new one');
    // A line that was being written when the power went is not there.
    const end = bytes.lastIndexOf(NEWLINE) + 1;
    if (end === 0 && bytes.length > 0) throw new InputError(`${this.file}:1: no run of an experiment; name a file that does not exist yet`);
    if (end < bytes.length) truncateSync(this.file, end);
    bytes.subarray(0, end).toString('utf8').split('\n').forEach((line, i) => {
      if (line === '') return;
      const run = this.read(line, i + 1);
      this.runs.set(jobKey(run), run);
    });
  }

  private read(line: string, number: number): Run {
    const parsed = lineSchema.safeParse(parseJson(line));
    if (!parsed.success) throw new InputError(`${this.file}:${number}: no run of an experiment of this version; name a file that does not exist yet`);
    const { schema: _schema, scenario, of, metrics, ...rest } = parsed.data;
    const changed = (['scenario', 'image', 'program'] as const).filter((part) => of[part] !== this.identity[part]);
    if (changed.length > 0) {
      const what = changed.includes('scenario') ? `of ${scenario === this.scenario ? 'another version of ' : ''}the scenario ${scenario}` : `made with another ${changed.join(' and ')}`;
      throw new InputError(`${this.file}:${number}: holds a run ${what}; runs of both do not belong together: name another file or remove this one`);
    }
    return { ...rest, metrics: Object.fromEntries(metricNames.map((name) => [name, readNumber(metrics[name])])) as Metrics };
  }
}

function parseJson(text: string): unknown {
  try {
    return JSON.parse(text) as unknown;
  } catch {
    return null;
  }
}

import { z } from 'zod';
import { profileNames } from '../../emulator/router/profiles.js';
import { InputError } from '../input-error.js';
import { RECORDING_SCHEMA, type Input, type Outcome } from './input.js';

/** What the machine was made of; together with the inputs it determines everything. */
export const setupSchema = z.strictObject({
  schema: z.literal(RECORDING_SCHEMA),
  profile: z.enum(profileNames),
  seed: z.int().min(0).max(0xffffffff),
  /** Bytes of RAM; null: the profile's. */
  mem: z.int().min(1 << 20).max(1 << 30).nullable(),
  /** The root filesystem as it was named; null: the firmware. */
  rootfs: z.string().nullable(),
  daemons: z.array(z.array(z.string()).min(1)),
  shell: z.array(z.string()),
  guard: z.array(z.string()),
  /** Faults at one instruction before the guard tries the first state; see GuardOptions. */
  guardRepeats: z.int().min(0).max(1000).default(0),
  files: z.record(z.string(), z.string()),
  forwards: z.array(z.string()),
});
export type Setup = z.infer<typeof setupSchema>;

const base64 = z.string().transform((text) => new Uint8Array(Buffer.from(text, 'base64')));
const until = z.number().min(0);
const id = z.int().min(1);
const lineSchema = z.union([
  z.strictObject({ until, kind: z.literal('open'), id, forward: z.int().min(0) }),
  z.strictObject({ until, kind: z.literal('data'), id, bytes: base64 }),
  z.strictObject({ until, kind: z.enum(['end', 'abort', 'pause', 'resume']), id }),
  z.strictObject({ until, kind: z.literal('datagram'), id, forward: z.int().min(0), bytes: base64 }),
  z.strictObject({ until, kind: z.literal('console'), bytes: base64 }),
  z.strictObject({ until, kind: z.literal('console-end') }),
]);
const outcomeSchema = z.strictObject({ until, kind: z.literal('outcome'), eventLog: z.string(), output: z.string(), inputs: z.int() })
  .transform(({ eventLog, output, inputs, ...rest }): Outcome => ({ until: rest.until, eventLog, output, inputs }));

/** A session, as it can be repeated. */
export interface Recording {
  setup: Setup;
  inputs: Input[];
  /** Null when the session was cut off before its end. */
  outcome: Outcome | null;
}

/** Does a file begin as a recording does? */
export const looksLikeRecording = (head: string): boolean => head.startsWith(`{"schema":"${RECORDING_SCHEMA}"`);

/** Throws InputError naming file, line and what is wrong. */
export function readRecording(file: string, text: string): Recording {
  const lines = text.split('\n');
  if (lines.at(-1) === '') lines.pop();
  const parse = <T>(schema: z.ZodType<T>, at: number): T => {
    const result = schema.safeParse(jsonOf(file, lines[at], at));
    if (result.success) return result.data;
    throw new InputError(`${file}: line ${at + 1}: ${result.error.issues[0]?.message ?? 'is not what a recording has'}; make a new one with: shuntbox boot --record FILE`);
  };
  if (lines.length === 0) throw new InputError(`${file}: is empty; make a recording with: shuntbox boot --record FILE`);
  const setup = parse(setupSchema, 0);
  const ended = lines.length > 1 && lines[lines.length - 1].startsWith('{"kind":"outcome"');
  const inputs = lines.slice(1, ended ? -1 : undefined).map((_, i) => parse(lineSchema as z.ZodType<Input>, i + 1));
  inputs.forEach((input, i) => {
    if (i > 0 && input.until < inputs[i - 1].until) throw new InputError(`${file}: line ${i + 2}: its time lies before the line above; the recording was changed`);
    if ('forward' in input && input.forward >= setup.forwards.length) throw new InputError(`${file}: line ${i + 2}: names forward ${input.forward}, the first line has ${setup.forwards.length}`);
  });
  return { setup, inputs, outcome: ended ? parse(outcomeSchema, lines.length - 1) : null };
}

function jsonOf(file: string, line: string, at: number): unknown {
  try {
    return JSON.parse(line);
  } catch {
    throw new InputError(`${file}: line ${at + 1}: is not JSON; the recording is damaged or was cut off`);
  }
}

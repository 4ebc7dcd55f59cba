import { existsSync, readFileSync, renameSync, writeFileSync } from 'node:fs';
import { UsageError } from '../cli/errors.js';
import type { Part, PartResult } from './plan.js';

export const SCHEMA = 'shuntbox-measure/2';

/** What --json prints and --out keeps. */
export interface Measurement {
  schema: typeof SCHEMA;
  /** Processor and Node version: host times mean nothing without them. */
  host: string;
  settings: Record<string, unknown>;
  /** By part, in the order they were done. */
  parts: Record<string, PartResult>;
}

/** Begin anew, or go on where an interrupted run left its file. UsageError when the file is another experiment's. */
export function openSession(file: string | undefined, host: string, settings: Record<string, unknown>): Measurement {
  const fresh: Measurement = { schema: SCHEMA, host, settings, parts: {} };
  if (file === undefined || !existsSync(file)) return fresh;
  const found = readSession(file);
  if (found.host !== host) throw new UsageError(`${file} was begun on another host (${found.host}); remove it or name another file`);
  if (JSON.stringify(found.settings) !== JSON.stringify(settings)) throw new UsageError(`${file} was begun with other options (${JSON.stringify(found.settings)}); repeat those, remove it or name another file`);
  return found;
}

function readSession(file: string): Measurement {
  let found: unknown;
  try {
    found = JSON.parse(readFileSync(file, 'utf8'));
  } catch (error) {
    if (error instanceof SyntaxError) throw new UsageError(`${file} is no JSON; remove it or name another file`);
    throw error;
  }
  const one = found as Partial<Measurement> | null;
  if (one?.schema !== SCHEMA || typeof one.parts !== 'object') throw new UsageError(`${file} is no result of shuntbox measure (${SCHEMA}); remove it or name another file`);
  return one as Measurement;
}

/** Every part that is not done yet; after each the file is replaced, so that an interruption costs the part under way and no more. */
export async function runParts(session: Measurement, parts: readonly Part[], file: string | undefined, onProgress: (what: string, share: number) => void): Promise<void> {
  for (const [i, part] of parts.entries()) {
    onProgress(part.key, i / parts.length);
    if (part.key in session.parts) continue;
    session.parts[part.key] = await part.run((share) => onProgress(part.key, (i + share) / parts.length));
    if (file !== undefined) writeSession(file, session);
  }
}

function writeSession(file: string, session: Measurement): void {
  writeFileSync(`${file}~`, JSON.stringify(session, null, 1) + '\n');
  renameSync(`${file}~`, file);
}

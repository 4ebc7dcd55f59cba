import { existsSync, renameSync, writeFileSync } from 'node:fs';
import { InputError } from '../input-error.js';
import { readInput } from '../input-file.js';
import type { SeedScore } from './score.js';

const SCHEMA = 'shuntbox-filter/1';
const MAX_BYTES = 64 << 20;

/** What must agree for a finished seed to stand for a new run of it. */
export interface RunKey {
  scenario: string;
  mutants: number;
  near: number;
}

interface SavedResults extends RunKey {
  schema: string;
  seeds: SeedScore[];
}

/** Seeds finished by an earlier, interrupted run; none when the file is not there yet. Throws InputError. */
export function loadFinished(file: string, key: RunKey): SeedScore[] {
  if (!existsSync(file)) return [];
  let saved: Partial<SavedResults>;
  try {
    saved = JSON.parse(readInput(file, MAX_BYTES, 'name another file').toString('utf8')) as Partial<SavedResults>;
  } catch (error) {
    if (!(error instanceof SyntaxError)) throw error;
    throw new InputError(`${file}: not a result file of shuntbox filter (${error.message}); name another file`);
  }
  if (saved.schema !== SCHEMA || !Array.isArray(saved.seeds)) throw new InputError(`${file}: not a result file of shuntbox filter; name another file`);
  for (const name of ['scenario', 'mutants', 'near'] as const) {
    if (saved[name] !== key[name]) throw new InputError(`${file}: made with ${name} ${String(saved[name])}, this run has ${String(key[name])}; name another file`);
  }
  return saved.seeds;
}

/** Written aside and renamed: an interrupted run leaves the file whole. */
export function saveFinished(file: string, key: RunKey, seeds: readonly SeedScore[]): void {
  const results: SavedResults = { schema: SCHEMA, ...key, seeds: [...seeds] };
  writeFileSync(`${file}.new`, JSON.stringify(results, null, 2) + '\n');
  renameSync(`${file}.new`, file);
}

import { existsSync } from 'node:fs';
import { basename, join } from 'node:path';
import { readInput } from '../input-file.js';
import type { Scenario } from '../scenario.js';
import { Symboliser } from './symboliser.js';

/** A program under test with the names of its code. */
export interface Unstripped {
  /** What the kernel calls its process. */
  comm: string;
  /** The unstripped program on this computer; null: there is none, addresses stay without names. */
  file: string | null;
  symbols: Symboliser;
}

const COMM_MAX = 15;
const MAX_PROGRAM_BYTES = 256 << 20;

const loaded = new Map<string, Symboliser>();

function symbolsOf(file: string | null): Symboliser {
  if (file === null) return new Symboliser(new Uint8Array(0));
  const symbols = loaded.get(file) ?? new Symboliser(readInput(file, MAX_PROGRAM_BYTES, 'no device here holds such a program'));
  loaded.set(file, symbols);
  return symbols;
}

/** The firmware's own programs, from the source tree as well as from dist/. */
function firmwareProgram(program: string): string | null {
  const here = import.meta.dirname ?? __dirname;
  const folders = [join(here, '..', 'router-firmware', 'debug'), join(here, '..', '..', 'router-firmware', 'debug')];
  return folders.map((folder) => join(folder, basename(program))).find((file) => existsSync(file)) ?? null;
}

/** The daemons under test of a scenario. A program of the user's own serves itself, with whatever symbols it has. */
export function unstrippedPrograms(scenario: Pick<Scenario, 'daemons' | 'programs'>): Unstripped[] {
  return scenario.daemons.filter(({ underTest }) => underTest).map(({ program }) => {
    const file = scenario.programs?.[program]?.file ?? firmwareProgram(program);
    return { comm: basename(program).slice(0, COMM_MAX), file, symbols: symbolsOf(file) };
  });
}

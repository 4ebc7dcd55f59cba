import { existsSync } from 'node:fs';
import { basename, join } from 'node:path';
import { debugProgram, Symbols } from '../corruption/symbols.js';
import { InputError } from '../input-error.js';
import type { Scenario } from '../scenario.js';
import type { FaultSpec } from '../schema.js';

/** Where a fault strikes: after so many of the process's own instructions, or when it comes to an address for the `hit`th time. */
export type Place =
  | { instruction: number }
  | { address: number; hit: number; /** Name of the mapped file the address counts in, as the ELF file gives it; null: the program. */ object: string | null };

/** A scenario's fault with its names resolved. Times in virtual nanoseconds from the start of the load. */
export interface FaultPlan {
  daemon: string;
  comm: string;
  start: number;
  every: number;
  count: number;
  from: FaultSpec['from'];
  place: Place;
  what: FaultSpec['what'];
}

/** TASK_COMM_LEN less its NUL. */
const COMM_LENGTH = 15;

/** Looks symbols up in the user's root filesystem or in the firmware's unstripped programs. Throws InputError for one that is not there. */
export function planFaults(scenario: Pick<Scenario, 'fault' | 'daemons' | 'rootfs'>): FaultPlan[] {
  return scenario.fault.map(({ daemon, start, every, count, from, at, what }) => {
    const program = scenario.daemons.find(({ name }) => name === daemon)?.program ?? daemon;
    return { daemon, comm: basename(program).slice(0, COMM_LENGTH), start, every, count, from, what, place: placeOf(at, program, scenario.rootfs) };
  });
}

function placeOf(at: FaultSpec['at'], program: string, rootfs: string | undefined): Place {
  if ('instruction' in at) return at;
  const object = at.object === undefined ? null : basename(at.object);
  if ('address' in at) return { address: at.address, hit: at.hit, object };
  const file = fileOf(at.object ?? program, rootfs);
  return { address: new Symbols(file).find(at.symbol).value, hit: at.hit, object };
}

function fileOf(path: string, rootfs: string | undefined): string {
  if (rootfs === undefined) return debugProgram(path);
  const file = join(rootfs, path);
  if (!existsSync(file)) throw new InputError(`${rootfs} has no ${path}, in which the scenario's fault looks for a symbol`);
  return file;
}

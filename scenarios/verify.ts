import { spawn } from 'node:child_process';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Random } from '../emulator/base/index.js';
import type { ArmName } from './arms.js';
import type { Scenario } from './scenario.js';
import { firmwareImage, Simulation } from './simulation.js';

export interface VerifyOptions {
  seed?: number;
  /** Moments at which the whole simulation is saved and loaded in a new process. */
  saves: number;
  /** How this program is called: the interpreter and its first arguments. */
  self: readonly string[];
  onCheck?: (check: Check) => void;
}

export interface Check {
  arm: ArmName;
  what: string;
  entries: number;
  /** The first place where the two logs differ, or null. */
  difference: Difference | null;
}

export interface Difference {
  line: number;
  expected: string;
  found: string;
}

/** A slice that ends in the middle of things: a prime, and far below the usual one. */
export const ODD_SLICE = 7919;

/** The whole event log of one arm. */
export function eventLog(scenario: Scenario, arm: ArmName, options: { seed?: number; hostSlice?: number }): string {
  const simulation = Simulation.create(scenario, arm, { ...options, image: firmwareImage() });
  simulation.run();
  return simulation.router.log.lines();
}

/** The event log of a saved simulation after it has run to its end. */
export function resumedLog(saved: Uint8Array, rootfs?: string): string {
  const simulation = Simulation.load(saved, rootfs);
  simulation.run();
  return simulation.router.log.lines();
}

export function compareLogs(expected: string, found: string): Difference | null {
  if (expected === found) return null;
  const a = expected.split('\n');
  const b = found.split('\n');
  const line = a.findIndex((text, i) => text !== b[i]);
  const at = line < 0 ? a.length : line;
  return { line: at + 1, expected: a[at] ?? '(end of log)', found: b[at] ?? '(end of log)' };
}

/**
 * Runs one arm again and again and compares the event logs byte for byte with the first: in this process, in another one, with another host
 * slice, and saved at random moments and loaded in a new process.
 */
export async function verifyArm(scenario: Scenario, arm: ArmName, options: VerifyOptions): Promise<Check[]> {
  const { seed } = options;
  const seedFlags = seed === undefined ? [] : ['--seed', String(seed)];
  const second = otherProcess(options.self, ['log', scenario.folder, '--arm', arm, ...seedFlags, ...rootfsFlags(scenario)]);
  const reference = eventLog(scenario, arm, { seed });
  const entries = reference.split('\n').length - 1;
  const checks: Check[] = [];
  const check = (what: string, found: string): void => {
    const one = { arm, what, entries, difference: compareLogs(reference, found) };
    checks.push(one);
    options.onCheck?.(one);
  };
  check('in a second process', await second);
  const saved = saveAtRandom(scenario, arm, options, seed);
  check('again in this process', eventLog(scenario, arm, { seed }));
  for (const { what, log } of saved) check(what, await log);
  check(`host slice of ${ODD_SLICE} instructions`, eventLog(scenario, arm, { seed, hostSlice: ODD_SLICE }));
  return checks;
}

function saveAtRandom(scenario: Scenario, arm: ArmName, options: VerifyOptions, seed?: number): { what: string; log: Promise<string> }[] {
  const simulation = Simulation.create(scenario, arm, { seed, image: firmwareImage() });
  const random = new Random(scenario.seed ^ 0x5a5a);
  const moments = Array.from({ length: options.saves }, () => random.fraction()).sort((a, b) => a - b);
  return moments.map((share) => {
    simulation.run(simulation.start + Math.floor(share * (simulation.end - simulation.start)));
    return { what: `saved at ${(share * 100).toFixed(1)} %, loaded in a new process`, log: resumeElsewhere(options.self, simulation.save(), rootfsFlags(scenario)) };
  });
}

const rootfsFlags = ({ rootfs }: Scenario): string[] => (rootfs === undefined ? [] : ['--rootfs', rootfs]);

async function resumeElsewhere(self: readonly string[], saved: Uint8Array, flags: readonly string[]): Promise<string> {
  const folder = mkdtempSync(join(tmpdir(), 'shuntbox-'));
  const file = join(folder, 'simulation.snapshot');
  writeFileSync(file, saved);
  try {
    return await otherProcess(self, ['log', '--resume', file, ...flags]);
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}

/** Standard output of this program called with other arguments. */
function otherProcess(self: readonly string[], args: readonly string[]): Promise<string> {
  return new Promise((resolve, reject) => {
    const child = spawn(self[0], [...self.slice(1), ...args], { stdio: ['ignore', 'pipe', 'pipe'] });
    const chunks: Buffer[] = [];
    const errors: Buffer[] = [];
    child.stdout.on('data', (chunk: Buffer) => chunks.push(chunk));
    child.stderr.on('data', (chunk: Buffer) => errors.push(chunk));
    child.on('error', reject);
    child.on('close', (code) => {
      if (code === 0) resolve(Buffer.concat(chunks).toString('utf8'));
      else reject(new Error(`the second process ended with status ${String(code)}: ${Buffer.concat(errors).toString('utf8').slice(0, 2000)}`));
    });
  });
}

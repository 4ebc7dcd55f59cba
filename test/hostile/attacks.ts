import { spawn } from 'node:child_process';
import { mkdtempSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { build } from 'esbuild';
import type { AttackOutcome, AttackRequest } from './attack-run.js';

const RAM = 32 << 20;
/** What a host process may grow by: three times the device's RAM, and what a heap that grows keeps for itself. */
export const GROWTH_MAX = 3 * RAM + 200e6;
/** Processor time of any few instructions with their kernel work, collecting garbage beside it included. */
export const LONGEST_MS = 3000;

/** Name, argument, and virtual seconds at 100 MHz after which everything is killed. */
export type Attack = readonly [name: string, count: number, seconds: number];

/** Runs attacks, each in a host process of its own. */
export class AttackRunner {
  private folder = '';

  async prepare(): Promise<void> {
    this.folder = mkdtempSync(join(process.cwd(), 'node_modules/.hostile-'));
    await build({
      entryPoints: ['test/hostile/attack-run.ts'], outfile: join(this.folder, 'run.mjs'),
      bundle: true, platform: 'node', format: 'esm', packages: 'external', logLevel: 'error',
    });
  }

  remove(): void {
    rmSync(this.folder, { recursive: true, force: true });
  }

  run([name, count, seconds]: Attack): Promise<AttackOutcome> {
    const request: AttackRequest = { name, count, seconds, ram: RAM };
    return output(process.execPath, [join(this.folder, 'run.mjs'), JSON.stringify(request)]);
  }
}

function output(program: string, args: string[]): Promise<AttackOutcome> {
  return new Promise((resolve, reject) => {
    const child = spawn(program, args, { stdio: ['ignore', 'pipe', 'pipe'] });
    const out: Buffer[] = [];
    const err: Buffer[] = [];
    child.stdout.on('data', (bytes: Buffer) => out.push(bytes));
    child.stderr.on('data', (bytes: Buffer) => err.push(bytes));
    child.on('close', (code) => {
      if (code === 0) resolve(JSON.parse(Buffer.concat(out).toString()) as AttackOutcome);
      else reject(new Error(`the host process ended with ${code}: ${Buffer.concat(err).toString().slice(0, 2000)}`));
    });
  });
}

/** The host is unharmed and the machine still works, with all of its memory. */
export function unharmed(outcome: AttackOutcome): void {
  expect(outcome.growth).toBeLessThan(GROWTH_MAX);
  expect(outcome.longestMs).toBeLessThan(LONGEST_MS);
  expect({ after: outcome.after, lost: outcome.lost }).toEqual({ after: 'hello, router\n', lost: 0 });
}

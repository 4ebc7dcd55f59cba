import { spawnSync } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { BareProgram } from './bare-program.js';
import { QEMU, secondsSince } from './rate.js';
import type { Outcome, Workload } from './workload.js';

/** test/guest/bench/coremark-like.c on the bare processor. */
export function coremarkLike(binary: string, iterations: number): Workload {
  const elf = readFileSync(binary);
  return {
    name: 'coremark-like',
    about: `list sort, matrix, state machine and CRC on the bare processor, ${iterations} iterations`,
    unit: null,
    prepare() {
      const program = new BareProgram(elf, ['coremark-like', String(iterations)]);
      return () => {
        program.run();
        return { instructions: program.instructions, virtualSeconds: null, units: iterations, output: program.text() };
      };
    },
    native: { by: 'wall time', seconds: (expected) => underQemu([binary, String(iterations)], expected) },
  };
}

function underQemu(command: readonly string[], expected: Outcome): Promise<number | null> {
  const start = process.hrtime.bigint();
  const run = spawnSync(QEMU, command, { encoding: 'latin1' });
  const seconds = secondsSince(start);
  if (!run.error && run.stdout !== expected.output) throw new Error(`${QEMU} says ${JSON.stringify(run.stdout)}, we say ${JSON.stringify(expected.output)}`);
  return Promise.resolve(run.error ? null : seconds);
}

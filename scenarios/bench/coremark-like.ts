import { readFileSync } from 'node:fs';
import { BareProgram } from './bare-program.js';
import type { Workload } from './workload.js';

/** test/guest/bench/coremark-like.c on the bare processor. */
export function coremarkLike(binary: string, iterations: number): Workload {
  const elf = readFileSync(binary);
  return {
    name: 'coremark-like',
    about: `list sort, matrix, state machine and CRC, ${iterations} iterations`,
    native: [binary, String(iterations)],
    prepare() {
      const program = new BareProgram(elf, ['coremark-like', String(iterations)]);
      return () => {
        program.run();
        return { instructions: program.instructions, output: program.text() };
      };
    },
  };
}

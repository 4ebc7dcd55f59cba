import type { Kernel } from './kernel.js';
import type { Usage } from './process.js';

/** struct rusage of a 32-bit program (72 bytes): two timevals, then fourteen longs of which the kernel fills five here. */
export function rusageWords(kernel: Kernel, usage: Usage): number[] {
  const words = new Array<number>(18).fill(0);
  const microseconds = (cycles: number): number => Math.floor(kernel.clock.toNanoseconds(cycles) / 1000);
  [usage.user, usage.system].forEach((cycles, i) => {
    const us = microseconds(cycles);
    words[2 * i] = Math.floor(us / 1e6);
    words[2 * i + 1] = us % 1e6;
  });
  words[8] = usage.minorFaults;
  words[16] = usage.voluntarySwitches;
  words[17] = usage.involuntarySwitches;
  return words;
}

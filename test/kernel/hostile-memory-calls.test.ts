import fc from 'fast-check';
import { BLOCKED, findSyscall, type Process } from '../../emulator/kernel/index.js';
import { TestMachine } from '../support/machine.js';
import { sampleElf } from './sample-elf.js';

const NUMBERS = [4045, 4090, 4091, 4117, 4125, 4144, 4147, 4149, 4154, 4155, 4156, 4167, 4210, 4217, 4218, 4359, 4393, 4394, 4395, 4396, 4397, 4398, 4420];

/** Small numbers, flags, addresses of and around what is mapped, the ends of ranges, anything. */
const argument = fc.oneof(
  fc.integer({ min: -3, max: 40 }),
  fc.constantFrom(0x40_0000, 0x41_1000, 0x41_2000, 0x41_3ff0, 0x5000_0000, 0x7fff_5000, 0x7fff_7000, 0x7fff_8000, -0x8000_0000, 0x7fff_ffff, 4096, 8192, 0x1_0000, 0x4_0000),
  fc.constantFrom(0x12, 0x802, 0x801, 0x1_0802, 0x812, 0x10_0812, 0x1000, 0x3b6, 0x7b6, 0x100),
  fc.integer({ min: -0x8000_0000, max: 0x7fff_ffff }),
);

test('no arguments whatever make a memory or IPC call throw, overlap regions or take more than the device has', () => {
  const { kernel } = new TestMachine({ ram: 8 << 20, files: { '/bin/prog': sampleElf() } });
  const spawn = (): Process => kernel.spawn('/bin/prog', ['prog'], []) as Process;
  const calls = fc.array(fc.tuple(fc.constantFrom(...NUMBERS), fc.array(argument, { minLength: 7, maxLength: 7 })), { minLength: 1, maxLength: 30 });
  fc.assert(fc.property(calls, (list) => {
    const process = spawn();
    const [thread] = process.threads;
    for (const [number, [a0, a1, a2, a3, a4, a5, a6]] of list) {
      const result = findSyscall(number)!.handler(kernel, thread, a0, a1, a2, a3, a4, a5, a6);
      expect(Number.isInteger(result)).toBe(true);
      if (result === BLOCKED) {
        thread.unblock();
        thread.state = 'runnable';
      }
    }
    const { space } = process;
    space.regions.forEach((region, i) => {
      expect(region.start < region.end && region.end <= (space.regions[i + 1]?.start ?? 0x7fff_8000)).toBe(true);
    });
    kernel.signal(process, 9, { signo: 9, code: 0 });
    kernel.run(kernel.clock.cycles + 1000);
    expect(kernel.processes.has(process.pid)).toBe(false);
    expect(kernel.ram.free()).toBeGreaterThanOrEqual(-32);
  }), { numRuns: 150 });
  kernel.extension.clear();
}, 60_000);

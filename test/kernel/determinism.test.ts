import fc from 'fast-check';
import { loadGraph, saveGraph, snapshotClass, type EventTarget } from '../../emulator/base/index.js';
import type { Kernel, Process } from '../../emulator/kernel/index.js';
import { guestBinary, TestMachine, type MachineOptions } from '../support/machine.js';

/** Programs that exercise what could depend on slicing: preemption, timers, signals, sleeping, sharing, faults. */
const programs = ['fork', 'pipes', 'threads', 'futex', 'signals', 'alarm', 'nested', 'restart', 'sysv', 'poll', 'cow', 'float', 'exec', 'sigjmp', 'altstack', 'udp', 'unix', 'time'];
const costs = { 'fault.cow': 1300, 'fp.instruction': 400, 'syscall': 300, 'copy.bytes': 0.75, 'context.switch': 2000, 'fault.page': 1200, 'signal.deliver': 1800 };
const config: MachineOptions = { cpi: 1.25, quantum: 3000, costs };

/** Writes down, at even intervals of virtual time, how far the programs have come. */
class Metronome implements EventTarget {
  private readonly kernel: Kernel;

  constructor(kernel: Kernel) {
    this.kernel = kernel;
    this.schedule();
  }

  private schedule(): void {
    this.kernel.events.at(this.kernel.clock.cycles + 49_999, this, 'tick');
  }

  onEvent(): void {
    if (this.kernel.processes.size === 0) return;
    this.kernel.log.add('tick', { retired: this.kernel.retired });
    this.schedule();
  }
}
snapshotClass('Metronome', Metronome);

interface Trace {
  log: string;
  stdout: string;
  cycles: number;
  retired: number;
  ledger: string;
}

function start(program: string, options: MachineOptions = config): { machine: TestMachine; process: Process } {
  const machine = new TestMachine(options);
  machine.writeFile(`/bin/${program}`, guestBinary(program), 0o755);
  machine.feed('');
  new Metronome(machine.kernel);
  return { machine, process: machine.spawn(`/bin/${program}`, [program]) };
}

function traceOf(kernel: Kernel, stdout: string): Trace {
  return { log: kernel.log.lines(), stdout, cycles: kernel.clock.cycles, retired: kernel.retired, ledger: JSON.stringify(kernel.ledger.snapshot()) };
}

/** Run until nothing can happen any more. */
function finish(kernel: Kernel): void {
  expect(kernel.run(1e12).reason).toBe('idle');
}

function wholeRun(program: string, options?: MachineOptions): Trace {
  const { machine } = start(program, options);
  finish(machine.kernel);
  return traceOf(machine.kernel, machine.stdout);
}

const reference = new Map(programs.map((program) => [program, wholeRun(program)]));
const anyProgram = fc.constantFrom(...programs);

describe('the same machine does the same', () => {
  test.each([1, 7, 311, 4096])('whatever the host slice (%i instructions)', (hostSlice) => {
    for (const program of hostSlice < 1000 ? ['fork', 'signals', 'threads', 'restart'] : programs) {
      expect({ program, ...wholeRun(program, { ...config, hostSlice }) }).toEqual({ program, ...reference.get(program) });
    }
  });

  test('however often it is stopped and asked to go on', () => {
    fc.assert(fc.property(anyProgram, fc.array(fc.integer({ min: 1, max: 40_000 }), { minLength: 1, maxLength: 40 }), fc.boolean(), (program, steps, exactly) => {
      const { machine: { kernel }, machine } = start(program);
      for (const step of steps) {
        if (exactly) kernel.run(Infinity, kernel.retired + step);
        else kernel.run(kernel.clock.cycles + step);
      }
      finish(kernel);
      expect(traceOf(kernel, machine.stdout)).toEqual(reference.get(program));
    }), { numRuns: 25 });
  });

  test('when it is watched by strace', () => {
    for (const program of programs) expect(wholeRun(program, { ...config, strace: true })).toEqual(reference.get(program));
  });
});

test('saved at any moment and loaded, a machine goes on as the other would have', () => {
  fc.assert(fc.property(anyProgram, fc.double({ min: 0, max: 1, noNaN: true }), (program, part) => {
    const whole = reference.get(program) as Trace;
    const { machine } = start(program);
    machine.kernel.run(Infinity, Math.floor(part * whole.retired));
    const kernel = loadGraph(saveGraph(machine.kernel)) as Kernel;
    const loaded = new TestMachine({}, kernel);
    finish(kernel);
    expect(traceOf(kernel, machine.stdout + loaded.stdout)).toEqual(whole);
  }), { numRuns: 15 });
});

test('a stop after an exact number of instructions is met to the instruction, or one later in a delay slot', () => {
  const { machine: { kernel } } = start('strings');
  for (let target = 1; target < 3000; target += 37) {
    kernel.run(Infinity, target);
    expect(kernel.retired - target).toBeGreaterThanOrEqual(0);
    expect(kernel.retired - target).toBeLessThanOrEqual(1);
  }
});

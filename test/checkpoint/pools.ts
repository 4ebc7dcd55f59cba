import { Random, textOf } from '../../emulator/base/index.js';
import { defaultGuard, installCheckpoints, Store } from '../../emulator/checkpoint/index.js';
import { Signal, type GuardOptions, type Kernel, type Process } from '../../emulator/kernel/index.js';
import { guestBinary, TestMachine } from '../support/machine.js';

export interface Outcome {
  answers: string[];
  /** What the server wrote, and how it ended. */
  server: string[];
  status: number;
  log: (what: string) => Record<string, unknown>[];
  machine: TestMachine;
}

interface Setup {
  store: number;
  workers: number;
  daemons: string[];
  /** Just before the second letter the image files of the worker with this number go. */
  spoil: number;
}

/** A pool of `workers` that knows nothing of checkpoints, and a client that sends these letters; see test/guest/prefork.c. */
export function serve(letters: string, options: Partial<GuardOptions> = {}, { store = Store.share, workers = 2, daemons = ['prefork'], spoil = 0 }: Partial<Setup> = {}): Outcome {
  const program = guestBinary('prefork');
  const machine = new TestMachine({ files: { '/bin/prefork': program, '/bin/client': program } });
  installCheckpoints(machine.kernel, { store, guard: { ...defaultGuard, watchdogNs: 20e6, intervalNs: 0, daemons, ...options }, poolFrames: 4096 });
  const server = machine.spawn('/bin/prefork', ['prefork', String(workers)]);
  const sender = machine.spawn('/bin/client', ['client', '-', letters]);
  if (spoil > 0) {
    machine.kernel.run(0.12 * machine.kernel.clock.hz);
    unlinkImages(machine.kernel, spoil);
  }
  const client = machine.finish(sender, 30);
  expect([client.hung, client.status]).toEqual([null, 0]);
  machine.kernel.run(machine.kernel.clock.cycles + 0.2 * machine.kernel.clock.hz);
  const entries = machine.kernel.log.since();
  const lines = machine.stdout.trim().split('\n');
  return {
    answers: lines.filter((line) => !/^(end|child)/.test(line)), server: lines.filter((line) => /^(end|child)/.test(line)),
    status: server.exitStatus, log: (what) => entries.filter((entry) => textOf(entry.what) === what), machine,
  };
}


export const stores: [string, number][] = [['share', Store.share], ['copy', Store.copy], ['pool', Store.pool], ['vnode', Store.vnode]];

function unlinkImages({ vfs, log }: Kernel, pid: number): void {
  for (const entry of log.since().filter(({ what, pid: of }) => textOf(what) === 'checkpoint.freeze' && of === pid)) {
    vfs.unlink(vfs.kernelContext(), `/tmp/prefork.${pid}.${Number(entry.descriptor)}`);
  }
}

const members = (kernel: Kernel): Process[] =>
  [...kernel.processes.values()].filter(({ comm, state }) => comm === 'prefork' && state === 'alive').sort((a, b) => a.pid - b.pid);

interface Torment {
  problems: string[];
  faults: number;
  revived: number;
}

/** Faults and ends of members of a pool of three at times drawn from the seed; afterwards it has to serve, to stop, and to leave nothing behind. */
export function torment(seed: number): Torment {
  const machine = tormented(seed, 25);
  const count = (what: string): number => machine.kernel.log.since().filter((entry) => textOf(entry.what) === what).length;
  const problems: string[] = [];
  const say = (holds: boolean, problem: string): void => { if (!holds) problems.push(`seed ${seed}: ${problem}`); };
  say(/z\nend \d+\n$|end \d+\nz\n$/.test(machine.stdout), `the last client had no answer: ${JSON.stringify(machine.stdout.slice(-60))}`);
  say(members(machine.kernel).length === 0, 'some still run');
  say(count('checkpoint.fail') === 0, 'a freeze or a thaw failed');
  say(count('checkpoint.freeze') === count('checkpoint.drop') + replacements(machine.kernel), 'images are left');
  say(machine.kernel.ram.free() === tormented(seed, 0).kernel.ram.free(), 'frames are left');
  return { problems, faults: count('guard.fault'), revived: count('guard.revive') };
}

/** Freezes into a descriptor that there was already. */
function replacements(kernel: Kernel): number {
  const freezes = kernel.log.since().filter((entry) => textOf(entry.what) === 'checkpoint.freeze').map(({ pid, descriptor }) => `${Number(pid)}.${Number(descriptor)}`);
  return freezes.length - new Set(freezes).size;
}

export function tormented(seed: number, rounds: number): TestMachine {
  const program = guestBinary('prefork');
  const machine = new TestMachine({ files: { '/bin/prefork': program, '/bin/client': program } });
  const { kernel } = machine;
  const guard = { ...defaultGuard, watchdogNs: 20e6, intervalNs: (seed % 4) * 20e6, generationNs: 200e6, strikes: 3, daemons: ['prefork'] };
  installCheckpoints(kernel, { store: stores[seed % stores.length][1], poolFrames: 4096, guard });
  machine.spawn('/bin/prefork', ['prefork', '3']);
  const random = new Random(seed);
  const run = (seconds: number): void => void kernel.run(kernel.clock.cycles + Math.floor(seconds * kernel.clock.hz));
  run(0.05);
  for (let round = 0; round < rounds; round++) {
    if (round % 6 === 0) machine.spawn('/bin/client', ['client', '-', 'nqusnn']);
    run(random.below(3000) / 100_000);
    const victims = members(kernel);
    const victim = victims[random.below(victims.length)];
    // The parent is not killed: nobody would be left.
    kernel.signal(victim, [Signal.SEGV, Signal.SEGV, Signal.BUS, Signal.ABRT, Signal.KILL][random.below(victim === victims[0] ? 4 : 5)]);
  }
  run(0.5);
  machine.finish(machine.spawn('/bin/client', ['client', '-', 'nsnz']), 20);
  run(0.3);
  return machine;
}

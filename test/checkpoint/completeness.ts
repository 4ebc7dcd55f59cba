import { readFileSync } from 'node:fs';
import { failed, Random } from '../../emulator/base/index.js';
import { dropCheckpoint, freezeProcess, installCheckpoints, stateDigest, Store, storeName, thawProcess, type WriteOptions } from '../../emulator/checkpoint/index.js';
import type { Kernel, Process } from '../../emulator/kernel/index.js';
import type { RamdiskKind } from '../support/ramdisks.js';
import { guestBinary, TestMachine } from '../support/machine.js';
import { makeNoise } from './noise.js';

export const stores = [Store.vnode, Store.copy, Store.pool, Store.share];

/** A store, and how it is written to. */
export interface Way {
  name: string;
  store: number;
  write?: Partial<WriteOptions>;
  ramdisk?: RamdiskKind;
}

/** Each store, and a file that shares the pages of the process. */
export const ways: Way[] = [...stores.map((store) => ({ name: storeName(store), store })), { name: 'vnode, pages adopted', store: Store.vnode, write: { adopt: true } }];

export interface GuestTest {
  name: string;
  program?: string;
  args?: string[];
  env?: string[];
  stdin?: string;
  /** Makes checkpoints of its own, whose numbers ours would disturb. */
  checkpoint?: boolean;
}

export const guestTests = (JSON.parse(readFileSync('test/guest/tests.json', 'utf8')) as { tests: GuestTest[] }).tests.filter((guest) => !guest.checkpoint);

export interface Tried {
  /** Points at which the process was frozen, destroyed and thawed. */
  points: number;
  /** Points at which the freeze was refused with an errno (shared memory of a vfork, no room) and the process went on. */
  refused: number;
  /** What went wrong, if anything. */
  failure: string | null;
}

interface Run {
  stdout: string;
  stderr: string;
  status: number;
  instructions: number;
}

function start(guest: GuestTest, ramdisk?: RamdiskKind): { machine: TestMachine; process: Process } {
  const program = guest.program ?? guest.name;
  const machine = new TestMachine({ ramdisk });
  installCheckpoints(machine.kernel, { poolFrames: 2048 });
  machine.writeFile(`/bin/${program}`, guestBinary(program), 0o755);
  machine.feed(guest.stdin ?? '');
  return { machine, process: machine.spawn(`/bin/${program}`, [program, ...(guest.args ?? [])], { env: guest.env }) };
}

function finish(machine: TestMachine, process: Process): Run {
  const { stdout, stderr, status } = machine.finish(process);
  return { stdout, stderr, status, instructions: machine.kernel.retired };
}

const undisturbed = new Map<string, Run>();

export function undisturbedRun(guest: GuestTest, ramdisk: RamdiskKind = 'tmpfs'): Run {
  const key = `${guest.name} ${ramdisk}`;
  let run = undisturbed.get(key);
  if (!run) {
    const { machine, process } = start(guest, ramdisk);
    run = finish(machine, process);
    undisturbed.set(key, run);
  }
  return run;
}

/**
 * Run a guest program; at random instruction counts freeze one of its processes, fill all it has with noise, thaw it.
 * Its output must be the undisturbed run's.
 */
export function disturb(guest: GuestTest, way: Way, seed: number, points: number): Tried {
  const expected = undisturbedRun(guest, way.ramdisk);
  const random = new Random(seed);
  const { machine, process } = start(guest, way.ramdisk);
  const { kernel } = machine;
  const tried: Tried = { points: 0, refused: 0, failure: null };
  const stops = Array.from({ length: points }, () => random.below(expected.instructions)).sort((a, b) => a - b);
  for (const stop of stops) {
    kernel.run(kernel.clock.cycles + 600 * kernel.clock.hz, stop);
    const victim = pick(kernel, random);
    if (!victim) break;
    tried.failure = disturbOnce(kernel, victim, way, random, tried);
    if (tried.failure) return { ...tried, failure: `${guest.name} at instruction ${kernel.retired}, ${way.name}, seed ${seed}: ${tried.failure}` };
  }
  const actual = finish(machine, process);
  const same = actual.stdout === expected.stdout && actual.stderr === expected.stderr && actual.status === expected.status;
  if (!same) tried.failure = `${guest.name}, ${way.name}, seed ${seed}, stops ${stops.join()}: status ${actual.status}, output\n${actual.stdout}${actual.stderr}\ninstead of ${expected.status}\n${expected.stdout}${expected.stderr}`;
  return tried;
}

function pick(kernel: Kernel, random: Random): Process | null {
  const alive = [...kernel.processes.values()].filter((process) => process.state === 'alive');
  return alive.length > 0 ? alive[random.below(alive.length)] : null;
}

function disturbOnce(kernel: Kernel, process: Process, { store, write }: Way, random: Random, tried: Tried): string | null {
  const before = stateDigest(process);
  const descriptor = freezeProcess(kernel, process, { store, write });
  if (failed(descriptor)) {
    tried.refused++;
    return stateDigest(process).all === before.all ? null : 'a refused freeze changed the process';
  }
  makeNoise(process, random);
  const result = thawProcess(kernel, process, descriptor);
  if (failed(result)) return `thaw failed with errno ${-result}`;
  tried.points++;
  const after = stateDigest(process);
  dropCheckpoint(kernel, process, descriptor);
  const differs = (Object.keys(before) as (keyof typeof before)[]).filter((part) => before[part] !== after[part]);
  return differs.length > 0 ? `${differs.join()} differ after the thaw` : null;
}

import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { installCheckpoints } from '../../emulator/checkpoint/index.js';
import type { RamdiskKind } from '../support/ramdisks.js';
import { TestMachine, type RunOutcome } from '../support/machine.js';

/** One line of tests.json: a built program, how it is started, and what it must end with. */
interface GuestTest {
  name: string;
  /** Where the program lies, from the project's root; named as the test unless `program` says otherwise. */
  folder: string;
  program?: string;
  args: string[];
  env: string[];
  stdin: string;
  status: number;
  /** Where the expected output comes from: recorded from qemu, or written down from the manuals. */
  oracle: 'qemu' | 'rule';
  /** It uses the checkpoint calls: run once with each image store. */
  checkpoint?: boolean;
}

interface GuestTests {
  defaults: Omit<GuestTest, 'name'>;
  tests: (Partial<GuestTest> & { name: string })[];
}

const folder = join(process.cwd(), 'test/guest');
const list = JSON.parse(readFileSync(join(folder, 'tests.json'), 'utf8')) as GuestTests;
const tests = list.tests.map((entry): GuestTest => ({ ...list.defaults, ...entry }));

const stores = { vnode: 0x100, copy: 0x200, pool: 0x300, share: 0x400 };

function run(guest: GuestTest, store?: number, ramdisk: RamdiskKind = 'tmpfs'): RunOutcome {
  const machine = new TestMachine({ ramdisk });
  const program = guest.program ?? guest.name;
  if (store !== undefined) installCheckpoints(machine.kernel, { store, poolFrames: 1024 });
  return machine.run(readFileSync(join(process.cwd(), guest.folder, program)), program, guest.args, { stdin: guest.stdin, env: guest.env });
}

function judge(guest: GuestTest, outcome: RunOutcome, deviation = (line: string): string => line): void {
  const out = readFileSync(join(folder, 'expected', `${guest.name}.out`), 'latin1').split('\n').map(deviation).join('\n');
  expect({ out: outcome.stdout, status: outcome.status, hung: outcome.hung }).toEqual({ out, status: guest.status, hung: null });
}

describe('guest programs print what Linux/MIPS prints', () => {
  const plain = tests.filter((guest) => !guest.checkpoint);
  test.each(plain.map((guest) => [guest.name, guest] as const))('%s', (_name, guest) => judge(guest, run(guest)));
});

describe.each(Object.entries(stores))('programs that checkpoint themselves do as the manual says: store %s', (_name, store) => {
  const checkpointing = tests.filter((guest) => guest.checkpoint);
  test.each(checkpointing.map((guest) => [guest.name, guest] as const))('%s', (_program, guest) => judge(guest, run(guest, store)));
});

/** Programs that have to do with files: they may not notice what the ramdisk is made of, but for one call that a UFS has not. */
const onFiles = ['cat', 'exec', 'mmap', 'cow', 'files', 'names', 'transfer', 'proc', 'dev', 'bad-pointers', 'memory-limit', 'enospc', 'checkpoint', 'recovery', 'hazards', 'paper-corrupt', 'paper-pipe'];
const noFallocate = (line: string): string => (line.startsWith('fallocate(fd') ? line.replace(/yes$/, 'NO') : line);

describe('the same programs on a ramdisk that is a block device', () => {
  const chosen = tests.filter((guest) => onFiles.includes(guest.name));
  test.each(chosen.map((guest) => [guest.name, guest] as const))('%s', (_name, guest) => {
    judge(guest, run(guest, guest.checkpoint ? stores.vnode : undefined, 'block'), noFallocate);
  });
});

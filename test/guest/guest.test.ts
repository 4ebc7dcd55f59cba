import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { runGuest } from '../support/machine.js';

/** One line of tests.json: a built program, how it is started, and what it must end with. */
interface GuestTest {
  name: string;
  program: string;
  args: string[];
  env: string[];
  stdin: string;
  status: number;
  /** Where the expected output comes from: recorded from qemu, or written down from the manuals. */
  oracle: 'qemu' | 'rule';
}

const folder = join(process.cwd(), 'test/guest');
const list = JSON.parse(readFileSync(join(folder, 'tests.json'), 'utf8')) as { defaults: GuestTest; tests: Partial<GuestTest>[] };
const tests = list.tests.map((entry): GuestTest => ({ ...list.defaults, ...entry, program: entry.program ?? entry.name ?? '' } as GuestTest));

function expectedOutput(name: string): string {
  return readFileSync(join(folder, 'expected', `${name}.out`), 'latin1');
}

describe('guest programs print what Linux/MIPS prints', () => {
  test.each(tests.map((entry) => [entry.name, entry] as const))('%s', (name, entry) => {
    const outcome = runGuest(entry.program, entry.args, { stdin: entry.stdin, env: entry.env });
    expect({ out: outcome.stdout, status: outcome.status, hung: outcome.hung })
      .toEqual({ out: expectedOutput(name), status: entry.status, hung: null });
  });
});

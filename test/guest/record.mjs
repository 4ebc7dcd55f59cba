// Records test/guest/expected/*.out from qemu-mipsel-static, an independent machine, with the corrections of
// qemu-deviations.json applied. Tests whose oracle is "rule" (qemu-user cannot run them) keep their hand-written output.
// `node test/guest/record.mjs [--check]`: --check compares instead of writing and exits 1 on a difference.
import { spawnSync } from 'node:child_process';
import { existsSync, readFileSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';

const here = dirname(fileURLToPath(import.meta.url));
const { defaults, tests } = JSON.parse(readFileSync(join(here, 'tests.json'), 'utf8'));
const deviations = JSON.parse(readFileSync(join(here, 'qemu-deviations.json'), 'utf8'));
const check = process.argv.includes('--check');
let wrong = 0;

function complain(text) {
  console.error(text);
  wrong++;
}

/** What the test prints on Linux/MIPS, from what it prints under qemu. */
function corrected(name, text) {
  for (const { test, qemu, linux } of deviations) {
    if (test !== name) continue;
    if (!text.includes(qemu)) complain(`${name}: qemu no longer says ${JSON.stringify(qemu)}`);
    text = text.replace(qemu, () => linux);
  }
  return text;
}

for (const entry of tests) {
  const test = { ...defaults, ...entry };
  const program = join(here, '../..', test.folder, test.program ?? test.name);
  const expected = join(here, 'expected', `${test.name}.out`);
  if (test.oracle === 'rule') {
    if (!existsSync(expected)) complain(`${test.name}: no expected output`);
    continue;
  }
  // A session of its own: the one inherited may have no number in this process's namespace.
  const run = spawnSync('setsid', ['env', '-i', ...test.env, 'qemu-mipsel-static', '-cpu', '24Kf', program, ...test.args],
    { cwd: '/tmp', input: test.stdin, encoding: 'latin1', timeout: 60_000, killSignal: 'SIGKILL' });
  const status = run.signal ? 128 + { SIGSEGV: 11, SIGBUS: 7, SIGABRT: 6 }[run.signal] : run.status;
  if (status !== test.status) complain(`${test.name}: status ${status}, expected ${test.status}`);
  const text = corrected(test.name, run.stdout);
  for (const line of text.split('\n')) if (line.endsWith(': NO')) complain(`${test.name}: ${line}`);
  if (!check) writeFileSync(expected, text, 'latin1');
  else if (text !== readFileSync(expected, 'latin1')) complain(`${test.name}: output differs from the recorded one`);
}
process.exit(wrong === 0 ? 0 : 1);

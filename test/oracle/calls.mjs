// Holds our kernel against Linux with programs that ask odd questions (calls/*.c): every line they print is a call and its
// answer, and must be the same on both machines. They are compiled here, with glibc and with musl.
// `node test/oracle/calls.mjs [PATTERN]`: only the programs whose name holds the pattern.
import { spawnSync } from 'node:child_process';
import { mkdtempSync, readdirSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { has, qemuMissing, rootFolder, runOurs, runQemu, skip, twoAtOnce } from './machines.mjs';

const here = dirname(fileURLToPath(import.meta.url));
const pattern = process.argv[2] ?? '';
const deviations = JSON.parse(readFileSync(join(here, 'deviations.json'), 'utf8')).calls;
const used = new Set();
let passed = 0;
let failed = 0;

/** Programs by name, compiled into a folder; what cannot be compiled is said. */
function compile() {
  const folder = mkdtempSync(join(tmpdir(), 'shuntbox-calls-'));
  process.on('exit', () => rmSync(folder, { recursive: true, force: true }));
  const programs = {};
  for (const libc of ['glibc', 'musl']) {
    for (const source of readdirSync(join(here, 'calls')).filter((name) => name.endsWith('.c') && name.includes(pattern))) {
      const name = `${source.slice(0, -2)}-${libc}`;
      const out = join(folder, name);
      const { status, stderr } = spawnSync('bash', ['-c', libc === 'glibc' ? GLIBC : MUSL, 'bash', join(here, 'calls', source), out], { encoding: 'utf8', cwd: join(here, '../../router-firmware') });
      if (status !== 0) {
        console.log(`skipped: no programs with ${libc}: ${stderr.trim().split('\n')[0]}`);
        break;
      }
      programs[`bin/${name}`] = { from: out };
    }
  }
  return programs;
}

const GLIBC = 'mipsel-linux-gnu-gcc -static -O1 -w -o "$2" "$1"';
const MUSL = 'set -e; . ./toolchain.sh; musl_cc -c -w -o "$2.o" "$1"; musl_cc -o "$2" "$2.o"; rm "$2.o"';

/** A line under qemu as Linux on MIPS would have it. `line` counts only calls of that text; `nth` is which of several equal ones. */
function corrected(program, lines) {
  const seen = new Map();
  return lines.map((line) => {
    const nth = (seen.get(line) ?? 0) + 1;
    seen.set(line, nth);
    const at = deviations.findIndex((entry) => entry.program === program && entry.qemu === line && (entry.nth === undefined || entry.nth === nth));
    if (at < 0) return line;
    used.add(at);
    return deviations[at].linux;
  });
}

/** Without the command's own report at the end of a run, of what was asked for and does not exist. */
function withoutReport(answer) {
  return { ...answer, stderr: answer.stderr.replaceAll(/^shuntbox: not supported: .*\n/gm, '') };
}

function judge(name, linux, ours) {
  const program = name.replace(/^bin\/(.*)-.*/, '$1');
  const expected = corrected(program, linux.stdout.split('\n'));
  const got = ours.stdout.split('\n');
  let wrong = 0;
  for (let i = 0; i < Math.max(expected.length, got.length); i++) {
    if (expected[i] === got[i]) { passed++; continue; }
    failed++;
    if (++wrong <= 40) console.log(`FAIL  ${name} line ${i + 1}\n    Linux: ${expected[i]}\n    ours:  ${got[i]}`);
  }
  // Whoever ends otherwise has not asked all its questions.
  if (linux.status === 0 && ours.status === 0 && linux.stderr === ours.stderr) return;
  failed++;
  console.log(`FAIL  ${name} ends\n    Linux: ${linux.status} ${linux.stderr}\n    ours:  ${ours.status} ${ours.stderr}`);
}

if (!has('mipsel-linux-gnu-gcc')) skip('no mipsel-linux-gnu-gcc');
const programs = compile();
const names = Object.keys(programs);
if (names.length === 0) skip('nothing could be compiled');
const root = rootFolder({ ...programs, 'bin/data': { text: 'data of a file\n' } });
const missing = await qemuMissing(root, [`/${names[0]}`]);
if (missing) skip(missing);
await twoAtOnce(names.map((name) => async () => judge(name, await runQemu(root, [`/${name}`]), withoutReport(await runOurs(root, [`/${name}`])))));
if (pattern === '') {
  for (const [at, { program, qemu }] of deviations.entries()) {
    if (used.has(at)) continue;
    failed++;
    console.log(`FAIL  deviations.json: ${program}: qemu no longer says ${JSON.stringify(qemu)}`);
  }
}
console.log(`${passed} passed, ${failed} failed`);
process.exitCode = failed === 0 ? 0 : 1;

import { spawnSync } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { gunzipSync, gzipSync } from 'node:zlib';
import { BareProgram } from '../../scenarios/bench/bare-program.js';
import { BATCH, buildBatch, buildPrefix, buildProbe, compareStates, SEQUENCES, stateOf } from './batch.js';
import differences from './qemu-differences.json' with { type: 'json' };

/**
 * The oracle: runs every generated sequence under qemu-mipsel-static.
 *
 *   node test/cpu/oracle.mjs --check   compare qemu with our processor and with the committed golden file
 *   node test/cpu/oracle.mjs --write   write the golden file from qemu's answers
 *   … --explain N                      name the first instruction of sequence N on which the two differ
 */
const GOLDEN = 'test/cpu/golden/sequences.bin.gz';
const QEMU = 'qemu-mipsel-static';

function qemu(elf: Buffer, directory: string): Buffer {
  const file = join(directory, 'batch');
  writeFileSync(file, elf, { mode: 0o755 });
  const run = spawnSync(QEMU, ['-cpu', '24Kf', file], { maxBuffer: 1 << 24 });
  if (run.status !== 0) throw new Error(`${QEMU} ended with ${run.signal ?? run.status}: ${String(run.error ?? run.stderr)}`);
  return run.stdout;
}

function ours(elf: Buffer): Buffer {
  const program = new BareProgram(elf, ['batch']);
  program.run();
  return Buffer.concat(program.output);
}

/** The instruction after which the states first differ; jumps keep their addresses, so a late one may only show later. */
function explain(sequence: number): void {
  for (let length = 1; ; length++) {
    const { elf, word } = buildPrefix(sequence, length);
    if (word < 0) return;
    const found = compareStates(qemu(elf, directory), ours(elf));
    if (found.length === 0) continue;
    console.log(`sequence ${sequence}, word ${length}: ${(word >>> 0).toString(16).padStart(8, '0')}`);
    for (const { where, expected, actual } of found) console.log(`  ${where}: qemu ${expected.toString(16)} ours ${actual.toString(16)}`);
    return;
  }
}

/** Entries of qemu-differences.json that no longer say what qemu does. */
function wrongEntries(): string[] {
  return differences.filter(({ code, qemu: answer }) => {
    const file = join(directory, 'probe');
    writeFileSync(file, buildProbe(code.map((word) => parseInt(word, 16))), { mode: 0o755 });
    const run = spawnSync(QEMU, ['-cpu', '24Kf', file]);
    if ('signal' in answer && answer.signal !== undefined) return run.signal !== answer.signal;
    if (run.status !== 0) return true;
    const state = stateOf(run.stdout);
    return Object.entries(answer.state ?? {}).some(([name, value]) => state.get(name)?.toString(16) !== value);
  }).map((entry) => entry.instruction);
}

const write = process.argv.includes('--write');
const verbose = process.argv.includes('--verbose');
const directory = mkdtempSync(join(tmpdir(), 'shuntbox-oracle-'));
const answers: Buffer[] = [];
const bad = new Set<number>();
const asked = process.argv.indexOf('--explain');
if (asked > 0) {
  for (const sequence of process.argv.slice(asked + 1)) explain(Number(sequence));
  process.exit(0);
}
for (let index = 0; index < SEQUENCES / BATCH; index++) {
  const batch = buildBatch(index);
  const expected = qemu(batch.elf, directory);
  answers.push(expected);
  for (const difference of compareStates(expected, ours(batch.elf))) {
    const { sequence, where } = difference;
    const number = index * BATCH + sequence;
    if (!bad.has(number) || verbose) console.log(`sequence ${number} (at ${batch.starts[sequence].toString(16)}): ${where} qemu ${difference.expected.toString(16)} ours ${difference.actual.toString(16)}`);
    bad.add(number);
  }
}
const wrong = wrongEntries();
for (const instruction of wrong) console.log(`qemu-differences.json: ${instruction}: qemu answers otherwise now`);
rmSync(directory, { recursive: true });
const all = Buffer.concat(answers);
if (write) writeFileSync(GOLDEN, gzipSync(all, { level: 9 }));
const stale = Buffer.compare(all, gunzipSync(readFileSync(GOLDEN))) !== 0;
if (stale) console.log(`${GOLDEN} does not hold what qemu answers`);
console.log(`${SEQUENCES - bad.size + differences.length - wrong.length} passed, ${bad.size + wrong.length} failed`);
process.exitCode = bad.size + wrong.length > 0 || stale ? 1 : 0;

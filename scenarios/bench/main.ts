import { spawnSync } from 'node:child_process';
import { cpus } from 'node:os';
import { fileURLToPath } from 'node:url';
import { parseArgs } from 'node:util';
import { coremarkLike } from './coremark-like.js';
import { dnsdAnswering } from './dnsd.js';
import { spread, type Measurement, type Outcome, type Workload } from './workload.js';

const QEMU = 'qemu-mipsel-static';
const USAGE = `usage: npm run bench -- [--json] [--runs N] [--iterations N] [--queries N] [--help]

Times the interpreter: millions of guest instructions a second, the median of N runs (5) after one to warm up,
and ${QEMU}'s figure for the same program beside it where that is installed (our instruction count over its
wall time; for dnsd over its processor time, since there the client and the host's network are separate).
`;

/** The repository's root, from dist/ as well as from the source. */
const root = fileURLToPath(new URL(import.meta.url.includes('/dist/') ? '..' : '../..', import.meta.url));

function secondsSince(start: bigint): number {
  return Number(process.hrtime.bigint() - start) / 1e9;
}

function timeOurs(workload: Workload): { outcome: Outcome; mips: number } {
  const run = workload.prepare();
  const start = process.hrtime.bigint();
  const outcome = run();
  return { outcome, mips: outcome.instructions / secondsSince(start) / 1e6 };
}

/** Wall times of qemu, or none when it is missing; another output than ours is an error. */
async function timeQemu(workload: Workload, runs: number, expected: Outcome): Promise<number[]> {
  if (!workload.native) return timeNative(workload, runs);
  const times: number[] = [];
  for (let n = 0; n <= runs; n++) {
    const start = process.hrtime.bigint();
    const run = spawnSync(QEMU, [...workload.native], { encoding: 'latin1' });
    const time = secondsSince(start);
    if (run.error) return [];
    if (run.stdout !== expected.output) throw new Error(`${QEMU} says ${JSON.stringify(run.stdout)}, we say ${JSON.stringify(expected.output)}`);
    if (n > 0) times.push(time);
  }
  return times;
}

async function timeNative(workload: Workload, runs: number): Promise<number[]> {
  const times: number[] = [];
  for (let n = 0; n < runs; n++) {
    const time = await workload.nativeSeconds?.();
    if (time) times.push(time);
  }
  return times;
}

function unitsPerSecond(workload: Workload, outcome: Outcome, mips: number, qemuMips: number | null): Measurement['perSecond'] {
  if (!workload.units) return null;
  const perMillion = workload.units.count / (outcome.instructions / 1e6);
  return { name: workload.units.name, ours: mips * perMillion, qemu: qemuMips === null ? null : qemuMips * perMillion };
}

async function measure(workload: Workload, runs: number): Promise<Measurement> {
  const { outcome } = timeOurs(workload);
  const mips = Array.from({ length: runs }, () => timeOurs(workload).mips);
  const qemu = (await timeQemu(workload, runs, outcome)).map((time) => outcome.instructions / time / 1e6);
  const medians = { ours: spread(mips).median, qemu: qemu.length > 0 ? spread(qemu).median : null };
  return {
    perSecond: unitsPerSecond(workload, outcome, medians.ours, medians.qemu),
    name: workload.name, about: workload.about, instructions: outcome.instructions, output: outcome.output.trim(),
    mips: spread(mips), qemuMips: qemu.length > 0 ? spread(qemu) : null,
  };
}

function show(value: Measurement['qemuMips']): string {
  return value ? `${value.median.toFixed(0)} (${value.low.toFixed(0)}-${value.high.toFixed(0)})` : 'not installed';
}

function report(found: readonly Measurement[]): void {
  for (const item of found) {
    console.log(`${item.name}: ${item.about}`);
    console.log(`  ${item.output}`);
    console.log(`  ${(item.instructions / 1e6).toFixed(1)} million instructions a run`);
    console.log(`  shuntbox     ${show(item.mips)} MIPS`);
    console.log(`  qemu-mipsel  ${show(item.qemuMips)}${item.qemuMips ? ` MIPS, ${(item.qemuMips.median / item.mips.median).toFixed(1)} times as fast` : ''}`);
    if (item.perSecond) console.log(`  ${item.perSecond.name} a second: ${item.perSecond.ours.toFixed(0)}${item.perSecond.qemu === null ? '' : `, under qemu ${item.perSecond.qemu.toFixed(0)} a second of its processor time`}`);
  }
  console.log(`host: Node ${process.version}, V8 ${process.versions.v8}, ${cpus()[0]?.model ?? 'unknown processor'}`);
}

function wholeNumber(text: string, name: string): number {
  const value = Number(text);
  if (Number.isInteger(value) && value > 0) return value;
  process.stderr.write(`--${name} wants a whole number above 0, not ${JSON.stringify(text)}\n`);
  process.exit(2);
}

async function main(): Promise<void> {
  const options = { json: { type: 'boolean' }, help: { type: 'boolean' }, runs: { type: 'string' }, iterations: { type: 'string' }, queries: { type: 'string' } } as const;
  let values;
  try {
    ({ values } = parseArgs({ options }));
  } catch (error) {
    process.stderr.write(`${(error as Error).message}\n${USAGE}`);
    process.exit(2);
  }
  if (values.help) {
    process.stdout.write(USAGE);
    return;
  }
  const runs = wholeNumber(values.runs ?? '5', 'runs');
  const iterations = wholeNumber(values.iterations ?? '3000', 'iterations');
  const queries = wholeNumber(values.queries ?? '20000', 'queries');
  const workloads = [coremarkLike(`${root}test/guest/bench/coremark-like`, iterations), dnsdAnswering(root, QEMU, queries)];
  const found: Measurement[] = [];
  for (const workload of workloads) found.push(await measure(workload, runs));
  if (values.json) console.log(JSON.stringify({ node: process.version, v8: process.versions.v8, cpu: cpus()[0]?.model, workloads: found }, null, 2));
  else report(found);
}

await main();

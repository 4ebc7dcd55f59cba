import { existsSync, readFileSync, writeFileSync } from 'node:fs';
import { cpus, loadavg } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { parseArgs } from 'node:util';
import { catalog, FULL, QUICK, type Size } from './catalog.js';
import { markdown, refreshed, text } from './report.js';
import type { Bench, Conditions, Measurement } from './workload.js';

const RUNS = 5;
const USAGE = `usage: npm run bench -- [options]

Times the emulator: each benchmark ${RUNS} times after once to warm up; the median, and the lowest and highest in brackets.
"host" is by this computer's clock, "virtual" by the router's. Beside them, where it is installed, qemu-mipsel-static
running the same program: by wall time, for a DNS server by its processor time (its client and network are this computer's).

  --only NAME       this benchmark only; again for more; NAME* for all that begin so
  --list            name them, with what each does
  --rootfs DIR      an unpacked Debian for mipsel, for dnsmasq; else SHUNTBOX_DEBIAN/sysroot; without, those are skipped
  --profile         say where the host's time goes, by layer and function, from a run of its own under V8's profiler
  --cpuprofile DIR  --profile, and keep the profiles for Chrome's developer tools
  --runs N          instead of ${RUNS}
  --iterations N    of coremark-like, instead of ${FULL.iterations}
  --queries N       of the DNS servers, instead of ${FULL.queries}
  --quick           once and a little of each, to see that all run; the figures mean nothing
  --json            for programs
  --write FILE      put the figures into this page, in place of those between its marks (docs/benchmarks.md)
  --help

Examples:
  npm run bench
  npm run bench -- --only 'tcp-*' --profile
  npm run bench -- --only dnsmasq --rootfs debian/sysroot --json
`;
const options = {
  only: { type: 'string', multiple: true }, list: { type: 'boolean' }, rootfs: { type: 'string' }, profile: { type: 'boolean' }, cpuprofile: { type: 'string' }, runs: { type: 'string' },
  iterations: { type: 'string' }, queries: { type: 'string' }, quick: { type: 'boolean' }, json: { type: 'boolean' }, write: { type: 'string' }, help: { type: 'boolean' },
} as const;

/** The repository's root, from dist/ as well as from the source. */
const root = fileURLToPath(new URL(import.meta.url.includes('/dist/') ? '..' : '../..', import.meta.url));

function refuse(message: string): never {
  process.stderr.write(`bench: ${message}\n`);
  process.exit(2);
}

function wholeNumber(text: string | undefined, name: string, otherwise: number): number {
  if (text === undefined) return otherwise;
  const value = Number(text);
  return Number.isInteger(value) && value > 0 ? value : refuse(`--${name} wants a whole number above 0, not ${JSON.stringify(text)}`);
}

function flags(): ReturnType<typeof parseArgs<{ options: typeof options }>>['values'] {
  try {
    return parseArgs({ options }).values;
  } catch (error) {
    return refuse(`${(error as Error).message}\n${USAGE}`);
  }
}

function rootfsOf(given: string | undefined): string | null {
  if (given !== undefined) return existsSync(given) ? given : refuse(`--rootfs ${given}: no such folder`);
  const { SHUNTBOX_DEBIAN: packages } = process.env;
  return packages ? join(packages, 'sysroot') : null;
}

function chosen(all: readonly Bench[], only: readonly string[] | undefined): Bench[] {
  if (!only) return [...all];
  const fits = (pattern: string, name: string): boolean => (pattern.endsWith('*') ? name.startsWith(pattern.slice(0, -1)) : name === pattern);
  const stranger = only.find((pattern) => !all.some(({ name }) => fits(pattern, name)));
  if (stranger !== undefined) refuse(`--only ${stranger}: there are ${all.map(({ name }) => name).join(', ')}`);
  return all.filter(({ name }) => only.some((pattern) => fits(pattern, name)));
}

async function measureAll(benches: readonly Bench[], conditions: Conditions, onFound: (found: Measurement) => void): Promise<void> {
  for (const [n, bench] of benches.entries()) {
    if (process.stderr.isTTY) process.stderr.write(`\x1b[2K\r${n + 1}/${benches.length} ${bench.name} …`);
    const found = await bench.measure(conditions);
    if (process.stderr.isTTY) process.stderr.write('\x1b[2K\r');
    onFound(found);
  }
}

/** Without figures it only looks whether the page has a place for them: better before they are taken than after. */
function writePage(file: string, found: readonly Measurement[], conditions: string): void {
  const page = existsSync(file) ? refreshed(readFileSync(file, 'utf8'), markdown(found, conditions)) : null;
  if (page === null) refuse(`--write ${file}: no page with the marks around the figures; docs/benchmarks.md has them`);
  else if (found.length > 0) writeFileSync(file, page);
}

/** What the figures depend on; other work on the machine above all. */
function hostLine(load: number): string {
  const [first] = cpus();
  return `host: Node ${process.version}, V8 ${process.versions.v8}, ${cpus().length} processors (${first?.model ?? 'unknown'}), load ${load.toFixed(1)} at the beginning`;
}

async function main(): Promise<void> {
  const load = loadavg()[0];
  const values = flags();
  if (values.help) {
    process.stdout.write(USAGE);
    return;
  }
  const size: Size = values.quick ? QUICK : FULL;
  const benches = chosen(catalog(root, {
    ...size, iterations: wholeNumber(values.iterations, 'iterations', size.iterations), queries: wholeNumber(values.queries, 'queries', size.queries),
  }, rootfsOf(values.rootfs)), values.only);
  if (values.list) {
    for (const { name, about } of benches) console.log(`${name.padEnd(20)} ${about}`);
    return;
  }
  const conditions = { runs: wholeNumber(values.runs, 'runs', values.quick ? 1 : RUNS), profile: values.profile === true || values.cpuprofile !== undefined, profiles: values.cpuprofile ?? null };
  const host = { node: process.version, v8: process.versions.v8, cpu: cpus()[0]?.model ?? 'unknown processor', load };
  if (values.write !== undefined && values.only) refuse('--write wants the figures of all benchmarks; leave out --only');
  if (values.write !== undefined) writePage(values.write, [], '');
  const measurements: Measurement[] = [];
  await measureAll(benches, conditions, (found) => {
    measurements.push(found);
    if (!values.json) console.log(text(found));
  });
  if (values.json) console.log(JSON.stringify({ ...host, ...conditions, benchmarks: measurements }, null, 2));
  else console.log(hostLine(load));
  if (values.write !== undefined) writePage(values.write, measurements, `${hostLine(load)}; medians of ${conditions.runs} runs.`);
}

await main();

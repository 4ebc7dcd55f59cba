import { cpus } from 'node:os';
import Table from 'cli-table3';
import type { Command } from 'commander';
import { profileNames, profiles, type ProfileName } from '../../emulator/router/profiles.js';
import { UsageError } from '../cli/errors.js';
import { Progress } from '../cli/progress.js';
import { firmwareImage } from '../simulation.js';
import { measureSubject, type RungResult, type SubjectResult } from './measurement.js';
import { ballast, daemon, type Subject } from './subject.js';

const SCHEMA = 'shuntbox-measure/1';
const KIB = 1024;
const DEFAULT_SIZES = ['256K', '1M', '8M', 'dnsd'];

interface Options {
  size?: string[];
  profile: string;
  rounds: string;
  time: string;
  json?: boolean;
}

export function register(program: Command): void {
  program.command('measure')
    .description('Measure freeze and thaw, rung by rung, from the bare memory copy up to the vnode path.')
    .option('--size <size...>', `image sizes (256K, 1M, …) or the name of a daemon (default: ${DEFAULT_SIZES.join(' ')})`)
    .option('--profile <name>', `device: ${profileNames.join(', ')}`, 'mt7628')
    .option('--rounds <n>', 'rounds over all cases; each gives one sample a case', '7')
    .option('--time <ms>', 'host milliseconds a case gets in a round', '40')
    .option('--json', 'machine-readable output')
    .addHelpText('after', `
Host time is what this machine needs, per freeze and drop together, or thaw and rewriting all pages. Modelled time is
counts times the constants of the device profile. Neither is a target: both paths are built to be as fast as they can be.

Examples:
  $ shuntbox measure --size 1M
  $ shuntbox measure --size 256K 1M dnsd --json > ladder.json`)
    .action((options: Options) => run(options));
}

function run(options: Options): void {
  const profile = profileOf(options.profile);
  const names = options.size ?? DEFAULT_SIZES;
  const image = firmwareImage();
  const makers = names.map((name) => subjectMaker(profile, image, name));
  const settings = { rounds: positive('--rounds', options.rounds), seconds: positive('--time', options.time) / 1000 };
  const progress = new Progress();
  const results = makers.map((make, i) => {
    progress.show(names[i], i / names.length);
    return measureSubject(make(), { ...settings, onProgress: (share) => progress.show(names[i], (i + share) / names.length) });
  });
  progress.stop();
  const host = `${cpus()[0]?.model ?? 'unknown processor'}, Node ${process.version}`;
  if (options.json) process.stdout.write(JSON.stringify({ schema: SCHEMA, host, settings, results }, null, 2) + '\n');
  else print(results, host, settings.rounds);
}

function profileOf(name: string): ProfileName {
  const found = profileNames.find((one) => one === name);
  if (!found) throw new UsageError(`there is no profile "${name}"; there are ${profileNames.join(', ')}`);
  return found;
}

function positive(option: string, text: string): number {
  const value = Number(text);
  if (!(value > 0) || !Number.isFinite(value)) throw new UsageError(`${option} ${text}: a number above 0 is needed`);
  return value;
}

function subjectMaker(profile: ProfileName, image: Uint8Array, name: string): () => Subject {
  const size = /^(\d+)([KM])(?:i?B)?$/i.exec(name);
  if (!size) {
    if (name !== 'dnsd' && name !== 'dhcpd') throw new UsageError(`--size ${name}: give a size such as 256K or 1M, or one of the daemons dnsd, dhcpd`);
    return () => daemon(profile, image, name);
  }
  const bytes = Number(size[1]) * (size[2].toUpperCase() === 'K' ? KIB : KIB * KIB);
  const room = profiles[profile].ramBytes / 6;
  if (bytes < 4 * KIB || bytes > room) throw new UsageError(`--size ${name}: between 4K and ${Math.floor(room / KIB / KIB)}M fit this device with a pool and two files of that size`);
  return () => ballast(profile, image, bytes, name);
}

const time = (seconds: number): string => (seconds < 1e-3 ? `${(seconds * 1e6).toPrecision(3)} µs` : `${(seconds * 1e3).toPrecision(3)} ms`);
const size = (bytes: number): string => (bytes === 0 ? '0' : bytes < KIB * KIB ? `${Math.round(bytes / KIB)} KiB` : `${(bytes / KIB / KIB).toFixed(1)} MiB`);

function print(results: readonly SubjectResult[], host: string, rounds: number): void {
  const write = (text: string): void => { process.stdout.write(text + '\n'); };
  for (const result of results) {
    for (const group of ['freeze', 'thaw'] as const) write(groupTable(result, group));
  }
  write(`Host: ${host}; medians of ${rounds} interleaved rounds, quartiles in brackets; a freeze is timed with its drop, a thaw with
rewriting every page before the next one. Ratio: to the floor of the same round. Device: counts times the constants of
${results[0].profile}; "later" is what the freeze costs afterwards: page breaks if the pages are written, and the drop.`);
}

function groupTable(result: SubjectResult, group: 'freeze' | 'thaw'): string {
  const table = new Table({
    head: [`${group} ${result.subject} (${result.residentPages} pages)`, 'host', 'ratio', 'device', 'later', 'copied', 'vnode ops', 'RAM held'],
    colAligns: ['left', 'right', 'right', 'right', 'right', 'right', 'right', 'right'],
    style: { head: [], border: [] },
    chars: { mid: '', 'left-mid': '', 'mid-mid': '', 'right-mid': '' },
  });
  for (const rung of result.rungs) if (rung.group === group) table.push(row(rung, result.hz));
  return table.toString();
}

function row({ title, host, ratio, modelled }: RungResult, hz: number): string[] {
  return [
    title,
    `${time(host.median)} [${time(host.q1)}–${time(host.q3)}]`,
    `${ratio.median.toFixed(2)} [${ratio.q1.toFixed(2)}–${ratio.q3.toFixed(2)}]`,
    time(modelled.cycles / hz),
    modelled.laterCycles === 0 ? '-' : time(modelled.laterCycles / hz),
    size(modelled.copiedBytes),
    String(modelled.vnodeOps),
    size(modelled.ramHeld),
  ];
}

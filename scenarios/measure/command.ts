import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import Table from 'cli-table3';
import type { Command } from 'commander';
import { profileNames, type ProfileName } from '../../emulator/router/profiles.js';
import { UsageError } from '../cli/errors.js';
import { outputFile, outputFolder } from '../cli/outputs.js';
import { Progress } from '../cli/progress.js';
import { hostWords } from '../host-words.js';
import { makeFolder } from '../output-folder.js';
import { measurePage } from '../report/measure-page.js';
import { firmwareImage } from '../simulation.js';
import { parseSize } from '../units.js';
import { figuresOf } from './figures.js';
import { partNames, planOf, roomFor, type PartName, type PlanOptions } from './plan.js';
import { openSession, runParts, type Measurement } from './session.js';
import { ramdisks, type Ramdisk } from './subject.js';
import { allTables, type TextTable } from './tables.js';

const KIB = 1024;
const DEFAULT_SIZES = ['256K', '1M', '8M', 'dnsd'];
const QUICK_SIZES = ['1M'];

interface Options {
  quick?: boolean;
  size?: string[];
  profile: string;
  ramdisk?: string[];
  part?: string[];
  native?: boolean;
  rounds?: string;
  time?: string;
  json?: boolean;
  out?: string;
  report?: string;
  svg?: string;
}

export function register(program: Command): void {
  program.command('measure')
    .description('Measure what freezes and thaws cost: every path and transfer on every ramdisk, from the bare memory copy up.')
    .option('--quick', 'fewer sizes, rounds and cases: half a minute')
    .option('--part <part...>', `what to measure: ${partNames.join(', ')} (default: all but native; with --size: factorial)`)
    .option('--size <size...>', `processes of the factorial: 256K, 1M, … or dnsd, dhcpd (default: ${DEFAULT_SIZES.join(' ')}, where they fit)`)
    .option('--profile <name>', `device: ${profileNames.join(', ')}`, 'mt7628')
    .option('--ramdisk <kind...>', `what files lie on: ${ramdisks.join(', ')} (default: all)`)
    .option('--native', 'also measure the same ratios on this computer itself, in /dev/shm')
    .option('--rounds <n>', 'rounds over all cases; each gives one sample a case (default: 5, quick 2)')
    .option('--time <ms>', 'host milliseconds a case gets in a round (default: 16, quick 3)')
    .option('--out <file>', 'keep the results as JSON, after every part; an interrupted run goes on from there', outputFile)
    .option('--json', 'print the results as JSON')
    .option('--report <file>', 'write an HTML page with tables and figures', outputFile)
    .option('--svg <dir>', 'write the figures as SVG files', outputFolder)
    .addHelpText('after', `
Host time is what this computer needs, per freeze and drop together, or thaw and rewriting all pages. Device time is counts times
the constants of the profile. Neither is a target: both paths are built to be as fast as they can be.

Examples:
  $ shuntbox measure --quick
  $ shuntbox measure --size 256K 1M --json > factorial.json
  $ shuntbox measure --native --report measure.html --out measure.json     (interrupt it, repeat it: it goes on)
  $ shuntbox measure --part sizes dirty --svg figures --profile rt5350`)
    .action((options: Options) => run(options));
}

async function run(options: Options): Promise<void> {
  const plan = planOptions(options);
  const session = openSession(options.out, hostWords(), { ...plan });
  const progress = new Progress();
  try {
    await runParts(session, planOf(plan, firmwareImage()), options.out, (what, share) => progress.show(what, share));
  } finally {
    progress.stop();
  }
  if (options.json) process.stdout.write(JSON.stringify(session, null, 2) + '\n');
  else print(session);
  await draw(session, options);
}

async function draw(session: Measurement, { svg, report }: Options): Promise<void> {
  if (svg === undefined && report === undefined) return;
  const figures = await figuresOf(Object.values(session.parts));
  if (svg !== undefined) {
    makeFolder(svg);
    for (const figure of figures) writeFileSync(join(svg, `${figure.name}.svg`), figure.standalone);
  }
  if (report !== undefined) writeFileSync(report, measurePage(session, figures));
}

function planOptions(options: Options): PlanOptions {
  const profile = oneOf('profile', profileNames, options.profile);
  const quick = options.quick === true;
  const parts = partsOf(options);
  const sizes = options.size ?? (quick ? QUICK_SIZES : DEFAULT_SIZES).filter((size) => (parseSize(size) ?? 0) <= roomFor(profile));
  for (const size of sizes) checkSize(profile, size);
  const kinds: readonly Ramdisk[] = options.ramdisk?.map((kind) => oneOf('ramdisk', ramdisks, kind)) ?? ramdisks;
  const rounds = positive('--rounds', options.rounds ?? (quick ? '2' : '5'));
  return { profile, ramdisks: kinds, sizes, parts, rounds: Math.ceil(rounds), seconds: positive('--time', options.time ?? (quick ? '3' : '16')) / 1000, quick };
}

function partsOf({ part, size, native }: Options): PartName[] {
  const asked = part?.map((name) => oneOf('part', partNames, name));
  const parts: readonly PartName[] = asked ?? (size ? ['factorial'] : partNames.filter((name) => name !== 'native'));
  return native ? [...new Set<PartName>([...parts, 'native'])] : [...parts];
}

function oneOf<T extends string>(what: string, names: readonly T[], name: string): T {
  const found = names.find((one) => one === name);
  if (found === undefined) throw new UsageError(`there is no ${what} "${name}"; there are ${names.join(', ')}`);
  return found;
}

function positive(option: string, text: string): number {
  const value = Number(text);
  if (!(value > 0) || !Number.isFinite(value)) throw new UsageError(`${option} ${text}: a number above 0 is needed`);
  return value;
}

function checkSize(profile: ProfileName, name: string): void {
  const bytes = parseSize(name);
  if (bytes === null) {
    if (name !== 'dnsd' && name !== 'dhcpd') throw new UsageError(`--size ${name}: give a size such as 256K or 1M, or one of the daemons dnsd, dhcpd`);
    return;
  }
  const room = roomFor(profile);
  if (bytes < 4 * KIB || bytes > room) throw new UsageError(`--size ${name}: between 4K and ${Math.floor(room / KIB / KIB)}M fit this device with a pool for two images and two files of that size`);
}

function print(session: Measurement): void {
  const results = Object.values(session.parts);
  for (const table of allTables(results)) process.stdout.write(`${textOf(table)}\n`);
  process.stdout.write(`Host: ${session.host}; medians of ${String(session.settings.rounds)} interleaved rounds, quartiles in brackets; a freeze is timed with its drop, a thaw with
rewriting every page before the next one. Ratio: to the floor of the same round. Device: counts times the constants of the profile.\n`);
}

function textOf({ title, head, rows, note }: TextTable): string {
  const table = new Table({
    head, colAligns: head.map((_, i) => (i === 0 ? 'left' : 'right')), style: { head: [], border: [] },
    chars: { mid: '', 'left-mid': '', 'mid-mid': '', 'right-mid': '' },
  });
  table.push(...rows);
  return `${title}\n${table.toString()}${note === undefined ? '' : `\n${note}`}\n`;
}

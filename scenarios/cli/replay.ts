import { writeFileSync } from 'node:fs';
import { InvalidArgumentError, Option, type Command } from 'commander';
import { ramdiskKinds, type RamdiskKind } from '../../ramdisk/index.js';
import { armNames, arms, type ArmName } from '../arms.js';
import { replay, type ReplayResult } from '../replay.js';
import { loadScenario, type Scenario } from '../scenario.js';
import { firmwareImage } from '../simulation.js';
import { assertionLines, expectationLines, resultTable } from '../table.js';
import { EXIT, UsageError } from './errors.js';
import { furtherSteps } from './further.js';
import { Progress } from './progress.js';

interface ReplayFlags {
  arm?: ArmName[];
  seed?: number;
  ramdisk?: RamdiskKind;
  json?: boolean;
  report?: string;
  pcap?: string;
  core?: string;
  states?: string;
}

export function seedArgument(text: string): number {
  const seed = Number(text);
  if (!/^\d+$/.test(text) || seed > 0xffffffff) throw new InvalidArgumentError('a seed is an integer from 0 to 4294967295.');
  return seed;
}

export function register(program: Command): void {
  program.command('replay')
    .description('Replay an attack under several arms and show what each cost.')
    .argument('<scenario>', 'a name from `shuntbox list`, or a folder with a scenario.yaml')
    .addOption(new Option('--arm <arm...>', 'only these arms').choices(armNames))
    .option('--seed <n>', "instead of the scenario's seed", seedArgument)
    .addOption(new Option('--ramdisk <kind>', "what the root filesystem is, instead of the scenario's choice").choices(ramdiskKinds))
    .option('--json', 'machine-readable output on standard output')
    .option('--report <file>', 'write a self-contained HTML page with timelines and state diagrams')
    .option('--pcap <dir>', 'write a capture (pcapng) of every arm')
    .option('--core <dir>', 'write an ELF core of the first fault of every arm')
    .option('--states <dir>', 'write the checkpoint states and jumps of every daemon: JSON, XState machine, Mermaid')
    .addHelpText('after', `
Examples:
  $ shuntbox replay dns-negative-memcpy
  $ shuntbox replay dns-negative-memcpy --arm none rollback-shunt --core /tmp/cores
  $ shuntbox replay dns-negative-memcpy --ramdisk block --arm rollback-vnode rollback-shunt
  $ shuntbox replay ./my-scenario --seed 7 --json > result.json

Exit status: 0 all assertions of the scenario held, 1 one did not, 2 wrong use.`)
    .action(async (name: string, flags: ReplayFlags) => {
      const loaded = loadScenario(name);
      const scenario = { ...loaded, ramdisk: flags.ramdisk ?? loaded.ramdisk };
      const result = runReplay(scenario, flags);
      if (flags.report !== undefined) {
        const { reportPage } = await import('../report/page.js');
        writeFileSync(flags.report, await reportPage(result));
      }
      process.stdout.write(flags.json ? JSON.stringify(result, numbers, 2) + '\n' : describe(result, flags));
      process.exitCode = result.passed ? EXIT.ok : EXIT.failed;
    });
}

/** JSON has no infinity and no NaN: "never" and null say it. */
function numbers(_key: string, value: unknown): unknown {
  if (value === Infinity) return 'never';
  return typeof value === 'number' && Number.isNaN(value) ? null : value;
}

export function runReplay(scenario: Scenario, flags: ReplayFlags): ReplayResult {
  const missing = flags.arm?.filter((arm) => !scenario.arms.includes(arm)) ?? [];
  if (missing.length > 0) throw new UsageError(`the scenario ${scenario.name} has no arm ${missing.join(', ')}; it has ${scenario.arms.join(', ')}`);
  const progress = new Progress();
  try {
    return replay(scenario, {
      image: firmwareImage(), arms: flags.arm, seed: flags.seed, pcap: flags.pcap, core: flags.core, states: flags.states,
      onProgress: (arm, done) => progress.show(arms[arm].title, done),
    });
  } finally {
    progress.stop();
  }
}

/** What programs asked for and did not get; nothing when there was nothing. */
function unknownCalls(result: ReplayResult): string[] {
  const calls = new Map<string, number>();
  for (const { router } of result.arms) for (const { call, times } of router.unknown) calls.set(call, (calls.get(call) ?? 0) + times);
  return calls.size === 0 ? [] : ['Not supported, answered ENOSYS', ...[...calls].map(([call, times]) => `  ${call} (${times} times)`), ''];
}

/** A run longer than the event log has room for. */
function fullLogs(result: ReplayResult): string[] {
  const arms = result.arms.filter(({ logFull }) => logFull.length > 0);
  return arms.map(({ arm, logFull }) => `The event log of ${arm} was full (${logFull.join(', ')}): figures counted from it are too low. Shorten the duration or lower the rates.`);
}

export function describe(result: ReplayResult, flags: ReplayFlags): string {
  const lines = [
    `${result.scenario}: ${result.title}`,
    `profile ${result.profile}${result.ramdisk === undefined ? '' : `, ramdisk ${result.ramdisk}`}, seed ${result.seed}, images ${result.checksum ? 'with' : 'without'} checksums in both stores; modelled times are counts times the constants of the profile, not measurements of a device`,
    '',
    resultTable(result, process.stdout.isTTY),
    '',
  ];
  if (result.assertions.length > 0) lines.push('Assertions', ...assertionLines(result), '');
  if (result.expectations.length > 0) lines.push('Expected order of the arms', ...expectationLines(result), '');
  lines.push(...fullLogs(result), ...unknownCalls(result), ...furtherSteps(result, flags));
  return lines.join('\n') + '\n';
}

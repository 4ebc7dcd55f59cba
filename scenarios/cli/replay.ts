import { writeFileSync } from 'node:fs';
import { Option, type Command } from 'commander';
import { ramdiskKinds, type RamdiskKind } from '../../ramdisk/index.js';
import { armNames, arms } from '../arms.js';
import { withRootfs } from '../distribution.js';
import { writeNumber } from '../experiment/numbers.js';
import { hostWords } from '../host-words.js';
import { replay, type ReplayResult } from '../replay.js';
import { loadScenario, type Scenario } from '../scenario.js';
import { firmwareImage } from '../simulation.js';
import { assertionLines, expectationLines, resultTable, verdictLines } from '../table.js';
import { junitXml } from '../report/junit.js';
import { stands } from '../verdict/outcome.js';
import { commandName } from './command-name.js';
import { EXIT, UsageError } from './errors.js';
import { experimentOptions, quoted, wantedArms } from './experiment.js';
import { furtherSteps } from './further.js';
import { outputFile, outputFolder } from './outputs.js';
import { Progress } from './progress.js';
import { isRecording, repeatRecording } from './recording.js';
import { addCaptureOptions, captureImage, isCapture, prepareCapture, type CaptureFlags } from './replay-capture.js';
import { seedArgument } from './seed-argument.js';
import { replaySeeds, type SeedsFlags } from './seeds.js';

interface ReplayFlags extends CaptureFlags, SeedsFlags {
  junit?: string;
  ramdisk?: RamdiskKind;
}

export function register(program: Command): void {
  addCaptureOptions(experimentOptions(program.command('replay'))
    .option('--no-controls', 'with --seeds: leave out the runs without an attack, with the patched daemon, with the placebo filter and without reseeding')
    .description("Replay an attack under several arms and show what each cost: a scenario, or a capture of your own against a daemon of your own.")
    .argument('<scenario|capture>', 'a name from `shuntbox list`, a folder with a scenario.yaml; with --daemon a pcap, pcapng or AFLNet file')
    .addOption(new Option('--arm <arm...>', 'only these arms').choices(armNames))
    .option('--seed <n>', "instead of the scenario's seed", seedArgument)
    .addOption(new Option('--ramdisk <kind>', "what the root filesystem is, instead of the scenario's choice").choices(ramdiskKinds))
    .option('--json', 'machine-readable output on standard output')
    .option('--report <file>', 'write a self-contained HTML page: timelines, crashes with their packets and backtraces, state diagrams', outputFile)
    .option('--junit <file>', 'write the verdict as JUnit XML, for CI', outputFile)
    .option('--pcap <dir>', 'write a capture (pcapng) of every arm', outputFolder)
    .option('--core <dir>', 'write an ELF core of the first fault of every arm, and the program with its symbols', outputFolder)
    .option('--states <dir>', 'write the checkpoint states and jumps of every daemon: JSON, XState machine, Mermaid', outputFolder))
    .addHelpText('after', `
Examples:
  $ shuntbox replay dns-negative-memcpy
  $ shuntbox replay dns-negative-memcpy --arm none rollback-shunt --core /tmp/cores
  $ shuntbox replay dns-negative-memcpy --ramdisk block --arm rollback-vnode rollback-shunt
  $ shuntbox replay dnsmasq-fault --rootfs debian     an unmodified daemon of Debian, faults injected
  $ shuntbox replay ./my-scenario --seed 7 --json > result.json
  $ shuntbox replay dns-negative-memcpy --seeds --out runs.jsonl     ten seeds and the controls; interrupt it and call it again to go on
  $ shuntbox replay crash.pcap --daemon ./mydaemon --args '-p 5353' --core cores
  $ shuntbox replay crash.pcap --daemon ./mydaemon --loop 100 --topspeed --junit result.xml
  $ shuntbox replay replayable-crashes/id:000000 --aflnet --daemon ./mydaemon --target udp:53

Exit status of a scenario: 0 all its assertions held, 1 one did not; of a capture: 0 the daemon lived through it under every arm, 1 it
crashed, ended or hung under one; 2 wrong use or unreadable input.`)
    .action(async (name: string, flags: ReplayFlags) => {
      if (isRecording(name)) return repeatRecording(name, flags);
      if (flags.seeds !== undefined) {
        if (isCapture(name, flags)) throw new UsageError('--seeds needs a scenario: a capture of your own is the same under every seed');
        await replaySeeds(scenarioOf(name, flags), flags);
        return;
      }
      ofSeedsOnly(flags);
      const { result, again, mapping } = isCapture(name, flags) ? runCapture(name, flags as ReplayFlags & { daemon: string }) : { result: runReplay(scenarioOf(name, flags), flags), again: againLine(name, flags), mapping: [] };
      if (flags.report !== undefined) {
        const { reportPage } = await import('../report/page.js');
        writeFileSync(flags.report, await reportPage(result, { command: again }));
      }
      if (flags.junit !== undefined) writeFileSync(flags.junit, junitXml(result, mapping.length > 0));
      process.stdout.write(flags.json ? JSON.stringify(mapping.length > 0 ? { ...result, mapping } : result, writeNumber, 2) + '\n' : describe(result, flags, again, mapping));
      process.exitCode = result.passed ? EXIT.ok : EXIT.failed;
    });
}

/** Throws UsageError for what goes with many runs only: left unsaid, a file that was to keep the work would not be there. */
function ofSeedsOnly({ out, workers, controls }: SeedsFlags): void {
  const given = [['--out', out !== undefined], ['--workers', workers !== undefined], ['--no-controls', controls === false]] as const;
  const first = given.find(([, is]) => is);
  if (first) throw new UsageError(`${first[0]} goes with --seeds: without it there is one run an arm, in this process`);
}

function runCapture(file: string, flags: ReplayFlags & { daemon: string }): { result: ReplayResult; again: string; mapping: string[] } {
  const { scenario, mapping } = prepareCapture(file, flags.arm, flags);
  const result = runReplay(scenario, { ...flags, arm: undefined }, captureImage(flags.rootfs));
  return { result: { ...result, passed: result.arms.every(({ verdict }) => stands(verdict)) }, again: `${commandName()} ${repeated()}`, mapping };
}

/** The command line as it was given, without the files it was to write: what repeats the run. */
function repeated(): string {
  const words = process.argv.slice(2);
  const kept = words.filter((word, i) => !/^--(report|junit|pcap|core|states|json|arm)\b/.test(word) && !(/^--(report|junit|pcap|core|states)$/.test(words[i - 1] ?? '')) && !(armNames as string[]).includes(word));
  return kept.map(quoted).join(' ');
}

/** The scenario on the user's root filesystem and kind of ramdisk. */
function scenarioOf(name: string, { ramdisk, rootfs }: Pick<ReplayFlags, 'ramdisk' | 'rootfs'>): Scenario {
  const scenario = withRootfs(loadScenario(name), rootfs);
  if (rootfs !== undefined && ramdisk === 'block') throw new UsageError('--ramdisk block: a folder as root filesystem lies below a tmpfs; leave out --ramdisk');
  return ramdisk === undefined ? scenario : { ...scenario, ramdisk };
}

/** What repeats the run of a scenario: all that changes it, but for the arms. */
function againLine(name: string, flags: Pick<ReplayFlags, 'rootfs' | 'seed' | 'ramdisk'>): string {
  const changes = (['seed', 'ramdisk', 'rootfs'] as const).flatMap((option) => (flags[option] === undefined ? [] : [`--${option} ${quoted(String(flags[option]))}`]));
  return [commandName(), 'replay', quoted(name), ...changes].join(' ');
}

export function runReplay(scenario: Scenario, flags: ReplayFlags, image = firmwareImage()): ReplayResult {
  const wanted = wantedArms(scenario, flags);
  const progress = new Progress();
  try {
    return replay(scenario, {
      image, arms: wanted, seed: flags.seed, pcap: flags.pcap, core: flags.core, states: flags.states,
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

/** Whose programs they are, and what they do not have. */
function foreignPrograms({ packages, rootfs, arms: [first] }: ReplayResult): string[] {
  if (packages === undefined) return [];
  const { flash } = first.router;
  return [`unmodified programs of Debian (${packages.join(', ')}) from ${rootfs}${flash ? `, of which ${flash.files} files were read (CRC-32 of them ${flash.digest})` : ''}`,
    'arms in which the daemon rolls itself back or filters are not offered: they need the recovery library in the program, and these have none'];
}

/** A run longer than the event log has room for. */
function fullLogs(result: ReplayResult): string[] {
  const arms = result.arms.filter(({ logFull }) => logFull.length > 0);
  return arms.map(({ arm, logFull }) => `The event log of ${arm} was full (${logFull.join(', ')}): figures counted from it are too low. Shorten the duration or lower the rates.`);
}

export function describe(result: ReplayResult, flags: ReplayFlags, again = `${commandName()} replay ${result.scenario}`, mapping: readonly string[] = []): string {
  const lines = [
    `${result.scenario}: ${result.title}`,
    `profile ${result.profile}${result.ramdisk === undefined ? '' : `, ramdisk ${result.ramdisk}`}, seed ${result.seed}, images ${result.checksum ? 'with' : 'without'} checksums in both stores; modelled times are counts times the constants of the profile, not measurements of a device`,
    ...foreignPrograms(result),
    '',
    ...(mapping.length > 0 ? ['Mapping', ...mapping, ''] : []),
    ...(mapping.length > 0 ? ['Verdict', ...verdictLines(result), ''] : []),
    resultTable(result, process.stdout.isTTY && !process.env.NO_COLOR, process.stdout.columns),
    `host time, wall time: of this computer, ${hostWords()}`,
    '',
  ];
  if (mapping.length === 0) lines.push('Verdict', ...verdictLines(result), '');
  if (result.assertions.length > 0) lines.push('Assertions', ...assertionLines(result), '');
  if (result.expectations.length > 0) lines.push('Expected order of the arms', ...expectationLines(result), '');
  lines.push(...fullLogs(result), ...unknownCalls(result), ...furtherSteps(result, flags, again));
  return lines.join('\n') + '\n';
}

import { writeFileSync } from 'node:fs';
import { InvalidArgumentError, Option, type Command } from 'commander';
import { armNames } from '../arms.js';
import { withRootfs } from '../distribution.js';
import { writeNumber } from '../experiment/numbers.js';
import { planSweep, seedsFrom } from '../experiment/plan.js';
import { HIGHEST_RATE, LOWEST_RATE, MAX_MESSAGES, MIN_MESSAGES, parseRates } from '../experiment/rate.js';
import { resultDigest } from '../experiment/seeds.js';
import { cliffLines, spanNotes, summarizeSweep, sweepTable, type SweepResult } from '../experiment/sweep.js';
import { loadScenario } from '../scenario.js';
import { EXIT, UsageError } from './errors.js';
import { DEFAULT_SEEDS, EXIT_INTERRUPTED, experimentOptions, hostFigures, runExperiment, wantedArms, type ExperimentFlags, type Outcome } from './experiment.js';
import { outputFile } from './outputs.js';
import { seedArgument } from './seed-argument.js';

const DEFAULT_RATES = '0.1..1000';
const SWEEP_SEEDS = 3;

interface SweepFlags extends ExperimentFlags {
  rootfs?: string;
  rates: number[];
  report?: string;
  svg?: string;
}

function ratesArgument(text: string): number[] {
  const rates = parseRates(text);
  if (rates === null) throw new InvalidArgumentError(`rates are a range like 0.1..1000 or a list like 0.1,1,10, from ${LOWEST_RATE} to ${HIGHEST_RATE} a second.`);
  return rates;
}

export function register(program: Command): void {
  experimentOptions(program.command('sweep'))
    .description("Replay a scenario at many attack rates: availability against rate, one line an arm; shows where a supervisor's limits turn crashes into an outage.")
    .argument('<scenario>', 'a name from `shuntbox list`, or a folder with a scenario.yaml')
    .addOption(new Option('--rates <rates>', 'attack messages a second of virtual time: a range (two points a decade) or a list with commas').argParser(ratesArgument).default(ratesArgument(DEFAULT_RATES), DEFAULT_RATES))
    .addOption(new Option('--arm <arm...>', 'only these arms').choices(armNames))
    .option('--seed <n>', "first seed instead of the scenario's", seedArgument)
    .option('--rootfs <dir>', 'the root filesystem of a scenario on unmodified programs')
    .option('--json', 'machine-readable output on standard output')
    .option('--svg <file>', 'write the figure', outputFile)
    .option('--report <file>', 'write a self-contained HTML page with the figure and the tables', outputFile)
    .addHelpText('after', `
Without --seeds each point is run under ${SWEEP_SEEDS} seeds. A run lasts as long as the scenario says, but long enough for ${MIN_MESSAGES} attack messages and
no longer than ${MAX_MESSAGES} of them take; the output says where. An interrupt keeps what is finished: the same command with --out goes on.

Examples:
  $ shuntbox sweep dns-negative-memcpy --out sweep.jsonl --report sweep.html
  $ shuntbox sweep dhcp-stack-smash --rates 0.1,1,10 --arm procd rollback-shunt --seeds 5 --svg cliff.svg`)
    .action(async (name: string, flags: SweepFlags) => sweep(name, flags));
}

async function sweep(name: string, flags: SweepFlags): Promise<void> {
  const scenario = withRootfs(loadScenario(name), flags.rootfs);
  if (scenario.attack.length === 0) throw new UsageError(`the scenario ${scenario.name} has no attack whose rate could be changed`);
  if (!scenario.prober) throw new UsageError(`the scenario ${scenario.name} has no prober, so that its availability is not known`);
  const count = flags.seeds === undefined ? SWEEP_SEEDS : flags.seeds === true ? DEFAULT_SEEDS : flags.seeds;
  const jobs = planSweep(scenario, wantedArms(scenario, flags), seedsFrom(flags.seed ?? scenario.seed, count), flags.rates);
  const outcome = await runExperiment(scenario, jobs, flags);
  const result = summarizeSweep(scenario, outcome.runs, flags.rates);
  if (flags.json) process.stdout.write(JSON.stringify({ ...result, digest: resultDigest(result), interrupted: outcome.interrupted, host: hostFigures(outcome) }, writeNumber, 2) + '\n');
  else process.stdout.write(describeSweep(result, outcome));
  await writeFigures(result, flags, outcome.interrupted);
  process.exitCode = outcome.interrupted ? EXIT_INTERRUPTED : EXIT.ok;
}

/** Figures of half a sweep would mislead. */
async function writeFigures(result: SweepResult, { svg, report }: SweepFlags, interrupted: boolean): Promise<void> {
  if (interrupted || (svg === undefined && report === undefined)) return;
  const { sweepReport, sweepSvg } = await import('../report/sweep.js');
  if (svg !== undefined) writeFileSync(svg, await sweepSvg(result, 'alone'));
  if (report !== undefined) writeFileSync(report, await sweepReport(result));
}

function describeSweep(result: SweepResult, outcome: Outcome): string {
  const colours = process.stdout.isTTY;
  const interrupted = outcome.interrupted ? [`INTERRUPTED: ${outcome.runs.length} of ${outcome.planned} runs`, ''] : [];
  if (outcome.runs.length === 0) return [...interrupted, `${result.scenario}: no run is finished, there is nothing to show yet`, ''].join('\n');
  const lines = [
    ...interrupted,
    `${result.scenario}: ${result.title}`,
    `profile ${result.profile}, ${result.seeds.length} seeds from ${result.seeds[0] ?? '-'} on; medians, and the quartiles beneath them where seeds differ`,
    '', 'Availability: probes answered in time, from the start of the attack to the end of the run', sweepTable(result, 'availability', colours),
    '', 'The same in the last third of the run: what is left when a supervisor has given up', sweepTable(result, 'availabilityLastThird', colours),
    ...spanNotes(result),
    '', 'Where service ends', ...cliffLines(result.cliffs), '',
  ];
  if (result.logFull.length > 0) lines.push('The event log was full, figures counted from it are too low:', ...result.logFull.map((line) => `  ${line}`), '');
  lines.push(`${outcome.runs.length} runs${outcome.reused > 0 ? `, ${outcome.reused} of them from the file` : ''}, ${outcome.workers} workers, ${outcome.wallSeconds.toFixed(1)} s; digest of the result ${resultDigest(result)}: the same for the same seeds, wherever it is made`);
  return lines.join('\n') + '\n';
}

import { InvalidArgumentError, type Command } from 'commander';
import { OracleError } from '../filter/oracle.js';
import { loadFinished, saveFinished } from '../filter/results.js';
import { rates, scoreFilter, type SeedScore } from '../filter/score.js';
import { kindTable, learningLines, pool, seedLines, shareText } from '../filter/table.js';
import { protocol } from '../protocols/index.js';
import { loadScenario, type Scenario } from '../scenario.js';
import { firmwareImage } from '../simulation.js';
import { UsageError } from './errors.js';
import { outputFile } from './outputs.js';
import { Progress } from './progress.js';
import { seedArgument } from './seed-argument.js';

const MOST_FORMS = 1_000_000;
const MOST_SEEDS = 1000;

interface FilterFlags {
  mutants: number;
  near: number;
  seeds: number;
  seed?: number;
  save?: string;
  json?: boolean;
}

const count = (least: number, most: number) => (text: string): number => {
  const value = Number(text);
  if (!Number.isInteger(value) || value < least || value > most) throw new InvalidArgumentError(`an integer from ${least} to ${most} is needed.`);
  return value;
};

export function register(program: Command): void {
  program.command('filter')
    .description("Score the recovery library's filter: what it misses and what it drops wrongly, against messages labelled by the emulator.")
    .argument('<scenario>', 'a name from `shuntbox list`, or a folder with a scenario.yaml')
    .option('--mutants <n>', 'mutants of the attack that harm the unprotected daemon, at least', count(1, MOST_FORMS), 1000)
    .option('--near <n>', 'near misses that do not, at least', count(1, MOST_FORMS), 10_000)
    .option('--seeds <n>', "that many seeds, from the scenario's on", count(1, MOST_SEEDS), 1)
    .option('--seed <n>', "the first seed, instead of the scenario's", seedArgument)
    .option('--save <file>', 'keep finished seeds in this file, and take from it those that an interrupted run had finished', outputFile)
    .option('--json', 'machine-readable output')
    .addHelpText('after', `
Both sets are drawn and labelled first: each message is sent to the unprotected daemon of a freshly booted router, which crashes, hangs or
lives. Only when their digest stands the daemon with a filter is attacked as the scenario says. Then each message is sent to
it, always from that same moment, so that being scored teaches it nothing. Intervals are Wilson's, at 95 %.

Examples:
  $ shuntbox filter dns-negative-memcpy
  $ shuntbox filter dhcp-stack-smash --mutants 100 --near 1000 --json
  $ shuntbox filter dns-pointer-loop --seeds 10 --save /tmp/pointer-loop.json

Exit status: 0 the filter was scored, whatever its score; 2 wrong use, or an attack that does no harm.`)
    .action((name: string, flags: FilterFlags) => {
      const scenario = loadScenario(name);
      refuseUnscorable(scenario);
      const seeds = scoreSeeds(scenario, flags);
      process.stdout.write(flags.json ? JSON.stringify(jsonOf(scenario, flags, seeds), null, 2) + '\n' : describe(scenario, seeds));
    });
}

function refuseUnscorable(scenario: Scenario): void {
  if (!scenario.arms.includes('rollback-filter')) throw new UsageError(`the scenario ${scenario.name} has no arm rollback-filter, hence no filter to score`);
  if (scenario.attack.length === 0) throw new UsageError(`the scenario ${scenario.name} has no attack to make mutants of`);
  if (protocol(scenario.attack[0].protocol).sendsBy !== 'udp') throw new UsageError(`the scenario ${scenario.name} is attacked by ${scenario.attack[0].protocol}; only messages that come as UDP datagrams are scored`);
}

function scoreSeeds(scenario: Scenario, flags: FilterFlags): SeedScore[] {
  const key = { scenario: scenario.name, mutants: flags.mutants, near: flags.near };
  const finished = flags.save === undefined ? [] : loadFinished(flags.save, key);
  const first = flags.seed ?? scenario.seed;
  const wanted = Array.from({ length: flags.seeds }, (_, i) => (first + i) >>> 0);
  return wanted.map((seed, i) => {
    const known = finished.find((one) => one.seed === seed);
    if (known) return known;
    const score = scoreOne(scenario, flags, seed, flags.seeds > 1 ? `${i + 1}/${flags.seeds} ` : '');
    finished.push(score);
    if (flags.save !== undefined) saveFinished(flags.save, key, finished);
    return score;
  });
}

function scoreOne(scenario: Scenario, { mutants, near }: FilterFlags, seed: number, prefix: string): SeedScore {
  const progress = new Progress();
  try {
    return scoreFilter(scenario, {
      image: firmwareImage(), seed, mutants, near,
      onProgress: (what, share) => progress.show(`${prefix}${what}`, share),
      onFixed: (digest, a, b) => process.stderr.write(`seed ${seed}: ${a} mutants and ${b} near misses are fixed, sha256 ${digest}\n`),
    });
  } catch (error) {
    if (error instanceof OracleError) throw new UsageError(`${scenario.name}: ${error.message}`);
    throw error;
  } finally {
    progress.stop();
  }
}

/** Without host times: the same seed gives the same bytes. */
function jsonOf(scenario: Scenario, flags: FilterFlags, seeds: readonly SeedScore[]): unknown {
  const kinds = pool(seeds);
  return {
    schema: 'shuntbox-filter/1', scenario: scenario.name, mutants: flags.mutants, near: flags.near, ...rates(kinds), kinds,
    seeds: seeds.map(({ wallSeconds: _wall, ...score }) => score),
  };
}

function describe(scenario: Scenario, seeds: readonly SeedScore[]): string {
  const kinds = pool(seeds);
  const sum = rates(kinds);
  const lines = [`${scenario.name}: the filter against forms labelled by the emulator`, ''];
  for (const seed of seeds) lines.push(...seedHead(seed), ...learningLines(seed), '');
  lines.push(kindTable(kinds), '', ...seedLines(seeds));
  lines.push(`Missed, of what harms:           ${shareText(sum.falseNegatives)}`);
  lines.push(`Dropped, of what does not:       ${shareText(sum.falsePositives)}`);
  lines.push(`  of that, what is answered:     ${shareText(sum.usefulDropped)}`);
  lines.push(`Dropped, of the clients' own:    ${shareText(sum.clientsDropped)}`);
  lines.push(...caveats(kinds.some((kind) => kind.faulted > 0), seeds));
  lines.push(`${seeds.reduce((total, { wallSeconds }) => total + wallSeconds, 0).toFixed(1)} s on this computer.`);
  return lines.join('\n') + '\n';
}

function seedHead({ seed, digest, needed, repeats, longestMs, windowMs }: SeedScore): string[] {
  const lines = [`Seed ${seed}, corpus sha256 ${digest.slice(0, 16)}…`];
  if (repeats > 1) lines.push(`  one message does no harm, ${needed} do: a form is labelled by sending it ${repeats} times to a daemon near its end`);
  lines.push(`  hang: still at it after ${windowMs} ms; the longest harmless message took ${longestMs.toFixed(3)} ms of the processor`);
  return lines;
}

function caveats(faulted: boolean, seeds: readonly SeedScore[]): string[] {
  const lines: string[] = [];
  if (faulted) lines.push('Some harmless forms made the daemon fault once it had learned: see `faulted` in --json.');
  if (seeds.some(({ repeats }) => repeats > 1)) {
    lines.push('One message of the attack alone does no harm. What the oracle calls harmful is any message that brings the daemon down when it is repeated;');
    lines.push("a good client's may be among them (every query that leaks), and dropping it is right by the oracle and wrong for the client: read the last line.");
  }
  return lines;
}

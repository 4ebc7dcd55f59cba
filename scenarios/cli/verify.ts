import { InvalidArgumentError, Option, type Command } from 'commander';
import { SnapshotError } from '../../emulator/base/index.js';
import { armNames, type ArmName } from '../arms.js';
import { needsRootfs, withRootfs } from '../distribution.js';
import { InputError } from '../input-error.js';
import { readInput } from '../input-file.js';
import { catalogNames, loadScenario, type Scenario } from '../scenario.js';
import { eventLog, ODD_SLICE, resumedLog, verifyArm, type Check } from '../verify.js';
import { EXIT, UsageError } from './errors.js';
import { wantedArms } from './experiment.js';
import { seedArgument } from './seed-argument.js';

const MAX_SAVED_BYTES = 2 ** 30;

interface VerifyFlags {
  rootfs?: string;
  all?: boolean;
  arm?: ArmName[];
  seed?: number;
  saves: number;
  json?: boolean;
}

interface LogFlags {
  arm?: ArmName;
  seed?: number;
  resume?: string;
  rootfs?: string;
}

const MOST_SAVES = 100;

function savesArgument(text: string): number {
  if (!/^\d+$/.test(text) || Number(text) > MOST_SAVES) throw new InvalidArgumentError(`the number of saves is an integer from 0 to ${MOST_SAVES}.`);
  return Number(text);
}

export function register(program: Command): void {
  program.command('verify')
    .description('Show that a scenario is deterministic: run it again in several ways and compare the event logs byte for byte.')
    .argument('[scenario]', 'a name from `shuntbox list`, or a folder')
    .option('--all', 'every scenario of the catalog')
    .addOption(new Option('--arm <arm...>', 'only these arms').choices(armNames))
    .option('--seed <n>', "instead of the scenario's seed", seedArgument)
    .option('--saves <n>', 'random moments at which the simulation is saved and loaded in a new process', savesArgument, 2)
    .option('--rootfs <dir>', 'the root filesystem of scenarios on unmodified programs')
    .option('--json', 'machine-readable output')
    .addHelpText('after', `
Each arm is run once for reference and then: in a second process, again in this one, saved at random moments and loaded in a new process
each time, and with a host slice of ${ODD_SLICE} instructions. Exit status 1 when any event log differs.

Examples:
  $ shuntbox verify dns-negative-memcpy
  $ shuntbox verify --all --saves 4`)
    .action(async (name: string | undefined, flags: VerifyFlags) => {
      if ((name === undefined) === !flags.all) throw new UsageError(flags.all ? 'name a scenario or give --all, not both' : 'name a scenario or give --all');
      const results: { scenario: string; checks: Check[] }[] = [];
      for (const scenario of wanted(name, flags)) results.push({ scenario: scenario.name, checks: await verifyScenario(scenario, flags) });
      if (flags.json) process.stdout.write(JSON.stringify(results, null, 2) + '\n');
      const failed = results.flatMap((one) => one.checks).filter((check) => check.difference);
      if (!flags.json) process.stdout.write(failed.length === 0 ? 'All event logs are equal.\n' : `${failed.length} event logs differ.\n`);
      process.exitCode = failed.length === 0 ? EXIT.ok : EXIT.failed;
    });

  program.command('log')
    .description('Print the event log of one arm, one JSON object a line; with --resume, of a saved simulation run to its end.')
    .argument('[scenario]', 'a name from `shuntbox list`, or a folder')
    .addOption(new Option('--arm <arm>', "the arm (default: the scenario's first)").choices(armNames))
    .option('--seed <n>', "instead of the scenario's seed", seedArgument)
    .option('--rootfs <dir>', 'the root filesystem of a scenario on unmodified programs')
    .option('--resume <file>', 'go on from a saved simulation')
    .action((name: string | undefined, flags: LogFlags) => {
      if ((name === undefined) === (flags.resume === undefined)) throw new UsageError(`name a scenario or give --resume FILE${name === undefined ? '' : ', not both'}`);
      process.stdout.write(flags.resume === undefined ? logOf(name as string, flags) : resumed(flags.resume, flags.rootfs));
    });
}

function logOf(name: string, flags: LogFlags): string {
  const scenario = withRootfs(loadScenario(name), flags.rootfs);
  const [arm] = wantedArms(scenario, { arm: [flags.arm ?? scenario.arms[0]] });
  return eventLog(scenario, arm, flags);
}

function resumed(file: string, rootfs: string | undefined): string {
  try {
    return resumedLog(readInput(file, MAX_SAVED_BYTES, 'no router saves so much'), rootfs);
  } catch (error) {
    throw error instanceof SnapshotError ? new InputError(`${file}: ${error.message}`) : error;
  }
}

/** All means those that can be run: without a root filesystem, the firmware's own. */
function wanted(name: string | undefined, { all, rootfs }: VerifyFlags): Scenario[] {
  if (!all) return [withRootfs(loadScenario(name as string), rootfs)];
  const scenarios = catalogNames().map((one) => loadScenario(one));
  return scenarios.filter((one) => rootfs !== undefined || !needsRootfs(one)).map((one) => withRootfs(one, needsRootfs(one) ? rootfs : undefined));
}

async function verifyScenario(scenario: Scenario, flags: VerifyFlags): Promise<Check[]> {
  const checks: Check[] = [];
  for (const arm of scenario.arms.filter((one) => flags.arm?.includes(one) ?? true)) {
    checks.push(...await verifyArm(scenario, arm, {
      seed: flags.seed, saves: flags.saves, self: [process.execPath, process.argv[1]],
      onCheck: (check) => {
        if (!flags.json) process.stdout.write(line(scenario.name, check));
      },
    }));
  }
  return checks;
}

function line(scenario: string, { arm, what, entries, difference }: Check): string {
  const head = `${difference ? 'DIFFERS' : 'equal  '} ${scenario} ${arm}: ${what} (${entries} entries)\n`;
  return difference ? `${head}  line ${difference.line}\n    expected ${difference.expected}\n    found    ${difference.found}\n` : head;
}

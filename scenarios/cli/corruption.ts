import { Option, type Command } from 'commander';
import { hex } from '../../emulator/base/index.js';
import { armNames, type ArmName } from '../arms.js';
import { corruptionDistance, type Distance } from '../corruption/distance.js';
import { loadScenario, type Scenario } from '../scenario.js';
import { firmwareImage } from '../simulation.js';
import { EXIT, UsageError } from './errors.js';
import { Progress } from './progress.js';
import { seedArgument } from './seed-argument.js';

interface CorruptionFlags {
  arm: ArmName;
  seed?: number;
  json?: boolean;
}

export function register(program: Command): void {
  program.command('corruption')
    .description('Measure how far the signal is from the corruption: instructions and stores from the first bad store to the fault.')
    .argument('<scenario>', 'a name from `shuntbox list`, or a folder with a scenario.yaml; its `corruption:` says where the bug writes')
    .addOption(new Option('--arm <arm>', 'under this arm; a rollback arm shows how many freezes take the corruption in').choices(armNames).default('none'))
    .option('--seed <n>', "instead of the scenario's seed", seedArgument)
    .option('--json', 'machine-readable output')
    .addHelpText('after', `
The scenario runs as it is until the daemon enters the function with the bug; from there every store is looked at. The first that falls behind the
end of the object begins the count, the first SIGSEGV, SIGBUS, SIGILL, SIGFPE, SIGTRAP, SIGABRT or SIGSYS ends it.

Examples:
  $ shuntbox corruption dhcp-stack-smash
  $ shuntbox corruption dns-negative-memcpy --arm rollback-shunt --json

Exit status: 0 a bad store was seen (or the scenario says that there is none), 1 it was not, 2 wrong use.`)
    .action((name: string, flags: CorruptionFlags) => {
      const scenario = loadScenario(name);
      const { corruption } = scenario;
      if (!corruption) throw new UsageError(`the scenario ${scenario.name} does not say where its bug writes; docs/filter.md describes the field \`corruption\``);
      if ('none' in corruption) {
        process.stdout.write(flags.json ? JSON.stringify({ scenario: scenario.name, none: corruption.none }, null, 2) + '\n' : `${scenario.name}: nothing is corrupted. ${corruption.none}\n`);
        return;
      }
      const progress = new Progress();
      let distance: Distance;
      try {
        distance = corruptionDistance(scenario, corruption, flags.arm, { image: firmwareImage(), seed: flags.seed, onProgress: (share) => progress.show(scenario.name, share) });
      } finally {
        progress.stop();
      }
      process.stdout.write(flags.json ? JSON.stringify({ scenario: scenario.name, ...distance }, null, 2) + '\n' : describe(scenario, distance));
      process.exitCode = distance.first ? EXIT.ok : EXIT.failed;
    });
}

function describe(scenario: Scenario, distance: Distance): string {
  const { arm, first, signal, instructions, storedBytes, pages, microseconds, freezes } = distance;
  const lines = [`${scenario.name}, arm ${arm}: from the first bad store to the signal`];
  if (!first) return `${lines[0]}\n  no bad store was seen; is the range right?\n`;
  lines.push(`  first bad store   ${first.at}, ${first.size} bytes at ${hex(first.address)}, reaching ${first.beyond} behind the end, ${first.seconds.toFixed(6)} s into the run, in call ${first.calls} of the function`);
  if (signal) lines.push(`  signal            ${signal.signal} at ${signal.at}, return address ${signal.ra}, ${signal.seconds.toFixed(6)} s`);
  else lines.push('  signal            none before the end of the run: the figures are what came until then');
  lines.push(
    `  distance          ${instructions} instructions, ${microseconds.toFixed(2)} µs`,
    `  stores            ${storedBytes} bytes on ${pages} page${pages === 1 ? '' : 's'}`,
    `  freezes between   ${freezes}`,
  );
  return lines.join('\n') + '\n';
}

import type { Command } from 'commander';
import { loadScenario } from '../scenario.js';
import { EXIT } from './errors.js';
import { describe, runReplay } from './replay.js';

const DEFAULT_SCENARIO = 'dns-negative-memcpy';

export function register(program: Command): void {
  program.command('demo')
    .description('Boot the default router and replay the default attack under every arm (what npm start does).')
    .action(() => {
      const scenario = loadScenario(DEFAULT_SCENARIO);
      process.stderr.write(`Booting a diskless ${scenario.profile} router and attacking it, once for each of ${scenario.arms.length} arms …\n\n`);
      const result = runReplay(scenario, {});
      process.stdout.write(`${scenario.summary.trim()}\n\n${describe(result, {})}`);
      process.stdout.write(`
What to try next
  shuntbox list                                 the other attacks
  shuntbox replay dns-pointer-loop              a query that makes the daemon loop for ever
  shuntbox verify ${DEFAULT_SCENARIO}           the same run twice, byte for byte
  (without a global install: node dist/shuntbox.js …)

${result.arms.length} arms in ${result.wallSeconds.toFixed(1)} s.
`);
      process.exitCode = result.passed ? EXIT.ok : EXIT.failed;
    });
}

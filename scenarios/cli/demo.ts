import type { Command } from 'commander';
import { loadScenario } from '../scenario.js';
import { commandName } from './command-name.js';
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
      process.stdout.write(tryNext(result.arms.length, result.wallSeconds));
      process.exitCode = result.passed ? EXIT.ok : EXIT.failed;
    });
}

function tryNext(arms: number, seconds: number): string {
  const name = commandName();
  const rows: [string, string][] = [
    ['list', 'the other attacks'],
    ['replay dns-pointer-loop', 'a query that makes the daemon loop for ever'],
    ['shunt', 'one process frozen both ways, step by step'],
    [`verify ${DEFAULT_SCENARIO}`, 'the same run again in several ways: the same event log, byte for byte'],
  ];
  const width = Math.max(...rows.map(([words]) => words.length));
  return `\nWhat to try next\n${rows.map(([words, why]) => `  ${name} ${words.padEnd(width)}   ${why}\n`).join('')}\n${arms} arms in ${seconds.toFixed(1)} s.\n`;
}

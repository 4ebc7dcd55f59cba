import type { Command } from 'commander';
import { catalogNames, loadScenario } from '../scenario.js';

export function register(program: Command): void {
  program.command('list')
    .description('Show the scenarios of the catalog.')
    .option('--json', 'machine-readable output')
    .action((options: { json?: boolean }) => {
      const scenarios = catalogNames().map((name) => loadScenario(name));
      if (options.json) {
        const rows = scenarios.map(({ name, title, summary, seed, profile, arms, packages, folder }) => ({ name, title, summary: summary.trim(), seed, profile, arms, packages, folder }));
        process.stdout.write(JSON.stringify(rows, null, 2) + '\n');
        return;
      }
      const width = Math.max(...scenarios.map(({ name }) => name.length));
      for (const { name, title, arms, packages } of scenarios) process.stdout.write(`${name.padEnd(width)}  ${packages.length > 0 ? '* ' : ''}${title} (${arms.length} arms)\n`);
      process.stdout.write('\nReplay one with: shuntbox replay NAME\n* runs unmodified programs of Debian: shuntbox replay NAME --rootfs DIR (docs/unmodified.md)\n');
    });
}

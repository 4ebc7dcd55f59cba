import { writeFileSync } from 'node:fs';
import type { Command } from 'commander';
import { lifecycleDocument } from '../../emulator/router/lifecycle/diagram.js';
import { outputFile } from './outputs.js';

export function register(program: Command): void {
  program.command('diagrams')
    .description("Print the state diagrams of the router's and the daemons' lives (Markdown with Mermaid).")
    .option('--write <file>', 'write them to a file instead, e.g. docs/lifecycles.md', outputFile)
    .action((options: { write?: string }) => {
      if (options.write === undefined) process.stdout.write(lifecycleDocument());
      else writeFileSync(options.write, lifecycleDocument());
    });
}

import type { Command } from 'commander';
import { serveOrders } from '../experiment/workers.js';
import { firmwareImage } from '../firmware-image.js';
import { UsageError } from './errors.js';
import { explain } from './explain.js';

export function register(program: Command): void {
  program.command('worker', { hidden: true })
    .description('Makes runs for another process of this program; of no use from a shell.')
    .action(() => {
      if (process.send === undefined) throw new UsageError('worker: takes its orders from another process of this program; you want: shuntbox replay NAME --seeds 10 --workers 2');
      serveOrders(firmwareImage(), explain);
    });
}

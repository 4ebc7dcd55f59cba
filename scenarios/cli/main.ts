#!/usr/bin/env node
import { Command, CommanderError } from 'commander';
import { register as registerBoot } from './boot.js';
import { register as registerDemo } from './demo.js';
import { register as registerDiagrams } from './diagrams.js';
import { explain, EXIT } from './errors.js';
import { register as registerCorruption } from './corruption.js';
import { register as registerFilter } from './filter.js';
import { register as registerList } from './list.js';
import { optional } from './optional.js';
import { register as registerReplay } from './replay.js';
import { register as registerRun } from './run.js';
import { register as registerSweep } from './sweep.js';
import { register as registerVerify } from './verify.js';
import { version } from './version.js';
import { register as registerWorker } from './worker.js';

const program = new Command('shuntbox')
  .description('Emulates a diskless MIPS router whose daemons checkpoint and recover themselves; replays attacks against it.')
  .version(version())
  .showHelpAfterError('(shuntbox --help shows what there is)')
  .addHelpText('after', `
Examples:
  $ shuntbox demo                                  boot the router, replay the default attack under every arm
  $ shuntbox list                                  what can be replayed
  $ shuntbox replay dns-pointer-loop --report out.html
  $ shuntbox verify --all                          same scenario, same seed: same event log, byte for byte
  $ shuntbox run ./hello-mips                      run a Linux/MIPS (o32, little-endian) program

Exit status: 0 all assertions held, 1 one did not, 2 wrong use or unreadable input.`);

program.enablePositionalOptions();
// Before the commands are made: they inherit it.
program.exitOverride();
registerDemo(program);
registerList(program);
registerReplay(program);
registerSweep(program);
registerVerify(program);
registerFilter(program);
registerCorruption(program);
registerRun(program);
registerBoot(program);
registerDiagrams(program);
registerWorker(program);
for (const register of await optional()) register(program);

// Whoever read the output has gone (`| head`): end as a program does that SIGPIPE ends, without a trace.
process.stdout.on('error', (error: NodeJS.ErrnoException) => {
  if (error.code !== 'EPIPE') throw error;
  process.exit(EXIT.pipe);
});

try {
  await program.parseAsync();
} catch (error) {
  if (error instanceof CommanderError) {
    process.exitCode = error.exitCode === 0 ? EXIT.ok : EXIT.usage;
  } else {
    const { message, code } = explain(error);
    process.stderr.write(`shuntbox: ${message}\n`);
    process.exitCode = code;
  }
}

#!/usr/bin/env node
import { Command, CommanderError } from 'commander';
import { commandName } from './command-name.js';
import { EXIT } from './errors.js';
import { version } from './version.js';

/** A command's module and the packages behind it are read when it is asked for: the others' would be half a second of every start. */
const commands = new Map<string, () => Promise<{ register(program: Command): void }>>([
  ['demo', () => import('./demo.js')],
  ['list', () => import('./list.js')],
  ['replay', () => import('./replay.js')],
  ['sweep', () => import('./sweep.js')],
  ['verify', () => import('./verify.js')],
  ['filter', () => import('./filter.js')],
  ['corruption', () => import('./corruption.js')],
  ['run', () => import('./run.js')],
  ['boot', () => import('./boot.js')],
  ['diagrams', () => import('./diagrams.js')],
  ['worker', () => import('./worker.js')],
  ['measure', () => import('../measure/command.js')],
  ['shunt', () => import('../shunt/command.js')],
]);

const program = new Command('shuntbox')
  .description('Emulates a diskless MIPS router whose daemons checkpoint and recover themselves; replays attacks against it.')
  .version(version())
  .showHelpAfterError(`(${commandName()} --help shows what there is)`)
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
const asked = commands.get(process.argv[2]);
for (const load of asked ? [asked] : commands.values()) (await load()).register(program);
for (const command of program.commands) command.showHelpAfterError(`(${commandName()} ${command.name()} --help shows how it is used)`);

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
    const { explain } = await import('./explain.js');
    const { message, code } = explain(error);
    process.stderr.write(`shuntbox: ${message}\n`);
    process.exitCode = code;
  }
}

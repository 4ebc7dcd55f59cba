import { closeSync, openSync, writeSync } from 'node:fs';
import { InvalidArgumentError, Option, type Command } from 'commander';
import { textOf } from '../../emulator/base/index.js';
import { profileNames, type ProfileName } from '../../emulator/router/profiles.js';
import { inputLine, outcomeLine, RECORDING_SCHEMA, setupLine } from '../live/input.js';
import { LiveMachine } from '../live/live-machine.js';
import { Session } from '../live/pace.js';
import type { Setup } from '../live/recording.js';
import { fileOverride, forwardsOf, liveOptions, words } from '../live/setup.js';
import { parseDuration } from '../units.js';
import { EXIT, UsageError } from './errors.js';
import { memory } from './memory.js';
import { outputFile } from './outputs.js';
import { seedArgument } from './seed-argument.js';

interface BootFlags {
  profile: ProfileName;
  rootfs?: string;
  mem?: number;
  daemon?: string[];
  shell?: string | true;
  file?: string[];
  forward?: string[];
  guard?: string[];
  guardRepeats: number;
  record?: string;
  strace?: boolean;
  seed: number;
  for?: number;
}

function durationArgument(text: string): number {
  const ns = parseDuration(text);
  if (ns === null || ns <= 0) throw new InvalidArgumentError('a time like 30s.');
  return ns;
}

function repeatsArgument(text: string): number {
  if (!/^\d{1,3}$/.test(text)) throw new InvalidArgumentError('a number from 0 to 999.');
  return Number(text);
}

const collect = (value: string, before: string[] = []): string[] => [...before, value];

export function register(program: Command): void {
  program.command('boot')
    .description('Boot a router and talk to its daemons from this computer, through ports of the loopback address.')
    .option('--rootfs <dir|image>', "a folder (a distribution's root filesystem) or a cpio archive; without it the firmware of Shuntbox boots with its init")
    .option('--daemon <command>', 'start this program, with its arguments; again for more', collect)
    .option('--forward <spec>', 'tcp:8080:192.168.1.1:80 or udp:5353:192.168.1.1:53; again for more', collect)
    .option('--shell [command]', "a program on this terminal's standard input and output (default: /bin/sh); its end ends the session")
    .option('--file <path=file>', "put a file of this computer on the router, over the tree's own; again for more", collect)
    .option('--guard <name>', 'freeze and thaw the daemons of this name transparently; again for more', collect)
    .option('--guard-repeats <n>', 'after so many faults at one instruction try the state before any input: for damage that is noticed late; 0: never', repeatsArgument, 0)
    .option('--strace', 'print system calls and signals on standard error')
    .option('--record <file>', 'record all that enters, for `shuntbox replay FILE`', outputFile)
    .addOption(new Option('--profile <name>', 'the device').choices(profileNames).default('mt7628'))
    .option('--mem <size>', "RAM instead of the profile's, like 128MiB", memory)
    .option('--seed <n>', 'of everything random in the router', seedArgument, 1)
    .option('--for <time>', 'end after this much wall time, like 30s', durationArgument)
    .addHelpText('after', `
The router's virtual time goes at the pace of wall time. Its LAN address is 192.168.1.1; forwards come from 192.168.1.254.
Nothing but the ports named by --forward is opened, on 127.0.0.1 only. Ctrl-C ends the session.

Examples:
  $ shuntbox boot --forward udp:5353:192.168.1.1:53          and then: dig @127.0.0.1 -p 5353 www.example.com
  $ shuntbox boot --rootfs debian --daemon "/usr/sbin/lighttpd -D -f /etc/lighttpd.conf" --file /etc/lighttpd.conf=./lighttpd.conf --forward tcp:8080:80
  $ shuntbox boot --rootfs debian --shell --record session.live`)
    .action(async (flags: BootFlags) => boot(flags));
}

function setupOf(flags: BootFlags): Setup {
  const setup: Setup = {
    schema: RECORDING_SCHEMA, profile: flags.profile, seed: flags.seed, mem: flags.mem ?? null, rootfs: flags.rootfs ?? null,
    daemons: (flags.daemon ?? []).map(words), shell: flags.shell === undefined ? [] : flags.shell === true ? ['/bin/sh'] : words(flags.shell),
    guard: flags.guard ?? [], guardRepeats: flags.guardRepeats, files: Object.fromEntries((flags.file ?? []).map(fileOverride)), forwards: flags.forward ?? [],
  };
  if (setup.daemons.some((argv) => argv.length === 0)) throw new UsageError('--daemon needs a program');
  if (setup.rootfs !== null && setup.daemons.length === 0 && setup.shell.length === 0) throw new UsageError('a root filesystem of your own needs --daemon or --shell: say what to start');
  return setup;
}

async function boot(flags: BootFlags): Promise<void> {
  const setup = setupOf(flags);
  const recording = flags.record === undefined ? null : openSync(flags.record, 'w');
  const record = (line: string): void => { if (recording !== null) writeSync(recording, line); };
  record(setupLine(setup));
  const options = liveOptions(setup);
  const session = new Session(forwardsOf(setup.forwards), (input) => record(inputLine(input)), (bytes, stream) => { (stream === 'stderr' ? process.stderr : process.stdout).write(bytes); });
  const machine = new LiveMachine(options, session, flags.strace ? (line) => process.stderr.write(line) : undefined);
  for (const line of await session.listen()) process.stderr.write(`shuntbox: ${line}\n`);
  const { signal, off } = endings(session, flags);
  if (setup.shell.length > 0) readConsole(session);
  watchShell(session, machine, setup);
  await session.run(machine);
  off();
  const outcome = machine.outcome(session.until);
  record(outcomeLine(outcome));
  if (recording !== null) closeSync(recording);
  report(machine, signal());
  for (const name of unguarded(machine, setup.guard)) process.stderr.write(`shuntbox: --guard ${name}: no program of that name waited at the top of an event loop, so none was frozen\n`);
  process.exitCode = EXIT.ok;
}

/** Ctrl-C, a request to end, or the time given. */
function endings(session: Session, flags: BootFlags): { signal: () => string | null; off: () => void } {
  let why: string | null = null;
  const end = (signal: string): void => {
    why = signal;
    session.stop();
  };
  process.once('SIGINT', end);
  process.once('SIGTERM', end);
  const timer = flags.for === undefined ? null : setTimeout(() => end('time'), flags.for / 1e6);
  return {
    signal: () => why,
    off: (): void => {
      process.removeListener('SIGINT', end);
      process.removeListener('SIGTERM', end);
      if (timer) clearTimeout(timer);
      process.stdin.destroy();
    },
  };
}

function readConsole(session: Session): void {
  process.stdin.on('data', (bytes: Buffer) => session.enter({ kind: 'console', bytes: new Uint8Array(bytes) }));
  process.stdin.on('end', () => session.enter({ kind: 'console-end' }));
}

/** The session lasts as long as what the user talks to: the shell, or any daemon. */
function watchShell(session: Session, machine: LiveMachine, setup: Setup): void {
  if (setup.daemons.length === 0 && setup.shell.length === 0) return;
  const programs = [...machine.router.kernel.processes.values()];
  const watched = setup.shell.length > 0 ? programs.slice(-1) : programs;
  const check = setInterval(() => {
    const left = setup.shell.length > 0 ? watched.some(({ state }) => state === 'alive') : machine.router.kernel.processes.size > 0;
    if (left) return;
    clearInterval(check);
    session.stop();
  }, 50);
  check.unref();
}

/** Names that were to be guarded and of which nothing was: a slip of the pen should not pass for protection. */
function unguarded({ router }: LiveMachine, names: readonly string[]): string[] {
  const frozen = new Set(router.log.since().flatMap((entry) => (entry.what === 'checkpoint.freeze' ? [textOf(entry.comm)] : [])));
  return names.filter((name) => name !== '*' && !frozen.has(name));
}

function report(machine: LiveMachine, signal: string | null): void {
  const { unknown, virtualSeconds, frames, drops } = machine.router.report();
  for (const { call, times } of unknown) process.stderr.write(`shuntbox: not supported: ${call} (${times} times)\n`);
  const nowhere = Object.entries(frames).filter(([name]) => name in drops).sort(([, a], [, b]) => b - a);
  if (nowhere.length > 0) process.stderr.write(`shuntbox: frames that went nowhere: ${nowhere.map(([name, count]) => `${name} ${count}`).join(', ')}\n`);
  process.stderr.write(`shuntbox: ${virtualSeconds.toFixed(1)} s of the router's time${signal === null ? '; all that was started has ended' : ''}\n`);
}

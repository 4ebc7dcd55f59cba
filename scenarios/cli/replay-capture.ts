import { existsSync } from 'node:fs';
import { basename, extname } from 'node:path';
import { InvalidArgumentError, Option, type Command } from 'commander';
import { gunzip, readCpio, writeCpio, type CpioEntry, type CpioSource } from '../../ramdisk/index.js';
import { armNames, needsLibrary, type ArmName } from '../arms.js';
import { looksLikeAflnet } from '../capture-replay/aflnet.js';
import { captureScenario, parseTarget, type PreparedReplay } from '../capture-replay/capture-scenario.js';
import type { Pacing } from '../capture-replay/pacing.js';
import type { Target } from '../capture-replay/selection.js';
import { readInput } from '../input-file.js';
import { firmwareImage } from '../simulation.js';
import { UsageError } from './errors.js';
import { folderArchive } from '../folder-archive.js';
import { hostProgram } from './host-program.js';

export interface CaptureFlags {
  daemon?: string;
  args?: string;
  name?: string;
  rootfs?: string;
  target?: Target;
  port?: number;
  aflnet?: boolean;
  sdk?: boolean;
  multiplier?: number;
  pps?: number;
  mbps?: number;
  topspeed?: boolean;
  loop?: number;
  loopdelayMs?: number;
  limit?: number;
  duration?: number;
}

function number(what: string, least: number, whole: boolean): (text: string) => number {
  return (text) => {
    const value = Number(text);
    if (text.trim() === '' || !Number.isFinite(value) || value < least || (least === 0 && !whole && value === 0) || (whole && !Number.isInteger(value))) throw new InvalidArgumentError(what);
    return value;
  };
}

const positive = (what: string): ((text: string) => number) => number(what, 0, false);
const whole = (what: string, least: number): ((text: string) => number) => number(what, least, true);

function targetArgument(text: string): Target {
  const target = parseTarget(text);
  if (typeof target === 'string') throw new InvalidArgumentError(`${target}.`);
  return target;
}

function portArgument(text: string): number {
  const port = Number(text);
  if (!/^\d+$/.test(text) || port < 1 || port > 65535) throw new InvalidArgumentError('a port is 1 to 65535.');
  return port;
}

/** What only the replay of a capture takes. */
export function addCaptureOptions(command: Command): Command {
  const speeds = ['multiplier', 'pps', 'mbps', 'topspeed'];
  const speed = (option: Option, own: string): Option => option.conflicts(speeds.filter((other) => other !== own));
  return command
    .option('--daemon <elf>', 'replay a capture against this static MIPS program (o32, little-endian)')
    .option('--args <words>', 'its arguments, one word each, in quotes')
    .option('--name <name>', "what it is called on the router; the file's name by default")
    .option('--rootfs <dir|image>', "of a scenario on unmodified programs: a folder with them; of a capture: a folder or a cpio archive laid over the firmware's root filesystem")
    .option('--target <addr:port>', 'where the daemon is in the capture (default: the busiest end point), or udp:PORT', targetArgument)
    .option('--port <port>', "where it listens on the router (default: the capture's port)", portArgument)
    .option('--aflnet', "the file is one of AFLNet's replay files: messages behind their lengths")
    .option('--sdk', 'the daemon takes the recovery library\'s options (-m, -s): run the rollback arms, too')
    .addOption(speed(new Option('-x, --multiplier <n>', 'send that many times as fast as captured').argParser(positive('a number greater than 0.')), 'multiplier'))
    .addOption(speed(new Option('-p, --pps <n>', 'send that many datagrams a second').argParser(positive('a number greater than 0.')), 'pps'))
    .addOption(speed(new Option('-M, --mbps <n>', 'send at that many Mbit/s').argParser(positive('a number greater than 0.')), 'mbps'))
    .addOption(speed(new Option('-t, --topspeed', 'send as fast as the wire (100 Mbit/s) takes them'), 'topspeed'))
    .option('-l, --loop <n>', 'send the file that often; 0: until --limit or --duration ends it', whole('an integer, 0 or more.', 0))
    .option('--loopdelay-ms <n>', 'wait that long between passes', whole('an integer, 0 or more.', 0))
    .option('-L, --limit <n>', 'send that many datagrams and no more', whole('an integer, 1 or more.', 1))
    .option('--duration <seconds>', 'stop sending after that long', positive('a number of seconds greater than 0.'));
}

const captureOnly = ['args', 'name', 'target', 'port', 'aflnet', 'sdk', 'multiplier', 'pps', 'mbps', 'topspeed', 'loop', 'loopdelayMs', 'limit', 'duration'] as const;

/** Does the command line speak of a capture? Throws UsageError when it does so by halves. */
export function isCapture(file: string, flags: CaptureFlags): boolean {
  if (flags.daemon !== undefined) return true;
  if (/\.(pcap|pcapng|cap)$/.test(file) && existsSync(file)) throw new UsageError(`${file} is a capture; add --daemon ELF, the program it is to be replayed against`);
  const stray = captureOnly.find((flag) => flags[flag] !== undefined);
  if (stray !== undefined) throw new UsageError(`--${stray === 'loopdelayMs' ? 'loopdelay-ms' : stray} goes with a capture and --daemon ELF; a scenario says itself what is sent`);
  return false;
}

const MAX_CAPTURE_BYTES = 256 << 20;
const NAME_MAX = 15;

export function prepareCapture(file: string, wanted: readonly ArmName[] | undefined, flags: CaptureFlags & { daemon: string }): PreparedReplay {
  const bytes = hostProgram(flags.daemon);
  const name = (flags.name ?? basename(flags.daemon)).slice(0, NAME_MAX);
  if (!/^[a-z0-9][a-z0-9._-]*$/.test(name)) throw new UsageError(`"${name}" is no name for a daemon: lower-case letters, digits, dots and dashes; give another with --name`);
  const words = (flags.args ?? '').split(/\s+/).filter((word) => word !== '');
  if (words.length > 32 || words.some((word) => word.includes('#') || word.length > 200)) throw new UsageError("--args: at most 32 words of at most 200 letters, none with '#'");
  return captureScenario({
    file, aflnet: flags.aflnet ?? isAflnet(file), daemon: { file: flags.daemon, bytes }, name, words,
    arms: armsFor(wanted, flags.sdk ?? false), sdk: flags.sdk ?? false, target: flags.target ?? null, port: flags.port, pacing: pacingOf(flags),
  });
}

function pacingOf({ multiplier, pps, mbps, topspeed, loop, loopdelayMs, limit, duration }: CaptureFlags): Pacing {
  return { multiplier, pps, mbps, topspeed, loop, loopDelayMs: loopdelayMs, limit, durationSeconds: duration };
}

/** Files with a name AFLNet gives, or .raw, that read as its format from end to end. */
function isAflnet(file: string): boolean {
  const named = /^id[:_]\d+/.test(basename(file)) || ['.raw', '.aflnet', '.replay'].includes(extname(file));
  return named && looksLikeAflnet(readInput(file, MAX_CAPTURE_BYTES, 'AFLNet writes no such file'));
}

function armsFor(wanted: readonly ArmName[] | undefined, sdk: boolean): ArmName[] {
  const possible = armNames.filter((arm) => sdk || !needsLibrary(arm));
  const missing = wanted?.filter((arm) => !possible.includes(arm)) ?? [];
  if (missing.length > 0) throw new UsageError(`${missing.join(', ')}: rollback needs a daemon built with the recovery library; if this one is, say --sdk`);
  return possible.filter((arm) => wanted?.includes(arm) ?? true);
}

/** The firmware's root filesystem under the user's own, of which init alone stays the firmware's: it reads the arms' policies. */
export function captureImage(rootfs: string | undefined): Uint8Array {
  if (rootfs === undefined) return firmwareImage();
  const [base, own] = [entriesOf(firmwareImage(), 'the firmware'), entriesOf(folderArchive(rootfs), rootfs)];
  const merged = new Map<string, CpioSource>();
  for (const entry of [...base, ...own.filter(({ name }) => name !== 'sbin/init')]) merged.set(entry.name, entry);
  return writeCpio([...merged.values()]);
}

function entriesOf(image: Uint8Array, what: string): CpioSource[] {
  const archive = gunzip(image);
  if (!(archive instanceof Uint8Array)) throw new UsageError(`${what}: ${archive.message} (offset ${archive.offset})`);
  const { entries, error } = readCpio(archive);
  if (error) throw new UsageError(`${what}: ${error.message} (offset ${error.offset})`);
  // Of hard links only one holds the contents.
  const contents = new Map<string, Uint8Array>();
  for (const { inode, content } of entries) if (content.length > 0) contents.set(inode, content);
  return entries.filter(({ name }) => name !== '').map((entry: CpioEntry) => ({ ...entry, content: entry.nlink > 1 ? (contents.get(entry.inode) ?? entry.content) : entry.content }));
}

import { existsSync, writeFileSync } from 'node:fs';
import { basename, join } from 'node:path';
import { InvalidArgumentError, Option, type Command } from 'commander';
import { profileNames, profiles, type ProfileName } from '../../emulator/router/profiles.js';
import { EXIT, UsageError } from '../cli/errors.js';
import { hostProgram } from '../cli/host-program.js';
import { outputFolder } from '../cli/outputs.js';
import { Progress } from '../cli/progress.js';
import { ballastOn, daemonOn, programOn, ramdisks, type Ramdisk, type Subject } from '../measure/subject.js';
import { makeFolder } from '../output-folder.js';
import { firmwareImage } from '../simulation.js';
import { parseSize } from '../units.js';
import { demonstrate, modes, type Cores, type Mode } from './demonstration.js';
import { ansi, narrate, plain } from './narrative.js';
import { lineFromStandardInput, stepThrough } from './steps.js';

interface Options {
  mode: string;
  profile: string;
  ramdisk: Ramdisk;
  dirty: number;
  step?: boolean;
  json?: boolean;
  core?: string;
}

function shareArgument(text: string): number {
  const match = /^(\d+(?:\.\d+)?)%?$/.exec(text);
  const percent = match ? Number(match[1]) : NaN;
  if (!(percent >= 0 && percent <= 100)) throw new InvalidArgumentError('give a share of the writable pages from 0% to 100%, like 10%.');
  return percent / 100;
}

export function register(command: Command): void {
  command.command('shunt')
    .description('Show vnode shunting: one process frozen both ways, step by step, and proof that both restore the same state.')
    .argument('[subject]', 'dnsd, dhcpd, a size such as 1M for a process with that much memory, or a static MIPS program of yours', 'dnsd')
    .argument('[args...]', 'arguments of your program')
    .option('--step', 'ask a question before each part and wait for Enter, so that a class can predict first')
    .option('--dirty <share>', 'share of its writable pages the process writes between two freezes', shareArgument, 0.1)
    .option('--mode <mode>', 'how the shunt keeps pages: share, copy or pool', 'share')
    .option('--profile <name>', `device: ${profileNames.join(', ')}`, 'mt7628')
    .addOption(new Option('--ramdisk <kind>', 'what the file lies on: a tmpfs, or a file system on a memory block device').choices(ramdisks).default('tmpfs'))
    .option('--core <dir>', 'write both images as ELF cores: the file of the vnode path, and the shunted image exported', outputFolder)
    .option('--json', 'machine-readable output')
    .addHelpText('after', `
Exit status: 0 when the proof holds, 1 when not.

Examples:
  $ shuntbox shunt
  $ shuntbox shunt --step --dirty 25%
  $ shuntbox shunt ./mydaemon -p 53
  $ shuntbox shunt 4M --mode copy --json`)
    .action((subject: string, args: string[], options: Options) => run(subject, args, options));
}

function coreWriter(folder: string, name: string): (cores: Cores) => void {
  return (cores) => {
    makeFolder(folder);
    for (const [store, bytes] of Object.entries(cores)) writeFileSync(join(folder, `${basename(name)}.${store}.core`), bytes as Uint8Array);
  };
}

function profileOf(name: string): ProfileName {
  const profile = profileNames.find((one) => one === name);
  if (!profile) throw new UsageError(`there is no profile "${name}"; there are ${profileNames.join(', ')}`);
  return profile;
}

/** Bytes of images that the pool holds besides a process of a given size. */
const POOL = 4 << 20;

function subjectOf(profile: ProfileName, ramdisk: Ramdisk, name: string, args: readonly string[]): Subject {
  const machine = { profile, ramdisk, image: firmwareImage() };
  const bytes = parseSize(name);
  if (bytes !== null) {
    const most = profiles[profile].ramBytes / (ramdisk === 'block' ? 12 : 6);
    if (bytes < 4096 || bytes > most) throw new UsageError(`"${name}": between 4K and ${Math.floor(most / 1048576)}M fit ${profile}`);
    return ballastOn({ ...machine, pool: bytes + (1 << 20) }, bytes, `ballast ${name}`);
  }
  if (name === 'dnsd' || name === 'dhcpd') return daemonOn({ ...machine, pool: POOL }, name);
  if (!existsSync(name)) throw new UsageError(`"${name}": give dnsd, dhcpd, a size such as 1M, or the file of a static MIPS program`);
  return programOn({ ...machine, pool: POOL }, hostProgram(name), basename(name), args);
}

/** Everything is done before the first part is shown: a bar meanwhile, where there is a terminal. */
function withProgress<T>(work: (onProgress: (share: number) => void) => T): T {
  const progress = new Progress();
  try {
    return work((share) => progress.show('freezing', share));
  } finally {
    progress.stop();
  }
}

function run(name: string, args: readonly string[], options: Options): void {
  const profile = profileOf(options.profile);
  if (!(options.mode in modes)) throw new UsageError(`there is no mode "${options.mode}"; there are ${Object.keys(modes).join(', ')}`);
  if (options.step && options.json) throw new UsageError('--step is for people and --json for programs; give one of them');
  const onCores = options.core === undefined ? undefined : coreWriter(options.core, name);
  const demonstration = withProgress((onProgress) => demonstrate(subjectOf(profile, options.ramdisk, name, args), { mode: options.mode as Mode, dirty: options.dirty, onCores, onProgress }));
  const paint = process.stdout.isTTY && !process.env.NO_COLOR ? ansi : plain;
  const write = (text: string): void => { process.stdout.write(text); };
  if (options.json) write(JSON.stringify({ schema: 'shuntbox-shunt/2', ...demonstration }, null, 2) + '\n');
  else if (options.step) stepThrough(demonstration, paint, { write, readLine: lineFromStandardInput });
  else write(narrate(demonstration, paint));
  process.exitCode = demonstration.holds ? EXIT.ok : EXIT.failed;
}

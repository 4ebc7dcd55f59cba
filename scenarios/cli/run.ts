import { statSync, writeFileSync } from 'node:fs';
import { basename } from 'node:path';
import { Option, type Command } from 'commander';
import { profileNames, type ProfileName } from '../../emulator/router/profiles.js';
import { ramdiskKinds, type RamdiskKind } from '../../ramdisk/index.js';
import { firmwareImage } from '../firmware-image.js';
import { rootFilesystem } from '../root-filesystem.js';
import { runProgram } from '../run-program.js';
import { UsageError } from './errors.js';
import { hostProgram } from './host-program.js';
import { memory } from './memory.js';
import { outputFile } from './outputs.js';

interface RunFlags {
  profile: ProfileName;
  rootfs?: string;
  strace?: boolean;
  mem?: number;
  ramdisk: RamdiskKind;
  core?: string;
  verbose?: boolean;
}

export function register(program: Command): void {
  program.command('run')
    .description('Run a Linux/MIPS program (o32, little-endian) with standard input, output and exit status.')
    .argument('<program>', 'a file of this computer, or else a path on the root filesystem')
    .argument('[args...]', 'its arguments')
    .addOption(new Option('--profile <name>', 'the device').choices(profileNames).default('mt7628'))
    .option('--rootfs <dir|image>', "a folder, read as it is needed, or a cpio archive (gzipped or not) instead of the firmware's root filesystem")
    .option('--strace', 'print system calls and signals on standard error')
    .option('--mem <size>', "RAM instead of the profile's, like 16MiB", memory)
    .addOption(new Option('--ramdisk <kind>', 'the root filesystem: a tmpfs, or a file system on a memory block device').choices(ramdiskKinds).default('tmpfs'))
    .option('--core <file>', 'write an ELF core of the first fault', outputFile)
    .option('--verbose', 'say at the end how much was executed')
    .passThroughOptions()
    .addHelpText('after', `
The exit status is the program's own, or 128 plus the number of the signal that ended it.

Examples:
  $ shuntbox run ./hello
  $ echo y | shuntbox run --core /tmp/core --strace /usr/bin/paper-corrupt
  $ shuntbox run --mem 8MiB --rootfs ./rootfs /bin/sh -c 'echo hi'
  $ shuntbox run --rootfs ~/debian/sysroot /usr/sbin/dnsmasq --version`)
    .action((file: string, args: string[], flags: RunFlags) => {
      const fromHost = isHostProgram(file, flags.rootfs !== undefined);
      const outcome = runProgram({
        profile: flags.profile, ram: flags.mem, ramdisk: flags.ramdisk, ...(flags.rootfs === undefined ? { image: firmwareImage() } : rootFilesystem(flags.rootfs)),
        path: fromHost ? `/tmp/${basename(file)}` : file, program: fromHost ? hostProgram(file) : null, args,
        strace: flags.strace ? (line) => process.stderr.write(line) : undefined,
      });
      if (outcome.message !== null) process.stderr.write(`${outcome.message}\n`);
      for (const { call, times } of outcome.unknown) process.stderr.write(`shuntbox: not supported: ${call} (${times} times)\n`);
      if (flags.core !== undefined) writeCore(flags.core, outcome.core);
      if (flags.verbose) process.stderr.write(`shuntbox: ${outcome.instructions} instructions, ${outcome.virtualSeconds.toFixed(6)} s of the device's time\n`);
      process.exitCode = outcome.status;
    });
}

/** With a root filesystem of the user's own an absolute path is one on it; else a file of this computer comes first. */
function isHostProgram(file: string, ownRoot: boolean): boolean {
  const absolute = file.startsWith('/');
  if (ownRoot && absolute) return false;
  const stat = statSync(file, { throwIfNoEntry: false });
  if (stat?.isFile()) return true;
  if (stat?.isDirectory()) throw new UsageError(`${file}: is a folder; name the program, or give the folder as --rootfs and a path in it`);
  if (!absolute) throw new UsageError(`${file}: no such file; for a program on the root filesystem give its absolute path`);
  return false;
}

function writeCore(file: string, core: Uint8Array | null): void {
  if (core) writeFileSync(file, core);
  else process.stderr.write('shuntbox: no fault, so no core was written\n');
}

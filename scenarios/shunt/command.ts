import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import type { Command } from 'commander';
import { profileNames, profiles } from '../../emulator/router/profiles.js';
import { EXIT, UsageError } from '../cli/errors.js';
import { ballast, daemon } from '../measure/subject.js';
import { firmwareImage } from '../simulation.js';
import { demonstrate, modes, type Cores, type Mode } from './demonstration.js';
import { ansi, narrate, plain } from './narrative.js';

interface Options {
  mode: string;
  profile: string;
  json?: boolean;
  core?: string;
}

export function register(program: Command): void {
  program.command('shunt')
    .description('Show vnode shunting: one process frozen both ways, step by step, and proof that both restore the same state.')
    .argument('[subject]', 'dnsd, dhcpd, or a size such as 1M for a process with that much memory', 'dnsd')
    .option('--mode <mode>', 'how the shunt keeps pages: share, copy or pool', 'share')
    .option('--profile <name>', `device: ${profileNames.join(', ')}`, 'mt7628')
    .option('--core <dir>', 'write both images as ELF cores: the file of the vnode path, and the shunted image exported')
    .option('--json', 'machine-readable output')
    .addHelpText('after', '\nExit status: 0 when the proof holds, 1 when not.\n\nExamples:\n  $ shuntbox shunt\n  $ shuntbox shunt 4M --mode copy --json')
    .action((subject: string, options: Options) => run(subject, options));
}

function coreWriter(folder: string, name: string): (cores: Cores) => void {
  return (cores) => {
    mkdirSync(folder, { recursive: true });
    for (const [store, bytes] of Object.entries(cores)) writeFileSync(join(folder, `${name}.${store}.core`), bytes as Uint8Array);
  };
}

function run(name: string, options: Options): void {
  const profile = profileNames.find((one) => one === options.profile);
  if (!profile) throw new UsageError(`there is no profile "${options.profile}"; there are ${profileNames.join(', ')}`);
  if (!(options.mode in modes)) throw new UsageError(`there is no mode "${options.mode}"; there are ${Object.keys(modes).join(', ')}`);
  const image = firmwareImage();
  const size = /^(\d+)([KM])$/i.exec(name);
  if (!size && name !== 'dnsd' && name !== 'dhcpd') throw new UsageError(`"${name}": give dnsd, dhcpd or a size such as 1M`);
  const bytes = size ? Number(size[1]) * (size[2].toUpperCase() === 'K' ? 1024 : 1048576) : 0;
  if (size && (bytes < 4096 || bytes > profiles[profile].ramBytes / 6)) throw new UsageError(`"${name}": between 4K and ${Math.floor(profiles[profile].ramBytes / 6 / 1048576)}M fit ${profile}`);
  const demonstration = demonstrate(size ? ballast(profile, image, bytes, `ballast ${name}`) : daemon(profile, image, name), options.mode as Mode, options.core === undefined ? undefined : coreWriter(options.core, name));
  const colour = process.stdout.isTTY && !process.env.NO_COLOR;
  process.stdout.write(options.json ? JSON.stringify({ schema: 'shuntbox-shunt/1', ...demonstration }, null, 2) + '\n' : narrate(demonstration, colour ? ansi : plain));
  process.exitCode = demonstration.holds ? EXIT.ok : EXIT.failed;
}

import { statSync } from 'node:fs';
import { basename } from 'node:path';
import { firmwareImage } from '../firmware-image.js';
import { InputError } from '../input-error.js';
import { readInput } from '../input-file.js';
import { rootFilesystem } from '../root-filesystem.js';
import { skeletonFor } from '../skeleton.js';
import { ROUTER } from '../topology.js';
import { parseForward, type Forward } from './forward.js';
import type { LiveOptions } from './live-machine.js';
import type { Setup } from './recording.js';

const MAX_FILE_BYTES = 512 << 20;

/** The machine's options for a setup. `rootfs` stands in for the one the setup names. Throws InputError. */
export function liveOptions(setup: Setup, rootfs = setup.rootfs): LiveOptions {
  const tree = rootfs === null ? { image: firmwareImage() } : rootFilesystem(rootfs);
  const files: Record<string, string | Uint8Array> = tree.flash ? skeletonFor(tree.flash) : {};
  const executables: string[] = [];
  for (const [path, source] of Object.entries(setup.files)) {
    files[path] = readInput(source, MAX_FILE_BYTES, 'no device here holds such a file');
    if (statSync(source).mode & 0o111) executables.push(path);
  }
  return {
    ...tree, files, executables, profile: setup.profile, ram: setup.mem ?? undefined, seed: setup.seed,
    daemons: setup.daemons, shell: setup.shell, guard: setup.guard, guardRepeats: setup.guardRepeats, forwards: forwardsOf(setup.forwards),
  };
}

export function forwardsOf(texts: readonly string[]): Forward[] {
  return texts.map((text) => {
    const forward = parseForward(text, ROUTER.lan0);
    if (typeof forward === 'string') throw new InputError(forward);
    return forward;
  });
}

/** "/usr/sbin/dnsmasq -k" as words; quotes hold blanks together. */
export function words(command: string): string[] {
  return [...command.matchAll(/"([^"]*)"|'([^']*)'|(\S+)/g)].map(([, double, single, bare]) => double ?? single ?? bare);
}

/** "/etc/dnsmasq.conf=./my.conf": path on the router, file of this computer. */
export function fileOverride(text: string): [string, string] {
  const at = text.indexOf('=');
  if (!text.startsWith('/') || at < 2) throw new InputError(`"${text}": write PATH-ON-THE-ROUTER=FILE, like /etc/${basename(text) || 'passwd'}=./file`);
  return [text.slice(0, at), text.slice(at + 1)];
}

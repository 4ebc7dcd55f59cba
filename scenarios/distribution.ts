import { existsSync, statSync } from 'node:fs';
import { join } from 'node:path';
import type { RouterOptions } from '../emulator/router/router.js';
import { gunzip, readCpio } from '../ramdisk/index.js';
import { HostTree } from './host-tree.js';
import { InputError } from './input-error.js';
import type { Scenario } from './scenario.js';
import { skeletonFor } from './skeleton.js';

const INIT = '/sbin/init';

/** Does the scenario run programs of a distribution, so that it needs a root filesystem that has them? */
export const needsRootfs = ({ packages }: Pick<Scenario, 'packages'>): boolean => packages.length > 0;

/** Where the documentation says how a root filesystem is made. */
const REMEDY = 'docs/unmodified.md says how to unpack one';

/** The scenario with the user's root filesystem, checked: every daemon's program is there. Throws InputError, one line with the remedy. */
export function withRootfs(scenario: Scenario, rootfs: string | undefined): Scenario {
  if (!needsRootfs(scenario)) {
    if (rootfs !== undefined) throw new InputError(`the scenario ${scenario.name} runs the firmware's own daemons and takes no --rootfs; \`shuntbox list\` marks those that do`);
    return scenario;
  }
  const packages = scenario.packages.join(', ');
  if (rootfs === undefined) throw rootfsMissing(scenario);
  if (!existsSync(rootfs) || !statSync(rootfs).isDirectory()) throw new InputError(`${rootfs}: no such folder; --rootfs takes an unpacked mipsel root filesystem with ${packages}; ${REMEDY}`);
  const missing = scenario.daemons.find(({ program }) => !new HostTree(rootfs).read(program));
  if (missing) throw new InputError(`${rootfs} has no ${missing.program}, which the scenario ${scenario.name} runs${insteadOf(rootfs, missing.program)}; unpack the mipsel packages ${packages} there, with what they depend on: ${REMEDY}`);
  return { ...scenario, rootfs };
}

const rootfsMissing = ({ name, packages }: Pick<Scenario, 'name' | 'packages'>): InputError =>
  new InputError(`the scenario ${name} runs unmodified programs of Debian (${packages.join(', ')}): add --rootfs DIR, an unpacked mipsel root filesystem with them; ${REMEDY}`);

/** People name the folder above the root. */
function insteadOf(rootfs: string, program: string): string {
  const below = join(rootfs, 'sysroot');
  return existsSync(join(below, program)) ? ` (did you mean ${below}?)` : '';
}

/** What the router starts with: the user's tree, under it what packages leave to the installation, and over it the firmware's init, which reads the arm's policies. */
export function rootOf(scenario: Pick<Scenario, 'name' | 'packages' | 'rootfs'>, firmware: Uint8Array): Pick<RouterOptions, 'image' | 'flash' | 'files' | 'executables'> {
  if (scenario.rootfs === undefined) {
    if (needsRootfs(scenario)) throw rootfsMissing(scenario);
    return { image: firmware };
  }
  const flash = new HostTree(scenario.rootfs);
  return { image: null, flash, files: { ...skeletonFor(flash), [INIT]: initOf(firmware) }, executables: [INIT] };
}

function initOf(firmware: Uint8Array): Uint8Array {
  const archive = gunzip(firmware);
  const found = archive instanceof Uint8Array ? readCpio(archive).entries.find(({ name }) => `/${name}` === INIT) : undefined;
  if (!found) throw new InputError(`the firmware's root filesystem has no ${INIT}; build it with: npm run firmware`);
  return found.content;
}

import { failed, Invariant } from '../../emulator/base/index.js';
import { checkpointsOf, collectImage, installCheckpoints, layerOf, segmentsOf, type CheckpointLayer } from '../../emulator/checkpoint/index.js';
import { Router, RouterError } from '../../emulator/router/router.js';
import { profiles, type ProfileName } from '../../emulator/router/profiles.js';
import { ramdiskKinds, type RamdiskKind } from '../../ramdisk/index.js';
import type { Process } from '../../emulator/kernel/index.js';
import { PAGE_SIZE, Prot } from '../../emulator/memory/index.js';

/** A process to be frozen and thawed, asleep in a system call of its own, on a router of its own. */
export interface Subject {
  name: string;
  router: Router;
  process: Process;
  layer: CheckpointLayer;
}

/** What the ramdisk is made of. */
export const ramdisks = ramdiskKinds;
export type Ramdisk = RamdiskKind;

/** RAM that is not set aside for the ramdisk itself: a block device takes its half, and its buffers, at once. */
export const ramBeside = (profile: ProfileName, ramdisk: Ramdisk): number => profiles[profile].ramBytes * (ramdisk === 'block' ? 7 / 16 : 1);

export interface MachineOptions {
  profile: ProfileName;
  image: Uint8Array;
  ramdisk?: Ramdisk;
  /** Bytes of images the warm pool holds; set aside at boot. */
  pool?: number;
}

/** Virtual seconds a subject has to come to rest. */
const PATIENCE = 120;

/** Beside the image's own pages the pool holds the notes, and the pages a process has besides those it is named after. */
const POOL_SPARE = 320;

const UNLIMITED = { checkpoints: 1_000_000, bytes: Infinity };

function machine({ profile, image, ramdisk, pool = 0 }: MachineOptions, files: Record<string, Uint8Array> = {}): Router {
  const poolFrames = pool === 0 ? 0 : Math.ceil(pool / PAGE_SIZE) + POOL_SPARE;
  return Router.create({ profile, image, ramdisk, seed: 1, files, executables: Object.keys(files), checkpoint: { poolFrames, checksum: false, quota: UNLIMITED } });
}

function subject(name: string, router: Router, process: Process): Subject {
  const layer = layerOf(router.kernel) ?? installCheckpoints(router.kernel);
  layer.write = { ...layer.write, checksum: false, complete: false };
  return { name, router, process, layer };
}

const asleep = (process: Process): boolean => process.threads.every((thread) => thread.state === 'blocked');

function comeToRest(router: Router, holds: () => boolean, what: string): void {
  const { hz } = router.kernel.clock;
  if (!router.runUntil(holds, router.kernel.clock.cycles + PATIENCE * hz, hz / 100)) throw new RouterError(`${what} did not come to rest within ${PATIENCE} virtual seconds`);
}

/** A process with `bytes` of memory it has written, no two pages alike. */
export function ballastOn(options: MachineOptions, bytes: number, name: string): Subject {
  const router = machine(options);
  router.powerOn();
  const process = router.spawn('/usr/bin/ballast', ['ballast', String(bytes)]);
  comeToRest(router, () => asleep(process), `ballast ${bytes}`);
  if (process.state !== 'alive') throw new RouterError(`ballast ${bytes} found no room on the device`);
  return subject(name, router, process);
}

/** With room in the pool for one image. */
export function ballast(profile: ProfileName, image: Uint8Array, bytes: number, name: string): Subject {
  return ballastOn({ profile, image, pool: bytes }, bytes, name);
}

/** A daemon of the firmware, as init started it. */
export function daemonOn(options: MachineOptions, comm: string): Subject {
  const router = machine(options);
  router.boot();
  const find = (): Process | undefined => [...router.kernel.processes.values()].find((process) => process.comm === comm && process.state === 'alive');
  comeToRest(router, () => router.state === 'running' && find() !== undefined && asleep(find() as Process), comm);
  return subject(comm, router, find() as Process);
}

/** Somebody's own program, brought to its first rest: it waits for input, a timer or another process. RouterError when it ends instead. */
export function programOn(options: MachineOptions, elf: Uint8Array, name: string, args: readonly string[]): Subject {
  const path = `/tmp/${name}`;
  const router = machine(options, { [path]: elf });
  router.powerOn();
  const process = router.spawn(path, [path, ...args]);
  comeToRest(router, () => process.state !== 'alive' || asleep(process), name);
  if (process.state !== 'alive') throw new RouterError(`${name} ended before it waited for anything; a program is frozen where it waits for input or time`);
  return subject(name, router, process);
}

export function daemon(profile: ProfileName, image: Uint8Array, comm: string): Subject {
  return daemonOn({ profile, image, pool: 2 << 20 }, comm);
}

/** How many segments its image has that hold pages: what the vnode path writes one by one. */
export function imageSegments({ process, router: { kernel } }: Subject): number {
  const { record } = collectImage(kernel, process, 0, null);
  return segmentsOf(record.regions, record.runs).filter(({ filePages }) => filePages > 0).length;
}

/** Bytes of pages its image has. */
export const imageBytes = ({ process, router: { kernel } }: Subject): number => collectImage(kernel, process, 0, null).frames.length * PAGE_SIZE;

/** The writable mapping with the most pages in memory. */
export function largestMapping({ process: { space } }: Subject): { start: number; end: number } {
  const resident = ({ start, end }: { start: number; end: number }): number => space.pages(start, end).length;
  return [...space.regions].filter(({ prot }) => prot & Prot.write).reduce((best, one) => (resident(one) > resident(best) ? one : best));
}

/** Cut that mapping into `pieces` by changing the protection of every other one, all of them writable. */
export function cutIntoSegments(subject: Subject, pieces: number): void {
  const { process } = subject;
  const { start, end } = largestMapping(subject);
  const pages = (end - start) / PAGE_SIZE;
  const cut = (piece: number): number => start + Math.floor((piece * pages) / pieces) * PAGE_SIZE;
  for (let piece = 1; piece < pieces; piece += 2) {
    const [from, to] = [cut(piece), cut(piece + 1)];
    if (to > from && failed(process.space.protect(from, to - from, Prot.read | Prot.write | Prot.exec))) throw new Invariant('a mapping that cannot be cut');
  }
}

/** Bytes that images hold, of all its checkpoints. */
export function heldBytes({ process, router: { kernel } }: Subject): number {
  return checkpointsOf(process).list.reduce((sum, { image }) => sum + image.heldFrames(kernel) * PAGE_SIZE, 0);
}

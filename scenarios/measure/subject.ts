import { installCheckpoints, layerOf, type CheckpointLayer } from '../../emulator/checkpoint/index.js';
import { Router, RouterError } from '../../emulator/router/router.js';
import type { ProfileName } from '../../emulator/router/profiles.js';
import type { Process } from '../../emulator/kernel/index.js';
import { PAGE_SIZE } from '../../emulator/memory/index.js';

/** A process to be frozen and thawed, asleep in a system call of its own, on a router of its own. */
export interface Subject {
  name: string;
  router: Router;
  process: Process;
  layer: CheckpointLayer;
}

/** Virtual seconds a subject has to come to rest. */
const PATIENCE = 120;

/** Beside the image's own pages the pool holds the notes. */
const POOL_SPARE = 64;

function machine(profile: ProfileName, image: Uint8Array, poolBytes: number, files: Record<string, Uint8Array> = {}): Router {
  return Router.create({
    profile, image, seed: 1, files, executables: Object.keys(files),
    checkpoint: { poolFrames: Math.ceil(poolBytes / PAGE_SIZE) + POOL_SPARE, checksum: false, quota: { checkpoints: 1000, bytes: Infinity } },
  });
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
export function ballast(profile: ProfileName, image: Uint8Array, bytes: number, name: string): Subject {
  const router = machine(profile, image, bytes + (1 << 20));
  router.powerOn();
  const process = router.spawn('/usr/bin/ballast', ['ballast', String(bytes)]);
  comeToRest(router, () => asleep(process), `ballast ${bytes}`);
  return subject(name, router, process);
}

/** The DNS forwarder of the firmware, as init started it. */
export function daemon(profile: ProfileName, image: Uint8Array, comm: string): Subject {
  const router = machine(profile, image, 2 << 20);
  router.boot();
  const find = (): Process | undefined => [...router.kernel.processes.values()].find((process) => process.comm === comm && process.state === 'alive');
  comeToRest(router, () => router.state === 'running' && find() !== undefined && asleep(find() as Process), comm);
  return subject(comm, router, find() as Process);
}

/** Somebody's own program, brought to its first rest: it waits for input, a timer or another process. RouterError when it ends instead. */
export function program(profile: ProfileName, image: Uint8Array, elf: Uint8Array, name: string, args: readonly string[]): Subject {
  const path = `/tmp/${name}`;
  const router = machine(profile, image, 4 << 20, { [path]: elf });
  router.powerOn();
  const process = router.spawn(path, [path, ...args]);
  comeToRest(router, () => process.state !== 'alive' || asleep(process), name);
  if (process.state !== 'alive') throw new RouterError(`${name} ended before it waited for anything; a program is frozen where it waits for input or time`);
  return subject(name, router, process);
}

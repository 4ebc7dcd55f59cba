import { profileNames, profiles, type ProfileName } from '../../emulator/router/profiles.js';
import { parseSize } from '../units.js';
import { measureCapacity, type CapacityResult } from './capacity.js';
import { measureCarry, type CarryResult } from './carry.js';
import { measureDirty, type DirtyResult } from './dirty.js';
import { measureFactorial, type FactorialResult } from './factorial.js';
import { measureNative, type NativeResult } from './native.js';
import { serve, servicePathNames, type ServicePlan, type ServiceRow } from './service.js';
import { measureSizes, type SizesResult } from './sizes.js';
import { ballastOn, daemonOn, ramBeside, type MachineOptions, type Ramdisk, type Subject } from './subject.js';

export interface ServiceResult {
  kind: 'service';
  profile: ProfileName;
  ramdisk: Ramdisk;
  rows: ServiceRow[];
}

export type PartResult = FactorialResult | SizesResult | DirtyResult | CarryResult | CapacityResult | ServiceResult | NativeResult;

export const partNames = ['factorial', 'sizes', 'dirty', 'carry', 'capacity', 'service', 'native'] as const;
export type PartName = (typeof partNames)[number];

/** One piece of the experiment: it is either done, and kept, or not begun. */
export interface Part {
  key: string;
  run(onProgress: (share: number) => void): PartResult | Promise<PartResult>;
}

export interface PlanOptions {
  profile: ProfileName;
  ramdisks: readonly Ramdisk[];
  /** "1M", "dnsd", … */
  sizes: readonly string[];
  parts: readonly PartName[];
  rounds: number;
  /** Host seconds a rung gets in a round. */
  seconds: number;
  quick: boolean;
}

const KIB = 1024;
const MIB = 1024 * KIB;

/** The largest process for which everything fits beside it: a pool for two images, an old file and a new one. */
export const roomFor = (profile: ProfileName): number => profiles[profile].ramBytes / 6;

/** Images the pool of the factorial holds: two, so that one can replace the other; fewer where the device is too small for that beside the process and a copy. */
function poolImages(profile: ProfileName, ramdisk: Ramdisk, size: string): number {
  const bytes = parseSize(size) ?? MIB;
  return [2, 1].find((images) => (2 + images) * bytes + 6 * MIB <= ramBeside(profile, ramdisk)) ?? 0;
}

function subjectOf(options: MachineOptions, size: string, images: number): Subject {
  const bytes = parseSize(size);
  return bytes === null ? daemonOn({ ...options, pool: images * MIB }, size) : ballastOn({ ...options, pool: images * bytes }, bytes, size);
}

export function planOf(options: PlanOptions, image: Uint8Array): Part[] {
  return partNames.filter((name) => options.parts.includes(name)).flatMap((name) => planners[name](options, image));
}

type Planner = (options: PlanOptions, image: Uint8Array) => Part[];

const factorial: Planner = ({ profile, ramdisks, sizes, rounds, seconds }, image) => sizes.flatMap((size) => ramdisks.map((ramdisk) => ({
  key: `factorial ${size} ${ramdisk}`,
  run: (onProgress) => measureFactorial(subjectOf({ profile, image, ramdisk }, size, poolImages(profile, ramdisk, size)), { profile, ramdisk }, { rounds, seconds, onProgress }),
})));

const sweep: Planner = ({ profile, ramdisks, quick, rounds, seconds }, image) => ramdisks.map((ramdisk) => ({
  key: `sizes ${ramdisk}`,
  run: (onProgress) => measureSizes({ profile, image, ramdisk, quick, rounds: Math.min(rounds, quick ? 1 : 3), seconds: seconds / 2, onProgress }),
}));

const dirty: Planner = ({ profile, ramdisks, quick, rounds, seconds }, image) => ramdisks.map((ramdisk) => ({
  key: `dirty 1M ${ramdisk}`,
  run: (onProgress) => measureDirty(subjectOf({ profile, image, ramdisk }, '1M', 1), { profile, ramdisk, quick, rounds: Math.min(rounds, 3), seconds: seconds / 2, onProgress }),
}));

const carry: Planner = ({ profile }, image) => (['shunt/share', 'shunt/fresh'] as const).map((store) => ({
  key: `carry ${store}`,
  run: () => measureCarry(subjectOf({ profile, image }, '256K', 0), profile, store),
}));

const capacity: Planner = ({ profile, ramdisks, quick }, image) => (quick ? [profile] : profileNames).flatMap((each) => ramdisks.map((ramdisk) => ({
  key: `capacity ${each} ${ramdisk}`,
  run: (onProgress) => measureCapacity({ profile: each, image, ramdisk }, quick, onProgress),
})));

/** About half of what the name server can do on the default board. */
const OFFERED = 10_000;
const INTERVALS = [1, 10, 100, 1000];
const STATES = [0, 4 * MIB];

function servicePlans({ profile, quick }: PlanOptions, ramdisk: Ramdisk): ServicePlan[] {
  const states = quick ? [4 * MIB] : STATES;
  const intervals = quick ? [100] : INTERVALS;
  return states.flatMap((state) => servicePathNames.flatMap((path) => (path === 'none' ? [0] : intervals).map((interval) => ({ path, interval, offered: OFFERED, state, profile, ramdisk }))));
}

/** One part a ramdisk; the shunt does not know which one there is, and a block device cannot adopt pages. */
const service: Planner = (options, image) => options.ramdisks.map((ramdisk, k) => ({
  key: `service ${ramdisk}`,
  run: (onProgress): ServiceResult => {
    const plans = servicePlans(options, ramdisk).filter(({ path }) => (k === 0 || path.startsWith('vnode')) && !(path === 'vnode/share' && ramdisk === 'block'));
    const rows = plans.map((plan, i) => {
      onProgress(i / plans.length);
      return serve(plan, image);
    });
    return { kind: 'service', profile: options.profile, ramdisk, rows };
  },
}));

const native: Planner = ({ sizes, rounds, seconds, quick }) => [{
  key: 'native',
  run: () => measureNative(sizes.flatMap((size) => parseSize(size) ?? []), { rounds, seconds }, quick ? [MIB] : [MIB, 8 * MIB]),
}];

const planners: Record<PartName, Planner> = { factorial, sizes: sweep, dirty, carry, capacity, service, native };

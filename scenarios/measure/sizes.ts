import { profiles, type ProfileName } from '../../emulator/router/profiles.js';
import { RouterError } from '../../emulator/router/router.js';
import { cellKey, cellTitle, plainCells, type Cell } from './cell.js';
import { fitCost, type Fit } from './fit.js';
import { measureRungs, type RungResult } from './measurement.js';
import type { Modelled } from './model.js';
import { cellRung, floorRung } from './rungs.js';
import { ballastOn, cutIntoSegments, imageBytes, imageSegments, ramBeside, type MachineOptions, type Ramdisk, type Subject } from './subject.js';

const KIB = 1024;
const MIB = 1024 * KIB;

export interface SizePoint {
  key: string;
  /** Bytes of pages in the image, and segments they come in. */
  bytes: number;
  segments: number;
  modelled: Modelled;
  /** Host seconds of freeze and drop, lower quartile over the rounds (what disturbs a fit only adds time); null where it was not timed. */
  host: number | null;
}

export interface CellFit {
  key: string;
  title: string;
  /** Device: freeze, in seconds. Host: freeze and drop, in seconds. */
  device: Fit | null;
  host: Fit | null;
}

export interface SizesResult {
  kind: 'sizes';
  profile: ProfileName;
  hz: number;
  ramdisk: Ramdisk;
  points: SizePoint[];
  fits: CellFit[];
}

export interface SizesOptions extends MachineOptions {
  quick: boolean;
  rounds: number;
  seconds: number;
  onProgress?: (share: number) => void;
}

/** From 64 KiB in steps of two, and on to what the device holds beside one image of it, or none. */
export function sweepSizes(ramBytes: number, quick: boolean): number[] {
  const doubled: number[] = [];
  for (let bytes = 64 * KIB; bytes <= ramBytes / (quick ? 16 : 4); bytes *= quick ? 4 : 2) doubled.push(bytes);
  return quick ? doubled : [...doubled, (ramBytes * 3) / 8, (ramBytes * 7) / 16, (ramBytes * 3) / 4];
}

const PIECES = [1, 16, 64];
const isPool = ({ path, transfer }: Cell): boolean => path === 'shunt' && transfer === 'reused';

/** Host time is taken where the host's own caches do not decide everything, and where it does not take for ever. */
const MAX_TIMED = 16 * MIB;

export function measureSizes(options: SizesOptions): SizesResult {
  const { profile, quick, ramdisk = 'tmpfs' } = options;
  const { hz, ramBytes } = profiles[profile];
  const sizes = sweepSizes(ramBytes, quick);
  const cases = sizes.flatMap((bytes) => PIECES.filter((pieces) => pieces === 1 || (bytes <= ramBytes / 4 && !(quick && pieces === 16))).map((pieces) => ({ bytes, pieces })));
  const points = cases.flatMap((one, i) => {
    options.onProgress?.(i / cases.length);
    return measureOne(options, one.bytes, one.pieces, ramBeside(profile, ramdisk));
  });
  return { kind: 'sizes', profile, hz, ramdisk, points, fits: fitAll(points, hz) };
}

/** Large processes leave no room for a pool beside other images: then the pool has a machine of its own. */
function measureOne(options: SizesOptions, bytes: number, pieces: number, ramBytes: number): SizePoint[] {
  const roomy = 4 * bytes + 8 * MIB <= ramBytes;
  const groups = roomy ? [{ pool: bytes, cells: plainCells }] : [{ pool: 0, cells: plainCells.filter((cell) => !isPool(cell)) }, { pool: bytes, cells: plainCells.filter(isPool) }];
  return groups.flatMap(({ pool, cells }) => {
    const subject = start({ ...options, pool }, bytes);
    return subject ? measureCells(subject, cells, pieces, options) : [];
  });
}

/** Null when the device cannot even hold the process, with what is set aside. */
function start(options: MachineOptions, bytes: number): Subject | null {
  if ((options.pool ?? 0) + bytes > ramBeside(options.profile, options.ramdisk ?? 'tmpfs') - 4 * MIB) return null;
  try {
    return ballastOn(options, bytes, `${bytes / KIB}K`);
  } catch (error) {
    if (error instanceof RouterError) return null;
    throw error;
  }
}

function measureCells(subject: Subject, cells: readonly Cell[], pieces: number, options: SizesOptions): SizePoint[] {
  cutIntoSegments(subject, pieces);
  const bytes = imageBytes(subject);
  const segments = imageSegments(subject);
  const rungs = [...(bytes <= MAX_TIMED ? [floorRung(subject)] : []), ...cells.map((cell) => cellRung(subject, cell))];
  const rounds = bytes <= MAX_TIMED ? options.rounds : 0;
  const { rungs: results } = measureRungs(subject, rungs, { rounds, seconds: options.seconds });
  return results.map((rung) => point(rung, bytes, segments));
}

function point({ key, modelled, host }: RungResult, bytes: number, segments: number): SizePoint {
  return { key, bytes, segments, modelled, host: host.samples === 0 ? null : host.q1 };
}

function fitAll(points: readonly SizePoint[], hz: number): CellFit[] {
  return [{ key: 'floor', title: 'bare copy (the floor)' }, ...plainCells.map((cell) => ({ key: cellKey(cell), title: cellTitle(cell) }))].flatMap(({ key, title }) => {
    const own = points.filter((one) => one.key === key);
    if (own.length === 0) return [];
    const device = fitCost(own.map(({ bytes, segments, modelled }) => ({ bytes, segments, y: modelled.act.cycles / hz })));
    const host = fitCost(own.flatMap(({ bytes, segments, host: y }) => (y === null ? [] : [{ bytes, segments, y }])));
    return [{ key, title, device, host }];
  });
}

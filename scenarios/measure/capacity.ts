import { failed, errnoName } from '../../emulator/base/index.js';
import { checkpointsOf, dropCheckpoint, freezeProcess } from '../../emulator/checkpoint/index.js';
import { PAGE_SIZE } from '../../emulator/memory/index.js';
import { profiles, type ProfileName } from '../../emulator/router/profiles.js';
import { cellKey, cellTitle, plainCells, wayOf, type Cell } from './cell.js';
import { Refused, writePages } from './rungs.js';
import { ballastOn, daemonOn, type MachineOptions, type Ramdisk, type Subject } from './subject.js';

export interface CapacityRow {
  key: string;
  title: string;
  subject: string;
  ramdisk: Ramdisk;
  /** Share of the pages written between two freezes. */
  written: number;
  images: number;
  /** What ended it: ENOSPC, ENOMEM, or a page break for which there was no frame; null when we stopped counting. */
  errno: string | null;
  /** RAM an image takes, in bytes, on the average. */
  each: number;
}

export interface CapacityResult {
  kind: 'capacity';
  profile: ProfileName;
  ramBytes: number;
  rows: CapacityRow[];
}

/** Beyond this many the count says no more, and each freeze looks at all of them. */
const ENOUGH = 300;

/** New checkpoints until the device has no room. The pool is as large as one makes it, so it is not among them; a file over itself is one image. */
const counted = plainCells.filter(({ transfer }) => transfer !== 'reused');

/** No page can become a block of a device. */
const possible = ({ path, transfer }: Cell, ramdisk: Ramdisk): boolean => !(ramdisk === 'block' && path === 'vnode' && transfer === 'share');

/** `quick` leaves the daemon out. */
export function measureCapacity(options: MachineOptions, quick: boolean, onProgress?: (share: number) => void): CapacityResult {
  const { profile, ramdisk = 'tmpfs' } = options;
  const makers: [string, () => Subject][] = [['dnsd', () => daemonOn(options, 'dnsd')], ['1M', () => ballastOn(options, 1 << 20, '1M')]];
  const cases = makers.slice(quick ? 1 : 0).flatMap(([name, make]) => counted.filter((cell) => possible(cell, ramdisk)).flatMap((cell) => (cell.transfer === 'share' ? [0, 1] : [0]).map((written) => ({ name, make, cell, written }))));
  const rows = cases.map(({ name, make, cell, written }, i) => {
    onProgress?.(i / cases.length);
    return countImages(make(), name, cell, written, ramdisk);
  });
  return { kind: 'capacity', profile, ramBytes: profiles[profile].ramBytes, rows };
}

function countImages(subject: Subject, name: string, cell: Cell, written: number, ramdisk: Ramdisk): CapacityRow {
  const { process, router: { kernel } } = subject;
  const { store, write } = wayOf(cell);
  const free = kernel.ram.free();
  let errno: string | null = null;
  while (!errno && checkpointsOf(process).list.length < ENOUGH) {
    const result = freezeProcess(kernel, process, { store, write });
    if (failed(result)) errno = errnoName(-result);
    else errno = writeAgain(subject, written);
  }
  const images = checkpointsOf(process).list.length;
  const each = images === 0 ? 0 : ((free - kernel.ram.free()) * PAGE_SIZE) / images;
  while (checkpointsOf(process).list.length > 0) dropCheckpoint(kernel, process, checkpointsOf(process).list[0].descriptor);
  return { key: cellKey(cell), title: cellTitle(cell), subject: name, ramdisk, written, images, errno, each };
}

/** With the pages shared it is the process's next write that may find no frame. */
function writeAgain(subject: Subject, written: number): string | null {
  try {
    if (written > 0) writePages(subject, written);
    return null;
  } catch (error) {
    if (error instanceof Refused) return 'no frame for a write';
    throw error;
  }
}

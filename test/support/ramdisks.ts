import { PAGE_SIZE } from '../../emulator/memory/ram.js';
import type { Vfs } from '../../emulator/vfs/vfs.js';
import { BlockFilesystem, Ramdisk, ramdiskKinds, type RamdiskKind } from '../../ramdisk/index.js';

export { ramdiskKinds, type RamdiskKind };

/** Mount a ramdisk of either kind as the root; the block device takes half of the RAM, as the router's does. */
export function mountRamdisk(vfs: Vfs, kind: RamdiskKind, tmpfsLimit?: number): void {
  const block = kind === 'block' ? BlockFilesystem.make(vfs, { bytes: vfs.ram.bytes / 2, cacheBytes: vfs.ram.bytes / 16 }) : null;
  if (kind === 'block' && !block) throw new Error('the disk does not fit');
  vfs.mountRoot(block ?? new Ramdisk(vfs, { name: 'rootfs', maxBytes: tmpfsLimit }));
}

/** Pages the device has left, those of a disk that are in no file among them. */
export function pagesLeft(vfs: Vfs): number {
  const { fs } = vfs.root;
  const { free, blockSize } = fs.statfs();
  return vfs.ram.free() + (fs instanceof BlockFilesystem ? (free * blockSize) / PAGE_SIZE : 0);
}

import { Errno, failed, type Fail } from '../../emulator/base/index.js';
import type { BlockFilesystem } from './block-filesystem.js';
import { DIRECT, POINTERS, viewOf, type Inode } from './layout.js';

/*
 * Which block of the disk holds which block of a file: twelve numbers in the inode, then one level of indirect blocks, then two.
 */

/** The slot in the inode, then the places in the indirect blocks on the way. */
function pathTo(index: number): number[] {
  if (index < DIRECT) return [index];
  const single = index - DIRECT;
  if (single < POINTERS) return [DIRECT, single];
  const double = single - POINTERS;
  return [DIRECT + 1, Math.floor(double / POINTERS), double % POINTERS];
}

const pointer = (block: Uint8Array, place: number): number => viewOf(block).getUint32(4 * place, true);

/** 0 for a hole. */
export function blockOf(fs: BlockFilesystem, ino: number, inode: Inode, index: number): number {
  const [slot, ...places] = pathTo(index);
  let block = inode.addresses[slot];
  for (const place of places) {
    if (block === 0) return 0;
    block = pointer(fs.cache.read(block, ino), place);
  }
  return block;
}

export interface Placed {
  block: number;
  /** Allocated now: whatever the disk has there is not the file's. */
  isNew: boolean;
}

/** The block for file block `index`, allocated if there was none, with the indirect blocks it needs. -ENOSPC may leave some of those. */
export function placeBlock(fs: BlockFilesystem, ino: number, inode: Inode, index: number): Placed | Fail {
  const [slot, ...places] = pathTo(index);
  let placed = inode.addresses[slot] ? { block: inode.addresses[slot], isNew: false } : allocate(fs, inode);
  if (failed(placed)) return placed;
  inode.addresses[slot] = placed.block;
  for (const place of places) {
    if (placed.isNew) fs.cache.zeroed(placed.block, ino);
    const table: number = placed.block;
    const known = pointer(fs.cache.read(table, ino), place);
    placed = known ? { block: known, isNew: false } : allocate(fs, inode);
    if (failed(placed)) return placed;
    if (placed.isNew) viewOf(fs.cache.modify(table, ino)).setUint32(4 * place, placed.block, true);
  }
  return placed;
}

function allocate(fs: BlockFilesystem, inode: Inode): Placed | Fail {
  const block = fs.takeBlock();
  if (block < 0) return -Errno.ENOSPC;
  inode.blocks++;
  return { block, isNew: true };
}

/** Free what lies from file block `first` on, and the indirect blocks nothing needs any more. */
export function cutBlocks(fs: BlockFilesystem, ino: number, inode: Inode, first: number): void {
  for (let slot = 0; slot < inode.addresses.length; slot++) {
    const block = inode.addresses[slot];
    const level = Math.max(0, slot - DIRECT + 1);
    const base = slot <= DIRECT ? slot : DIRECT + POINTERS;
    if (block !== 0 && prune(fs, ino, inode, block, level, base, first)) inode.addresses[slot] = 0;
  }
}

/** Free what a block leads to from `first` on; with nothing left below it the block goes too. `base`: the first file block it leads to. */
function prune(fs: BlockFilesystem, ino: number, inode: Inode, block: number, level: number, base: number, first: number): boolean {
  if (base + POINTERS ** level <= first) return false;
  if (level > 0 && !pruneTable(fs, ino, inode, block, level, base, first)) return false;
  fs.freeBlock(block);
  inode.blocks--;
  return true;
}

function pruneTable(fs: BlockFilesystem, ino: number, inode: Inode, block: number, level: number, base: number, first: number): boolean {
  const span = POINTERS ** (level - 1);
  const view = viewOf(fs.cache.read(block, ino));
  const children = Array.from({ length: POINTERS }, (_, place) => view.getUint32(4 * place, true));
  const cut: number[] = [];
  let left = 0;
  children.forEach((child, place) => {
    if (child === 0) return;
    if (prune(fs, ino, inode, child, level - 1, base + place * span, first)) cut.push(place);
    else left++;
  });
  if (left === 0) return true;
  if (cut.length > 0) {
    const table = viewOf(fs.cache.modify(block, ino));
    for (const place of cut) table.setUint32(4 * place, 0, true);
  }
  return false;
}

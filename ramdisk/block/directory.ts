import { failed, type Result } from '../../emulator/base/index.js';
import type { VnodeType } from '../../emulator/vfs/vnode.js';
import type { BlockVnode } from './block-vnode.js';
import { blockOf, placeBlock } from './file-map.js';
import { BLOCK_SIZE, typeCode, typeOf, viewOf } from './layout.js';

/*
 * A directory is a file of whole blocks, filled with entries that do not cross them:
 *
 *   0 u32 inode, 0 = no entry   4 u16 length of the entry   6 u8 type   7 u8 length of the name   8 name, padded to four bytes
 *
 * The lengths of a block's entries add up to the block: room behind a name belongs to its entry, and a removed entry to the one
 * before it. Entries stay where they are, so a place in the directory is a cookie that other entries do not disturb.
 */
const HEADER = 8;

export interface Entry {
  name: string;
  ino: number;
  type: VnodeType;
  /** In the directory, in bytes. */
  offset: number;
}

interface Place {
  block: number;
  at: number;
  length: number;
  used: number;
  /** Of the entry before it in the block, or -1. */
  before: number;
}

const sizeOf = (nameLength: number): number => HEADER + ((nameLength + 3) & ~3);

/** Call `visit` for every entry and every free place, in order, until it returns true. */
function eachPlace(directory: BlockVnode, visit: (place: Place, bytes: Uint8Array, start: number) => boolean): boolean {
  const { fs, ino, inode } = directory;
  for (let start = 0; start < inode.size; start += BLOCK_SIZE) {
    const block = blockOf(fs, ino, inode, start / BLOCK_SIZE);
    const bytes = fs.cache.read(block, ino);
    const view = viewOf(bytes);
    let before = -1;
    for (let at = 0; at < BLOCK_SIZE;) {
      const length = view.getUint16(at + 4, true);
      const used = view.getUint32(at, true) === 0 ? 0 : sizeOf(bytes[at + 7]);
      if (visit({ block, at, length, used, before }, bytes, start)) return true;
      before = at;
      at += length;
    }
  }
  return false;
}

function entryAt(bytes: Uint8Array, at: number, start: number): Entry {
  const name = Buffer.from(bytes.buffer, bytes.byteOffset + at + HEADER, bytes[at + 7]).toString('latin1');
  return { name, ino: viewOf(bytes).getUint32(at, true), type: typeOf(bytes[at + 6]) ?? 'reg', offset: start + at };
}

function findPlace(directory: BlockVnode, name: string): { place: Place; entry: Entry } | null {
  const wanted = Buffer.from(name, 'latin1');
  let found: { place: Place; entry: Entry } | null = null;
  eachPlace(directory, (place, bytes, start) => {
    if (place.used === 0 || bytes[place.at + 7] !== wanted.length) return false;
    const from = place.at + HEADER;
    if (wanted.compare(bytes, from, from + wanted.length) !== 0) return false;
    found = { place, entry: entryAt(bytes, place.at, start) };
    return true;
  });
  return found;
}

export function findEntry(directory: BlockVnode, name: string): Entry | null {
  return findPlace(directory, name)?.entry ?? null;
}

/** From `offset` on. */
export function listEntries(directory: BlockVnode, offset = 0): Entry[] {
  const entries: Entry[] = [];
  eachPlace(directory, ({ at, used }, bytes, start) => {
    if (used > 0 && start + at >= offset) entries.push(entryAt(bytes, at, start));
    return false;
  });
  return entries;
}

export function nameOfInode(directory: BlockVnode, ino: number): string | null {
  return listEntries(directory).find((entry) => entry.ino === ino && entry.name !== '.' && entry.name !== '..')?.name ?? null;
}

/** Nothing but "." and "..". */
export function isEmptyDirectory(directory: BlockVnode): boolean {
  return !eachPlace(directory, ({ at, used }, bytes) => used > 0 && !['.', '..'].includes(entryAt(bytes, at, 0).name));
}

/** -ENOSPC when the directory had to grow and could not. The name must not be there yet. */
export function addEntry(directory: BlockVnode, name: string, ino: number, type: VnodeType): Result {
  const need = sizeOf(name.length);
  let free: Place | null = null;
  eachPlace(directory, (place) => {
    if (place.length - place.used < need) return false;
    free = place;
    return true;
  });
  const place = free ?? grow(directory);
  if (failed(place)) return place;
  const { block, at, length, used } = place;
  const bytes = directory.fs.cache.modify(block, directory.ino);
  if (used > 0) viewOf(bytes).setUint16(at + 4, used, true);
  writeEntry(bytes, at + used, length - used, name, ino, type);
  return 0;
}

function grow(directory: BlockVnode): Place | number {
  const { fs, ino, inode } = directory;
  const placed = placeBlock(fs, ino, inode, inode.size / BLOCK_SIZE);
  if (failed(placed)) return placed;
  viewOf(fs.cache.zeroed(placed.block, ino)).setUint16(4, BLOCK_SIZE, true);
  inode.size += BLOCK_SIZE;
  return { block: placed.block, at: 0, length: BLOCK_SIZE, used: 0, before: -1 };
}

function writeEntry(bytes: Uint8Array, at: number, length: number, name: string, ino: number, type: VnodeType): void {
  const view = viewOf(bytes);
  view.setUint32(at, ino, true);
  view.setUint16(at + 4, length, true);
  bytes[at + 6] = typeCode(type);
  bytes[at + 7] = name.length;
  bytes.set(Buffer.from(name, 'latin1'), at + HEADER);
}

export function removeEntry(directory: BlockVnode, name: string): void {
  const found = findPlace(directory, name);
  if (!found) return;
  const { block, at, length, before } = found.place;
  const view = viewOf(directory.fs.cache.modify(block, directory.ino));
  if (before < 0) view.setUint32(at, 0, true);
  else view.setUint16(before + 4, view.getUint16(before + 4, true) + length, true);
}

/** The name leads to another inode from now on. */
export function redirectEntry(directory: BlockVnode, name: string, ino: number, type: VnodeType): void {
  const found = findPlace(directory, name);
  if (!found) return;
  const bytes = directory.fs.cache.modify(found.place.block, directory.ino);
  viewOf(bytes).setUint32(found.place.at, ino, true);
  bytes[found.place.at + 6] = typeCode(type);
}

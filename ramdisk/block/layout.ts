import type { Timespec, VnodeType } from '../../emulator/vfs/vnode.js';

/**
 * How the file system lies on the disk, in the manner of UFS without cylinder groups and fragments. All numbers little-endian.
 *
 *   block 0      1 ...           ...            ...           ... blocks - 1
 *   | superblock | inode bitmap | block bitmap | inode table | data: files, directories, indirect blocks |
 *
 * An inode, 128 bytes:
 *
 *    0 u16 mode   2 u16 links   4 u32 uid   8 u32 gid   12 u32 size   16 u32 blocks held   20 u32 rdev
 *   24, 36, 48    atime, mtime, ctime: f64 seconds, u32 nanoseconds
 *   60 u32 x 12   direct blocks;  108 single indirect;  112 double indirect;  116 free
 *
 * Block number 0 is a hole. A symbolic link of up to 56 bytes is kept where the block numbers would be.
 */
export const BLOCK_SIZE = 8192;
export const DIRECT = 12;
/** Block numbers in an indirect block. */
export const POINTERS = BLOCK_SIZE / 4;
export const ROOT_INODE = 2;
export const UFS_MAGIC = 0x0001_1954;

const INODE_BYTES = 128;
export const INODES_PER_BLOCK = BLOCK_SIZE / INODE_BYTES;
const ADDRESSES_AT = 60;
export const ADDRESSES = DIRECT + 2;
export const SHORT_LINK = 4 * ADDRESSES;
const BITS_PER_BLOCK = BLOCK_SIZE * 8;

/** Where the parts are, in blocks. */
export interface Geometry {
  blocks: number;
  inodes: number;
  inodeBitmap: number;
  blockBitmap: number;
  inodeTable: number;
  data: number;
}

/** As many inodes as blocks, rounded up to a block of them. */
export function geometryOf(blocks: number): Geometry {
  const tableBlocks = Math.ceil(blocks / INODES_PER_BLOCK);
  const inodes = tableBlocks * INODES_PER_BLOCK;
  const inodeBitmap = 1;
  const blockBitmap = inodeBitmap + Math.ceil(inodes / BITS_PER_BLOCK);
  const inodeTable = blockBitmap + Math.ceil(blocks / BITS_PER_BLOCK);
  return { blocks, inodes, inodeBitmap, blockBitmap, inodeTable, data: inodeTable + tableBlocks };
}

/** What the superblock says that is not in the geometry. */
export interface Counts {
  freeBlocks: number;
  freeInodes: number;
}

/** 0 magic, 4 blocks, 8 free blocks, 12 free inodes. */
export function writeSuperblock(block: Uint8Array, blocks: number, counts: Counts): void {
  [UFS_MAGIC, blocks, counts.freeBlocks, counts.freeInodes].forEach((word, i) => viewOf(block).setUint32(4 * i, word, true));
}

/** Null when there is no file system. */
export function readSuperblock(block: Uint8Array): (Counts & { blocks: number }) | null {
  const [magic, blocks, freeBlocks, freeInodes] = [0, 1, 2, 3].map((i) => viewOf(block).getUint32(4 * i, true));
  return magic === UFS_MAGIC ? { blocks, freeBlocks, freeInodes } : null;
}

export interface Inode {
  type: VnodeType;
  mode: number;
  nlink: number;
  uid: number;
  gid: number;
  size: number;
  /** Blocks held, indirect ones too. */
  blocks: number;
  rdev: number;
  atime: Timespec;
  mtime: Timespec;
  ctime: Timespec;
  /** Direct, single indirect, double indirect; 0 is a hole. */
  addresses: Uint32Array;
}

const TYPES: readonly (VnodeType | null)[] = [null, 'fifo', 'chr', null, 'dir', null, 'blk', null, 'reg', null, 'lnk', null, 'sock'];

/** Type as in the high bits of st_mode, and in directory entries. */
export const typeCode = (type: VnodeType): number => TYPES.indexOf(type);
export const typeOf = (code: number): VnodeType | null => TYPES[code] ?? null;

export function viewOf(bytes: Uint8Array): DataView {
  return new DataView(bytes.buffer, bytes.byteOffset, bytes.length);
}

const slot = (index: number): number => (index % INODES_PER_BLOCK) * INODE_BYTES;

/** Inode `index` in its block of the table; null when it is free. */
export function readInode(block: Uint8Array, index: number): Inode | null {
  const at = slot(index);
  const view = viewOf(block.subarray(at, at + INODE_BYTES));
  const mode = view.getUint16(0, true);
  const type = typeOf(mode >> 12);
  if (!type) return null;
  const time = (offset: number): Timespec => ({ sec: view.getFloat64(offset, true), nsec: view.getUint32(offset + 8, true) });
  const word = (offset: number): number => view.getUint32(offset, true);
  return {
    type, mode: mode & 0o7777, nlink: view.getUint16(2, true), uid: word(4), gid: word(8), size: word(12), blocks: word(16), rdev: word(20),
    atime: time(24), mtime: time(36), ctime: time(48),
    addresses: Uint32Array.from({ length: ADDRESSES }, (_, i) => word(ADDRESSES_AT + 4 * i)),
  };
}

/** `inode` null frees the place. */
export function writeInode(block: Uint8Array, index: number, inode: Inode | null): void {
  const at = slot(index);
  const bytes = block.subarray(at, at + INODE_BYTES);
  bytes.fill(0);
  if (!inode) return;
  const view = viewOf(bytes);
  view.setUint16(0, (typeCode(inode.type) << 12) | inode.mode, true);
  view.setUint16(2, inode.nlink, true);
  [inode.uid, inode.gid, inode.size, inode.blocks, inode.rdev].forEach((word, i) => view.setUint32(4 + 4 * i, word, true));
  [inode.atime, inode.mtime, inode.ctime].forEach(({ sec, nsec }, i) => {
    view.setFloat64(24 + 12 * i, sec, true);
    view.setUint32(32 + 12 * i, nsec, true);
  });
  inode.addresses.forEach((word, i) => view.setUint32(ADDRESSES_AT + 4 * i, word, true));
}

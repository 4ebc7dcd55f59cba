import type { Attr, Statfs, Timespec, VnodeType } from '../vfs/vnode.js';

/**
 * The structures stat and its relatives fill in, as Linux/MIPS o32 lays them out (arch/mips/include/uapi/asm/stat.h,
 * asm/statfs.h, linux/stat.h).
 */
export const S_IFMT: Record<VnodeType, number> = {
  fifo: 0o010000, chr: 0o020000, dir: 0o040000, blk: 0o060000, reg: 0o100000, lnk: 0o120000, sock: 0o140000,
};

export function modeOf(attr: Attr): number {
  return S_IFMT[attr.type] | attr.mode;
}

function time32(view: DataView, at: number, time: Timespec): void {
  view.setUint32(at, time.sec >>> 0, true);
  view.setUint32(at + 4, time.nsec, true);
}

function u64(view: DataView, at: number, value: number): void {
  view.setUint32(at, value >>> 0, true);
  view.setUint32(at + 4, Math.floor(value / 4294967296), true);
}

/** struct stat64, 104 bytes. */
export function packStat64(attr: Attr): Uint8Array {
  const view = new DataView(new ArrayBuffer(104));
  view.setUint32(0, attr.dev, true);
  u64(view, 16, attr.ino);
  packOwner(view, 24, attr);
  view.setUint32(40, attr.rdev, true);
  u64(view, 56, attr.size);
  time32(view, 64, attr.atime);
  time32(view, 72, attr.mtime);
  time32(view, 80, attr.ctime);
  view.setUint32(88, attr.blksize, true);
  u64(view, 96, attr.blocks);
  return new Uint8Array(view.buffer);
}

/** The old struct stat, 144 bytes; null when a value does not fit. */
export function packStat(attr: Attr): Uint8Array | null {
  if (attr.size > 0x7fff_ffff || attr.ino > 0xffff_ffff) return null;
  const view = new DataView(new ArrayBuffer(144));
  view.setUint32(0, attr.dev, true);
  view.setUint32(16, attr.ino, true);
  packOwner(view, 20, attr);
  view.setUint32(36, attr.rdev, true);
  view.setInt32(48, attr.size, true);
  time32(view, 56, attr.atime);
  time32(view, 64, attr.mtime);
  time32(view, 72, attr.ctime);
  view.setUint32(80, attr.blksize, true);
  view.setUint32(84, attr.blocks, true);
  return new Uint8Array(view.buffer);
}

/** mode, nlink, uid, gid: four words in a row. */
function packOwner(view: DataView, at: number, attr: Attr): void {
  view.setUint32(at, modeOf(attr), true);
  view.setUint32(at + 4, attr.nlink, true);
  view.setUint32(at + 8, attr.uid, true);
  view.setUint32(at + 12, attr.gid, true);
}

/** STATX_BASIC_STATS, and STATX_BTIME left out. */
const STATX_BASIC = 0x7ff;

/** struct statx, 256 bytes, the same on every architecture. */
export function packStatx(attr: Attr): Uint8Array {
  const view = new DataView(new ArrayBuffer(256));
  view.setUint32(0, STATX_BASIC, true);
  view.setUint32(4, attr.blksize, true);
  view.setUint32(16, attr.nlink, true);
  view.setUint32(20, attr.uid, true);
  view.setUint32(24, attr.gid, true);
  view.setUint16(28, modeOf(attr), true);
  u64(view, 32, attr.ino);
  u64(view, 40, attr.size);
  u64(view, 48, attr.blocks);
  statxTime(view, 64, attr.atime);
  statxTime(view, 96, attr.ctime);
  statxTime(view, 112, attr.mtime);
  view.setUint32(128, attr.rdev >> 8, true);
  view.setUint32(132, attr.rdev & 0xff, true);
  view.setUint32(136, attr.dev >> 8, true);
  view.setUint32(140, attr.dev & 0xff, true);
  u64(view, 144, attr.dev);
  return new Uint8Array(view.buffer);
}

function statxTime(view: DataView, at: number, time: Timespec): void {
  u64(view, at, time.sec);
  view.setUint32(at + 8, time.nsec, true);
}

const ST_NODEV_NOATIME = 0x400;

/** struct statfs64, 96 bytes: f_bavail stands after f_ffree on MIPS. */
export function packStatfs64(fs: Statfs, dev: number): Uint8Array {
  const view = new DataView(new ArrayBuffer(96));
  view.setUint32(0, fs.magic, true);
  view.setUint32(4, fs.blockSize, true);
  view.setUint32(8, fs.blockSize, true);
  u64(view, 16, fs.blocks);
  u64(view, 24, fs.free);
  u64(view, 32, fs.files);
  u64(view, 40, fs.filesFree);
  u64(view, 48, fs.free);
  view.setUint32(56, dev, true);
  view.setUint32(64, fs.nameMax, true);
  view.setUint32(68, ST_NODEV_NOATIME, true);
  return new Uint8Array(view.buffer);
}

/** struct statfs, 68 bytes. */
export function packStatfs(fs: Statfs, dev: number): Uint8Array {
  const view = new DataView(new ArrayBuffer(68));
  const words = [fs.magic, fs.blockSize, fs.blockSize, fs.blocks, fs.free, fs.files, fs.filesFree, fs.free, dev, 0, fs.nameMax, ST_NODEV_NOATIME];
  words.forEach((word, i) => view.setUint32(4 * i, word >>> 0, true));
  return new Uint8Array(view.buffer);
}

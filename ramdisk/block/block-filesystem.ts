import { invariant, snapshotClass } from '../../emulator/base/index.js';
import { PAGE_SIZE } from '../../emulator/memory/ram.js';
import type { Filesystem, Statfs } from '../../emulator/vfs/vnode.js';
import type { Vfs } from '../../emulator/vfs/vfs.js';
import { Bitmap } from './bitmap.js';
import { BlockVnode } from './block-vnode.js';
import { BufferCache } from './buffer-cache.js';
import { addEntry } from './directory.js';
import { ADDRESSES, BLOCK_SIZE, geometryOf, INODES_PER_BLOCK, readInode, readSuperblock, ROOT_INODE, UFS_MAGIC, writeInode, writeSuperblock, type Counts, type Geometry, type Inode } from './layout.js';
import { MemoryDisk } from './memory-disk.js';

/** What the kernel keeps in memory for an inode of the disk while it is known. */
const VNODE_BYTES = 256;
/** Fewer buffers than an operation touches would be no cache. */
const MIN_BUFFERS = 32;

export interface BlockOptions {
  /** As in /proc/mounts. */
  name?: string;
  /** Of the disk. */
  bytes: number;
  /** Of the buffer cache. */
  cacheBytes: number;
  mode?: number;
}

/**
 * A file system on a memory disk behind a buffer cache: what a ramdisk was before there was tmpfs. Everything is in blocks of the
 * disk (layout.ts); every byte written is copied twice, into a buffer and from there to the disk. Disk, buffers and the
 * table of vnodes are taken from the device's RAM when it is made, used or not.
 */
export class BlockFilesystem implements Filesystem {
  readonly name: string;
  readonly vfs: Vfs;
  readonly dev: number;
  readonly cache: BufferCache;
  readonly geometry: Geometry;
  private readonly counts: Counts;
  private readonly blockMap: Bitmap;
  private readonly inodeMap: Bitmap;
  private readonly vnodes = new Map<number, BlockVnode>();

  /** Use make or attach. */
  constructor(vfs: Vfs, name: string, disk: MemoryDisk, buffers: number, counts: Counts) {
    this.vfs = vfs;
    this.name = name;
    this.dev = vfs.allocateDev();
    this.cache = new BufferCache(vfs, disk, buffers);
    this.geometry = geometryOf(disk.blocks);
    this.counts = counts;
    this.blockMap = new Bitmap(this.cache, this.geometry.blockBitmap, this.geometry.blocks, false);
    // So that a name that leads to another file can be told by the number.
    this.inodeMap = new Bitmap(this.cache, this.geometry.inodeBitmap, this.geometry.inodes, true);
  }

  /** Make a disk and a file system on it; null when the device has not so much RAM left. */
  static make(vfs: Vfs, options: BlockOptions): BlockFilesystem | null {
    const blocks = Math.floor(options.bytes / BLOCK_SIZE);
    const buffers = Math.max(MIN_BUFFERS, Math.floor(options.cacheBytes / BLOCK_SIZE));
    const { data, inodes } = geometryOf(blocks);
    if (blocks <= data || vfs.ram.withdraw(Math.ceil(((blocks + buffers) * BLOCK_SIZE + inodes * VNODE_BYTES) / PAGE_SIZE)) < 0) return null;
    const disk = new MemoryDisk(vfs.meter, blocks);
    const fs = new BlockFilesystem(vfs, options.name ?? 'ufs', disk, buffers, { freeBlocks: blocks - data, freeInodes: inodes - ROOT_INODE });
    fs.format(options.mode ?? 0o755);
    return fs;
  }

  /** Attach a disk that holds a file system; null when it holds none. Its RAM has been taken before. */
  static attach(vfs: Vfs, disk: MemoryDisk, buffers = MIN_BUFFERS, name = 'ufs'): BlockFilesystem | null {
    const superblock = readSuperblock(disk.peek(0));
    if (!superblock || superblock.blocks !== disk.blocks) return null;
    const { freeBlocks, freeInodes } = superblock;
    return new BlockFilesystem(vfs, name, disk, buffers, { freeBlocks, freeInodes });
  }

  /** mkfs: the blocks before the data and the inodes 0 and 1 are in use; the root directory. */
  private format(mode: number): void {
    for (let block = 0; block < this.geometry.data; block++) this.blockMap.set(block);
    for (let ino = 0; ino < ROOT_INODE; ino++) this.inodeMap.set(ino);
    const root = this.newVnode({ type: 'dir', mode, uid: 0, gid: 0, rdev: 0 });
    invariant(root?.ino === ROOT_INODE, 'the root of a new file system has its number');
    root.inode.nlink = 2;
    addEntry(root, '.', ROOT_INODE, 'dir');
    addEntry(root, '..', ROOT_INODE, 'dir');
    root.update();
    this.sync();
  }

  root(): BlockVnode {
    return this.vnode(ROOT_INODE);
  }

  /** The vnode of an inode in use. */
  vnode(ino: number): BlockVnode {
    const known = this.vnodes.get(ino);
    if (known) return known;
    const inode = this.loadInode(ino, this.cache.read(this.inodeBlock(ino)));
    const vnode = new BlockVnode(this, ino, inode);
    this.vnodes.set(ino, vnode);
    return vnode;
  }

  /** As it is in the table now; for the host, after a snapshot was loaded. */
  peekInode(ino: number): Inode {
    return this.loadInode(ino, this.cache.peek(this.inodeBlock(ino)));
  }

  private loadInode(ino: number, block: Uint8Array): Inode {
    const inode = readInode(block, ino);
    invariant(inode !== null, `inode ${ino} is free`);
    return inode;
  }

  private inodeBlock(ino: number): number {
    return this.geometry.inodeTable + Math.floor(ino / INODES_PER_BLOCK);
  }

  storeInode(ino: number, inode: Inode | null): void {
    writeInode(this.cache.modify(this.inodeBlock(ino)), ino, inode);
  }

  /** Null when all inodes are in use. It has no name yet. */
  newVnode(fields: Pick<Inode, 'type' | 'mode' | 'uid' | 'gid' | 'rdev'>): BlockVnode | null {
    if (this.counts.freeInodes === 0) return null;
    const ino = this.inodeMap.take();
    this.counts.freeInodes--;
    const now = this.vfs.now();
    const inode: Inode = { ...fields, nlink: 0, size: 0, blocks: 0, atime: now, mtime: now, ctime: now, addresses: new Uint32Array(ADDRESSES) };
    const vnode = new BlockVnode(this, ino, inode);
    this.vnodes.set(ino, vnode);
    vnode.update();
    return vnode;
  }

  freeInode(ino: number): void {
    this.storeInode(ino, null);
    this.inodeMap.clear(ino);
    this.counts.freeInodes++;
    this.vnodes.delete(ino);
  }

  /** A block for somebody, its contents unknown; -1 when none is free. */
  takeBlock(): number {
    if (this.counts.freeBlocks === 0) return -1;
    this.counts.freeBlocks--;
    return this.blockMap.take();
  }

  freeBlock(block: number): void {
    this.cache.forget(block);
    this.blockMap.clear(block);
    this.counts.freeBlocks++;
  }

  /** Write the contents of one file and its inode to the disk. */
  syncInode(ino: number): void {
    this.cache.flush(ino);
    this.cache.flushBlock(this.inodeBlock(ino));
  }

  /** sync(2): after this the disk holds everything. */
  sync(): void {
    writeSuperblock(this.cache.overwrite(0).fill(0), this.geometry.blocks, this.counts);
    this.cache.flushAll();
  }

  statfs(): Statfs {
    const { freeBlocks, freeInodes } = this.counts;
    const { blocks, data, inodes } = this.geometry;
    return { magic: UFS_MAGIC, blockSize: BLOCK_SIZE, blocks: blocks - data, free: freeBlocks, files: inodes, filesFree: freeInodes, nameMax: 255 };
  }
}
snapshotClass('BlockFilesystem', BlockFilesystem);

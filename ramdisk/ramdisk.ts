import type { Superblock } from '@jsonjoy.com/fs-core';
import { snapshotClass } from '../emulator/base/index.js';
import { PAGE_SIZE } from '../emulator/memory/ram.js';
import { defineFilesystem } from '../emulator/vfs/filesystem-types.js';
import type { Filesystem, Statfs } from '../emulator/vfs/vnode.js';
import type { Vfs } from '../emulator/vfs/vfs.js';
import { Budget } from './budget.js';
import { BufferPool } from './buffer-pool.js';
import { Flash, type FlashSource } from './flash.js';
import { RamdiskVnode } from './ramdisk-vnode.js';
import { newSuperblock } from './store.js';

export const TMPFS_MAGIC = 0x01021994;

const UNREADABLE_MAX = 100;

export interface RamdiskOptions {
  /** As in /proc/filesystems: "tmpfs" or "rootfs". */
  name?: string;
  /** A limit below what the device's RAM allows. */
  maxBytes?: number;
  mode?: number;
  /** A read-only tree it starts with; what is written goes to RAM. */
  flash?: FlashSource;
}

/**
 * A file system in RAM. memfs stores its bytes and names; everything else a UNIX file has is ours
 * (ramdisk-vnode.ts). Its vnodes carry their contents into a snapshot, so files without a name survive too.
 */
export class Ramdisk implements Filesystem {
  static readonly transient = ['superblock', 'pool'];
  readonly name: string;
  readonly vfs: Vfs;
  readonly dev: number;
  readonly budget: Budget;
  superblock: Superblock;
  pool: BufferPool;
  readonly flash: Flash | null;
  /** Paths in flash that could not be read. */
  readonly unreadable: string[] = [];
  private nextInode = 1;
  private readonly rootVnode: RamdiskVnode;

  constructor(vfs: Vfs, options: RamdiskOptions = {}) {
    this.vfs = vfs;
    this.name = options.name ?? 'tmpfs';
    this.dev = vfs.allocateDev();
    this.budget = new Budget(vfs.ram, options.maxBytes === undefined ? Infinity : Math.floor(options.maxBytes / PAGE_SIZE));
    this.superblock = newSuperblock();
    this.pool = new BufferPool(vfs.ram.bytes);
    this.rootVnode = new RamdiskVnode(this, 'dir', options.mode ?? 0o755, 0, 0);
    this.rootVnode.nlink = 2;
    this.rootVnode.attachRoot(this.superblock.root);
    this.flash = options.flash ? new Flash(options.flash) : null;
    if (this.flash) this.rootVnode.attachFlash('');
  }

  /** Remember for the report; bounded, because a tree may be full of such files. */
  flashFailed(path: string): void {
    if (this.unreadable.length < UNREADABLE_MAX && !this.unreadable.includes(path)) this.unreadable.push(path);
  }

  afterLoad(): void {
    this.superblock = newSuperblock();
    this.pool = new BufferPool(this.vfs.ram.bytes);
    this.rootVnode.attachRoot(this.superblock.root);
    const directories = [this.rootVnode];
    for (let next = directories.pop(); next; next = directories.pop()) directories.push(...next.restoreNames());
  }

  root(): RamdiskVnode {
    return this.rootVnode;
  }

  newInode(): number {
    return this.nextInode++;
  }

  statfs(): Statfs {
    const { budget, vfs } = this;
    const limit = Number.isFinite(budget.maxPages) ? budget.maxPages : vfs.ram.frames;
    const free = budget.freePages();
    return { magic: TMPFS_MAGIC, blockSize: PAGE_SIZE, blocks: limit, free, files: budget.inodes + free * 4, filesFree: free * 4, nameMax: 255 };
  }
}
snapshotClass('Ramdisk', Ramdisk);

const UNITS: Record<string, number> = { '': 1, k: 1 << 10, m: 1 << 20, g: 1 << 30 };

/** The options of tmpfs(5) that make a difference here: size (bytes with a suffix, or a percentage of RAM) and mode. */
function tmpfsOptions(vfs: Vfs, name: string, text: string): RamdiskOptions {
  const options: RamdiskOptions = { name, mode: name === 'tmpfs' ? 0o1777 : 0o755 };
  for (const option of text.split(',')) {
    const size = /^size=(\d+)([kmg]?)$/i.exec(option);
    const share = /^size=(\d+)%$/.exec(option);
    const mode = /^mode=([0-7]{1,4})$/.exec(option);
    if (size) options.maxBytes = Number(size[1]) * UNITS[size[2].toLowerCase()];
    if (share) options.maxBytes = Math.floor((vfs.ram.bytes * Number(share[1])) / 100);
    if (mode) options.mode = parseInt(mode[1], 8);
  }
  return options;
}

for (const name of ['tmpfs', 'ramfs', 'devtmpfs']) defineFilesystem(name, (vfs, options) => new Ramdisk(vfs, tmpfsOptions(vfs, name, options)));

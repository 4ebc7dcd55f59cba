import { Errno, failed, snapshotClass, type Fail, type Result } from '../../emulator/base/index.js';
import type { Pager } from '../../emulator/memory/pager.js';
import { pagerOf } from '../../emulator/vfs/vnode-pager.js';
import { gatherLength, Vnode, type Attr, type AttrChange, type Cred, type DirEntry, type Gather, type VnodeType } from '../../emulator/vfs/vnode.js';
import { FILE_MAX, LINK_MAX } from '../limits.js';
import type { BlockFilesystem } from './block-filesystem.js';
import { addEntry, findEntry, isEmptyDirectory, listEntries, nameOfInode, redirectEntry, removeEntry } from './directory.js';
import { blockOf, cutBlocks, placeBlock } from './file-map.js';
import { ADDRESSES, BLOCK_SIZE, SHORT_LINK, type Inode } from './layout.js';

/** An inode of the block file system. `inode` is the copy in memory, written through to its block of the table with every change. */
export class BlockVnode extends Vnode {
  static readonly transient = ['inode'];
  declare readonly fs: BlockFilesystem;
  readonly ino: number;
  inode: Inode;
  private gone = false;

  constructor(fs: BlockFilesystem, ino: number, inode: Inode) {
    super(fs, inode.type);
    this.ino = ino;
    this.inode = inode;
  }

  afterLoad(): void {
    this.inode = this.gone ? noInode(this.type) : this.fs.peekInode(this.ino);
  }

  /** Bring the table up to date with the inode. */
  update(): void {
    this.fs.storeInode(this.ino, this.inode);
  }

  private changed(): void {
    this.inode.mtime = this.inode.ctime = this.fs.vfs.now();
    this.update();
  }

  private touchCtime(): void {
    this.inode.ctime = this.fs.vfs.now();
    this.update();
  }

  // ---- attributes

  getattr(): Attr {
    const { type, mode, uid, gid, nlink, size, rdev, atime, mtime, ctime, blocks } = this.inode;
    return { type, mode, uid, gid, ino: this.ino, dev: this.fs.dev, nlink, size, rdev, atime, mtime, ctime, blocks: blocks * (BLOCK_SIZE / 512), blksize: BLOCK_SIZE };
  }

  override setattr(change: AttrChange): Result {
    const now = this.fs.vfs.now();
    const { inode } = this;
    const { size, mode, ...rest } = change;
    if (size !== undefined) {
      const result = this.resize(size);
      if (result) return result;
      inode.mtime = now;
    }
    if (mode !== undefined) inode.mode = mode & 0o7777;
    for (const [name, value] of Object.entries(rest)) if (value !== undefined) Object.assign(inode, { [name]: value });
    inode.ctime = now;
    this.update();
    return 0;
  }

  /** Behind the end the last block holds zeros, so that growing shows them. */
  private resize(size: number): Result {
    if (this.type !== 'reg') return -Errno.EINVAL;
    if (size > FILE_MAX) return -Errno.EFBIG;
    const { fs, ino, inode } = this;
    if (size < inode.size) {
      cutBlocks(fs, ino, inode, Math.ceil(size / BLOCK_SIZE));
      const tail = size % BLOCK_SIZE;
      const block = tail ? blockOf(fs, ino, inode, Math.floor(size / BLOCK_SIZE)) : 0;
      if (block) fs.cache.modify(block, ino).fill(0, tail);
    }
    inode.size = size;
    return 0;
  }

  // ---- contents

  override read(offset: number, length: number): Uint8Array | Fail {
    if (this.type !== 'reg') return this.type === 'dir' ? -Errno.EISDIR : -Errno.EINVAL;
    return this.bytes(offset, Math.min(offset + length, this.inode.size));
  }

  /** Put together from the buffers, never a view of one: it would show another block as soon as the buffer is needed. */
  private bytes(start: number, end: number): Uint8Array {
    const { fs, ino, inode } = this;
    const result = new Uint8Array(Math.max(0, end - start));
    for (let at = start; at < end;) {
      const from = at % BLOCK_SIZE;
      const take = Math.min(end - at, BLOCK_SIZE - from);
      const block = blockOf(fs, ino, inode, Math.floor(at / BLOCK_SIZE));
      if (block) result.set(fs.cache.read(block, ino).subarray(from, from + take), at - start);
      at += take;
    }
    return result;
  }

  override write(offset: number, bytes: Gather): Result {
    if (this.type !== 'reg') return -Errno.EINVAL;
    const wanted = gatherLength(bytes);
    if (wanted === 0) return 0;
    if (offset >= FILE_MAX) return -Errno.EFBIG;
    const source = new GatherReader(bytes);
    const end = Math.min(offset + wanted, FILE_MAX);
    let at = offset;
    while (at < end) {
      const take = Math.min(end - at, BLOCK_SIZE - (at % BLOCK_SIZE));
      const buffer = this.bufferFor(at, take);
      if (failed(buffer)) break;
      source.copy(buffer, at % BLOCK_SIZE, take);
      at += take;
    }
    this.inode.size = Math.max(this.inode.size, at === offset ? 0 : at);
    this.changed();
    return at === offset ? -Errno.ENOSPC : at - offset;
  }

  /** The buffer of the block at `offset`, of which `length` bytes are about to be written: only what stays is read or zeroed. */
  private bufferFor(offset: number, length: number): Uint8Array | Fail {
    const { fs, ino } = this;
    const placed = placeBlock(fs, ino, this.inode, Math.floor(offset / BLOCK_SIZE));
    if (failed(placed)) return placed;
    if (length === BLOCK_SIZE) return fs.cache.overwrite(placed.block, ino);
    return placed.isNew ? fs.cache.zeroed(placed.block, ino) : fs.cache.modify(placed.block, ino);
  }

  override fsync(): Result {
    this.fs.syncInode(this.ino);
    return 0;
  }

  override pager(): Pager | Fail {
    return this.type === 'reg' ? pagerOf(this) : -Errno.ENODEV;
  }

  override readlink(): string | Fail {
    if (this.type !== 'lnk') return -Errno.EINVAL;
    const { addresses, size } = this.inode;
    const bytes = size <= SHORT_LINK ? new Uint8Array(addresses.buffer, 0, size) : this.bytes(0, size);
    return Buffer.from(bytes.buffer, bytes.byteOffset, size).toString('latin1');
  }

  private setTarget(target: string): Result {
    const { fs, ino, inode } = this;
    const bytes = Buffer.from(target, 'latin1');
    inode.size = bytes.length;
    if (bytes.length <= SHORT_LINK) {
      new Uint8Array(inode.addresses.buffer).set(bytes);
      return 0;
    }
    const placed = placeBlock(fs, ino, inode, 0);
    if (failed(placed)) return placed;
    fs.cache.zeroed(placed.block, ino).set(bytes);
    return 0;
  }

  // ---- names

  get parent(): BlockVnode {
    const above = findEntry(this, '..');
    return above ? this.fs.vnode(above.ino) : this;
  }

  private child(name: string): BlockVnode | null {
    if (name === '.' || name === '..') return null;
    const entry = findEntry(this, name);
    return entry && this.fs.vnode(entry.ino);
  }

  override lookup(name: string): Vnode | Fail {
    if (this.type !== 'dir') return -Errno.ENOTDIR;
    if (name === '.') return this;
    if (name === '..') return this.parent;
    return this.child(name) ?? -Errno.ENOENT;
  }

  override nameOf(child: Vnode): string | null {
    return child instanceof BlockVnode && child.fs === this.fs && this.type === 'dir' ? nameOfInode(this, child.ino) : null;
  }

  /** A cookie is the place of the entry plus one. */
  override readdir(cookie: number): DirEntry[] | Fail {
    if (this.type !== 'dir') return -Errno.ENOTDIR;
    return listEntries(this, cookie).map(({ name, ino, type, offset }) => ({ name, ino, type, cookie: offset + 1 }));
  }

  override create(name: string, mode: number, cred: Cred): Vnode | Fail {
    return this.makeChild(name, 'reg', mode, cred);
  }

  override mknod(name: string, type: VnodeType, mode: number, rdev: number, cred: Cred): Vnode | Fail {
    return this.makeChild(name, type, mode, cred, rdev);
  }

  override mkdir(name: string, mode: number, cred: Cred): Vnode | Fail {
    if (this.inode.nlink >= LINK_MAX) return -Errno.EMLINK;
    return this.makeChild(name, 'dir', mode | (this.inode.mode & 0o2000), cred);
  }

  override symlink(name: string, target: string, cred: Cred): Vnode | Fail {
    if (/[^\0-\xff]/.test(target)) return -Errno.EINVAL;
    return this.makeChild(name, 'lnk', 0o777, cred, 0, target);
  }

  override tmpfile(mode: number, cred: Cred): Vnode | Fail {
    return this.makeInode('reg', mode, cred, 0) ?? -Errno.ENOSPC;
  }

  /** Names are bytes on the disk: one with a character beyond them cannot be stored. */
  private mayEnter(name: string): Result {
    if (this.type !== 'dir') return -Errno.ENOTDIR;
    if (this.inode.nlink === 0) return -Errno.ENOENT;
    if (/[^\0-\xff]/.test(name)) return -Errno.EINVAL;
    return findEntry(this, name) ? -Errno.EEXIST : 0;
  }

  private makeChild(name: string, type: VnodeType, mode: number, cred: Cred, rdev = 0, target = ''): BlockVnode | Fail {
    const refused = this.mayEnter(name);
    if (refused) return refused;
    const vnode = this.makeInode(type, mode, cred, rdev);
    if (!vnode) return -Errno.ENOSPC;
    const result = vnode.fill(this, target) || this.enter(name, vnode);
    if (failed(result)) {
      vnode.inactive();
      return result;
    }
    return vnode;
  }

  /** What a new inode holds from the start. */
  private fill(parent: BlockVnode, target: string): Result {
    if (this.type === 'lnk') return this.setTarget(target);
    return this.type === 'dir' ? addEntry(this, '.', this.ino, 'dir') || addEntry(this, '..', parent.ino, 'dir') : 0;
  }

  /** In a directory with the set-group-id bit new files take its group (mkdir(2)). */
  private makeInode(type: VnodeType, mode: number, cred: Cred, rdev: number): BlockVnode | null {
    const gid = this.inode.mode & 0o2000 ? this.inode.gid : cred.fsgid ?? cred.egid;
    return this.fs.newVnode({ type, mode, uid: cred.fsuid ?? cred.euid, gid, rdev });
  }

  private enter(name: string, vnode: BlockVnode): Result {
    const result = addEntry(this, name, vnode.ino, vnode.type);
    if (failed(result)) return result;
    vnode.inode.nlink++;
    if (vnode.type === 'dir') {
      vnode.inode.nlink++;
      this.inode.nlink++;
    }
    vnode.update();
    this.changed();
    return 0;
  }

  override link(target: Vnode, name: string): Result {
    if (!(target instanceof BlockVnode) || target.fs !== this.fs) return -Errno.EXDEV;
    if (this.type === 'dir' && this.inode.nlink > 0 && target.type === 'dir') return -Errno.EPERM;
    const refused = this.mayEnter(name);
    if (refused) return refused;
    if (target.inode.nlink >= LINK_MAX) return -Errno.EMLINK;
    const result = this.enter(name, target);
    if (!failed(result)) target.touchCtime();
    return result;
  }

  override remove(name: string): Result {
    const vnode = this.child(name);
    if (!vnode) return -Errno.ENOENT;
    if (vnode.type === 'dir') return -Errno.EISDIR;
    removeEntry(this, name);
    this.drop(vnode);
    return 0;
  }

  override rmdir(name: string): Result {
    const vnode = this.child(name);
    if (!vnode) return -Errno.ENOENT;
    if (vnode.type !== 'dir') return -Errno.ENOTDIR;
    if (!isEmptyDirectory(vnode)) return -Errno.ENOTEMPTY;
    removeEntry(this, name);
    this.drop(vnode);
    return 0;
  }

  /** A name of `vnode` in this directory is gone. */
  private drop(vnode: BlockVnode): void {
    if (vnode.type === 'dir') {
      this.inode.nlink--;
      vnode.inode.nlink = 0;
    } else {
      vnode.inode.nlink--;
    }
    this.changed();
    vnode.touchCtime();
    if (vnode.usecount === 0) vnode.inactive();
  }

  /**
   * rename(2). Both names for one inode: nothing happens. A directory does not go below itself (EINVAL); a directory replaces
   * only an empty directory (ENOTDIR, ENOTEMPTY), another file no directory (EISDIR).
   */
  override rename(name: string, to: Vnode, toName: string): Result {
    if (!(to instanceof BlockVnode) || to.fs !== this.fs) return -Errno.EXDEV;
    const vnode = this.child(name);
    if (!vnode) return -Errno.ENOENT;
    if (to.type !== 'dir') return -Errno.ENOTDIR;
    if (to.inode.nlink === 0) return -Errno.ENOENT;
    const replaced = to.child(toName);
    if (replaced === vnode) return 0;
    if (vnode.type === 'dir' && isBelow(to, vnode)) return -Errno.EINVAL;
    const refused = replaced ? mayReplace(vnode, replaced) : to.mayEnter(toName);
    if (refused) return refused;
    return this.moveTo(name, vnode, to, toName, replaced);
  }

  private moveTo(name: string, vnode: BlockVnode, to: BlockVnode, toName: string, replaced: BlockVnode | null): Result {
    if (replaced) {
      redirectEntry(to, toName, vnode.ino, vnode.type);
      to.drop(replaced);
    } else {
      const result = addEntry(to, toName, vnode.ino, vnode.type);
      if (failed(result)) return result;
    }
    removeEntry(this, name);
    if (vnode.type === 'dir' && to !== this) {
      redirectEntry(vnode, '..', to.ino, 'dir');
      this.inode.nlink--;
      to.inode.nlink++;
    }
    this.changed();
    to.changed();
    vnode.touchCtime();
    return 0;
  }

  override inactive(): void {
    if (this.inode.nlink > 0 || this.gone) return;
    this.gone = true;
    if (this.type !== 'lnk' || this.inode.size > SHORT_LINK) cutBlocks(this.fs, this.ino, this.inode, 0);
    this.inode.size = 0;
    this.fs.freeInode(this.ino);
  }
}
snapshotClass('BlockVnode', BlockVnode);

/** What is left of a removed file that somebody still has in hand. */
function noInode(type: VnodeType): Inode {
  const never = { sec: 0, nsec: 0 };
  return { type, mode: 0, nlink: 0, uid: 0, gid: 0, size: 0, blocks: 0, rdev: 0, atime: never, mtime: never, ctime: never, addresses: new Uint32Array(ADDRESSES) };
}

/** Is `directory` the ancestor itself or somewhere below it? */
function isBelow(directory: BlockVnode, ancestor: BlockVnode): boolean {
  let at = directory;
  for (let above = at.parent; at !== ancestor && above !== at; above = at.parent) at = above;
  return at === ancestor;
}

function mayReplace(source: BlockVnode, victim: BlockVnode): Result {
  if (victim.type !== 'dir') return source.type === 'dir' ? -Errno.ENOTDIR : 0;
  if (source.type !== 'dir') return -Errno.EISDIR;
  return isEmptyDirectory(victim) ? 0 : -Errno.ENOTEMPTY;
}

/** Gives out a gather list in pieces of the caller's size. */
class GatherReader {
  private readonly parts: readonly Uint8Array[];
  private part = 0;
  private at = 0;

  constructor(bytes: Gather) {
    this.parts = bytes instanceof Uint8Array ? [bytes] : bytes;
  }

  copy(to: Uint8Array, offset: number, length: number): void {
    for (let done = 0; done < length;) {
      const piece = this.parts[this.part].subarray(this.at, this.at + length - done);
      to.set(piece, offset + done);
      done += piece.length;
      this.at += piece.length;
      if (this.at < this.parts[this.part].length) continue;
      this.part++;
      this.at = 0;
    }
  }
}

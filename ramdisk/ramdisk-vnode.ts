import type { Link } from '@jsonjoy.com/fs-core';
import { Errno, failed, snapshotClass, type Fail, type Result } from '../emulator/base/index.js';
import { PAGE_SIZE } from '../emulator/memory/ram.js';
import type { Attr, AttrChange, Cred, DirEntry, Timespec, Vnode, VnodeType } from '../emulator/vfs/vnode.js';
import { INODE_BYTES, NAME_BYTES } from './budget.js';
import { LINK_MAX } from './limits.js';
import { RamdiskContents } from './ramdisk-contents.js';
import type { Ramdisk } from './ramdisk.js';
import type { FlashEntry } from './flash.js';
import { enterName, moveName, NameLink, StoreNode } from './store.js';

/** Cookies of "." and ".." are 1 and 2. */
const FIRST_COOKIE = 3;

type SavedName = [name: string, vnode: RamdiskVnode, cookie: number];

interface SavedVnode {
  fields: Record<string, unknown>;
  content: Uint8Array | null;
  names: SavedName[] | null;
}

/** What tmpfs counts for a name, "." and ".." among them (BOGO_DIRENT_SIZE, mm/shmem.c). */
const DIRENT_SIZE = 20;

/** An inode of the ramdisk. `node` (its bytes in memfs) and, for a directory, `names` are rebuilt from a snapshot. */
export class RamdiskVnode extends RamdiskContents {
  mode: number;
  uid: number;
  gid: number;
  nlink = 0;
  target = '';
  private atime: Timespec;
  private mtime: Timespec;
  private ctime: Timespec;
  private nextCookie = FIRST_COOKIE;
  private gone = false;
  private names: Link | null = null;
  private savedNames: SavedName[] | null = null;

  constructor(fs: Ramdisk, type: VnodeType, mode: number, uid: number, gid: number, rdev = 0) {
    super(fs, type, rdev);
    this.mode = mode;
    this.uid = uid;
    this.gid = gid;
    this.atime = this.mtime = this.ctime = fs.vfs.now();
  }

  // ---- snapshot

  saveState(): SavedVnode {
    const { node, names: _names, savedNames: _saved, ...fields } = this;
    const names = this.type === 'dir' && !this.unread ? this.links().map((link): SavedName => [link.name, vnodeOf(link), link.cookie]) : null;
    return { fields, content: this.type === 'reg' && !this.unread ? node.view(0, node.getSize()) : null, names };
  }

  loadState(state: SavedVnode): void {
    Object.assign(this, state.fields);
    this.names = null;
    this.node = new StoreNode(this);
    this.node.symlink = this.target;
    if (state.content) this.node.adopt(state.content);
    this.savedNames = state.names;
  }

  attachRoot(root: Link): void {
    root.setNode(this.node);
    root.children.set('.', root);
    root.children.set('..', root);
    this.names = root;
  }

  /** Enter a loaded directory's names into the new superblock; the directories among them, whose turn is next. */
  restoreNames(): RamdiskVnode[] {
    const below: RamdiskVnode[] = [];
    for (const [name, child, cookie] of this.savedNames ?? []) {
      const link = enterName(this.directory(), name, child.node, cookie);
      if (child.type !== 'dir') continue;
      child.names = link;
      below.push(child);
    }
    this.savedNames = null;
    return below;
  }

  // ---- attributes

  getattr(): Attr {
    const { type, mode, uid, gid, ino, nlink, rdev, atime, mtime, ctime } = this;
    return {
      type, mode, uid, gid, ino, nlink, rdev, atime, mtime, ctime, dev: this.fs.dev,
      size: this.size, blocks: this.held * (PAGE_SIZE / 512), blksize: PAGE_SIZE,
    };
  }

  get size(): number {
    switch (this.type) {
      case 'reg': return this.length;
      case 'lnk': return this.target.length;
      case 'dir': return (this.directory().length + 2) * DIRENT_SIZE;
      default: return 0;
    }
  }

  override setattr(change: AttrChange): Result {
    const now = this.fs.vfs.now();
    if (change.size !== undefined) {
      const result = this.resize(change.size);
      if (result) return result;
      this.mtime = now;
    }
    if (change.mode !== undefined) this.mode = change.mode & 0o7777;
    if (change.uid !== undefined) this.uid = change.uid;
    if (change.gid !== undefined) this.gid = change.gid;
    if (change.atime !== undefined) this.atime = change.atime;
    if (change.mtime !== undefined) this.mtime = change.mtime;
    this.ctime = now;
    return 0;
  }

  protected changed(): void {
    this.mtime = this.ctime = this.fs.vfs.now();
  }

  override readlink(): string | Fail {
    return this.type === 'lnk' ? this.target : -Errno.EINVAL;
  }

  // ---- names

  /** memfs's link of this directory; one that was removed keeps an empty one. */
  private directory(): Link {
    if (!this.names) {
      this.names = new NameLink(this.fs.superblock, undefined, '', 0);
      this.names.setNode(this.node);
    }
    if (this.unread) this.listFlash(this.unread.path);
    return this.names;
  }

  // ---- flash

  /** Take this directory from flash, name by name when it is looked into, and everything below it. */
  attachFlash(path: string): void {
    this.unread = { path, size: 0 };
  }

  /** Names and inodes count as the ramdisk's own; one that does not fit is missing, and the event log says so. */
  private listFlash(path: string): void {
    this.unread = null;
    const { flash, vfs } = this.fs;
    const before = this.mtime;
    for (const entry of flash?.list(path) ?? []) {
      const child = this.makeChild(entry.name, entry.type, entry.mode, vfs.kernelContext().cred, 0, entry.target);
      if (failed(child)) this.fs.flashFailed(`${path}/${entry.name}`);
      else child.fromFlash(entry, `${path}/${entry.name}`);
    }
    this.mtime = this.ctime = before;
  }

  private fromFlash(entry: FlashEntry, path: string): void {
    this.atime = this.mtime = this.ctime = { sec: 0, nsec: 0 };
    if (entry.type !== 'lnk') this.unread = { path, size: entry.size };
  }

  private child(name: string): NameLink | undefined {
    return name === '.' || name === '..' ? undefined : this.directory().children.get(name) as NameLink | undefined;
  }

  private links(): NameLink[] {
    const links: NameLink[] = [];
    for (const [name, link] of this.directory().children) {
      if (name !== '.' && name !== '..') links.push(link as NameLink);
    }
    return links;
  }

  get parent(): RamdiskVnode {
    const above = this.directory().parent;
    return above ? vnodeOf(above) : this;
  }

  private get isEmpty(): boolean {
    return this.directory().length === 0;
  }

  override lookup(name: string): Vnode | Fail {
    if (this.type !== 'dir') return -Errno.ENOTDIR;
    if (name === '.') return this;
    if (name === '..') return this.parent;
    const link = this.child(name);
    return link ? vnodeOf(link) : -Errno.ENOENT;
  }

  override nameOf(child: Vnode): string | null {
    return this.links().find((link) => vnodeOf(link) === child)?.name ?? null;
  }

  override readdir(cookie: number): DirEntry[] | Fail {
    if (this.type !== 'dir') return -Errno.ENOTDIR;
    const entries: DirEntry[] = [];
    if (this.nlink > 0) {
      entries.push({ name: '.', ino: this.ino, type: 'dir', cookie: 1 }, { name: '..', ino: this.parent.ino, type: 'dir', cookie: 2 });
    }
    for (const link of this.links()) {
      const { ino, type } = vnodeOf(link);
      entries.push({ name: link.name, ino, type, cookie: link.cookie });
    }
    return cookie === 0 ? entries : entries.filter((entry) => entry.cookie > cookie);
  }

  override create(name: string, mode: number, cred: Cred): Vnode | Fail {
    return this.makeChild(name, 'reg', mode, cred);
  }

  override mknod(name: string, type: VnodeType, mode: number, rdev: number, cred: Cred): Vnode | Fail {
    return this.makeChild(name, type, mode, cred, rdev);
  }

  override mkdir(name: string, mode: number, cred: Cred): Vnode | Fail {
    if (this.nlink >= LINK_MAX) return -Errno.EMLINK;
    return this.makeChild(name, 'dir', mode | (this.mode & 0o2000), cred);
  }

  override symlink(name: string, target: string, cred: Cred): Vnode | Fail {
    return this.makeChild(name, 'lnk', 0o777, cred, 0, target);
  }

  override tmpfile(mode: number, cred: Cred): Vnode | Fail {
    return this.makeInode('reg', mode, cred, 0, '');
  }

  private makeChild(name: string, type: VnodeType, mode: number, cred: Cred, rdev = 0, target = ''): RamdiskVnode | Fail {
    if (this.type !== 'dir') return -Errno.ENOTDIR;
    if (this.nlink === 0) return -Errno.ENOENT;
    if (this.child(name)) return -Errno.EEXIST;
    const { budget } = this.fs;
    if (budget.changeMeta(NAME_BYTES + name.length)) return -Errno.ENOSPC;
    const vnode = this.makeInode(type, mode, cred, rdev, target);
    if (failed(vnode)) budget.changeMeta(-(NAME_BYTES + name.length));
    else this.enter(name, vnode);
    return vnode;
  }

  /** In a directory with the set-group-id bit new files take its group (mkdir(2)). */
  private makeInode(type: VnodeType, mode: number, cred: Cred, rdev: number, target: string): RamdiskVnode | Fail {
    const { budget } = this.fs;
    if (budget.changeMeta(INODE_BYTES + target.length)) return -Errno.ENOSPC;
    budget.inodes++;
    const gid = this.mode & 0o2000 ? this.gid : cred.fsgid ?? cred.egid;
    const vnode = new RamdiskVnode(this.fs, type, mode, cred.fsuid ?? cred.euid, gid, rdev);
    vnode.target = target;
    vnode.node.symlink = target;
    return vnode;
  }

  private enter(name: string, vnode: RamdiskVnode): void {
    const link = enterName(this.directory(), name, vnode.node, this.nextCookie++);
    vnode.nlink++;
    if (vnode.type === 'dir') {
      vnode.names = link;
      vnode.nlink++;
      this.nlink++;
    }
    this.changed();
  }

  override link(target: Vnode, name: string): Result {
    if (!(target instanceof RamdiskVnode) || target.fs !== this.fs) return -Errno.EXDEV;
    if (this.type !== 'dir') return -Errno.ENOTDIR;
    if (this.nlink === 0) return -Errno.ENOENT;
    if (target.type === 'dir') return -Errno.EPERM;
    if (this.child(name)) return -Errno.EEXIST;
    if (target.nlink >= LINK_MAX) return -Errno.EMLINK;
    if (this.fs.budget.changeMeta(NAME_BYTES + name.length)) return -Errno.ENOSPC;
    this.enter(name, target);
    target.touchCtime();
    return 0;
  }

  private touchCtime(): void {
    this.ctime = this.fs.vfs.now();
  }

  override remove(name: string): Result {
    const link = this.child(name);
    if (!link) return -Errno.ENOENT;
    if (vnodeOf(link).type === 'dir') return -Errno.EISDIR;
    this.drop(link);
    return 0;
  }

  override rmdir(name: string): Result {
    const link = this.child(name);
    if (!link) return -Errno.ENOENT;
    const vnode = vnodeOf(link);
    if (vnode.type !== 'dir') return -Errno.ENOTDIR;
    if (!vnode.isEmpty) return -Errno.ENOTEMPTY;
    this.drop(link);
    return 0;
  }

  /** Take a name away, and the inode with its last one unless it is in use. */
  private drop(link: NameLink): void {
    const vnode = vnodeOf(link);
    this.directory().deleteChild(link);
    this.fs.budget.changeMeta(-(NAME_BYTES + link.name.length));
    this.changed();
    if (vnode.type === 'dir') {
      this.nlink--;
      vnode.nlink = 0;
    } else {
      vnode.nlink--;
    }
    vnode.touchCtime();
    if (vnode.usecount === 0) vnode.inactive();
  }

  /**
   * rename(2). Both names for one inode: nothing happens. A directory does not go below itself (EINVAL); a directory replaces
   * only an empty directory (ENOTDIR, ENOTEMPTY), another file no directory (EISDIR).
   */
  override rename(name: string, toDirectory: Vnode, toName: string): Result {
    if (!(toDirectory instanceof RamdiskVnode) || toDirectory.fs !== this.fs) return -Errno.EXDEV;
    const source = this.child(name);
    if (!source) return -Errno.ENOENT;
    if (toDirectory.type !== 'dir') return -Errno.ENOTDIR;
    if (toDirectory.nlink === 0) return -Errno.ENOENT;
    const vnode = vnodeOf(source);
    const replaced = toDirectory.child(toName);
    if (replaced && vnodeOf(replaced) === vnode) return 0;
    if (vnode.type === 'dir' && isBelow(toDirectory, vnode)) return -Errno.EINVAL;
    const refused = replaced ? mayReplace(vnode, vnodeOf(replaced)) : 0;
    if (refused) return refused;
    if (toName.length > name.length && !replaced && this.fs.budget.changeMeta(toName.length - name.length)) return -Errno.ENOSPC;
    if (replaced) {
      toDirectory.drop(replaced);
      this.fs.budget.changeMeta(toName.length - name.length);
    } else if (toName.length < name.length) {
      this.fs.budget.changeMeta(toName.length - name.length);
    }
    this.moveTo(source, vnode, toDirectory, toName);
    return 0;
  }

  private moveTo(source: NameLink, vnode: RamdiskVnode, to: RamdiskVnode, name: string): void {
    moveName(source, this.directory(), to.directory(), name, to.nextCookie++);
    if (vnode.type === 'dir') {
      this.nlink--;
      to.nlink++;
    }
    this.changed();
    to.changed();
    vnode.touchCtime();
  }

  static isEmptyDirectory(vnode: RamdiskVnode): boolean {
    return vnode.isEmpty;
  }

  override inactive(): void {
    if (this.nlink > 0 || this.gone) return;
    this.gone = true;
    this.fs.budget.changeMeta(-(INODE_BYTES + this.target.length));
    this.fs.budget.inodes--;
    if (this.type === 'reg') this.discard();
  }
}
snapshotClass('RamdiskVnode', RamdiskVnode);

function vnodeOf(link: Link): RamdiskVnode {
  return (link.getNode() as StoreNode).vnode as RamdiskVnode;
}

/** Is `directory` the ancestor itself or somewhere below it? */
function isBelow(directory: RamdiskVnode, ancestor: RamdiskVnode): boolean {
  let at = directory;
  while (at !== ancestor && at !== at.parent) at = at.parent;
  return at === ancestor;
}

function mayReplace(source: RamdiskVnode, victim: RamdiskVnode): Result {
  if (victim.type !== 'dir') return source.type === 'dir' ? -Errno.ENOTDIR : 0;
  if (source.type !== 'dir') return -Errno.EISDIR;
  return RamdiskVnode.isEmptyDirectory(victim) ? 0 : -Errno.ENOTEMPTY;
}

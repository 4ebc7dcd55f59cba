import type { Link } from '@jsonjoy.com/fs-core';
import { Errno, failed, snapshotClass, type Fail, type Result } from '../emulator/base/index.js';
import { PAGE_SIZE } from '../emulator/memory/ram.js';
import type { Pager } from '../emulator/memory/pager.js';
import { pagerOf } from '../emulator/vfs/vnode-pager.js';
import { gatherLength, Vnode, type Attr, type AttrChange, type Cred, type DirEntry, type Gather, type Timespec, type VnodeType } from '../emulator/vfs/vnode.js';
import { AdoptedPages } from './adopted-pages.js';
import { INODE_BYTES, NAME_BYTES } from './budget.js';
import { FILE_MAX, LINK_MAX } from './limits.js';
import type { Ramdisk } from './ramdisk.js';
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
export class RamdiskVnode extends Vnode {
  declare readonly fs: Ramdisk;
  readonly ino: number;
  mode: number;
  uid: number;
  gid: number;
  nlink = 0;
  readonly rdev: number;
  target = '';
  private atime: Timespec;
  private mtime: Timespec;
  private ctime: Timespec;
  /** Pages of the device held for the contents in memfs. */
  private charged = 0;
  /** Pages of the contents that are frames of RAM, if any. */
  private adopted: AdoptedPages | null = null;
  private nextCookie = FIRST_COOKIE;
  private gone = false;
  private node: StoreNode;
  private names: Link | null = null;
  private savedNames: SavedName[] | null = null;

  constructor(fs: Ramdisk, type: VnodeType, mode: number, uid: number, gid: number, rdev = 0) {
    super(fs, type);
    this.ino = fs.newInode();
    this.mode = mode;
    this.uid = uid;
    this.gid = gid;
    this.rdev = rdev;
    this.atime = this.mtime = this.ctime = fs.vfs.now();
    this.node = new StoreNode(this);
  }

  // ---- snapshot

  saveState(): SavedVnode {
    const { node, names: _names, savedNames: _saved, ...fields } = this;
    const names = this.type === 'dir' ? this.links().map((link): SavedName => [link.name, vnodeOf(link), link.cookie]) : null;
    return { fields, content: this.type === 'reg' ? node.view(0, node.getSize()) : null, names };
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
      case 'reg': return this.adopted ? Math.max(this.node.getSize(), this.adopted.end) : this.node.getSize();
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

  private resize(size: number): Result {
    if (this.type !== 'reg') return -Errno.EINVAL;
    if (size > FILE_MAX) return -Errno.EFBIG;
    const pages = Math.ceil(size / PAGE_SIZE);
    const refused = this.disown(size, pages * PAGE_SIZE);
    if (refused) return refused;
    this.cutFrames(pages);
    const result = this.charge(pages);
    if (result) return result;
    this.node.resize(size, this.fs.pool);
    return 0;
  }

  /** Pages of the contents: all below the end, holes too, in memfs or in frames. */
  private get held(): number {
    return this.adopted ? this.charged + this.adopted.count : this.charged;
  }

  /** Hold exactly `pages` pages. */
  private charge(pages: number): Result {
    const more = pages - this.held;
    const result = this.fs.budget.change(more);
    if (result === 0) this.charged += more;
    return result;
  }

  private changed(): void {
    this.mtime = this.ctime = this.fs.vfs.now();
  }

  // ---- contents

  override read(offset: number, length: number): Uint8Array | Fail {
    if (this.type !== 'reg') return this.type === 'dir' ? -Errno.EISDIR : -Errno.EINVAL;
    if (!this.adopted) return this.node.view(offset, length);
    const { size } = this;
    return this.adopted.read(Math.min(offset, size), Math.min(offset + length, size), (at, bytes) => this.node.viewPadded(at, bytes));
  }

  override write(offset: number, bytes: Gather): Result {
    if (this.type !== 'reg') return -Errno.EINVAL;
    const wanted = gatherLength(bytes);
    if (wanted === 0) return 0;
    if (offset >= FILE_MAX) return -Errno.EFBIG;
    const length = this.roomFor(offset, Math.min(wanted, FILE_MAX - offset));
    if (length <= 0) return -Errno.ENOSPC;
    const refused = this.disown(offset, offset + length);
    if (refused) return refused;
    this.node.reserve(offset + length, this.fs.pool);
    this.node.store(offset, bytes, length);
    this.changed();
    return length;
  }

  /**
   * Charge the device for a write before memfs allocates anything; the bytes that may be written. memfs stores no holes,
   * so a hole counts as much as data, and a hole that does not fit refuses the write.
   */
  private roomFor(offset: number, length: number): number {
    const needed = Math.ceil((offset + length) / PAGE_SIZE);
    if (needed <= this.held || this.charge(needed) === 0) return length;
    const reachable = this.held + this.fs.budget.freePages();
    const room = Math.min(length, reachable * PAGE_SIZE - offset);
    return room > 0 && this.charge(Math.max(this.held, Math.ceil((offset + room) / PAGE_SIZE))) === 0 ? room : 0;
  }

  override allocate(offset: number, length: number, keepSize: boolean): Result {
    if (this.type !== 'reg') return -Errno.ENODEV;
    const end = offset + length;
    if (end > FILE_MAX) return -Errno.EFBIG;
    const pages = Math.ceil(end / PAGE_SIZE);
    const result = pages > this.held ? this.charge(pages) : 0;
    if (result) return result;
    this.node.reserve(end, this.fs.pool);
    if (!keepSize && end > this.size) {
      this.node.resize(end, this.fs.pool);
      this.changed();
    }
    return 0;
  }

  /** A mapped file has all its bytes in the store, which its pager copies from and to. */
  override pager(): Pager | Fail {
    if (this.type !== 'reg') return -Errno.ENODEV;
    return this.disown(0, Infinity, true) ? -Errno.ENOMEM : pagerOf(this);
  }

  // ---- pages shared with a process

  override adopt(offset: number, frames: readonly number[]): Result {
    if (this.type !== 'reg' || offset % PAGE_SIZE !== 0) return -Errno.EINVAL;
    if (offset + frames.length * PAGE_SIZE > FILE_MAX) return -Errno.EFBIG;
    if (this.pages) return -Errno.EBUSY;
    const first = offset / PAGE_SIZE;
    const { budget, vfs } = this.fs;
    const fresh = Math.max(0, first + frames.length - Math.max(first, this.held));
    if (budget.freeLimit() < fresh || (first > this.held && this.charge(first))) return -Errno.ENOSPC;
    this.adopted ??= new AdoptedPages(vfs.ram);
    for (let i = 0; i < frames.length; i++) this.exchange(this.adopted, first + i, frames[i]);
    this.changed();
    return 0;
  }

  /** Page `index` is `frame` from now on: what memory it had in memfs goes back. */
  private exchange(adopted: AdoptedPages, index: number, frame: number): void {
    const { budget } = this.fs;
    if (adopted.at(index) < 0) {
      if (index < this.held) {
        budget.change(-1);
        this.charged--;
      }
      budget.adopt(1);
    }
    adopted.put(index, frame);
  }

  override frames(offset: number, pages: number): number[] | null {
    const { adopted } = this;
    return adopted ? Array.from({ length: pages }, (_, i) => adopted.at(offset / PAGE_SIZE + i)) : null;
  }

  override get lentFrames(): number {
    return this.adopted?.lent ?? 0;
  }

  /**
   * The bytes [start, end) are about to be written: frames in there become pages of memfs again. What shares a page with
   * them, or everything if `keep`, is copied. -ENOSPC when there is no memory for a copy.
   */
  private disown(start: number, end: number, keep = false): Result {
    const { adopted } = this;
    if (!adopted) return 0;
    for (const index of adopted.between(Math.floor(start / PAGE_SIZE), Math.ceil(end / PAGE_SIZE))) {
      const whole = start <= index * PAGE_SIZE && (index + 1) * PAGE_SIZE <= end;
      const result = this.disownPage(adopted, index, keep || !whole);
      if (result) return result;
    }
    if (adopted.count === 0) this.adopted = null;
    return 0;
  }

  private disownPage(adopted: AdoptedPages, index: number, copied: boolean): Result {
    const { budget, pool, vfs } = this.fs;
    const frame = adopted.at(index);
    if (vfs.ram.refs[frame] > 1 && vfs.ram.free() <= 0) return -Errno.ENOSPC;
    if (copied) {
      this.node.reserve((index + 1) * PAGE_SIZE, pool);
      this.node.store(index * PAGE_SIZE, vfs.ram.page(frame), PAGE_SIZE);
      vfs.meter.charge('copy.bytes', PAGE_SIZE);
    }
    adopted.release(index);
    budget.adopt(-1);
    this.charged++;
    return budget.change(1);
  }

  /** Give back the frames from page `first` on. */
  private cutFrames(first: number): void {
    const { adopted } = this;
    if (!adopted) return;
    for (const index of adopted.between(first, Infinity)) {
      adopted.release(index);
      this.fs.budget.adopt(-1);
    }
    if (adopted.count === 0) this.adopted = null;
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
    return this.names;
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
    if (this.type === 'reg') this.resize(0);
  }
}
snapshotClass('RamdiskVnode', RamdiskVnode);

function vnodeOf(link: Link): RamdiskVnode {
  return (link.getNode() as StoreNode).vnode;
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

import { Errno, failed, snapshotClass, type Fail, type Meter, type Result } from '../base/index.js';
import type { Ram } from '../memory/ram.js';
import { checkAccess, isOwner, mayRemove } from './access.js';
import { namei, pathOf, PATH_MAX, type Found, type NameContext } from './lookup.js';
import { OpenFlag } from './open-flags.js';
import type { Attr, AttrChange, Cred, Filesystem, Mount, Timespec, Vnode, VnodeType } from './vnode.js';
import {
  VOP_CREATE, VOP_GETATTR, VOP_LINK, VOP_MKDIR, VOP_MKNOD, VOP_OPEN, VOP_READDIR, VOP_READLINK, VOP_REMOVE, VOP_RENAME, VOP_RMDIR,
  VOP_SETATTR, VOP_SYMLINK, VOP_TMPFILE, type VopName,
} from './vop.js';

export interface Opened {
  vnode: Vnode;
  parent: Vnode;
  name: string;
}

/** Makes the (countdown + 1)th vnode operation from now fail; `op` counts operations of one kind only. */
export interface FaultInjection {
  op?: VopName;
  countdown: number;
  errno: number;
}

const rootCred: Cred = { uid: 0, gid: 0, euid: 0, egid: 0, groups: [] };

/** The tree of mounted file systems: path lookup, permission checks and the calls that work on names. */
export class Vfs {
  static readonly transient = ['trace', 'inject', 'quiet'];
  readonly meter: Meter;
  readonly ram: Ram;
  readonly mounts: Mount[] = [];
  private nextDev = 1;
  /** Renames watchers were told of; inotify's cookie. */
  moves = 0;
  /** Shown every vnode operation before it happens. */
  trace: ((op: VopName, vnode: Vnode, detail: string | number) => void) | null = null;
  inject: FaultInjection | null = null;
  /** While true somebody only looks: file systems leave their caches as they are. */
  quiet = false;

  constructor(meter: Meter, ram: Ram) {
    this.meter = meter;
    this.ram = ram;
  }

  afterLoad(): void {
    this.inject = null;
    this.trace = null;
    this.quiet = false;
  }

  quietly<T>(look: () => T): T {
    const before = this.quiet;
    this.quiet = true;
    const result = look();
    this.quiet = before;
    return result;
  }

  /** Wall-clock time of the machine. */
  now(): Timespec {
    const { seconds, nanoseconds } = this.meter.clock.realtime();
    return { sec: seconds, nsec: nanoseconds };
  }

  /** A device number for a new file system. */
  allocateDev(): number {
    return this.nextDev++;
  }

  /** 0, or the negative errno if the injector picks this operation. */
  injectFault(op: VopName): Result {
    const { inject } = this;
    if (inject === null || (inject.op !== undefined && inject.op !== op)) return 0;
    if (inject.countdown-- > 0) return 0;
    this.inject = null;
    return -inject.errno;
  }

  // ---- mounts

  get root(): Vnode {
    return this.mounts[0].fs.root();
  }

  mountRoot(fs: Filesystem): void {
    this.mounts.unshift({ fs, covered: null, path: '/', options: 'rw' });
  }

  /** The superuser's view from the root, for the kernel's own file work. */
  kernelContext(umask = 0): NameContext {
    return { cwd: this.root, root: this.root, cred: rootCred, umask };
  }

  mount(context: NameContext, path: string, fs: Filesystem, options = 'rw'): Result {
    const covered = this.find(context, path);
    if (failed(covered)) return covered;
    if (covered.type !== 'dir') return -Errno.ENOTDIR;
    const where = this.pathOf(covered, this.root);
    covered.mountedHere = null;
    const mount: Mount = { fs, covered, path: failed(where) ? path : where, options };
    this.mounts.push(mount);
    covered.mountedHere = mount;
    return 0;
  }

  unmount(context: NameContext, path: string): Result {
    const top = this.find(context, path);
    if (failed(top)) return top;
    const index = this.mounts.findIndex((mount) => mount.covered !== null && mount.fs.root() === top);
    if (index < 0) return -Errno.EINVAL;
    const mount = this.mounts[index];
    if (this.mounts.some((other) => other.covered?.fs === mount.fs)) return -Errno.EBUSY;
    (mount.covered as Vnode).mountedHere = null;
    this.mounts.splice(index, 1);
    return 0;
  }

  // ---- lookup

  /** The object a path names, links followed. */
  find(context: NameContext, path: string, follow = true): Vnode | Fail {
    const found = this.namei(context, path, { follow });
    if (failed(found)) return found;
    return found.vnode ?? -Errno.ENOENT;
  }

  /** `vnode` is null when only the last component is missing. `follow`: a symbolic link at the end. */
  namei(context: NameContext, path: string, options: { follow: boolean }): Found | Fail {
    return namei(this.mounts, context, path, options.follow);
  }

  /** Absolute path of a directory as seen from `root`; for getcwd and /proc. -ENOENT when it was removed or lies outside. */
  pathOf(directory: Vnode, root: Vnode): string | Fail {
    return this.quietly(() => pathOf(this.mounts, directory, root));
  }

  // ---- permission

  /** `wanted`: 4 read, 2 write, 1 execute/search, as in access(2). */
  checkAccess(vnode: Vnode, wanted: number, cred: Cred): Result {
    return checkAccess(vnode, wanted, cred);
  }

  // ---- calls on names

  /** The agreed short form of `openAt`: the vnode alone, in use until VOP_CLOSE. */
  open(context: NameContext, path: string, flags: number, mode = 0o666): Vnode | Fail {
    const opened = this.openAt(context, path, flags, mode);
    return failed(opened) ? opened : opened.vnode;
  }

  /** open(2) up to the vnode: lookup or creation, checks, truncation, VOP_OPEN. */
  openAt(context: NameContext, path: string, flags: number, mode: number): Opened | Fail {
    if ((flags & OpenFlag.TMPFILE) === OpenFlag.TMPFILE) return this.openUnnamed(context, path, flags, mode);
    const create = (flags & OpenFlag.CREAT) !== 0;
    const follow = (flags & OpenFlag.NOFOLLOW) === 0 && !(create && flags & OpenFlag.EXCL);
    const found = this.namei(context, path, { follow });
    if (failed(found)) return found;
    if (!found.vnode) return create ? this.openCreated(context, found, flags, mode) : -Errno.ENOENT;
    if (create && flags & OpenFlag.EXCL) return -Errno.EEXIST;
    const refused = this.checkOpen(found.vnode, flags, context.cred);
    if (refused) return refused;
    if (flags & OpenFlag.TRUNC && found.vnode.type === 'reg') {
      const result = VOP_SETATTR(found.vnode, { size: 0 });
      if (failed(result)) return result;
    }
    return this.finishOpen(found.vnode, found, flags);
  }

  private finishOpen(vnode: Vnode, found: { parent: Vnode; name: string }, flags: number): Opened | Fail {
    const result = VOP_OPEN(vnode, flags);
    return failed(result) ? result : { vnode, parent: found.parent, name: found.name };
  }

  private openCreated(context: NameContext, found: Found, flags: number, mode: number): Opened | Fail {
    if (found.wantsDirectory || flags & OpenFlag.DIRECTORY) return found.wantsDirectory ? -Errno.EISDIR : -Errno.EINVAL;
    const refused = this.checkAccess(found.parent, 3, context.cred);
    if (refused) return refused;
    const vnode = VOP_CREATE(found.parent, found.name, mode & ~context.umask & 0o7777, context.cred);
    return failed(vnode) ? vnode : this.finishOpen(vnode, found, flags);
  }

  private openUnnamed(context: NameContext, path: string, flags: number, mode: number): Opened | Fail {
    if ((flags & OpenFlag.ACCMODE) === OpenFlag.RDONLY) return -Errno.EINVAL;
    const directory = this.find(context, path);
    if (failed(directory)) return directory;
    if (directory.type !== 'dir') return -Errno.ENOTDIR;
    const refused = this.checkAccess(directory, 3, context.cred);
    if (refused) return refused;
    const vnode = VOP_TMPFILE(directory, mode & ~context.umask & 0o7777, context.cred);
    return failed(vnode) ? vnode : this.finishOpen(vnode, { parent: directory, name: '#unnamed' }, flags);
  }

  private checkOpen(vnode: Vnode, flags: number, cred: Cred): Result {
    const write = (flags & OpenFlag.ACCMODE) !== OpenFlag.RDONLY;
    if (vnode.type === 'lnk' && !(flags & OpenFlag.PATH)) return flags & OpenFlag.DIRECTORY ? -Errno.ENOTDIR : -Errno.ELOOP;
    if (flags & OpenFlag.DIRECTORY && vnode.type !== 'dir') return -Errno.ENOTDIR;
    if (flags & OpenFlag.PATH) return 0;
    if (vnode.type === 'dir' && (write || flags & OpenFlag.CREAT)) return -Errno.EISDIR;
    if (vnode.type === 'sock') return -Errno.ENXIO;
    return this.checkAccess(vnode, accessOf(flags), cred);
  }

  /** Directory and name for something new; EEXIST if the name is taken. */
  private newName(context: NameContext, path: string, forDirectory = false): Found | Fail {
    const found = this.namei(context, forDirectory ? path.replace(/(?<=[^/])\/+$/, '') : path, { follow: false });
    if (failed(found)) return found;
    if (found.vnode) return -Errno.EEXIST;
    if (found.wantsDirectory) return -Errno.ENOENT;
    const refused = this.checkAccess(found.parent, 3, context.cred);
    return refused || found;
  }

  mkdir(context: NameContext, path: string, mode: number): Result {
    const found = this.newName(context, path, true);
    if (failed(found)) return found;
    return status(VOP_MKDIR(found.parent, found.name, mode & ~context.umask & 0o1777, context.cred));
  }

  mknod(context: NameContext, path: string, type: VnodeType, mode: number, rdev: number): Result {
    if (type === 'dir' || type === 'lnk') return type === 'dir' ? -Errno.EPERM : -Errno.EINVAL;
    const found = this.newName(context, path);
    if (failed(found)) return found;
    if ((type === 'chr' || type === 'blk') && fileUid(context.cred) !== 0) return -Errno.EPERM;
    return status(VOP_MKNOD(found.parent, found.name, type, mode & ~context.umask & 0o7777, rdev, context.cred));
  }

  symlink(context: NameContext, target: string, path: string): Result {
    if (target === '') return -Errno.ENOENT;
    if (target.length >= PATH_MAX) return -Errno.ENAMETOOLONG;
    const found = this.newName(context, path);
    if (failed(found)) return found;
    return status(VOP_SYMLINK(found.parent, found.name, target, context.cred));
  }

  /** `source` is the object to get another name. */
  link(context: NameContext, source: Vnode, path: string): Result {
    const found = this.newName(context, path);
    if (failed(found)) return found;
    if (source.type === 'dir') return -Errno.EPERM;
    if (source.fs !== found.parent.fs) return -Errno.EXDEV;
    return VOP_LINK(found.parent, source, found.name);
  }

  readlink(context: NameContext, path: string): string | Fail {
    const vnode = this.find(context, path, false);
    if (failed(vnode)) return vnode;
    return vnode.type === 'lnk' ? VOP_READLINK(vnode) : -Errno.EINVAL;
  }

  unlink(context: NameContext, path: string): Result {
    // A symbolic link with a slash behind it is not followed here: it is no directory (do_unlinkat, fs/namei.c).
    const bare = path.replace(/(?<=[^/])\/+$/, '');
    const found = this.namei(context, bare, { follow: false });
    if (failed(found)) return found;
    if (!found.vnode) return -Errno.ENOENT;
    if (found.vnode.type === 'dir') return -Errno.EISDIR;
    if (bare !== path) return -Errno.ENOTDIR;
    const refused = this.checkRemove(found.parent, found.vnode, context.cred);
    return refused || VOP_REMOVE(found.parent, found.name);
  }

  rmdir(context: NameContext, path: string): Result {
    if (/(^|\/)\.\/*$/.test(path)) return -Errno.EINVAL;
    if (/(^|\/)\.\.\/*$/.test(path)) return -Errno.ENOTEMPTY;
    const found = this.namei(context, path.replace(/(?<=[^/])\/+$/, ''), { follow: false });
    if (failed(found)) return found;
    if (!found.vnode) return -Errno.ENOENT;
    if (found.vnode.type !== 'dir') return -Errno.ENOTDIR;
    if (found.name === '.' || this.isMountPoint(found.vnode)) return -Errno.EBUSY;
    const refused = this.checkRemove(found.parent, found.vnode, context.cred);
    return refused || VOP_RMDIR(found.parent, found.name);
  }

  private isMountPoint(vnode: Vnode): boolean {
    return vnode === vnode.fs.root();
  }

  private checkRemove(parent: Vnode, victim: Vnode, cred: Cred): Result {
    const refused = this.checkAccess(parent, 3, cred);
    if (refused) return refused;
    return mayRemove(parent.getattr(), victim.getattr(), cred) ? 0 : -Errno.EPERM;
  }

  /** rename(2); `noReplace` is RENAME_NOREPLACE. The file system holds the rules of POSIX about what may replace what. */
  rename(from: NameContext, fromPath: string, to: NameContext, toPath: string, noReplace = false): Result {
    const source = this.namei(from, trimSlashes(fromPath), { follow: false });
    if (failed(source)) return source;
    const target = this.namei(to, trimSlashes(toPath), { follow: false });
    if (failed(target)) return target;
    if (!source.vnode) return -Errno.ENOENT;
    if (source.name === '.' || target.name === '.') return -Errno.EBUSY;
    const slash = fromPath.endsWith('/') || toPath.endsWith('/');
    if (slash && source.vnode.type !== 'dir') return -Errno.ENOTDIR;
    if (target.vnode && noReplace) return -Errno.EEXIST;
    if (source.parent.fs !== target.parent.fs) return -Errno.EXDEV;
    if (this.isMountPoint(source.vnode) || (target.vnode && this.isMountPoint(target.vnode))) return -Errno.EBUSY;
    return this.checkRename(source, target, from.cred) || VOP_RENAME(source.parent, source.name, target.parent, target.name);
  }

  private checkRename(source: Found, target: Found, cred: Cred): Result {
    const refused = this.checkRemove(source.parent, source.vnode as Vnode, cred);
    if (refused) return refused;
    if (target.vnode) return this.checkRemove(target.parent, target.vnode, cred);
    return this.checkAccess(target.parent, 3, cred);
  }

  // ---- attributes

  stat(context: NameContext, path: string, follow = true): Attr | Fail {
    const vnode = this.find(context, path, follow);
    return failed(vnode) ? vnode : VOP_GETATTR(vnode);
  }

  /** access(2): with the real ids unless `effective`. */
  access(vnode: Vnode, wanted: number, cred: Cred, effective: boolean): Result {
    const { uid, gid, groups } = cred;
    const who = effective ? cred : { uid, gid, euid: uid, egid: gid, groups };
    return this.checkAccess(vnode, wanted, who);
  }

  chmod(vnode: Vnode, mode: number, cred: Cred): Result {
    const attr = VOP_GETATTR(vnode);
    if (failed(attr)) return attr;
    if (!isOwner(attr, cred)) return -Errno.EPERM;
    const inGroup = fileUid(cred) === 0 || cred.egid === attr.gid || cred.groups.includes(attr.gid);
    return VOP_SETATTR(vnode, { mode: mode & (inGroup ? 0o7777 : 0o5777) });
  }

  /** uid or gid -1: unchanged. Set-id bits go unless the superuser asked (chown(2)). */
  chown(vnode: Vnode, uid: number, gid: number, cred: Cred): Result {
    const attr = VOP_GETATTR(vnode);
    if (failed(attr)) return attr;
    const superuser = fileUid(cred) === 0;
    const newGroupOk = gid === -1 || gid === attr.gid || gid === cred.egid || cred.groups.includes(gid);
    if (!superuser && (!isOwner(attr, cred) || (uid !== -1 && uid !== attr.uid) || !newGroupOk)) return -Errno.EPERM;
    const change: AttrChange = {};
    if (uid !== -1) change.uid = uid;
    if (gid !== -1) change.gid = gid;
    if (attr.type === 'reg' && attr.mode & 0o6000) change.mode = attr.mode & (attr.mode & 0o010 ? ~0o6000 : ~0o4000);
    return VOP_SETATTR(vnode, change);
  }

  /** Times null: set to now, for which write permission suffices (utimensat(2)). */
  setTimes(vnode: Vnode, atime: Timespec | null | undefined, mtime: Timespec | null | undefined, cred: Cred): Result {
    const attr = VOP_GETATTR(vnode);
    if (failed(attr)) return attr;
    if (!isOwner(attr, cred)) {
      if (atime !== null || mtime !== null) return -Errno.EPERM;
      const refused = this.checkAccess(vnode, 2, cred);
      if (refused) return refused;
    }
    const now = this.now();
    const change: AttrChange = {};
    if (atime !== undefined) change.atime = atime ?? now;
    if (mtime !== undefined) change.mtime = mtime ?? now;
    return VOP_SETATTR(vnode, change);
  }

  truncate(vnode: Vnode, size: number): Result {
    if (size < 0) return -Errno.EINVAL;
    if (vnode.type === 'dir') return -Errno.EISDIR;
    if (vnode.type !== 'reg') return -Errno.EINVAL;
    return VOP_SETATTR(vnode, { size });
  }

  /** Names in a directory without "." and ".."; for the kernel's own use. */
  list(directory: Vnode): string[] | Fail {
    const entries = VOP_READDIR(directory, 0);
    return failed(entries) ? entries : entries.map((entry) => entry.name).filter((name) => name !== '.' && name !== '..');
  }
}
snapshotClass('Vfs', Vfs);

function accessOf(flags: number): number {
  const mode = flags & OpenFlag.ACCMODE;
  return (mode === OpenFlag.RDONLY ? 4 : mode === OpenFlag.WRONLY ? 2 : 6) | (flags & OpenFlag.TRUNC ? 2 : 0);
}

function fileUid(cred: Cred): number {
  return cred.fsuid ?? cred.euid;
}

function trimSlashes(path: string): string {
  return path.replace(/(?<=[^/])\/+$/, '');
}

function status(value: Vnode | Fail): Result {
  return failed(value) ? value : 0;
}

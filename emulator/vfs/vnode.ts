import { Errno, type Fail, type Result } from '../base/index.js';
import type { Pager } from '../memory/pager.js';
import type { Vfs } from './vfs.js';
import type { VnodePager } from './vnode-pager.js';

export type VnodeType = 'reg' | 'dir' | 'lnk' | 'chr' | 'blk' | 'fifo' | 'sock';

/** Seconds and nanoseconds apart: nanoseconds since 1970 do not fit a double. */
export interface Timespec {
  readonly sec: number;
  readonly nsec: number;
}

export interface Attr {
  type: VnodeType;
  /** Permission bits with set-id and sticky, 07777. */
  mode: number;
  uid: number;
  gid: number;
  ino: number;
  dev: number;
  nlink: number;
  size: number;
  /** (major << 8) | minor of a device node. */
  rdev: number;
  atime: Timespec;
  mtime: Timespec;
  ctime: Timespec;
  /** In units of 512 bytes. */
  blocks: number;
  blksize: number;
}

export type AttrChange = Partial<Pick<Attr, 'mode' | 'uid' | 'gid' | 'size' | 'atime' | 'mtime'>>;

export interface Cred {
  uid: number;
  gid: number;
  euid: number;
  egid: number;
  /** Identity for file access where it differs from euid/egid (setfsuid). */
  fsuid?: number;
  fsgid?: number;
  groups: readonly number[];
}

export interface DirEntry {
  name: string;
  ino: number;
  type: VnodeType;
  /** Where to go on after this entry; stays valid while other entries come and go. */
  cookie: number;
}

export interface Statfs {
  /** f_type, e.g. 0x01021994 for a tmpfs. */
  magic: number;
  blockSize: number;
  blocks: number;
  free: number;
  files: number;
  filesFree: number;
  nameMax: number;
}

/** A mountable file system. Implementors are snapshot classes. */
export interface Filesystem {
  /** As in /proc/filesystems. */
  readonly name: string;
  readonly vfs: Vfs;
  /** st_dev of everything in it. */
  readonly dev: number;
  root(): Vnode;
  statfs(): Statfs;
  /** sync(2): write back what is only in a cache; absent where nothing is. */
  sync?(): void;
}

/** One mounted file system: `root` covers `covered`; nothing covers the root of all. */
export interface Mount {
  fs: Filesystem;
  covered: Vnode | null;
  /** The path it was mounted on, for /proc/mounts. */
  path: string;
  options: string;
}

/** What a write takes: bytes, or a gather list of them (BSD's uio), moved in one operation. */
export type Gather = Uint8Array | readonly Uint8Array[];

export function gatherLength(bytes: Gather): number {
  if (bytes instanceof Uint8Array) return bytes.length;
  let length = 0;
  for (const part of bytes) length += part.length;
  return length;
}

/**
 * A file object in memory, in BSD's words. Callers go through the VOP_* wrappers (vop.ts), which charge
 * and count every operation; permissions were checked before (vfs.ts). What a kind of file cannot do, it
 * answers with an errno: the defaults here.
 */
export abstract class Vnode {
  readonly fs: Filesystem;
  readonly type: VnodeType;
  /** Opens and mappings that keep the object alive; the last one gone makes it inactive. */
  usecount = 0;
  /** The file system mounted on this directory. */
  mountedHere: Mount | null = null;
  /** The page cache, while something maps the file. */
  pages: VnodePager | null = null;
  /** Pipe buffer and other kernel state bound to a special file while it is open. */
  special: object | null = null;
  /** Advisory locks on the file; the kernel's. */
  locks: object | null = null;

  constructor(fs: Filesystem, type: VnodeType) {
    this.fs = fs;
    this.type = type;
  }

  abstract getattr(): Attr;

  setattr(_change: AttrChange): Result { return -Errno.EPERM; }

  /** `.` and `..` included; `..` of a file system's root is the root itself. */
  lookup(_name: string): Vnode | Fail { return -Errno.ENOTDIR; }
  create(_name: string, _mode: number, _cred: Cred): Vnode | Fail { return -Errno.EPERM; }
  /** A regular file without a name. */
  tmpfile(_mode: number, _cred: Cred): Vnode | Fail { return -Errno.EOPNOTSUPP; }
  mknod(_name: string, _type: VnodeType, _mode: number, _rdev: number, _cred: Cred): Vnode | Fail { return -Errno.EPERM; }
  mkdir(_name: string, _mode: number, _cred: Cred): Vnode | Fail { return -Errno.EPERM; }
  symlink(_name: string, _target: string, _cred: Cred): Vnode | Fail { return -Errno.EPERM; }
  /** Give `target`, a vnode of the same file system, another name in this directory. */
  link(_target: Vnode, _name: string): Result { return -Errno.EPERM; }
  remove(_name: string): Result { return -Errno.EPERM; }
  rmdir(_name: string): Result { return -Errno.EPERM; }
  rename(_name: string, _toDirectory: Vnode, _toName: string): Result { return -Errno.EPERM; }
  readlink(): string | Fail { return -Errno.EINVAL; }
  /** A link that leads to an object, not to a name (/proc/self/exe): the object. */
  jump(): Vnode | Fail | null { return null; }
  /** Entries after `cookie` (0: from the start). */
  readdir(_cookie: number): DirEntry[] | Fail { return -Errno.ENOTDIR; }
  /** The name of `child` in this directory, for getcwd. */
  nameOf(_child: Vnode): string | null { return null; }

  /** Bytes from `offset`, fewer at the end. The result may be a view of the store: it stays right while the file is only read. */
  read(_offset: number, _length: number): Uint8Array | Fail { return -Errno.EINVAL; }
  /** The same for observers: nothing is booked, nothing moves in a cache. */
  peek(offset: number, length: number): Uint8Array | Fail {
    return this.fs.vfs.quietly(() => this.read(offset, length));
  }
  /** Bytes written: all, or as many as fitted, or -ENOSPC when none did. */
  write(_offset: number, _bytes: Gather): Result { return -Errno.EINVAL; }
  /** Make room so that writes below offset + length cannot fail for lack of it; the size grows unless `keepSize`. */
  allocate(_offset: number, _length: number, _keepSize: boolean): Result { return -Errno.EOPNOTSUPP; }
  /**
   * Make page frames the pages of the file from `offset` on, which is page aligned, without copying them. On success the file holds the
   * caller's reference to each; nobody may write a frame while the file has it. -EBUSY: the file is mapped.
   */
  adopt(_offset: number, _frames: readonly number[]): Result { return -Errno.EOPNOTSUPP; }
  /** The frames that are `pages` pages of the file from `offset` on, -1 for a page that is in none; null: none is. No reference is added. */
  frames(_offset: number, _pages: number): number[] | null { return null; }
  /** Adopted frames that others hold too. */
  get lentFrames(): number { return 0; }
  fsync(): Result { return 0; }
  open(_flags: number): Result { return 0; }
  close(): Result { return 0; }
  /** Nobody uses it any longer; without a name left its storage goes. */
  inactive(): void {}
  /** The pager that mappings of this file use. */
  pager(): Pager | Fail { return -Errno.ENODEV; }
}

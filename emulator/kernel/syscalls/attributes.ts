import { Errno, failed, type Fail, type Result } from '../../base/index.js';
import type { Attr, Timespec, Vnode } from '../../vfs/vnode.js';
import { VOP_GETATTR } from '../../vfs/vop.js';
import type { Kernel } from '../kernel.js';
import type { NodeOwner } from '../open-file.js';
import { packStat, packStat64, packStatx } from '../stat.js';
import { defineSyscalls } from '../syscall-table.js';
import type { Thread } from '../thread.js';
import { truncateNode } from '../truncate.js';
import { pair } from '../user-memory.js';
import { AT, AT_FDCWD, target, vnodeOf } from '../user-path.js';

/** System calls on what a file is besides its bytes: status, mode, owner, size and times. */

const AT_EACCESS = 0x200;

/** Do something with the vnode a path leads to. */
function withTarget(kernel: Kernel, thread: Thread, dirfd: number, pathAt: number, flags: number, action: (vnode: Vnode) => Result): Result {
  const vnode = target(kernel, thread, dirfd, pathAt, flags);
  return failed(vnode) ? vnode : action(vnode);
}

function attrOfFd(thread: Thread, fd: number): Attr | Fail {
  const file = thread.process.fds.get(fd);
  return file ? file.stat() : -Errno.EBADF;
}

type Packer = (attr: Attr) => Uint8Array | null;

function deliver(thread: Thread, at: number, attr: Attr | Fail, pack: Packer): Result {
  if (failed(attr)) return attr;
  const bytes = pack(attr);
  return bytes ? thread.process.space.copyout(at >>> 0, bytes) : -Errno.EOVERFLOW;
}

const STAT_FLAGS = AT.SYMLINK_NOFOLLOW | AT.NO_AUTOMOUNT | AT.EMPTY_PATH | AT.STATX_SYNC_TYPE;

function statPath(kernel: Kernel, thread: Thread, dirfd: number, pathAt: number, flags: number, at: number, pack: Packer): Result {
  if (flags & ~STAT_FLAGS) return -Errno.EINVAL;
  const vnode = target(kernel, thread, dirfd, pathAt, flags);
  // An open file without a vnode (pipe, socket) is reached by AT_EMPTY_PATH only.
  if (vnode === -Errno.EINVAL && flags & AT.EMPTY_PATH && thread.process.fds.get(dirfd)) return deliver(thread, at, attrOfFd(thread, dirfd), pack);
  return deliver(thread, at, failed(vnode) ? vnode : VOP_GETATTR(vnode), pack);
}

const statCall = (flags: number, pack: Packer) => (kernel: Kernel, thread: Thread, pathAt: number, at: number): Result =>
  statPath(kernel, thread, AT_FDCWD, pathAt, flags, at, pack);
const fstatCall = (pack: Packer) => (_kernel: Kernel, thread: Thread, fd: number, at: number): Result =>
  deliver(thread, at, attrOfFd(thread, fd), pack);

function fstatat64(kernel: Kernel, thread: Thread, dirfd: number, pathAt: number, at: number, flags: number): Result {
  return statPath(kernel, thread, dirfd, pathAt, flags, at, packStat64);
}

function statx(kernel: Kernel, thread: Thread, dirfd: number, pathAt: number, flags: number, mask: number, at: number): Result {
  return mask < 0 ? -Errno.EINVAL : statPath(kernel, thread, dirfd, pathAt, flags, at, packStatx);
}

function faccessat(kernel: Kernel, thread: Thread, dirfd: number, pathAt: number, mode: number, flags: number): Result {
  if (mode & ~7 || flags & ~(AT_EACCESS | AT.SYMLINK_NOFOLLOW | AT.EMPTY_PATH)) return -Errno.EINVAL;
  const { cred } = thread.process;
  const effective = (flags & AT_EACCESS) !== 0;
  const vnode = target(kernel, thread, dirfd, pathAt, flags);
  return failed(vnode) ? vnode : kernel.vfs.access(vnode, mode, cred, effective);
}

function chmodAt(kernel: Kernel, thread: Thread, dirfd: number, pathAt: number, mode: number): Result {
  return withTarget(kernel, thread, dirfd, pathAt, 0, (vnode) => kernel.vfs.chmod(vnode, mode, thread.process.cred));
}

/** Pipes and the like: their owner or the superuser may change the mode, the superuser alone who owns them. */
function changeNameless(thread: Thread, fd: number, change: NodeOwner): Result {
  const file = thread.process.fds.get(fd);
  const attr = file?.stat() ?? -Errno.EBADF;
  if (!file || failed(attr)) return attr as Fail;
  const { euid } = thread.process.cred;
  if (euid !== 0 && (attr.uid !== euid || change.mode === undefined)) return -Errno.EPERM;
  return file.setattr(change);
}

function fchmod(kernel: Kernel, thread: Thread, fd: number, mode: number): Result {
  if (thread.process.fds.get(fd)?.vnode === null) return changeNameless(thread, fd, { mode: mode & 0o7777 });
  const vnode = vnodeOf(thread, fd);
  return failed(vnode) ? vnode : kernel.vfs.chmod(vnode, mode, thread.process.cred);
}

function chownAt(kernel: Kernel, thread: Thread, dirfd: number, pathAt: number, uid: number, gid: number, flags: number): Result {
  if (flags & ~(AT.SYMLINK_NOFOLLOW | AT.EMPTY_PATH)) return -Errno.EINVAL;
  return withTarget(kernel, thread, dirfd, pathAt, flags, (vnode) => chownVnode(kernel, thread, vnode, uid, gid));
}

function chownVnode(kernel: Kernel, thread: Thread, vnode: Vnode, uid: number, gid: number): Result {
  return kernel.vfs.chown(vnode, uid === -1 ? -1 : uid >>> 0, gid === -1 ? -1 : gid >>> 0, thread.process.cred);
}

function fchown(kernel: Kernel, thread: Thread, fd: number, uid: number, gid: number): Result {
  if (thread.process.fds.get(fd)?.vnode === null) {
    return changeNameless(thread, fd, { ...(uid === -1 ? {} : { uid: uid >>> 0 }), ...(gid === -1 ? {} : { gid: gid >>> 0 }) });
  }
  const vnode = vnodeOf(thread, fd);
  return failed(vnode) ? vnode : chownVnode(kernel, thread, vnode, uid, gid);
}

function truncate(kernel: Kernel, thread: Thread, pathAt: number, size: number): Result {
  return withTarget(kernel, thread, AT_FDCWD, pathAt, 0, (vnode) => {
    if (vnode.type === 'dir') return -Errno.EISDIR;
    return kernel.vfs.checkAccess(vnode, 2, thread.process.cred) || truncateNode(kernel, vnode, size);
  });
}

// ---- times

const UTIME_NOW = 0x3fff_ffff;
const UTIME_OMIT = 0x3fff_fffe;
/** null: now; undefined: unchanged. */
type Stamp = Timespec | null | undefined;

/** Two struct timespec; an address of 0 means now for both. */
function readStamps(thread: Thread, at: number, wide: boolean): [Stamp, Stamp] | Fail {
  if (at === 0) return [null, null];
  const words = thread.process.space.readWords(at >>> 0, wide ? 8 : 4);
  if (failed(words)) return words;
  const one = (i: number): Stamp | Fail => {
    const sec = wide ? pair(words[i], words[i + 1]) : words[i];
    const nsec = wide ? words[i + 2] : words[i + 1];
    if (nsec === UTIME_NOW) return null;
    if (nsec === UTIME_OMIT) return undefined;
    return nsec < 0 || nsec >= 1e9 ? -Errno.EINVAL : { sec, nsec };
  };
  const [atime, mtime] = [one(0), one(wide ? 4 : 2)];
  return failed(atime) ? atime : failed(mtime) ? mtime : [atime, mtime];
}

function utimensat(kernel: Kernel, thread: Thread, dirfd: number, pathAt: number, at: number, flags: number, wide: boolean): Result {
  const stamps = readStamps(thread, at, wide);
  if (failed(stamps)) return stamps;
  if (flags & ~(AT.SYMLINK_NOFOLLOW | AT.EMPTY_PATH)) return -Errno.EINVAL;
  // futimens(3) passes no path: the file is the descriptor's.
  const vnode = pathAt === 0 && dirfd !== AT_FDCWD ? vnodeOf(thread, dirfd) : target(kernel, thread, dirfd, pathAt, flags);
  return failed(vnode) ? vnode : kernel.vfs.setTimes(vnode, stamps[0], stamps[1], thread.process.cred);
}

/** utimes and futimesat: two struct timeval. */
function utimes(kernel: Kernel, thread: Thread, dirfd: number, pathAt: number, at: number): Result {
  let stamps: [Stamp, Stamp] = [null, null];
  if (at !== 0) {
    const words = thread.process.space.readWords(at >>> 0, 4);
    if (failed(words)) return words;
    if ([words[1], words[3]].some((usec) => usec < 0 || usec >= 1e6)) return -Errno.EINVAL;
    stamps = [{ sec: words[0], nsec: words[1] * 1000 }, { sec: words[2], nsec: words[3] * 1000 }];
  }
  return withTarget(kernel, thread, dirfd, pathAt, 0, (vnode) => kernel.vfs.setTimes(vnode, stamps[0], stamps[1], thread.process.cred));
}

function utime(kernel: Kernel, thread: Thread, pathAt: number, at: number): Result {
  let stamps: [Stamp, Stamp] = [null, null];
  if (at !== 0) {
    const words = thread.process.space.readWords(at >>> 0, 2);
    if (failed(words)) return words;
    stamps = [{ sec: words[0], nsec: 0 }, { sec: words[1], nsec: 0 }];
  }
  return withTarget(kernel, thread, AT_FDCWD, pathAt, 0, (vnode) => kernel.vfs.setTimes(vnode, stamps[0], stamps[1], thread.process.cred));
}

/** No file system here has extended attributes. */
const noAttributes = (): Result => -Errno.EOPNOTSUPP;

defineSyscalls({
  4015: ['chmod', 2, (kernel, thread, path, mode) => chmodAt(kernel, thread, AT_FDCWD, path, mode)],
  4016: ['lchown', 3, (kernel, thread, path, uid, gid) => chownAt(kernel, thread, AT_FDCWD, path, uid, gid, AT.SYMLINK_NOFOLLOW)],
  4030: ['utime', 2, utime],
  4033: ['access', 2, (kernel, thread, path, mode) => faccessat(kernel, thread, AT_FDCWD, path, mode, 0)],
  4092: ['truncate', 2, truncate],
  4094: ['fchmod', 2, fchmod],
  4095: ['fchown', 3, fchown],
  4106: ['stat', 2, statCall(0, packStat)],
  4107: ['lstat', 2, statCall(AT.SYMLINK_NOFOLLOW, packStat)],
  4108: ['fstat', 2, fstatCall(packStat)],
  4202: ['chown', 3, (kernel, thread, path, uid, gid) => chownAt(kernel, thread, AT_FDCWD, path, uid, gid, 0)],
  4211: ['truncate64', 4, (kernel, thread, path, _pad, low, high) => truncate(kernel, thread, path, pair(low, high))],
  4213: ['stat64', 2, statCall(0, packStat64)],
  4214: ['lstat64', 2, statCall(AT.SYMLINK_NOFOLLOW, packStat64)],
  4215: ['fstat64', 2, fstatCall(packStat64)],
  4224: ['setxattr', 5, noAttributes],
  4225: ['lsetxattr', 5, noAttributes],
  4226: ['fsetxattr', 5, noAttributes],
  4227: ['getxattr', 4, noAttributes],
  4228: ['lgetxattr', 4, noAttributes],
  4229: ['fgetxattr', 4, noAttributes],
  4230: ['listxattr', 3, noAttributes],
  4231: ['llistxattr', 3, noAttributes],
  4232: ['flistxattr', 3, noAttributes],
  4267: ['utimes', 2, (kernel, thread, path, at) => utimes(kernel, thread, AT_FDCWD, path, at)],
  4291: ['fchownat', 5, chownAt],
  4292: ['futimesat', 3, utimes],
  4293: ['fstatat64', 4, fstatat64],
  4299: ['fchmodat', 3, chmodAt],
  4300: ['faccessat', 3, (kernel, thread, dirfd, path, mode) => faccessat(kernel, thread, dirfd, path, mode, 0)],
  4316: ['utimensat', 4, (kernel, thread, dirfd, path, at, flags) => utimensat(kernel, thread, dirfd, path, at, flags, false)],
  4366: ['statx', 5, statx],
  4412: ['utimensat_time64', 4, (kernel, thread, dirfd, path, at, flags) => utimensat(kernel, thread, dirfd, path, at, flags, true)],
  4439: ['faccessat2', 4, faccessat],
});

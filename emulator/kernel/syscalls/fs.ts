import { Errno, failed, type Fail, type Result } from '../../base/index.js';
import { OpenFlag } from '../../vfs/open-flags.js';
import { makeFilesystem } from '../../vfs/filesystem-types.js';
import { PATH_MAX, type NameContext } from '../../vfs/lookup.js';
import type { Attr, DirEntry, Timespec, Vnode, VnodeType } from '../../vfs/vnode.js';
import { VOP_GETATTR, VOP_READDIR } from '../../vfs/vop.js';
import type { Kernel } from '../kernel.js';
import type { NodeOwner, OpenFile } from '../open-file.js';
import { openNode } from '../open-node.js';
import { ProcFs } from '../procfs.js';
import { truncateNode, unmapBeyond } from '../truncate.js';
import { packStat, packStat64, packStatfs, packStatfs64, packStatx, S_IFMT } from '../stat.js';
import { defineSyscalls } from '../syscall-table.js';
import type { Thread } from '../thread.js';

/** System calls on names, and the *at forms behind them; attributes; directories; mounts. */

const AT_FDCWD = -100;
const AT = { SYMLINK_NOFOLLOW: 0x100, REMOVEDIR: 0x200, SYMLINK_FOLLOW: 0x400, NO_AUTOMOUNT: 0x800, EMPTY_PATH: 0x1000, STATX_SYNC_TYPE: 0x6000 } as const;
const AT_EACCESS = 0x200;

function pair(low: number, high: number): number {
  return high * 4294967296 + (low >>> 0);
}

// ---- where a path starts, and what it leads to

/** The process's view, with the directory behind `dirfd` in place of its working directory. */
function viewFrom(thread: Thread, dirfd: number): NameContext | Fail {
  const { process } = thread;
  if (dirfd === AT_FDCWD) return process;
  const file = process.fds.get(dirfd);
  if (!file) return -Errno.EBADF;
  if (file.vnode?.type !== 'dir') return -Errno.ENOTDIR;
  return { cwd: file.vnode, root: process.root, cred: process.cred, umask: process.umask };
}

interface Named {
  context: NameContext;
  path: string;
}

/** A user's path. One that starts at the root needs no valid `dirfd`. */
function named(thread: Thread, dirfd: number, pathAt: number): Named | Fail {
  const path = thread.process.space.copyinString(pathAt >>> 0);
  if (failed(path)) return path;
  const context = path[0] === '/' ? thread.process : viewFrom(thread, dirfd);
  return failed(context) ? context : { context, path };
}

/** The vnode a path leads to; with AT_EMPTY_PATH and an empty path, the one behind `dirfd`. */
function target(kernel: Kernel, thread: Thread, dirfd: number, pathAt: number, flags: number): Vnode | Fail {
  const path = flags & AT.EMPTY_PATH && pathAt === 0 ? '' : thread.process.space.copyinString(pathAt >>> 0);
  if (failed(path)) return path;
  if (path === '' && flags & AT.EMPTY_PATH) return dirfd === AT_FDCWD ? thread.process.cwd : vnodeOf(thread, dirfd);
  const context = path[0] === '/' ? thread.process : viewFrom(thread, dirfd);
  return failed(context) ? context : kernel.vfs.find(context, path, !(flags & AT.SYMLINK_NOFOLLOW));
}

function vnodeOf(thread: Thread, fd: number): Vnode | Fail {
  const file = thread.process.fds.get(fd);
  if (!file) return -Errno.EBADF;
  return file.vnode ?? -Errno.EINVAL;
}

/** Do something with the vnode a path leads to. */
function withTarget(kernel: Kernel, thread: Thread, dirfd: number, pathAt: number, flags: number, action: (vnode: Vnode) => Result): Result {
  const vnode = target(kernel, thread, dirfd, pathAt, flags);
  return failed(vnode) ? vnode : action(vnode);
}

// ---- open

function openat(kernel: Kernel, thread: Thread, dirfd: number, pathAt: number, flags: number, mode: number): number {
  const { fds } = thread.process;
  const name = named(thread, dirfd, pathAt);
  if (failed(name)) return name;
  const free = fds.lowestFree();
  if (free < 0) return free;
  const opened = kernel.vfs.openAt(name.context, name.path, flags, mode);
  if (opened === -Errno.ENOENT && isKernelPath(name.path)) kernel.countUnknown(`path ${name.path}`, thread.process.comm);
  if (failed(opened)) return opened;
  if (flags & OpenFlag.TRUNC && opened.vnode.type === 'reg') unmapBeyond(kernel, opened.vnode, 0);
  const file = openNode(kernel, thread, opened, flags);
  return failed(file) ? file : fds.install(file, 0, (flags & OpenFlag.CLOEXEC) !== 0);
}

/** A name the kernel should know, and not one of a process that may have ended: its absence belongs in the end-of-run report. */
function isKernelPath(path: string): boolean {
  return /^\/(proc|sys|dev)\//.test(path) && !/^\/proc\/\d/.test(path);
}

function open(kernel: Kernel, thread: Thread, pathAt: number, flags: number, mode: number): number {
  return openat(kernel, thread, AT_FDCWD, pathAt, flags, mode);
}

function creat(kernel: Kernel, thread: Thread, pathAt: number, mode: number): number {
  return openat(kernel, thread, AT_FDCWD, pathAt, OpenFlag.CREAT | OpenFlag.WRONLY | OpenFlag.TRUNC, mode);
}

// ---- attributes

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

// ---- names

function mkdirat(kernel: Kernel, thread: Thread, dirfd: number, pathAt: number, mode: number): Result {
  const name = named(thread, dirfd, pathAt);
  return failed(name) ? name : kernel.vfs.mkdir(name.context, name.path, mode & 0o7777);
}

const typeOfMode = new Map<number, VnodeType>([...Object.entries(S_IFMT).map(([type, bits]): [number, VnodeType] => [bits, type as VnodeType]), [0, 'reg']]);

function mknodat(kernel: Kernel, thread: Thread, dirfd: number, pathAt: number, mode: number, rdev: number): Result {
  const name = named(thread, dirfd, pathAt);
  if (failed(name)) return name;
  const type = typeOfMode.get(mode & 0o170000);
  return type ? kernel.vfs.mknod(name.context, name.path, type, mode & 0o7777, rdev & 0xfffff) : -Errno.EINVAL;
}

function unlinkat(kernel: Kernel, thread: Thread, dirfd: number, pathAt: number, flags: number): Result {
  const name = named(thread, dirfd, pathAt);
  if (failed(name)) return name;
  if (flags & ~AT.REMOVEDIR) return -Errno.EINVAL;
  return flags & AT.REMOVEDIR ? kernel.vfs.rmdir(name.context, name.path) : kernel.vfs.unlink(name.context, name.path);
}

const RENAME_NOREPLACE = 1;

function renameat2(kernel: Kernel, thread: Thread, fromFd: number, fromAt: number, toFd: number, toAt: number, flags: number): Result {
  if (flags & ~RENAME_NOREPLACE) return -Errno.EINVAL;
  const from = named(thread, fromFd, fromAt);
  if (failed(from)) return from;
  const to = named(thread, toFd, toAt);
  return failed(to) ? to : kernel.vfs.rename(from.context, from.path, to.context, to.path, flags !== 0);
}

function linkat(kernel: Kernel, thread: Thread, fromFd: number, fromAt: number, toFd: number, toAt: number, flags: number): Result {
  if (flags & ~(AT.SYMLINK_FOLLOW | AT.EMPTY_PATH)) return -Errno.EINVAL;
  const follow = flags & AT.SYMLINK_FOLLOW ? 0 : AT.SYMLINK_NOFOLLOW;
  const source = target(kernel, thread, fromFd, fromAt, follow | (flags & AT.EMPTY_PATH));
  if (failed(source)) return source;
  const to = named(thread, toFd, toAt);
  return failed(to) ? to : kernel.vfs.link(to.context, source, to.path);
}

function symlinkat(kernel: Kernel, thread: Thread, targetAt: number, dirfd: number, pathAt: number): Result {
  const text = thread.process.space.copyinString(targetAt >>> 0);
  if (failed(text)) return text;
  const name = named(thread, dirfd, pathAt);
  return failed(name) ? name : kernel.vfs.symlink(name.context, text, name.path);
}

function readlinkat(kernel: Kernel, thread: Thread, dirfd: number, pathAt: number, buffer: number, size: number): Result {
  if (size <= 0) return -Errno.EINVAL;
  const name = named(thread, dirfd, pathAt);
  if (failed(name)) return name;
  const text = kernel.vfs.readlink(name.context, name.path);
  if (failed(text)) return text;
  const bytes = Buffer.from(text, 'latin1').subarray(0, size);
  const result = thread.process.space.copyout(buffer >>> 0, bytes);
  return failed(result) ? result : bytes.length;
}

// ---- directories

const DT: Record<VnodeType, number> = { fifo: 1, chr: 2, dir: 4, blk: 6, reg: 8, lnk: 10, sock: 12 };

/** struct linux_dirent64: ino u64, cookie s64, record length u16, type u8, name with its NUL, padded to 8. */
function packDirent64(entry: DirEntry): Uint8Array {
  const name = Buffer.from(entry.name, 'latin1');
  const bytes = new Uint8Array((19 + name.length + 1 + 7) & ~7);
  const view = new DataView(bytes.buffer);
  view.setUint32(0, entry.ino, true);
  view.setUint32(8, entry.cookie, true);
  view.setUint16(16, bytes.length, true);
  bytes[18] = DT[entry.type];
  bytes.set(name, 19);
  return bytes;
}

/** struct linux_dirent: ino u32, cookie u32, record length u16, name with its NUL, padded to 4, the last byte the type. */
function packDirent(entry: DirEntry): Uint8Array {
  const name = Buffer.from(entry.name, 'latin1');
  const bytes = new Uint8Array((10 + name.length + 2 + 3) & ~3);
  const view = new DataView(bytes.buffer);
  view.setUint32(0, entry.ino, true);
  view.setUint32(4, entry.cookie, true);
  view.setUint16(8, bytes.length, true);
  bytes.set(name, 10);
  bytes[bytes.length - 1] = DT[entry.type];
  return bytes;
}

const getdentsCall = (pack: (entry: DirEntry) => Uint8Array) => (_kernel: Kernel, thread: Thread, fd: number, buffer: number, size: number): Result => {
  const { fds, space } = thread.process;
  const file: OpenFile | undefined = fds.get(fd);
  if (!file?.readable) return -Errno.EBADF;
  if (file.vnode?.type !== 'dir') return -Errno.ENOTDIR;
  if (file.vnode.getattr().nlink === 0) return -Errno.ENOENT;
  const entries = VOP_READDIR(file.vnode, file.position);
  if (failed(entries)) return entries;
  const records: Uint8Array[] = [];
  let length = 0;
  let cookie = file.position;
  for (const entry of entries) {
    const record = pack(entry);
    if (length + record.length > size >>> 0) break;
    records.push(record);
    length += record.length;
    cookie = entry.cookie;
  }
  if (records.length === 0) return entries.length > 0 ? -Errno.EINVAL : 0;
  const result = space.copyout(buffer >>> 0, Buffer.concat(records));
  if (failed(result)) return result;
  file.position = cookie;
  return length;
};

function changeDirectory(kernel: Kernel, thread: Thread, vnode: Vnode | Fail, which: 'cwd' | 'root'): Result {
  if (failed(vnode)) return vnode;
  if (vnode.type !== 'dir') return -Errno.ENOTDIR;
  const refused = kernel.vfs.checkAccess(vnode, 1, thread.process.cred);
  if (refused) return refused;
  thread.process[which] = vnode;
  return 0;
}

function chdir(kernel: Kernel, thread: Thread, pathAt: number): Result {
  return changeDirectory(kernel, thread, target(kernel, thread, AT_FDCWD, pathAt, 0), 'cwd');
}

function fchdir(kernel: Kernel, thread: Thread, fd: number): Result {
  const vnode = vnodeOf(thread, fd);
  return changeDirectory(kernel, thread, vnode === -Errno.EINVAL ? -Errno.ENOTDIR : vnode, 'cwd');
}

function chroot(kernel: Kernel, thread: Thread, pathAt: number): Result {
  if (thread.process.cred.euid !== 0) return -Errno.EPERM;
  return changeDirectory(kernel, thread, target(kernel, thread, AT_FDCWD, pathAt, 0), 'root');
}

function getcwd(kernel: Kernel, thread: Thread, buffer: number, size: number): Result {
  const { process } = thread;
  const path = kernel.vfs.pathOf(process.cwd, process.root);
  if (failed(path)) return path;
  const bytes = Buffer.from(`${path}\0`, 'latin1');
  if (bytes.length > PATH_MAX) return -Errno.ENAMETOOLONG;
  if (bytes.length > size >>> 0) return -Errno.ERANGE;
  const result = process.space.copyout(buffer >>> 0, bytes);
  return failed(result) ? result : bytes.length;
}

function umask(_kernel: Kernel, thread: Thread, mask: number): Result {
  const before = thread.process.umask;
  thread.process.umask = mask & 0o777;
  return before;
}

// ---- file systems

function statfsTo(thread: Thread, vnode: Vnode | Fail, at: number, wide: boolean): Result {
  if (failed(vnode)) return vnode;
  const { fs } = vnode;
  return thread.process.space.copyout(at >>> 0, wide ? packStatfs64(fs.statfs(), fs.dev) : packStatfs(fs.statfs(), fs.dev));
}

const STATFS64_BYTES = 88;
const STATFS64_PADDED = 96;

function statfs64(thread: Thread, vnode: Vnode | Fail, size: number, at: number): Result {
  return size === STATFS64_PADDED || size === STATFS64_BYTES ? statfsTo(thread, vnode, at, true) : -Errno.EINVAL;
}

function anyVnode(kernel: Kernel, thread: Thread, fd: number): Vnode | Fail {
  const vnode = vnodeOf(thread, fd);
  return vnode === -Errno.EINVAL ? kernel.vfs.root : vnode;
}

const MS_REMOUNT = 32;
const MS_IGNORED_KINDS = 0x1000 | 0x2000 | 0x40000 | 0x80000 | 0x100000 | 0x20000;

/** mount(2) of memory file systems and /proc; remounts change nothing. */
function mount(kernel: Kernel, thread: Thread, _source: number, pathAt: number, typeAt: number, flags: number, dataAt: number): Result {
  const { process } = thread;
  if (process.cred.euid !== 0) return -Errno.EPERM;
  const name = named(thread, AT_FDCWD, pathAt);
  if (failed(name)) return name;
  if (flags & (MS_REMOUNT | MS_IGNORED_KINDS)) return flags & 0x3000 ? -Errno.EINVAL : 0;
  const type = process.space.copyinString(typeAt >>> 0);
  if (failed(type)) return type;
  const data = dataAt === 0 ? '' : process.space.copyinString(dataAt >>> 0);
  if (failed(data)) return data;
  const fs = type === 'proc' || type === 'sysfs' ? new ProcFs(kernel, type) : makeFilesystem(type, kernel.vfs, data);
  return fs ? kernel.vfs.mount(name.context, name.path, fs) : -Errno.ENODEV;
}

function umount(kernel: Kernel, thread: Thread, pathAt: number): Result {
  if (thread.process.cred.euid !== 0) return -Errno.EPERM;
  const name = named(thread, AT_FDCWD, pathAt);
  return failed(name) ? name : kernel.vfs.unmount(name.context, name.path);
}

function sync(kernel: Kernel): Result {
  for (const { fs } of kernel.vfs.mounts) fs.sync?.();
  return 0;
}

/** No file system here has extended attributes. */
const noAttributes = (): Result => -Errno.EOPNOTSUPP;

defineSyscalls({
  4005: ['open', 3, open],
  4008: ['creat', 2, creat],
  4009: ['link', 2, (kernel, thread, from, to) => linkat(kernel, thread, AT_FDCWD, from, AT_FDCWD, to, 0)],
  4010: ['unlink', 1, (kernel, thread, path) => unlinkat(kernel, thread, AT_FDCWD, path, 0)],
  4012: ['chdir', 1, chdir],
  4014: ['mknod', 3, (kernel, thread, path, mode, rdev) => mknodat(kernel, thread, AT_FDCWD, path, mode, rdev)],
  4015: ['chmod', 2, (kernel, thread, path, mode) => chmodAt(kernel, thread, AT_FDCWD, path, mode)],
  4016: ['lchown', 3, (kernel, thread, path, uid, gid) => chownAt(kernel, thread, AT_FDCWD, path, uid, gid, AT.SYMLINK_NOFOLLOW)],
  4021: ['mount', 5, mount],
  4022: ['umount', 1, umount],
  4030: ['utime', 2, utime],
  4033: ['access', 2, (kernel, thread, path, mode) => faccessat(kernel, thread, AT_FDCWD, path, mode, 0)],
  4036: ['sync', 0, sync],
  4038: ['rename', 2, (kernel, thread, from, to) => renameat2(kernel, thread, AT_FDCWD, from, AT_FDCWD, to, 0)],
  4039: ['mkdir', 2, (kernel, thread, path, mode) => mkdirat(kernel, thread, AT_FDCWD, path, mode)],
  4040: ['rmdir', 1, (kernel, thread, path) => unlinkat(kernel, thread, AT_FDCWD, path, AT.REMOVEDIR)],
  4052: ['umount2', 2, umount],
  4060: ['umask', 1, umask],
  4061: ['chroot', 1, chroot],
  4083: ['symlink', 2, (kernel, thread, text, path) => symlinkat(kernel, thread, text, AT_FDCWD, path)],
  4085: ['readlink', 3, (kernel, thread, path, buffer, size) => readlinkat(kernel, thread, AT_FDCWD, path, buffer, size)],
  4092: ['truncate', 2, truncate],
  4094: ['fchmod', 2, fchmod],
  4095: ['fchown', 3, fchown],
  4099: ['statfs', 2, (kernel, thread, path, at) => statfsTo(thread, target(kernel, thread, AT_FDCWD, path, 0), at, false)],
  4100: ['fstatfs', 2, (kernel, thread, fd, at) => statfsTo(thread, anyVnode(kernel, thread, fd), at, false)],
  4106: ['stat', 2, statCall(0, packStat)],
  4107: ['lstat', 2, statCall(AT.SYMLINK_NOFOLLOW, packStat)],
  4108: ['fstat', 2, fstatCall(packStat)],
  4133: ['fchdir', 1, fchdir],
  4141: ['getdents', 3, getdentsCall(packDirent)],
  4202: ['chown', 3, (kernel, thread, path, uid, gid) => chownAt(kernel, thread, AT_FDCWD, path, uid, gid, 0)],
  4203: ['getcwd', 2, getcwd],
  4211: ['truncate64', 4, (kernel, thread, path, _pad, low, high) => truncate(kernel, thread, path, pair(low, high))],
  4213: ['stat64', 2, statCall(0, packStat64)],
  4214: ['lstat64', 2, statCall(AT.SYMLINK_NOFOLLOW, packStat64)],
  4215: ['fstat64', 2, fstatCall(packStat64)],
  4219: ['getdents64', 3, getdentsCall(packDirent64)],
  4224: ['setxattr', 5, noAttributes],
  4225: ['lsetxattr', 5, noAttributes],
  4226: ['fsetxattr', 5, noAttributes],
  4227: ['getxattr', 4, noAttributes],
  4228: ['lgetxattr', 4, noAttributes],
  4229: ['fgetxattr', 4, noAttributes],
  4230: ['listxattr', 3, noAttributes],
  4231: ['llistxattr', 3, noAttributes],
  4232: ['flistxattr', 3, noAttributes],
  4255: ['statfs64', 3, (kernel, thread, path, size, at) => statfs64(thread, target(kernel, thread, AT_FDCWD, path, 0), size, at)],
  4256: ['fstatfs64', 3, (kernel, thread, fd, size, at) => statfs64(thread, anyVnode(kernel, thread, fd), size, at)],
  4267: ['utimes', 2, (kernel, thread, path, at) => utimes(kernel, thread, AT_FDCWD, path, at)],
  4288: ['openat', 4, openat],
  4289: ['mkdirat', 3, mkdirat],
  4290: ['mknodat', 4, mknodat],
  4291: ['fchownat', 5, chownAt],
  4292: ['futimesat', 3, utimes],
  4293: ['fstatat64', 4, fstatat64],
  4294: ['unlinkat', 3, unlinkat],
  4295: ['renameat', 4, (kernel, thread, fromFd, from, toFd, to) => renameat2(kernel, thread, fromFd, from, toFd, to, 0)],
  4296: ['linkat', 5, linkat],
  4297: ['symlinkat', 3, symlinkat],
  4298: ['readlinkat', 4, readlinkat],
  4299: ['fchmodat', 3, chmodAt],
  4300: ['faccessat', 3, (kernel, thread, dirfd, path, mode) => faccessat(kernel, thread, dirfd, path, mode, 0)],
  4316: ['utimensat', 4, (kernel, thread, dirfd, path, at, flags) => utimensat(kernel, thread, dirfd, path, at, flags, false)],
  4342: ['syncfs', 1, sync],
  4351: ['renameat2', 5, renameat2],
  4366: ['statx', 5, statx],
  4412: ['utimensat_time64', 4, (kernel, thread, dirfd, path, at, flags) => utimensat(kernel, thread, dirfd, path, at, flags, true)],
  4439: ['faccessat2', 4, faccessat],
});

import { Errno, failed, type Fail, type Result } from '../../base/index.js';
import { OpenFlag } from '../../vfs/open-flags.js';
import { makeFilesystem } from '../../vfs/filesystem-types.js';
import { PATH_MAX } from '../../vfs/lookup.js';
import type { DirEntry, Vnode, VnodeType } from '../../vfs/vnode.js';
import { VOP_READDIR } from '../../vfs/vop.js';
import type { Kernel } from '../kernel.js';
import type { OpenFile } from '../open-file.js';
import { openNode } from '../open-node.js';
import { ProcFs } from '../procfs.js';
import { packStatfs, packStatfs64, S_IFMT } from '../stat.js';
import { defineSyscalls } from '../syscall-table.js';
import type { Thread } from '../thread.js';
import { unmapBeyond } from '../truncate.js';
import { AT, AT_FDCWD, named, target, vnodeOf } from '../user-path.js';

/** System calls on names, and the *at forms behind them; directories; mounts. */

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

defineSyscalls({
  4005: ['open', 3, open],
  4008: ['creat', 2, creat],
  4009: ['link', 2, (kernel, thread, from, to) => linkat(kernel, thread, AT_FDCWD, from, AT_FDCWD, to, 0)],
  4010: ['unlink', 1, (kernel, thread, path) => unlinkat(kernel, thread, AT_FDCWD, path, 0)],
  4012: ['chdir', 1, chdir],
  4014: ['mknod', 3, (kernel, thread, path, mode, rdev) => mknodat(kernel, thread, AT_FDCWD, path, mode, rdev)],
  4021: ['mount', 5, mount],
  4022: ['umount', 1, umount],
  4036: ['sync', 0, sync],
  4038: ['rename', 2, (kernel, thread, from, to) => renameat2(kernel, thread, AT_FDCWD, from, AT_FDCWD, to, 0)],
  4039: ['mkdir', 2, (kernel, thread, path, mode) => mkdirat(kernel, thread, AT_FDCWD, path, mode)],
  4040: ['rmdir', 1, (kernel, thread, path) => unlinkat(kernel, thread, AT_FDCWD, path, AT.REMOVEDIR)],
  4052: ['umount2', 2, umount],
  4060: ['umask', 1, umask],
  4061: ['chroot', 1, chroot],
  4083: ['symlink', 2, (kernel, thread, text, path) => symlinkat(kernel, thread, text, AT_FDCWD, path)],
  4085: ['readlink', 3, (kernel, thread, path, buffer, size) => readlinkat(kernel, thread, AT_FDCWD, path, buffer, size)],
  4099: ['statfs', 2, (kernel, thread, path, at) => statfsTo(thread, target(kernel, thread, AT_FDCWD, path, 0), at, false)],
  4100: ['fstatfs', 2, (kernel, thread, fd, at) => statfsTo(thread, anyVnode(kernel, thread, fd), at, false)],
  4133: ['fchdir', 1, fchdir],
  4141: ['getdents', 3, getdentsCall(packDirent)],
  4203: ['getcwd', 2, getcwd],
  4219: ['getdents64', 3, getdentsCall(packDirent64)],
  4255: ['statfs64', 3, (kernel, thread, path, size, at) => statfs64(thread, target(kernel, thread, AT_FDCWD, path, 0), size, at)],
  4256: ['fstatfs64', 3, (kernel, thread, fd, size, at) => statfs64(thread, anyVnode(kernel, thread, fd), size, at)],
  4288: ['openat', 4, openat],
  4289: ['mkdirat', 3, mkdirat],
  4290: ['mknodat', 4, mknodat],
  4294: ['unlinkat', 3, unlinkat],
  4295: ['renameat', 4, (kernel, thread, fromFd, from, toFd, to) => renameat2(kernel, thread, fromFd, from, toFd, to, 0)],
  4296: ['linkat', 5, linkat],
  4297: ['symlinkat', 3, symlinkat],
  4298: ['readlinkat', 4, readlinkat],
  4342: ['syncfs', 1, sync],
  4351: ['renameat2', 5, renameat2],
});

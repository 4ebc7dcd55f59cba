import { Errno, failed, type Fail } from '../base/index.js';
import type { NameContext } from '../vfs/lookup.js';
import type { Vnode } from '../vfs/vnode.js';
import type { Kernel } from './kernel.js';
import type { Thread } from './thread.js';

/** Where a path in a system call starts, and what it leads to. */

export const AT_FDCWD = -100;
export const AT = { SYMLINK_NOFOLLOW: 0x100, REMOVEDIR: 0x200, SYMLINK_FOLLOW: 0x400, NO_AUTOMOUNT: 0x800, EMPTY_PATH: 0x1000, STATX_SYNC_TYPE: 0x6000 } as const;

/** The process's view, with the directory behind `dirfd` in place of its working directory. */
function viewFrom(thread: Thread, dirfd: number): NameContext | Fail {
  const { process } = thread;
  if (dirfd === AT_FDCWD) return process;
  const file = process.fds.get(dirfd);
  if (!file) return -Errno.EBADF;
  if (file.vnode?.type !== 'dir') return -Errno.ENOTDIR;
  return { cwd: file.vnode, root: process.root, cred: process.cred, umask: process.umask };
}

export interface NamedPath {
  context: NameContext;
  path: string;
}

/** A user's path. One that starts at the root needs no valid `dirfd`. */
export function named(thread: Thread, dirfd: number, pathAt: number): NamedPath | Fail {
  const path = thread.process.space.copyinString(pathAt >>> 0);
  if (failed(path)) return path;
  const context = path[0] === '/' ? thread.process : viewFrom(thread, dirfd);
  return failed(context) ? context : { context, path };
}

/** The vnode a path leads to; with AT_EMPTY_PATH and an empty path, the one behind `dirfd`. */
export function target(kernel: Kernel, thread: Thread, dirfd: number, pathAt: number, flags: number): Vnode | Fail {
  const path = flags & AT.EMPTY_PATH && pathAt === 0 ? '' : thread.process.space.copyinString(pathAt >>> 0);
  if (failed(path)) return path;
  if (path === '' && flags & AT.EMPTY_PATH) return dirfd === AT_FDCWD ? thread.process.cwd : vnodeOf(thread, dirfd);
  const context = path[0] === '/' ? thread.process : viewFrom(thread, dirfd);
  return failed(context) ? context : kernel.vfs.find(context, path, !(flags & AT.SYMLINK_NOFOLLOW));
}

export function vnodeOf(thread: Thread, fd: number): Vnode | Fail {
  const file = thread.process.fds.get(fd);
  if (!file) return -Errno.EBADF;
  return file.vnode ?? -Errno.EINVAL;
}

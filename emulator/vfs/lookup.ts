import { Errno, failed, type Fail } from '../base/index.js';
import { checkAccess } from './access.js';
import type { Cred, Mount, Vnode } from './vnode.js';
import { VOP_LOOKUP, VOP_READLINK } from './vop.js';

export const PATH_MAX = 4096;
export const NAME_MAX = 255;
/** Symbolic links followed in one lookup (path_resolution(7)). */
const LINKS_MAX = 40;

/** Who looks a name up, and from where. A Process is one. */
export interface NameContext {
  cwd: Vnode;
  root: Vnode;
  cred: Cred;
  umask: number;
}

/** Where a path leads: `vnode` is null when the last name does not exist in `parent`. */
export interface Found {
  parent: Vnode;
  /** The last component, or "." when the path ends in a directory by other means ("/", ".", ".."). */
  name: string;
  vnode: Vnode | null;
  /** The path ended in a slash: only a directory will do. */
  wantsDirectory: boolean;
}

/** One lookup under way. */
interface Walk {
  mounts: readonly Mount[];
  context: NameContext;
  /** Symbolic links followed. */
  links: number;
}

/**
 * Walk a path (path_resolution(7)). The last component may be missing (`vnode` null) as long as its directory exists. `follow`
 * says what to do with a symbolic link at the end; a trailing slash follows it anyway.
 */
export function namei(mounts: readonly Mount[], context: NameContext, path: string, follow: boolean): Found | Fail {
  return walkFrom({ mounts, context, links: 0 }, context.cwd, path, follow);
}

function walkFrom(walk: Walk, start: Vnode, path: string, follow: boolean): Found | Fail {
  if (path === '') return -Errno.ENOENT;
  if (path.length >= PATH_MAX) return -Errno.ENAMETOOLONG;
  let directory = path[0] === '/' ? walk.context.root : start;
  const names = path.split('/').filter((name) => name !== '');
  const wantsDirectory = path.endsWith('/');
  let name = '.';
  let vnode: Vnode | null = directory;
  for (let i = 0; i < names.length; i++) {
    const isLast = i === names.length - 1;
    name = names[i];
    const next = step(walk, directory, name);
    if (failed(next)) {
      if (next !== -Errno.ENOENT || !isLast) return next;
      return { parent: directory, name, vnode: null, wantsDirectory };
    }
    vnode = next;
    if (next.type === 'lnk' && (!isLast || follow || wantsDirectory)) {
      const target = followLink(walk, directory, next);
      if (failed(target)) return target;
      if (target.vnode === null) return isLast ? { ...target, wantsDirectory: wantsDirectory || target.wantsDirectory } : -Errno.ENOENT;
      if (isLast) return checkDirectory({ ...target, wantsDirectory: wantsDirectory || target.wantsDirectory });
      vnode = target.vnode;
    }
    if (!isLast) directory = vnode;
  }
  const special = name === '.' || name === '..';
  return checkDirectory({ parent: special ? vnode : directory, name: special ? '.' : name, vnode, wantsDirectory });
}

function step(walk: Walk, directory: Vnode, name: string): Vnode | Fail {
  if (directory.type !== 'dir') return -Errno.ENOTDIR;
  const denied = checkAccess(directory, 1, walk.context.cred);
  if (denied) return denied;
  if (name.length > NAME_MAX) return -Errno.ENAMETOOLONG;
  if (name === '.') return directory;
  if (name === '..') return parentOf(walk.mounts, directory, walk.context.root);
  const next = VOP_LOOKUP(directory, name);
  return failed(next) ? next : topOf(next);
}

function parentOf(mounts: readonly Mount[], directory: Vnode, root: Vnode): Vnode | Fail {
  let from = directory;
  while (from !== root && from === from.fs.root()) {
    const covered = coveredBy(mounts, from);
    if (!covered) return from;
    from = covered;
  }
  if (from === root) return from;
  const parent = VOP_LOOKUP(from, '..');
  return failed(parent) ? parent : topOf(parent);
}

function followLink(walk: Walk, directory: Vnode, link: Vnode): Found | Fail {
  if (++walk.links > LINKS_MAX) return -Errno.ELOOP;
  const object = link.jump();
  if (failed(object)) return object;
  if (object) return jumped(walk, directory, link, object);
  const target = VOP_READLINK(link);
  if (failed(target)) return target;
  return walkFrom(walk, directory, target, true);
}

/** The link leads to an object; under the name its text gives, if that still is the object. */
function jumped(walk: Walk, directory: Vnode, link: Vnode, object: Vnode): Found {
  const text = link.readlink();
  const named = failed(text) || !text.startsWith('/') ? text : walkFrom(walk, directory, text, true);
  if (typeof named === 'object' && named.vnode === object) return named;
  return { parent: directory, name: '.', vnode: object, wantsDirectory: false };
}

/** Absolute path of a directory as seen from `root`; -ENOENT when it was removed or lies outside. Not by way of VOP_LOOKUP: nothing is charged. */
export function pathOf(mounts: readonly Mount[], directory: Vnode, root: Vnode): string | Fail {
  let path = '';
  for (let at = directory; at !== root;) {
    const parent = uncover(mounts, at);
    if (!parent) return path === '' ? '/' : path;
    const above = parent.lookup('..');
    if (failed(above)) return above;
    const name = above.nameOf(parent);
    if (name === null) return -Errno.ENOENT;
    path = `/${name}${path}`;
    at = topOf(above);
  }
  return path === '' ? '/' : path;
}

/** Step below the mounts whose root this is; null at the root of everything. */
function uncover(mounts: readonly Mount[], vnode: Vnode): Vnode | null {
  let from = vnode;
  while (from === from.fs.root()) {
    const covered = coveredBy(mounts, from);
    if (!covered) return null;
    from = covered;
  }
  return from;
}

/** What the mount covers whose root this is. */
function coveredBy(mounts: readonly Mount[], root: Vnode): Vnode | null | undefined {
  return mounts.find(({ fs }) => fs === root.fs)?.covered;
}

function topOf(vnode: Vnode): Vnode {
  let top = vnode;
  while (top.mountedHere) top = top.mountedHere.fs.root();
  return top;
}

function checkDirectory(found: Found): Found | Fail {
  return found.wantsDirectory && found.vnode && found.vnode.type !== 'dir' ? -Errno.ENOTDIR : found;
}

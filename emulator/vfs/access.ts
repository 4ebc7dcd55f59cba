import { Errno, type Result } from '../base/index.js';
import type { Attr, Cred, Vnode } from './vnode.js';

/**
 * Who may do what (path_resolution(7)): the owner's bits for the owner, else the group's for a member, else the others'.
 * The superuser may everything but execute a file nobody may execute.
 */
export function canAccess(attr: Attr, wanted: number, cred: Cred): boolean {
  const uid = cred.fsuid ?? cred.euid;
  if (uid === 0) return !(wanted & 1) || attr.type === 'dir' || (attr.mode & 0o111) !== 0;
  const shift = uid === attr.uid ? 6 : isMember(attr.gid, cred) ? 3 : 0;
  return ((attr.mode >> shift) & wanted) === wanted;
}

/** `wanted`: 4 read, 2 write, 1 execute/search, as in access(2). EACCES, or 0. */
export function checkAccess(vnode: Vnode, wanted: number, cred: Cred): Result {
  return canAccess(vnode.getattr(), wanted, cred) ? 0 : -Errno.EACCES;
}

function isMember(gid: number, cred: Cred): boolean {
  return (cred.fsgid ?? cred.egid) === gid || cred.groups.includes(gid);
}

export function isOwner(attr: Attr, cred: Cred): boolean {
  const uid = cred.fsuid ?? cred.euid;
  return uid === 0 || uid === attr.uid;
}

/** In a sticky directory only the owner of the file or of the directory removes a name. */
export function mayRemove(directory: Attr, victim: Attr, cred: Cred): boolean {
  return !(directory.mode & 0o1000) || isOwner(victim, cred) || isOwner(directory, cred);
}

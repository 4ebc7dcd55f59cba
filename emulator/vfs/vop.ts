import { failed, type Fail, type Result } from '../base/index.js';
import { PAGE_SIZE } from '../memory/ram.js';
import { gatherLength, type Attr, type AttrChange, type Cred, type DirEntry, type Gather, type Vnode, type VnodeType } from './vnode.js';

/**
 * The vnode operations as the rest of the kernel calls them. Each call is booked as "vop.<name>", shown to
 * the tracer, and may be made to fail by the injector (`vfs.inject`) before it has any effect. A close that
 * fails has closed all the same, as close(2) does.
 */
export type VopName = 'lookup' | 'create' | 'tmpfile' | 'mknod' | 'mkdir' | 'symlink' | 'link' | 'remove' | 'rmdir' | 'rename' | 'readlink'
  | 'readdir' | 'getattr' | 'setattr' | 'read' | 'write' | 'allocate' | 'fsync' | 'open' | 'close' | 'inactive' | 'getpages' | 'putpages' | 'adopt';

/** 0, or the injected negative errno. */
export function enterVop(vnode: Vnode, op: VopName, charge: string, detail: string | number = ''): Result {
  const { vfs } = vnode.fs;
  vfs.meter.charge(charge);
  vfs.trace?.(op, vnode, detail);
  return vfs.inject === null ? 0 : vfs.injectFault(op);
}

export function VOP_LOOKUP(directory: Vnode, name: string): Vnode | Fail {
  return enterVop(directory, 'lookup', 'vop.lookup', name) || directory.lookup(name);
}

export function VOP_CREATE(directory: Vnode, name: string, mode: number, cred: Cred): Vnode | Fail {
  return enterVop(directory, 'create', 'vop.create', name) || directory.create(name, mode, cred);
}

export function VOP_TMPFILE(directory: Vnode, mode: number, cred: Cred): Vnode | Fail {
  return enterVop(directory, 'tmpfile', 'vop.tmpfile') || directory.tmpfile(mode, cred);
}

export function VOP_MKNOD(directory: Vnode, name: string, type: VnodeType, mode: number, rdev: number, cred: Cred): Vnode | Fail {
  return enterVop(directory, 'mknod', 'vop.mknod', name) || directory.mknod(name, type, mode, rdev, cred);
}

export function VOP_MKDIR(directory: Vnode, name: string, mode: number, cred: Cred): Vnode | Fail {
  return enterVop(directory, 'mkdir', 'vop.mkdir', name) || directory.mkdir(name, mode, cred);
}

export function VOP_SYMLINK(directory: Vnode, name: string, target: string, cred: Cred): Vnode | Fail {
  return enterVop(directory, 'symlink', 'vop.symlink', name) || directory.symlink(name, target, cred);
}

export function VOP_LINK(directory: Vnode, target: Vnode, name: string): Result {
  return enterVop(directory, 'link', 'vop.link', name) || directory.link(target, name);
}

export function VOP_REMOVE(directory: Vnode, name: string): Result {
  return enterVop(directory, 'remove', 'vop.remove', name) || directory.remove(name);
}

export function VOP_RMDIR(directory: Vnode, name: string): Result {
  return enterVop(directory, 'rmdir', 'vop.rmdir', name) || directory.rmdir(name);
}

export function VOP_RENAME(directory: Vnode, name: string, toDirectory: Vnode, toName: string): Result {
  return enterVop(directory, 'rename', 'vop.rename', name) || directory.rename(name, toDirectory, toName);
}

export function VOP_READLINK(vnode: Vnode): string | Fail {
  return enterVop(vnode, 'readlink', 'vop.readlink') || vnode.readlink();
}

export function VOP_READDIR(directory: Vnode, cookie: number): DirEntry[] | Fail {
  return enterVop(directory, 'readdir', 'vop.readdir', cookie) || directory.readdir(cookie);
}

export function VOP_GETATTR(vnode: Vnode): Attr | Fail {
  return enterVop(vnode, 'getattr', 'vop.getattr') || vnode.getattr();
}

export function VOP_SETATTR(vnode: Vnode, change: AttrChange): Result {
  const refused = enterVop(vnode, 'setattr', 'vop.setattr');
  if (refused) return refused;
  if (change.size !== undefined) vnode.pages?.writeBack(0, Infinity);
  const result = vnode.setattr(change);
  if (result === 0 && change.size !== undefined) vnode.pages?.truncated(change.size);
  return result;
}

/** A view of the file's bytes, or a copy; right while the file is only read. The caller books the copy it makes. */
export function VOP_READ(vnode: Vnode, offset: number, length: number): Uint8Array | Fail {
  const refused = enterVop(vnode, 'read', 'vop.read', length);
  if (refused) return refused;
  vnode.pages?.writeBack(offset, length);
  return vnode.read(offset, length);
}

/** Books the bytes it moves as "copy.bytes". */
export function VOP_WRITE(vnode: Vnode, offset: number, bytes: Gather): Result {
  const length = gatherLength(bytes);
  const refused = enterVop(vnode, 'write', 'vop.write', length);
  if (refused) return refused;
  vnode.pages?.writeBack(offset, length);
  const written = vnode.write(offset, bytes);
  if (written > 0) {
    vnode.fs.vfs.meter.charge('copy.bytes', written);
    vnode.pages?.written(offset, written);
  }
  return written;
}

export function VOP_ALLOCATE(vnode: Vnode, offset: number, length: number, keepSize = false): Result {
  return enterVop(vnode, 'allocate', 'vop.allocate', length) || vnode.allocate(offset, length, keepSize);
}

/** The caller books what sharing costs. On failure its references are still its own. */
export function VOP_ADOPT(vnode: Vnode, offset: number, frames: readonly number[]): Result {
  return enterVop(vnode, 'adopt', 'vop.adopt', frames.length * PAGE_SIZE) || vnode.adopt(offset, frames);
}

/** The frames of a range of an unmapped file; valid until the next operation on it. */
export function VOP_GETPAGES(vnode: Vnode, offset: number, pages: number): number[] | null | Fail {
  return enterVop(vnode, 'getpages', 'vop.getpages', pages * PAGE_SIZE) || vnode.frames(offset, pages);
}

export function VOP_FSYNC(vnode: Vnode): Result {
  const refused = enterVop(vnode, 'fsync', 'vop.fsync');
  if (refused) return refused;
  vnode.pages?.writeBack(0, Infinity);
  return vnode.fsync();
}

/** On success the vnode is in use until VOP_CLOSE. */
export function VOP_OPEN(vnode: Vnode, flags: number): Result {
  const result = enterVop(vnode, 'open', 'vop.open') || vnode.open(flags);
  if (!failed(result)) vnode.usecount++;
  return result;
}

export function VOP_CLOSE(vnode: Vnode): Result {
  const injected = enterVop(vnode, 'close', 'vop.close');
  const result = vnode.close();
  vrele(vnode);
  return injected || result;
}

/** Use a vnode without opening it (mappings, working directories). */
export function vref(vnode: Vnode): void {
  vnode.usecount++;
}

export function vrele(vnode: Vnode): void {
  vnode.usecount--;
  if (vnode.usecount > 0) return;
  const { vfs } = vnode.fs;
  vfs.meter.charge('vop.inactive');
  vfs.trace?.('inactive', vnode, '');
  vnode.inactive();
}

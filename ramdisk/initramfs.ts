import { gunzipSync } from 'node:zlib';
import { Errno, errnoName, failed, type Fail, type Result } from '../emulator/base/index.js';
import type { NameContext } from '../emulator/vfs/lookup.js';
import type { Vfs } from '../emulator/vfs/vfs.js';
import { OpenFlag } from '../emulator/vfs/open-flags.js';
import type { Vnode, VnodeType } from '../emulator/vfs/vnode.js';
import { VOP_CLOSE, VOP_SETATTR, VOP_WRITE } from '../emulator/vfs/vop.js';
import { readCpio, type ArchiveError, type CpioEntry } from './cpio.js';

/** More than this out of one archive is refused, whatever the device could hold. */
const OUTPUT_LIMIT = 512 * 1024 * 1024;

const TYPES: Record<number, VnodeType> = { 0o01: 'fifo', 0o02: 'chr', 0o04: 'dir', 0o06: 'blk', 0o10: 'reg', 0o12: 'lnk', 0o14: 'sock' };

/** The archive itself, unpacked when it is gzip (RFC 1952). */
export function gunzip(image: Uint8Array, limit = OUTPUT_LIMIT): Uint8Array | ArchiveError {
  if (image[0] !== 0x1f || image[1] !== 0x8b) return image;
  try {
    return gunzipSync(image, { maxOutputLength: limit });
  } catch (error) {
    const tooLong = (error as NodeJS.ErrnoException).code === 'ERR_BUFFER_TOO_LARGE';
    return { offset: 0, message: tooLong ? `the archive unpacks to more than ${limit} bytes` : `damaged gzip data: ${(error as Error).message}` };
  }
}

/**
 * Unpack a cpio archive, gzipped or not, below the root of `vfs`. What was unpacked before an error stays;
 * the error says where the archive is wrong or which file did not fit.
 */
export function unpackInitramfs(vfs: Vfs, image: Uint8Array, limit?: number): ArchiveError | null {
  const archive = gunzip(image, limit);
  if (!(archive instanceof Uint8Array)) return archive;
  const { entries, error } = readCpio(archive);
  const unpacker = new Unpacker(vfs);
  for (const entry of entries) {
    const result = unpacker.unpack(entry);
    if (failed(result)) return { offset: entry.offset, message: `${JSON.stringify(entry.name)}: ${errnoName(-result)}` };
  }
  return error ?? null;
}

class Unpacker {
  private readonly vfs: Vfs;
  private readonly context: NameContext;
  private readonly byInode = new Map<string, Vnode>();
  /** Directories known to exist; none is ever removed here. */
  private readonly parents = new Set(['']);

  constructor(vfs: Vfs) {
    this.vfs = vfs;
    this.context = vfs.kernelContext();
  }

  unpack(entry: CpioEntry): Result {
    const type = TYPES[entry.mode >> 12];
    if (!type) return -Errno.EINVAL;
    const missing = this.makeParents(entry.name);
    if (missing) return missing;
    const vnode = type === 'reg' ? this.file(entry) : this.special(entry, type);
    if (failed(vnode)) return vnode;
    const stamp = { sec: entry.mtime, nsec: 0 };
    return VOP_SETATTR(vnode, { mode: entry.mode & 0o7777, uid: entry.uid, gid: entry.gid, atime: stamp, mtime: stamp });
  }

  /** Directories an archive leaves out are made; a link in the way is not followed out of the tree it leads to. */
  private makeParents(name: string): Result {
    const parent = name.slice(0, Math.max(0, name.lastIndexOf('/')));
    if (this.parents.has(parent)) return 0;
    // Step by step, not by whole paths: the work for a name is proportional to its length.
    const context = { ...this.context };
    for (const part of parent.split('/')) {
      const result = this.vfs.mkdir(context, part, 0o755);
      if (failed(result) && result !== -Errno.EEXIST) return result;
      const vnode = this.vfs.find(context, part);
      if (failed(vnode)) return vnode;
      context.cwd = vnode;
    }
    this.parents.add(parent);
    return 0;
  }

  /** The first name of a hard-linked file may come without contents; GNU cpio gives them with the last one. */
  private file(entry: CpioEntry): Vnode | Fail {
    const path = `/${entry.name}`;
    const known = entry.nlink > 1 ? this.byInode.get(entry.inode) : undefined;
    this.clear(path);
    if (known) {
      const result = this.vfs.link(this.context, known, path);
      if (failed(result)) return result;
    }
    const vnode = this.vfs.open(this.context, path, OpenFlag.CREAT | OpenFlag.WRONLY | OpenFlag.NOFOLLOW, 0o600);
    if (failed(vnode)) return vnode;
    const written = entry.content.length > 0 ? VOP_WRITE(vnode, 0, entry.content) : 0;
    VOP_CLOSE(vnode);
    if (entry.nlink > 1) this.byInode.set(entry.inode, vnode);
    return written === entry.content.length ? vnode : written < 0 ? written : -Errno.ENOSPC;
  }

  private special(entry: CpioEntry, type: VnodeType): Vnode | Fail {
    const { vfs, context } = this;
    const path = `/${entry.name}`;
    if (type !== 'dir') this.clear(path);
    const made = type === 'dir' ? vfs.mkdir(context, path, 0o755)
      : type === 'lnk' ? vfs.symlink(context, latin1(entry.content), path)
        : vfs.mknod(context, path, type, entry.mode & 0o7777, entry.rdev);
    if (failed(made) && !(type === 'dir' && made === -Errno.EEXIST)) return made;
    return vfs.find(context, path, false);
  }

  /** A later entry replaces an earlier one of the same name. */
  private clear(path: string): void {
    this.vfs.unlink(this.context, path);
  }
}

function latin1(bytes: Uint8Array): string {
  return Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength).toString('latin1');
}

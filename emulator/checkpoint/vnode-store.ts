import { Errno, failed, snapshotClass, type Fail, type Result } from '../base/index.js';
import type { Kernel, Process } from '../kernel/index.js';
import { PAGE_SIZE, type Region } from '../memory/index.js';
import { OpenFlag } from '../vfs/open-flags.js';
import type { NameContext } from '../vfs/lookup.js';
import type { Attr, Vnode } from '../vfs/vnode.js';
import { VOP_ALLOCATE, VOP_CLOSE, VOP_FSYNC, VOP_GETATTR, VOP_OPEN, VOP_SETATTR } from '../vfs/vop.js';
import { adoptFile, writeOnce } from './adopt.js';
import { checksum } from './checksum.js';
import { cutGather, framedRuns, layoutImageFile, type CoreFileImage } from './core-file.js';
import { completeRuns } from './file-pages.js';
import { readCoreFile } from './file-reader.js';
import { Store, type ImageStore, type OpenImage, type StoreContext, type StoredImage } from './image-store.js';
import type { ProcessImage } from './process-image.js';

/** An image in a file, and what the kernel remembers to tell it from another file of that name. */
export class VnodeImage implements StoredImage {
  readonly store: number = Store.vnode;
  readonly path: string;
  readonly dev: number;
  readonly ino: number;
  readonly bytes: number;
  /** CRC of the head as it was written; 0 when unchecked. */
  readonly headCrc: number;
  /** The file when it shares pages with the process; else null. */
  private readonly sharing: Vnode | null;

  constructor(path: string, { attr, vnode }: Written, bytes: number, headCrc: number, adopted: boolean) {
    this.path = path;
    this.dev = attr.dev;
    this.ino = attr.ino;
    this.bytes = bytes;
    this.headCrc = headCrc;
    this.sharing = adopted ? vnode : null;
  }

  heldFrames(): number {
    return Math.ceil(this.bytes / PAGE_SIZE) - (this.sharing?.lentFrames ?? 0);
  }

  /** ESTALE when the name now leads to another file, ENOENT when to none, EINVAL when the contents are not what was written. */
  open(kernel: Kernel, process: Process, checked: boolean): OpenImage | Fail {
    const vnode = this.find(kernel, process);
    if (failed(vnode)) return vnode;
    const opened = VOP_OPEN(vnode, OpenFlag.RDONLY);
    if (failed(opened)) return opened;
    const image = readCoreFile(vnode, this.bytes, checked, this.headCrc, this.sharing !== null);
    const closed = VOP_CLOSE(vnode);
    return failed(closed) && !failed(image) ? closed : image;
  }

  private find(kernel: Kernel, process: Process): Vnode | Fail {
    const vnode = kernel.vfs.find(kernelNames(kernel, process), this.path, false);
    if (failed(vnode)) return vnode;
    const attr = VOP_GETATTR(vnode);
    if (failed(attr)) return attr;
    if (attr.type !== 'reg' || attr.dev !== this.dev || attr.ino !== this.ino) return -Errno.ESTALE;
    return attr.size === this.bytes ? vnode : -Errno.EINVAL;
  }

  drop(kernel: Kernel, process: Process): void {
    const context = kernelNames(kernel, process);
    const vnode = kernel.vfs.find(context, this.path, false);
    if (failed(vnode)) return;
    const attr = VOP_GETATTR(vnode);
    if (failed(attr) || attr.dev !== this.dev || attr.ino !== this.ino) return;
    kernel.vfs.unlink(context, this.path);
  }
}
snapshotClass('VnodeImage', VnodeImage);

/** The process's root directory, the kernel's rights: for files the kernel itself put there. */
function kernelNames(kernel: Kernel, process: Process): NameContext {
  return { ...kernel.vfs.kernelContext(), cwd: process.root, root: process.root };
}

/** The path of the paper; a program name may hold no slash. */
export function imagePath(comm: string, pid: number, descriptor: number): string {
  return `/tmp/${comm.replaceAll('/', '!')}.${pid}.${descriptor}`;
}

/**
 * Images in files, written as core(5) files are: lookup, create, one write a segment, fsync, close. The file is
 * written aside and renamed, so that the name leads to a whole image at any time. With `adopt` the segments are not
 * written: their pages become the file's (adopt.ts).
 */
export class VnodeStore implements ImageStore {
  write(context: StoreContext, image: ProcessImage, regions: readonly Region[], descriptor: number, replaces: StoredImage | null): VnodeImage | Fail {
    const { kernel, process, options } = context;
    const present = framedRuns(kernel.ram, image.record.runs, image.frames);
    const runs = options.complete ? completeRuns(regions, present) : present;
    if (failed(runs)) return runs;
    const record = { ...image.record, runs: runs.map(({ run }) => run) };
    const file = layoutImageFile(record, runs, options.checksum);
    const path = replaces instanceof VnodeImage ? replaces.path : imagePath(process.comm, process.pid, descriptor);
    const fill: Fill = options.adopt ? (vnode) => adoptFile(context, vnode, file, record.runs, regions) : (vnode) => writeFile(vnode, file, options.writeSize);
    const written = options.inPlace ? writeInPlace(context, path, file.size, fill) : writeAside(context, path, fill);
    return failed(written) ? written : new VnodeImage(path, written, file.size, options.checksum ? headCrcOf(file.head) : 0, options.adopt);
  }
}

/** Gives an open file its contents. */
type Fill = (vnode: Vnode) => Result;

interface Written {
  vnode: Vnode;
  attr: Attr;
}

/** Of headers and notes, the sums included; the file can then be altered only knowing that the kernel remembers this. */
function headCrcOf(head: Uint8Array): number {
  const view = new DataView(head.buffer, head.byteOffset);
  return checksum(head.subarray(0, view.getUint32(56, true) + view.getUint32(68, true)));
}

/** On failure nothing is left behind and what had the name before still has it. */
function writeAside(context: StoreContext, path: string, fill: Fill): Written | Fail {
  const { kernel, process } = context;
  const aside = `${path}~`;
  const vnode = createNew(kernel, process, aside);
  if (failed(vnode)) return vnode;
  const attr = fillAndClose(vnode, fill);
  if (failed(attr)) {
    kernel.vfs.unlink(kernelNames(kernel, process), aside);
    return attr;
  }
  const result = kernel.vfs.rename(process, aside, process, path);
  if (!failed(result)) return { vnode, attr };
  kernel.vfs.unlink(kernelNames(kernel, process), aside);
  return result;
}

/** A new file of the process, mode 0600. A leftover of that name is removed first. */
function createNew(kernel: Kernel, process: Process, path: string): Vnode | Fail {
  const flags = OpenFlag.WRONLY | OpenFlag.CREAT | OpenFlag.EXCL | OpenFlag.NOFOLLOW;
  let vnode = kernel.vfs.open(process, path, flags, 0o600);
  if (vnode === -Errno.EEXIST) {
    const removed = kernel.vfs.unlink(process, path);
    if (failed(removed)) return removed;
    vnode = kernel.vfs.open(process, path, flags, 0o600);
  }
  // Created, but then not opened.
  if (failed(vnode)) kernel.vfs.unlink(kernelNames(kernel, process), path);
  return vnode;
}

/** For measurements: the plain way, over what is there; what an older and longer image leaves behind is cut off. A failure loses the old image. */
function writeInPlace(context: StoreContext, path: string, size: number, fill: Fill): Written | Fail {
  const { kernel, process } = context;
  const vnode = kernel.vfs.open(process, path, OpenFlag.WRONLY | OpenFlag.CREAT | OpenFlag.NOFOLLOW, 0o600);
  if (failed(vnode)) return vnode;
  const attr = fillAndClose(vnode, (open) => {
    const filled = fill(open);
    return failed(filled) || open.getattr().size <= size ? filled : VOP_SETATTR(open, { size });
  });
  if (!failed(attr)) return { vnode, attr };
  kernel.vfs.unlink(kernelNames(kernel, process), path);
  return attr;
}

function fillAndClose(vnode: Vnode, fill: Fill): Attr | Fail {
  const filled = fill(vnode);
  const attr = failed(filled) ? filled : VOP_GETATTR(vnode);
  const closed = VOP_CLOSE(vnode);
  return failed(closed) && !failed(attr) ? closed : attr;
}

function writeFile(vnode: Vnode, file: CoreFileImage, writeSize: number): Result {
  const room = VOP_ALLOCATE(vnode, 0, file.size);
  if (failed(room) && room !== -Errno.EOPNOTSUPP) return room;
  const head = writeAll(vnode, 0, [file.head], writeSize);
  if (failed(head)) return head;
  for (let i = 0; i < file.segments.length; i++) {
    if (file.segments[i].filePages === 0) continue;
    const result = writeAll(vnode, file.offsets[i], file.gathers[i], writeSize);
    if (failed(result)) return result;
  }
  return VOP_FSYNC(vnode);
}

function writeAll(vnode: Vnode, offset: number, gather: readonly Uint8Array[], writeSize: number): Result {
  if (writeSize === 0) return writeOnce(vnode, offset, gather);
  let at = offset;
  for (const piece of cutGather(gather, writeSize)) {
    const result = writeOnce(vnode, at, piece);
    if (failed(result)) return result;
    at += result;
  }
  return at - offset;
}

/** A core dump: written in place, as core(5) says. */
export function writeCoreFile(kernel: Kernel, process: Process, path: string, file: CoreFileImage): Result {
  const vnode = kernel.vfs.open(process, path, OpenFlag.WRONLY | OpenFlag.CREAT | OpenFlag.TRUNC | OpenFlag.NOFOLLOW, 0o600);
  if (failed(vnode)) return vnode;
  const attr = fillAndClose(vnode, (open) => writeFile(open, file, 0));
  return failed(attr) ? attr : 0;
}

import { Errno, failed, snapshotClass, type Fail, type Result } from '../base/index.js';
import { gatherLength, Vnode, type Attr, type AttrChange, type DirEntry, type Filesystem, type Gather, type Statfs, type VnodeType } from '../vfs/vnode.js';
import type { Opened, Vfs } from '../vfs/vfs.js';
import type { Kernel } from './kernel.js';
import { NodeFile } from './node-file.js';
import type { OpenFile } from './open-file.js';
import { rootSpec } from './proc-files.js';
import { sysSpec } from './sys-files.js';
import type { Process } from './process.js';
import type { Thread } from './thread.js';
import { VnodeFile } from './vnode-file.js';
import { flatten } from './uio.js';

/** statfs(2) */
const MAGIC = { proc: 0x9fa0, sysfs: 0x62656572 } as const;

/** What a name in /proc or /sys is. Specifications are made anew whenever they are asked for; they are behaviour, not state. */
export type ProcSpec =
  | { type: 'dir'; entries(): Record<string, ProcSpec> }
  | { type: 'reg'; read(): string; write?(text: string): Result }
  | { type: 'lnk'; text(): string; jump?(): Vnode | OpenFile | null };

/** proc(5) and sysfs(5): the kernel's state as files. A node is no more than its place in the tree; contents are made at open(2). */
export class ProcFs implements Filesystem {
  readonly name: keyof typeof MAGIC;
  readonly kernel: Kernel;
  readonly vfs: Vfs;
  readonly dev: number;
  private readonly top: ProcVnode;

  constructor(kernel: Kernel, name: keyof typeof MAGIC = 'proc') {
    this.name = name;
    this.kernel = kernel;
    this.vfs = kernel.vfs;
    this.dev = this.vfs.allocateDev();
    this.top = new ProcVnode(this, null, '', 'dir');
  }

  root(): ProcVnode {
    return this.top;
  }

  spec(): ProcSpec {
    return this.name === 'proc' ? rootSpec(this.kernel) : sysSpec(this.kernel);
  }

  statfs(): Statfs {
    return { magic: MAGIC[this.name], blockSize: 4096, blocks: 0, free: 0, files: 0, filesFree: 0, nameMax: 255 };
  }
}
snapshotClass('ProcFs', ProcFs);

export class ProcVnode extends Vnode {
  declare readonly fs: ProcFs;
  private readonly parent: ProcVnode | null;
  private readonly name: string;

  constructor(fs: ProcFs, parent: ProcVnode | null, name: string, type: VnodeType) {
    super(fs, type);
    this.parent = parent;
    this.name = name;
  }

  /** undefined when the process is gone. */
  private spec(): ProcSpec | undefined {
    const above = this.parent?.spec();
    if (!this.parent) return this.fs.spec();
    return above?.type === 'dir' ? own(above.entries(), this.name) : undefined;
  }

  /** The process the node is about. */
  private process(): Process | undefined {
    if (this.parent && !this.parent.parent) return this.fs.kernel.processes.get(Number(this.name));
    return this.parent?.process();
  }

  private path(): string {
    return this.parent ? `${this.parent.path()}/${this.name}` : '';
  }

  getattr(): Attr {
    const spec = this.spec();
    const cred = this.process()?.cred;
    const now = this.fs.vfs.now();
    const writable = spec?.type === 'reg' && spec.write ? 0o200 : 0;
    const mode = this.type === 'dir' ? 0o555 : this.type === 'lnk' ? 0o777 : 0o444 | writable;
    return {
      type: this.type, mode, uid: cred?.euid ?? 0, gid: cred?.egid ?? 0, ino: inodeOf(this.path()), dev: this.fs.dev, rdev: 0,
      nlink: this.type === 'dir' ? 2 : 1, size: 0, atime: now, mtime: now, ctime: now, blocks: 0, blksize: 1024,
    };
  }

  /** open(2) with O_TRUNC: nothing to cut off. */
  override setattr(change: AttrChange): Result {
    return Object.keys(change).every((key) => key === 'size') ? 0 : -Errno.EPERM;
  }

  override lookup(name: string): Vnode | Fail {
    if (this.type !== 'dir') return -Errno.ENOTDIR;
    if (name === '.') return this;
    if (name === '..') return this.parent ?? this;
    const spec = this.spec();
    const entry = spec?.type === 'dir' ? own(spec.entries(), name) : undefined;
    return entry ? new ProcVnode(this.fs, this, name, entry.type) : -Errno.ENOENT;
  }

  override nameOf(child: Vnode): string | null {
    return child instanceof ProcVnode ? child.name : null;
  }

  override readdir(cookie: number): DirEntry[] | Fail {
    const spec = this.spec();
    if (spec?.type !== 'dir') return -Errno.ENOENT;
    const entries: DirEntry[] = [
      { name: '.', ino: inodeOf(this.path()), type: 'dir', cookie: 1 },
      { name: '..', ino: inodeOf((this.parent ?? this).path()), type: 'dir', cookie: 2 },
    ];
    let count = 2;
    for (const [name, { type }] of Object.entries(spec.entries())) {
      // Numbers (processes, descriptors) keep their own place, so that one that ends moves no other.
      const place = /^\d+$/.test(name) ? 0x10000 + Number(name) : ++count;
      entries.push({ name, type, ino: inodeOf(`${this.path()}/${name}`), cookie: place });
    }
    return entries.sort((a, b) => a.cookie - b.cookie).filter((entry) => entry.cookie > cookie);
  }

  override readlink(): string | Fail {
    const spec = this.spec();
    return spec?.type === 'lnk' ? spec.text() : spec ? -Errno.EINVAL : -Errno.ENOENT;
  }

  override jump(): Vnode | Fail | null {
    const spec = this.spec();
    if (spec?.type !== 'lnk') return spec ? null : -Errno.ENOENT;
    const object = spec.jump?.() ?? null;
    return object === null || object instanceof Vnode ? object : object.vnode ?? new OpenFileVnode(this.fs, object);
  }

  /** For the kernel's own readers: contents as of now. */
  override read(offset: number, length: number): Uint8Array | Fail {
    const spec = this.spec();
    return spec?.type === 'reg' ? Buffer.from(spec.read(), 'latin1').subarray(offset, offset + length) : -Errno.EINVAL;
  }

  openFile(_kernel: Kernel, _thread: Thread, flags: number, opened: Opened): OpenFile | Fail {
    if (this.type === 'dir') return new VnodeFile(opened, flags);
    const spec = this.spec();
    if (spec?.type !== 'reg') return -Errno.ENOENT;
    return new ProcFile(opened, flags, Buffer.from(spec.read(), 'latin1'));
  }

  store(text: string): Result {
    const spec = this.spec();
    if (spec?.type !== 'reg') return -Errno.ESRCH;
    return spec.write ? spec.write(text) : -Errno.EINVAL;
  }
}
snapshotClass('ProcVnode', ProcVnode);

/** What /proc/PID/fd/N leads to when the descriptor is a pipe, a socket or the like. */
class OpenFileVnode extends Vnode {
  private readonly file: OpenFile;

  constructor(fs: ProcFs, file: OpenFile) {
    const attr = file.stat();
    super(fs, failed(attr) ? 'fifo' : attr.type);
    this.file = file;
  }

  getattr(): Attr {
    return this.file.stat() as Attr;
  }

  /** Opening it gives the same open file: a pipe has no other. */
  openFile(): OpenFile {
    return this.file;
  }
}
snapshotClass('OpenFileVnode', OpenFileVnode);

/** An open file of /proc: what it said when it was opened. Writing hands the text to its owner. */
export class ProcFile extends NodeFile {
  readonly kind = 'proc';
  private readonly content: Uint8Array;

  constructor(opened: Opened, flags: number, content: Uint8Array) {
    super(opened, flags);
    this.content = content;
  }

  override get gathers(): boolean { return true; }

  override read(_kernel: Kernel, _thread: Thread, length: number, offset: number | null): Uint8Array {
    const at = offset ?? this.position;
    const bytes = this.content.subarray(at, at + length);
    if (offset === null) this.position += bytes.length;
    return bytes;
  }

  override write(_kernel: Kernel, _thread: Thread, bytes: Gather): number {
    const result = (this.vnode as ProcVnode).store(Buffer.from(flatten(bytes)).toString('latin1'));
    return failed(result) ? result : gatherLength(bytes);
  }

  override seek(offset: number, whence: number): number {
    const target = offset + [0, this.position, this.content.length][whence];
    if (!(target >= 0)) return -Errno.EINVAL;
    this.position = target;
    return target;
  }
}
snapshotClass('ProcFile', ProcFile);

function own(entries: Record<string, ProcSpec>, name: string): ProcSpec | undefined {
  return Object.hasOwn(entries, name) ? entries[name] : undefined;
}

/** FNV-1a of the path: the same name has the same inode number. */
function inodeOf(path: string): number {
  let hash = 0x811c9dc5;
  for (let i = 0; i < path.length; i++) hash = Math.imul(hash ^ path.charCodeAt(i), 0x01000193);
  return (hash >>> 1) + 1;
}

import { Errno, snapshotClass, type Fail, type Result } from '../../base/index.js';
import { Vnode, type Attr, type AttrChange, type DirEntry, type Filesystem, type Statfs } from '../../vfs/vnode.js';
import type { Opened, Vfs } from '../../vfs/vfs.js';
import type { Kernel } from '../kernel.js';
import type { OpenFile } from '../open-file.js';
import type { Thread } from '../thread.js';
import { ptys, type Pty } from './pty.js';
import { openSlave, slaveAttr } from './pty-file.js';

const DEVPTS_MAGIC = 0x1cd1;

/** The filesystem of /dev/pts: one node for every pseudo-terminal whose master is open. */
export class Devpts implements Filesystem {
  readonly name = 'devpts';
  readonly vfs: Vfs;
  readonly dev: number;
  readonly kernel: Kernel;
  private readonly top: DevptsRoot;

  constructor(kernel: Kernel) {
    this.kernel = kernel;
    this.vfs = kernel.vfs;
    this.dev = this.vfs.allocateDev();
    this.top = new DevptsRoot(this, 'dir');
  }

  root(): Vnode {
    return this.top;
  }

  statfs(): Statfs {
    return { magic: DEVPTS_MAGIC, blockSize: 4096, blocks: 0, free: 0, files: 0, filesFree: 0, nameMax: 255 };
  }
}
snapshotClass('Devpts', Devpts);

class DevptsRoot extends Vnode {
  declare readonly fs: Devpts;

  getattr(): Attr {
    const now = this.fs.vfs.now();
    return { type: 'dir', mode: 0o755, uid: 0, gid: 0, ino: 1, dev: this.fs.dev, nlink: 2, size: 0, rdev: 0, atime: now, mtime: now, ctime: now, blocks: 0, blksize: 1024 };
  }

  override lookup(name: string): Vnode | Fail {
    if (name === '.' || name === '..') return this;
    const pty = /^(0|[1-9]\d*)$/.test(name) ? ptys(this.fs.kernel).get(Number(name)) : undefined;
    return pty ? new PtyNode(this.fs, pty) : -Errno.ENOENT;
  }

  override nameOf(child: Vnode): string | null {
    return child instanceof PtyNode ? String(child.pty.index) : null;
  }

  override readdir(cookie: number): DirEntry[] {
    const entries: DirEntry[] = [{ name: '.', ino: 1, type: 'dir', cookie: 1 }, { name: '..', ino: 1, type: 'dir', cookie: 2 }];
    for (const index of [...ptys(this.fs.kernel).keys()].sort((a, b) => a - b)) entries.push({ name: String(index), ino: index + 3, type: 'chr', cookie: index + 3 });
    return entries.filter((entry) => entry.cookie > cookie);
  }
}
snapshotClass('DevptsRoot', DevptsRoot);

class PtyNode extends Vnode {
  readonly pty: Pty;

  constructor(fs: Devpts, pty: Pty) {
    super(fs, 'chr');
    this.pty = pty;
  }

  getattr(): Attr {
    return slaveAttr(this.pty);
  }

  override setattr({ mode, uid, gid }: AttrChange): Result {
    Object.assign(this.pty, { mode: mode === undefined ? this.pty.mode : mode & 0o7777, uid: uid ?? this.pty.uid, gid: gid ?? this.pty.gid });
    return 0;
  }

  openFile(_kernel: Kernel, thread: Thread, flags: number, opened: Opened): OpenFile | Fail {
    return openSlave(thread, this.pty, flags, opened);
  }
}
snapshotClass('PtyNode', PtyNode);

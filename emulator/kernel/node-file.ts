import { failed, type Fail, type Result } from '../base/index.js';
import type { Pager } from '../memory/pager.js';
import type { Attr, Vnode } from '../vfs/vnode.js';
import type { Opened } from '../vfs/vfs.js';
import { VOP_CLOSE, VOP_GETATTR } from '../vfs/vop.js';
import { In, notice } from '../vfs/watch.js';
import type { Kernel } from './kernel.js';
import { OpenFile } from './open-file.js';

/** An open file that has a name in the file system: what regular files, directories and device nodes have in common. */
export abstract class NodeFile extends OpenFile {
  override vnode: Vnode;
  protected readonly parent: Vnode;
  protected readonly name: string;

  constructor(opened: Opened, flags: number) {
    super(flags);
    this.vnode = opened.vnode;
    this.parent = opened.parent;
    this.name = opened.name;
    this.notice(In.OPEN);
  }

  stat(): Attr | Fail {
    return VOP_GETATTR(this.vnode);
  }

  override pager(): Pager | null | Fail {
    return this.vnode.pager();
  }

  describe(): string {
    const { vfs } = this.vnode.fs;
    if (this.vnode.type === 'dir') return textOf(vfs.pathOf(this.vnode, vfs.root), '(deleted)');
    const directory = textOf(vfs.pathOf(this.parent, vfs.root), '');
    const path = `${directory === '/' ? '' : directory}/${this.name}`;
    return this.vnode.getattr().nlink === 0 ? `${path} (deleted)` : path;
  }

  /** Tell who watches the file, or the directory it was opened in. */
  protected notice(mask: number): void {
    if (this.vnode.watches) notice(this.vnode, mask);
    if (this.parent.watches) notice(this.parent, mask, this.name);
  }

  override close(_kernel: Kernel): Result {
    this.notice(this.writable ? In.CLOSE_WRITE : In.CLOSE_NOWRITE);
    return VOP_CLOSE(this.vnode);
  }
}

function textOf(value: string | Fail, otherwise: string): string {
  return failed(value) ? otherwise : value;
}

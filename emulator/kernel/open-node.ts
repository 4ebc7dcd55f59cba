import { Errno, failed, type Fail } from '../base/index.js';
import { OpenFlag } from '../vfs/open-flags.js';
import type { Opened } from '../vfs/vfs.js';
import type { Vnode } from '../vfs/vnode.js';
import { VOP_CLOSE } from '../vfs/vop.js';
import { openDevice } from './devfs.js';
import type { Kernel } from './kernel.js';
import type { OpenFile } from './open-file.js';
import { Pipe, PipeFile } from './pipe.js';
import type { Thread } from './thread.js';
import { VnodeFile } from './vnode-file.js';

/** A vnode that makes its open file itself: most of /proc. */
export interface SelfOpening {
  openFile(kernel: Kernel, thread: Thread, flags: number, opened: Opened): OpenFile | Fail;
}

function opensItself(vnode: Vnode): vnode is Vnode & SelfOpening {
  return 'openFile' in vnode;
}

/**
 * The open file for a vnode that VOP_OPEN has opened. A FIFO may block: BLOCKED then, with the vnode closed again, and
 * open(2) starts over when the partner comes.
 */
export function openNode(kernel: Kernel, thread: Thread, opened: Opened, flags: number): OpenFile | Fail {
  const { vnode } = opened;
  const file = flags & OpenFlag.PATH ? new VnodeFile(opened, flags)
    : opensItself(vnode) ? vnode.openFile(kernel, thread, flags, opened)
      : vnode.type === 'chr' || vnode.type === 'blk' ? openDevice(kernel, thread, flags, opened)
        : vnode.type === 'fifo' ? openFifo(kernel, thread, flags, opened)
          : new VnodeFile(opened, flags);
  if (failed(file) || file.vnode !== vnode) VOP_CLOSE(vnode);
  return file;
}

/** The ends of a FIFO meet in open(2) (fifo(7)): a reader waits for a writer and the other way round. */
function openFifo(kernel: Kernel, thread: Thread, flags: number, opened: Opened): OpenFile | Fail {
  const { vnode } = opened;
  const pipe = (vnode.special ??= new Pipe()) as Pipe;
  const access = flags & OpenFlag.ACCMODE;
  if (access === OpenFlag.RDWR) return new PipeFile(kernel, thread, pipe, flags, opened);
  const reads = access === OpenFlag.RDONLY;
  if (flags & OpenFlag.NONBLOCK) {
    return !reads && pipe.readers === 0 ? -Errno.ENXIO : new PipeFile(kernel, thread, pipe, flags, opened);
  }
  const before = thread.blocked?.data as number | null | undefined;
  const seen = reads ? pipe.writersSeen : pipe.readersSeen;
  const partner = (reads ? pipe.writers : pipe.readers) > 0 || (before !== null && before !== undefined && seen > before);
  const partners = reads ? pipe.openingToWrite : pipe.openingToRead;
  if (partner || partners.length > 0) return new PipeFile(kernel, thread, pipe, flags, opened);
  return thread.block('fifo.open', [reads ? pipe.openingToRead : pipe.openingToWrite], { data: before ?? seen });
}

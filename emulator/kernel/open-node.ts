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

/**
 * The ends of a FIFO meet in open(2) (fifo(7)): a reader waits for a writer and the other way round. An end that waits
 * counts already, so that its partner may write and leave before it goes on.
 */
function openFifo(kernel: Kernel, thread: Thread, flags: number, opened: Opened): OpenFile | Fail {
  const { vnode } = opened;
  const pipe = (vnode.special ??= new Pipe(kernel.memory)) as Pipe;
  const waiting = thread.blocked?.data;
  if (waiting instanceof PipeFile) return waiting.partnerCame ? resumed(pipe, waiting) : waitForPartner(pipe, thread, waiting);
  pipe.dropBroken();
  const access = flags & OpenFlag.ACCMODE;
  const alone = access === OpenFlag.RDWR ? false : access === OpenFlag.RDONLY ? pipe.writers === 0 : pipe.readers === 0;
  if (flags & OpenFlag.NONBLOCK && alone && access === OpenFlag.WRONLY) return -Errno.ENXIO;
  const file = new PipeFile(kernel, thread, pipe, flags, opened);
  if (!alone || flags & OpenFlag.NONBLOCK) return file;
  pipe.addPending(thread, file);
  return waitForPartner(pipe, thread, file);
}

function waitForPartner(pipe: Pipe, thread: Thread, file: PipeFile): Fail {
  return thread.block('fifo.open', [pipe.opening], { data: file });
}

function resumed(pipe: Pipe, file: PipeFile): PipeFile {
  pipe.settlePending(file);
  return file;
}

import { Errno, failed, snapshotClass, type Result } from '../base/index.js';
import { OpenFlag } from '../vfs/open-flags.js';
import { gatherLength, type Gather } from '../vfs/vnode.js';
import { VOP_FSYNC, VOP_GETATTR, VOP_READ, VOP_SETATTR, VOP_WRITE } from '../vfs/vop.js';
import { In } from '../vfs/watch.js';
import { Ioctl } from './ioctl.js';
import type { Kernel } from './kernel.js';
import { Rlimit } from './limits.js';
import { NodeFile } from './node-file.js';
import { Signal } from './signal-numbers.js';
import { signalThread } from './signals.js';
import type { Thread } from './thread.js';

const SEEK = { SET: 0, CUR: 1, END: 2, DATA: 3, HOLE: 4 } as const;

/** An open regular file or directory. For a directory the position is a readdir cookie. */
export class VnodeFile extends NodeFile {
  readonly kind = 'vnode';

  override get gathers(): boolean { return true; }

  override read(_kernel: Kernel, _thread: Thread, length: number, offset: number | null): Uint8Array | number {
    const bytes = VOP_READ(this.vnode, offset ?? this.position, length);
    if (failed(bytes)) return bytes;
    this.consumed += bytes.length;
    this.notice(In.ACCESS);
    if (offset === null) this.position += bytes.length;
    return bytes;
  }

  override write(_kernel: Kernel, thread: Thread, bytes: Gather, offset: number | null): number {
    const at = this.flags & OpenFlag.APPEND ? this.vnode.getattr().size : offset ?? this.position;
    const room = fileSizeRoom(thread, at, gatherLength(bytes));
    if (room < 0) return room;
    const written = VOP_WRITE(this.vnode, at, room < gatherLength(bytes) ? cut(bytes, room) : bytes);
    if (failed(written)) return written;
    if (offset === null) this.position = at + written;
    this.notice(In.MODIFY);
    this.dropSetId(thread);
    const synced = this.flags & OpenFlag.DSYNC ? VOP_FSYNC(this.vnode) : 0;
    return failed(synced) ? synced : written;
  }

  /** A write by anyone but the superuser takes set-id bits away. */
  private dropSetId(thread: Thread): void {
    const { mode } = this.vnode.getattr();
    if (mode & 0o6000 && thread.process.cred.euid !== 0) VOP_SETATTR(this.vnode, { mode: mode & ~0o6000 });
  }

  override seek(offset: number, whence: number): number {
    const size = whence === SEEK.SET || whence === SEEK.CUR ? 0 : this.vnode.getattr().size;
    const target = seekTarget(offset, whence, this.position, size);
    if (target < 0) return target;
    this.position = target;
    return target;
  }

  override ioctl(_kernel: Kernel, thread: Thread, request: number, argument: number): Result {
    if (request !== Ioctl.FIONREAD || this.vnode.type !== 'reg') return -Errno.ENOTTY;
    const attr = VOP_GETATTR(this.vnode);
    return failed(attr) ? attr : thread.process.space.writeWords(argument >>> 0, [attr.size - this.position]);
  }
}
snapshotClass('VnodeFile', VnodeFile);

function seekTarget(offset: number, whence: number, position: number, size: number): number {
  switch (whence) {
    case SEEK.SET: return offset < 0 ? -Errno.EINVAL : offset;
    case SEEK.CUR: return position + offset < 0 ? -Errno.EINVAL : position + offset;
    case SEEK.END: return size + offset < 0 ? -Errno.EINVAL : size + offset;
    case SEEK.DATA: return offset < 0 || offset >= size ? -Errno.ENXIO : offset;
    case SEEK.HOLE: return offset < 0 || offset >= size ? -Errno.ENXIO : size;
    default: return -Errno.EINVAL;
  }
}

/** Bytes RLIMIT_FSIZE leaves for a write at `at`; past it SIGXFSZ and -EFBIG (setrlimit(2)). */
function fileSizeRoom(thread: Thread, at: number, length: number): number {
  const limit = thread.process.limits[Rlimit.FSIZE].soft;
  if (at + length <= limit || length === 0) return length;
  if (at < limit) return limit - at;
  signalThread(thread, { signo: Signal.XFSZ, code: 0 });
  return -Errno.EFBIG;
}

function cut(bytes: Gather, length: number): Gather {
  const parts = bytes instanceof Uint8Array ? [bytes] : bytes;
  const kept: Uint8Array[] = [];
  let left = length;
  for (const part of parts) {
    if (left <= 0) break;
    kept.push(part.subarray(0, left));
    left -= part.length;
  }
  return kept;
}

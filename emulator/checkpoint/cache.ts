import { Errno, failed, snapshotClass, type Result } from '../base/index.js';
import type { Process } from '../kernel/index.js';
import { PAGE_SIZE } from '../memory/index.js';

/** What the kernel holds for an entry besides its bytes. */
const ENTRY_BYTES = 256;

export const CacheDirection = { in: 1, out: 2 } as const;

/** cache(2): copies of user ranges in kernel memory, keyed by address, made and given back at the moment of the call. */
export class RangeCache {
  private readonly entries = new Map<number, Uint8Array>();
  private bytes = 0;
  private frames = 0;

  get size(): number {
    return this.bytes;
  }

  /** EDQUOT beyond `quota` bytes in all, ENOMEM without frames for them. */
  keep(process: Process, addr: number, size: number, quota: number): Result {
    if (size <= 0) return -Errno.EINVAL;
    const key = addr >>> 0;
    const total = this.bytes - (this.entries.get(key)?.length ?? 0) + size;
    if (total > quota) return -Errno.EDQUOT;
    const copy = process.space.copyin(addr, size);
    if (failed(copy)) return copy;
    const result = this.charge(process, total, this.entries.size + (this.entries.has(key) ? 0 : 1));
    if (failed(result)) return result;
    this.entries.set(key, copy);
    this.bytes = total;
    return 0;
  }

  /** EINVAL before anything was cached from there, or for more bytes than were. */
  give(process: Process, addr: number, size: number): Result {
    const copy = this.entries.get(addr >>> 0);
    if (!copy || size <= 0 || size > copy.length) return -Errno.EINVAL;
    return process.space.copyout(addr, copy.subarray(0, size));
  }

  clear(process: Process): void {
    this.entries.clear();
    this.bytes = 0;
    this.charge(process, 0, 0);
  }

  private charge(process: Process, bytes: number, entries: number): Result {
    const wanted = Math.ceil((bytes + entries * ENTRY_BYTES) / PAGE_SIZE);
    const { ram } = process.space;
    const result = wanted > this.frames ? ram.withdraw(wanted - this.frames) : 0;
    if (failed(result)) return result;
    if (wanted < this.frames) ram.giveBack(this.frames - wanted);
    this.frames = wanted;
    return 0;
  }
}
snapshotClass('RangeCache', RangeCache);

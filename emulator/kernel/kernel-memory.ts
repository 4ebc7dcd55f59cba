import { Errno, snapshotClass, type Result } from '../base/index.js';
import { PAGE_SIZE } from '../memory/ram.js';
import type { Ram } from '../memory/ram.js';

/**
 * Kernel objects that guests make: what each is charged, generously, so that the device's RAM is exhausted before the
 * host notices anything. Linux's own take 200 to 2000 bytes.
 */
export const ObjectBytes = {
  /** An open file with what stands behind it: struct file, inode, socket. */
  file: 2048,
  /** A slot of a descriptor table beyond the first 64. */
  descriptor: 48,
  /** A message in a socket's queue, beside its bytes (sk_buff). */
  message: 512,
  watch: 320,
  lock: 192,
} as const;

/** Small kernel objects together, charged to the device in whole frames. */
export class KernelMemory {
  private readonly ram: Ram;
  private bytes = 0;
  private frames = 0;

  constructor(ram: Ram) {
    this.ram = ram;
  }

  /** -ENOMEM when no frame is left for it. */
  take(bytes: number): Result {
    const wanted = Math.ceil((this.bytes + bytes) / PAGE_SIZE) - this.frames;
    if (wanted > 0 && this.ram.withdraw(wanted) < 0) return -Errno.ENOMEM;
    this.frames += Math.max(wanted, 0);
    this.bytes += bytes;
    return 0;
  }

  /** For what cannot be refused at this moment; see Ram.charge. */
  force(bytes: number): void {
    if (this.take(bytes) === 0) return;
    const wanted = Math.ceil((this.bytes + bytes) / PAGE_SIZE) - this.frames;
    this.ram.charge(wanted);
    this.frames += wanted;
    this.bytes += bytes;
  }

  give(bytes: number): void {
    this.bytes -= bytes;
    const needed = Math.ceil(this.bytes / PAGE_SIZE);
    this.ram.giveBack(this.frames - needed);
    this.frames = needed;
  }
}
snapshotClass('KernelMemory', KernelMemory);

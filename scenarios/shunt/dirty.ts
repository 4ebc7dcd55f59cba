import { failed, type Result } from '../../emulator/base/index.js';
import type { Process } from '../../emulator/kernel/index.js';
import { Prot } from '../../emulator/memory/index.js';

export const isWritable = (process: Process, va: number): boolean => ((process.space.find(va)?.prot ?? 0) & Prot.write) !== 0;

/** Addresses of the resident pages a process may write. */
export function writablePages(process: Process): number[] {
  return process.space.pages().map(({ va }) => va).filter((va) => isWritable(process, va));
}

/**
 * Write one word to a share of the process's writable pages, spread evenly, as the process would. How many pages, or -ENOMEM when there
 * is no frame left for a page that has to be copied.
 */
export function dirtyPages(process: Process, share: number): Result {
  const pages = writablePages(process);
  const count = Math.round(share * pages.length);
  for (let i = 0; i < count; i++) {
    const va = pages[Math.floor((i * pages.length) / count)];
    const bytes = process.space.copyin(va, 4);
    if (failed(bytes)) return bytes;
    const written = process.space.copyout(va, Uint8Array.from(bytes, (byte) => (byte + 1) & 0xff));
    if (failed(written)) return written;
  }
  return count;
}

import type { Fail } from '../base/index.js';
import type { Kernel, Process } from '../kernel/index.js';
import type { Region } from '../memory/index.js';
import type { FramePool } from './frame-pool.js';
import type { ProcessImage } from './process-image.js';
import type { ImageRecord } from './record.js';

/** Store bits of sys_checkpoint and of the configuration. */
export const Store = { default: 0, vnode: 0x100, copy: 0x200, pool: 0x300, share: 0x400 } as const;
export const STORE_MASK = 0xf00;

const names = new Map<number, string>([[Store.vnode, 'vnode'], [Store.copy, 'shunt-copy'], [Store.pool, 'shunt-pool'], [Store.share, 'shunt-share']]);

export function storeName(store: number): string {
  return names.get(store) ?? `store ${store}`;
}

export const isStore = (store: number): boolean => names.has(store);

/** How an image is written; beside the checksum, everything but the defaults is for measurements. */
export interface WriteOptions {
  checksum: boolean;
  /** Vnode store: bytes a VOP_WRITE at most; 0 = one for each segment, as the core routine does. */
  writeSize: number;
  /** Vnode store: overwrite the file where it is instead of writing aside and renaming. */
  inPlace: boolean;
  /** Vnode store: add the untouched pages of file mappings, so that the file is complete in itself. */
  complete: boolean;
  /**
   * Vnode store: pages that no other process may change become the file's own, shared copy-on-write, and are not copied: one VOP_ADOPT for
   * each run of them. EOPNOTSUPP on a file system that cannot.
   */
  adopt: boolean;
}

export const defaultWrite: WriteOptions = { checksum: true, writeSize: 0, inPlace: false, complete: true, adopt: false };

export interface StoreContext {
  kernel: Kernel;
  process: Process;
  pool: FramePool;
  options: WriteOptions;
}

/** Where the pages of an opened image are. Pages are addressed by run and place in the run. */
export interface PageSource {
  /** A view of at least one and at most `pages` pages from there on; valid until anything is stored or freed. */
  extent(run: number, page: number, pages: number): Uint8Array;
  /** The frame itself, when the image shares it with the process; else -1. */
  sharedFrame(run: number, page: number): number;
}

/** An image that has been read and found sound. Nothing about it can fail any more. */
export interface OpenImage {
  record: ImageRecord;
  source: PageSource;
  /** Its sums were there and have been computed again. */
  summed: boolean;
}

/** An image in a store: a snapshot class. */
export interface StoredImage {
  readonly store: number;
  /** Of the whole image, as file or in frames. */
  readonly bytes: number;
  /** Frames of RAM it holds now that nobody else uses. */
  heldFrames(kernel: Kernel): number;
  /** Read and verify. `checked`: the sums must be there and right. */
  open(kernel: Kernel, process: Process, checked: boolean): OpenImage | Fail;
  /** Give back what it holds; for a file, unlink it if it is still the one written. */
  drop(kernel: Kernel, process: Process, pool: FramePool): void;
}

export interface ImageStore {
  write(context: StoreContext, image: ProcessImage, regions: readonly Region[], descriptor: number, replaces: StoredImage | null): StoredImage | Fail;
}

import { snapshotClass } from '../base/index.js';
import type { CheckpointOptions, Kernel, Process } from '../kernel/index.js';
import { FramePool } from './frame-pool.js';
import type { Guard } from './guard.js';
import { defaultWrite, isStore, Store, type WriteOptions } from './image-store.js';

export const defaultOptions: CheckpointOptions = {
  store: Store.vnode, daemons: {}, quota: { checkpoints: 64, bytes: Infinity }, poolFrames: 0, checksum: true, guard: null,
};

/** A core on offer: made only if the taker asks. */
export interface CoreOffer {
  pid: number;
  comm: string;
  signo: number;
  /** ELF core of the process at the fault. */
  bytes(): Uint8Array;
}

/** The checkpoint layer of one machine. */
export class CheckpointLayer {
  static readonly transient = ['coreSink'];
  readonly options: CheckpointOptions;
  readonly pool: FramePool;
  write: WriteOptions;
  /** Transparent checkpoints; null: none. */
  guard: Guard | null = null;
  /** Shown every fault signal at its delivery, handled or fatal; for `--core` on the host. */
  coreSink: ((core: CoreOffer) => void) | null = null;

  constructor(kernel: Kernel, options: CheckpointOptions) {
    this.options = options;
    this.pool = new FramePool(kernel.ram, options.poolFrames);
    this.write = { ...defaultWrite, checksum: options.checksum };
  }

  afterLoad(): void {
    this.coreSink = null;
  }

  /** The store for a freeze: the call's, else the process's, else its program's, else the router's. */
  storeFor(process: Process, asked: number, processDefault: number): number {
    return [asked, processDefault, this.options.daemons[process.comm] ?? 0].find(isStore) ?? this.options.store;
  }
}
snapshotClass('CheckpointLayer', CheckpointLayer);

const KEY = 'checkpoint';

/** Null on a machine without the layer. */
export function layerOf(kernel: Kernel): CheckpointLayer | null {
  return (kernel.extension.get(KEY) as CheckpointLayer | undefined) ?? null;
}

export function setLayer(kernel: Kernel, layer: CheckpointLayer): void {
  kernel.extension.set(KEY, layer);
}

import { Errno, failed, invariant, type Result } from '../base/index.js';
import type { Kernel, Process, Thread } from '../kernel/index.js';
import { PAGE_SIZE } from '../memory/index.js';
import { Checkpoint } from './checkpoint.js';
import { Store, storeName, type StoredImage, type WriteOptions } from './image-store.js';
import { holdKernelObjects, releaseKernelObjects } from './kernel-record.js';
import { layerOf, type CheckpointLayer } from './layer.js';
import { checkpointsOf, type ProcessCheckpoints } from './process-checkpoints.js';
import { collectImage, sharesItself, type ProcessImage } from './process-image.js';
import { ShuntStore } from './shunt-store.js';
import { VnodeImage, VnodeStore } from './vnode-store.js';

export interface FreezeOptions {
  /** The calling thread, whose image returns the descriptor; none when the host freezes a stopped process. */
  self?: Thread;
  /** A Store; 0: the default. */
  store?: number;
  /** Replace this checkpoint's image; 0: the last one's. */
  into?: number;
  write?: Partial<WriteOptions>;
  /** For the images of several processes at one moment: see collectImage. Such an image can be thawed only together with the others. */
  elsewhere?: Set<number>;
}

/**
 * Freeze a process: its descriptor, or an errno. EBUSY: memory or descriptors are another process's too. EMFILE: too many
 * checkpoints. EDQUOT: too many bytes of images. ENOMEM, ENOSPC: no frames, a full pool or file system.
 * A failure leaves every older checkpoint as it was.
 */
export function freezeProcess(kernel: Kernel, process: Process, options: FreezeOptions = {}): Result {
  const layer = layerOf(kernel);
  if (!layer) return -Errno.ENOSYS;
  const result = freeze(kernel, process, layer, options);
  if (failed(result)) kernel.log.add('checkpoint.fail', { pid: process.pid, comm: process.comm, op: 'freeze', errno: -result });
  return result;
}

function freeze(kernel: Kernel, process: Process, layer: CheckpointLayer, options: FreezeOptions): Result {
  if (sharesItself(kernel, process)) return -Errno.EBUSY;
  const state = checkpointsOf(process);
  const replaced = options.into === undefined ? null : state.find(options.into);
  if (failed(replaced)) return replaced;
  if (!replaced && state.list.length >= layer.options.quota.checkpoints) return -Errno.EMFILE;
  const before = { vops: kernel.ledger.total('vop.'), copied: kernel.ledger.get('copy.bytes'), cycles: kernel.clock.cycles };
  const descriptor = replaced?.descriptor ?? state.nextDescriptor;
  const heldBefore = heldFrames(kernel, state);
  const image = collectImage(kernel, process, descriptor, options.self ? { thread: options.self, result: descriptor } : null, options.elsewhere);
  kernel.meter.charge('checkpoint.page', image.frames.length);
  const others = state.bytes - (replaced?.image.bytes ?? 0);
  if (others + image.frames.length * PAGE_SIZE > layer.options.quota.bytes) return -Errno.EDQUOT;
  const store = layer.storeFor(process, options.store ?? 0, state.defaultStore);
  const stored = writeImage(kernel, process, layer, store, image, descriptor, replaced?.image ?? null, options.write);
  if (failed(stored)) return stored;
  const vops = kernel.ledger.total('vop.') - before.vops;
  invariant(store === Store.vnode || vops === 0, 'a freeze past the vnodes used one');
  keep(kernel, process, layer, state, { descriptor, stored, image, replaced });
  kernel.log.add('checkpoint.freeze', {
    pid: process.pid, comm: process.comm, descriptor, store: storeName(store), bytes: stored.bytes, frames: stored.heldFrames(kernel),
    held: peakFrames(kernel, state, heldBefore, replaced !== null && store === Store.vnode ? stored : null), pages: image.frames.length, copied: kernel.ledger.get('copy.bytes') - before.copied, vops, cycles: kernel.clock.cycles - before.cycles,
  });
  return descriptor;
}

/** Frames that only the images of the process keep in use, or their files' pages. */
function heldFrames(kernel: Kernel, state: ProcessCheckpoints): number {
  return state.list.reduce((sum, one) => sum + one.image.heldFrames(kernel), 0);
}

/** The most they were: just before, now, or, while a file was written beside the one it replaces, both together. */
function peakFrames(kernel: Kernel, state: ProcessCheckpoints, before: number, beside: StoredImage | null): number {
  return Math.max(before + (beside?.heldFrames(kernel) ?? 0), heldFrames(kernel, state));
}

function writeImage(kernel: Kernel, process: Process, layer: CheckpointLayer, store: number, image: ProcessImage, descriptor: number, replaces: StoredImage | null, write: Partial<WriteOptions> = {}): StoredImage | number {
  const context = { kernel, process, pool: layer.pool, options: { ...layer.write, ...write } };
  const { regions } = process.space;
  const stored = store === Store.vnode ? new VnodeStore().write(context, image, regions, descriptor, replaces) : new ShuntStore(store).write(context, image, regions);
  if (context.options.checksum && !failed(stored)) kernel.meter.charge('checksum.bytes', stored.bytes);
  return stored;
}

interface Frozen {
  descriptor: number;
  stored: StoredImage;
  image: ProcessImage;
  replaced: Checkpoint | null;
}

/** The image is safe: from here on the new checkpoint exists and the one it replaces does not. */
function keep(kernel: Kernel, process: Process, layer: CheckpointLayer, state: ProcessCheckpoints, frozen: Frozen): void {
  const { descriptor, stored, image, replaced } = frozen;
  const own = holdKernelObjects(kernel, process, image);
  const serial = ++state.serial;
  if (replaced) {
    if (!sameName(replaced.image, stored)) replaced.image.drop(kernel, process, layer.pool);
    releaseKernelObjects(kernel, replaced.own);
    Object.assign(replaced, { image: stored, own, time: kernel.clock.cycles, serial, freezes: replaced.freezes + 1 });
  } else {
    state.list.push(new Checkpoint(descriptor, stored, own, kernel.clock.cycles, serial));
    state.nextDescriptor++;
  }
  state.history.froze(descriptor);
  state.cause = null;
}

/** The rename has already put the new file in the old one's place. */
function sameName(before: StoredImage, after: StoredImage): boolean {
  return before instanceof VnodeImage && after instanceof VnodeImage && before.path === after.path;
}

/** Forget one checkpoint; its file is unlinked. EINVAL when there is none. */
export function dropCheckpoint(kernel: Kernel, process: Process, descriptor: number): Result {
  const layer = layerOf(kernel);
  const state = checkpointsOf(process);
  const checkpoint = state.find(descriptor);
  if (!layer || failed(checkpoint)) return -Errno.EINVAL;
  state.remove(checkpoint);
  const frames = checkpoint.image.heldFrames(kernel);
  checkpoint.image.drop(kernel, process, layer.pool);
  releaseKernelObjects(kernel, checkpoint.own);
  kernel.log.add('checkpoint.drop', { pid: process.pid, comm: process.comm, descriptor: checkpoint.descriptor, frames });
  return 0;
}

import { errnoName, failed } from '../../emulator/base/index.js';
import { dropCheckpoint, freezeProcess } from '../../emulator/checkpoint/index.js';
import { PAGE_SIZE } from '../../emulator/memory/index.js';
import type { Subject } from '../measure/subject.js';
import { dirtyPages } from './dirty.js';

/** How many images of one process fit the device, and what stopped the next. */
export interface Capacity {
  images: number;
  /** "ENOSPC", "ENOMEM"; "limit" when counting stopped first. */
  stoppedBy: string;
  /** RAM they held together at the end, bytes. */
  held: number;
}

/** Counting stops here: more shows nothing new, and each freeze counts what all images before it hold. */
export const MOST_IMAGES = 3000;

/** Freeze again and again, each time into a new descriptor, until the device refuses; then drop them. `onImage` is told how many there are. */
export function capacity(subject: Subject, store: number, dirty: number, most: number, onImage: (images: number) => void = () => {}): Capacity {
  const { process, layer, router: { kernel } } = subject;
  const { quota } = layer.options;
  layer.options.quota = { checkpoints: Infinity, bytes: Infinity };
  const free = kernel.ram.free();
  const made: number[] = [];
  let stoppedBy = 'limit';
  while (made.length < most) {
    const result = freezeProcess(kernel, process, { store });
    if (!failed(result)) made.push(result);
    onImage(made.length);
    const next = failed(result) ? result : dirtyPages(process, dirty);
    if (!failed(next)) continue;
    stoppedBy = errnoName(-next);
    break;
  }
  const held = (free - kernel.ram.free()) * PAGE_SIZE;
  for (const descriptor of made) dropCheckpoint(kernel, process, descriptor);
  layer.options.quota = quota;
  return { images: made.length, stoppedBy, held };
}

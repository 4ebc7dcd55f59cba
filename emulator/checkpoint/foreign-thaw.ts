import { Errno, failed, invariant, type Fail, type Result } from '../base/index.js';
import type { Kernel, Process, Thread } from '../kernel/index.js';
import { AnonPager, FrameUse, flushTlb, PAGE_SIZE, Prot, Region, USER_END, type AddressSpace } from '../memory/index.js';
import { OpenFlag } from '../vfs/open-flags.js';
import { VOP_CLOSE, VOP_GETATTR } from '../vfs/vop.js';
import { readCoreFile } from './file-reader.js';
import type { OpenImage } from './image-store.js';
import { layerOf } from './layer.js';
import { sharesItself } from './process-image.js';
import { pageCount, type RegionRecord } from './record.js';
import { allocate } from './shunt-store.js';
import { releaseOldMap, restoreForeignState } from './thaw-commit.js';

/**
 * Overlay a process with an image of another one, from the file alone and with the caller's rights alone: it keeps its
 * credentials, limits, directories and descriptors; mapped files become plain memory with the contents in the image,
 * shared memory becomes its own. System calls the image's threads were blocked in are made again. An errno leaves the
 * process as it was; success is like exec(2): its checkpoints are about another program now, and the caller drops them.
 */
export function thawForeign(kernel: Kernel, thread: Thread, path: string): Result {
  const { process } = thread;
  if (sharesItself(kernel, process)) return -Errno.EBUSY;
  const image = openForeign(kernel, process, path);
  if (failed(image)) return image;
  const { record } = image;
  const bytes = record.regions.reduce((sum, region) => sum + region.end - region.start, 0);
  if (bytes > process.space.limit) return -Errno.ENOMEM;
  const frames = reserve(process.space, pageCount(record.runs));
  if (failed(frames)) return frames;
  overlay(kernel, process.space, image, frames);
  restoreForeignState(kernel, thread, record);
  return 0;
}

/** EINVAL for whatever is not a sound image. */
function openForeign(kernel: Kernel, process: Process, path: string): OpenImage | Fail {
  const vnode = kernel.vfs.open(process, path, OpenFlag.RDONLY);
  if (failed(vnode)) return vnode;
  const attr = VOP_GETATTR(vnode);
  const checked = layerOf(kernel)?.write.checksum ?? true;
  const image = failed(attr) ? attr : attr.type === 'reg' ? readCoreFile(vnode, attr.size, checked) : -Errno.EINVAL;
  if (!failed(image) && !failed(attr) && image.summed) kernel.meter.charge('checksum.bytes', attr.size);
  const closed = VOP_CLOSE(vnode);
  return failed(closed) && !failed(image) ? closed : image;
}

/** The frames the image needs beyond those the caller alone has and gives up. */
function reserve(space: AddressSpace, pages: number): number[] | Fail {
  let own = 0;
  space.forEachPage(0, USER_END, (va, frame) => {
    if (space.ram.refs[frame] === 1 && !space.find(va)?.shared) own++;
  });
  return allocate(space.ram, Math.max(pages - own, 0), FrameUse.user);
}

function overlay(kernel: Kernel, space: AddressSpace, image: OpenImage, reserved: number[]): void {
  const { ram } = kernel;
  for (const { va } of space.pages()) space.dropPage(va);
  const regions = image.record.regions.map((region) => ownRegion(kernel, region));
  for (const region of regions) region.pager?.addRef();
  const before = space.overlayRegions(regions);
  let target = 0;
  image.record.runs.forEach((run, index) => {
    while (regions[target].end <= run.va) target++;
    for (let page = 0; page < run.pages; page++) {
      const frame = reserved.pop() ?? ram.alloc(FrameUse.user, false);
      invariant(!failed(frame), 'a foreign thaw ran out of the frames it had reserved');
      ram.page(frame).set(image.source.extent(index, page, 1));
      ram.dropCode(frame);
      install(space, regions[target], run.va + page * PAGE_SIZE, frame);
    }
    kernel.meter.charge('copy.bytes', run.pages * PAGE_SIZE);
  });
  for (const frame of reserved) ram.release(frame);
  releaseOldMap(before);
  if (ram.activeSpace === space) flushTlb(ram);
}

function ownRegion(kernel: Kernel, record: RegionRecord): Region {
  const { start, end, prot, shared, flags, name } = record;
  return new Region({ start, end, prot, maxProt: 7, shared, flags, name, pageOffset: 0, pager: shared ? new AnonPager(kernel.ram) : null });
}

function install(space: AddressSpace, region: Region, va: number, frame: number): void {
  if (region.pager instanceof AnonPager) {
    region.pager.adopt(region.index(va), frame);
    space.ram.addRef(frame);
  }
  space.setPage(va, frame, (region.prot & Prot.write) !== 0);
}


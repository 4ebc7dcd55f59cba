import { Errno, failed, type Result } from '../base/index.js';
import { PAGE_SIZE, type AddressSpace, type Region } from '../memory/index.js';
import { gatherLength, type Gather, type Vnode } from '../vfs/vnode.js';
import { VOP_ADOPT, VOP_ALLOCATE, VOP_FSYNC, VOP_WRITE } from '../vfs/vop.js';
import type { CoreFileImage } from './core-file.js';
import type { StoreContext } from './image-store.js';
import { PageKind, type PageRun } from './record.js';
import type { ImageSegment } from './segments.js';

/**
 * Pages that nothing but the process changes, so that another holder can keep them copy-on-write: its own, and those of file
 * mappings it may not write. Shared memory changes under every holder, and a writable mapping of a file shows what is
 * written to the file.
 */
export function isSharable(run: PageRun, region: Region): boolean {
  return run.kind === PageKind.own || (run.kind === PageKind.file && !(region.prot & 2));
}

/** A part of the file: `run` when its pages can be adopted, else bytes. */
interface Piece {
  offset: number;
  run: PageRun | null;
  gather: Uint8Array[];
}

/**
 * Fill an image file without copying what need not be: the head is written, runs of pages of the process are adopted, what lies
 * between them is written. `runs`: as laid out in the file.
 */
export function adoptFile({ kernel, process }: StoreContext, vnode: Vnode, file: CoreFileImage, runs: readonly PageRun[], regions: readonly Region[]): Result {
  const room = VOP_ALLOCATE(vnode, 0, file.head.length);
  if (failed(room) && room !== -Errno.EOPNOTSUPP) return room;
  const head = writeOnce(vnode, 0, file.head);
  if (failed(head)) return head;
  for (const { offset, run, gather } of piecesOf(file, runs, regions)) {
    const result = run ? adoptRun(process.space, vnode, offset, run) : writeOnce(vnode, offset, gather);
    if (failed(result)) return result;
    if (run) kernel.meter.charge('checkpoint.share', run.pages);
  }
  return VOP_FSYNC(vnode);
}

function adoptRun(space: AddressSpace, vnode: Vnode, offset: number, run: PageRun): Result {
  const frames = Array.from({ length: run.pages }, (_, page) => space.sharePage(run.va + page * PAGE_SIZE));
  const result = VOP_ADOPT(vnode, offset, frames);
  if (failed(result)) for (const frame of frames) space.ram.release(frame);
  return result;
}

function piecesOf(file: CoreFileImage, runs: readonly PageRun[], regions: readonly Region[]): Piece[] {
  return file.segments.flatMap((segment, i) => segmentPieces(segment, file.offsets[i], file.gathers[i], runs, regions));
}

/** The gather list of a segment, cut where adopted runs begin and end. */
function segmentPieces(segment: ImageSegment, offset: number, gather: readonly Uint8Array[], runs: readonly PageRun[], regions: readonly Region[]): Piece[] {
  const pieces: Piece[] = [];
  const rest = new GatherCursor(gather);
  let at = segment.start;
  const write = (end: number): void => {
    if (end > at) pieces.push({ offset: offset + at - segment.start, run: null, gather: rest.take(end - at) });
    at = end;
  };
  const region = regions.find((one) => one.start <= segment.start && segment.start < one.end) as Region;
  for (const run of runs.slice(segment.first, segment.last)) {
    if (!isSharable(run, region)) continue;
    write(run.va);
    pieces.push({ offset: offset + at - segment.start, run, gather: [] });
    rest.take(run.pages * PAGE_SIZE);
    at += run.pages * PAGE_SIZE;
  }
  write(segment.start + segment.filePages * PAGE_SIZE);
  return pieces;
}

class GatherCursor {
  private readonly parts: Uint8Array[];

  constructor(parts: readonly Uint8Array[]) {
    this.parts = [...parts].reverse();
  }

  /** The next `length` bytes. */
  take(length: number): Uint8Array[] {
    const taken: Uint8Array[] = [];
    for (let left = length; left > 0;) {
      const part = this.parts.pop() as Uint8Array;
      if (part.length > left) this.parts.push(part.subarray(left));
      taken.push(part.subarray(0, left));
      left -= part.length;
    }
    return taken;
  }
}

/** A short write is a full file system. */
export function writeOnce(vnode: Vnode, offset: number, bytes: Gather): Result {
  const written = VOP_WRITE(vnode, offset, bytes);
  if (failed(written)) return written;
  return written < gatherLength(bytes) ? -Errno.ENOSPC : written;
}

import { failed, type Fail } from '../base/index.js';
import { PAGE_SIZE, type Ram, type Region } from '../memory/index.js';
import { VnodePager } from '../vfs/vnode-pager.js';
import { VOP_READ } from '../vfs/vop.js';
import { framedRuns, type FileRun } from './core-file.js';
import { PageKind, type PageRun } from './record.js';

/**
 * A file must be complete in itself. So beside the pages in memory it gets those of private file mappings that
 * nobody has touched yet, read from the mapped file: runs of kind `added`. An in-place thaw leaves them alone.
 */
export function completeRuns(ram: Ram, regions: readonly Region[], runs: readonly PageRun[], frames: ArrayLike<number>): FileRun[] | Fail {
  const present = framedRuns(ram, runs, frames);
  const complete: FileRun[] = [];
  let next = 0;
  for (const region of regions) {
    let at = region.start;
    for (; next < present.length && present[next].run.va < region.end; next++) {
      const failure = addGap(region, at, present[next].run.va, complete);
      if (failed(failure)) return failure;
      complete.push(present[next]);
      at = present[next].run.va + present[next].run.pages * PAGE_SIZE;
    }
    const failure = addGap(region, at, region.end, complete);
    if (failed(failure)) return failure;
  }
  return complete;
}

function addGap(region: Region, start: number, end: number, complete: FileRun[]): number {
  if (start >= end || region.shared || !(region.pager instanceof VnodePager)) return 0;
  const bytes = VOP_READ(region.pager.vnode, region.index(start) * PAGE_SIZE, end - start);
  if (failed(bytes)) return bytes;
  const length = (bytes as Uint8Array).length;
  if (length === 0) return 0;
  region.pager.vnode.fs.vfs.meter.charge('copy.bytes', length);
  const tail = -length & (PAGE_SIZE - 1);
  const run: PageRun = { va: start, pages: (length + tail) / PAGE_SIZE, kind: PageKind.added };
  const contents = Uint8Array.from(bytes as Uint8Array);
  complete.push({ run, chunks: tail ? [contents, new Uint8Array(tail)] : [contents] });
  return 0;
}

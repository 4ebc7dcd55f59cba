import { failed, type Fail } from '../base/index.js';
import { PAGE_SIZE, type Pager, type Region } from '../memory/index.js';
import type { Vnode } from '../vfs/vnode.js';
import { VnodePager } from '../vfs/vnode-pager.js';
import { VOP_READ } from '../vfs/vop.js';
import type { FileRun } from './core-file.js';
import { PageKind } from './record.js';

export type ReadFile = (vnode: Vnode, offset: number, length: number) => Uint8Array | Fail;

/** For the host's eyes: no vnode operation of the device. */
export const readQuietly: ReadFile = (vnode, offset, length) => vnode.peek(offset, length);

/**
 * A file must be complete in itself. So beside the pages in memory it gets those of private file mappings that
 * nobody has touched yet, read from the mapped file: runs of kind `added`. An in-place thaw leaves them alone.
 */
export function completeRuns(regions: readonly Region[], present: readonly FileRun[], read: ReadFile = VOP_READ): FileRun[] | Fail {
  const complete: FileRun[] = [];
  let next = 0;
  for (const region of regions) {
    let at = region.start;
    for (; next < present.length && present[next].run.va < region.end; next++) {
      const failure = addGap(region, at, present[next].run.va, complete, read);
      if (failed(failure)) return failure;
      complete.push(present[next]);
      at = present[next].run.va + present[next].run.pages * PAGE_SIZE;
    }
    const failure = addGap(region, at, region.end, complete, read);
    if (failed(failure)) return failure;
  }
  return complete;
}

function addGap(region: Region, start: number, end: number, complete: FileRun[], read: ReadFile): number {
  if (start >= end || region.shared || !region.pager) return 0;
  if (!(region.pager instanceof VnodePager)) {
    addResident(region, region.pager, start, end, complete);
    return 0;
  }
  const bytes = read(region.pager.vnode, region.index(start) * PAGE_SIZE, end - start);
  if (failed(bytes)) return bytes;
  if (bytes.length === 0) return 0;
  const tail = -bytes.length & (PAGE_SIZE - 1);
  const run = { va: start, pages: (bytes.length + tail) / PAGE_SIZE, kind: PageKind.added };
  complete.push({ run, chunks: tail ? [bytes, new Uint8Array(tail)] : [bytes] });
  return 0;
}

/** The signal trampolines and their like: untouched by this process, but in memory. */
function addResident(region: Region, pager: Pager, start: number, end: number, complete: FileRun[]): void {
  for (let va = start; va < end; va += PAGE_SIZE) {
    const bytes = pager.resident(region.index(va)) >= 0 ? pager.peek(region.index(va)) : null;
    if (bytes) complete.push({ run: { va, pages: 1, kind: PageKind.added }, chunks: [bytes] });
  }
}

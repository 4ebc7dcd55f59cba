import { failed, type Result } from '../base/index.js';
import { PAGE_SIZE } from '../memory/ram.js';
import type { Vnode } from '../vfs/vnode.js';
import type { Kernel } from './kernel.js';

/** truncate(2): whole pages past the new end leave every mapping, and touching them is SIGBUS until the file grows again. */
export function truncateNode(kernel: Kernel, vnode: Vnode, size: number): Result {
  const result = kernel.vfs.truncate(vnode, size);
  if (!failed(result)) unmapBeyond(kernel, vnode, size);
  return result;
}

/** As unmap_mapping_range with even_cows (mm/memory.c): private copies go too. */
export function unmapBeyond(kernel: Kernel, vnode: Vnode, size: number): void {
  const pager = vnode.pages;
  if (!pager) return;
  const first = Math.ceil(size / PAGE_SIZE);
  for (const space of new Set([...kernel.processes.values()].map((process) => process.space))) {
    for (const region of space.regions) {
      if (region.pager !== pager) continue;
      const start = region.start + Math.max(0, first - region.pageOffset) * PAGE_SIZE;
      if (start < region.end) space.discard(start, region.end - start);
    }
  }
  pager.forget(first);
}

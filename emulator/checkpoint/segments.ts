import type { CoreSegment } from '../kernel/core.js';
import { PAGE_SIZE } from '../memory/ram.js';
import type { PageRun, RegionRecord } from './record.js';

/** Untouched pages between two touched ones that a file fills with zeros rather than begin another segment. */
const GAP_PAGES = 16;

/** A segment and the runs in it: `first` to `last`, exclusive. */
export interface ImageSegment extends CoreSegment {
  first: number;
  last: number;
}

/** PF_X 1, PF_W 2, PF_R 4 from PROT_READ 1, WRITE 2, EXEC 4. */
const elfFlags = (prot: number): number => ((prot & 1) << 2) | (prot & 2) | (prot >> 2);

/** Cut the map into the segments of a core file: one a mapping, more where large parts of it were never touched. */
export function segmentsOf(regions: readonly RegionRecord[], runs: readonly PageRun[]): ImageSegment[] {
  const segments: ImageSegment[] = [];
  let next = 0;
  for (const region of regions) {
    const first = next;
    while (next < runs.length && runs[next].va < region.end) next++;
    if (region.prot !== 0 || next > first) cutRegion(region, runs, first, next, segments);
  }
  return segments;
}

function cutRegion(region: RegionRecord, runs: readonly PageRun[], first: number, last: number, segments: ImageSegment[]): void {
  const flags = elfFlags(region.prot);
  let segment: ImageSegment = { start: region.start, end: region.end, filePages: 0, flags, first, last: first };
  segments.push(segment);
  for (let i = first; i < last; i++) {
    const { va, pages } = runs[i];
    const filled = segment.start + segment.filePages * PAGE_SIZE;
    if (va - filled > GAP_PAGES * PAGE_SIZE) {
      segment.end = va;
      segment = { start: va, end: region.end, filePages: 0, flags, first: i, last: i };
      segments.push(segment);
    }
    segment.filePages = (va - segment.start) / PAGE_SIZE + pages;
    segment.last = i + 1;
  }
}

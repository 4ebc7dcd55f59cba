import { snapshotClass } from '../base/index.js';
import type { Region } from './region.js';

/** The regions of a space: sorted, disjoint, neighbours merged where nothing tells them apart. */
export class RegionList {
  readonly items: Region[] = [];
  /** What the last search from the top found: no gap of `length` bytes ends above `top` and below `high`. Taking a region out makes it void. */
  private searched = { high: -1, top: 0, length: 0 };

  /** Index of the first region that ends above `va` (items.length when none does). */
  indexAbove(va: number): number {
    let low = 0;
    let high = this.items.length;
    while (low < high) {
      const middle = (low + high) >>> 1;
      if (this.items[middle].end > va) high = middle;
      else low = middle + 1;
    }
    return low;
  }

  find(va: number): Region | null {
    const region = this.items[this.indexAbove(va)];
    return region && region.start <= va ? region : null;
  }

  /** The regions that touch [start, end). */
  overlapping(start: number, end: number): Region[] {
    const first = this.indexAbove(start);
    let after = first;
    while (after < this.items.length && this.items[after].start < end) after++;
    return this.items.slice(first, after);
  }

  /** Every byte of [start, end) is mapped. */
  covers(start: number, end: number): boolean {
    let at = start;
    for (const region of this.overlapping(start, end)) {
      if (region.start > at) return false;
      at = region.end;
    }
    return at >= end;
  }

  bytes(): number {
    let sum = 0;
    for (const region of this.items) sum += region.end - region.start;
    return sum;
  }

  bytesIn(start: number, end: number): number {
    let sum = 0;
    for (const region of this.overlapping(start, end)) sum += Math.min(end, region.end) - Math.max(start, region.start);
    return sum;
  }

  /** Make `va` a border: a region around it becomes two. */
  split(va: number): void {
    const index = this.indexAbove(va);
    const region = this.items[index];
    if (!region || region.start >= va) return;
    const upper = region.slice(va, region.end);
    upper.pager?.addRef();
    region.end = va;
    this.items.splice(index + 1, 0, upper);
  }

  /** Take [start, end) out; the removed regions keep their pager references. */
  cut(start: number, end: number): Region[] {
    this.split(start);
    this.split(end);
    const removed = this.overlapping(start, end);
    if (removed.length > 0) this.items.splice(this.indexAbove(start), removed.length);
    this.searched.high = -1;
    return removed;
  }

  /** Put a region into a gap; its pager is already counted. */
  insert(region: Region): void {
    this.items.splice(this.indexAbove(region.start), 0, region);
    this.merge(region.start, region.end);
  }

  /** Join neighbours that nothing tells apart, at and around [start, end). */
  merge(start: number, end: number): void {
    let index = Math.max(0, this.indexAbove(start) - 1);
    while (index + 1 < this.items.length && this.items[index].start <= end) {
      const [left, right] = [this.items[index], this.items[index + 1]];
      if (left.continues(right)) {
        left.end = right.end;
        right.pager?.release();
        this.items.splice(index + 1, 1);
      } else {
        index++;
      }
    }
  }

  /** Start of the highest gap of `length` bytes inside [low, high), or -1. */
  gapBelow(length: number, low: number, high: number): number {
    const { searched } = this;
    let top = searched.high === high && length >= searched.length ? searched.top : high;
    for (let index = this.indexAbove(top - 1); index >= 0 && top > low; index--) {
      const region = this.items[index];
      if (!region || region.start >= top) continue;
      if (top - Math.max(region.end, low) >= length) break;
      top = region.start;
    }
    this.searched = { high, top, length };
    return top - low >= length ? top - length : -1;
  }

  /** Other regions than before, all of them. */
  replace(regions: readonly Region[]): void {
    this.items.length = 0;
    for (const region of regions) this.items.push(region);
    this.searched.high = -1;
  }

  /** Start of the lowest gap of `length` bytes inside [low, high), or -1. */
  gapAbove(length: number, low: number, high: number): number {
    let bottom = low;
    for (let index = this.indexAbove(low); index < this.items.length; index++) {
      const region = this.items[index];
      if (Math.min(region.start, high) - bottom >= length) return bottom;
      bottom = Math.max(bottom, region.end);
    }
    return high - bottom >= length ? bottom : -1;
  }
}
snapshotClass('RegionList', RegionList);

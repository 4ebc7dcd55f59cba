import { Errno, failed, type Fail, type Result } from '../base/index.js';
import type { Kernel, Process } from '../kernel/index.js';
import type { OpenFile } from '../kernel/open-file.js';
import { FrameUse, PAGE_SIZE, Prot, USER_END, type AddressSpace, type Region } from '../memory/index.js';
import type { Checkpoint, KernelRecord } from './checkpoint.js';
import type { OpenImage } from './image-store.js';
import { checkHolds, eachPage, peekRange, type PersistRange } from './persist.js';
import { Backing, PageKind, type ImageRecord, type RegionRecord } from './record.js';
import { allocate } from './shunt-store.js';

/**
 * What becomes of a page of the image at the commit:
 *   keep   the process still has these very bytes
 *   reuse  copy over the frame that only the caller owns
 *   fresh  copy into a reserved frame
 *   map    map `frame`, copy-on-write: the image's own, or the page cache's
 *   live   copy into the live frame of a shared mapping
 *   leave  a shared mapping keeps what it has
 */
export const PageStep = { keep: 0, reuse: 1, fresh: 2, map: 3, live: 4, leave: 5 } as const;

/** Parallel lists, one entry a page of the image, ascending by address. */
export interface PageSteps {
  va: number[];
  run: number[];
  /** Place in the run. */
  page: number[];
  step: number[];
  /** For reuse, map, live and leave. */
  frame: number[];
}

/** Processes that are thawed at one moment. */
export interface ThawGroup {
  /** Those that end before it included. */
  processes: ReadonlySet<Process>;
  /** Frames of shared memory that are in one of their images. */
  frames: ReadonlySet<number>;
  /** A process gets this file back though it has closed it. */
  comesBack(process: Process, file: OpenFile): boolean;
}

/** A persisted range that will be carried over. */
export interface Carried {
  range: PersistRange;
  bytes: Uint8Array;
}

export interface ThawPlan {
  image: OpenImage;
  own: KernelRecord;
  pages: PageSteps;
  /** Pages to give up before anything else, so that their frames can be used again. */
  drops: number[];
  /** Live frames of shared memory that were untouched at the freeze. */
  zeros: number[];
  /** Frames beyond those the caller gives up. */
  reserved: number[];
  carried: Carried[];
  /** Ranges not carried over: the check failed, or their memory is gone. */
  refused: { range: PersistRange; why: 'check' | 'unmapped' }[];
  /** Regions of memory that another live process maps too. */
  sharedWith: RegionRecord[];
}

/**
 * Decide everything that can fail. On failure nothing has changed; after success the commit cannot fail, provided that it
 * comes at once.
 */
export function planThaw(
  kernel: Kernel, process: Process, checkpoint: Checkpoint, ranges: readonly PersistRange[], keepShared: boolean, checked: boolean, group?: ThawGroup,
): ThawPlan | Fail {
  const image = checkpoint.image.open(kernel, process, checked);
  if (failed(image)) return image;
  if (image.summed) kernel.meter.charge('checksum.bytes', checkpoint.image.bytes);
  const { own } = checkpoint;
  const mismatch = compareWithKernel(image.record, own);
  if (failed(mismatch)) return mismatch;
  const sharedWith = sharedWithOthers(kernel, group?.processes ?? new Set([process]), own.regions, image.record);
  const pages = planPages(process.space, image, own, keepShared ? new Set(sharedWith.map((region) => region.start)) : new Set());
  const plan: ThawPlan = { image, own, pages, drops: [], zeros: [], reserved: [], carried: [], refused: [], sharedWith };
  planDrops(process.space, plan);
  planZeros(plan, keepShared ? sharedWith : [], group?.frames);
  planPersist(process.space, plan, ranges);
  const reserved = reserve(process.space, plan);
  return failed(reserved) ? reserved : plan;
}

export function abandonPlan(kernel: Kernel, plan: ThawPlan): void {
  for (const frame of plan.reserved) kernel.ram.release(frame);
}

/** An image that tells another story than the kernel remembers is not the one it wrote. */
function compareWithKernel(record: ImageRecord, own: KernelRecord): Result {
  const same = record.regions.length === own.regions.length && record.regions.every((region, i) => sameRegion(region, own.regions[i]));
  const pages = record.runs.reduce((sum, run) => (run.kind === PageKind.shared ? sum + run.pages : sum), 0);
  const threads = record.threads.length === own.calls.length && record.threads.every((thread, i) => thread.tid === own.calls[i].tid);
  return same && threads && pages === own.sharedFrames.length ? 0 : -Errno.EINVAL;
}

function sameRegion(record: RegionRecord, region: Region): boolean {
  return record.start === region.start && record.end === region.end && record.prot === region.prot && record.shared === region.shared
    && (record.backing === Backing.zero) === (region.pager === null) && record.pageOffset === region.pageOffset;
}

/** Shared mappings of the image that live processes other than those thawed map as well. */
function sharedWithOthers(kernel: Kernel, thawed: ReadonlySet<Process>, regions: readonly Region[], record: ImageRecord): RegionRecord[] {
  const shared = regions.filter((region) => region.shared);
  if (shared.length === 0) return [];
  const pagers = new Set<unknown>();
  for (const other of kernel.processes.values()) {
    if (thawed.has(other) || other.state !== 'alive') continue;
    for (const region of other.space.regions) if (region.shared) pagers.add(region.pager);
  }
  return record.regions.filter((region, i) => region.shared && pagers.has(regions[i].pager));
}

function planPages(space: AddressSpace, image: OpenImage, own: KernelRecord, keepLive: ReadonlySet<number>): PageSteps {
  const pages: PageSteps = { va: [], run: [], page: [], step: [], frame: [] };
  const regions = own.regions;
  let target = 0;
  let shared = 0;
  image.record.runs.forEach((run, runIndex) => {
    if (run.kind === PageKind.added) return;
    while (regions[target].end <= run.va) target++;
    const region = regions[target];
    for (let page = 0; page < run.pages; page++) {
      const va = run.va + page * PAGE_SIZE;
      pages.va.push(va);
      pages.run.push(runIndex);
      pages.page.push(page);
      if (run.kind === PageKind.shared) push(pages, keepLive.has(region.start) ? PageStep.leave : PageStep.live, own.sharedFrames[shared++]);
      else planPrivate(space, image, region, va, runIndex, page, run.kind, pages);
    }
  });
  return pages;
}

function push(pages: PageSteps, step: number, frame: number): void {
  pages.step.push(step);
  pages.frame.push(frame);
}

function planPrivate(space: AddressSpace, image: OpenImage, region: Region, va: number, run: number, page: number, kind: number, pages: PageSteps): void {
  const { ram } = space;
  const current = space.frameAt(va);
  const there = current >= 0 ? space.find(va) : null;
  const isPrivate = there !== null && !there.shared;
  const shared = image.source.sharedFrame(run, page);
  if (shared >= 0) {
    push(pages, shared === current && isPrivate && there.prot === region.prot ? PageStep.keep : PageStep.map, shared);
    return;
  }
  if (kind === PageKind.file) {
    const cached = region.pager?.resident(region.index(va)) ?? -1;
    if (cached >= 0 && sameBytes(ram.page(cached), image.source.extent(run, page, 1))) {
      push(pages, cached === current && isPrivate && there.prot === region.prot ? PageStep.keep : PageStep.map, cached);
      return;
    }
  }
  const mine = isPrivate && ram.refs[current] === 1 && ram.use[current] === FrameUse.user;
  push(pages, mine ? PageStep.reuse : PageStep.fresh, mine ? current : -1);
}

function sameBytes(a: Uint8Array, b: Uint8Array): boolean {
  return Buffer.compare(a, b) === 0;
}

/** Pages the process has now and the image does not. Unmodified pages of a mapping that stays as it is may stay too. */
function planDrops(space: AddressSpace, plan: ThawPlan): void {
  const { va } = plan.pages;
  let next = 0;
  let target = 0;
  const { regions } = plan.own;
  space.forEachPage(0, USER_END, (at, frame) => {
    while (next < va.length && va[next] < at) next++;
    if (va[next] === at) return;
    while (target < regions.length && regions[target].end <= at) target++;
    const region = regions[target];
    if (!region || region.start > at || !staysMapped(space, region, at, frame)) plan.drops.push(at);
  });
}

function staysMapped(space: AddressSpace, region: Region, va: number, frame: number): boolean {
  const there = space.find(va);
  if (!there || !region.pager || there.pager !== region.pager || there.shared !== region.shared || there.prot !== region.prot) return false;
  return there.index(va) === region.index(va) && region.pager.resident(region.index(va)) === frame;
}

/** Shared memory that was untouched at the freeze read as zero then; what is `elsewhere` is in another image. Files keep what is in them. */
function planZeros(plan: ThawPlan, leave: readonly RegionRecord[], elsewhere?: ReadonlySet<number>): void {
  const { va } = plan.pages;
  let next = 0;
  plan.image.record.regions.forEach((region, i) => {
    if (!region.shared || region.backing !== Backing.sharedMemory || leave.includes(region)) return;
    const live = plan.own.regions[i];
    for (let at = region.start; at < region.end; at += PAGE_SIZE) {
      while (next < va.length && va[next] < at) next++;
      const frame = va[next] === at ? -1 : live.pager?.resident(live.index(at)) ?? -1;
      if (frame >= 0 && !elsewhere?.has(frame)) plan.zeros.push(frame);
    }
  });
}

/** The paper's copyin: the ranges' current bytes, before the overlay. */
function planPersist(space: AddressSpace, plan: ThawPlan, ranges: readonly PersistRange[]): void {
  for (const range of ranges) {
    const bytes = peekRange(space, range);
    if (failed(bytes) || !writableThen(plan.own.regions, range)) plan.refused.push({ range, why: 'unmapped' });
    else if (range.check && !checkHolds(range.check, bytes)) plan.refused.push({ range, why: 'check' });
    else plan.carried.push({ range, bytes });
  }
}

/** The range is writable memory in the image's map too, of a kind that a page can be made for without asking a file. */
function writableThen(regions: readonly Region[], range: PersistRange): boolean {
  let holds = true;
  eachPage(range.addr, range.size, (va) => {
    const region = regions.find((one) => one.start <= va && va < one.end);
    if (!region || !(region.prot & Prot.write)) holds = false;
  });
  return holds;
}

/** Take the frames the commit needs beyond those it gets back by its drops. */
function reserve(space: AddressSpace, plan: ThawPlan): Result {
  const { ram } = space;
  const { step, va } = plan.pages;
  let needed = 0;
  for (const one of step) if (one === PageStep.fresh) needed++;
  for (const at of plan.drops) if (ram.refs[space.frameAt(at)] === 1) needed--;
  if (plan.carried.length > 0) needed += pagesToMake(va, step, plan.carried);
  if (needed <= 0) return 0;
  const frames = allocate(ram, needed, FrameUse.user);
  if (failed(frames)) return frames;
  plan.reserved = frames;
  return 0;
}

/** Pages of carried ranges that will not be the process's alone after the overlay: each costs a frame. */
function pagesToMake(va: readonly number[], step: readonly number[], carried: readonly Carried[]): number {
  const owned = new Set<number>();
  va.forEach((at, i) => {
    if (step[i] === PageStep.reuse || step[i] === PageStep.fresh || step[i] === PageStep.live) owned.add(at);
  });
  const needed = new Set<number>();
  for (const { range } of carried) {
    eachPage(range.addr, range.size, (at) => {
      const page = at - (at % PAGE_SIZE);
      if (!owned.has(page)) needed.add(page);
    });
  }
  return needed.size;
}

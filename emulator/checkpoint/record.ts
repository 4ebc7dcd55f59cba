/**
 * What a process image says of a process beside the contents of its pages: plain data, equal for all stores.
 * Times are in cycles.
 */
export const IMAGE_VERSION = 1;

export interface BlockedRecord {
  name: string;
  /** Until the deadline; Infinity: none. */
  remaining: number;
  timedOut: boolean;
  restart: string;
  partial: number | null;
  uninterruptible: boolean;
  /** The handler's notes as JSON; null when it keeps none that JSON can hold. */
  data: string | null;
}

export interface ThreadRecord {
  tid: number;
  gpr: Int32Array;
  hi: number;
  lo: number;
  pc: number;
  fpr: Uint32Array;
  fcsr: number;
  /** The thread pointer. */
  userLocal: number;
  mask: Uint32Array;
  /** The mask to come back after sigsuspend and its like. */
  savedMask: Uint32Array | null;
  /** Numbers pending at the freeze: for the reader of a core. A thaw leaves pending signals as they are. */
  pending: number[];
  altStack: { sp: number; size: number; flags: number };
  clearTid: number;
  robustList: number;
  call: { number: number; args: Int32Array; nextPc: number };
  blocked: BlockedRecord | null;
}

/** What fills a region: nothing but zeros, pages of a file, or memory that several processes share. */
export const Backing = { zero: 0, file: 1, sharedMemory: 2 } as const;

export interface RegionRecord {
  start: number;
  end: number;
  prot: number;
  maxProt: number;
  shared: boolean;
  flags: number;
  backing: number;
  pageOffset: number;
  name: string;
}

/**
 * A run of pages with contents in the image.
 * own: private memory. file: an unmodified page of a private file mapping. shared: of a shared mapping.
 * added: a page of a private file mapping that was not in memory; only files have it, to be complete in themselves.
 */
export const PageKind = { own: 0, file: 1, shared: 2, added: 3 } as const;

export interface PageRun {
  va: number;
  pages: number;
  kind: number;
}

export interface DescriptorRecord {
  fd: number;
  cloexec: boolean;
  /** Index into the open files: equal for duplicates. */
  file: number;
}

export interface FileRecord {
  kind: string;
  /** O_* status flags. */
  flags: number;
  /** -1: this kind has none. */
  offset: number;
  /** Bytes of input consumed so far. */
  consumed: number;
  what: string;
}

export interface ImageRecord {
  pid: number;
  ppid: number;
  pgid: number;
  sid: number;
  uid: number;
  gid: number;
  descriptor: number;
  /** Of the freeze. */
  time: number;
  comm: string;
  exe: string;
  cwd: string;
  argv: string[];
  elfFlags: number;
  umask: number;
  /** User and system time, own and of children, as (seconds, microseconds). */
  times: number[];
  brkStart: number;
  brk: number;
  mapTop: number;
  auxv: [number, number][];
  limits: { soft: number; hard: number }[];
  /** The thread that froze comes first. */
  threads: ThreadRecord[];
  regions: RegionRecord[];
  runs: PageRun[];
  descriptors: DescriptorRecord[];
  files: FileRecord[];
  /** 128 x {handler, flags, mask[4]}. */
  actions: Int32Array;
  timers: { left: number; interval: number }[];
}

export function pageCount(runs: readonly PageRun[]): number {
  let pages = 0;
  for (const run of runs) pages += run.pages;
  return pages;
}

import { snapshotClass } from '../base/index.js';
import type { Interest } from '../kernel/eventpoll.js';
import type { SigInfo } from '../kernel/index.js';
import type { OpenFile } from '../kernel/open-file.js';
import type { Region } from '../memory/index.js';
import type { Vnode } from '../vfs/vnode.js';
import type { HazardCounters } from './hazards.js';
import type { StoredImage } from './image-store.js';
import type { BlockedRecord, DescriptorRecord, FileRecord } from './record.js';

/** A thread's system call at the freeze. The kernel's own: a file has no say in what its handlers find. */
export interface CallRecord {
  tid: number;
  call: { number: number; args: Int32Array; nextPc: number };
  blocked: BlockedRecord | null;
  /** Signals pending for this thread: they come back only with a thread that has ended since, others keep theirs as they are. */
  pending: SigInfo[];
}

/** A thread that waited on a futex: at an address of the process, or (`shared`) at a byte of RAM in a shared frame. */
export interface FutexRecord {
  tid: number;
  shared: boolean;
  address: number;
  bitset: number;
}

/**
 * What the kernel itself remembers of a freeze: everything that gives rights or leads to kernel objects. An in-place
 * thaw takes these from here and the rest from the image.
 */
export interface KernelRecord {
  /** Copies, each with its pager counted. */
  regions: Region[];
  /** The live frames of shared mappings, in the order of the image's shared pages; each with a reference. */
  sharedFrames: number[];
  /** Not counted: a descriptor closed everywhere is closed, whatever a checkpoint would like. */
  files: OpenFile[];
  fileRecords: FileRecord[];
  /** OpenFile.moved at the freeze. */
  moved: number[];
  descriptors: DescriptorRecord[];
  /** Numbers whose files an earlier thaw did not bring back, and which the program has not closed yet. */
  lost: number[];
  /** Interest lists of the epoll instances among `files`, by index. */
  epolls: { file: number; interests: Interest[] }[];
  calls: CallRecord[];
  /** Oldest first. */
  futexes: FutexRecord[];
  cwd: Vnode;
  root: Vnode;
  umask: number;
  limits: { soft: number; hard: number }[];
  hazards: HazardCounters;
}

/** One state of a process: its image in a store, and the kernel's record. */
export class Checkpoint {
  readonly descriptor: number;
  image: StoredImage;
  own: KernelRecord;
  /** Virtual time of the freeze. */
  time: number;
  /** Counts freezes of the process: the largest is "the last one". */
  serial: number;
  /** Images into this descriptor so far. */
  freezes = 1;

  constructor(descriptor: number, image: StoredImage, own: KernelRecord, time: number, serial: number) {
    this.descriptor = descriptor;
    this.image = image;
    this.own = own;
    this.time = time;
    this.serial = serial;
  }
}
snapshotClass('Checkpoint', Checkpoint);

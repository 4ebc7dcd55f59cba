import type { Gather } from '../vfs/vnode.js';
import { layoutCore, type CoreDescription, type CoreFile, type CoreLayout, type CoreThread } from '../kernel/core.js';
import { PAGE_SIZE, type Ram } from '../memory/ram.js';
import { checksum, extent, forEachExtent } from './checksum.js';
import { recordNotes, sealHead, sumsNote } from './record-codec.js';
import { Backing, type ImageRecord, type PageRun, type ThreadRecord } from './record.js';
import { segmentsOf, type ImageSegment } from './segments.js';

/** The signal a core was made for; all zero in a checkpoint. */
export interface CoreSignal {
  signo: number;
  code: number;
  address: number;
}

export const noSignal: CoreSignal = { signo: 0, code: 0, address: 0 };

/** A run of pages and its bytes, where they lie. */
export interface FileRun {
  run: PageRun;
  chunks: Uint8Array[];
}

/** An ELF core, laid out but not yet copied anywhere: the head, then a gather list for each segment. */
export interface CoreFileImage {
  head: Uint8Array;
  segments: ImageSegment[];
  offsets: number[];
  gathers: Uint8Array[][];
  size: number;
}

const zeroPages = new Uint8Array(16 * PAGE_SIZE);

/** The runs of an image with their bytes in RAM; `frames` in the order of the runs. */
export function framedRuns(ram: Ram, runs: readonly PageRun[], frames: ArrayLike<number>): FileRun[] {
  let at = 0;
  return runs.map((run) => {
    const chunks: Uint8Array[] = [];
    forEachExtent(frames, at, run.pages, (index, pages) => chunks.push(extent(ram, frames[index], pages)));
    at += run.pages;
    return { run, chunks };
  });
}

/** Lay a process image out as a core. The record must list exactly the runs given. */
export function layoutImageFile(record: ImageRecord, fileRuns: readonly FileRun[], checked: boolean, signal = noSignal): CoreFileImage {
  const segments = segmentsOf(record.regions, record.runs);
  const gathers = segments.map((segment) => gatherSegment(segment, fileRuns));
  const sums = checked ? gathers.map(checksumGather) : [];
  const layout = layoutHead(record, segments, sums, checked, signal);
  return { head: layout.head, segments, gathers, offsets: layout.offsets, size: layout.size };
}

function layoutHead(record: ImageRecord, segments: readonly ImageSegment[], sums: number[], checked: boolean, signal: CoreSignal): CoreLayout {
  const notes = [...recordNotes(record), sumsNote({ checked, head: 0, segments: sums })];
  const layout = layoutCore(describe(record, segments, notes, signal));
  if (checked) sealHead(layout.head, notesEnd(layout.head), sums.length);
  return layout;
}

/** Where the notes end, from the PT_NOTE header; the sums note is the last. */
function notesEnd(head: Uint8Array): number {
  const view = new DataView(head.buffer, head.byteOffset);
  return view.getUint32(52 + 4, true) + view.getUint32(52 + 16, true);
}

function gatherSegment(segment: ImageSegment, fileRuns: readonly FileRun[]): Uint8Array[] {
  const gather: Uint8Array[] = [];
  let at = segment.start;
  for (let i = segment.first; i < segment.last; i++) {
    const { run, chunks } = fileRuns[i];
    if (run.va > at) gather.push(zeroPages.subarray(0, run.va - at));
    gather.push(...chunks);
    at = run.va + run.pages * PAGE_SIZE;
  }
  return gather;
}

function checksumGather(chunks: readonly Uint8Array[]): number {
  let crc = 0;
  for (const chunk of chunks) crc = checksum(chunk, crc);
  return crc;
}

function describe(record: ImageRecord, segments: readonly ImageSegment[], notes: CoreDescription['notes'], signal: CoreSignal): CoreDescription {
  return {
    pid: record.pid, ppid: record.ppid, pgrp: record.pgid, sid: record.sid, uid: record.uid, gid: record.gid,
    comm: record.comm, argv: record.argv, times: record.times,
    threads: record.threads.map((thread, i) => coreThread(thread, i === 0 ? signal : { ...noSignal, signo: signal.signo })),
    siginfo: { signo: signal.signo, code: signal.code, errno: 0, address: signal.address | 0 },
    auxv: record.auxv, files: coreFiles(record), elfFlags: record.elfFlags, segments, notes,
  };
}

function coreThread(thread: ThreadRecord, signal: CoreSignal): CoreThread {
  const { tid, gpr, hi, lo, pc, fpr, fcsr, mask } = thread;
  const pending = thread.pending.reduce((set, signo) => (signo <= 32 ? set | (1 << (signo - 1)) : set), 0);
  return { tid, gpr, hi, lo, pc, fpr, fcsr, pending, held: mask[0], signo: signal.signo, badVaddr: signal.address | 0, status: 0, cause: 0 };
}

function coreFiles(record: ImageRecord): CoreFile[] {
  return record.regions.filter((region) => region.backing === Backing.file).map(({ start, end, pageOffset, name }) => ({
    start, end, offset: pageOffset * PAGE_SIZE, path: name,
  }));
}

/** The whole file in one array: for export to the host. */
export function joinFile(file: CoreFileImage): Uint8Array {
  const bytes = new Uint8Array(file.size);
  bytes.set(file.head);
  file.gathers.forEach((gather, i) => {
    let at = file.offsets[i];
    for (const chunk of gather) {
      bytes.set(chunk, at);
      at += chunk.length;
    }
  });
  return bytes;
}

/** Cut a gather list into writes of at most `size` bytes. */
export function cutGather(gather: readonly Uint8Array[], size: number): Gather[] {
  const pieces: Gather[] = [];
  for (const chunk of gather) {
    for (let at = 0; at < chunk.length; at += size) pieces.push(chunk.subarray(at, at + size));
  }
  return pieces;
}


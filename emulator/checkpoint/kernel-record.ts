import { EpollFile } from '../kernel/eventpoll.js';
import type { Kernel, Process, SigInfo } from '../kernel/index.js';
import { vref, vrele } from '../vfs/vop.js';
import type { KernelRecord } from './checkpoint.js';
import { hazardCounters } from './hazards.js';
import type { ProcessImage } from './process-image.js';
import { PageKind } from './record.js';

/** Take hold of what the image's names stand for. */
export function holdKernelObjects(kernel: Kernel, process: Process, image: ProcessImage): KernelRecord {
  const { record, files, frames } = image;
  const regions = process.space.regions.map((region) => region.slice(region.start, region.end));
  for (const region of regions) region.pager?.addRef();
  const sharedFrames: number[] = [];
  let at = 0;
  for (const run of record.runs) {
    if (run.kind === PageKind.shared) sharedFrames.push(...frames.slice(at, at + run.pages));
    at += run.pages;
  }
  for (const frame of sharedFrames) kernel.ram.addRef(frame);
  vref(process.cwd);
  return {
    regions, sharedFrames, files, fileRecords: record.files, moved: files.map((file) => file.moved), descriptors: record.descriptors,
    lost: [...process.fds.lost],
    epolls: files.flatMap((file, index) => (file instanceof EpollFile ? [{ file: index, interests: file.interests() }] : [])),
    calls: record.threads.map(({ tid, call, blocked }) => ({ tid, call, blocked, pending: pendingFor(process, tid) })),
    futexes: kernel.futexes.filter((waiter) => waiter.thread.process === process).map(({ thread, space, address, bitset }) => ({
      tid: thread.tid, shared: space === null, address, bitset,
    })),
    cwd: process.cwd, root: process.root, umask: process.umask, limits: process.limits.map((limit) => ({ ...limit })),
    hazards: hazardCounters(process, files),
  };
}

function pendingFor(process: Process, tid: number): SigInfo[] {
  return [...process.threads.find((thread) => thread.tid === tid)?.pending.queue ?? []];
}

export function releaseKernelObjects(kernel: Kernel, own: KernelRecord): void {
  for (const frame of own.sharedFrames) kernel.ram.release(frame);
  for (const region of own.regions) region.pager?.release();
  vrele(own.cwd);
}

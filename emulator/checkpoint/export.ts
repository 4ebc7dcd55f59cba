import { failed, type Fail } from '../base/index.js';
import type { Kernel, Process, SigInfo, Thread } from '../kernel/index.js';
import { PAGE_SIZE, type Region } from '../memory/index.js';
import { framedRuns, joinFile, layoutImageFile, noSignal, type CoreFileImage, type CoreSignal, type FileRun } from './core-file.js';
import { completeRuns, readQuietly } from './file-pages.js';
import type { OpenImage } from './image-store.js';
import { layerOf } from './layer.js';
import { checkpointsOf } from './process-checkpoints.js';
import { collectImage } from './process-image.js';
import { PageKind, type ImageRecord, type PageRun } from './record.js';

/**
 * A checkpoint as the bytes of an ELF core, for the host: what the vnode store would have written. Costs the device
 * nothing.
 */
export function exportCore(kernel: Kernel, process: Process, descriptor: number): Uint8Array | Fail {
  const checkpoint = checkpointsOf(process).find(descriptor);
  if (failed(checkpoint)) return checkpoint;
  const image = quietly(kernel, () => checkpoint.image.open(kernel, process, false));
  if (failed(image)) return image;
  const file = layoutExport(image, checkpoint.own.regions, layerOf(kernel)?.write.checksum ?? true);
  return failed(file) ? file : joinFile(file);
}

/** Run something for the host's sake: neither its costs nor its vnode operations are the device's. */
function quietly<T>(kernel: Kernel, work: () => T): T {
  const { clock, ledger } = kernel;
  const before = { cycles: clock.cycles, counts: ledger.snapshot() };
  const { trace, inject } = kernel.vfs;
  Object.assign(kernel.vfs, { trace: null, inject: null });
  const result = kernel.vfs.quietly(work);
  Object.assign(kernel.vfs, { trace, inject });
  for (const [name, gained] of Object.entries(ledger.since(before.counts))) ledger.count(name, -gained);
  clock.cycles = before.cycles;
  return result;
}

function layoutExport(image: OpenImage, regions: readonly Region[], checked: boolean): CoreFileImage | Fail {
  const present = sourceRuns(image);
  const fileRuns = completeRuns(regions, present, readQuietly);
  if (failed(fileRuns)) return fileRuns;
  const record: ImageRecord = { ...image.record, runs: fileRuns.map(({ run }) => run) };
  return layoutImageFile(record, fileRuns, checked);
}

/** The image's runs with views of their pages. */
function sourceRuns(image: OpenImage): FileRun[] {
  return image.record.runs.flatMap((run, index) => (run.kind === PageKind.added ? [] : [{ run, chunks: runChunks(image, run, index) }]));
}

function runChunks(image: OpenImage, run: PageRun, index: number): Uint8Array[] {
  const chunks: Uint8Array[] = [];
  for (let page = 0; page < run.pages;) {
    const bytes = image.source.extent(index, page, run.pages - page);
    chunks.push(bytes);
    page += bytes.length / PAGE_SIZE;
  }
  return chunks;
}

/** A core of the process as it stands, `thread` being the current one. */
export function layoutProcessCore(kernel: Kernel, thread: Thread, signal: CoreSignal = noSignal): CoreFileImage {
  const { process } = thread;
  const image = collectImage(kernel, process, 0, null);
  const { record } = image;
  record.threads.sort((a, b) => Number(b.tid === thread.tid) - Number(a.tid === thread.tid));
  const present = framedRuns(kernel.ram, record.runs, image.frames);
  const completed = completeRuns(process.space.regions, present, readQuietly);
  const fileRuns = failed(completed) ? present : completed;
  return layoutImageFile({ ...record, runs: fileRuns.map(({ run }) => run) }, fileRuns, true, signal);
}

export function coreSignal(info: SigInfo): CoreSignal {
  return { signo: info.signo, code: info.code, address: info.addr ?? info.pid ?? 0 };
}

export function processCore(kernel: Kernel, thread: Thread, signal: CoreSignal = noSignal): Uint8Array {
  return joinFile(layoutProcessCore(kernel, thread, signal));
}

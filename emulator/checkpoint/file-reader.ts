import { Errno, failed, type Fail } from '../base/index.js';
import { PAGE_SIZE, type Ram } from '../memory/index.js';
import type { Vnode } from '../vfs/vnode.js';
import { VOP_GETPAGES, VOP_READ } from '../vfs/vop.js';
import { checksum, checksumFrames, extent } from './checksum.js';
import type { OpenImage, PageSource } from './image-store.js';
import { decodeRecord } from './record-codec.js';
import type { PageRun } from './record.js';
import { segmentsOf, type ImageSegment } from './segments.js';

const EHDR_BYTES = 52;
const PHDR_BYTES = 32;
const MAX_HEAD = 16 << 20;

/**
 * Read an image file nobody vouches for: one VOP_READ for the first page, one for the rest of the head, one a segment. The
 * reads are views of the file where the file system can lend them, as if the file were mapped: a second copy of the
 * image would not fit a small device. Anything amiss is -EINVAL. `headCrc`: of the whole head as it was written, its sums
 * included; 0 = unknown. It tells a file whose sums somebody has made right again. `sharing`: pages that are frames of the file are
 * offered as such, found by one VOP_GETPAGES a segment; then only what is in no frame is read.
 */
export function readCoreFile(vnode: Vnode, size: number, checked: boolean, headCrc = 0, sharing = false): OpenImage | Fail {
  const head = readHead(vnode, size);
  if (failed(head)) return head;
  const { notesAt, notesEnd, loads } = head;
  const decoded = decodeRecord(head.bytes.subarray(notesAt, notesEnd));
  if (!decoded) return -Errno.EINVAL;
  const { record, sums, sumsAt } = decoded;
  const segments = segmentsOf(record.regions, record.runs);
  if (!sameSegments(segments, loads) || (checked && !sums.checked) || (headCrc !== 0 && checksum(head.bytes.subarray(0, notesEnd)) !== headCrc)) return -Errno.EINVAL;
  if (sums.checked && (sums.segments.length !== segments.length || checksum(head.bytes.subarray(0, notesAt + sumsAt)) !== sums.head)) return -Errno.EINVAL;
  const contents = readSegments(vnode, segments, loads, sums.checked ? sums.segments : null, sharing);
  return failed(contents) ? contents : { record, source: new FileSource(vnode.fs.vfs.ram, record.runs, segments, contents), summed: sums.checked };
}

interface Load {
  offset: number;
  start: number;
  fileBytes: number;
  memoryBytes: number;
}

interface Head {
  bytes: Uint8Array;
  notesAt: number;
  notesEnd: number;
  loads: Load[];
}

function readHead(vnode: Vnode, size: number): Head | Fail {
  const first = VOP_READ(vnode, 0, PAGE_SIZE);
  if (failed(first)) return first;
  if (first.length < EHDR_BYTES + PHDR_BYTES) return -Errno.EINVAL;
  const view = viewOf(first);
  const isCore = view.getUint32(0) === 0x7f454c46 && view.getUint32(4) === 0x01010100 && view.getUint32(16, true) === 0x0008_0004;
  const headers = view.getUint16(44, true);
  const notesAt = view.getUint32(EHDR_BYTES + 4, true);
  const notesEnd = notesAt + view.getUint32(EHDR_BYTES + 16, true);
  if (!isCore || view.getUint32(28, true) !== EHDR_BYTES || view.getUint32(EHDR_BYTES, true) !== 4 || headers === 0) return -Errno.EINVAL;
  if (notesAt !== EHDR_BYTES + PHDR_BYTES * headers || notesEnd > Math.min(size, MAX_HEAD)) return -Errno.EINVAL;
  const bytes = notesEnd <= first.length ? first : VOP_READ(vnode, 0, notesEnd);
  if (failed(bytes)) return bytes;
  if (bytes.length < notesEnd) return -Errno.EINVAL;
  return { bytes, notesAt, notesEnd, loads: readLoads(bytes, headers) };
}

function viewOf(bytes: Uint8Array): DataView {
  return new DataView(bytes.buffer, bytes.byteOffset, bytes.length);
}

function readLoads(bytes: Uint8Array, headers: number): Load[] {
  const view = viewOf(bytes);
  return Array.from({ length: headers - 1 }, (_, i) => {
    const at = EHDR_BYTES + PHDR_BYTES * (i + 1);
    const isLoad = view.getUint32(at, true) === 1;
    const word = (index: number): number => view.getUint32(at + 4 * index, true);
    return { offset: isLoad ? word(1) : -1, start: word(2), fileBytes: word(4), memoryBytes: word(5) };
  });
}

/** The program headers must say what the notes say. */
function sameSegments(segments: readonly ImageSegment[], loads: readonly Load[]): boolean {
  return segments.length === loads.length && segments.every(({ start, end, filePages }, i) => {
    const load = loads[i];
    return load.offset >= 0 && load.start === start && load.memoryBytes === end - start && load.fileBytes === filePages * PAGE_SIZE;
  });
}

/** A segment's bytes; a page with a frame is there and not in `bytes`, which is then empty if all have one. */
interface Contents {
  bytes: Uint8Array;
  frames: number[] | null;
}

function readSegments(vnode: Vnode, segments: readonly ImageSegment[], loads: readonly Load[], sums: readonly number[] | null, sharing: boolean): Contents[] | Fail {
  const contents: Contents[] = [];
  for (let i = 0; i < segments.length; i++) {
    const segment = readSegment(vnode, loads[i].offset, segments[i].filePages, sharing);
    if (failed(segment)) return segment;
    if (sums && checksumOf(vnode.fs.vfs.ram, segment) !== sums[i]) return -Errno.EINVAL;
    contents.push(segment);
  }
  return contents;
}

function readSegment(vnode: Vnode, offset: number, pages: number, sharing: boolean): Contents | Fail {
  if (pages === 0) return { bytes: new Uint8Array(0), frames: null };
  const frames = sharing ? VOP_GETPAGES(vnode, offset, pages) : null;
  if (typeof frames === 'number') return frames;
  if (frames?.every((frame) => frame >= 0)) return { bytes: new Uint8Array(0), frames };
  const bytes = VOP_READ(vnode, offset, pages * PAGE_SIZE);
  if (failed(bytes)) return bytes;
  return bytes.length === pages * PAGE_SIZE ? { bytes, frames } : -Errno.EINVAL;
}

function checksumOf(ram: Ram, { bytes, frames }: Contents): number {
  return frames && bytes.length === 0 ? checksumFrames(ram, frames, 0, frames.length) : checksum(bytes);
}

class FileSource implements PageSource {
  private readonly ram: Ram;
  private readonly contents: Contents[] = [];
  /** First page of each run in its segment. */
  private readonly base: number[] = [];

  constructor(ram: Ram, runs: readonly PageRun[], segments: readonly ImageSegment[], contents: readonly Contents[]) {
    this.ram = ram;
    segments.forEach((segment, i) => {
      for (let run = segment.first; run < segment.last; run++) {
        this.contents[run] = contents[i];
        this.base[run] = (runs[run].va - segment.start) / PAGE_SIZE;
      }
    });
  }

  extent(run: number, page: number, pages: number): Uint8Array {
    const { bytes, frames } = this.contents[run];
    const first = this.base[run] + page;
    if (!frames) return bytes.subarray(first * PAGE_SIZE, (first + pages) * PAGE_SIZE);
    let count = 1;
    while (count < pages && frames[first + count] === (frames[first] < 0 ? -1 : frames[first] + count)) count++;
    return frames[first] < 0 ? bytes.subarray(first * PAGE_SIZE, (first + count) * PAGE_SIZE) : extent(this.ram, frames[first], count);
  }

  sharedFrame(run: number, page: number): number {
    return this.contents[run].frames?.[this.base[run] + page] ?? -1;
  }
}

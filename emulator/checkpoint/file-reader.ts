import { Errno, failed, type Fail } from '../base/index.js';
import { PAGE_SIZE } from '../memory/index.js';
import type { Vnode } from '../vfs/vnode.js';
import { VOP_READ } from '../vfs/vop.js';
import { checksum } from './checksum.js';
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
 * included; 0 = unknown. It tells a file whose sums somebody has made right again.
 */
export function readCoreFile(vnode: Vnode, size: number, checked: boolean, headCrc = 0): OpenImage | Fail {
  const head = readHead(vnode, size);
  if (failed(head)) return head;
  const { notesAt, notesEnd, loads } = head;
  const decoded = decodeRecord(head.bytes.subarray(notesAt, notesEnd));
  if (!decoded) return -Errno.EINVAL;
  const { record, sums, sumsAt } = decoded;
  const segments = segmentsOf(record.regions, record.runs);
  if (!sameSegments(segments, loads) || (checked && !sums.checked) || (headCrc !== 0 && checksum(head.bytes.subarray(0, notesEnd)) !== headCrc)) return -Errno.EINVAL;
  if (sums.checked && (sums.segments.length !== segments.length || checksum(head.bytes.subarray(0, notesAt + sumsAt)) !== sums.head)) return -Errno.EINVAL;
  const views = readSegments(vnode, segments, loads, sums.checked ? sums.segments : null);
  return failed(views) ? views : { record, source: new FileSource(record.runs, segments, views), summed: sums.checked };
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

function readSegments(vnode: Vnode, segments: readonly ImageSegment[], loads: readonly Load[], sums: readonly number[] | null): Uint8Array[] | Fail {
  const views: Uint8Array[] = [];
  for (let i = 0; i < segments.length; i++) {
    const wanted = segments[i].filePages * PAGE_SIZE;
    const bytes = wanted > 0 ? VOP_READ(vnode, loads[i].offset, wanted) : new Uint8Array(0);
    if (failed(bytes)) return bytes;
    if (bytes.length !== wanted || (sums && checksum(bytes) !== sums[i])) return -Errno.EINVAL;
    views.push(bytes);
  }
  return views;
}

class FileSource implements PageSource {
  private readonly bytes: Uint8Array[];

  constructor(runs: readonly PageRun[], segments: readonly ImageSegment[], views: readonly Uint8Array[]) {
    this.bytes = new Array<Uint8Array>(runs.length);
    segments.forEach((segment, i) => {
      for (let run = segment.first; run < segment.last; run++) this.bytes[run] = views[i].subarray(runs[run].va - segment.start);
    });
  }

  extent(run: number, page: number, pages: number): Uint8Array {
    return this.bytes[run].subarray(page * PAGE_SIZE, (page + pages) * PAGE_SIZE);
  }

  sharedFrame(): number {
    return -1;
  }
}

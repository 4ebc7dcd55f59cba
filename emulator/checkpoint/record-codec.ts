import { PAGE_SIZE, USER_END } from '../memory/index.js';
import { encodeNotes, type CoreNote } from '../kernel/core.js';
import { ByteReader, ByteWriter, demand, Malformed } from './bytes.js';
import { checksum } from './checksum.js';
import { Backing, IMAGE_VERSION, PageKind, type BlockedRecord, type DescriptorRecord, type FileRecord, type ImageRecord, type PageRun, type RegionRecord, type ThreadRecord } from './record.js';

/**
 * The record as notes of our own, owner "SHUNTBOX". The last one carries the checksums:
 *
 *   word 0: version | word 1: 1 = checked | word 2: CRC of everything before this note's contents
 *   word 3: number of segments | then a CRC for each segment
 */
export const OWNER = 'SHUNTBOX';
export const NoteType = { process: 0x1000, threads: 0x1001, map: 0x1002, pages: 0x1003, descriptors: 0x1004, signals: 0x1005, sums: 0x10ff } as const;

const MAX_THREADS = 256;
const MAX_REGIONS = 65_536;
const MAX_RUNS = 1 << 19;
const MAX_FILES = 65_536;
const ACTION_WORDS = 128 * 6;

export interface Sums {
  checked: boolean;
  head: number;
  segments: number[];
}

const note = (type: number, writer: ByteWriter): CoreNote => ({ owner: OWNER, type, desc: writer.finish() });

/** The notes without the checksums. */
export function recordNotes(record: ImageRecord): CoreNote[] {
  return [
    note(NoteType.process, writeProcess(record)), note(NoteType.threads, writeThreads(record)), note(NoteType.map, writeMap(record)),
    note(NoteType.pages, writeRuns(record)), note(NoteType.descriptors, writeDescriptors(record)), note(NoteType.signals, writeSignals(record)),
  ];
}

/** The checksum note; `head` stays 0 until `sealHead`. */
export function sumsNote(sums: Sums): CoreNote {
  const writer = new ByteWriter(16 + 4 * sums.segments.length);
  writer.word(IMAGE_VERSION).word(sums.checked ? 1 : 0).word(sums.head).word(sums.segments.length).words(sums.segments);
  return note(NoteType.sums, writer);
}

/** Put the CRC of the bytes before the sums into them: `head` ends with the sums note at `notesEnd`. */
export function sealHead(head: Uint8Array, notesEnd: number, segments: number): number {
  const at = notesEnd - 16 - 4 * segments;
  const crc = checksum(head.subarray(0, at));
  new DataView(head.buffer, head.byteOffset).setUint32(at + 8, crc, true);
  return crc;
}

/** All of the record's notes and the sums, as a memory image keeps them. */
export function encodeRecord(record: ImageRecord, checked: boolean, segments: number[]): Uint8Array {
  const bytes = encodeNotes([...recordNotes(record), sumsNote({ checked, head: 0, segments })]);
  if (checked) sealHead(bytes, bytes.length, segments.length);
  return bytes;
}

function writeProcess(record: ImageRecord): ByteWriter {
  const writer = new ByteWriter(1024);
  writer.word(IMAGE_VERSION);
  writer.words([record.pid, record.ppid, record.pgid, record.sid, record.uid, record.gid, record.descriptor, record.elfFlags]);
  writer.words([record.umask, record.brkStart, record.brk, record.mapTop]).words(record.times).double(record.time);
  writer.text(record.comm).text(record.exe).text(record.cwd).list(record.argv, (text) => writer.text(text));
  writer.list(record.auxv, (pair) => writer.words(pair));
  writer.list(record.limits, (limit) => writer.double(limit.soft).double(limit.hard));
  return writer;
}

function writeThreads(record: ImageRecord): ByteWriter {
  const writer = new ByteWriter(640 * record.threads.length);
  writer.list(record.threads, (thread) => {
    writer.word(thread.tid).words(thread.gpr).words([thread.hi, thread.lo, thread.pc]).words(thread.fpr);
    writer.words([thread.fcsr, thread.userLocal]).words(thread.mask).word(thread.savedMask ? 1 : 0).words(thread.savedMask ?? new Uint32Array(4));
    writer.list(thread.pending, (signo) => writer.word(signo));
    writer.words([thread.altStack.sp, thread.altStack.size, thread.altStack.flags, thread.clearTid, thread.robustList]);
    writer.word(thread.call.number).word(thread.call.nextPc).list([...thread.call.args], (word) => writer.word(word));
    writeBlocked(writer, thread.blocked);
  });
  return writer;
}

function writeBlocked(writer: ByteWriter, blocked: BlockedRecord | null): void {
  writer.word(blocked ? 1 : 0);
  if (!blocked) return;
  writer.text(blocked.name).double(blocked.remaining).text(blocked.restart);
  writer.words([blocked.timedOut ? 1 : 0, blocked.uninterruptible ? 1 : 0, blocked.partial === null ? 0 : 1, blocked.partial ?? 0]);
  writer.word(blocked.data === null ? 0 : 1).text(blocked.data ?? '');
}

function writeMap(record: ImageRecord): ByteWriter {
  const writer = new ByteWriter(64 * record.regions.length + 64);
  writer.list(record.regions, (region) => {
    const { start, end, prot, maxProt, shared, flags, backing, pageOffset } = region;
    writer.words([start, end, prot, maxProt, shared ? 1 : 0, flags, backing, pageOffset]).text(region.name);
  });
  return writer;
}

function writeRuns(record: ImageRecord): ByteWriter {
  const writer = new ByteWriter(12 * record.runs.length + 4);
  writer.word(record.runs.length);
  for (const { va, pages, kind } of record.runs) writer.word(va).word(pages).word(kind);
  return writer;
}

function writeDescriptors(record: ImageRecord): ByteWriter {
  const writer = new ByteWriter(512);
  writer.list(record.files, ({ kind, flags, offset, consumed, what }) => writer.text(kind).word(flags).double(offset).double(consumed).text(what));
  writer.list(record.descriptors, ({ fd, cloexec, file }) => writer.word(fd).word(cloexec ? 1 : 0).word(file));
  return writer;
}

function writeSignals(record: ImageRecord): ByteWriter {
  const writer = new ByteWriter(4 * ACTION_WORDS + 64);
  writer.words(record.actions);
  writer.list(record.timers, ({ left, interval }) => writer.double(left).double(interval));
  return writer;
}

/** Our notes by type, out of a note area of any origin. */
export function ownNotes(bytes: Uint8Array): Map<number, Uint8Array> {
  const found = new Map<number, Uint8Array>();
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.length);
  for (let at = 0; at + 12 <= bytes.length;) {
    const [nameBytes, descBytes, type] = [0, 4, 8].map((offset) => view.getUint32(at + offset, true));
    const desc = at + 12 + nameBytes + (-nameBytes & 3);
    demand(nameBytes <= 256 && desc + descBytes <= bytes.length, 'note');
    const owner = String.fromCharCode(...bytes.subarray(at + 12, at + 12 + Math.max(nameBytes - 1, 0)));
    if (owner === OWNER) {
      demand(!found.has(type), 'a note twice');
      found.set(type, bytes.subarray(desc, desc + descBytes));
    }
    at = desc + descBytes + (-descBytes & 3);
  }
  return found;
}

/** The record and sums of a note area nobody vouches for; null when it is not a sound one of this version. */
export function decodeRecord(notes: Uint8Array): { record: ImageRecord; sums: Sums; sumsAt: number } | null {
  try {
    const found = ownNotes(notes);
    const section = (type: number): ByteReader => {
      const bytes = found.get(type);
      demand(bytes !== undefined, 'a note is missing');
      return new ByteReader(bytes);
    };
    const sumsBytes = found.get(NoteType.sums);
    demand(sumsBytes !== undefined, 'sums');
    const sums = readSums(new ByteReader(sumsBytes));
    return { record: readRecord(section), sums, sumsAt: sumsBytes.byteOffset - notes.byteOffset };
  } catch (error) {
    if (error instanceof Malformed) return null;
    throw error;
  }
}

function readSums(reader: ByteReader): Sums {
  demand(reader.word() === IMAGE_VERSION, 'version');
  const checked = reader.word() === 1;
  const head = reader.unsigned();
  const segments = [...reader.words(readCount(reader, MAX_RUNS))].map((word) => word >>> 0);
  reader.finish();
  return { checked, head, segments };
}

function readCount(reader: ByteReader, limit: number): number {
  const count = reader.unsigned();
  demand(count <= limit, 'count');
  return count;
}

function readRecord(section: (type: number) => ByteReader): ImageRecord {
  const process = readProcess(section(NoteType.process));
  const threads = readThreads(section(NoteType.threads));
  const regions = readMap(section(NoteType.map));
  const runs = readRuns(section(NoteType.pages), regions);
  const { files, descriptors } = readDescriptors(section(NoteType.descriptors));
  const signals = readSignals(section(NoteType.signals));
  return { ...process, threads, regions, runs, files, descriptors, ...signals };
}

type ProcessPart = Omit<ImageRecord, 'threads' | 'regions' | 'runs' | 'files' | 'descriptors' | 'actions' | 'timers'>;

function readProcess(reader: ByteReader): ProcessPart {
  demand(reader.word() === IMAGE_VERSION, 'version');
  const [pid, ppid, pgid, sid, uid, gid, descriptor, elfFlags] = reader.words(8);
  const [umask, brkStart, brk, mapTop] = reader.words(4);
  const times = [...reader.words(8)];
  const time = reader.amount();
  const [comm, exe, cwd] = [reader.text(15), reader.text(), reader.text()];
  const argv = reader.list(4096, () => reader.text(1 << 17));
  const auxv = reader.list(256, (): [number, number] => [reader.unsigned(), reader.unsigned()]);
  const limits = reader.list(16, () => ({ soft: readLimit(reader), hard: readLimit(reader) }));
  reader.finish();
  demand(brkStart >= 0 && brk >= brkStart && mapTop >= 0 && limits.length === 16 && umask >>> 9 === 0, 'process');
  return { pid, ppid, pgid, sid, uid, gid, descriptor, elfFlags, umask, brkStart, brk, mapTop, times, time, comm, exe, cwd, argv, auxv, limits };
}

function readLimit(reader: ByteReader): number {
  const value = reader.double();
  demand(value >= 0, 'limit');
  return value;
}

function readThreads(reader: ByteReader): ThreadRecord[] {
  const threads = reader.list(MAX_THREADS, () => readThread(reader));
  reader.finish();
  demand(threads.length > 0 && new Set(threads.map((thread) => thread.tid)).size === threads.length, 'threads');
  return threads;
}

function readThread(reader: ByteReader): ThreadRecord {
  const tid = reader.word();
  const gpr = reader.words(32);
  gpr[0] = 0;
  const [hi, lo, pc] = reader.words(3);
  const fpr = new Uint32Array(reader.words(32));
  const [fcsr, userLocal] = reader.words(2);
  const mask = readMask(reader);
  const saved = reader.word();
  const savedMask = readMask(reader);
  const pending = reader.list(256, () => reader.word());
  demand(pending.every((signo) => signo >= 1 && signo <= 128), 'pending');
  const [sp, size, flags, clearTid, robustList] = reader.words(5);
  const [number, nextPc] = reader.words(2);
  const args = Int32Array.from(reader.list(8, () => reader.word()));
  const call = { number, nextPc: nextPc >>> 0, args };
  const altStack = { sp: sp >>> 0, size: size >>> 0, flags };
  return {
    tid, gpr, hi, lo, pc: pc >>> 0, fpr, fcsr: fcsr >>> 0, userLocal, mask, savedMask: saved ? savedMask : null, pending, altStack,
    clearTid, robustList, call, blocked: readBlocked(reader),
  };
}

/** SIGKILL and SIGSTOP cannot be blocked, whatever a file says. */
function readMask(reader: ByteReader): Uint32Array {
  const mask = new Uint32Array(reader.words(4));
  mask[0] &= ~((1 << 8) | (1 << 22));
  return mask;
}

function readBlocked(reader: ByteReader): BlockedRecord | null {
  if (reader.word() === 0) return null;
  const name = reader.text(64);
  const remaining = reader.double();
  const restart = reader.text(16);
  const [timedOut, uninterruptible, hasPartial, partial] = reader.words(4);
  const hasData = reader.word();
  const data = reader.text(1 << 16);
  demand(remaining >= 0, 'remaining');
  return { name, remaining, restart, timedOut: timedOut === 1, uninterruptible: uninterruptible === 1, partial: hasPartial ? partial : null, data: hasData ? data : null };
}

function readMap(reader: ByteReader): RegionRecord[] {
  let last = 0;
  const regions = reader.list(MAX_REGIONS, () => {
    const [start, end, prot, maxProt, shared, flags, backing, pageOffset] = reader.words(8);
    const name = reader.text();
    const region = { start: start >>> 0, end: end >>> 0, prot, maxProt, shared: shared === 1, flags, backing, pageOffset: pageOffset >>> 0, name };
    demand(region.start >= last && region.end > region.start && region.end <= USER_END && (start | end) % PAGE_SIZE === 0, 'region');
    demand(prot >>> 3 === 0 && maxProt >>> 3 === 0 && backing >= Backing.zero && backing <= Backing.sharedMemory, 'region');
    last = region.end;
    return region;
  });
  reader.finish();
  return regions;
}

/** Runs ascend and each lies within one region. */
function readRuns(reader: ByteReader, regions: readonly RegionRecord[]): PageRun[] {
  let last = 0;
  let index = 0;
  const runs = reader.list(MAX_RUNS, () => {
    const [va, pages, kind] = [reader.unsigned(), reader.unsigned(), reader.word()];
    const end = va + pages * PAGE_SIZE;
    demand(va % PAGE_SIZE === 0 && va >= last && pages > 0 && end <= USER_END && kind >= PageKind.own && kind <= PageKind.added, 'run');
    while (index < regions.length && regions[index].end <= va) index++;
    const region = regions[index];
    demand(region !== undefined && region.start <= va && end <= region.end, 'run outside the map');
    demand((kind === PageKind.shared) === region.shared, 'run of another kind than its region');
    last = end;
    return { va, pages, kind };
  });
  reader.finish();
  return runs;
}

function readDescriptors(reader: ByteReader): { files: FileRecord[]; descriptors: DescriptorRecord[] } {
  const files = reader.list(MAX_FILES, () => {
    const [kind, flags, offset, consumed, what] = [reader.text(64), reader.word(), reader.double(), reader.double(), reader.text()];
    demand(offset >= -1 && offset <= Number.MAX_SAFE_INTEGER, 'offset');
    return { kind, flags, offset, consumed, what };
  });
  let last = -1;
  const descriptors = reader.list(MAX_FILES, () => {
    const [fd, cloexec, file] = [reader.word(), reader.word() === 1, reader.word()];
    demand(fd > last && file >= 0 && file < files.length, 'descriptor');
    last = fd;
    return { fd, cloexec, file };
  });
  reader.finish();
  return { files, descriptors };
}

function readSignals(reader: ByteReader): { actions: Int32Array; timers: { left: number; interval: number }[] } {
  const actions = reader.words(ACTION_WORDS);
  const timers = reader.list(3, () => ({ left: reader.amount(), interval: reader.amount() }));
  reader.finish();
  demand(timers.length === 3, 'timers');
  return { actions, timers };
}

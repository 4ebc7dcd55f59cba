import { PAGE_SIZE } from '../memory/ram.js';
import { standardNotes } from './core-notes.js';

/**
 * The ELF core writer: one routine for core dumps, checkpoint files and exported checkpoints. From a description of
 * the process it makes a gather list: the head (ELF header, program headers, notes) and then the segments' pages as
 * they lie in RAM, so that nothing is copied before the file system copies it.
 *
 *   0         52              n headers          page aligned
 *   | Ehdr    | Phdr NOTE     | Phdr LOAD ...    | notes | padding | segment 0 | segment 1 | ...
 *
 * A segment whose file part is shorter than its memory ends in zeros (p_filesz < p_memsz, elf(5)).
 */
export interface CoreThread {
  tid: number;
  signo: number;
  /** Low words of the pending and the blocked set. */
  pending: number;
  held: number;
  gpr: ArrayLike<number>;
  hi: number;
  lo: number;
  pc: number;
  badVaddr: number;
  status: number;
  cause: number;
  fpr: ArrayLike<number>;
  fcsr: number;
}

export interface CoreFile {
  start: number;
  end: number;
  /** In bytes. */
  offset: number;
  path: string;
}

/** [start, end) of memory of which the first `filePages` pages are in the file. */
export interface CoreSegment {
  start: number;
  end: number;
  filePages: number;
  /** PF_* bits: 4 read, 2 write, 1 execute. */
  flags: number;
}

export interface CoreNote {
  owner: string;
  type: number;
  desc: Uint8Array;
}

export interface CoreDescription {
  pid: number;
  ppid: number;
  pgrp: number;
  sid: number;
  uid: number;
  gid: number;
  comm: string;
  argv: readonly string[];
  /** utime, stime, cutime, cstime as (seconds, microseconds). */
  times: readonly number[];
  /** The first is the current one. */
  threads: readonly CoreThread[];
  siginfo: { signo: number; code: number; errno: number; address: number };
  auxv: readonly (readonly [number, number])[];
  files: readonly CoreFile[];
  /** e_flags of the binary. */
  elfFlags: number;
  /** Ascending, page aligned, disjoint. */
  segments: readonly CoreSegment[];
  /** Notes of other owners, after the standard ones. */
  notes: readonly CoreNote[];
}

export interface CoreLayout {
  head: Uint8Array;
  /** File offset of each segment's first page. */
  offsets: number[];
  /** Of the whole file. */
  size: number;
}

const EHDR_BYTES = 52;
export const PHDR_BYTES = 32;
const PT_LOAD = 1;
const PT_NOTE = 4;
const EM_MIPS = 8;
const ET_CORE = 4;
export const EF_MIPS_O32 = 0x7000_1007;

export const align = (value: number, unit: number): number => Math.ceil(value / unit) * unit;

export function layoutCore(core: CoreDescription): CoreLayout {
  const notes = encodeNotes([...standardNotes(core), ...core.notes]);
  const notesAt = EHDR_BYTES + PHDR_BYTES * (core.segments.length + 1);
  const head = new Uint8Array(align(notesAt + notes.length, PAGE_SIZE));
  const offsets: number[] = [];
  let size = head.length;
  for (const segment of core.segments) {
    offsets.push(size);
    size += segment.filePages * PAGE_SIZE;
  }
  writeHeaders(new DataView(head.buffer), core, notesAt, notes.length, offsets);
  head.set(notes, notesAt);
  return { head, offsets, size };
}

function writeHeaders(view: DataView, core: CoreDescription, notesAt: number, noteBytes: number, offsets: readonly number[]): void {
  view.setUint32(0, 0x7f454c46);
  [1, 1, 1, 0].forEach((value, i) => view.setUint8(4 + i, value));
  const halves: readonly (readonly [number, number])[] = [
    [16, ET_CORE], [18, EM_MIPS], [40, EHDR_BYTES], [42, PHDR_BYTES], [44, core.segments.length + 1]];
  for (const [offset, value] of halves) view.setUint16(offset, value, true);
  const words: readonly (readonly [number, number])[] = [[20, 1], [28, EHDR_BYTES], [36, core.elfFlags]];
  for (const [offset, value] of words) view.setUint32(offset, value, true);
  writePhdr(view, EHDR_BYTES, [PT_NOTE, notesAt, 0, 0, noteBytes, 0, 0, 4]);
  core.segments.forEach((segment, i) => {
    const { start, end, filePages, flags } = segment;
    writePhdr(view, EHDR_BYTES + PHDR_BYTES * (i + 1), [PT_LOAD, offsets[i], start, 0, filePages * PAGE_SIZE, end - start, flags, PAGE_SIZE]);
  });
}

/** type, offset, vaddr, paddr, filesz, memsz, flags, align. */
function writePhdr(view: DataView, at: number, words: readonly number[]): void {
  words.forEach((word, i) => view.setUint32(at + 4 * i, word, true));
}

/** Each: namesz (with NUL), descsz, type; name and contents padded to four bytes. */
export function encodeNotes(notes: readonly CoreNote[]): Uint8Array {
  const bytes = Buffer.alloc(notes.reduce((sum, note) => sum + noteBytes(note), 0));
  let at = 0;
  for (const note of notes) {
    bytes.writeUInt32LE(note.owner.length + 1, at);
    bytes.writeUInt32LE(note.desc.length, at + 4);
    bytes.writeUInt32LE(note.type, at + 8);
    bytes.write(note.owner, at + 12, 'latin1');
    bytes.set(note.desc, at + 12 + align(note.owner.length + 1, 4));
    at += noteBytes(note);
  }
  return bytes;
}

export function noteBytes(note: CoreNote): number {
  return 12 + align(note.owner.length + 1, 4) + align(note.desc.length, 4);
}

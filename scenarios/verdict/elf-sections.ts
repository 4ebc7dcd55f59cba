import { inflateSync } from 'node:zlib';

/**
 * Sections of an ELF32 little-endian file (System V ABI chapter 4). The file is untrusted: what does not fit is left out, nothing
 * throws. A program that is to be run has been checked by the kernel's loader; this reader only serves names and lines.
 */
export interface Section {
  name: string;
  type: number;
  flags: number;
  address: number;
  link: number;
  /** Empty for a section without contents, or when it lies outside the file. */
  bytes: Uint8Array;
}

export const SHT_SYMTAB = 2;
export const SHT_NOBITS = 8;
export const SHF_EXECINSTR = 4;
const SHF_COMPRESSED = 0x800;
const ELFCOMPRESS_ZLIB = 1;
const EHDR_BYTES = 52;
const SHDR_BYTES = 40;
/** Compression header: type, size, alignment. */
const CHDR_BYTES = 12;
const MAX_SECTIONS = 4096;
/** A section that claims to unpack to more is not read. */
const MAX_UNPACKED = 256 << 20;

export function viewOf(bytes: Uint8Array): DataView {
  return new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
}

/** Text up to the next NUL, or to the end. */
export function textAt(bytes: Uint8Array, at: number): string {
  if (at >= bytes.length) return '';
  const end = bytes.indexOf(0, at);
  return Buffer.from(bytes.subarray(at, end < 0 ? bytes.length : end)).toString('latin1');
}

export function readSections(file: Uint8Array): Section[] {
  if (file.length < EHDR_BYTES) return [];
  const view = viewOf(file);
  if (view.getUint32(0) !== 0x7f454c46 || view.getUint8(4) !== 1 || view.getUint8(5) !== 1) return [];
  const [offset, size, count, names] = [view.getUint32(32, true), view.getUint16(46, true), view.getUint16(48, true), view.getUint16(50, true)];
  if (size !== SHDR_BYTES || count > MAX_SECTIONS || offset + count * SHDR_BYTES > file.length) return [];
  const sections = Array.from({ length: count }, (_, i) => readSection(file, view, offset + i * SHDR_BYTES));
  const strings = sections[names]?.section.bytes ?? new Uint8Array(0);
  return sections.map(({ section, nameAt }) => ({ ...section, name: textAt(strings, nameAt) }));
}

function readSection(file: Uint8Array, view: DataView, at: number): { section: Section; nameAt: number } {
  const word = (field: number): number => view.getUint32(at + field, true);
  const [nameAt, type, flags, address, offset, size, link] = [0, 4, 8, 12, 16, 20, 24].map(word);
  const inside = type !== SHT_NOBITS && offset + size <= file.length;
  const stored = inside ? file.subarray(offset, offset + size) : new Uint8Array(0);
  return { section: { name: '', type, flags, address, link, bytes: flags & SHF_COMPRESSED ? unpack(stored) : stored }, nameAt };
}

function unpack(stored: Uint8Array): Uint8Array {
  const nothing = new Uint8Array(0);
  if (stored.length < CHDR_BYTES || viewOf(stored).getUint32(0, true) !== ELFCOMPRESS_ZLIB) return nothing;
  try {
    return inflateSync(stored.subarray(CHDR_BYTES), { maxOutputLength: MAX_UNPACKED });
  } catch {
    return nothing;
  }
}

import type { Ram } from './ram.js';

/**
 * Two direct-mapped software TLBs, one for reads and fetches, one for writes, in the control area of Ram.
 * They describe the space `ram.activeSpace`. Entry i of each, i = ((va >>> 12) ^ (va >>> 22)) & 1023, is two words (the upper
 * bits take part because the stack lies 128 MiB above the first mappings: without them the two share entries):
 *
 *   +0  i32 tag     page base address, or 8 = empty (a page base has its low 12 bits clear, so a compare
 *                   with `va & (0xfffff000 | (size - 1))` tests the page and the alignment at once)
 *   +4  i32 addend  byte address in Ram = va + addend
 *
 * A write entry exists only for a page that is writable, dirty, not copy-on-write and holds no decoded
 * code; hence a store that hits needs no further test.
 */
export const TLB_ENTRIES = 1024;
export const TLB_ENTRY_BYTES = 8;
/** A bit above every alignment mask, below the page number: no compare ever matches it, not even at address 1. */
export const TLB_EMPTY = 8;
/** Byte offsets in the control area; the first 4 KiB of it belong to the cpu. */
export const READ_TLB = 0x1000;
export const WRITE_TLB = READ_TLB + TLB_ENTRIES * TLB_ENTRY_BYTES;

const WORDS = TLB_ENTRIES * 2;
const READ_WORD = READ_TLB >> 2;
const WRITE_WORD = WRITE_TLB >> 2;

function slot(va: number): number {
  return (((va >>> 12) ^ (va >>> 22)) & (TLB_ENTRIES - 1)) * 2;
}

export function flushTlb(ram: Ram): void {
  const { i32 } = ram;
  ram.codeEpoch++;
  for (let word = 0; word < WORDS; word += 2) {
    i32[READ_WORD + word] = TLB_EMPTY;
    i32[WRITE_WORD + word] = TLB_EMPTY;
  }
}

export function flushWriteTlb(ram: Ram): void {
  const { i32 } = ram;
  for (let word = 0; word < WORDS; word += 2) i32[WRITE_WORD + word] = TLB_EMPTY;
}

/** Forget the page of `va` in both TLBs. */
export function dropTlbPage(ram: Ram, va: number): void {
  const { i32 } = ram;
  ram.codeEpoch++;
  const word = slot(va);
  const tag = va & ~0xfff;
  if (i32[READ_WORD + word] === tag) i32[READ_WORD + word] = TLB_EMPTY;
  if (i32[WRITE_WORD + word] === tag) i32[WRITE_WORD + word] = TLB_EMPTY;
}

/** Forget every write entry that leads to `frame`, under whatever address. */
export function dropWriteEntriesOf(ram: Ram, frame: number): void {
  const { i32 } = ram;
  const base = ram.address(frame);
  for (let word = WRITE_WORD; word < WRITE_WORD + WORDS; word += 2) {
    if (i32[word] !== TLB_EMPTY && ((i32[word] + i32[word + 1]) | 0) === base) i32[word] = TLB_EMPTY;
  }
}

export function fillRead(ram: Ram, va: number, frame: number): void {
  fill(ram, READ_WORD, va, frame);
}

export function fillWrite(ram: Ram, va: number, frame: number): void {
  fill(ram, WRITE_WORD, va, frame);
}

function fill(ram: Ram, table: number, va: number, frame: number): void {
  const tag = va & ~0xfff;
  const word = table + slot(va);
  ram.i32[word] = tag;
  ram.i32[word + 1] = (ram.address(frame) - tag) | 0;
}

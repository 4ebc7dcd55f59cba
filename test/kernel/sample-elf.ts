/** A small static MIPS executable made by hand, for tests: text, data with bss, PT_GNU_STACK. */
export interface SampleOptions {
  /** Machine words at the entry point; without them an endless loop. */
  code?: number[];
  relocatable?: boolean;
}

const ENTRY = 0x100;
const TEXT_BYTES = 0x200;
const DATA_BYTES = 0x100;

/**
 * File: header 0, program headers 0x34, code 0x100, data 0x200 (filled with 0xda) to 0x300.
 * Memory: text at 0x400000, data at 0x411200 with bss up to 0x413200; a relocatable one is based at 0.
 */
export function sampleElf(options: SampleOptions = {}): Uint8Array {
  const file = Buffer.alloc(TEXT_BYTES + DATA_BYTES);
  const base = options.relocatable ? 0 : 0x40_0000;
  file.set([0x7f, 0x45, 0x4c, 0x46, 1, 1, 1]);
  const header: [offset: number, size: 2 | 4, value: number][] = [
    [16, 2, options.relocatable ? 3 : 2], [18, 2, 8], [20, 4, 1], [24, 4, base + ENTRY], [28, 4, 52], [36, 4, 0x7000_1007],
    [40, 2, 52], [42, 2, 32], [44, 2, 3],
  ];
  for (const [offset, size, value] of header) file.writeUIntLE(value, offset, size);
  const programHeaders = [
    [1, 0, base, base, TEXT_BYTES, TEXT_BYTES, 5, 0x1_0000],
    [1, TEXT_BYTES, base + 0x1_1200, base + 0x1_1200, DATA_BYTES, 0x2000, 6, 0x1_0000],
    [0x6474_e551, 0, 0, 0, 0, 0, 7, 16],
  ];
  programHeaders.flat().forEach((word, i) => file.writeUInt32LE(word, 52 + 4 * i));
  const loop = [0x1000_ffff, 0];
  (options.code ?? loop).forEach((word, i) => file.writeUInt32LE(word >>> 0, ENTRY + 4 * i));
  file.fill(0xda, TEXT_BYTES);
  return new Uint8Array(file);
}

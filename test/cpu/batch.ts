import { Random } from '../../emulator/base/index.js';
import * as mips from './encode.js';
import { BLOCK, generate, INDEX, INDEX_VALUE, SCRATCH, SCRATCH_WORDS } from './generator.js';

export const SEQUENCES = 1280;
export const BATCH = 64;
const CODE = 0x40_0000;
const DATA = 0x1000_0000;
const HEADER = 0x1000;

/**
 * State of one sequence, loaded from memory before it and stored to the same place behind it:
 *   words 0..31 $0..$31   32 HI   33 LO   34 FCSR   35 -   36..67 $f0..$f31   68..131 scratch memory
 */
export const BLOCK_WORDS = 68 + SCRATCH_WORDS;
const AT_HI = 32, AT_LO = 33, AT_FCSR = 34, AT_FPR = 36, AT_SCRATCH = 68;

const SINGLES = [0, 0x80000000, 0x3f800000, 0xbf800000, 0x00000001, 0x80000001, 0x007fffff, 0x00800000, 0x00800001, 0x80800000, 0x7f7fffff, 0xff7fffff,
  0x7f800000, 0xff800000, 0x7fbfffff, 0x7f800001, 0xffbfffff, 0x7fc00000, 0x7fffffff, 0xffc00001, 0x3f000000, 0x3fc00000, 0x40200000, 0x4effffff, 0x4f000000,
  0xcf000000, 0x3effffff, 0x34000000, 0x33800000, 0x7e800000, 0x00ffffff];
const DOUBLE_HIGHS = [0, 0x80000000, 0x3ff00000, 0xbff00000, 0x000fffff, 0x00100000, 0x80100000, 0x7fefffff, 0xffefffff, 0x7ff00000, 0xfff00000, 0x7ff7ffff,
  0x7ff80000, 0x7fffffff, 0xfff7ffff, 0x41dfffff, 0x41e00000, 0xc1e00000, 0x3fe00000, 0x3ff80000, 0x40040000, 0x36a00000, 0x380fffff, 0x38100000, 0x47efffff,
  0x47f00000, 0x3ca00000, 0x1ff00000, 0x5fefffff];
const LOWS = [0, 0, 1, 0xffffffff, 0x80000000, 0xe0000000, 0x20000000, 0x10000000, 0xffc00000, 0x1fffffff];

/** A pair of words that is interesting as two singles, as a double, or as integers. */
function interestingPair(random: Random): [number, number] {
  switch (random.below(6)) {
    case 0: return [SINGLES[random.below(SINGLES.length)], SINGLES[random.below(SINGLES.length)]];
    case 1: return [LOWS[random.below(LOWS.length)], DOUBLE_HIGHS[random.below(DOUBLE_HIGHS.length)]];
    case 2: return [random.next() & 0xff, random.next() | 0xffffff00];
    case 3: return [nearOne(random, 0x3f800000, 23), random.next()];
    case 4: return [random.next(), nearOne(random, 0x3ff00000, 20)];
  }
  return [random.next(), random.next()];
}

/** A number with a moderate exponent, so that sums and products stay finite and lose bits. */
function nearOne(random: Random, one: number, fractionBits: number): number {
  return ((random.next() & 0x80000000) | (one + ((random.below(60) - 30) << fractionBits)) | random.below(1 << fractionBits)) >>> 0;
}

function initialBlock(random: Random): number[] {
  const words: number[] = [];
  while (words.length < BLOCK_WORDS) words.push(...interestingPair(random));
  words.length = BLOCK_WORDS;
  words[0] = 0;
  words[AT_FCSR] = random.below(4) | (random.below(32) << 2) | (random.below(2) << 23) | (random.below(128) << 25);
  return words.map((word) => word >>> 0);
}

function prologue(address: number): number[] {
  const words = [...mips.li(BLOCK, address), mips.lw(1, AT_HI * 4, BLOCK), mips.mthi(1), mips.lw(1, AT_LO * 4, BLOCK), mips.mtlo(1),
    mips.lw(1, AT_FCSR * 4, BLOCK), mips.ctc1(1, 31), mips.addiu(SCRATCH, BLOCK, AT_SCRATCH * 4 + SCRATCH_WORDS * 2), mips.addiu(INDEX, 0, INDEX_VALUE)];
  for (let n = 0; n < 32; n++) words.push(mips.lwc1(n, (AT_FPR + n) * 4, BLOCK));
  for (let n = 1; n < 32; n++) if (n < BLOCK || n > SCRATCH) words.push(mips.lw(n, n * 4, BLOCK));
  return words;
}

function epilogue(): number[] {
  const words: number[] = [];
  for (let n = 0; n < 32; n++) words.push(mips.sw(n, n * 4, BLOCK));
  words.push(mips.mfhi(1), mips.sw(1, AT_HI * 4, BLOCK), mips.mflo(1), mips.sw(1, AT_LO * 4, BLOCK), mips.cfc1(1, 31), mips.sw(1, AT_FCSR * 4, BLOCK));
  for (let n = 0; n < 32; n++) words.push(mips.swc1(n, (AT_FPR + n) * 4, BLOCK));
  return words;
}

function writeAndExit(bytes: number): number[] {
  return [...mips.li(5, DATA), ...mips.li(6, bytes), mips.addiu(4, 0, 1), mips.addiu(2, 0, 4004), mips.SYSCALL, mips.addiu(4, 0, 0), mips.addiu(2, 0, 4246), mips.SYSCALL];
}

export interface Batch {
  elf: Buffer;
  /** Address of each sequence's first word, for reports. */
  starts: number[];
  /** Words of each sequence. */
  code: number[][];
}

/** Sequences [BATCH * index, …) as one executable that writes their final states. */
export function buildBatch(index: number, used = new Map<string, number>()): Batch {
  const code: number[] = [];
  const data: number[] = [];
  const batch: Batch = { elf: Buffer.alloc(0), starts: [], code: [] };
  for (let n = 0; n < BATCH; n++) {
    const random = new Random(0x5eed0000 + index * BATCH + n);
    code.push(...prologue(DATA + data.length * 4));
    data.push(...initialBlock(random));
    const start = CODE + HEADER + code.length * 4;
    const body = generate(random, start, 50 + random.below(50), used);
    batch.starts.push(start);
    batch.code.push(body);
    code.push(...body, ...epilogue());
  }
  code.push(...writeAndExit(data.length * 4));
  batch.elf = buildElf(code, data);
  return batch;
}

/** The first `length` words of one sequence alone, to find where two processors part. */
export function buildPrefix(sequence: number, length: number): { elf: Buffer; word: number } {
  const random = new Random(0x5eed0000 + sequence);
  const data = initialBlock(random);
  const before = prologue(DATA);
  const body = generate(random, CODE + HEADER + before.length * 4, 50 + random.below(50), new Map());
  // Branches that now lead beyond the end find nops.
  const code = [...before, ...body.slice(0, length), ...Array<number>(12).fill(mips.NOP), ...epilogue(), ...writeAndExit(data.length * 4)];
  return { elf: buildElf(code, data), word: length <= body.length ? body[length - 1] : -1 };
}

/** A program of a few words on a zeroed state, that writes its final state like a sequence does. */
export function buildProbe(code: readonly number[]): Buffer {
  const data = Array<number>(BLOCK_WORDS).fill(0);
  return buildElf([...prologue(DATA), ...code, ...epilogue(), ...writeAndExit(data.length * 4)], data);
}

/** Names of the words of a final state. */
export function stateOf(output: Buffer): Map<string, number> {
  return new Map(names.map((name, n) => [name, output.readUInt32LE(n * 4)]));
}

/** A static little-endian MIPS32r2 executable of one text and one data segment. */
export function buildElf(code: readonly number[], data: readonly number[]): Buffer {
  const text = Buffer.from(Uint32Array.from(code).buffer);
  const bytes = Buffer.from(Uint32Array.from(data).buffer);
  const dataOffset = HEADER + Math.ceil(text.length / 4096) * 4096;
  const elf = Buffer.alloc(dataOffset + bytes.length);
  Buffer.from([0x7f, 0x45, 0x4c, 0x46, 1, 1, 1]).copy(elf);
  [2 | (8 << 16), 1, CODE + HEADER, 52, 0, 0x70001007, 52 | (32 << 16), 3, 0].forEach((word, n) => elf.writeUInt32LE(word, 16 + 4 * n));
  [1, HEADER, CODE + HEADER, CODE + HEADER, text.length, text.length, 5, 4096].forEach((word, n) => elf.writeUInt32LE(word, 52 + 4 * n));
  [1, dataOffset, DATA, DATA, bytes.length, bytes.length, 6, 4096].forEach((word, n) => elf.writeUInt32LE(word, 84 + 4 * n));
  // PT_MIPS_ABIFLAGS: MIPS32r2, 32-bit registers, FP ABI 1 (doubles in pairs): Status.FR = 0.
  [0x7000_0003, 0x100, CODE, CODE, 24, 24, 4, 8].forEach((word, n) => elf.writeUInt32LE(word, 116 + 4 * n));
  Buffer.from([0, 0, 32, 2, 1, 1, 0, 1]).copy(elf, 0x100);
  text.copy(elf, HEADER);
  bytes.copy(elf, dataOffset);
  return elf;
}

export const names = [...Array.from({ length: 32 }, (_, n) => `$${n}`), 'HI', 'LO', 'FCSR', '-', ...Array.from({ length: 32 }, (_, n) => `$f${n}`),
  ...Array.from({ length: SCRATCH_WORDS }, (_, n) => `scratch+${n * 4}`)];

/** Differences between two final states of a batch: `sequence register expected actual`. */
export function compareStates(expected: Buffer, actual: Buffer): { sequence: number; where: string; expected: number; actual: number }[] {
  const found = [];
  for (let at = 0; at < Math.max(expected.length, actual.length); at += 4) {
    const [e, a] = [expected, actual].map((buffer) => (at + 4 <= buffer.length ? buffer.readUInt32LE(at) : -1));
    if (e !== a) found.push({ sequence: Math.floor(at / 4 / BLOCK_WORDS), where: names[(at / 4) % BLOCK_WORDS], expected: e, actual: a });
  }
  return found;
}

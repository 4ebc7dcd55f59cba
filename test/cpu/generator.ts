import type { Random } from '../../emulator/base/index.js';
import * as mips from './encode.js';

/** $26 is the block's address, $27 a small index, $28 the middle of the scratch memory; nothing writes them. */
export const BLOCK = 26;
export const INDEX = 27;
export const SCRATCH = 28;
export const INDEX_VALUE = 24;
/** Scratch memory: words, and bytes either side of $28. */
export const SCRATCH_WORDS = 64;
const REACH = SCRATCH_WORDS * 2;
const COUNTER = 24;

/** What an instruction template may ask for. `at` is the address of its first word. */
export class Choice {
  readonly random: Random;
  at = 0;

  constructor(random: Random) {
    this.random = random;
  }

  below(n: number): number {
    return this.random.below(n);
  }

  bits(n: number): number {
    return this.random.next() >>> (32 - n);
  }

  source(): number {
    return this.below(32);
  }

  /** Any register but the reserved ones and the loop counter; sometimes $0. */
  destination(): number {
    const n = this.below(28);
    return n < 24 ? n : n === 24 ? 25 : n + 4;
  }

  float(): number {
    return this.below(32);
  }

  double(): number {
    return this.below(16) * 2;
  }

  offset(align: number): number {
    return (this.below((REACH * 2 - 8) / align) * align) - REACH;
  }

  immediate(): number {
    return this.below(4) === 0 ? [0, 1, 0xffff, 0x8000, 0x7fff][this.below(5)] : this.bits(16);
  }
}

export interface Template {
  name: string;
  emit(c: Choice): number[];
  /** May stand in a delay slot: a single word and no branch. */
  slot: boolean;
}

export type Family = 'integer' | 'memory' | 'float' | 'branch';

const templates: Record<Family, Template[]> = { integer: [], memory: [], float: [], branch: [] };

function one(family: Family, name: string, emit: (c: Choice) => number): void {
  templates[family].push({ name, emit: (c) => [emit(c)], slot: true });
}

function many(family: Family, name: string, emit: (c: Choice) => number[]): void {
  templates[family].push({ name, emit, slot: false });
}

const threeRegister = { addu: 33, subu: 35, and: 36, or: 37, xor: 38, nor: 39, slt: 42, sltu: 43, movz: 10, movn: 11 };
for (const [name, fn] of Object.entries(threeRegister)) one('integer', name, (c) => mips.r(fn, c.source(), c.source(), c.destination()));
for (const [name, fn] of Object.entries({ sll: 0, srl: 2, sra: 3 })) one('integer', name, (c) => mips.r(fn, 0, c.source(), c.destination(), c.below(32)));
one('integer', 'rotr', (c) => mips.r(2, 1, c.source(), c.destination(), c.below(32)));
for (const [name, fn] of Object.entries({ sllv: 4, srlv: 6, srav: 7 })) one('integer', name, (c) => mips.r(fn, c.source(), c.source(), c.destination()));
one('integer', 'rotrv', (c) => mips.r(6, c.source(), c.source(), c.destination(), 1));
for (const [name, op] of Object.entries({ addiu: 9, slti: 10, sltiu: 11, andi: 12, ori: 13, xori: 14 })) {
  one('integer', name, (c) => mips.i(op, c.source(), c.destination(), c.immediate()));
}
one('integer', 'lui', (c) => mips.lui(c.destination(), c.immediate()));
for (const [name, fn] of Object.entries({ mult: 24, multu: 25, div: 26, divu: 27 })) one('integer', name, (c) => mips.r(fn, c.source(), c.source(), 0));
for (const [name, fn] of Object.entries({ madd: 0, maddu: 1, msub: 4, msubu: 5 })) one('integer', name, (c) => mips.special2(fn, c.source(), c.source(), 0));
one('integer', 'mul', (c) => mips.special2(2, c.source(), c.source(), c.destination()));
for (const [name, fn] of Object.entries({ clz: 32, clo: 33 })) {
  one('integer', name, (c) => {
    const d = c.destination();
    return mips.special2(fn, c.source(), d, d);
  });
}
one('integer', 'mfhi', (c) => mips.mfhi(c.destination()));
one('integer', 'mflo', (c) => mips.mflo(c.destination()));
one('integer', 'mthi', (c) => mips.mthi(c.source()));
one('integer', 'mtlo', (c) => mips.mtlo(c.source()));
one('integer', 'ext', (c) => {
  const position = c.below(32);
  return mips.special3(0, c.source(), c.destination(), c.below(32 - position), position);
});
one('integer', 'ins', (c) => {
  const position = c.below(32);
  return mips.special3(4, c.source(), c.destination(), position + c.below(32 - position), position);
});
for (const [name, sa] of Object.entries({ wsbh: 2, seb: 16, seh: 24 })) one('integer', name, (c) => mips.special3(32, 0, c.source(), c.destination(), sa));
for (const [name, fn] of Object.entries({ add: 32, sub: 34 })) {
  many('integer', name, (c) => {
    const [x, y] = [1 + c.below(11), 12 + c.below(11)];
    return [mips.r(3, 0, x, x, 1 + c.below(8)), mips.r(3, 0, y, y, 1 + c.below(8)), mips.r(fn, x, y, c.destination())];
  });
}
many('integer', 'addi', (c) => {
  const x = 1 + c.below(23);
  return [mips.r(3, 0, x, x, 2), mips.i(8, x, c.destination(), c.immediate())];
});
for (const [name, register] of Object.entries({ rdhwrCpu: 0, rdhwrStep: 1, rdhwrRes: 3 })) one('integer', name, (c) => mips.special3(59, 0, c.destination(), register, 0));
// Traps that do not hold: x compared with itself, or the known $27 (24).
for (const [name, fn] of Object.entries({ tlt: 50, tltu: 51, tne: 54 })) {
  one('integer', name, (c) => {
    const x = c.source();
    return mips.r(fn, x, x, 0, c.below(32));
  });
}
for (const [name, fn] of Object.entries({ tge: 48, tgeu: 49, teq: 52 })) one('integer', name, () => mips.r(fn, 0, INDEX, 0, 7));
for (const [name, selector, value] of [['tgei', 8, 25], ['tgeiu', 9, 0xffff], ['tlti', 10, 24], ['tltiu', 11, 24], ['teqi', 12, 25], ['tnei', 14, 24]] as const) {
  one('integer', name, () => mips.regimm(selector, INDEX, value));
}
one('integer', 'sync', () => mips.r(15, 0, 0, 0));
one('integer', 'movf', (c) => mips.r(1, c.source(), c.below(8) << 2, c.destination()));
one('integer', 'movt', (c) => mips.r(1, c.source(), (c.below(8) << 2) | 1, c.destination()));

for (const [name, op, align] of [['lb', 32, 1], ['lh', 33, 2], ['lw', 35, 4], ['lbu', 36, 1], ['lhu', 37, 2], ['lwl', 34, 1], ['lwr', 38, 1]] as const) {
  one('memory', name, (c) => mips.i(op, SCRATCH, c.destination(), c.offset(align)));
}
for (const [name, op, align] of [['sb', 40, 1], ['sh', 41, 2], ['sw', 43, 4], ['swl', 42, 1], ['swr', 46, 1]] as const) {
  one('memory', name, (c) => mips.i(op, SCRATCH, c.source(), c.offset(align)));
}
one('memory', 'lwc1', (c) => mips.i(49, SCRATCH, c.float(), c.offset(4)));
one('memory', 'swc1', (c) => mips.i(57, SCRATCH, c.float(), c.offset(4)));
one('memory', 'ldc1', (c) => mips.i(53, SCRATCH, c.double(), c.offset(8)));
one('memory', 'sdc1', (c) => mips.i(61, SCRATCH, c.double(), c.offset(8)));
one('memory', 'lwxc1', (c) => mips.cop1x(0, SCRATCH, INDEX, 0, c.float()));
one('memory', 'ldxc1', (c) => mips.cop1x(1, INDEX, SCRATCH, 0, c.double()));
one('memory', 'swxc1', (c) => mips.cop1x(8, SCRATCH, INDEX, c.float(), 0));
one('memory', 'sdxc1', (c) => mips.cop1x(9, INDEX, SCRATCH, c.double(), 0));
one('memory', 'pref', (c) => mips.i(51, SCRATCH, c.below(8), c.offset(1)));
one('memory', 'prefx', (c) => mips.cop1x(15, SCRATCH, INDEX, c.below(8), 0));
one('memory', 'synci', (c) => mips.regimm(31, SCRATCH, c.offset(4)));
many('memory', 'll/sc', (c) => {
  const offset = c.offset(4);
  const between = c.below(3);
  const words = [mips.i(48, SCRATCH, c.destination(), offset)];
  for (let n = 0; n < between; n++) words.push(mips.r(33, c.source(), c.source(), c.destination()));
  return [...words, mips.i(56, SCRATCH, c.destination(), offset)];
});
many('memory', 'sc elsewhere', (c) => {
  const offset = c.offset(4);
  const other = offset === 0 ? 4 : -offset;
  return [mips.i(48, SCRATCH, c.destination(), offset), mips.i(56, SCRATCH, c.destination(), other)];
});

const S = 16, D = 17, W = 20;
const formats = [['s', S], ['d', D]] as const;
const reg = (c: Choice, fmt: number): number => (fmt === D ? c.double() : c.float());
for (const [suffix, fmt] of formats) {
  for (const [name, fn] of Object.entries({ add: 0, sub: 1, mul: 2, div: 3 })) {
    one('float', `${name}.${suffix}`, (c) => mips.fp(fmt, fn, reg(c, fmt), reg(c, fmt), reg(c, fmt)));
  }
  for (const [name, fn] of Object.entries({ sqrt: 4, abs: 5, mov: 6, neg: 7, recip: 21, rsqrt: 22 })) {
    one('float', `${name}.${suffix}`, (c) => mips.fp(fmt, fn, 0, reg(c, fmt), reg(c, fmt)));
  }
  for (const [name, fn] of Object.entries({ 'round.w': 12, 'trunc.w': 13, 'ceil.w': 14, 'floor.w': 15, 'cvt.w': 36 })) {
    one('float', `${name}.${suffix}`, (c) => mips.fp(fmt, fn, 0, reg(c, fmt), c.float()));
  }
  one('float', `movf.${suffix}`, (c) => mips.fp(fmt, 17, c.below(8) << 2, reg(c, fmt), reg(c, fmt)));
  one('float', `movt.${suffix}`, (c) => mips.fp(fmt, 17, (c.below(8) << 2) | 1, reg(c, fmt), reg(c, fmt)));
  one('float', `movz.${suffix}`, (c) => mips.fp(fmt, 18, c.source(), reg(c, fmt), reg(c, fmt)));
  one('float', `movn.${suffix}`, (c) => mips.fp(fmt, 19, c.source(), reg(c, fmt), reg(c, fmt)));
  ['f', 'un', 'eq', 'ueq', 'olt', 'ult', 'ole', 'ule', 'sf', 'ngle', 'seq', 'ngl', 'lt', 'nge', 'le', 'ngt'].forEach((name, n) => {
    one('float', `c.${name}.${suffix}`, (c) => mips.fp(fmt, 48 + n, reg(c, fmt), reg(c, fmt), c.below(8) << 2));
  });
  const wide = fmt === D ? 1 : 0;
  for (const [name, fn] of Object.entries({ madd: 32, msub: 40, nmadd: 48, nmsub: 56 })) {
    one('float', `${name}.${suffix}`, (c) => mips.cop1x(fn | wide, reg(c, fmt), reg(c, fmt), reg(c, fmt), reg(c, fmt)));
  }
  one('float', `cvt.${suffix}.w`, (c) => mips.fp(W, fmt === S ? 32 : 33, 0, c.float(), reg(c, fmt)));
}
one('float', 'cvt.d.s', (c) => mips.fp(S, 33, 0, c.float(), c.double()));
one('float', 'cvt.s.d', (c) => mips.fp(D, 32, 0, c.double(), c.float()));
one('float', 'mfc1', (c) => mips.cop1(0, c.destination(), c.float()));
one('float', 'mtc1', (c) => mips.cop1(4, c.source(), c.float()));
one('float', 'mfhc1', (c) => mips.cop1(3, c.destination(), c.float()));
one('float', 'mthc1', (c) => mips.cop1(7, c.source(), c.float()));
for (const register of [0, 25, 26, 28, 31]) one('float', `cfc1 ${register}`, (c) => mips.cfc1(c.destination(), register));
// FCSR without enables, so that nothing traps; FS stays off (see qemu-differences.json).
const control = (register: number, value: (c: Choice) => number) => many('float', `ctc1 ${register}`, (c) => {
  const t = 1 + c.below(23);
  return [...mips.li(t, value(c)), mips.ctc1(t, register)];
});
control(31, (c) => (c.bits(2) | (c.bits(5) << 2) | (c.bits(5) << 12) | (c.bits(8) << 25 & 0xfe800000) | (c.bits(1) << 23)) >>> 0);
control(25, (c) => c.bits(8));
control(26, (c) => (c.bits(5) << 2) | (c.bits(5) << 12));
control(28, (c) => c.bits(2));

/** A branch over `body` with a delay slot; offsets count from the delay slot. */
function branch(name: string, encode: (c: Choice, offset: number) => number): void {
  many('branch', name, (c) => {
    const body = straight(c, 1 + c.below(3));
    return [encode(c, body.length + 1), delaySlot(c), ...body];
  });
}
const conditions = { beq: 4, bne: 5, beql: 20, bnel: 21 };
const pair = (c: Choice): [number, number] => {
  const x = c.source();
  return c.below(2) === 0 ? [x, x] : [x, c.source()];
};
for (const [name, op] of Object.entries(conditions)) branch(name, (c, offset) => mips.i(op, ...pair(c), offset));
for (const [name, op] of Object.entries({ blez: 6, bgtz: 7, blezl: 22, bgtzl: 23 })) branch(name, (c, offset) => mips.i(op, c.source(), 0, offset));
for (const [name, selector] of Object.entries({ bltz: 0, bgez: 1, bltzl: 2, bgezl: 3, bltzal: 16, bgezal: 17, bltzall: 18, bgezall: 19 })) {
  branch(name, (c, offset) => mips.regimm(selector, c.below(31), offset));
}
branch('b', (_c, offset) => mips.i(4, 0, 0, offset));
branch('bal', (_c, offset) => mips.regimm(17, 0, offset));
['bc1f', 'bc1t', 'bc1fl', 'bc1tl'].forEach((name, n) => branch(name, (c, offset) => mips.i(17, 8, (c.below(8) << 2) | n, offset)));
const toTarget = (c: Choice, words: number): number => c.at + words * 4;
many('branch', 'j', (c) => {
  const body = straight(c, 2);
  return [mips.jump(2, toTarget(c, 2 + body.length)), delaySlot(c), ...body];
});
many('branch', 'jal', (c) => {
  const body = straight(c, 2);
  return [mips.jump(3, toTarget(c, 2 + body.length)), delaySlot(c), ...body];
});
many('branch', 'jr', (c) => {
  const body = straight(c, 2);
  return [...mips.li(25, toTarget(c, 4 + body.length)), mips.r(8, 25, 0, 0, c.below(2) * 16), delaySlot(c), ...body];
});
many('branch', 'jalr', (c) => {
  const body = straight(c, 2);
  return [...mips.li(25, toTarget(c, 4 + body.length)), mips.r(9, 25, 0, c.below(2) === 0 ? 31 : 1 + c.below(24), c.below(2) * 16), delaySlot(c), ...body];
});
many('branch', 'loop', (c) => {
  const body = straight(c, 1 + c.below(4));
  return [mips.addiu(COUNTER, 0, 2 + c.below(6)), ...body, mips.addiu(COUNTER, COUNTER, -1), mips.i(5, COUNTER, 0, -(body.length + 2)), delaySlot(c)];
});

const slots = [...templates.integer, ...templates.memory, ...templates.float].filter((template) => template.slot);

function delaySlot(c: Choice): number {
  return c.below(3) === 0 ? mips.NOP : slots[c.below(slots.length)].emit(c)[0];
}

function straight(c: Choice, count: number): number[] {
  return Array.from({ length: count }, () => slots[c.below(slots.length)].emit(c)[0]);
}

export const allTemplates: readonly Template[] = Object.values(templates).flat();

/** How often each family is drawn, by kind of sequence. */
const MIXES: Record<Family, number>[] = [
  { integer: 12, memory: 2, float: 0, branch: 2 },
  { integer: 4, memory: 8, float: 0, branch: 2 },
  { integer: 1, memory: 3, float: 12, branch: 0 },
  { integer: 3, memory: 3, float: 6, branch: 4 },
];

/** At least `length` words of random code at `address`; every use of a template is counted in `used`. */
export function generate(random: Random, address: number, length: number, used: Map<string, number>): number[] {
  const c = new Choice(random);
  const mix = MIXES[c.below(MIXES.length)];
  const bag = (Object.keys(mix) as Family[]).flatMap((family) => Array<Family>(mix[family]).fill(family));
  const words: number[] = [];
  while (words.length < length) {
    const list = templates[bag[c.below(bag.length)]];
    const template = list[c.below(list.length)];
    c.at = address + words.length * 4;
    words.push(...template.emit(c));
    used.set(template.name, (used.get(template.name) ?? 0) + 1);
  }
  return words;
}

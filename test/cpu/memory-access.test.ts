import { TrapKind } from '../../emulator/cpu/index.js';
import * as mips from './encode.js';
import { DATA, TestMachine, TEXT } from './machine.js';

const bytes = Uint8Array.from({ length: 64 }, (_, n) => 0x81 + n);
const at = (offset: number, size: number): bigint => {
  let value = 0n;
  for (let n = 0; n < size; n++) value |= BigInt(bytes[offset + n]) << BigInt(8 * n);
  return value;
};

/** Code with $4 = base; ends in a system call. */
function execute(base: number, ...code: number[]): TestMachine {
  const m = new TestMachine([...code, mips.SYSCALL]);
  m.space.copyout(base, bytes);
  m.gpr[4] = base;
  expect(m.run()).toBe(TrapKind.syscall);
  return m;
}

describe.each([['inside a page', DATA], ['across two pages', DATA + 0x1000 - 8]])('misaligned access %s is fixed up', (_where, base) => {
  test.each([0, 1, 2, 3, 4, 5, 6, 7, 8])('at offset %i', (offset) => {
    const m = execute(base, mips.lw(5, offset, 4), mips.i(33, 4, 6, offset), mips.i(37, 4, 7, offset), mips.i(53, 4, 2, offset), mips.lwc1(1, offset, 4));
    expect(m.gpr[5]).toBe(Number(BigInt.asIntN(32, at(offset, 4))));
    expect(m.gpr[6]).toBe(Number(BigInt.asIntN(16, at(offset, 2))));
    expect(m.gpr[7]).toBe(Number(at(offset, 2)));
    expect(m.context.fpr[2]).toBe(Number(at(offset, 4)));
    expect(m.context.fpr[3]).toBe(Number(at(offset + 4, 4)));
    expect(m.context.fpr[1]).toBe(Number(at(offset, 4)));
  });

  test.each([0, 1, 2, 3, 4, 5, 6, 7])('stores at offset %i change just their bytes', (offset) => {
    const m = new TestMachine([mips.sw(5, offset, 4), mips.i(41, 4, 6, offset + 16), mips.i(61, 4, 2, offset + 32), mips.SYSCALL]);
    m.space.copyout(base, bytes);
    m.gpr.set([base, 0x04030201, 0x0605], 4);
    m.context.fpr.set([0x0a090807, 0x0e0d0c0b], 2);
    expect(m.run()).toBe(TrapKind.syscall);
    const expected = Uint8Array.from(bytes);
    expected.set([1, 2, 3, 4], offset);
    expected.set([5, 6], offset + 16);
    expected.set([7, 8, 9, 10, 11, 12, 13, 14], offset + 32);
    expect(m.space.copyin(base, 64)).toEqual(expected);
  });
});

test('a misaligned load in a delay slot is fixed up', () => {
  const m = new TestMachine([mips.i(4, 0, 0, 2), mips.lw(5, 1, 4), mips.NOP, mips.SYSCALL]);
  m.space.copyout(DATA, bytes);
  m.gpr[4] = DATA;
  expect(m.run()).toBe(TrapKind.syscall);
  expect(m.trap.epc).toBe(TEXT + 12);
  expect(m.gpr[5]).toBe(Number(BigInt.asIntN(32, at(1, 4))));
});

test('a misaligned store whose second page is missing writes nothing', () => {
  const m = new TestMachine([mips.sw(5, 0, 4)]);
  m.gpr.set([DATA + 0x2000 - 2, -1], 4);
  expect(m.run()).toBe(TrapKind.fault);
  expect(m.trap.badVaddr).toBe(DATA + 0x2000);
  expect(m.get(DATA + 0x2000 - 4)).toBe(0);
});

test('lwl/lwr and swl/swr read and write any word', () => {
  for (let offset = 0; offset < 8; offset++) {
    const m = execute(DATA, mips.i(34, 4, 5, offset + 3), mips.i(38, 4, 5, offset), mips.i(42, 4, 5, offset + 35), mips.i(46, 4, 5, offset + 32));
    expect(m.gpr[5]).toBe(Number(BigInt.asIntN(32, at(offset, 4))));
    expect((m.space.copyin(DATA + offset + 32, 4) as Uint8Array)).toEqual(bytes.slice(offset, offset + 4));
  }
});

describe('ll and sc', () => {
  const ll = (rt: number, offset: number): number => mips.i(48, 4, rt, offset);
  const sc = (rt: number, offset: number): number => mips.i(56, 4, rt, offset);

  test('store when nothing came between, once', () => {
    const m = new TestMachine([ll(5, 0), mips.addiu(6, 5, 1), sc(6, 0), mips.addiu(7, 0, 9), sc(7, 0), mips.SYSCALL]);
    m.gpr[4] = DATA;
    m.put(DATA, [41]);
    m.run();
    expect([m.gpr[6], m.gpr[7], m.get(DATA)]).toEqual([1, 0, 42]);
  });

  test('fail when the kernel cleared LLbit in between', () => {
    const m = new TestMachine([ll(5, 0), mips.SYSCALL, sc(5, 0), mips.SYSCALL]);
    m.gpr[4] = DATA;
    m.run();
    expect([m.context.llbit, m.context.lladdr]).toEqual([1, DATA]);
    m.context.llbit = 0;
    m.context.pc = m.trap.nextPc;
    m.gpr[5] = 7;
    m.run();
    expect([m.gpr[5], m.get(DATA)]).toEqual([0, 0]);
  });
});

test('rdhwr 29 reads UserLocal', () => {
  const m = new TestMachine([mips.special3(59, 0, 3, 29, 0), mips.SYSCALL]);
  m.context.userLocal = 0xfedc_ba98;
  m.run();
  expect(m.gpr[3] >>> 0).toBe(0xfedc_ba98);
});

test('rdhwr CC counts every second cycle of the run', () => {
  const m = new TestMachine([mips.NOP, mips.NOP, mips.NOP, mips.special3(59, 0, 3, 2, 0), mips.SYSCALL]);
  m.cpu.cycleBase = 1000;
  m.cpu.cyclesPerInstruction = 2;
  m.run();
  expect(m.gpr[3]).toBe((1000 + 3 * 2) / 2);
});

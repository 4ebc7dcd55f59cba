import { TrapKind } from '../../emulator/cpu/index.js';
import { Access, Fault } from '../../emulator/memory/index.js';
import * as mips from './encode.js';
import { CONSTANTS, DATA, TestMachine, TEXT } from './machine.js';

const SIGILL = 4, SIGTRAP = 5, SIGFPE = 8, SIGBUS = 10, SIGSEGV = 11;
const BREAK = (code: number): number => ((code << 6) | 13) >>> 0;
const b = (offset: number): number => mips.i(4, 0, 0, offset);
const PAGE_END = TEXT + 0x1000 - 4;

function expectTrap(m: TestMachine, kind: number, fields: Partial<TestMachine['trap']>): void {
  expect(m.run()).toBe(kind);
  expect(m.trap).toMatchObject({ kind, ...fields });
  expect(m.context.pc).toBe(m.trap.epc);
}

describe('a system call', () => {
  test('traps at itself and goes on behind itself', () => {
    const m = new TestMachine([mips.addiu(2, 0, 7), mips.SYSCALL]);
    expectTrap(m, TrapKind.syscall, { epc: TEXT + 4, nextPc: TEXT + 8, inDelaySlot: false });
    expect(m.cpu.retired).toBe(1);
  });

  test('in the delay slot of a taken branch goes on at the branch target', () => {
    const m = new TestMachine([mips.NOP, b(9), mips.SYSCALL]);
    expectTrap(m, TrapKind.syscall, { epc: TEXT + 4, nextPc: TEXT + 8 + 36, inDelaySlot: true });
    expect(m.cpu.retired).toBe(1);
  });

  test('in the delay slot of a branch not taken goes on behind the slot', () => {
    const m = new TestMachine([mips.i(5, 0, 0, 9), mips.SYSCALL]);
    expectTrap(m, TrapKind.syscall, { epc: TEXT, nextPc: TEXT + 8, inDelaySlot: true });
  });

  test('in the delay slot of a jump through a register goes on there', () => {
    const m = new TestMachine([...mips.li(25, TEXT + 0x1100), mips.r(9, 25, 0, 31), mips.SYSCALL]);
    expectTrap(m, TrapKind.syscall, { epc: TEXT + 8, nextPc: TEXT + 0x1100, inDelaySlot: true });
  });

  test('reached by a jump into a delay slot is not in one', () => {
    const m = new TestMachine([mips.jump(2, TEXT + 16), mips.NOP, mips.NOP, mips.i(5, 0, 0, 9), mips.SYSCALL]);
    expectTrap(m, TrapKind.syscall, { epc: TEXT + 16, nextPc: TEXT + 20, inDelaySlot: false });
  });

  test('in the delay slot of a branch at the end of a page belongs to that branch', () => {
    for (const [branch, target] of [[b(-4), PAGE_END - 12], [mips.i(5, 0, 0, 3), PAGE_END + 8]] as const) {
      const m = new TestMachine([branch, mips.SYSCALL], PAGE_END);
      expectTrap(m, TrapKind.syscall, { epc: PAGE_END, nextPc: target, inDelaySlot: true });
    }
  });
});

describe('a data fault', () => {
  test('names the address and has no effect', () => {
    const m = new TestMachine([mips.lui(4, 0x3000), mips.lw(4, 8, 4)]);
    expectTrap(m, TrapKind.fault, { epc: TEXT + 4, badVaddr: 0x3000_0008, signo: SIGSEGV, sigcode: 1, access: Access.read, fault: Fault.maperr, inDelaySlot: false });
    expect(m.gpr[4]).toBe(0x3000_0000);
  });

  test('of a store to a read-only page is SEGV_ACCERR', () => {
    const m = new TestMachine([mips.lui(4, CONSTANTS >>> 16), mips.sw(4, 12, 4)]);
    expectTrap(m, TrapKind.fault, { badVaddr: CONSTANTS + 12, signo: SIGSEGV, sigcode: 2, access: Access.write, fault: Fault.accerr });
  });

  test('in a delay slot reports the branch, and running again repeats both', () => {
    const m = new TestMachine([mips.lui(4, 0x3000), mips.i(4, 0, 0, 3), mips.lw(5, 0, 4)]);
    expectTrap(m, TrapKind.fault, { epc: TEXT + 4, inDelaySlot: true, nextPc: TEXT + 20 });
    m.gpr[4] = CONSTANTS;
    m.put(TEXT + 20, [mips.SYSCALL]);
    expectTrap(m, TrapKind.syscall, { epc: TEXT + 20 });
    expect(m.cpu.retired).toBe(2);
  });

  test('in the delay slot of a branch not taken reports the branch too', () => {
    const m = new TestMachine([mips.lui(4, 0x3000), mips.i(5, 0, 0, 3), mips.lw(5, 0, 4)]);
    expectTrap(m, TrapKind.fault, { epc: TEXT + 4, inDelaySlot: true, nextPc: TEXT + 12 });
  });

  test('behind a likely branch that nullified its slot is not in a delay slot', () => {
    const m = new TestMachine([mips.lui(4, 0x3000), mips.i(21, 0, 0, 3), mips.lw(5, 0, 4), mips.lw(5, 4, 4)]);
    expectTrap(m, TrapKind.fault, { epc: TEXT + 12, inDelaySlot: false, badVaddr: 0x3000_0004 });
    expect(m.cpu.retired).toBe(2);
  });

  test('of lwl names the address of the instruction, not of the word', () => {
    const m = new TestMachine([mips.lui(4, 0x3000), mips.i(34, 4, 5, 7)]);
    expectTrap(m, TrapKind.fault, { badVaddr: 0x3000_0007 });
  });

  test.each([0x8000_0000, 0x8000_1230, 0xffff_fffc])('at the kernel address %i is SIGBUS', (va) => {
    const m = new TestMachine([...mips.li(4, va), mips.lw(5, 0, 4)]);
    expectTrap(m, TrapKind.exception, { epc: TEXT + 8, badVaddr: va, signo: SIGBUS, sigcode: 2 });
  });

  test('where a misaligned access reaches over the end of user memory is SIGBUS', () => {
    const m = new TestMachine([...mips.li(4, 0x7fff_fffe), mips.sw(4, 0, 4)]);
    expectTrap(m, TrapKind.exception, { signo: SIGBUS });
  });
});

test.each([1, 2, 3, 5, 7, 9])('a misaligned access to address %i, next to null, is a segmentation fault', (va) => {
  for (const code of [mips.lw(2, va, 0), mips.i(33, 0, 2, va), mips.i(53, 0, 2, va), mips.sw(2, va, 0), mips.i(32, 0, 2, va)]) {
    expectTrap(new TestMachine([code]), TrapKind.fault, { epc: TEXT, badVaddr: va, signo: SIGSEGV });
  }
});

describe('an instruction fetch', () => {
  test.each([1, 5, 41])('from the misaligned address %i in the first page is SIGBUS', (va) => {
    const m = new TestMachine([mips.addiu(25, 0, va), mips.r(8, 25, 0, 0), mips.NOP]);
    expectTrap(m, TrapKind.exception, { epc: va, badVaddr: va, signo: SIGBUS });
  });

  test('from an unmapped page faults at the target', () => {
    const m = new TestMachine([mips.lui(25, 0x3000), mips.r(8, 25, 0, 0), mips.NOP]);
    expectTrap(m, TrapKind.fault, { epc: 0x3000_0000, badVaddr: 0x3000_0000, signo: SIGSEGV, access: Access.exec });
    expect(m.cpu.retired).toBe(3);
  });

  test('from a misaligned address is SIGBUS', () => {
    const m = new TestMachine([...mips.li(25, TEXT + 2), mips.r(8, 25, 0, 0), mips.NOP]);
    expectTrap(m, TrapKind.exception, { epc: TEXT + 2, badVaddr: TEXT + 2, signo: SIGBUS, sigcode: 2 });
  });

  test('from a kernel address is SIGBUS', () => {
    const m = new TestMachine([mips.lui(25, 0x8000), mips.r(8, 25, 0, 0), mips.NOP]);
    expectTrap(m, TrapKind.exception, { epc: 0x8000_0000, signo: SIGBUS });
  });

  test('running off the end of the text faults at the first unmapped word', () => {
    const m = new TestMachine([mips.NOP, mips.NOP], TEXT + 0x2000 - 8);
    expectTrap(m, TrapKind.fault, { epc: TEXT + 0x2000, badVaddr: TEXT + 0x2000 });
  });

  test('of a delay slot in an unmapped page reports the branch', () => {
    const m = new TestMachine([b(-8)], TEXT + 0x2000 - 4);
    expectTrap(m, TrapKind.fault, { epc: TEXT + 0x2000 - 4, inDelaySlot: true, badVaddr: TEXT + 0x2000 });
  });
});

describe('exceptions raise the signals of Linux/MIPS', () => {
  const overflow = [...mips.li(4, 0x7fff_ffff)];
  test.each<[string, number[], number, number, number]>([
    ['break 7', [BREAK(7 << 10)], SIGFPE, 1, 7],
    ['break 6', [BREAK(6 << 10)], SIGFPE, 2, 6],
    ['break with its code in the lower field', [BREAK(7)], SIGFPE, 1, 7],
    ['break 0', [BREAK(0)], SIGTRAP, 1, 0],
    ['teq with code 7', [mips.r(52, 0, 0, 0, 7)], SIGFPE, 1, 7],
    ['teq with code 6', [mips.r(52, 0, 0, 0, 6)], SIGFPE, 2, 6],
    ['teq with another code', [mips.r(52, 0, 0, 0, 3)], SIGTRAP, 0x80, 3],
    ['teqi', [mips.regimm(12, 0, 0)], SIGTRAP, 0x80, 0],
    ['add that overflows', [...overflow, mips.r(32, 4, 4, 5)], SIGFPE, 2, 0],
    ['addi that overflows', [...overflow, mips.i(8, 4, 5, 1)], SIGFPE, 2, 0],
    ['sub that overflows', [...overflow, mips.addiu(6, 0, -1), mips.r(34, 4, 6, 5)], SIGFPE, 2, 0],
    ['a reserved opcode', [0xfc00_0000], SIGILL, 1, 0],
    ['mfc0', [0x4004_0000], SIGILL, 1, 0],
    ['eret', [0x4200_0018], SIGILL, 1, 0],
    ['a doubleword instruction', [0x0085_102d], SIGILL, 1, 0],
    ['an odd double register', [mips.fp(17, 0, 2, 3, 4)], SIGILL, 1, 0],
    ['rdhwr of a register that is not enabled', [mips.special3(59, 0, 2, 5, 0)], SIGILL, 1, 0],
    ['a misaligned ll', [mips.lui(4, DATA >>> 16), mips.i(48, 4, 5, 2)], SIGBUS, 2, 0],
    ['a misaligned sc', [mips.lui(4, DATA >>> 16), mips.i(56, 4, 5, 2)], SIGBUS, 2, 0],
    ['a branch in a delay slot', [b(3), b(3)], SIGILL, 1, 0],
  ])('%s', (_name, code, signo, sigcode, field) => {
    const m = new TestMachine(code);
    m.gpr[5] = 0x1234;
    expectTrap(m, TrapKind.exception, { signo, sigcode, code: field });
    expect(m.gpr[5]).toBe(0x1234);
  });

  test.each<[string, number, number, number, number]>([
    ['invalid', 16, 7, 0x7f80_0000, 0xff80_0000],
    ['overflow', 4, 4, 0x7f7f_ffff, 0x7f7f_ffff],
    ['inexact', 1, 6, 0x3f80_0000, 0x3080_0000],
  ])('an enabled floating point exception: %s', (_name, flag, sigcode, x, y) => {
    const m = new TestMachine([mips.fp(16, 0, 2, 1, 3)]);
    m.context.fpr.set([x, y, 77], 1);
    m.context.fcsr = flag << 7;
    expectTrap(m, TrapKind.exception, { epc: TEXT, signo: SIGFPE, sigcode });
    expect(m.context.fpr[3]).toBe(77);
    // The kernel takes the enabled cause bits away; the sticky flag is not set.
    expect((m.context.fcsr >>> 12) & flag).toBe(0);
    expect((m.context.fcsr >>> 2) & flag).toBe(0);
  });

  test('a ctc1 that sets a cause and its enable', () => {
    const m = new TestMachine([...mips.li(4, (8 << 12) | (8 << 7)), mips.ctc1(4, 31)]);
    expectTrap(m, TrapKind.exception, { epc: TEXT + 8, signo: SIGFPE, sigcode: 3 });
  });
});

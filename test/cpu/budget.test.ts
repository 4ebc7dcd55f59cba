import fc from 'fast-check';
import { loadGraph, saveGraph } from '../../emulator/base/index.js';
import { TrapKind, type Cpu, type CpuContext } from '../../emulator/cpu/index.js';
import { AddressSpace } from '../../emulator/memory/index.js';
import { BareProgram } from '../../scenarios/bench/bare-program.js';
import { buildBatch } from './batch.js';
import * as mips from './encode.js';
import { DATA, TestMachine, TEXT } from './machine.js';

jest.setTimeout(60_000);
const batch = buildBatch(3);
const fresh = (): BareProgram => new BareProgram(batch.elf, ['batch'], 2 << 20);
const stateOf = (context: CpuContext): string => JSON.stringify([context.pc, [...context.gpr], context.hi, context.lo, [...context.fpr], context.fcsr]);

/** Run at least `total` instructions in pieces of the given sizes. */
function inPieces(total: number, pieces: number[]): { state: string; retired: number } {
  const program = fresh();
  let retired = 0;
  for (let n = 0; retired < total; n++) {
    const kind = program.cpu.run(program.context, program.space, Math.min(pieces[n % pieces.length], total - retired));
    retired += program.cpu.retired;
    if (kind !== TrapKind.budget) break;
  }
  return { state: stateOf(program.context), retired };
}

test('a budget split in any way ends at the same instruction in the same state', () => {
  fc.assert(fc.property(fc.integer({ min: 1, max: 9000 }), fc.array(fc.integer({ min: 1, max: 700 }), { minLength: 1, maxLength: 8 }), (total, pieces) => {
    expect(inPieces(total, pieces)).toEqual(inPieces(total, [total]));
  }), { numRuns: 60 });
});

test('a run of exactly n instructions stops there, or one later to keep a branch with its delay slot', () => {
  fc.assert(fc.property(fc.integer({ min: 1, max: 6000 }), (count) => {
    const program = fresh();
    expect(program.cpu.runExact(program.context, program.space, count)).toBe(TrapKind.budget);
    expect([count, count + 1]).toContain(program.cpu.retired);
    const single = fresh();
    let done = 0;
    while (done < count) {
      single.cpu.runExact(single.context, single.space, Math.min(100, count - done));
      done += single.cpu.retired;
    }
    expect(done).toBe(program.cpu.retired);
    expect(stateOf(single.context)).toBe(stateOf(program.context));
  }), { numRuns: 40 });
});

test('stepping through a whole batch one instruction at a time gives the output of a whole run', () => {
  const whole = fresh();
  whole.run();
  const stepped = fresh();
  let count = 0;
  for (;;) {
    const kind = stepped.cpu.runExact(stepped.context, stepped.space, 1);
    count += stepped.cpu.retired;
    if (kind !== TrapKind.budget) break;
  }
  expect(stepped.cpu.trap.kind).toBe(TrapKind.syscall);
  // Behind the write: its own system call, two loads of registers, and exit.
  expect(count + 4).toBe(whole.instructions);
  expect(Buffer.compare(Buffer.from(stepped.space.copyin(0x1000_0000, whole.output[0].length) as Uint8Array), whole.output[0])).toBe(0);
});

test('straight code stops at the end of a page', () => {
  const m = new TestMachine(Array<number>(2048).fill(mips.NOP));
  expect(m.run(10)).toBe(TrapKind.budget);
  expect([m.context.pc, m.cpu.retired]).toEqual([TEXT + 0x1000, 1024]);
});

test('a budget of nothing executes nothing', () => {
  const m = new TestMachine([mips.SYSCALL]);
  expect([m.run(0), m.context.pc, m.cpu.retired]).toEqual([TrapKind.budget, TEXT, 0]);
});

test('a counting loop retires what it executes', () => {
  const m = new TestMachine([mips.addiu(4, 0, 100), mips.addiu(4, 4, -1), mips.i(5, 4, 0, -2), mips.addiu(5, 5, 1), mips.SYSCALL]);
  expect(m.run(1e6)).toBe(TrapKind.syscall);
  expect([m.cpu.retired, m.gpr[5]]).toEqual([301, 100]);
});

test('floating point arithmetic is counted apart', () => {
  const m = new TestMachine([mips.fp(16, 0, 1, 1, 1), mips.fp(17, 2, 2, 2, 2), mips.lwc1(1, 0, 4), mips.SYSCALL]);
  m.gpr[4] = DATA;
  m.run();
  expect([m.cpu.retired, m.cpu.floats]).toEqual([3, 2]);
});

describe('code that changes', () => {
  const load = (rt: number, value: number): number => mips.addiu(rt, 0, value);

  test('a store to an instruction not yet reached takes effect, in the same page too', () => {
    const m = new TestMachine([mips.sw(6, 12, 4), load(2, 1), load(3, 1), load(5, 1), mips.SYSCALL]);
    m.gpr[4] = TEXT;
    m.gpr[6] = load(5, 2);
    m.run();
    expect([m.gpr[2], m.gpr[3], m.gpr[5]]).toEqual([1, 1, 2]);
  });

  test('a store from a delay slot to the branch target takes effect', () => {
    const m = new TestMachine([mips.i(4, 0, 0, 3), mips.sw(6, 16, 4), mips.NOP, mips.NOP, load(5, 1), mips.SYSCALL]);
    m.gpr[4] = TEXT;
    m.gpr[6] = load(5, 2);
    m.run();
    expect(m.gpr[5]).toBe(2);
  });

  test('a loop that rewrites itself every time round', () => {
    const m = new TestMachine([mips.lw(6, 12, 4), mips.addiu(6, 6, 1), mips.sw(6, 12, 4), load(5, 0), mips.addiu(7, 7, -1), mips.i(5, 7, 0, -6), mips.NOP, mips.SYSCALL]);
    m.gpr[4] = TEXT;
    m.gpr[7] = 2500;
    expect(m.run(1e6)).toBe(TrapKind.syscall);
    expect([m.gpr[5], m.cpu.retired]).toEqual([2500, 7 * 2500]);
  });

  test('what the kernel copies over decoded code is executed', () => {
    const m = new TestMachine([load(5, 1), mips.SYSCALL]);
    m.run();
    m.put(TEXT, [load(5, 2)]);
    m.context.pc = TEXT;
    m.run();
    expect(m.gpr[5]).toBe(2);
  });

  test('another space at the same address is executed, and the first one again after it', () => {
    const m = new TestMachine([load(5, 1), mips.SYSCALL]);
    m.run();
    const other = new TestMachine([load(5, 2), mips.SYSCALL]);
    const copy = m.space.fork();
    if (!(copy instanceof AddressSpace)) throw new Error('fork failed');
    copy.copyout(TEXT, new Uint8Array(Uint32Array.of(load(5, 3)).buffer));
    const results = [copy, m.space, copy].map((space) => {
      m.context.pc = TEXT;
      m.cpu.run(m.context, space, 10);
      return m.gpr[5];
    });
    other.run();
    expect([...results, other.gpr[5]]).toEqual([3, 1, 3, 2]);
  });

  test('a store that breaks copy-on-write under the running code goes on in the copy', () => {
    const m = new TestMachine([load(2, 0), mips.sw(6, 12, 4), load(3, 1), load(5, 1), mips.SYSCALL]);
    const child = m.space.fork();
    if (!(child instanceof AddressSpace)) throw new Error('fork failed');
    m.gpr[4] = TEXT;
    m.gpr[6] = load(5, 2);
    const again = m.context.clone();
    m.run();
    m.cpu.run(again, child, 100);
    expect([m.gpr[5], again.gpr[5]]).toEqual([2, 2]);
    expect(m.get(TEXT + 12)).toBe(load(5, 2));
  });
});

describe('breakpoints', () => {
  test('stop before the instruction, and a run from there goes on', () => {
    const m = new TestMachine([mips.addiu(5, 5, 1), mips.addiu(5, 5, 1), mips.i(4, 0, 0, -3), mips.NOP]);
    m.cpu.addBreakpoint(TEXT + 4);
    for (let n = 1; n < 4; n++) {
      expect(m.run()).toBe(TrapKind.breakpoint);
      expect([m.trap.epc, m.gpr[5]]).toEqual([TEXT + 4, 2 * n - 1]);
    }
    m.cpu.removeBreakpoint(TEXT + 4);
    expect(m.run(100)).toBe(TrapKind.budget);
  });

  test('do not stop the same page offset at another address', () => {
    const m = new TestMachine([mips.addiu(5, 5, 1), mips.SYSCALL]);
    m.cpu.addBreakpoint(TEXT + 0x1000);
    expect(m.run()).toBe(TrapKind.syscall);
    expect([m.gpr[5], m.cpu.retired]).toEqual([1, 1]);
  });
});

test('a processor saved with its memory goes on in the loaded copy', () => {
  const program = fresh();
  program.cpu.run(program.context, program.space, 3000);
  const root = loadGraph(saveGraph({ cpu: program.cpu, context: program.context, space: program.space })) as { cpu: Cpu; context: CpuContext; space: AddressSpace };
  expect(program.cpu.run(program.context, program.space, 1e6)).toBe(TrapKind.syscall);
  expect(root.cpu.run(root.context, root.space, 1e6)).toBe(TrapKind.syscall);
  expect(stateOf(root.context)).toBe(stateOf(program.context));
});

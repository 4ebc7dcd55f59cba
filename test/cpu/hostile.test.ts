import fc from 'fast-check';
import { Random } from '../../emulator/base/index.js';
import { TrapKind } from '../../emulator/cpu/index.js';
import { DATA, TestMachine, TEXT } from './machine.js';

/** A machine whose text is noise, mostly of valid opcodes, and whose registers point at memory half of the time. */
function noise(seed: number): TestMachine {
  const random = new Random(seed);
  const opcodes = [0, 0, 0, 1, 2, 3, 4, 5, 6, 7, 9, 10, 13, 15, 17, 17, 19, 20, 21, 22, 23, 28, 31, 33, 35, 35, 37, 40, 41, 43, 43, 48, 49, 53, 56, 61];
  const code = Array.from({ length: 2048 }, () => {
    if (random.below(12) === 0) return random.next();
    const word = ((opcodes[random.below(opcodes.length)] << 26) | (random.next() & 0x03ff_ffff)) >>> 0;
    return random.below(3) === 0 ? (word & 0xffff_003f) >>> 0 : word;
  });
  const m = new TestMachine(code);
  for (let n = 1; n < 32; n++) {
    const kind = random.below(4);
    m.gpr[n] = kind === 0 ? random.next() : kind === 1 ? TEXT + random.below(0x2000) : kind === 2 ? DATA + random.below(0x2000) : random.below(64);
  }
  for (let n = 0; n < 32; n++) m.context.fpr[n] = random.next();
  m.context.fcsr = random.next() & 0xfe83_ffff & ~0x3f000;
  m.context.pc = TEXT + random.below(2040) * 4;
  return m;
}

function state(m: TestMachine): unknown {
  const { context } = m;
  return [context.pc, [...context.gpr], context.hi, context.lo, [...context.fpr], context.fcsr, context.llbit, context.lladdr];
}

test('noise as a program ends in a trap or at its budget, and stepping through it gives the same', () => {
  fc.assert(fc.property(fc.integer({ min: 0, max: 2 ** 31 - 1 }), (seed) => {
    const whole = noise(seed);
    const kind = whole.run(400);
    const { retired } = whole.cpu;
    const stepped = noise(seed);
    let count = 0;
    let last: number = TrapKind.budget;
    while (last === TrapKind.budget && (kind !== TrapKind.budget || count < retired)) {
      last = stepped.exactly(1);
      count += stepped.cpu.retired;
    }
    expect([last, count]).toEqual([kind, retired]);
    expect(state(stepped)).toEqual(state(whole));
    if (kind !== TrapKind.budget) expect(stepped.trap).toEqual(whole.trap);
    expect(whole.gpr[0]).toBe(0);
  }), { numRuns: 500 });
}, 60_000);

test('noise meets every kind of trap', () => {
  const wanted = new Set<number>([TrapKind.syscall, TrapKind.fault, TrapKind.exception]);
  for (let seed = 0; seed < 5000 && wanted.size > 0; seed++) wanted.delete(noise(seed).run(400));
  expect([...wanted]).toEqual([]);
}, 60_000);

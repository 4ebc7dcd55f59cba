import { Clock, Ledger, Meter } from '../../emulator/base/index.js';
import { Cpu, CpuContext } from '../../emulator/cpu/index.js';
import { AddressSpace, Prot, Ram } from '../../emulator/memory/index.js';

export const TEXT = 0x40_0000;
export const DATA = 0x1000_0000;
/** Mapped read-only; the page behind it is not mapped at all. */
export const CONSTANTS = 0x2000_0000;

/** A processor with two pages of text (writable), two of data and one of constants. */
export class TestMachine {
  readonly ram = new Ram(1 << 20);
  readonly space = new AddressSpace(this.ram, new Meter(new Clock(580e6), new Ledger(), {}));
  readonly cpu = new Cpu(this.ram);
  readonly context = new CpuContext();

  constructor(code: number[] = [], at = TEXT) {
    const all = Prot.read | Prot.write | Prot.exec;
    this.space.map({ addr: TEXT, length: 0x2000, prot: all, fixed: true });
    this.space.map({ addr: DATA, length: 0x2000, prot: Prot.read | Prot.write, fixed: true });
    this.space.map({ addr: CONSTANTS, length: 0x1000, prot: Prot.read, fixed: true });
    this.put(at, code);
    this.context.pc = at;
  }

  put(at: number, words: number[]): void {
    this.space.copyout(at, new Uint8Array(Uint32Array.from(words).buffer));
  }

  get(at: number): number {
    const words = this.space.readWords(at, 1);
    if (typeof words === 'number') throw new Error(`no word at ${at.toString(16)}`);
    return words[0] >>> 0;
  }

  run(budget = 1000): number {
    return this.cpu.run(this.context, this.space, budget);
  }

  exactly(count: number): number {
    return this.cpu.runExact(this.context, this.space, count);
  }

  get gpr(): Int32Array {
    return this.context.gpr;
  }

  get trap() {
    return this.cpu.trap;
  }
}

import { Invariant } from '../base/index.js';
import type { AddressSpace } from '../memory/address-space.js';
import type { Ram } from '../memory/ram.js';
import type { CpuContext } from './context.js';
import { Trap } from './trap.js';

export class Cpu {
  readonly trap = new Trap();
  /** Instructions retired by the last run() or runExact(). */
  retired = 0;
  readonly ram: Ram;

  constructor(ram: Ram) {
    this.ram = ram;
  }

  run(_ctx: CpuContext, _space: AddressSpace, _budget: number): number {
    throw new Invariant('not yet');
  }

  runExact(_ctx: CpuContext, _space: AddressSpace, _count: number): number {
    throw new Invariant('not yet');
  }

  addBreakpoint(_va: number): void {
    throw new Invariant('not yet');
  }

  removeBreakpoint(_va: number): void {
    throw new Invariant('not yet');
  }
}

import { Access } from '../memory/address-space.js';
import type { Cpu } from './cpu.js';

const PAGE = 4096;
/** End of what user mode may address. */
const USER_LIMIT = 0x8000_0000;

/**
 * Data accesses the TLBs do not serve, byte by byte. A misaligned access is legal here, since the kernel carries it
 * out (arch/mips/kernel/unaligned.c); it may straddle two pages, and then both must be there before
 * anything is written. A failed access has raised its trap.
 */
export class SlowMemory {
  /** What the last read brought: low and high word. */
  low = 0;
  high = 0;
  /** Told of every store before it is made, while Cpu.watchStores() is on. */
  watch: ((va: number, size: number) => void) | null = null;
  private readonly cpu: Cpu;
  /** Ram addresses: of the first byte, and of the first byte of the second page. */
  private first = 0;
  private second = 0;

  constructor(cpu: Cpu) {
    this.cpu = cpu;
  }

  read(va: number, size: number): boolean {
    if (!this.place(va, size, Access.read)) return false;
    const { u8 } = this.cpu;
    const inPage = PAGE - (va & (PAGE - 1));
    this.low = this.high = 0;
    for (let n = 0; n < size; n++) {
      const byte = u8[n < inPage ? this.first + n : this.second + n - inPage];
      if (n < 4) this.low |= byte << (8 * n);
      else this.high |= byte << (8 * n - 32);
    }
    return true;
  }

  write(va: number, size: number, low: number, high = 0): boolean {
    if (!this.place(va, size, Access.write)) return false;
    this.watch?.(va >>> 0, size);
    const { u8 } = this.cpu;
    const inPage = PAGE - (va & (PAGE - 1));
    for (let n = 0; n < size; n++) {
      u8[n < inPage ? this.first + n : this.second + n - inPage] = n < 4 ? low >>> (8 * n) : high >>> (8 * n - 32);
    }
    return true;
  }

  private place(va: number, size: number, access: number): boolean {
    const at = va >>> 0;
    if (at + size > USER_LIMIT) {
      this.cpu.addressError(va, access);
      return false;
    }
    const inPage = PAGE - (at & (PAGE - 1));
    if (size > inPage) {
      // The lower page's fault comes first; it is asked again below, for bringing in the upper one may move it.
      if (this.resolve(at, access) < 0) return false;
      this.second = this.resolve(at + inPage, access);
      if (this.second < 0) return false;
    }
    this.first = this.resolve(at, access);
    return this.first >= 0;
  }

  private resolve(at: number, access: number): number {
    const address = this.cpu.space.resolve(at, access);
    if (address < 0) this.cpu.pageFault(at, access, address);
    return address;
  }
}

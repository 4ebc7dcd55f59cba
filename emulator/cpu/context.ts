import { snapshotClass } from '../base/index.js';

/** What a thread owns of the processor: the user-visible registers and nothing else. */
export class CpuContext {
  /** $0..$31; gpr[0] is always 0. */
  gpr = new Int32Array(32);
  hi = 0;
  lo = 0;
  /** Unsigned. */
  pc = 0;
  /** Status.FR = 0: 32 words; a double is an even/odd pair, the even register holds its low word. */
  fpr = new Uint32Array(32);
  /** FCSR (FCR31) as an unsigned word; layout in fcsr.ts. */
  fcsr = 0;
  /** CP0 UserLocal, read by `rdhwr $29`: the thread pointer. */
  userLocal = 0;
  /** LLbit: 1 between a ll and its sc. The kernel clears it wherever the real one executes eret. */
  llbit = 0;
  /** Address of the last ll, unsigned. */
  lladdr = 0;

  copyFrom(other: CpuContext): void {
    this.gpr.set(other.gpr);
    this.fpr.set(other.fpr);
    this.hi = other.hi;
    this.lo = other.lo;
    this.pc = other.pc;
    this.fcsr = other.fcsr;
    this.userLocal = other.userLocal;
    this.llbit = other.llbit;
    this.lladdr = other.lladdr;
  }

  clone(): CpuContext {
    const copy = new CpuContext();
    copy.copyFrom(this);
    return copy;
  }
}
snapshotClass('CpuContext', CpuContext);

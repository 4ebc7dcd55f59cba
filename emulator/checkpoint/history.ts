import { snapshotClass } from '../base/index.js';

/** Why a thaw was made: the signal handled since the last freeze or thaw, if any. */
export interface Cause {
  signo: number;
  pc: number;
  address: number;
}

/** Thaws from one state to another by one signal: an edge of the state diagram. */
export interface Jump extends Cause {
  from: number;
  to: number;
  count: number;
  /** Where the first of them came from; pc and address are the latest's. */
  firstPc: number;
  /** How many of them came from another pc than the first: causes that (state, signal) lumps together. */
  otherPcs: number;
}

/** A state: freezes made into it, from which state each. */
export interface FreezeEdge {
  from: number;
  to: number;
  count: number;
}

const MAX_EDGES = 4096;
/** Jumps to one state by one signal that make a loop. */
export const LOOP_JUMPS = 2;

/**
 * The process as a state machine: state 0 is program start, each descriptor is a state, freezes and thaws are its
 * edges. Kept by the kernel, outside all images.
 */
export class History {
  state = 0;
  readonly jumps: Jump[] = [];
  readonly freezes: FreezeEdge[] = [];

  froze(to: number): void {
    const edge = this.freezes.find((one) => one.from === this.state && one.to === to);
    if (edge) edge.count++;
    else if (this.freezes.length < MAX_EDGES) this.freezes.push({ from: this.state, to, count: 1 });
    this.state = to;
  }

  /** Note a thaw and go to its state. `loop`: how often this state was entered by this signal, all origins together. */
  thawed(to: number, cause: Cause): { from: number; loop: number } {
    const from = this.state;
    const jump = this.jumps.find((one) => one.from === from && one.to === to && one.signo === cause.signo);
    if (jump) {
      jump.count++;
      if (jump.firstPc !== cause.pc) jump.otherPcs++;
      Object.assign(jump, { pc: cause.pc, address: cause.address });
    } else if (this.jumps.length < MAX_EDGES) {
      this.jumps.push({ from, to, ...cause, count: 1, firstPc: cause.pc, otherPcs: 0 });
    }
    this.state = to;
    return { from, loop: this.countInto(to, cause.signo) };
  }

  /** The key of a loop is (state, signal), as the paper has it; pc and address only refine it. */
  countInto(to: number, signo: number): number {
    let count = 0;
    for (const jump of this.jumps) if (jump.to === to && jump.signo === signo) count += jump.count;
    return count;
  }
}
snapshotClass('History', History);

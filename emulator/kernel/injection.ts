import type { Thread } from './thread.js';

/**
 * Something that happens to a thread at chosen instructions of its own, put there by whoever tests what a fault does. It is part of the
 * machine's state: a snapshot class. What it answers must follow from that state, however the run is cut into slices.
 */
export interface Injection {
  /**
   * The thread is about to execute. Registers and memory may be changed here, and a signal raised. The answer: ask again at the first stop point
   * (a taken branch, the end of a page) after so many instructions; 0: a signal was raised, which must be delivered first.
   */
  before(thread: Thread): number;
  /** Is a breakpoint here its own, so that the machine runs on? */
  owns(pc: number): boolean;
}

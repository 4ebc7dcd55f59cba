/**
 * Where the running thread's registers are: words of Ram's control area, whose first 4 KiB belong to the cpu.
 * Predecoded operations hold these indices, so that moves between the files need no operations of their own.
 *
 *   0..31  $0..$31     32  sink for writes to $0     33  HI   34  LO   35  FCSR   36  UserLocal
 *   37  LLbit   38  address of the last ll            64..95  $f0..$f31 (a double: even = low word, 8-byte aligned)
 */
export const SINK = 32;
export const HI = 33;
export const LO = 34;
export const FCSR = 35;
export const USER_LOCAL = 36;
export const LLBIT = 37;
export const LLADDR = 38;
export const FPR = 64;

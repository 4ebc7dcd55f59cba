/** Cycles a unit of modelled kernel work costs, by ledger name; multiples of 1/64 so that sums stay exact. */
export type Costs = Record<string, number>;

/**
 * Defaults for a 580 MHz 24KEc, the order of magnitude lmbench reports for such cores: a null system call a few
 * hundred cycles, a context switch some thousands, memory copied at about one byte a cycle. A device profile replaces them.
 */
export const defaultCosts: Costs = {
  'syscall': 300,
  'fault.page': 1200,
  'fault.cow': 1200,
  'copy.bytes': 0.75,
  'zero.bytes': 0.375,
  'context.switch': 2000,
  'signal.deliver': 1800,
  'fork.page': 60,
  'fp.instruction': 400,
  'packet.rx': 6000,
  'packet.tx': 5000,
  'vop.lookup': 900,
  'vop.create': 2500,
  'vop.read': 700,
  'vop.write': 900,
  'vop.fsync': 400,
};

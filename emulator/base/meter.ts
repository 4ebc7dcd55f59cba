import type { Clock } from './clock.js';
import type { Ledger } from './ledger.js';
import { snapshotClass } from './snapshot.js';

/**
 * Where modelled kernel work is booked: every unit is counted in the ledger under its name, and costs the
 * cycles the device profile gives for that name (none if it gives none). Rates are cycles a unit, multiples
 * of 1/64 so that sums stay exact. Instruction time is advanced by the scheduler, not here.
 */
export class Meter {
  readonly clock: Clock;
  readonly ledger: Ledger;
  readonly rates: Record<string, number>;
  /** While true, cycles go to `held` instead of the clock: the processor runs, and where it stops in between must not matter. */
  holding = false;
  private held = 0;

  constructor(clock: Clock, ledger: Ledger, rates: Record<string, number>) {
    this.clock = clock;
    this.ledger = ledger;
    this.rates = rates;
  }

  charge(name: string, units = 1): void {
    this.ledger.count(name, units);
    const rate = this.rates[name];
    if (rate === undefined) return;
    if (this.holding) this.held += rate * units;
    else this.clock.cycles += rate * units;
  }

  /** Put on the clock what was charged while holding. */
  settle(): void {
    this.clock.cycles += this.held;
    this.held = 0;
  }
}
snapshotClass('Meter', Meter);

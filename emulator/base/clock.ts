import { snapshotClass } from './snapshot.js';

/**
 * Virtual time, counted in CPU cycles since power-on: retired guest instructions times the profile's
 * CPI plus modelled kernel work, and nothing else. Cycles are doubles; the CPI is a multiple of 1/64,
 * so every sum below 2^46 cycles is exact.
 */
export class Clock {
  cycles = 0;
  /** Clock rate of the device in Hz. */
  readonly hz: number;
  /** Seconds since the epoch at power-on, for CLOCK_REALTIME; part of the configuration. */
  readonly bootEpoch: number;

  constructor(hz: number, bootEpoch = 1_767_225_600) {
    this.hz = hz;
    this.bootEpoch = bootEpoch;
  }

  advance(cycles: number): void {
    this.cycles += cycles;
  }

  /** Virtual nanoseconds since power-on, an integer (exact below 2^53, about 104 days). */
  nanoseconds(): number {
    return this.toNanoseconds(this.cycles);
  }

  /** Split in two so that the product stays below 2^53. */
  toNanoseconds(cycles: number): number {
    const seconds = Math.floor(cycles / this.hz);
    return seconds * 1e9 + Math.floor(((cycles - seconds * this.hz) * 1e9) / this.hz);
  }

  /** Cycles that last at least `nanoseconds`. */
  toCycles(nanoseconds: number): number {
    const seconds = Math.floor(nanoseconds / 1e9);
    return seconds * this.hz + Math.ceil(((nanoseconds - seconds * 1e9) * this.hz) / 1e9);
  }
}
snapshotClass('Clock', Clock);

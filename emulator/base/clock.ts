import { snapshotClass } from './snapshot.js';
import { WallClock } from './wall-clock.js';

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
  readonly wall = new WallClock();

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

  /** What the wall clock shows `ns` after power-on, as programs have set and steered it. */
  realtime(ns = this.nanoseconds()): { seconds: number; nanoseconds: number } {
    const { seconds, nanoseconds } = this.wall.ahead(ns);
    const shown = ns + nanoseconds;
    const whole = Math.floor(shown / 1e9);
    return { seconds: this.bootEpoch + seconds + whole, nanoseconds: shown - whole * 1e9 };
  }

  /** Nanoseconds until the wall clock shows this, negative if it has; as if nobody steered it meanwhile. */
  untilRealtime(seconds: number, nanoseconds: number): number {
    const now = this.realtime();
    return (seconds - now.seconds) * 1e9 + (nanoseconds - now.nanoseconds);
  }

  /** Set it. False: it would be before the time since power-on, which no clock may show. */
  setRealtime(seconds: number, nanoseconds: number): boolean {
    const now = this.nanoseconds();
    const whole = Math.floor(now / 1e9);
    if (seconds < whole) return false;
    this.wall.step(now, seconds - this.bootEpoch - whole, nanoseconds - (now - whole * 1e9));
    return true;
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

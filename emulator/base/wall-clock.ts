import { snapshotClass } from './snapshot.js';

/** Status bits of adjtimex(2). */
export const Sta = { PLL: 1, UNSYNC: 0x40, FREQHOLD: 0x80, CLOCKERR: 0x1000, NANO: 0x2000, READ_ONLY: 0xff00 } as const;
/** Largest frequency correction: 500 ppm in units of 2^-16 ppm. */
export const MAX_FREQUENCY = 500 << 16;
/** adjtime(3) changes the clock by at most 500 µs a second. */
const SLEW = 500e-6;
/** RFC 5905's discipline as kernels have it (NTP_PHASE_LIMIT in µs, MAXPHASE in ns, SHIFT_PLL). */
const MAX_ERROR = 16_000_000;
const MAX_PHASE = 500e6;
const SHIFT_PLL = 2;
const NOMINAL_TICK = 10_000;

interface Course {
  /** ns the clock is ahead of where it started. */
  offset: number;
  /** ns still to be slewed, and still to be taken in by the phase-locked loop. */
  slew: number;
  phase: number;
}

/**
 * What programs made of the wall clock (settimeofday, adjtimex): how far it is ahead of the time of power-on plus the time since. Looking at it
 * changes nothing. Times are ns since power-on.
 */
export class WallClock {
  /** Something was adjusted; until then the clock shows exactly the epoch plus virtual time. */
  touched = false;
  status: number = Sta.UNSYNC;
  /** In 2^-16 ppm. */
  frequency = 0;
  /** µs of a hundredth of a second. */
  tick = NOMINAL_TICK;
  timeConstant = 2;
  estimatedError = MAX_ERROR;
  tai = 0;
  private seconds = 0;
  private course: Course = { offset: 0, slew: 0, phase: 0 };
  /** `course` is of this time. */
  private since = 0;
  private errorThen = MAX_ERROR;
  private errorSince = 0;
  private phaseAt = 0;

  private at(now: number): Course {
    const elapsed = Math.max(0, now - this.since);
    const { offset, slew, phase } = this.course;
    const rate = this.frequency / 65_536 / 1e6 + (this.tick - NOMINAL_TICK) / NOMINAL_TICK;
    const most = elapsed * SLEW;
    const slewed = Math.min(most, Math.max(-most, slew));
    const taken = this.takenIn(phase, elapsed);
    return { offset: offset + elapsed * rate + slewed + taken, slew: slew - slewed, phase: phase - taken };
  }

  /** Of the phase a fixed part is taken in every second. */
  private takenIn(phase: number, elapsed: number): number {
    let left = phase;
    let time = elapsed;
    for (; time > 0; time -= 1e9) {
      const part = Math.trunc(left / 2 ** (SHIFT_PLL + this.timeConstant));
      if (part === 0) break;
      left -= time >= 1e9 ? part : (part * time) / 1e9;
    }
    return phase - left;
  }

  /** What is under way is done up to now, before what it depends on changes. */
  settle(now: number): void {
    this.touched = true;
    this.course = this.at(now);
    this.since = now;
  }

  /** Whole seconds and nanoseconds ahead. */
  ahead(now: number): { seconds: number; nanoseconds: number } {
    return this.touched ? { seconds: this.seconds, nanoseconds: Math.floor(this.at(now).offset) } : { seconds: 0, nanoseconds: 0 };
  }

  /** Be so far ahead from now on; what was under way is given up. */
  step(now: number, seconds: number, nanoseconds: number): void {
    this.touched = true;
    this.seconds = seconds;
    this.course = { offset: nanoseconds, slew: 0, phase: 0 };
    this.since = now;
    this.status |= Sta.UNSYNC;
    this.setMaxError(now, MAX_ERROR);
    this.estimatedError = MAX_ERROR;
  }

  jump(now: number, seconds: number, nanoseconds: number): void {
    this.settle(now);
    this.seconds += seconds;
    this.course.offset += nanoseconds;
  }

  /** What adjtime(3) has still to do, in ns; and something new for it. */
  slewLeft(now: number): number {
    return this.at(now).slew;
  }

  setSlew(now: number, nanoseconds: number): void {
    this.settle(now);
    this.course.slew = nanoseconds;
  }

  setFrequency(now: number, frequency: number): void {
    this.settle(now);
    this.frequency = Math.min(MAX_FREQUENCY, Math.max(-MAX_FREQUENCY, frequency));
  }

  setTick(now: number, tick: number): void {
    this.settle(now);
    this.tick = tick;
  }

  phaseLeft(now: number): number {
    return Math.trunc(this.at(now).phase);
  }

  /** An offset measured by NTP: taken in bit by bit, and a little of it becomes frequency. */
  setPhase(now: number, nanoseconds: number): void {
    this.settle(now);
    const phase = Math.min(MAX_PHASE, Math.max(-MAX_PHASE, nanoseconds));
    const longest = 2 ** (SHIFT_PLL + 1 + this.timeConstant);
    const held = (this.status & Sta.FREQHOLD) !== 0 || this.phaseAt === 0;
    const interval = held ? 0 : Math.min(longest, Math.floor((now - this.phaseAt) / 1e9));
    const perSecond = (phase * interval) / 2 ** (2 * (SHIFT_PLL + 2 + this.timeConstant));
    this.frequency = Math.min(MAX_FREQUENCY, Math.max(-MAX_FREQUENCY, this.frequency + Math.trunc((perSecond / 1000) * 65_536)));
    this.course.phase = phase;
    this.phaseAt = now;
  }

  /** µs; it grows by 500 ppm until somebody says better, and beyond the limit nobody may call the clock synchronized. */
  maxError(now: number): number {
    return Math.min(MAX_ERROR, this.errorThen + Math.floor((now - this.errorSince) / 1e9) * 500);
  }

  setMaxError(now: number, microseconds: number): void {
    this.errorThen = microseconds;
    this.errorSince = now;
  }

  synchronized(now: number): boolean {
    if (this.maxError(now) >= MAX_ERROR) this.status |= Sta.UNSYNC;
    return (this.status & (Sta.UNSYNC | Sta.CLOCKERR)) === 0;
  }
}
snapshotClass('WallClock', WallClock);

import { Errno, failed, MAX_FREQUENCY, Sta, type WallClock } from '../../base/index.js';
import { Cap, capable } from '../capabilities.js';
import type { Kernel } from '../kernel.js';
import { defineSyscalls, type Handler } from '../syscall-table.js';
import type { Thread } from '../thread.js';
import { pair } from '../user-memory.js';

/** Steering the wall clock: adjtimex(2), clock_adjtime(2) and, on them, adjtime(3). */

const Adj = {
  OFFSET: 1, FREQUENCY: 2, MAXERROR: 4, ESTERROR: 8, STATUS: 0x10, TIMECONST: 0x20, TAI: 0x80, SETOFFSET: 0x100, MICRO: 0x1000, NANO: 0x2000, TICK: 0x4000,
  /** adjtime(3): with OFFSET; with OFFSET and READONLY (the bit of NANO) it only asks. */
  ADJTIME: 0x8000, READONLY: 0x2000,
} as const;
const TIME_ERROR = 5;
const MAX_TIME_CONSTANT = 10;

/** Where the fields of struct timex stand, in words; those of __kernel_timex are 64 bits wide. */
interface Layout {
  words: number;
  step: 1 | 2;
  at: Readonly<Record<Field, number>>;
}
type Field = 'modes' | 'offset' | 'freq' | 'maxerror' | 'esterror' | 'status' | 'constant' | 'precision' | 'tolerance' | 'seconds' | 'fraction' | 'tick' | 'tai';
const narrow: Layout = { words: 32, step: 1, at: { modes: 0, offset: 1, freq: 2, maxerror: 3, esterror: 4, status: 5, constant: 6, precision: 7, tolerance: 8, seconds: 9, fraction: 10, tick: 11, tai: 20 } };
const wide: Layout = { words: 52, step: 2, at: { modes: 0, offset: 2, freq: 4, maxerror: 6, esterror: 8, status: 10, constant: 12, precision: 14, tolerance: 16, seconds: 18, fraction: 20, tick: 22, tai: 40 } };

const INTEGERS: readonly Field[] = ['modes', 'status', 'tai'];

/** A struct timex in the guest's memory. */
class Timex {
  private readonly words: Int32Array;
  private readonly layout: Layout;

  constructor(words: Int32Array, layout: Layout) {
    this.words = words;
    this.layout = layout;
  }

  get(field: Field): number {
    const at = this.layout.at[field];
    return this.layout.step === 1 || INTEGERS.includes(field) ? this.words[at] : pair(this.words[at], this.words[at + 1]);
  }

  put(field: Field, value: number): void {
    const at = this.layout.at[field];
    this.words[at] = value | 0;
    if (this.layout.step === 2 && !INTEGERS.includes(field)) this.words[at + 1] = Math.floor(value / 4294967296);
  }
}

/** EPERM, EINVAL, or 0: may be done. */
function check(thread: Thread, asked: Timex): number {
  const modes = asked.get('modes');
  const mayAdjust = capable(thread.process.cred, Cap.SYS_TIME);
  if (modes & Adj.ADJTIME) {
    if (!(modes & Adj.OFFSET)) return -Errno.EINVAL;
    return modes & Adj.READONLY || mayAdjust ? 0 : -Errno.EPERM;
  }
  if (modes !== 0 && !mayAdjust) return -Errno.EPERM;
  if (modes & Adj.TICK && (asked.get('tick') < 9000 || asked.get('tick') > 11_000)) return -Errno.EINVAL;
  if (modes & Adj.SETOFFSET && (asked.get('fraction') < 0 || asked.get('fraction') >= (modes & Adj.NANO ? 1e9 : 1e6))) return -Errno.EINVAL;
  return 0;
}

/** In the order ntp_adjtime has them: the status first, the offset when the loop is on. */
function discipline(wall: WallClock, now: number, asked: Timex): void {
  const modes = asked.get('modes');
  if (modes & Adj.STATUS) wall.status = (wall.status & Sta.READ_ONLY) | (asked.get('status') & ~Sta.READ_ONLY);
  if (modes & Adj.NANO) wall.status |= Sta.NANO;
  if (modes & Adj.MICRO) wall.status &= ~Sta.NANO;
  const nano = (wall.status & Sta.NANO) !== 0;
  if (modes & Adj.FREQUENCY) wall.setFrequency(now, asked.get('freq'));
  if (modes & Adj.MAXERROR) wall.setMaxError(now, Math.min(16_000_000, Math.max(0, asked.get('maxerror'))));
  if (modes & Adj.ESTERROR) wall.estimatedError = Math.min(16_000_000, Math.max(0, asked.get('esterror')));
  if (modes & Adj.TIMECONST) wall.settle(now);
  if (modes & Adj.TIMECONST) wall.timeConstant = Math.min(MAX_TIME_CONSTANT, Math.max(0, asked.get('constant') + (nano ? 0 : 4)));
  if (modes & Adj.TAI) wall.tai = Math.max(0, asked.get('constant'));
  if (modes & Adj.OFFSET && wall.status & Sta.PLL) wall.setPhase(now, asked.get('offset') * (nano ? 1 : 1000));
  if (modes & Adj.TICK) wall.setTick(now, asked.get('tick'));
}

/** adjtime(3): `offset` becomes what was left to do before. */
function adjtime(wall: WallClock, now: number, asked: Timex): void {
  const left = Math.trunc(wall.slewLeft(now) / 1000);
  if (!(asked.get('modes') & Adj.READONLY)) wall.setSlew(now, asked.get('offset') * 1000);
  asked.put('offset', left);
}

function describe(kernel: Kernel, now: number, answer: Timex): void {
  const { clock } = kernel;
  const { wall } = clock;
  const nano = (wall.status & Sta.NANO) !== 0;
  const { seconds, nanoseconds } = clock.realtime(now);
  const fields: [Field, number][] = [
    ['freq', wall.frequency], ['maxerror', wall.maxError(now)], ['esterror', wall.estimatedError], ['status', wall.status], ['constant', wall.timeConstant], ['precision', 1],
    ['tolerance', MAX_FREQUENCY], ['seconds', seconds], ['fraction', nano ? nanoseconds : Math.floor(nanoseconds / 1000)], ['tick', wall.tick], ['tai', wall.tai],
  ];
  for (const [field, value] of fields) answer.put(field, value);
}

function adjust(kernel: Kernel, thread: Thread, va: number, layout: Layout): number {
  const { space } = thread.process;
  const words = space.readWords(va >>> 0, layout.words);
  if (failed(words)) return words;
  const timex = new Timex(words, layout);
  const refused = check(thread, timex);
  if (failed(refused)) return refused;
  const { clock } = kernel;
  const { wall } = clock;
  const now = clock.nanoseconds();
  const modes = timex.get('modes');
  if (modes & Adj.ADJTIME) {
    adjtime(wall, now, timex);
  } else {
    if (modes & Adj.SETOFFSET) wall.jump(now, timex.get('seconds'), timex.get('fraction') * (modes & Adj.NANO ? 1 : 1000));
    discipline(wall, now, timex);
    timex.put('offset', Math.trunc(wall.phaseLeft(now) / (wall.status & Sta.NANO ? 1 : 1000)));
  }
  const state = wall.synchronized(now) ? 0 : TIME_ERROR;
  describe(kernel, now, timex);
  const written = space.writeWords(va >>> 0, words);
  return failed(written) ? written : state;
}

const clockAdjtime = (layout: Layout): Handler => (kernel, thread, clock, va) => (clock === 0 ? adjust(kernel, thread, va, layout) : clock < 0 || clock > 11 ? -Errno.EINVAL : -Errno.EOPNOTSUPP);

defineSyscalls({
  4124: ['adjtimex', 1, (kernel, thread, va) => adjust(kernel, thread, va, narrow), 'ptr'],
  4341: ['clock_adjtime', 2, clockAdjtime(narrow), 'clock ptr'],
  4405: ['clock_adjtime64', 2, clockAdjtime(wide), 'clock ptr'],
});

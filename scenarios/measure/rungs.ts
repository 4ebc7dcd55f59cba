import { failed, errnoName, Invariant, type Result } from '../../emulator/base/index.js';
import { checkpointsOf, collectImage, copyFrames, dropCheckpoint, freezeProcess, Store, thawProcess, type FreezeOptions, type WriteOptions } from '../../emulator/checkpoint/index.js';
import { Access, FrameUse, PAGE_SIZE, PTE_WRITE } from '../../emulator/memory/index.js';
import type { Subject } from './subject.js';

/**
 * One step of the ladder. `act` is what is measured, `undo` brings everything back; host time is taken over both,
 * since benchmark.js repeats them together, and modelled cost over each apart.
 */
export interface LadderRung {
  group: 'freeze' | 'thaw';
  key: string;
  title: string;
  act(): void;
  undo(): void;
  /** Once, before the first act. */
  prepare?(): void;
  /** Once, after the last undo. */
  finish?(): void;
}

const must = (what: string, result: Result): number => {
  if (failed(result)) throw new Invariant(`${what}: ${errnoName(-result)}`);
  return result;
};

/** Write one word to every page the process may write, as the process would: shared pages break, all become dirty. */
function touchPages({ process }: Subject): void {
  for (const { va, flags } of process.space.pages()) {
    if (flags & PTE_WRITE && must('touch', process.space.resolve(va, Access.write)) === 0) throw new Invariant('a page without an address');
  }
}

/** The frames an image of the process takes, and as many warm ones of our own. */
class Floor {
  readonly subject: Subject;
  frames: number[] = [];
  warm: number[] = [];

  constructor(subject: Subject) {
    this.subject = subject;
  }

  readonly prepare = (): void => {
    const { process, router: { kernel } } = this.subject;
    this.frames = [...collectImage(kernel, process, 0, null).frames];
    this.warm = this.frames.map(() => must('warm frames', kernel.ram.alloc(FrameUse.shunt)));
  };

  readonly finish = (): void => {
    for (const frame of this.warm.splice(0)) this.subject.router.kernel.ram.release(frame);
  };

  readonly copyOut = (): void => this.copy(this.frames, this.warm);
  readonly copyBack = (): void => this.copy(this.warm, this.frames);

  private copy(from: readonly number[], to: readonly number[]): void {
    const { kernel } = this.subject.router;
    copyFrames(kernel.ram, from, to);
    kernel.meter.charge('copy.bytes', from.length * PAGE_SIZE);
  }
}

const nothing = (): void => undefined;

function floorRungs(subject: Subject): LadderRung[] {
  const { ram, meter } = subject.router.kernel;
  const floor = new Floor(subject);
  const held: number[] = [];
  return [
    { group: 'freeze', key: 'floor', title: 'bare copy into warm frames (the floor)', act: floor.copyOut, undo: nothing, prepare: floor.prepare, finish: floor.finish },
    {
      group: 'freeze', key: 'references', title: 'page references only',
      prepare: floor.prepare, finish: floor.finish,
      act: (): void => {
        for (const frame of floor.frames) {
          ram.addRef(frame);
          held.push(frame);
        }
        meter.charge('checkpoint.share', held.length);
      },
      undo: (): void => { for (const frame of held.splice(0)) ram.release(frame); },
    },
  ];
}

interface FreezeCase {
  key: string;
  title: string;
  store: number;
  write?: Partial<WriteOptions>;
  /** Freeze again and again into one descriptor. */
  into?: boolean;
  /** After the freeze every writable page is written, which breaks what is shared. */
  touched?: boolean;
}

const freezeCases: readonly FreezeCase[] = [
  { key: 'share', title: 'shunt, share pages', store: Store.share },
  { key: 'share-touched', title: 'shunt, share pages, then every page is written', store: Store.share, touched: true },
  { key: 'pool', title: 'shunt, copy into a warm pool', store: Store.pool },
  { key: 'copy', title: 'shunt, copy into free-list frames', store: Store.copy },
  { key: 'vnode-in-place', title: 'vnodes, over the existing file', store: Store.vnode, into: true, write: { inPlace: true } },
  { key: 'vnode-replace', title: 'vnodes, new file that replaces the old (write aside, rename)', store: Store.vnode, into: true },
  { key: 'vnode-new', title: 'vnodes, new file', store: Store.vnode },
  { key: 'vnode-4k', title: 'vnodes, new file in 4 KiB writes', store: Store.vnode, write: { writeSize: 4096 } },
  { key: 'vnode-complete', title: 'vnodes, new file with the program text (self-sufficient)', store: Store.vnode, write: { complete: true } },
  { key: 'pool-crc', title: 'shunt, copy into a warm pool, checksummed', store: Store.pool, write: { checksum: true } },
  { key: 'vnode-new-crc', title: 'vnodes, new file, checksummed', store: Store.vnode, write: { checksum: true } },
];

function freezeRung(subject: Subject, one: FreezeCase): LadderRung {
  const { router: { kernel }, process } = subject;
  const options: FreezeOptions = { store: one.store, write: one.write };
  let descriptor = 0;
  const drop = (): void => { must('drop', dropCheckpoint(kernel, process, descriptor)); };
  const freeze = (into?: number): void => { descriptor = must(one.title, freezeProcess(kernel, process, into === undefined ? options : { ...options, into })); };
  const rung = { group: 'freeze' as const, key: one.key, title: one.title };
  if (one.into) return { ...rung, prepare: () => freeze(), act: () => freeze(descriptor), undo: nothing, finish: drop };
  const undo = one.touched ? (): void => { touchPages(subject); drop(); } : drop;
  return { ...rung, act: () => freeze(), undo };
}

/** Every page is written before each thaw: an image that still shares all pages with the process would have nothing to do. */
function thawRung(subject: Subject, store: number, key: string, title: string): LadderRung {
  const { router: { kernel }, process } = subject;
  let descriptor = 0;
  return {
    group: 'thaw', key, title,
    prepare: (): void => {
      descriptor = must('freeze', freezeProcess(kernel, process, { store }));
      touchPages(subject);
    },
    act: (): void => { must(title, thawProcess(kernel, process, descriptor)); },
    undo: () => touchPages(subject),
    finish: (): void => { must('drop', dropCheckpoint(kernel, process, descriptor)); },
  };
}

function thawRungs(subject: Subject): LadderRung[] {
  const floor = new Floor(subject);
  return [
    {
      group: 'thaw', key: 'thaw-floor', title: 'bare copy back (the floor)', act: floor.copyBack, undo: () => touchPages(subject), finish: floor.finish,
      prepare: (): void => { touchPages(subject); floor.prepare(); floor.copyOut(); },
    },
    thawRung(subject, Store.share, 'thaw-share', 'from shared pages'),
    thawRung(subject, Store.pool, 'thaw-pool', 'from the warm pool'),
    thawRung(subject, Store.copy, 'thaw-copy', 'from free-list frames'),
    thawRung(subject, Store.vnode, 'thaw-vnode', 'from the file'),
  ];
}

/** The ladder for one process, from the floor up; every rung changes one thing. */
export function ladder(subject: Subject): LadderRung[] {
  return [...floorRungs(subject), ...freezeCases.map((one) => freezeRung(subject, one)), ...thawRungs(subject)];
}

/** How many checkpoints the process has: none after every rung. */
export const checkpointsLeft = ({ process }: Subject): number => checkpointsOf(process).list.length;

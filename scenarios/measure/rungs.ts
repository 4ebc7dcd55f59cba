import { failed, errnoName, Invariant, type Result } from '../../emulator/base/index.js';
import { checkpointsOf, collectImage, copyFrames, dropCheckpoint, exportCore, freezeProcess, Store, thawProcess } from '../../emulator/checkpoint/index.js';
import { Access, FrameUse, PAGE_SIZE, PTE_WRITE } from '../../emulator/memory/index.js';
import { OpenFlag } from '../../emulator/vfs/open-flags.js';
import { VOP_CLOSE, VOP_FSYNC, VOP_WRITE } from '../../emulator/vfs/vop.js';
import { cellKey, cells, cellTitle, plainCells, wayOf, type Cell, type Way } from './cell.js';
import type { Subject } from './subject.js';

/**
 * One rung. `act` is what is measured, `undo` brings everything back; host time is taken over both, since benchmark.js repeats
 * them together, and modelled cost over each apart.
 */
export interface LadderRung {
  group: 'freeze' | 'thaw';
  key: string;
  title: string;
  /** Where the rung stands in the factorial; null for those beside it. */
  cell: Cell | null;
  act(): void;
  /** The process then writes this share of its pages; only where an image exists meanwhile. */
  dirty?(fraction: number): void;
  undo(): void;
  /** Once, before the first act. */
  prepare?(): void;
  /** Once, after the last undo. */
  finish?(): void;
}

/** What the device could not do: no room on the ramdisk, no frames. A finding, not a mistake. */
export class Refused extends Error {
  override readonly name = 'Refused';
  readonly errno: string;

  constructor(what: string, errno: string) {
    super(`${what}: ${errno}`);
    this.errno = errno;
  }
}

const must = (what: string, result: Result): number => {
  if (failed(result)) throw new Refused(what, errnoName(-result));
  return result;
};

/** Write one word to every page the process may write, or to a share of them spread evenly: shared pages break, all become dirty. */
export function writePages({ process }: Subject, fraction = 1): void {
  const pages = process.space.pages().filter(({ flags }) => flags & PTE_WRITE);
  pages.forEach(({ va }, i) => {
    if (Math.floor((i + 1) * fraction) === Math.floor(i * fraction)) return;
    if (must('write a page', process.space.resolve(va, Access.write)) === 0) throw new Invariant('a page without an address');
  });
}

/** Pages the process may write. */
export const writablePages = ({ process }: Subject): number => process.space.pages().filter(({ flags }) => flags & PTE_WRITE).length;

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
    while (this.warm.length < this.frames.length) this.warm.push(must('warm frames', kernel.ram.alloc(FrameUse.shunt)));
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

export function floorRung(subject: Subject): LadderRung {
  const floor = new Floor(subject);
  return { group: 'freeze', key: 'floor', title: 'bare copy into warm frames (the floor)', cell: null, act: floor.copyOut, undo: nothing, prepare: floor.prepare, finish: floor.finish };
}

function referencesRung(subject: Subject): LadderRung {
  const { ram, meter } = subject.router.kernel;
  const held: number[] = [];
  let frames: number[] = [];
  return {
    group: 'freeze', key: 'references', title: 'page references only', cell: null,
    prepare: (): void => { frames = [...collectImage(subject.router.kernel, subject.process, 0, null).frames]; },
    act: (): void => {
      for (const frame of frames) {
        ram.addRef(frame);
        held.push(frame);
      }
      meter.charge('checkpoint.share', held.length);
    },
    undo: (): void => { for (const frame of held.splice(0)) ram.release(frame); },
  };
}

type Named = Pick<LadderRung, 'key' | 'title' | 'cell'>;

/** The freezes of one way, with what they leave behind. */
class Freezer {
  readonly subject: Subject;
  private readonly title: string;
  private readonly way: Way;
  /** Checkpoints there are; the first is the newest. */
  private held: number[] = [];

  constructor(subject: Subject, title: string, way: Way) {
    this.subject = subject;
    this.title = title;
    this.way = way;
  }

  freeze(into?: number): number {
    const { store, write } = this.way;
    const options = { store, write };
    return must(this.title, freezeProcess(this.subject.router.kernel, this.subject.process, into === undefined ? options : { ...options, into }));
  }

  readonly prepare = (): void => {
    const first = { new: 0, into: 1, turns: 2 }[this.way.manner];
    while (this.held.length < first) this.held.unshift(this.freeze());
  };

  readonly act = (): void => {
    if (this.way.manner === 'new') this.held.unshift(this.freeze());
    else this.held.unshift(this.freeze(this.held.pop()));
  };

  readonly undo = (): void => {
    if (this.way.manner === 'new') this.finish();
  };

  readonly finish = (): void => {
    for (const descriptor of this.held.splice(0)) must('drop', dropCheckpoint(this.subject.router.kernel, this.subject.process, descriptor));
  };

  get newest(): number {
    return this.held[0];
  }
}

const EXPORTED = '/tmp/exported.core';

/** Writes a shunted image to the ramdisk as an ELF core: what has to be done when gdb or another node wants it after all. */
function exportImage({ subject, newest }: Freezer): void {
  const { process, router: { kernel } } = subject;
  const bytes = exportCore(kernel, process, newest);
  if (failed(bytes)) throw new Refused('export', errnoName(-bytes));
  const vnode = kernel.vfs.open(kernel.vfs.kernelContext(), EXPORTED, OpenFlag.WRONLY | OpenFlag.CREAT | OpenFlag.TRUNC, 0o600);
  if (failed(vnode)) throw new Refused('export', errnoName(-vnode));
  const written = VOP_WRITE(vnode, 0, bytes);
  const synced = VOP_FSYNC(vnode);
  VOP_CLOSE(vnode);
  if (written !== bytes.length || failed(synced)) {
    removeExport(subject);
    throw new Refused('export', failed(written) ? errnoName(-written) : 'ENOSPC');
  }
}

function removeExport({ router: { kernel } }: Subject): void {
  kernel.vfs.unlink(kernel.vfs.kernelContext(), EXPORTED);
}

function freezeRung(subject: Subject, named: Named, way: Way): LadderRung {
  const freezer = new Freezer(subject, named.title, way);
  const dirty = (fraction: number): void => writePages(subject, fraction);
  return { group: 'freeze', ...named, act: freezer.act, dirty, undo: freezer.undo, prepare: freezer.prepare, finish: freezer.finish };
}

export function cellRung(subject: Subject, cell: Cell): LadderRung {
  const named = { key: cellKey(cell), title: cellTitle(cell), cell };
  const way = wayOf(cell);
  if (cell.extra !== 'export' || cell.path !== 'shunt') return freezeRung(subject, named, way);
  const freezer = new Freezer(subject, named.title, way);
  const undo = (): void => { removeExport(subject); freezer.undo(); };
  return { group: 'freeze', ...named, act: (): void => { freezer.act(); exportImage(freezer); }, undo, finish: freezer.finish };
}

/** A freeze of a cell after which the process writes a share of its pages, timed together. */
export function writtenRung(subject: Subject, cell: Cell, fraction: number): LadderRung {
  const rung = cellRung(subject, cell);
  return {
    ...rung, key: `${rung.key}:${fraction}`, title: `${rung.title}, then ${Math.round(fraction * 100)} % of the pages are written`, cell: null,
    undo: (): void => { rung.dirty?.(fraction); rung.undo(); },
  };
}

/** Every page is written before each thaw: an image that still shares all pages with the process would have nothing to do. */
function thawRung(subject: Subject, cell: Cell): LadderRung {
  const { router: { kernel }, process } = subject;
  const title = `thaw: ${cellTitle(cell)}`;
  const freezer = new Freezer(subject, title, { ...wayOf(cell), manner: 'into' });
  return {
    group: 'thaw', key: `thaw:${cellKey(cell)}`, title, cell,
    prepare: (): void => {
      freezer.prepare();
      freezer.act();
      writePages(subject);
    },
    act: (): void => { must(title, thawProcess(kernel, process, freezer.newest)); },
    undo: () => writePages(subject),
    finish: freezer.finish,
  };
}

function thawFloor(subject: Subject): LadderRung {
  const floor = new Floor(subject);
  return {
    group: 'thaw', key: 'thaw:floor', title: 'bare copy back (the floor)', cell: null, act: floor.copyBack, undo: () => writePages(subject), finish: floor.finish,
    prepare: (): void => { writePages(subject); floor.prepare(); floor.copyOut(); },
  };
}

const SMALL_WRITES = { store: Store.vnode, write: { checksum: false, complete: false, inPlace: true, writeSize: 4096 }, manner: 'new' } as const;

/** Everything that is measured of one process, from the floor up. */
export function ladder(subject: Subject): LadderRung[] {
  const shared = plainCells.filter(({ transfer }) => transfer === 'share');
  return [
    floorRung(subject), referencesRung(subject),
    ...cells.map((cell) => cellRung(subject, cell)),
    freezeRung(subject, { key: 'vnode/fresh:4k', title: 'vnodes, new file in 4 KiB writes', cell: null }, SMALL_WRITES),
    ...shared.map((cell) => writtenRung(subject, cell, 1)),
    thawFloor(subject),
    ...plainCells.map((cell) => thawRung(subject, cell)),
  ];
}

/** How many checkpoints the process has: none after every rung. */
export const checkpointsLeft = ({ process }: Subject): number => checkpointsOf(process).list.length;

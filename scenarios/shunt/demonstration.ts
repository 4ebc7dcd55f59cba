import { errnoName, failed, Invariant, Random, type Result } from '../../emulator/base/index.js';
import { checkpointsOf, dropCheckpoint, exportCore, freezeProcess, imagePath, stateDigest, Store, thawProcess, type StateDigest } from '../../emulator/checkpoint/index.js';
import { OpenFlag } from '../../emulator/vfs/open-flags.js';
import { VOP_CLOSE, VOP_READ, VOP_WRITE } from '../../emulator/vfs/vop.js';
import { PAGE_SIZE } from '../../emulator/memory/index.js';
import type { Subject } from '../measure/subject.js';
import { capacity, MOST_IMAGES, type Capacity } from './capacity.js';
import { dirtyPages, isWritable, writablePages } from './dirty.js';
import { passage, type Passage } from './passage.js';

/** Pages copied because the process wrote to them while an image shared them; the cycles are those of the breaks alone. */
export interface Breaks {
  pages: number;
  bytes: number;
  cycles: number;
}

export interface Demonstration {
  subject: string;
  pid: number;
  profile: string;
  hz: number;
  ramBytes: number;
  residentPages: number;
  path: string;
  frozen: { vnode: Passage; shunt: Passage };
  /** The process goes on and writes a share of its writable pages; then both images are replaced by new ones. */
  dirtied: { share: number; pages: number; of: number; breaks: Breaks; again: { vnode: Passage; shunt: Passage } };
  thawed: { vnode: Passage; shunt: Passage };
  digests: { original: StateDigest; corrupted: StateDigest; vnode: StateDigest; shunt: StateDigest; flipped: StateDigest };
  /** What sharing cost later: pages copied because the process wrote to them while the image held them. */
  breaks: Breaks;
  /** What the thaw from RAM left to be paid: pages it shared again that break when the process writes all it may. */
  sharedAgain: Breaks;
  flip: { address: number; before: number; after: number };
  /** The errno of a thaw from the file after one of its bytes was changed, and whether the process was left as it was. */
  damagedFile: { offset: number; errno: string; unharmed: boolean };
  /** Size of the shunted image as an ELF core. */
  exportedBytes: number;
  /** How many images fit this device on each way, the process writing the same share of its pages between them. */
  capacity: { vnode: Capacity; shunt: Capacity };
  /** Both thaws gave the original state, and both changes were noticed. */
  holds: boolean;
}

/** How to shunt: the bits of sys_checkpoint. */
export const modes = { share: Store.share, copy: Store.copy, pool: Store.pool } as const;
export type Mode = keyof typeof modes;

const must = (what: string, result: Result): number => {
  if (failed(result)) throw new Invariant(`${what}: ${errnoName(-result)}`);
  return result;
};

/** Page breaks while `work` runs; the cycles are those of the breaks alone. */
function countBreaks({ router: { kernel } }: Subject, work: () => void): Breaks {
  const before = { breaks: kernel.ledger.get('fault.cow'), free: kernel.ram.free() };
  work();
  const pages = kernel.ledger.get('fault.cow') - before.breaks;
  const bytes = (before.free - kernel.ram.free()) * PAGE_SIZE;
  const { rates } = kernel.meter;
  return { pages, bytes, cycles: pages * (rates['fault.cow'] ?? 0) + bytes * (rates['copy.bytes'] ?? 0) };
}

/**
 * What a runaway daemon does to itself, only more thoroughly: noise over every page it may write, and over its registers. What it made persistent
 * is spared: those bytes survive a thaw as they are, and so would the noise.
 */
function corrupt({ process, router: { kernel } }: Subject, random: Random): void {
  const noise = new Uint8Array(PAGE_SIZE);
  const kept = checkpointsOf(process).ranges.map(({ addr, size }) => ({ addr, bytes: process.space.copyin(addr, size) }));
  for (const { va } of process.space.pages()) {
    random.fill(noise);
    if (isWritable(process, va)) must('corrupt', process.space.copyout(va, noise));
  }
  for (const { addr, bytes } of kept) if (!failed(bytes)) must('spare', process.space.copyout(addr, bytes));
  for (const thread of process.threads) for (let r = 1; r < 32; r++) thread.ctx.gpr[r] = random.next() | 0;
  kernel.log.add('shunt.corrupted', { pid: process.pid });
}

/** Change one byte of the process's memory: the comparison has to fail. */
function flipByte({ process }: Subject): Demonstration['flip'] {
  const [va] = writablePages(process);
  if (va === undefined) throw new Invariant('a process without a writable page');
  const bytes = process.space.copyin(va, 1);
  if (failed(bytes)) throw new Invariant('its writable page cannot be read');
  must('flip', process.space.copyout(va, Uint8Array.of(bytes[0] ^ 1)));
  return { address: va, before: bytes[0], after: bytes[0] ^ 1 };
}

/** Bytes of one of the process's images; it may have others of its own. */
function imageBytes({ process }: Subject, descriptor: number): number {
  const checkpoint = checkpointsOf(process).find(descriptor);
  if (failed(checkpoint)) throw new Invariant('the checkpoint is gone');
  return checkpoint.image.bytes;
}

/** Change one byte in the middle of the image file and try to thaw from it. */
function damageFile(subject: Subject, descriptor: number): Demonstration['damagedFile'] {
  const { process, router: { kernel } } = subject;
  const before = stateDigest(process).all;
  const vnode = kernel.vfs.open(kernel.vfs.kernelContext(), imagePath(process.comm, process.pid, descriptor), OpenFlag.RDWR, 0);
  if (failed(vnode)) throw new Invariant('the image file cannot be opened');
  const offset = imageBytes(subject, descriptor) >> 1;
  const byte = VOP_READ(vnode, offset, 1);
  if (failed(byte)) throw new Invariant('the image file cannot be read');
  must('damage', VOP_WRITE(vnode, offset, Uint8Array.of(byte[0] ^ 1)));
  VOP_CLOSE(vnode);
  const result = thawProcess(kernel, process, descriptor);
  return { offset, errno: result < 0 ? errnoName(-result) : 'none', unharmed: stateDigest(process).all === before };
}

/** Both images as ELF cores, in the form they have before anything is ruined. */
export interface Cores {
  vnode: Uint8Array;
  shunt: Uint8Array;
}

function imageFile(subject: Subject, descriptor: number): Uint8Array {
  const { process, router: { kernel } } = subject;
  const vnode = kernel.vfs.open(kernel.vfs.kernelContext(), imagePath(process.comm, process.pid, descriptor), OpenFlag.RDONLY, 0);
  if (failed(vnode)) throw new Invariant('the image file cannot be opened');
  const bytes = VOP_READ(vnode, 0, imageBytes(subject, descriptor));
  if (failed(bytes)) throw new Invariant('the image file cannot be read');
  const copy = Uint8Array.from(bytes);
  VOP_CLOSE(vnode);
  return copy;
}

export interface DemonstrationOptions {
  mode: Mode;
  /** Share of its writable pages the process writes between two freezes, 0 to 1. */
  dirty: number;
  onCores?: (cores: Cores) => void;
  /** Images taken at most to see how many fit. */
  mostImages?: number;
  /** Counting images is what takes long; `share` is of that. */
  onProgress?: (share: number) => void;
}

/** The process goes on for a while, then both images are replaced. */
function dirtyAndFreezeAgain(subject: Subject, share: number, mode: Mode, descriptors: { vnode: number; shunt: number }): Demonstration['dirtied'] {
  const { process, router: { kernel } } = subject;
  const of = writablePages(process).length;
  let pages = 0;
  const breaks = countBreaks(subject, () => { pages = must('dirty', dirtyPages(process, share)); });
  const again = {
    vnode: passage(subject, 'vnode', () => { must('freeze', freezeProcess(kernel, process, { store: Store.vnode, into: descriptors.vnode })); }),
    shunt: passage(subject, `shunt-${mode}`, () => { must('freeze', freezeProcess(kernel, process, { store: modes[mode], into: descriptors.shunt })); }),
  };
  return { share, pages, of, breaks, again };
}

/** Thaw it once more and write everything: what a thaw that shares leaves to be paid. The process is then as the image has it. */
function breaksAfterThaw(subject: Subject, descriptor: number, random: Random): Breaks {
  const { process, router: { kernel } } = subject;
  must('thaw', thawProcess(kernel, process, descriptor));
  const breaks = countBreaks(subject, () => corrupt(subject, random));
  must('thaw', thawProcess(kernel, process, descriptor));
  return breaks;
}

/** Freeze a process both ways, corrupt and thaw it from each, and compare. The subject is spent afterwards. */
export function demonstrate(subject: Subject, { mode, dirty, onCores, mostImages = MOST_IMAGES, onProgress = () => {} }: DemonstrationOptions): Demonstration {
  const { process, router: { kernel, profile } } = subject;
  subject.layer.write = { ...subject.layer.write, checksum: true };
  const random = new Random(1);
  const residentPages = process.space.residentPages();
  let onVnodes = 0;
  let shunted = 0;
  const frozen = {
    vnode: passage(subject, 'vnode', () => { onVnodes = must('freeze', freezeProcess(kernel, process, { store: Store.vnode })); }),
    shunt: passage(subject, `shunt-${mode}`, () => { shunted = must('freeze', freezeProcess(kernel, process, { store: modes[mode] })); }),
  };
  const dirtied = dirtyAndFreezeAgain(subject, dirty, mode, { vnode: onVnodes, shunt: shunted });
  const original = stateDigest(process);
  const exported = exportCore(kernel, process, shunted);
  if (!failed(exported)) onCores?.({ vnode: imageFile(subject, onVnodes), shunt: exported });
  const breaks = countBreaks(subject, () => corrupt(subject, random));
  const corrupted = stateDigest(process);
  const fromVnodes = passage(subject, 'vnode', () => { must('thaw', thawProcess(kernel, process, onVnodes)); });
  const vnode = stateDigest(process);
  corrupt(subject, random);
  const fromShunt = passage(subject, `shunt-${mode}`, () => { must('thaw', thawProcess(kernel, process, shunted)); });
  const shunt = stateDigest(process);
  const flip = flipByte(subject);
  const flipped = stateDigest(process);
  const damagedFile = damageFile(subject, onVnodes);
  const sharedAgain = breaksAfterThaw(subject, shunted, random);
  for (const descriptor of [onVnodes, shunted]) must('drop', dropCheckpoint(kernel, process, descriptor));
  const same = vnode.all === original.all && shunt.all === original.all;
  return {
    subject: subject.name, pid: process.pid, profile: profile.name, hz: profile.hz, ramBytes: kernel.ram.bytes, residentPages,
    path: imagePath(process.comm, process.pid, onVnodes), frozen, dirtied, thawed: { vnode: fromVnodes, shunt: fromShunt },
    digests: { original, corrupted, vnode, shunt, flipped }, breaks, sharedAgain, flip, damagedFile, exportedBytes: failed(exported) ? 0 : exported.length,
    capacity: {
      vnode: capacity(subject, Store.vnode, dirty, mostImages, (images) => onProgress(images / mostImages / 2)),
      shunt: capacity(subject, modes[mode], dirty, mostImages, (images) => onProgress(0.5 + images / mostImages / 2)),
    },
    holds: same && corrupted.all !== original.all && flipped.all !== original.all && damagedFile.errno !== 'none' && damagedFile.unharmed,
  };
}

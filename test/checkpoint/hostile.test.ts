import fc from 'fast-check';
import { Errno, failed, Random } from '../../emulator/base/index.js';
import { checkpointsOf, dropCheckpoint, freezeProcess, imagePath, stateDigest, storeName, Store, thawProcess } from '../../emulator/checkpoint/index.js';
import { checksum } from '../../emulator/checkpoint/checksum.js';
import { sealHead } from '../../emulator/checkpoint/record-codec.js';
import type { ShuntImage } from '../../emulator/checkpoint/shunt-store.js';
import { PAGE_SIZE } from '../../emulator/memory/index.js';
import { stores } from './completeness.js';
import { makeNoise } from './noise.js';
import { contents, list, overwrite, stopped, truncate, type Stopped } from './stopped.js';

const PROGRAM = 'signals';
const AT = 9000;

/** Freeze, make noise, hand over; afterwards the image is as it was and can be tried again. */
function frozen(store: number, checksums = true): Stopped & { descriptor: number; path: string; past: string; now(): string } {
  const machine = stopped(PROGRAM, AT, { checksum: checksums });
  const { kernel, process } = machine;
  const past = stateDigest(process).all;
  const descriptor = freezeProcess(kernel, process, { store });
  expect(descriptor).toBe(1);
  makeNoise(process, new Random(7));
  return { ...machine, descriptor, path: imagePath(process.comm, process.pid, descriptor), past, now: () => stateDigest(process).all };
}

/** A thaw of a damaged image: it fails and changes nothing, or restores exactly what was frozen. Says which. */
function tryThaw(one: ReturnType<typeof frozen>): 'refused' | 'exact' {
  const before = one.now();
  const result = thawProcess(one.kernel, one.process, one.descriptor);
  if (failed(result)) {
    expect(one.now()).toBe(before);
    return 'refused';
  }
  expect(one.now()).toBe(one.past);
  makeNoise(one.process, new Random(8));
  return 'exact';
}

/** Put right checksums into an image file, as an attacker would. */
function reseal(file: Uint8Array): void {
  const view = new DataView(file.buffer);
  const headers = view.getUint16(44, true);
  const notesEnd = view.getUint32(56, true) + view.getUint32(68, true);
  const sumsAt = notesEnd - 4 * (headers - 1);
  if (headers > 100 || notesEnd > file.length || sumsAt < 16) return;
  for (let i = 0; i < headers - 1; i++) {
    const at = 52 + 32 * (i + 1);
    const offset = view.getUint32(at + 4, true);
    view.setUint32(sumsAt + 4 * i, checksum(file.subarray(offset, offset + view.getUint32(at + 16, true))), true);
  }
  sealHead(file, notesEnd, headers - 1);
}

describe('an image file with one byte changed', () => {
  const one = frozen(Store.vnode);
  const original = contents(one.kernel, one.path);
  const flip = (at: number, bit: number, sealed: boolean): 'refused' | 'exact' => {
    const damaged = Uint8Array.from(original);
    damaged[at] ^= 1 << bit;
    if (sealed) reseal(damaged);
    overwrite(one.kernel, one.path, 0, damaged);
    const outcome = tryThaw(one);
    overwrite(one.kernel, one.path, 0, original);
    return outcome;
  };
  const headBytes = new DataView(original.buffer).getUint32(52 + 32 + 4, true);

  test.each([['left', false], ['recomputed', true]] as const)('is refused, or was padding: checksums %s', (_name, sealed) => {
    fc.assert(fc.property(fc.oneof(fc.nat(original.length - 1), fc.nat(headBytes - 1)), fc.nat(7), (at, bit) => {
      const outcome = flip(at, bit, sealed);
      if (at >= headBytes) expect(outcome).toBe('refused');
    }), { numRuns: 150 });
    expect(tryThaw(one)).toBe('exact');
  });

  test('cut off at any length is refused', () => {
    for (let i = 0; i <= 60; i++) {
      truncate(one.kernel, one.path, Math.floor((original.length - 1) * (i / 60)));
      expect(tryThaw(one)).toBe('refused');
      overwrite(one.kernel, one.path, 0, original);
    }
    expect(tryThaw(one)).toBe('exact');
  });
});

test('an image file whose checks are off and whose bytes are anything harms nobody but the process itself', () => {
  const one = frozen(Store.vnode, false);
  const original = contents(one.kernel, one.path);
  fc.assert(fc.property(fc.array(fc.tuple(fc.nat(8191), fc.nat(255)), { minLength: 1, maxLength: 4 }), (changes) => {
    const damaged = Uint8Array.from(original);
    for (const [at, value] of changes) damaged[at] = value;
    overwrite(one.kernel, one.path, 0, damaged);
    const before = one.now();
    const result = thawProcess(one.kernel, one.process, one.descriptor);
    if (failed(result)) expect(one.now()).toBe(before);
    expect(one.process.threads.map((thread) => thread.tid)).toEqual([one.process.pid]);
    expect(one.process.fds.list()).toEqual(failed(result) ? expect.anything() : [0, 1, 2]);
  }), { numRuns: 150 });
  overwrite(one.kernel, one.path, 0, original);
  expect(tryThaw(one)).toBe('exact');
});

test.each([...stores].filter((store) => store !== Store.vnode).map((store) => [storeName(store), store] as const))('a byte changed in a memory image is refused: %s', (_name, store) => {
  const one = frozen(store);
  const image = checkpointsOf(one.process).list[0].image as ShuntImage;
  const { ram } = one.kernel;
  const frames = [...image.head, ...image.frames];
  fc.assert(fc.property(fc.nat(frames.length - 1), fc.nat(PAGE_SIZE - 1), fc.nat(7), (index, at, bit) => {
    ram.page(frames[index])[at] ^= 1 << bit;
    const outcome = tryThaw(one);
    ram.page(frames[index])[at] ^= 1 << bit;
    const padding = index === image.head.length - 1 && at >= image.headBytes % PAGE_SIZE;
    if (!padding) expect(outcome === 'refused' || index < image.head.length).toBe(true);
  }), { numRuns: 100 });
  expect(tryThaw(one)).toBe('exact');
});

describe('an error at any vnode operation', () => {
  test('of a freeze leaves the process, older checkpoints, files and memory as they were', () => {
    const { kernel, process } = stopped(PROGRAM, AT);
    expect(freezeProcess(kernel, process)).toBe(1);
    const then = stateDigest(process).all;
    let failures = 0;
    for (const into of [undefined, 1]) {
      for (let countdown = 0; ; countdown++) {
        const free = kernel.ram.free();
        const files = list(kernel, '/tmp');
        kernel.vfs.inject = { countdown, errno: Errno.EIO };
        const result = freezeProcess(kernel, process, { into });
        const injected = kernel.vfs.inject === null;
        kernel.vfs.inject = null;
        if (!failed(result)) {
          expect(injected).toBe(false);
          if (into === undefined) dropCheckpoint(kernel, process, result);
          break;
        }
        failures++;
        expect([result, list(kernel, '/tmp'), kernel.ram.free(), stateDigest(process).all]).toEqual([-Errno.EIO, files, free, then]);
      }
      makeNoise(process, new Random(3));
      expect(thawProcess(kernel, process, 1)).toBe(0);
      expect(stateDigest(process).all).toBe(then);
    }
    expect(failures).toBeGreaterThan(20);
  });

  test('of a thaw leaves the process as it was', () => {
    const one = frozen(Store.vnode);
    let failures = 0;
    for (let countdown = 0; ; countdown++) {
      const free = one.kernel.ram.free();
      one.kernel.vfs.inject = { op: undefined, countdown, errno: Errno.EIO };
      const injectedAt = one.kernel.vfs.inject;
      const outcome = tryThaw(one);
      one.kernel.vfs.inject = null;
      if (outcome === 'exact') break;
      expect(injectedAt.countdown).toBeLessThan(0);
      expect(one.kernel.ram.free()).toBe(free);
      failures++;
    }
    expect(failures).toBeGreaterThan(5);
  });

  test('of a drop or exit does not stop it', () => {
    for (let countdown = 0; countdown < 12; countdown++) {
      const { kernel, process } = stopped(PROGRAM, AT);
      freezeProcess(kernel, process);
      kernel.vfs.inject = { countdown, errno: Errno.EIO };
      expect(dropCheckpoint(kernel, process, 1)).toBe(0);
      kernel.vfs.inject = null;
      expect(thawProcess(kernel, process, 1)).toBe(-Errno.EINVAL);
    }
  });
});

describe('no room', () => {
  test('in the ramdisk: ENOSPC, no partial file, the older checkpoint whole', () => {
    const { kernel, process } = stopped(PROGRAM, AT, { poolFrames: 0 }, { ram: 4 << 20 });
    expect(freezeProcess(kernel, process)).toBe(1);
    const then = stateDigest(process).all;
    const taken = kernel.ram.free() - 10;
    kernel.ram.withdraw(taken);
    const files = list(kernel, '/tmp');
    for (const into of [undefined, 1]) {
      expect(freezeProcess(kernel, process, { into })).toBe(-Errno.ENOSPC);
      expect(list(kernel, '/tmp')).toEqual(files);
      expect(kernel.ram.free()).toBe(10);
    }
    makeNoise(process, new Random(4));
    kernel.ram.giveBack(0);
    const result = thawProcess(kernel, process, 1);
    expect([0, -Errno.ENOMEM]).toContain(result);
    kernel.ram.giveBack(taken);
    expect(thawProcess(kernel, process, 1)).toBe(0);
    expect(stateDigest(process).all).toBe(then);
  });

  test.each([[Store.copy, Errno.ENOMEM], [Store.pool, Errno.ENOSPC], [Store.share, Errno.ENOMEM]])('past the vnodes, store %i: errno %i, nothing held', (store, errno) => {
    const { kernel, process } = stopped(PROGRAM, AT, { poolFrames: 3 }, { ram: 4 << 20 });
    const free = kernel.ram.free();
    if (store !== Store.pool) kernel.ram.withdraw(free - (store === Store.share ? 0 : 5));
    const left = kernel.ram.free();
    expect(freezeProcess(kernel, process, { store })).toBe(-errno);
    expect(kernel.ram.free()).toBe(left);
  });

  test('a thaw that lacks frames fails and the process goes on', () => {
    const { kernel, process } = stopped(PROGRAM, AT, { poolFrames: 0 }, { ram: 8 << 20 });
    expect(freezeProcess(kernel, process, { store: Store.copy })).toBe(1);
    const then = stateDigest(process).all;
    for (const region of process.space.regions) process.space.discard(region.start, region.end - region.start);
    const now = stateDigest(process).all;
    const taken = kernel.ram.free();
    kernel.ram.withdraw(taken);
    expect(thawProcess(kernel, process, 1)).toBe(-Errno.ENOMEM);
    expect(stateDigest(process).all).toBe(now);
    kernel.ram.giveBack(taken);
    expect(thawProcess(kernel, process, 1)).toBe(0);
    expect(stateDigest(process).all).toBe(then);
  });
});

describe('another file under the image\'s name', () => {
  const cases: [string, number, (one: ReturnType<typeof frozen>) => void][] = [
    ['deleted', Errno.ENOENT, ({ kernel, path }) => void kernel.vfs.unlink(kernel.vfs.kernelContext(), path)],
    ['replaced by a copy', Errno.ESTALE, (one) => {
      const copy = contents(one.kernel, one.path);
      one.kernel.vfs.unlink(one.kernel.vfs.kernelContext(), one.path);
      one.machine.writeFile(one.path, copy);
    }],
    ['replaced by a symbolic link', Errno.ESTALE, ({ kernel, path }) => {
      kernel.vfs.rename(kernel.vfs.kernelContext(), path, kernel.vfs.kernelContext(), '/tmp/elsewhere');
      kernel.vfs.symlink(kernel.vfs.kernelContext(), '/tmp/elsewhere', path);
    }],
    ['emptied', Errno.EINVAL, ({ kernel, path }) => truncate(kernel, path, 0)],
  ];
  test.each(cases)('%s: errno %i, the process goes on', (_name, errno, change) => {
    const one = frozen(Store.vnode);
    const before = one.now();
    change(one);
    expect(thawProcess(one.kernel, one.process, one.descriptor)).toBe(-errno);
    expect(one.now()).toBe(before);
  });

  test('is not unlinked with the checkpoint', () => {
    const one = frozen(Store.vnode);
    one.kernel.vfs.unlink(one.kernel.vfs.kernelContext(), one.path);
    one.machine.writeFile(one.path, 'mine');
    expect(dropCheckpoint(one.kernel, one.process, one.descriptor)).toBe(0);
    expect(Buffer.from(contents(one.kernel, one.path)).toString()).toBe('mine');
  });
});

test('all stores restore the same state', () => {
  const { kernel, process } = stopped(PROGRAM, AT);
  const then = stateDigest(process);
  const descriptors = stores.map((store) => freezeProcess(kernel, process, { store }));
  for (const descriptor of [...descriptors, ...descriptors.toReversed()]) {
    makeNoise(process, new Random(descriptor));
    expect(stateDigest(process).memory).not.toBe(then.memory);
    expect(thawProcess(kernel, process, descriptor)).toBe(0);
    expect(stateDigest(process)).toEqual(then);
  }
});

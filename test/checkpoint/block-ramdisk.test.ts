import { Errno, failed, loadGraph, Random, saveGraph } from '../../emulator/base/index.js';
import { checkpointsOf, dropCheckpoint, exportCore, freezeProcess, imagePath, stateDigest, Store, thawProcess } from '../../emulator/checkpoint/index.js';
import { Router, RouterError } from '../../emulator/index.js';
import { findSyscall } from '../../emulator/kernel/index.js';
import type { BlockFilesystem } from '../../ramdisk/index.js';
import { BLOCK_SIZE } from '../../ramdisk/block/layout.js';
import { firmwareImage } from '../../scenarios/simulation.js';
import { fsck } from '../support/fsck.js';
import { makeNoise } from './noise.js';
import { contents, list, stopped, type Stopped } from './stopped.js';

const block = (ram?: number): Stopped => stopped('malloc', 5_000_000, { poolFrames: 0 }, { ramdisk: 'block', ...(ram === undefined ? {} : { ram }) });
const fsOf = ({ kernel }: Stopped): BlockFilesystem => kernel.vfs.root.fs as BlockFilesystem;

describe('an image on a block ramdisk', () => {
  test('takes the same vnode operations as on a tmpfs, blocks below them, and every byte twice', () => {
    const [plain, machine] = [stopped('malloc', 5_000_000), block()].map(({ kernel, process }) => {
      const before = kernel.ledger.snapshot();
      expect(freezeProcess(kernel, process, { store: Store.vnode })).toBe(1);
      return kernel.ledger.since(before);
    });
    for (const op of ['write', 'create', 'open', 'close', 'fsync', 'rename']) expect(machine[`vop.${op}`]).toBe(plain[`vop.${op}`]);
    const blocks = Math.ceil(plain['copy.bytes'] / BLOCK_SIZE);
    expect(machine['bio.write']).toBeGreaterThanOrEqual(blocks);
    // A segment begins in the middle of a block where the one before ended; inode, bitmaps and indirect block come on top.
    expect(machine['bio.write']).toBeLessThan(blocks + 8);
    expect(machine['copy.bytes']).toBe(plain['copy.bytes'] + BLOCK_SIZE * (machine['bio.write'] + (machine['bio.read'] ?? 0)));
  });

  test('is the file a tmpfs would have, and a sound disk lies below it', () => {
    const machine = block();
    const { kernel, process } = machine;
    const past = stateDigest(process).all;
    freezeProcess(kernel, process, { store: Store.vnode });
    expect(Buffer.compare(exportCore(kernel, process, 1) as Uint8Array, contents(kernel, imagePath(process.comm, process.pid, 1)))).toBe(0);
    makeNoise(process, new Random(1));
    expect(thawProcess(kernel, process, 1)).toBe(0);
    expect(stateDigest(process).all).toBe(past);
    fsOf(machine).sync();
    expect(fsck(fsOf(machine).cache.disk)).toEqual([]);
  });

  test('that does not fit the disk is ENOSPC; what was there before is whole', () => {
    const machine = block(6 << 20);
    const { kernel, process } = machine;
    const made: number[] = [];
    let result = freezeProcess(kernel, process, { store: Store.vnode });
    for (; !failed(result) && made.length < 50; result = freezeProcess(kernel, process, { store: Store.vnode })) made.push(result);
    expect([result, made.length > 0]).toEqual([-Errno.ENOSPC, true]);
    expect(list(kernel, '/tmp')).toHaveLength(made.length);
    const past = stateDigest(process).all;
    makeNoise(process, new Random(2));
    expect(thawProcess(kernel, process, made[0])).toBe(0);
    expect(stateDigest(process).all).toBe(past);
    const { free } = fsOf(machine).statfs();
    for (const descriptor of made) dropCheckpoint(kernel, process, descriptor);
    expect(fsOf(machine).statfs().free).toBeGreaterThan(free);
  });

  test('adopts no pages: EOPNOTSUPP, and no file is left', () => {
    const { kernel, process } = block();
    expect(freezeProcess(kernel, process, { store: Store.vnode, write: { adopt: true } })).toBe(-Errno.EOPNOTSUPP);
    expect([list(kernel, '/tmp'), checkpointsOf(process).list]).toEqual([[], []]);
  });

  test('exported for the host leaves no trace in the machine', () => {
    const { kernel, process } = block();
    freezeProcess(kernel, process, { store: Store.vnode });
    const before = saveGraph(kernel);
    exportCore(kernel, process, 1);
    stateDigest(process);
    expect(Buffer.compare(saveGraph(kernel), before)).toBe(0);
  });

  test('survives a snapshot, and costs the same after it', () => {
    const { kernel, process } = block();
    freezeProcess(kernel, process, { store: Store.vnode });
    const loaded = loadGraph(saveGraph({ kernel, process })) as { kernel: typeof kernel; process: typeof process };
    expect([thawProcess(kernel, process, 1), thawProcess(loaded.kernel, loaded.process, 1)]).toEqual([0, 0]);
    expect(stateDigest(loaded.process).all).toBe(stateDigest(process).all);
    expect(loaded.kernel.ledger.snapshot()).toEqual(kernel.ledger.snapshot());
  });
});

describe('a router on a block ramdisk', () => {
  const boot = (): Router => {
    const router = Router.create({ image: firmwareImage(), ramdisk: 'block' });
    router.boot();
    return router;
  };

  test('boots to the same state as on a tmpfs, saved and loaded on the way', () => {
    const router = boot();
    const { hz } = router.kernel.clock;
    router.run(0.5 * hz);
    const loaded = Router.load(router.save());
    for (const one of [router, loaded]) one.run(4 * hz);
    expect([router.state, loaded.log.lines() === router.log.lines()]).toEqual(['running', true]);
    const fs = router.kernel.vfs.root.fs as BlockFilesystem;
    fs.sync();
    expect(fsck(fs.cache.disk)).toEqual([]);
  });

  test('has everything on its disk after sync(2), without anybody\'s help', () => {
    const router = boot();
    const { kernel } = router;
    router.run(4 * kernel.clock.hz);
    router.writeFile('/tmp/late', 'late and long '.repeat(9000));
    const { disk } = (kernel.vfs.root.fs as BlockFilesystem).cache;
    const onDisk = (): boolean => Array.from({ length: disk.blocks }, (_, i) => i).some((number) => Buffer.from(disk.peek(number)).includes('late and long'));
    expect(onDisk()).toBe(false);
    const [thread] = [...kernel.processes.values()][0].threads;
    expect(findSyscall(4036)?.handler(kernel, thread, 0, 0, 0, 0, 0, 0, 0)).toBe(0);
    expect([onDisk(), fsck(disk)]).toEqual([true, []]);
  });

  test('with less RAM than the disk takes is an error that says so', () => {
    const router = Router.create({ image: null, ramdisk: 'block', ram: 4 << 20, checkpoint: { poolFrames: 600 } });
    expect(() => router.powerOn()).toThrow(RouterError);
  });
});

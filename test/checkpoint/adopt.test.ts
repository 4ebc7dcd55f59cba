import { Errno, failed, loadGraph, Random, saveGraph } from '../../emulator/base/index.js';
import { checkpointsOf, dropCheckpoint, exportCore, freezeProcess, imagePath, installCheckpoints, stateDigest, Store, thawProcess } from '../../emulator/checkpoint/index.js';
import type { Kernel, Process } from '../../emulator/kernel/index.js';
import { PAGE_SIZE } from '../../emulator/memory/index.js';
import { guestBinary, TestMachine } from '../support/machine.js';
import { makeNoise } from './noise.js';
import { attrOf, contents, overwrite, stopped, type Stopped } from './stopped.js';

const adopting = { store: Store.vnode, write: { adopt: true } };
const pathOf = ({ process }: Stopped, descriptor = 1): string => imagePath(process.comm, process.pid, descriptor);
const headBytes = (file: Uint8Array): number => new DataView(file.buffer).getUint32(52 + 32 + 4, true);

function heapOf(process: Process): number {
  const heap = process.space.regions.find((region) => region.prot === 3 && !region.pager && process.space.frameAt(region.start) >= 0);
  if (!heap) throw new Error('no heap');
  return heap.start;
}

describe('an image file that adopts the pages of the process', () => {
  test('has the bytes of one they were copied to, for fewer copies and no more RAM', () => {
    const machine = stopped('malloc', 5_000_000);
    const { kernel, process } = machine;
    expect(freezeProcess(kernel, process, { store: Store.vnode })).toBe(1);
    const copied = contents(kernel, pathOf(machine));
    dropCheckpoint(kernel, process, 1);
    const free = kernel.ram.free();
    const before = kernel.ledger.snapshot();
    expect(freezeProcess(kernel, process, adopting)).toBe(2);
    const spent = kernel.ledger.since(before);
    const adopted = contents(kernel, pathOf(machine, 2));
    const head = headBytes(copied);
    expect(Buffer.compare(copied.subarray(head), adopted.subarray(head))).toBe(0);
    const shared = spent['checkpoint.share'];
    expect(spent['copy.bytes']).toBe(adopted.length - shared * PAGE_SIZE);
    expect(shared * PAGE_SIZE).toBeGreaterThan(adopted.length / 2);
    expect(spent['vop.adopt']).toBeGreaterThan(0);
    // What was copied, and at most a page of names and inodes.
    expect(free - kernel.ram.free() - (adopted.length / PAGE_SIZE - shared)).toBeLessThanOrEqual(1);
    expect(checkpointsOf(process).list[0].image.heldFrames(kernel)).toBe(adopted.length / PAGE_SIZE - shared);
    dropCheckpoint(kernel, process, 2);
    expect(kernel.ram.free()).toBe(free);
  });

  test('does not change when the process writes, which costs a frame for each page', () => {
    const machine = stopped('malloc', 5_000_000);
    const { kernel, process } = machine;
    freezeProcess(kernel, process, adopting);
    const { image } = checkpointsOf(process).list[0];
    const before = contents(kernel, pathOf(machine));
    const [free, held] = [kernel.ram.free(), image.heldFrames(kernel)];
    process.space.writeWords(heapOf(process), [0x5a5a5a5a]);
    expect([kernel.ram.free(), image.heldFrames(kernel)]).toEqual([free - 1, held + 1]);
    expect(Buffer.compare(contents(kernel, pathOf(machine)), before)).toBe(0);
  });

  test('written to, leaves the process alone and is refused at the thaw', () => {
    const machine = stopped('malloc', 5_000_000);
    const { kernel, process } = machine;
    const before = stateDigest(process).all;
    freezeProcess(kernel, process, adopting);
    const { size } = attrOf(kernel, pathOf(machine));
    overwrite(kernel, pathOf(machine), size - 9000, new Uint8Array(5000).fill(0xee));
    expect(stateDigest(process).all).toBe(before);
    expect(thawProcess(kernel, process, 1)).toBe(-Errno.EINVAL);
    expect(stateDigest(process).all).toBe(before);
  });

  test('gives its pages back to the process at the thaw, by reference and not by copy', () => {
    const machine = stopped('malloc', 5_000_000);
    const { kernel, process } = machine;
    const past = stateDigest(process).all;
    freezeProcess(kernel, process, adopting);
    makeNoise(process, new Random(3));
    const before = kernel.ledger.snapshot();
    expect(thawProcess(kernel, process, 1)).toBe(0);
    expect(stateDigest(process).all).toBe(past);
    expect(kernel.ledger.since(before)['copy.bytes'] ?? 0).toBeLessThan(checkpointsOf(process).list[0].image.bytes / 4);
    expect(thawProcess(kernel, process, 1)).toBe(0);
    dropCheckpoint(kernel, process, 1);
    expect(stateDigest(process).all).toBe(past);
  });

  test('exports the same core as the file is', () => {
    const machine = stopped('malloc', 5_000_000);
    freezeProcess(machine.kernel, machine.process, adopting);
    const core = exportCore(machine.kernel, machine.process, 1);
    expect(Buffer.compare(core as Uint8Array, contents(machine.kernel, pathOf(machine)))).toBe(0);
  });

  test('mapped by somebody, is thawed by copying', () => {
    const machine = stopped('malloc', 5_000_000);
    const { kernel, process } = machine;
    const past = stateDigest(process).all;
    freezeProcess(kernel, process, adopting);
    const vnode = kernel.vfs.find(kernel.vfs.kernelContext(), pathOf(machine));
    if (failed(vnode)) throw new Error('no file');
    vnode.pager();
    makeNoise(process, new Random(4));
    expect(thawProcess(kernel, process, 1)).toBe(0);
    expect(stateDigest(process).all).toBe(past);
  });

  test('frozen into again and again, aside or in place, it holds one image', () => {
    const machine = stopped('malloc', 5_000_000);
    const { kernel, process } = machine;
    freezeProcess(kernel, process, adopting);
    const free = kernel.ram.free();
    for (const inPlace of [false, true, true, false]) {
      expect(freezeProcess(kernel, process, { into: 1, write: { adopt: true, inPlace } })).toBe(1);
      expect(kernel.ram.free()).toBe(free);
    }
  });

  test('on a ramdisk with too little room the freeze fails with ENOSPC and nothing is left', () => {
    const machine = stopped('malloc', 5_000_000, { poolFrames: 0 }, { ram: 4 << 20 });
    const { kernel, process } = machine;
    const made: number[] = [];
    while (made.length < 100) {
      const result = freezeProcess(kernel, process, adopting);
      if (failed(result)) {
        expect(result).toBe(-Errno.ENOSPC);
        break;
      }
      made.push(result);
    }
    expect([made.length > 0, made.length < 100]).toEqual([true, true]);
    const past = stateDigest(process).all;
    expect(thawProcess(kernel, process, made[0])).toBe(0);
    expect(stateDigest(process).all).toBe(past);
  });

  test('a machine saved between freeze and thaw goes on the same', () => {
    const machine = new TestMachine();
    const layer = installCheckpoints(machine.kernel, { store: Store.vnode });
    layer.write = { ...layer.write, adopt: true };
    machine.writeFile('/bin/hazards', guestBinary('hazards'), 0o755);
    machine.feed('');
    machine.spawn('/bin/hazards', ['hazards']);
    machine.kernel.run(1e12, 15_900);
    const saved = saveGraph(machine.kernel);
    machine.kernel.run(1e12);
    const loaded = loadGraph(saved) as Kernel;
    loaded.run(1e12);
    expect(machine.kernel.ledger.get('vop.adopt')).toBeGreaterThan(0);
    expect(loaded.log.lines()).toBe(machine.kernel.log.lines());
  });
});

test('an image written over a longer one in place can be thawed', () => {
  const machine = stopped('malloc', 5_000_000);
  const { kernel, process } = machine;
  freezeProcess(kernel, process, { store: Store.vnode });
  const longer = attrOf(kernel, pathOf(machine)).size;
  expect(process.space.unmap(heapOf(process), PAGE_SIZE)).toBe(0);
  const past = stateDigest(process).all;
  expect(freezeProcess(kernel, process, { into: 1, write: { inPlace: true } })).toBe(1);
  expect(attrOf(kernel, pathOf(machine)).size).toBeLessThan(longer);
  makeNoise(process, new Random(5));
  expect(thawProcess(kernel, process, 1)).toBe(0);
  expect(stateDigest(process).all).toBe(past);
});

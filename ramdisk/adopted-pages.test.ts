import fc from 'fast-check';
import { Clock, Errno, failed, Ledger, loadGraph, Meter, saveGraph } from '../emulator/base/index.js';
import { FrameUse, PAGE_SIZE, Ram } from '../emulator/memory/ram.js';
import { OpenFlag, Vfs, VOP_ADOPT, VOP_ALLOCATE, VOP_CLOSE, VOP_GETPAGES, VOP_READ, VOP_WRITE, type Vnode } from '../emulator/vfs/index.js';
import { Ramdisk } from './index.js';

interface Machine { vfs: Vfs; ram: Ram; file: Vnode }

function fixture(bytes = 1 << 20, maxBytes?: number): Machine {
  const ram = new Ram(bytes);
  const vfs = new Vfs(new Meter(new Clock(580e6), new Ledger(), {}), ram);
  vfs.mountRoot(new Ramdisk(vfs, { maxBytes }));
  const file = vfs.open(vfs.kernelContext(), '/f', OpenFlag.RDWR | OpenFlag.CREAT);
  if (failed(file)) throw new Error(`open: ${file}`);
  return { vfs, ram, file };
}

/** A frame somebody holds, filled with `value`. */
function lend(ram: Ram, value: number): number {
  const frame = ram.alloc(FrameUse.user);
  if (frame >= 0) ram.page(frame).fill(value);
  return frame;
}

function adopt({ ram, file }: Machine, page: number, frames: number[]): number {
  frames.forEach((frame) => ram.addRef(frame));
  const result = VOP_ADOPT(file, page * PAGE_SIZE, frames);
  if (failed(result)) frames.forEach((frame) => ram.release(frame));
  return result;
}

const bytesOf = ({ file }: Machine): Buffer => Buffer.from(VOP_READ(file, 0, 1 << 24) as Uint8Array);

describe('a file that adopts page frames', () => {
  test('holds them and nothing else: no byte is copied, no second page is charged', () => {
    const machine = fixture();
    const frames = [1, 2, 3].map((value) => lend(machine.ram, value));
    const free = machine.ram.free();
    expect(adopt(machine, 0, frames)).toBe(0);
    expect([machine.ram.free(), machine.vfs.meter.ledger.get('copy.bytes'), machine.file.lentFrames]).toEqual([free, 0, 3]);
    expect(machine.file.getattr()).toMatchObject({ size: 3 * PAGE_SIZE, blocks: 24 });
    expect(Buffer.compare(bytesOf(machine), Buffer.concat([1, 2, 3].map((value) => Buffer.alloc(PAGE_SIZE, value))))).toBe(0);
  });

  test('owns a frame alone when its lender lets go, and frees it with the file', () => {
    const machine = fixture();
    const start = machine.ram.free();
    const frame = lend(machine.ram, 7);
    adopt(machine, 0, [frame]);
    machine.ram.release(frame);
    expect([machine.ram.free(), machine.file.lentFrames, bytesOf(machine)[99]]).toEqual([start - 1, 0, 7]);
    machine.vfs.unlink(machine.vfs.kernelContext(), '/f');
    VOP_CLOSE(machine.file);
    expect(machine.ram.free()).toBe(start + 1);
  });

  test('written to, it exchanges the pages that are hit; the lender sees nothing of it', () => {
    const machine = fixture();
    const frames = [1, 2, 3].map((value) => lend(machine.ram, value));
    adopt(machine, 0, frames);
    expect(VOP_WRITE(machine.file, PAGE_SIZE + 10, Buffer.from('xyz'))).toBe(3);
    expect(machine.ram.page(frames[1])[10]).toBe(2);
    expect(bytesOf(machine).subarray(PAGE_SIZE + 9, PAGE_SIZE + 14)).toEqual(Buffer.from([2, 120, 121, 122, 2]));
    expect(VOP_GETPAGES(machine.file, 0, 3)).toEqual([frames[0], -1, frames[2]]);
  });

  test('cut in the middle of a page and grown again it reads as zero behind the cut', () => {
    const machine = fixture();
    adopt(machine, 0, [1, 2, 3].map((value) => lend(machine.ram, value)));
    machine.vfs.truncate(machine.file, PAGE_SIZE + 5);
    machine.vfs.truncate(machine.file, 2 * PAGE_SIZE);
    expect(Buffer.compare(bytesOf(machine), Buffer.concat([Buffer.alloc(PAGE_SIZE, 1), Buffer.alloc(5, 2), Buffer.alloc(PAGE_SIZE - 5)]))).toBe(0);
  });

  test('mapped, it has its bytes in the store like any file, and adopts nothing meanwhile', () => {
    const machine = fixture();
    const frame = lend(machine.ram, 5);
    adopt(machine, 0, [frame]);
    const pager = machine.file.pager();
    if (failed(pager)) throw new Error(`pager: ${pager}`);
    pager.addRef();
    const page = pager.pageIn(0);
    expect([page === frame, machine.ram.page(page)[0], machine.file.frames(0, 1)]).toEqual([false, 5, null]);
    expect(adopt(machine, 0, [frame])).toBe(-Errno.EBUSY);
    machine.ram.release(page);
    pager.release();
  });

  test('the limit of the file system counts them: ENOSPC, and the caller keeps its frames', () => {
    const machine = fixture(1 << 20, 3 * PAGE_SIZE);
    const frames = [1, 2, 3].map((value) => lend(machine.ram, value));
    expect(adopt(machine, 0, frames)).toBe(-Errno.ENOSPC);
    expect([machine.ram.refs[frames[0]], bytesOf(machine).length]).toEqual([1, 0]);
    expect(adopt(machine, 0, frames.slice(0, 2))).toBe(0);
    expect(VOP_WRITE(machine.file, 2 * PAGE_SIZE, Buffer.alloc(1))).toBe(-Errno.ENOSPC);
  });

  test('without a free frame a shared page cannot be written, but the file can be cut and removed', () => {
    const machine = fixture(32 * PAGE_SIZE);
    const frame = lend(machine.ram, 1);
    adopt(machine, 0, [frame]);
    const ballast: number[] = [];
    while (machine.ram.free() > 0) ballast.push(lend(machine.ram, 0));
    expect(VOP_WRITE(machine.file, 0, Buffer.alloc(1))).toBe(-Errno.ENOSPC);
    expect(bytesOf(machine)[0]).toBe(1);
    machine.vfs.unlink(machine.vfs.kernelContext(), '/f');
    VOP_CLOSE(machine.file);
    expect(machine.ram.refs[frame]).toBe(1);
  });

  test.each([['an offset inside a page', 100, -Errno.EINVAL], ['past the largest file', 0x7fff_f000, -Errno.EFBIG]])('%s is refused', (_what, offset, expected) => {
    const { ram, file } = fixture();
    expect(VOP_ADOPT(file, offset, [lend(ram, 1)])).toBe(expected);
  });
});

const step = fc.oneof(
  fc.record({ op: fc.constant('adopt' as const), page: fc.nat(12), values: fc.array(fc.integer({ min: 1, max: 255 }), { minLength: 1, maxLength: 4 }), keep: fc.boolean() }),
  fc.record({ op: fc.constant('write' as const), at: fc.nat(12 * PAGE_SIZE), length: fc.integer({ min: 1, max: 3 * PAGE_SIZE }), value: fc.nat(255) }),
  fc.record({ op: fc.constant('truncate' as const), size: fc.nat(12 * PAGE_SIZE) }),
  fc.record({ op: fc.constant('allocate' as const), at: fc.nat(12 * PAGE_SIZE), length: fc.integer({ min: 1, max: PAGE_SIZE }), keepSize: fc.boolean() }),
  fc.record({ op: fc.constant('reload' as const) }),
);

function grown(model: Buffer, size: number): Buffer {
  return size > model.length ? Buffer.concat([model, Buffer.alloc(size - model.length)]) : model;
}

test('any sequence of adoptions, writes and cuts leaves the bytes a plain file has, and all memory comes back', () => {
  fc.assert(fc.property(fc.array(step, { maxLength: 25 }), (steps) => {
    let machine = fixture();
    const start = machine.ram.free();
    let held: number[] = [];
    let model: Buffer = Buffer.alloc(0);
    for (const one of steps) {
      const { ram, file, vfs } = machine;
      if (one.op === 'adopt') {
        const frames = one.values.map((value) => lend(ram, value));
        expect(adopt(machine, one.page, frames)).toBe(0);
        model = grown(model, (one.page + frames.length) * PAGE_SIZE);
        one.values.forEach((value, i) => model.fill(value, (one.page + i) * PAGE_SIZE, (one.page + i + 1) * PAGE_SIZE));
        if (one.keep) held.push(...frames);
        else frames.forEach((frame) => ram.release(frame));
      } else if (one.op === 'write') {
        expect(VOP_WRITE(file, one.at, Buffer.alloc(one.length, one.value))).toBe(one.length);
        model = grown(model, one.at + one.length).fill(one.value, one.at, one.at + one.length);
      } else if (one.op === 'truncate') {
        expect(vfs.truncate(file, one.size)).toBe(0);
        model = grown(model, one.size).subarray(0, one.size);
      } else if (one.op === 'allocate') {
        expect(VOP_ALLOCATE(file, one.at, one.length, one.keepSize)).toBe(0);
        if (!one.keepSize) model = grown(model, one.at + one.length);
      } else {
        ({ machine, held } = loadGraph(saveGraph({ machine, held })) as { machine: Machine; held: number[] });
      }
      expect(machine.file.getattr().size).toBe(model.length);
      expect(Buffer.compare(bytesOf(machine), model)).toBe(0);
    }
    machine.vfs.unlink(machine.vfs.kernelContext(), '/f');
    VOP_CLOSE(machine.file);
    held.forEach((frame) => machine.ram.release(frame));
    // The name and the inode of the file were all there was.
    expect(machine.ram.free()).toBe(start + 1);
  }), { numRuns: 150 });
}, 30_000);

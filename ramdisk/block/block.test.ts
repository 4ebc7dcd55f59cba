import fc from 'fast-check';
import { Clock, Errno, failed, Ledger, loadGraph, Meter, saveGraph } from '../../emulator/base/index.js';
import { PAGE_SIZE, Ram } from '../../emulator/memory/ram.js';
import { OpenFlag, Vfs, VOP_ADOPT, VOP_ALLOCATE, VOP_CLOSE, VOP_FSYNC, VOP_READ, VOP_WRITE, type NameContext, type Vnode } from '../../emulator/vfs/index.js';
import { fsck } from '../../test/support/fsck.js';
import { BlockFilesystem } from './block-filesystem.js';
import { BLOCK_SIZE, geometryOf } from './layout.js';

interface Machine { vfs: Vfs; ram: Ram; fs: BlockFilesystem; context: NameContext; ledger: Ledger }

/** A disk of `blocks` behind `buffers`. */
function fixture(blocks = 256, buffers = 64): Machine {
  const ram = new Ram((blocks + buffers + 64) * BLOCK_SIZE);
  const ledger = new Ledger();
  const vfs = new Vfs(new Meter(new Clock(580e6), ledger, {}), ram);
  const fs = BlockFilesystem.make(vfs, { bytes: blocks * BLOCK_SIZE, cacheBytes: buffers * BLOCK_SIZE });
  if (!fs) throw new Error('no room for the disk');
  vfs.mountRoot(fs);
  return { vfs, ram, fs, context: vfs.kernelContext(), ledger };
}

function open({ vfs, context }: Machine, path: string): Vnode {
  const vnode = vfs.open(context, path, OpenFlag.RDWR | OpenFlag.CREAT);
  if (failed(vnode)) throw new Error(`open ${path}: ${vnode}`);
  return vnode;
}

function spent({ ledger }: Machine, act: () => void): Record<string, number> {
  const before = ledger.snapshot();
  act();
  return ledger.since(before);
}

const noise = (length: number): Buffer => Buffer.from(Uint8Array.from({ length }, (_, i) => (i * 7 + (i >> 8)) & 0xff));
const sound = ({ fs }: Machine): string[] => {
  fs.sync();
  return fsck(fs.cache.disk);
};

describe('what a write costs', () => {
  test('every byte is copied twice: into a buffer at the write, to the disk at the fsync, block by block', () => {
    const machine = fixture();
    const vnode = open(machine, '/f');
    machine.fs.sync();
    const content = noise(10 * BLOCK_SIZE);
    const atWrite = spent(machine, () => VOP_WRITE(vnode, 0, content));
    expect(atWrite['copy.bytes']).toBe(content.length);
    expect(atWrite['bio.write']).toBeUndefined();
    expect(atWrite['buf.miss']).toBe(10);
    const atSync = spent(machine, () => VOP_FSYNC(vnode));
    // Ten blocks and the one with the inode.
    expect(atSync).toMatchObject({ 'bio.write': 11, 'copy.bytes': 11 * BLOCK_SIZE });
    expect(spent(machine, () => VOP_FSYNC(vnode))['bio.write']).toBeUndefined();
  });

  test('what is in the cache is read from there, what is not comes from the disk', () => {
    const machine = fixture(256, 32);
    const vnode = open(machine, '/f');
    VOP_WRITE(vnode, 0, noise(20 * BLOCK_SIZE));
    expect(spent(machine, () => VOP_READ(vnode, 0, 20 * BLOCK_SIZE))['bio.read']).toBeUndefined();
    VOP_WRITE(open(machine, '/g'), 0, noise(40 * BLOCK_SIZE));
    // The 20 blocks and the indirect one, which was driven out too.
    expect(spent(machine, () => VOP_READ(vnode, 0, 20 * BLOCK_SIZE))['bio.read']).toBe(21);
  });

  test('a full cache writes the longest unused block to the disk, without a sync', () => {
    const machine = fixture(256, 32);
    const vnode = open(machine, '/f');
    const content = noise(60 * BLOCK_SIZE);
    expect(spent(machine, () => VOP_WRITE(vnode, 0, content))['bio.write']).toBeGreaterThan(25);
    expect(Buffer.compare(VOP_READ(vnode, 0, content.length) as Uint8Array, content)).toBe(0);
  });

  test('bytes that were read stay what they were when their buffer is needed for another block', () => {
    const machine = fixture(256, 32);
    const vnode = open(machine, '/f');
    VOP_WRITE(vnode, 0, Buffer.from('hello'));
    const bytes = VOP_READ(vnode, 0, 5) as Uint8Array;
    VOP_WRITE(open(machine, '/g'), 0, noise(80 * BLOCK_SIZE));
    expect(Buffer.from(bytes).toString()).toBe('hello');
  });

  test('a block overwritten whole is not read before, one written in part is', () => {
    const machine = fixture(256, 32);
    const vnode = open(machine, '/f');
    VOP_WRITE(vnode, 0, noise(2 * BLOCK_SIZE));
    VOP_WRITE(open(machine, '/g'), 0, noise(80 * BLOCK_SIZE));
    vnode.setattr({ mode: 0o600 });
    const reads = (act: () => void): number => spent(machine, act)['bio.read'] ?? 0;
    expect(reads(() => VOP_WRITE(vnode, 0, noise(BLOCK_SIZE)))).toBe(0);
    expect(reads(() => VOP_WRITE(vnode, BLOCK_SIZE, noise(10)))).toBe(1);
  });

  test('deleted before it was synced, a file costs the disk nothing', () => {
    const machine = fixture();
    machine.fs.sync();
    const vnode = open(machine, '/f');
    VOP_WRITE(vnode, 0, noise(10 * BLOCK_SIZE));
    machine.vfs.unlink(machine.context, '/f');
    VOP_CLOSE(vnode);
    expect(spent(machine, () => machine.fs.sync())['bio.write']).toBeLessThan(8);
    expect(sound(machine)).toEqual([]);
  });

  test('the RAM of disk, buffers and vnodes is taken at the mount, and files take none', () => {
    const machine = fixture(256, 64);
    const { inodes } = geometryOf(256);
    const free = machine.ram.free();
    expect(machine.ram.frames - free).toBe(((256 + 64) * BLOCK_SIZE + inodes * 256) / PAGE_SIZE);
    VOP_WRITE(open(machine, '/f'), 0, noise(100_000));
    expect(machine.ram.free()).toBe(free);
  });

  test('a device without the RAM gets no disk, and keeps what it has', () => {
    const ram = new Ram(1 << 20);
    const vfs = new Vfs(new Meter(new Clock(1e6), new Ledger(), {}), ram);
    expect(BlockFilesystem.make(vfs, { bytes: 2 << 20, cacheBytes: 0 })).toBeNull();
    expect(ram.free()).toBe(256);
  });
});

describe('files', () => {
  test('have holes that cost nothing and read as zero, as far out as two levels of indirect blocks lead', () => {
    const machine = fixture();
    const { free } = machine.fs.statfs();
    const vnode = open(machine, '/sparse');
    const far = 0x7fff_fffe;
    expect(VOP_WRITE(vnode, far, Buffer.from([9]))).toBe(1);
    expect(free - machine.fs.statfs().free).toBe(3);
    expect([...VOP_READ(vnode, far - 2, 10) as Uint8Array]).toEqual([0, 0, 9]);
    expect(VOP_WRITE(vnode, 0x7fff_ffff, Buffer.alloc(1))).toBe(-Errno.EFBIG);
    expect(machine.vfs.truncate(vnode, 1 << 30)).toBe(0);
    expect(free - machine.fs.statfs().free).toBe(0);
    expect(sound(machine)).toEqual([]);
  });

  test('cannot be given room in advance, nor pages', () => {
    const machine = fixture();
    const vnode = open(machine, '/f');
    expect([VOP_ALLOCATE(vnode, 0, 100), VOP_ADOPT(vnode, 0, [])]).toEqual([-Errno.EOPNOTSUPP, -Errno.EOPNOTSUPP]);
  });

  test('links of every length keep their target', () => {
    const machine = fixture();
    for (const length of [1, 55, 56, 57, 4095]) {
      expect(machine.vfs.symlink(machine.context, 't'.repeat(length), `/l${length}`)).toBe(0);
      expect(machine.vfs.readlink(machine.context, `/l${length}`)).toBe('t'.repeat(length));
    }
    expect(sound(machine)).toEqual([]);
  });

  test('a name that is no bytes is refused, not mangled', () => {
    const { vfs, context } = fixture();
    expect([vfs.mkdir(context, '/\u0416', 0o755), vfs.symlink(context, '\u0416', '/l')]).toEqual([-Errno.EINVAL, -Errno.EINVAL]);
  });
});

describe('directories', () => {
  test('grow over many blocks, lose names and take new ones; a listing goes on where it was whatever happens to other names', () => {
    const machine = fixture(600);
    const { vfs, context, fs } = machine;
    const name = (i: number): string => `/${String(i).padStart(100, 'n')}`;
    for (let i = 0; i < 400; i++) expect(vfs.mknod(context, name(i), 'fifo', 0o600, 0)).toBe(0);
    const size = fs.root().getattr().size;
    expect(size).toBeGreaterThan(4 * BLOCK_SIZE);
    const all = fs.root().readdir(0);
    if (failed(all)) throw new Error(`readdir: ${all}`);
    for (let i = 0; i < 400; i += 2) vfs.unlink(context, name(i));
    const rest = fs.root().readdir(all[201].cookie);
    const odd = all.slice(202).filter((entry) => Number(entry.name.replaceAll('n', '')) % 2 === 1);
    expect(rest).toEqual(odd);
    expect(odd.length).toBe(100);
    for (let i = 0; i < 400; i += 2) expect(vfs.mknod(context, name(i), 'fifo', 0o600, 0)).toBe(0);
    expect(fs.root().getattr().size).toBe(size);
    expect(sound(machine)).toEqual([]);
  });

  test('on a full disk a name that needs another block is ENOSPC, and nothing is left of it', () => {
    const machine = fixture(64);
    const { vfs, context, fs } = machine;
    VOP_WRITE(open(machine, '/big'), 0, Buffer.alloc(1 << 20));
    expect(fs.statfs().free).toBe(0);
    const long = (i: number): string => `/${String(i).padStart(250, 'x')}`;
    let made = 0;
    while (vfs.mknod(context, long(made), 'fifo', 0o600, 0) === 0) made++;
    const { filesFree } = fs.statfs();
    expect(vfs.mknod(context, long(made), 'fifo', 0o600, 0)).toBe(-Errno.ENOSPC);
    expect(vfs.mkdir(context, '/d', 0o755)).toBe(-Errno.ENOSPC);
    expect(vfs.rename(context, '/big', context, long(made))).toBe(-Errno.ENOSPC);
    expect([fs.statfs().filesFree, fs.statfs().free]).toEqual([filesFree, 0]);
    expect(sound(machine)).toEqual([]);
  });

  test('moved, a directory leads up to its new parent', () => {
    const machine = fixture();
    const { vfs, context } = machine;
    for (const path of ['/a', '/b', '/a/c']) vfs.mkdir(context, path, 0o755);
    expect(vfs.rename(context, '/a/c', context, '/b/d')).toBe(0);
    expect(vfs.pathOf(vfs.find(context, '/b/d') as Vnode, vfs.root)).toBe('/b/d');
    expect((vfs.find(context, '/b/d/..') as Vnode).getattr().ino).toBe((vfs.find(context, '/b') as Vnode).getattr().ino);
    expect(vfs.rename(context, '/b', context, '/b/d/e')).toBe(-Errno.EINVAL);
    expect(sound(machine)).toEqual([]);
  });
});

test('an observer moves nothing: no count, no buffer, whatever is looked at', () => {
  const machine = fixture(256, 32);
  machine.vfs.mkdir(machine.context, '/d', 0o755);
  const vnode = open(machine, '/d/f');
  VOP_WRITE(vnode, 0, noise(60 * BLOCK_SIZE));
  const before = saveGraph(machine);
  expect(Buffer.compare(vnode.peek(0, 60 * BLOCK_SIZE) as Uint8Array, noise(60 * BLOCK_SIZE))).toBe(0);
  machine.vfs.pathOf(machine.vfs.quietly(() => machine.vfs.root.lookup('d')) as Vnode, machine.vfs.root);
  expect(Buffer.compare(saveGraph(machine), before)).toBe(0);
});

test('a snapshot taken in the middle of anything goes on with the same counts', () => {
  const machine = fixture(256, 32);
  VOP_WRITE(open(machine, '/f'), 0, noise(60 * BLOCK_SIZE));
  const loaded = loadGraph(saveGraph(machine)) as Machine;
  for (const one of [machine, loaded]) {
    VOP_WRITE(open(one, '/g'), 5, noise(9 * BLOCK_SIZE));
    one.vfs.unlink(one.context, '/f');
    VOP_FSYNC(open(one, '/g'));
  }
  expect(loaded.ledger.snapshot()).toEqual(machine.ledger.snapshot());
  expect(Buffer.compare(saveGraph(loaded), saveGraph(machine))).toBe(0);
});

const write = fc.record({ file: fc.constantFrom('/a', '/b'), at: fc.nat(40 * BLOCK_SIZE), length: fc.integer({ min: 1, max: 5 * BLOCK_SIZE }), value: fc.nat(255), op: fc.constantFrom('write', 'cut', 'sync') });

test('any writes and cuts, with a cache that holds little of them, leave the bytes a plain file has and a sound disk', () => {
  fc.assert(fc.property(fc.array(write, { minLength: 5, maxLength: 30 }), (steps) => {
    const machine = fixture(140, 32);
    const models = new Map([['/a', Buffer.alloc(0) as Buffer], ['/b', Buffer.alloc(0) as Buffer]]);
    for (const { file, at, length, value, op } of steps) {
      const vnode = open(machine, file);
      const model = models.get(file) as Buffer;
      const extended = (size: number): Buffer => Buffer.concat([model, Buffer.alloc(Math.max(0, size - model.length))]);
      if (op === 'sync') VOP_FSYNC(vnode);
      else if (op === 'cut') models.set(file, (machine.vfs.truncate(vnode, at), extended(at).subarray(0, at)));
      else if (VOP_WRITE(vnode, at, Buffer.alloc(length, value)) === length) models.set(file, extended(at + length).fill(value, at, at + length));
      VOP_CLOSE(vnode);
    }
    for (const [file, model] of models) expect(Buffer.compare(VOP_READ(open(machine, file), 0, 1 << 24) as Uint8Array, model)).toBe(0);
    expect(sound(machine)).toEqual([]);
  }), { numRuns: 40 });
}, 30_000);

test('fsck finds what is wrong: a lost block, a wrong link count, a name without an inode', () => {
  const machine = fixture();
  VOP_WRITE(open(machine, '/f'), 0, noise(BLOCK_SIZE));
  machine.fs.sync();
  const { disk } = machine.fs.cache;
  const { blockBitmap, inodeTable } = machine.fs.geometry;
  disk.peek(blockBitmap)[20] |= 1;
  disk.peek(inodeTable)[128 * 3 + 2]++;
  disk.peek(inodeTable).fill(0, 128 * 2, 128 * 2 + 2);
  expect(fsck(disk).length).toBeGreaterThan(2);
});

import { Clock, Errno, failed, Ledger, loadGraph, Meter, saveGraph } from '../emulator/base/index.js';
import { Ram } from '../emulator/memory/ram.js';
import { OpenFlag, Vfs, VOP_CLOSE, VOP_READ, VOP_WRITE, type NameContext, type Vnode } from '../emulator/vfs/index.js';
import { mountRamdisk, pagesLeft, ramdiskKinds, type RamdiskKind } from '../test/support/ramdisks.js';

interface Fixture { vfs: Vfs; ram: Ram; context: NameContext }

function fixture(kind: RamdiskKind, bytes = 8 << 20): Fixture {
  const ram = new Ram(bytes);
  const vfs = new Vfs(new Meter(new Clock(580e6), new Ledger(), {}), ram);
  mountRamdisk(vfs, kind);
  return { vfs, ram, context: vfs.kernelContext() };
}

const { RDWR, CREAT, EXCL, TRUNC, DIRECTORY, NOFOLLOW } = OpenFlag;

function open({ vfs, context }: Fixture, path: string, flags: number = RDWR | CREAT): Vnode {
  const vnode = vfs.open(context, path, flags);
  if (failed(vnode)) throw new Error(`open ${path}: ${vnode}`);
  return vnode;
}

function put(machine: Fixture, path: string, content: string): void {
  const vnode = open(machine, path, RDWR | CREAT | TRUNC);
  expect(VOP_WRITE(vnode, 0, Buffer.from(content))).toBe(content.length);
  VOP_CLOSE(vnode);
}

function get(machine: Fixture, path: string): string | number {
  const vnode = machine.vfs.open(machine.context, path, 0);
  if (failed(vnode)) return vnode;
  const bytes = VOP_READ(vnode, 0, 1 << 24);
  VOP_CLOSE(vnode);
  return Buffer.from(bytes as Uint8Array).toString('latin1');
}

describe.each(ramdiskKinds)('%s', (kind) => {
  describe('files', () => {
    test('what is written is read, at any offset, and gaps are zero', () => {
      const machine = fixture(kind);
      const vnode = open(machine, '/f');
      VOP_WRITE(vnode, 0, Buffer.from('hello'));
      VOP_WRITE(vnode, 8, [Buffer.from('wo'), Buffer.from('rld')]);
      expect(Buffer.from(VOP_READ(vnode, 0, 100) as Uint8Array).toString('latin1')).toBe('hello\0\0\0world');
      expect(VOP_READ(vnode, 13, 10)).toHaveLength(0);
      expect(vnode.getattr().size).toBe(13);
    });

    test('a write past the end of the ramdisk fails with ENOSPC after what fitted was written', () => {
      const machine = fixture(kind, 1 << 20);
      const vnode = open(machine, '/big');
      const { free, blockSize } = machine.vfs.root.fs.statfs();
      const written = VOP_WRITE(vnode, 0, Buffer.alloc(2 << 20, 1));
      expect(written).toBeGreaterThan(0.9 * free * blockSize);
      expect(written).toBeLessThanOrEqual(free * blockSize);
      expect(VOP_WRITE(vnode, written, Buffer.alloc(1))).toBe(-Errno.ENOSPC);
      expect(machine.vfs.root.fs.statfs().free).toBe(0);
    });

    test('deleting files gives all their memory back', () => {
      const machine = fixture(kind);
      const free = pagesLeft(machine.vfs);
      for (let i = 0; i < 200; i++) put(machine, `/f${i}`, 'x'.repeat(i * 100));
      expect(pagesLeft(machine.vfs)).toBeLessThan(free - 200);
      for (let i = 0; i < 200; i++) expect(machine.vfs.unlink(machine.context, `/f${i}`)).toBe(0);
      expect(pagesLeft(machine.vfs)).toBe(free);
    });

    test('an unlinked file keeps its data until the last close', () => {
      const machine = fixture(kind);
      const free = pagesLeft(machine.vfs);
      const vnode = open(machine, '/f');
      VOP_WRITE(vnode, 0, Buffer.alloc(100_000, 7));
      machine.vfs.unlink(machine.context, '/f');
      expect((VOP_READ(vnode, 99_999, 1) as Uint8Array)[0]).toBe(7);
      VOP_CLOSE(vnode);
      expect(pagesLeft(machine.vfs)).toBe(free);
    });

    test('shrinking and growing again shows zeros, not the old bytes', () => {
      const machine = fixture(kind);
      const vnode = open(machine, '/f');
      VOP_WRITE(vnode, 0, Buffer.alloc(300_000, 9));
      machine.vfs.truncate(vnode, 5);
      machine.vfs.truncate(vnode, 200_000);
      const bytes = VOP_READ(vnode, 0, 300_000) as Uint8Array;
      expect(Buffer.compare(bytes, Buffer.concat([Buffer.alloc(5, 9), Buffer.alloc(199_995)]))).toBe(0);
    });

    test('a new file that reuses a deleted one\'s buffer never shows its bytes', () => {
      const machine = fixture(kind);
      put(machine, '/old', 'secret'.repeat(50_000));
      machine.vfs.unlink(machine.context, '/old');
      const vnode = open(machine, '/new');
      machine.vfs.truncate(vnode, 290_000);
      expect(Buffer.compare(VOP_READ(vnode, 0, 290_000) as Uint8Array, Buffer.alloc(290_000))).toBe(0);
    });
  });

  describe('open', () => {
    test.each([
      ['a missing name', '/missing', 0, -Errno.ENOENT],
      ['a directory for writing', '/d', RDWR, -Errno.EISDIR],
      ['a file as a directory', '/f', DIRECTORY, -Errno.ENOTDIR],
      ['an existing file exclusively', '/f', RDWR | CREAT | EXCL, -Errno.EEXIST],
      ['below a file', '/f/x', 0, -Errno.ENOTDIR],
      ['a file with a slash', '/f/', 0, -Errno.ENOTDIR],
      ['a link not followed', '/l', NOFOLLOW, -Errno.ELOOP],
      ['a link exclusively', '/l', CREAT | EXCL | RDWR, -Errno.EEXIST],
      ['a loop', '/loop', 0, -Errno.ELOOP],
      ['a dangling link', '/dangling', 0, -Errno.ENOENT],
      ['a long name', `/${'n'.repeat(256)}`, RDWR | CREAT, -Errno.ENAMETOOLONG],
      ['a long path', `/${'d/'.repeat(3000)}`, 0, -Errno.ENAMETOOLONG],
      ['an empty path', '', 0, -Errno.ENOENT],
    ])('%s', (_what, path, flags, expected) => {
      const machine = fixture(kind);
      const { vfs, context } = machine;
      vfs.mkdir(context, '/d', 0o755);
      put(machine, '/f', 'x');
      vfs.symlink(context, 'f', '/l');
      vfs.symlink(context, '/loop', '/loop');
      vfs.symlink(context, '/d/nowhere', '/dangling');
      expect(vfs.open(context, path, flags)).toBe(expected);
    });

    test('creating through a dangling link makes its target', () => {
      const machine = fixture(kind);
      machine.vfs.symlink(machine.context, 'target', '/l');
      put(machine, '/l', 'abc');
      expect(get(machine, '/target')).toBe('abc');
    });
  });

  describe('snapshot', () => {
    test('the tree, hard links, open deleted files and memory charges survive', () => {
      const machine = fixture(kind);
      const { vfs, context } = machine;
      vfs.mkdir(context, '/a', 0o755);
      vfs.mkdir(context, '/a/b', 0o700);
      put(machine, '/a/b/f', 'content');
      vfs.link(context, vfs.find(context, '/a/b/f') as Vnode, '/hard');
      vfs.symlink(context, 'a/b', '/s');
      const deleted = open(machine, '/gone');
      VOP_WRITE(deleted, 0, Buffer.alloc(70_000, 3));
      vfs.unlink(context, '/gone');
      const loaded = loadGraph(saveGraph({ vfs, ram: machine.ram, deleted, context })) as Fixture & { deleted: Vnode };
      expect(get(loaded, '/s/f')).toBe('content');
      put(loaded, '/hard', 'changed');
      expect(get(loaded, '/a/b/f')).toBe('changed');
      expect(loaded.vfs.pathOf(loaded.vfs.find(loaded.context, '/s') as Vnode, loaded.vfs.root)).toBe('/a/b');
      expect((VOP_READ(loaded.deleted, 69_999, 1) as Uint8Array)[0]).toBe(3);
      const free = pagesLeft(loaded.vfs);
      expect(free).toBe(pagesLeft(machine.vfs));
      VOP_CLOSE(loaded.deleted);
      expect(pagesLeft(loaded.vfs)).toBe(free + 18);
    });
  });

  describe('a hostile guest', () => {
    test('a chain of directories deeper than any path costs memory in proportion, and survives a snapshot', () => {
      const machine = fixture(kind, 16 << 20);
      const blocks = machine.vfs.root.fs.statfs().free;
      let { context } = machine;
      let depth = 0;
      for (; depth < 5_000; depth++) {
        const made = machine.vfs.mkdir(context, 'd', 0o755);
        if (made !== 0) break;
        context = { ...context, cwd: machine.vfs.find(context, 'd') as Vnode };
      }
      expect(depth).toBe(kind === 'tmpfs' ? 5_000 : blocks);
      expect(machine.vfs.pathOf(context.cwd, machine.vfs.root)).toHaveLength(2 * depth);
      expect(machine.vfs.rename(machine.context, '/d', context, 'x')).toBe(-Errno.EINVAL);
      const loaded = loadGraph(saveGraph({ vfs: machine.vfs, ram: machine.ram, context })) as Fixture;
      expect(loaded.vfs.pathOf(loaded.context.cwd, loaded.vfs.root)).toHaveLength(2 * depth);
    });

    test('empty files and names end with ENOSPC too', () => {
      const machine = fixture(kind, 1 << 20);
      let made = 0;
      for (; made < 10_000; made++) {
        const vnode = machine.vfs.open(machine.context, `/f${made}`, RDWR | CREAT);
        if (vnode === -Errno.ENOSPC) break;
        VOP_CLOSE(vnode as Vnode);
      }
      expect(made).toBeLessThan(3000);
      expect(machine.vfs.unlink(machine.context, '/f1')).toBe(0);
      put(machine, '/f', '');
    });
  });
});

test('one byte at a huge offset is refused by a tmpfs before memory is taken', () => {
  const machine = fixture('tmpfs', 4 << 20);
  const vnode = open(machine, '/sparse');
  const free = pagesLeft(machine.vfs);
  expect(VOP_WRITE(vnode, 0x7fff_fffe, Buffer.alloc(1))).toBe(-Errno.ENOSPC);
  expect(VOP_WRITE(vnode, 0x7fff_ffff, Buffer.alloc(1))).toBe(-Errno.EFBIG);
  expect(VOP_WRITE(vnode, 2 ** 40, Buffer.alloc(1))).toBe(-Errno.EFBIG);
  expect(machine.vfs.truncate(vnode, 1 << 30)).toBe(-Errno.ENOSPC);
  expect(pagesLeft(machine.vfs)).toBe(free);
});

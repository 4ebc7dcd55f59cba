import { Clock, Errno, failed, Ledger, loadGraph, Meter, saveGraph } from '../base/index.js';
import { FrameUse, PAGE_SIZE, Ram } from '../memory/ram.js';
import { Ramdisk } from '../../ramdisk/index.js';
import { mountRamdisk, pagesLeft, ramdiskKinds, type RamdiskKind } from '../../test/support/ramdisks.js';
import {
  OpenFlag, Vfs, VOP_CLOSE, VOP_FSYNC, VOP_GETATTR, VOP_READ, VOP_WRITE, type Cred, type NameContext, type Vnode, type VnodePager, type VopName,
} from './index.js';

const { RDONLY, WRONLY, RDWR, CREAT, TRUNC, TMPFILE } = OpenFlag;
const user = (uid: number, groups: number[] = []): Cred => ({ uid, gid: uid, euid: uid, egid: uid, groups });

interface Fixture { vfs: Vfs; ram: Ram; clock: Clock; ledger: Ledger; root: NameContext; as(cred: Cred): NameContext }

function fixture(kind: RamdiskKind): Fixture {
  const clock = new Clock(1e9);
  const ledger = new Ledger();
  const ram = new Ram(4 << 20);
  const vfs = new Vfs(new Meter(clock, ledger, { 'vop.write': 10 }), ram);
  mountRamdisk(vfs, kind);
  const root = vfs.kernelContext();
  return { vfs, ram, clock, ledger, root, as: (cred) => ({ ...root, cred, umask: 0o022 }) };
}

function vnodeAt({ vfs, root }: Fixture, path: string, follow = true): Vnode {
  const vnode = vfs.find(root, path, follow);
  if (failed(vnode)) throw new Error(`${path}: ${vnode}`);
  return vnode;
}

function put(machine: Fixture, path: string, content: string, context = machine.root): void {
  const vnode = machine.vfs.open(context, path, RDWR | CREAT | TRUNC, 0o666);
  if (failed(vnode)) throw new Error(`${path}: ${vnode}`);
  VOP_WRITE(vnode, 0, Buffer.from(content));
  VOP_CLOSE(vnode);
}

const text = (vnode: Vnode): string => Buffer.from(VOP_READ(vnode, 0, 1 << 20) as Uint8Array).toString('latin1');

describe.each(ramdiskKinds)('%s', (kind) => {
  describe('permissions', () => {
    test('the owner\'s bits count for the owner, the group\'s for members, the others\' for the rest', () => {
      const machine = fixture(kind);
      put(machine, '/f', 'x');
      const file = vnodeAt(machine, '/f');
      file.setattr({ mode: 0o640, uid: 10, gid: 20 });
      const may = (cred: Cred, flags: number): boolean => {
        const opened = machine.vfs.open(machine.as(cred), '/f', flags);
        if (!failed(opened)) VOP_CLOSE(opened);
        return !failed(opened);
      };
      expect([may(user(10), RDWR), may(user(11, [20]), RDONLY), may(user(11, [20]), WRONLY), may(user(12), RDONLY), may(user(0), RDWR)]).toEqual([true, true, false, false, true]);
      file.setattr({ mode: 0o044 });
      expect([may(user(10), RDONLY), may(user(12), RDONLY)]).toEqual([false, true]);
    });

    test('a directory without search permission hides what is in it', () => {
      const machine = fixture(kind);
      machine.vfs.mkdir(machine.root, '/d', 0o700);
      put(machine, '/d/f', 'x');
      expect(machine.vfs.find(machine.as(user(5)), '/d/f')).toBe(-Errno.EACCES);
      expect(machine.vfs.find(machine.as(user(5)), '/d/none')).toBe(-Errno.EACCES);
    });

    test('in a sticky directory only the owner of a file removes or renames it', () => {
      const machine = fixture(kind);
      const { vfs } = machine;
      vfs.mkdir(machine.root, '/tmp', 0o1777);
      put(machine, '/tmp/mine', 'x', machine.as(user(7)));
      const stranger = machine.as(user(8));
      expect(vfs.unlink(stranger, '/tmp/mine')).toBe(-Errno.EPERM);
      expect(vfs.rename(stranger, '/tmp/mine', stranger, '/tmp/other')).toBe(-Errno.EPERM);
      expect(vfs.unlink(machine.as(user(7)), '/tmp/mine')).toBe(0);
    });

    test('the superuser may not execute what nobody may', () => {
      const machine = fixture(kind);
      put(machine, '/f', 'x');
      const file = vnodeAt(machine, '/f');
      expect(machine.vfs.checkAccess(file, 1, user(0))).toBe(-Errno.EACCES);
      file.setattr({ mode: 0o100 });
      expect(machine.vfs.checkAccess(file, 1, user(0))).toBe(0);
    });

    test('chmod, chown and utimes obey ownership; a new owner loses the set-id bits', () => {
      const machine = fixture(kind);
      const { vfs } = machine;
      put(machine, '/f', 'x', machine.as(user(0)));
      const file = vnodeAt(machine, '/f');
      file.setattr({ mode: 0o4755, uid: 5, gid: 5 });
      expect(vfs.chmod(file, 0o600, user(6))).toBe(-Errno.EPERM);
      expect(vfs.chown(file, 6, -1, user(5))).toBe(-Errno.EPERM);
      expect(vfs.chown(file, -1, 9, user(5, [9]))).toBe(0);
      expect(file.getattr()).toMatchObject({ gid: 9, mode: 0o755 });
      expect(vfs.setTimes(file, { sec: 5, nsec: 7 }, { sec: 6, nsec: 999_999_999 }, user(6))).toBe(-Errno.EPERM);
      expect(vfs.setTimes(file, { sec: 5, nsec: 7 }, { sec: 6, nsec: 999_999_999 }, user(5))).toBe(0);
      expect(file.getattr()).toMatchObject({ atime: { sec: 5, nsec: 7 }, mtime: { sec: 6, nsec: 999_999_999 } });
    });

    test('umask and the set-group-id bit of the directory shape what is created', () => {
      const machine = fixture(kind);
      machine.vfs.mkdir(machine.root, '/d', 0o777);
      vnodeAt(machine, '/d').setattr({ mode: 0o2777, gid: 42 });
      put(machine, '/d/f', 'x', machine.as(user(3)));
      machine.vfs.mkdir(machine.as(user(3)), '/d/e', 0o777);
      expect(vnodeAt(machine, '/d/f').getattr()).toMatchObject({ mode: 0o644, uid: 3, gid: 42 });
      expect(vnodeAt(machine, '/d/e').getattr()).toMatchObject({ mode: 0o2755, gid: 42 });
    });
  });

  describe('names', () => {
    test('rename moves the link, not what it points to; unlink removes the link', () => {
      const machine = fixture(kind);
      put(machine, '/f', 'target');
      machine.vfs.symlink(machine.root, 'f', '/l');
      expect(machine.vfs.rename(machine.root, '/l', machine.root, '/m')).toBe(0);
      expect(machine.vfs.readlink(machine.root, '/m')).toBe('f');
      expect(machine.vfs.unlink(machine.root, '/m')).toBe(0);
      expect(text(vnodeAt(machine, '/f'))).toBe('target');
    });

    test.each([
      ['rmdir of "."', (m: Fixture) => m.vfs.rmdir(m.root, '/d/.'), -Errno.EINVAL],
      ['rmdir of ".."', (m: Fixture) => m.vfs.rmdir(m.root, '/d/..'), -Errno.ENOTEMPTY],
      ['rmdir of the root', (m: Fixture) => m.vfs.rmdir(m.root, '/'), -Errno.EBUSY],
      ['rename of the root', (m: Fixture) => m.vfs.rename(m.root, '/', m.root, '/x'), -Errno.EBUSY],
      ['a file renamed with a slash', (m: Fixture) => m.vfs.rename(m.root, '/f', m.root, '/g/'), -Errno.ENOTDIR],
      ['a directory renamed below itself', (m: Fixture) => m.vfs.rename(m.root, '/d', m.root, '/d/e/x'), -Errno.EINVAL],
      ['mkdir over a file', (m: Fixture) => m.vfs.mkdir(m.root, '/f', 0o755), -Errno.EEXIST],
      ['mkdir below a file', (m: Fixture) => m.vfs.mkdir(m.root, '/f/x', 0o755), -Errno.ENOTDIR],
      ['a directory linked', (m: Fixture) => m.vfs.link(m.root, vnodeAt(m, '/d'), '/h'), -Errno.EPERM],
      ['rename that must not replace', (m: Fixture) => m.vfs.rename(m.root, '/f', m.root, '/d', true), -Errno.EEXIST],
      ['unlink with a slash', (m: Fixture) => m.vfs.unlink(m.root, '/f/'), -Errno.ENOTDIR],
      ['mkdir with a slash', (m: Fixture) => m.vfs.mkdir(m.root, '/new/', 0o755), 0],
      ['a link to nothing with an empty target', (m: Fixture) => m.vfs.symlink(m.root, '', '/e'), -Errno.ENOENT],
      ['41 links', (m: Fixture) => m.vfs.find(m.root, '/chain41') as number, -Errno.ELOOP],
      ['40 links', (m: Fixture) => (failed(m.vfs.find(m.root, '/chain40')) ? -1 : 0), 0],
    ])('%s', (_what, call, expected) => {
      const machine = fixture(kind);
      machine.vfs.mkdir(machine.root, '/d', 0o755);
      machine.vfs.mkdir(machine.root, '/d/e', 0o755);
      put(machine, '/f', 'x');
      for (let i = 1; i <= 41; i++) machine.vfs.symlink(machine.root, i === 1 ? 'f' : `chain${i - 1}`, `/chain${i}`);
      expect(call(machine)).toBe(expected);
    });

    test('a removed working directory is empty for ever and has no path', () => {
      const machine = fixture(kind);
      const { vfs } = machine;
      vfs.mkdir(machine.root, '/d', 0o755);
      const inside: NameContext = { ...machine.root, cwd: vnodeAt(machine, '/d') };
      vfs.rmdir(machine.root, '/d');
      expect(vfs.open(inside, 'x', RDWR | CREAT, 0o644)).toBe(-Errno.ENOENT);
      expect(vfs.pathOf(inside.cwd, vfs.root)).toBe(-Errno.ENOENT);
      expect(vfs.list(inside.cwd)).toEqual([]);
      const loaded = loadGraph(saveGraph({ vfs, ram: machine.ram, inside })) as { vfs: Vfs; inside: NameContext };
      expect(loaded.vfs.list(loaded.inside.cwd)).toEqual([]);
    });

    test('a directory read in parts shows every entry once although others are removed on the way', () => {
      const machine = fixture(kind);
      for (let i = 0; i < 50; i++) put(machine, `/f${i}`, '');
      const seen: string[] = [];
      let cookie = 0;
      for (;;) {
        const entries = machine.vfs.root.readdir(cookie);
        if (failed(entries) || entries.length === 0) break;
        const [entry] = entries;
        cookie = entry.cookie;
        seen.push(entry.name);
        if (entry.name.startsWith('f')) machine.vfs.unlink(machine.root, `/${entry.name}`);
      }
      expect(seen).toEqual(['.', '..', ...Array.from({ length: 50 }, (_, i) => `f${i}`)]);
    });

    test('a file made without a name gets one by link, and goes without', () => {
      const machine = fixture(kind);
      const free = machine.ram.free();
      const vnode = machine.vfs.open(machine.root, '/', RDWR | TMPFILE, 0o600) as Vnode;
      VOP_WRITE(vnode, 0, Buffer.alloc(10_000, 1));
      expect(vnode.getattr().nlink).toBe(0);
      expect(machine.vfs.link(machine.root, vnode, '/named')).toBe(0);
      VOP_CLOSE(vnode);
      expect(text(vnodeAt(machine, '/named'))).toHaveLength(10_000);
      machine.vfs.unlink(machine.root, '/named');
      const other = machine.vfs.open(machine.root, '/', RDWR | TMPFILE, 0o600) as Vnode;
      VOP_WRITE(other, 0, Buffer.alloc(10_000, 1));
      VOP_CLOSE(other);
      expect(machine.ram.free()).toBe(free);
    });
  });

  describe('mounts', () => {
    test('a mounted file system covers its directory; .. leads out of it; names do not move across', () => {
      const machine = fixture(kind);
      const { vfs, root } = machine;
      vfs.mkdir(root, '/mnt', 0o755);
      put(machine, '/mnt/below', 'covered');
      expect(vfs.mount(root, '/mnt', new Ramdisk(vfs, { name: 'tmpfs', maxBytes: 8192 }))).toBe(0);
      expect(vfs.find(root, '/mnt/below')).toBe(-Errno.ENOENT);
      vfs.mkdir(root, '/mnt/sub', 0o755);
      const inside: NameContext = { ...root, cwd: vnodeAt(machine, '/mnt/sub') };
      expect(vfs.pathOf(inside.cwd, vfs.root)).toBe('/mnt/sub');
      expect(vfs.find(inside, '../..')).toBe(vfs.root);
      put(machine, '/mnt/f', 'x');
      expect(vfs.rename(root, '/mnt/f', root, '/f')).toBe(-Errno.EXDEV);
      expect(vfs.rmdir(root, '/mnt')).toBe(-Errno.EBUSY);
      expect(vfs.mounts.map((mount) => mount.path)).toEqual(['/', '/mnt']);
      expect(vfs.unmount(root, '/mnt')).toBe(0);
      expect(text(vnodeAt(machine, '/mnt/below'))).toBe('covered');
    });

    test('a limit of its own ends a tmpfs before the device is full', () => {
      const machine = fixture(kind);
      machine.vfs.mkdir(machine.root, '/mnt', 0o755);
      const before = pagesLeft(machine.vfs);
      machine.vfs.mount(machine.root, '/mnt', new Ramdisk(machine.vfs, { maxBytes: 5 * PAGE_SIZE }));
      const vnode = machine.vfs.open(machine.root, '/mnt/f', RDWR | CREAT) as Vnode;
      expect(VOP_WRITE(vnode, 0, Buffer.alloc(100_000))).toBe(4 * PAGE_SIZE);
      expect(before - pagesLeft(machine.vfs)).toBeLessThan(8);
    });

    test('chroot is a wall', () => {
      const machine = fixture(kind);
      machine.vfs.mkdir(machine.root, '/jail', 0o755);
      put(machine, '/secret', 'x');
      const jailed: NameContext = { ...machine.root, root: vnodeAt(machine, '/jail'), cwd: vnodeAt(machine, '/jail') };
      expect(machine.vfs.find(jailed, '../../secret')).toBe(-Errno.ENOENT);
      machine.vfs.symlink(machine.root, '/secret', '/jail/out');
      expect(machine.vfs.find(jailed, '/out')).toBe(-Errno.ENOENT);
    });
  });

  describe('operations', () => {
    test('each one is counted, costs what the profile says, and is shown to the tracer', () => {
      const machine = fixture(kind);
      const seen: string[] = [];
      machine.vfs.trace = (op) => { seen.push(op); };
      put(machine, '/f', 'hello');
      machine.vfs.trace = null;
      expect(seen).toEqual(['lookup', 'create', 'open', 'write', 'close', 'inactive']);
      expect(machine.ledger.get('vop.write')).toBe(1);
      expect(machine.ledger.get('copy.bytes')).toBe(5 + 8192 * machine.ledger.total('bio.'));
      expect(machine.clock.cycles).toBe(10);
    });

    test('any single one can be made to fail, and nothing leaks whichever it is', () => {
      const script = ({ vfs, root }: Fixture): number[] => {
        const results = [vfs.mkdir(root, '/d', 0o755)];
        const vnode = vfs.open(root, '/d/f', RDWR | CREAT);
        if (failed(vnode)) results.push(vnode);
        else {
          results.push(VOP_WRITE(vnode, 0, Buffer.alloc(9000)), VOP_FSYNC(vnode), failed(VOP_READ(vnode, 0, 10)) ? -5 : 0);
          const attr = VOP_GETATTR(vnode);
          results.push(failed(attr) ? attr : 0, VOP_CLOSE(vnode));
        }
        results.push(vfs.rename(root, '/d/f', root, '/d/g'), vfs.unlink(root, '/d/g'), vfs.unlink(root, '/d/f'), vfs.rmdir(root, '/d'));
        return results;
      };
      const clean = fixture(kind);
      const operations: VopName[] = [];
      clean.vfs.trace = (op) => { if (op !== 'inactive') operations.push(op); };
      script(clean);
      for (let countdown = 0; countdown < operations.length; countdown++) {
        const machine = fixture(kind);
        const free = machine.ram.free();
        machine.vfs.inject = { countdown, errno: Errno.EIO };
        expect(script(machine).filter((result) => result < 0)).not.toHaveLength(0);
        expect(machine.vfs.inject).toBeNull();
        machine.vfs.unlink(machine.root, '/d/f');
        machine.vfs.unlink(machine.root, '/d/g');
        machine.vfs.rmdir(machine.root, '/d');
        expect(machine.ram.free()).toBe(free);
      }
    });

    test('an injection can wait for operations of one kind', () => {
      const machine = fixture(kind);
      machine.vfs.inject = { op: 'write', countdown: 1, errno: Errno.ENOSPC };
      const vnode = machine.vfs.open(machine.root, '/f', RDWR | CREAT) as Vnode;
      expect([VOP_WRITE(vnode, 0, Buffer.alloc(1)), VOP_WRITE(vnode, 0, Buffer.alloc(1)), VOP_WRITE(vnode, 0, Buffer.alloc(1))]).toEqual([1, -Errno.ENOSPC, 1]);
    });
  });

  describe('the page cache', () => {
    function mapped(machine: Fixture, content: Buffer): { vnode: Vnode; pager: VnodePager } {
      const vnode = machine.vfs.open(machine.root, '/f', RDWR | CREAT) as Vnode;
      VOP_WRITE(vnode, 0, content);
      const pager = vnode.pager() as VnodePager;
      pager.addRef();
      return { vnode, pager };
    }

    test('a page shows the file, zeros behind its end, and fails past it', () => {
      const machine = fixture(kind);
      const { pager } = mapped(machine, Buffer.alloc(5000, 3));
      const frame = pager.pageIn(1);
      const page = machine.ram.page(frame);
      expect([page[903], page[904], page[4095]]).toEqual([3, 0, 0]);
      expect(pager.pageIn(1)).toBe(frame);
      expect(pager.pageIn(2)).toBe(-Errno.EFAULT);
      expect(machine.ram.countUse(FrameUse.pageCache)).toBe(1);
    });

    test('what write(2) writes shows in the mapping, what the mapping writes shows in read(2)', () => {
      const machine = fixture(kind);
      const { vnode, pager } = mapped(machine, Buffer.alloc(8192, 1));
      const page = machine.ram.page(pager.pageIn(0));
      VOP_WRITE(vnode, 10, Buffer.from('abc'));
      expect(Buffer.from(page.subarray(9, 14)).toString('latin1')).toBe('\x01abc\x01');
      pager.markDirty(0);
      page[20] = 99;
      expect((VOP_READ(vnode, 20, 1) as Uint8Array)[0]).toBe(99);
      page[30] = 98;
      VOP_WRITE(vnode, 31, Buffer.from('x'));
      expect(page[30]).toBe(98);
      expect((VOP_READ(vnode, 30, 2) as Uint8Array)[0]).toBe(98);
    });

    test('the last mapping writes back and frees its frames, also of a deleted file', () => {
      const machine = fixture(kind);
      const free = machine.ram.free();
      const { vnode, pager } = mapped(machine, Buffer.alloc(8192, 1));
      const frame = pager.pageIn(1);
      pager.markDirty(1);
      machine.ram.page(frame)[5] = 7;
      machine.ram.release(frame);
      VOP_CLOSE(vnode);
      pager.release();
      expect(text(vnodeAt(machine, '/f')).charCodeAt(4096 + 5)).toBe(7);
      expect(machine.ram.countUse(FrameUse.pageCache)).toBe(0);
      const again = vnodeAt(machine, '/f').pager() as VnodePager;
      again.addRef();
      machine.vfs.unlink(machine.root, '/f');
      machine.ram.release(again.pageIn(0));
      again.release();
      expect(machine.ram.free()).toBe(free);
    });

    test('cutting the file clears what pages still show behind the new end', () => {
      const machine = fixture(kind);
      const { vnode, pager } = mapped(machine, Buffer.alloc(8192, 1));
      const pages = [0, 1].map((index) => machine.ram.page(pager.pageIn(index)));
      machine.vfs.truncate(vnode, 100);
      machine.vfs.truncate(vnode, 8192);
      expect([pages[0][99], pages[0][100], pages[1][0]]).toEqual([1, 0, 0]);
    });
  });
});

import { Clock, Ledger, loadGraph, Meter, saveGraph, snapshotClass } from '../emulator/base/index.js';
import { Ram } from '../emulator/memory/ram.js';
import { OpenFlag } from '../emulator/vfs/open-flags.js';
import { Vfs } from '../emulator/vfs/vfs.js';
import type { Vnode } from '../emulator/vfs/vnode.js';
import { VOP_CLOSE, VOP_READ, VOP_READDIR, VOP_WRITE } from '../emulator/vfs/vop.js';
import { Ramdisk, type FlashEntry, type FlashSource } from './index.js';

const FREE = 4 << 20;

/** A tree given as path -> contents; asked paths are noted. */
class Tree implements FlashSource {
  readonly asked: string[] = [];
  private readonly files: Record<string, string>;

  constructor(files: Record<string, string>) {
    this.files = files;
  }

  list(path: string): FlashEntry[] {
    this.asked.push(`list ${path}`);
    const below = Object.keys(this.files).filter((file) => file.startsWith(`${path}/`)).map((file) => file.slice(path.length + 1));
    return [...new Set(below.map((name) => name.split('/')[0]))].sort().map((name) => {
      const content = this.files[`${path}/${name}`];
      return { name, type: content === undefined ? 'dir' : 'reg', mode: 0o755, size: content?.length ?? 0, target: '' };
    });
  }

  read(path: string): Uint8Array | null {
    this.asked.push(`read ${path}`);
    return path in this.files ? Buffer.from(this.files[path]) : null;
  }
}

class Machine {
  readonly vfs: Vfs;
  readonly ramdisk: Ramdisk;

  constructor(flash: FlashSource, ram = FREE) {
    this.vfs = new Vfs(new Meter(new Clock(1e6), new Ledger(), {}), new Ram(ram));
    this.ramdisk = new Ramdisk(this.vfs, { flash });
    this.vfs.mountRoot(this.ramdisk);
  }

  open(path: string, flags: number = OpenFlag.RDONLY): Vnode {
    const vnode = this.vfs.open(this.vfs.kernelContext(), path, flags, 0o644);
    if (typeof vnode === 'number') throw new Error(`${path}: ${vnode}`);
    return vnode;
  }

  read(path: string): string {
    const vnode = this.open(path);
    const bytes = VOP_READ(vnode, 0, 1000);
    VOP_CLOSE(vnode);
    return typeof bytes === 'number' ? `error ${bytes}` : Buffer.from(bytes).toString();
  }

  names(path: string): string[] {
    return (VOP_READDIR(this.open(path), 0) as { name: string }[]).map(({ name }) => name);
  }
}
snapshotClass('FlashTestMachine', Machine);

const files = { '/etc/passwd': 'root:x:0:0\n', '/usr/bin/big': 'x'.repeat(100_000), '/usr/share/doc/a': 'a' };

describe('a root filesystem in flash', () => {
  test('only what is referred to is read', () => {
    const tree = new Tree(files);
    const machine = new Machine(tree);
    expect(tree.asked).toEqual([]);
    expect(machine.read('/etc/passwd')).toBe(files['/etc/passwd']);
    expect(machine.read('/etc/passwd')).toBe(files['/etc/passwd']);
    expect(tree.asked).toEqual(['list ', 'list /etc', 'read /etc/passwd']);
    expect(machine.names('/usr')).toEqual(['.', '..', 'bin', 'share']);
    expect(machine.ramdisk.flash?.use()).toMatchObject({ directories: 3, files: 1, bytes: 11 });
  });

  test('asking for size and mode reads no contents', () => {
    const tree = new Tree(files);
    const machine = new Machine(tree);
    expect(machine.open('/usr/bin/big').getattr()).toMatchObject({ size: 100_000, mode: 0o755, type: 'reg' });
    expect(tree.asked).not.toContain('read /usr/bin/big');
  });

  test('contents take no RAM until they are written to', () => {
    const machine = new Machine(new Tree(files));
    machine.open('/usr/bin/big');
    const before = machine.vfs.ram.free();
    expect(machine.read('/usr/bin/big').length).toBe(1000);
    expect(machine.vfs.ram.free()).toBe(before);
    expect(VOP_WRITE(machine.open('/usr/bin/big', OpenFlag.WRONLY), 5, Buffer.from('changed'))).toBe(7);
    expect(machine.vfs.ram.free()).toBe(before - 25);
    expect(machine.read('/usr/bin/big').slice(0, 14)).toBe('xxxxxchangedxx');
  });

  test('a file larger than the free RAM can be read, not written', () => {
    const machine = new Machine(new Tree({ '/large': 'y'.repeat(3 * FREE) }));
    expect(machine.read('/large').length).toBe(1000);
    expect(VOP_WRITE(machine.open('/large', OpenFlag.WRONLY), 0, Buffer.from('no'))).toBe(-28);
    expect(machine.read('/large').slice(0, 2)).toBe('yy');
  });

  test('cutting a file off, removing it, making new ones beside it', () => {
    const machine = new Machine(new Tree(files));
    const context = machine.vfs.kernelContext();
    machine.open('/etc/passwd', OpenFlag.WRONLY | OpenFlag.TRUNC);
    expect(machine.read('/etc/passwd')).toBe('');
    expect(machine.vfs.unlink(context, '/usr/share/doc/a')).toBe(0);
    expect(machine.names('/usr/share/doc')).toEqual(['.', '..']);
    expect(machine.vfs.rmdir(context, '/usr/share')).toBe(-93);
    expect(VOP_WRITE(machine.open('/etc/new', OpenFlag.CREAT | OpenFlag.WRONLY), 0, Buffer.from('n'))).toBe(1);
    expect(machine.names('/etc')).toEqual(['.', '..', 'passwd', 'new']);
  });

  test('the same use gives the same digest, another use another one', () => {
    const use = (...paths: string[]): string | undefined => {
      const machine = new Machine(new Tree(files));
      for (const path of paths) machine.read(path);
      return machine.ramdisk.flash?.use().digest;
    };
    expect(use('/etc/passwd')).toBe(use('/etc/passwd'));
    expect(use('/etc/passwd')).not.toBe(use('/usr/share/doc/a'));
  });

  test('a snapshot holds what was read; the rest is there again once the flash is put back, and EIO before', () => {
    const tree = new Tree(files);
    const machine = new Machine(tree);
    machine.read('/etc/passwd');
    machine.open('/usr/share/doc/a');
    const loaded = loadGraph(saveGraph(machine)) as Machine;
    expect(loaded.read('/etc/passwd')).toBe(files['/etc/passwd']);
    expect(loaded.read('/usr/share/doc/a')).toBe('error -5');
    expect(loaded.ramdisk.unreadable).toEqual(['/usr/share/doc/a']);
    loaded.ramdisk.flash?.insert(tree);
    expect(loaded.read('/usr/share/doc/a')).toBe('a');
  });

  test('a file that is not what flash announced is an error, not another file', () => {
    const tree = new Tree(files);
    const machine = new Machine({ list: (path) => tree.list(path).map((entry) => ({ ...entry, size: entry.size + 1 })), read: (path) => tree.read(path) });
    expect(machine.read('/etc/passwd')).toBe('error -5');
  });
});

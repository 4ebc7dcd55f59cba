import fc from 'fast-check';
import { Clock, Errno, failed, Ledger, loadGraph, Meter, saveGraph } from '../emulator/base/index.js';
import { Ram } from '../emulator/memory/ram.js';
import { OpenFlag, Vfs, VOP_CLOSE, VOP_READ, VOP_WRITE, type NameContext, type Vnode } from '../emulator/vfs/index.js';
import { fsck } from '../test/support/fsck.js';
import { mountRamdisk, pagesLeft, ramdiskKinds, type RamdiskKind } from '../test/support/ramdisks.js';
import { BlockFilesystem } from './index.js';

/** A file system as one would write it on a page: trees of plain objects, the rules of rename(2), unlink(2) and so on. */
interface File { kind: 'file'; data: Buffer; links: number }
interface Directory { kind: 'dir'; names: Map<string, Inode>; parent: Directory }
type Inode = File | Directory;

class Model {
  readonly root: Directory;

  constructor() {
    this.root = { kind: 'dir', names: new Map() } as unknown as Directory;
    this.root.parent = this.root;
  }

  /** Directory and last name of a path, or an errno. */
  at(path: string[]): [Directory, string] | number {
    let directory = this.root;
    for (const name of path.slice(0, -1)) {
      const next = directory.names.get(name);
      if (!next) return -Errno.ENOENT;
      if (next.kind !== 'dir') return -Errno.ENOTDIR;
      directory = next;
    }
    return [directory, path.at(-1) as string];
  }

  private on(path: string[], action: (directory: Directory, name: string, inode: Inode | undefined) => number): number {
    const place = this.at(path);
    return typeof place === 'number' ? place : action(place[0], place[1], place[0].names.get(place[1]));
  }

  write(path: string[], offset: number, data: Buffer): number {
    return this.on(path, (directory, name, inode) => {
      if (inode?.kind === 'dir') return -Errno.EISDIR;
      const file = inode ?? { kind: 'file' as const, data: Buffer.alloc(0), links: 1 };
      directory.names.set(name, file);
      if (data.length === 0) return 0;
      const grown = Buffer.alloc(Math.max(file.data.length, offset + data.length));
      file.data.copy(grown);
      data.copy(grown, offset);
      file.data = grown;
      return data.length;
    });
  }

  truncate(path: string[], size: number): number {
    return this.on(path, (_directory, _name, inode) => {
      if (!inode) return -Errno.ENOENT;
      if (inode.kind === 'dir') return -Errno.EISDIR;
      const data = Buffer.alloc(size);
      inode.data.copy(data);
      inode.data = data;
      return 0;
    });
  }

  mkdir(path: string[]): number {
    return this.on(path, (directory, name, inode) => {
      if (inode) return -Errno.EEXIST;
      directory.names.set(name, { kind: 'dir', names: new Map(), parent: directory });
      return 0;
    });
  }

  unlink(path: string[]): number {
    return this.on(path, (directory, name, inode) => {
      if (!inode) return -Errno.ENOENT;
      if (inode.kind === 'dir') return -Errno.EISDIR;
      directory.names.delete(name);
      inode.links--;
      return 0;
    });
  }

  rmdir(path: string[]): number {
    return this.on(path, (directory, name, inode) => {
      if (!inode) return -Errno.ENOENT;
      if (inode.kind !== 'dir') return -Errno.ENOTDIR;
      if (inode.names.size > 0) return -Errno.ENOTEMPTY;
      directory.names.delete(name);
      return 0;
    });
  }

  link(from: string[], to: string[]): number {
    return this.on(from, (_d, _n, source) => {
      if (!source) return -Errno.ENOENT;
      return this.on(to, (directory, name, inode) => {
        if (inode) return -Errno.EEXIST;
        if (source.kind === 'dir') return -Errno.EPERM;
        directory.names.set(name, source);
        source.links++;
        return 0;
      });
    });
  }

  rename(from: string[], to: string[]): number {
    const place = this.at(from);
    if (typeof place === 'number') return place;
    const target = this.at(to);
    if (typeof target === 'number') return target;
    const source = place[0].names.get(place[1]);
    const victim = target[0].names.get(target[1]);
    if (!source) return -Errno.ENOENT;
    if (source === victim) return 0;
    if (source.kind === 'dir') {
      for (let above = target[0]; ; above = above.parent) {
        if (above === source) return -Errno.EINVAL;
        if (above === this.root) break;
      }
    }
    if (victim) {
      if (source.kind === 'dir' && victim.kind !== 'dir') return -Errno.ENOTDIR;
      if (source.kind !== 'dir' && victim.kind === 'dir') return -Errno.EISDIR;
      if (victim.kind === 'dir' && victim.names.size > 0) return -Errno.ENOTEMPTY;
      if (victim.kind === 'file') victim.links--;
    }
    place[0].names.delete(place[1]);
    target[0].names.set(target[1], source);
    if (source.kind === 'dir') source.parent = target[0];
    return 0;
  }

  lines(directory = this.root, path = ''): string[] {
    return [...directory.names].sort(([a], [b]) => (a < b ? -1 : 1)).flatMap(([name, inode]) => (inode.kind === 'dir'
      ? [`${path}/${name}/ ${2 + [...inode.names.values()].filter((child) => child.kind === 'dir').length}`, ...this.lines(inode, `${path}/${name}`)]
      : [`${path}/${name} ${inode.links} ${inode.data.toString('hex')}`]));
  }
}

interface Real { vfs: Vfs; context: NameContext; ram: Ram }

function real(kind: RamdiskKind): Real {
  const ram = new Ram(2 << 20);
  const vfs = new Vfs(new Meter(new Clock(580e6), new Ledger(), {}), ram);
  mountRamdisk(vfs, kind);
  return { vfs, ram, context: vfs.kernelContext() };
}

function realLines({ vfs, context }: Real, path = ''): string[] {
  const directory = vfs.find(context, path || '/') as Vnode;
  return (vfs.list(directory) as string[]).sort((a, b) => (a < b ? -1 : 1)).flatMap((name) => {
    const vnode = vfs.find(context, `${path}/${name}`) as Vnode;
    const { nlink, type } = vnode.getattr();
    if (type === 'dir') return [`${path}/${name}/ ${nlink}`, ...realLines({ vfs, context } as Real, `${path}/${name}`)];
    return [`${path}/${name} ${nlink} ${Buffer.from(VOP_READ(vnode, 0, 1 << 20) as Uint8Array).toString('hex')}`];
  });
}

/** After a sync the medium alone holds all of it: sound to fsck, and the same tree when it is attached elsewhere. */
function expectOnDisk({ vfs }: Real, model: Model): void {
  const fs = vfs.root.fs as BlockFilesystem;
  fs.sync();
  expect(fsck(fs.cache.disk)).toEqual([]);
  const elsewhere = new Vfs(new Meter(new Clock(580e6), new Ledger(), {}), new Ram(1 << 20));
  elsewhere.mountRoot(BlockFilesystem.attach(elsewhere, fs.cache.disk) as BlockFilesystem);
  expect(realLines({ vfs: elsewhere, context: elsewhere.kernelContext(), ram: elsewhere.ram })).toEqual(model.lines());
}

const path = fc.array(fc.constantFrom('a', 'b'), { minLength: 1, maxLength: 3 });
const call = fc.oneof(
  fc.record({ op: fc.constant('mkdir' as const), path }),
  fc.record({ op: fc.constant('write' as const), path, offset: fc.nat(40), data: fc.uint8Array({ maxLength: 20 }) }),
  fc.record({ op: fc.constant('truncate' as const), path, size: fc.nat(40) }),
  fc.record({ op: fc.constantFrom('mkdir' as const, 'unlink' as const, 'rmdir' as const), path }),
  fc.record({ op: fc.constantFrom('link' as const, 'rename' as const), path, to: path }),
);
const operation = fc.oneof({ weight: 30, arbitrary: call }, { weight: 1, arbitrary: fc.record({ op: fc.constant('reload' as const) }) });
type Operation = typeof operation extends fc.Arbitrary<infer T> ? T : never;

const text = (names: string[]): string => `/${names.join('/')}`;

function applyReal(machine: Real, step: Exclude<Operation, { op: 'reload' }>): number {
  const { vfs, context } = machine;
  switch (step.op) {
    case 'write': {
      const vnode = vfs.open(context, text(step.path), OpenFlag.RDWR | OpenFlag.CREAT);
      if (failed(vnode)) return vnode;
      const result = VOP_WRITE(vnode, step.offset, step.data);
      VOP_CLOSE(vnode);
      return result;
    }
    case 'truncate': {
      const vnode = vfs.find(context, text(step.path));
      return failed(vnode) ? vnode : vfs.truncate(vnode, step.size);
    }
    case 'mkdir': return vfs.mkdir(context, text(step.path), 0o755);
    case 'unlink': return vfs.unlink(context, text(step.path));
    case 'rmdir': return vfs.rmdir(context, text(step.path));
    case 'rename': return vfs.rename(context, text(step.path), context, text(step.to));
    case 'link': {
      const source = vfs.find(context, text(step.path));
      return failed(source) ? source : vfs.link(context, source, text(step.to));
    }
  }
}

function applyModel(model: Model, step: Exclude<Operation, { op: 'reload' }>): number {
  switch (step.op) {
    case 'write': return model.write(step.path, step.offset, Buffer.from(step.data));
    case 'truncate': return model.truncate(step.path, step.size);
    case 'link': return model.link(step.path, step.to);
    case 'rename': return model.rename(step.path, step.to);
    default: return model[step.op](step.path);
  }
}

test.each(ramdiskKinds)('any sequence of calls, with snapshots in between, does what a plain model does: %s', (kind) => {
  fc.assert(fc.property(fc.array(operation, { minLength: 40, maxLength: 80 }), (steps) => {
    let machine = real(kind);
    const model = new Model();
    for (const step of steps) {
      if (step.op === 'reload') machine = loadGraph(saveGraph(machine)) as Real;
      else expect([step, applyReal(machine, step)]).toEqual([step, applyModel(model, step)]);
    }
    expect(realLines(machine)).toEqual(model.lines());
    if (kind === 'block') expectOnDisk(machine, model);
  }), { numRuns: kind === 'block' ? 60 : 120 });
}, 30_000);

function removeAll(machine: Real, path = ''): void {
  const { vfs, context } = machine;
  for (const name of vfs.list(vfs.find(context, path || '/') as Vnode) as string[]) {
    if (vfs.unlink(context, `${path}/${name}`) === 0) continue;
    removeAll(machine, `${path}/${name}`);
    vfs.rmdir(context, `${path}/${name}`);
  }
}

test.each(ramdiskKinds)('whatever was done, the device never lends more than it has, and removing everything gives all of it back: %s', (kind) => {
  const large = fc.record({ name: fc.constantFrom('a', 'b', 'c'), offset: fc.nat(1_500_000), size: fc.nat(300_000), unlink: fc.boolean() });
  fc.assert(fc.property(fc.array(large, { maxLength: 25 }), (writes) => {
    const machine = real(kind);
    const before = pagesLeft(machine.vfs);
    for (const { name, offset, size, unlink } of writes) {
      const vnode = machine.vfs.open(machine.context, `/${name}`, OpenFlag.RDWR | OpenFlag.CREAT);
      if (failed(vnode)) continue;
      const result = VOP_WRITE(vnode, offset, new Uint8Array(size));
      VOP_CLOSE(vnode);
      expect(result === size || result === -Errno.ENOSPC || (result > 0 && result < size && pagesLeft(machine.vfs) === machine.ram.free() * Number(kind === 'block'))).toBe(true);
      expect(machine.ram.free()).toBeGreaterThanOrEqual(0);
      if (unlink) machine.vfs.unlink(machine.context, `/${name}`);
    }
    removeAll(machine);
    expect(pagesLeft(machine.vfs)).toBe(before);
  }), { numRuns: 40 });
}, 30_000);

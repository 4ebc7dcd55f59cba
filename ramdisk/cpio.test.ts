import { gzipSync } from 'node:zlib';
import fc from 'fast-check';
import { Clock, Ledger, Meter } from '../emulator/base/index.js';
import { Ram } from '../emulator/memory/ram.js';
import { Vfs, VOP_READ, type Vnode } from '../emulator/vfs/index.js';
import { gunzip, Ramdisk, readCpio, unpackInitramfs, writeCpio, type CpioSource } from './index.js';

function machine(bytes = 4 << 20): Vfs {
  const vfs = new Vfs(new Meter(new Clock(580e6), new Ledger(), {}), new Ram(bytes));
  vfs.mountRoot(new Ramdisk(vfs));
  return vfs;
}

const sources: CpioSource[] = [
  { name: 'etc', mode: 0o040755 },
  { name: 'etc/passwd', mode: 0o100644, uid: 1, gid: 2, mtime: 1234, content: Buffer.from('root::0:0\n') },
  { name: 'bin/deep/tool', mode: 0o104755, content: Buffer.from('x'.repeat(5000)) },
  { name: 'tmp', mode: 0o041777 },
  { name: 'dev/null', mode: 0o020666, rdev: 0x103 },
  { name: 'link', mode: 0o120777, content: Buffer.from('etc/passwd') },
];

const read = (vfs: Vfs, path: string): string => Buffer.from(VOP_READ(vfs.find(vfs.kernelContext(), path) as Vnode, 0, 1 << 20) as Uint8Array).toString('latin1');

test('an archive unpacks to files with their contents, owners, modes and times, gzipped or not', () => {
  for (const image of [writeCpio(sources), gzipSync(writeCpio(sources))]) {
    const vfs = machine();
    expect(unpackInitramfs(vfs, image)).toBeNull();
    const context = vfs.kernelContext();
    expect(read(vfs, '/link')).toBe('root::0:0\n');
    expect(vfs.stat(context, '/etc/passwd')).toMatchObject({ mode: 0o644, uid: 1, gid: 2, mtime: { sec: 1234 }, nlink: 1 });
    expect(vfs.stat(context, '/bin/deep/tool')).toMatchObject({ mode: 0o4755, size: 5000 });
    expect(vfs.stat(context, '/tmp')).toMatchObject({ type: 'dir', mode: 0o1777 });
    expect(vfs.stat(context, '/dev/null')).toMatchObject({ type: 'chr', rdev: 0x103 });
  }
});

test('packing is deterministic, whatever the order of the entries', () => {
  expect(Buffer.compare(writeCpio(sources), writeCpio([...sources].reverse()))).toBe(0);
});

test('hard links become one file', () => {
  const archive = Buffer.from(writeCpio([{ name: 'a', mode: 0o100644 }, { name: 'b', mode: 0o100644, content: Buffer.from('data') }]));
  const second = archive.indexOf('070701', 10);
  for (const at of [0, second]) {
    archive.write('00000007', at + 6, 'latin1');
    archive.write('00000002', at + 38, 'latin1');
  }
  const vfs = machine();
  expect(unpackInitramfs(vfs, archive)).toBeNull();
  expect(read(vfs, '/a')).toBe('data');
  expect(vfs.stat(vfs.kernelContext(), '/b')).toMatchObject({ nlink: 2 });
});

describe('what is wrong is said once, with the place', () => {
  const archive = Buffer.from(writeCpio(sources));
  test.each([
    ['no archive', Buffer.from('hello, this is no archive at all'.repeat(10)), 0, 'not a cpio newc header'],
    ['empty', Buffer.alloc(0), 0, 'without its trailer'],
    ['cut within a file', archive.subarray(0, 2000), 0, 'ends within'],
    ['a bad digit', Buffer.concat([Buffer.from('070701zzzzzzzz'), archive.subarray(14)]), 6, 'hexadecimal'],
    ['out of the tree', writeCpio([{ name: '../etc/passwd', mode: 0o100644 }]), 0, 'leads out'],
    ['damaged gzip', Buffer.from([0x1f, 0x8b, 8, 0, 1, 2, 3]), 0, 'gzip'],
  ])('%s', (_name, bytes, offset, message) => {
    const error = unpackInitramfs(machine(), bytes);
    expect(error).toEqual({ offset, message: expect.stringContaining(message) as string });
  });

  test('a file that does not fit is named', () => {
    const error = unpackInitramfs(machine(1 << 20), writeCpio([{ name: 'big', mode: 0o100644, content: Buffer.alloc(2 << 20) }]));
    expect(error?.message).toContain('"big": ENOSPC');
  });

  test('a bomb is stopped at the limit', () => {
    expect(gunzip(gzipSync(Buffer.alloc(1 << 20)), 1000)).toMatchObject({ message: expect.stringContaining('more than 1000') as string });
  });
});

test('an archive cannot write through its own links out of the tree', () => {
  const vfs = machine();
  const archive = writeCpio([{ name: 'a', mode: 0o120777, content: Buffer.from('../../..') }, { name: 'a/etc/x', mode: 0o100644, content: Buffer.from('1') }]);
  expect(unpackInitramfs(vfs, archive)).toBeNull();
  expect(read(vfs, '/etc/x')).toBe('1');
});

test('random bytes, and archives with any bytes changed, end in entries or one error, never in an exception', () => {
  const archive = Buffer.from(writeCpio(sources));
  const change = fc.array(fc.tuple(fc.nat(archive.length - 1), fc.integer({ min: 0, max: 255 })), { minLength: 1, maxLength: 8 });
  const hostile = fc.oneof(fc.uint8Array({ maxLength: 400 }), change.map((changes) => {
    const damaged = Buffer.from(archive);
    for (const [at, value] of changes) damaged[at] = value;
    return new Uint8Array(damaged);
  }), fc.nat(archive.length).map((length) => new Uint8Array(archive.subarray(0, length))));
  fc.assert(fc.property(hostile, (bytes) => {
    const { entries, error } = readCpio(bytes);
    for (const { name } of entries) expect(name.split('/')).not.toContain('..');
    if (error) expect(error.offset).toBeLessThanOrEqual(bytes.length);
    const result = unpackInitramfs(machine(1 << 20), bytes);
    expect(result === null || typeof result.message === 'string').toBe(true);
  }), { numRuns: 600 });
}, 30_000);

import { readFileSync } from 'node:fs';
import { Errno } from '../../emulator/base/index.js';
import { findSyscall, syscallNumber, type Kernel, type Thread } from '../../emulator/kernel/index.js';
import '../../emulator/kernel/syscalls/index.js';
import { TestMachine } from '../support/machine.js';

/** Corners that Linux answers as the oracle's programs (test/oracle/calls) found; here without qemu. */

const AREA = 0x1000_0000;
const BYTES = AREA + 4096;
const NOWHERE = 16;
const RDWR_CREAT = 0x102;
const AT_FDCWD = -100;

function start(): { kernel: Kernel; thread: Thread; call: (name: string, ...args: (number | string)[]) => number; map: (fd: number, pages: number) => number } {
  const machine = new TestMachine({ ram: 8 << 20, files: { '/bin/hello': readFileSync('test/guest/bin/hello') } });
  const { kernel } = machine;
  const process = machine.spawn('/bin/hello', ['hello']);
  const [thread] = process.threads;
  kernel.scheduler.current = thread;
  process.space.map({ addr: AREA, length: 4096 * 4, prot: 3, fixed: true, pager: null, pageOffset: 0, name: '', flags: 0, shared: false });
  process.space.protect(AREA + 4096 * 3, 4096, 0);
  const call = (name: string, ...given: (number | string)[]): number => {
    let text = AREA;
    const args = given.map((one) => {
      if (typeof one === 'number') return one;
      process.space.copyout(text, Buffer.from(`${one}\0`));
      text += one.length + 1;
      return text - one.length - 1;
    });
    const entry = findSyscall(syscallNumber(name) ?? 0);
    if (!entry) throw new Error(`no call ${name}`);
    const [a = 0, b = 0, c = 0, d = 0, e = 0, f = 0, g = 0] = args;
    thread.call = { number: entry.number, args: [a, b, c, d, e, f, g], nextPc: thread.ctx.pc + 4 };
    return entry.handler(kernel, thread, a, b, c, d, e, f, g);
  };
  const map = (fd: number, pages: number): number => {
    thread.process.space.writeWords(thread.ctx.gpr[29] + 16, [fd, 0]);
    return call('mmap2', 0, pages * 4096, 3, 1, fd, 0);
  };
  return { kernel, thread, call, map };
}

test('bytes that do not reach the program are not read: the position stays, a part counts', () => {
  const { call, thread } = start();
  const fd = call('open', '/tmp/f', RDWR_CREAT, 0o600);
  expect(call('write', fd, BYTES, 10)).toBe(10);
  call('lseek', fd, 0, 0);
  expect(call('read', fd, NOWHERE, 5)).toBe(-Errno.EFAULT);
  expect(call('lseek', fd, 0, 1)).toBe(0);
  expect(call('read', fd, AREA + 4096 * 3 - 4, 10)).toBe(4);
  expect(call('lseek', fd, 0, 1)).toBe(4);
  thread.process.space.writeWords(AREA, [BYTES, 3, NOWHERE, 3]);
  expect(call('readv', fd, AREA, 2)).toBe(3);
  expect(call('lseek', fd, 0, 1)).toBe(7);
  const zero = call('open', '/dev/zero', 0);
  expect(call('read', zero, NOWHERE, 5)).toBe(-Errno.EFAULT);
  expect(thread.process.fds.get(zero)?.position).toBe(0);
});

test('a buffer that reaches into the kernel\'s half is refused whole, even an empty one', () => {
  const { call, thread } = start();
  const fd = call('open', '/tmp/f', RDWR_CREAT, 0o600);
  expect(call('write', fd, 0xfffff000 | 0, 0)).toBe(-Errno.EFAULT);
  expect(call('write', fd, BYTES, -1)).toBe(-Errno.EFAULT);
  expect(call('read', fd, BYTES, 0x7fffffff)).toBe(-Errno.EFAULT);
  thread.process.space.writeWords(AREA, [BYTES, 0x7fffffff, BYTES, 0x7fffffff]);
  expect(call('writev', fd, AREA, 2)).toBe(-Errno.EFAULT);
});

test('a mapped page past a cut end of its file is gone, and zero when the file grows again', () => {
  const { call, map, thread } = start();
  const { space } = thread.process;
  const fd = call('open', '/tmp/f', RDWR_CREAT, 0o600);
  call('ftruncate', fd, 8192);
  const at = map(fd, 2);
  expect(at).toBeGreaterThan(0);
  expect(space.writeWords(at + 4096, [7])).toBe(0);
  call('ftruncate', fd, 4096);
  expect(space.writeWords(at + 4096, [7])).toBe(-Errno.EFAULT);
  expect(space.writeWords(at, [7])).toBe(0);
  call('ftruncate', fd, 8192);
  expect(Array.from(space.readWords(at + 4096, 1) as Int32Array)).toEqual([0]);
  call('close', call('open', '/tmp/f', 0x202));
  expect(space.writeWords(at, [7])).toBe(-Errno.EFAULT);
});

test('a pipe holds pages: what does not fit the last one takes another; packets stay apart', () => {
  const { call, thread } = start();
  const ends = (flags: number): number[] => {
    expect(call('pipe2', AREA, flags)).toBe(0);
    return Array.from(thread.process.space.readWords(AREA, 2) as Int32Array);
  };
  const fill = (to: number, size: number): number => {
    let times = 0;
    while (call('write', to, BYTES, size) === size) times++;
    return times;
  };
  const [from, to] = ends(0x80);
  expect(fill(to, 1000)).toBe(64);
  expect(call('write', to, BYTES, 96)).toBe(96);
  expect(call('write', to, BYTES, 1)).toBe(-Errno.EAGAIN);
  expect(call('read', from, BYTES, 4096)).toBe(4096);
  expect(call('write', to, BYTES, 4097)).toBe(4096);
  expect(fill(ends(0x80)[1], 1)).toBe(65_536);
  const [one, other] = ends(0x8080);
  call('write', other, BYTES, 2);
  call('write', other, BYTES, 3);
  expect([call('read', one, BYTES, 10), call('read', one, BYTES, 1), call('read', one, BYTES, 10)]).toEqual([2, 1, -Errno.EAGAIN]);
  expect([call('fchmod', from, 0o640), call('fstat64', to, BYTES)]).toEqual([0, 0]);
  expect(thread.process.fds.get(to)?.stat()).toMatchObject({ mode: 0o640 });
});

test('sendfile looks at descriptors first, and takes neither a directory nor an appending file', () => {
  const { call } = start();
  const [directory, file, appending] = [call('open', '/tmp', 0), call('open', '/tmp/f', RDWR_CREAT, 0o600), call('open', '/tmp/g', RDWR_CREAT | 8, 0o600)];
  expect([call('sendfile', -1, directory, 0, 1), call('sendfile', file, directory, 0, 1), call('sendfile', appending, file, 0, 1)]).toEqual([-Errno.EBADF, -Errno.EINVAL, -Errno.EINVAL]);
  expect([call('pread64', directory, BYTES, 1), call('ioctl', directory, 0x467f, BYTES)]).toEqual([-Errno.EISDIR, -Errno.ENOTTY]);
});

test('unknown flags of the calls with a directory descriptor are EINVAL', () => {
  const { call } = start();
  const flag = 0x4000_0000;
  expect([call('fstatat64', AT_FDCWD, '/tmp', BYTES, flag), call('fchownat', AT_FDCWD, '/tmp', 1, 1, flag), call('utimensat', AT_FDCWD, '/tmp', 0, flag),
    call('faccessat2', AT_FDCWD, '/tmp', 0, flag), call('linkat', AT_FDCWD, '/bin/hello', AT_FDCWD, '/tmp/x', flag)]).toEqual(Array.from({ length: 5 }, () => -Errno.EINVAL));
});

test('names: a slash behind a symbolic link, a removed directory, the interpreter without a name', () => {
  const { call } = start();
  call('symlink', '/tmp', '/tmp/l');
  expect(call('unlink', '/tmp/l/')).toBe(-Errno.ENOTDIR);
  call('mkdir', '/tmp/d', 0o755);
  const directory = call('open', '/tmp/d', 0);
  call('rmdir', '/tmp/d');
  expect(call('getdents64', directory, BYTES, 100)).toBe(-Errno.ENOENT);
  const script = call('open', '/tmp/s', RDWR_CREAT, 0o755);
  call('write', script, '#!', 2);
  call('close', script);
  expect(call('execve', '/tmp/s', 0, 0)).toBe(-Errno.EACCES);
});

test('processes that do not exist own no file and lead no group; select looks no further than the table', () => {
  const { call, thread } = start();
  const fd = call('open', '/tmp/f', RDWR_CREAT, 0o600);
  expect([call('fcntl64', fd, 24, 1 << 30), call('fcntl64', fd, 24, thread.process.pid), call('setpgid', -1, 0)]).toEqual([-Errno.ESRCH, 0, -Errno.EINVAL]);
  thread.process.space.writeWords(BYTES, Int32Array.from({ length: 32 }, (_, i) => (i === 15 ? 1 << 20 : 0)));
  thread.process.space.writeWords(AREA, [0, 0]);
  expect(call('_newselect', 501, BYTES, 0, 0, AREA)).toBe(0);
});

test('mremap: an overlap is told before the old range is looked at', () => {
  const { call, thread } = start();
  thread.process.space.writeWords(thread.ctx.gpr[29] + 16, [0x2000_1000]);
  expect(call('mremap', 0x2000_0000, 8192, 8192, 3, 0x2000_1000)).toBe(-Errno.EINVAL);
});

test('a bound socket told a path that exists is told that it is in use', () => {
  const { call, thread } = start();
  const socket = call('socket', 1, 2, 0);
  const address = (path: string): void => { thread.process.space.copyout(BYTES, Buffer.concat([Buffer.from([1, 0]), Buffer.from(`${path}\0`)])); };
  address('/tmp/one');
  expect([call('bind', socket, BYTES, 11), call('bind', socket, BYTES, 11)]).toEqual([0, -Errno.EADDRINUSE]);
  address('/tmp/two');
  expect(call('bind', socket, BYTES, 11)).toBe(-Errno.EINVAL);
});

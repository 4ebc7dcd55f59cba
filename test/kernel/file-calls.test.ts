import fc from 'fast-check';
import { readFileSync } from 'node:fs';
import { failed, loadGraph, saveGraph } from '../../emulator/base/index.js';
import { BLOCKED, findSyscall, syscallNumber, type Kernel, type Thread } from '../../emulator/kernel/index.js';
import '../../emulator/kernel/syscalls/index.js';
import { TestMachine } from '../support/machine.js';

/** The calls on files, names and descriptors, and what they expect: f descriptor, d directory descriptor, p path, b memory, n number, o flags. */
const signatures: Record<string, string> = {
  read: 'fbn', write: 'fbn', open: 'pon', close: 'f', creat: 'pn', link: 'pp', unlink: 'p', chdir: 'p', mknod: 'pnn', chmod: 'pn', lchown: 'pnn', lseek: 'fnn', mount: 'ppponb',
  umount: 'p', utime: 'pb', access: 'pn', rename: 'pp', mkdir: 'pn', rmdir: 'p', dup: 'f', pipe: '', umount2: 'pn', ioctl: 'fob', fcntl: 'fob', umask: 'n', chroot: 'p', dup2: 'ff',
  symlink: 'pp', readlink: 'pbn', truncate: 'pn', ftruncate: 'fn', fchmod: 'fn', fchown: 'fnn', statfs: 'pb', fstatfs: 'fb', stat: 'pb', lstat: 'pb', fstat: 'fb', fsync: 'f', fchdir: 'f',
  _llseek: 'fnnbn', getdents: 'fbn', _newselect: 'nbbbb', flock: 'fn', readv: 'fbn', writev: 'fbn', poll: 'bnn', pread64: 'fbnnnn', pwrite64: 'fbnnnn', chown: 'pnn', getcwd: 'bn', sendfile: 'ffbn',
  truncate64: 'pnnn', ftruncate64: 'fnnn', stat64: 'pb', lstat64: 'pb', fstat64: 'fb', getdents64: 'fbn', fcntl64: 'fob', sendfile64: 'ffbn', epoll_create: 'n', epoll_ctl: 'fnfb', epoll_wait: 'fbnn',
  statfs64: 'pnb', fstatfs64: 'fnb', utimes: 'pb', openat: 'dpon', mkdirat: 'dpn', mknodat: 'dpnn', fchownat: 'dpnno', futimesat: 'dpb', fstatat64: 'dpbo', unlinkat: 'dpo', renameat: 'dpdp',
  linkat: 'dpdpo', symlinkat: 'pdp', readlinkat: 'dpbn', fchmodat: 'dpn', faccessat: 'dpn', pselect6: 'nbbbbb', ppoll: 'bnbbn', epoll_pwait: 'fbnnbn', utimensat: 'dpbo', eventfd: 'n',
  fallocate: 'fnnnnn', timerfd_create: 'no', timerfd_gettime: 'fb', timerfd_settime: 'fnbb', eventfd2: 'no', epoll_create1: 'o', dup3: 'ffo', pipe2: 'bo', preadv: 'fbnnn', pwritev: 'fbnnn',
  renameat2: 'dpdpn', statx: 'dponb', timerfd_gettime64: 'fb', timerfd_settime64: 'fnbb', utimensat_time64: 'dpbo', pselect6_time64: 'nbbbbb', ppoll_time64: 'bnbbn', close_range: 'ffn', faccessat2: 'dpno',
};
const AREA = 0x1000_0000;
const AREA_PAGES = 4;
/** What pointers lead to: paths, vectors of small numbers, structures of all ones. */
const paths = ['/tmp/a', 'a', 'a/b', '../tmp', '/proc/self/fd/0', '/proc/self/exe', '/dev/null', '/dev/zero', '/', '.', '..', '', '/tmp/x/', 'l', '/proc/1', '/proc/self/maps', 'ff', 'tmpfs'];

const absurd = fc.oneof(fc.integer(), fc.constantFrom(-1, 0x7fffffff, -0x80000000, AREA + 4096 * AREA_PAGES - 3, 0x7fff0000));
const kinds: Record<string, fc.Arbitrary<number>> = {
  f: fc.nat(16),
  d: fc.constantFrom(-100, -100, 4, 3),
  p: fc.nat(paths.length - 1).map((index) => AREA + 64 * index),
  b: fc.nat(60).map((slot) => (slot < 8 ? 0 : AREA + 4096 + 32 * slot)),
  n: fc.oneof(fc.nat(8), fc.constantFrom(0o644, 0o10644, 0o40755, 16, 88, 96, 100, 4096, 65536, 300_000)),
  o: fc.constantFrom(0, 1, 2, 8, 0x80, 0x102, 0x302, 0x502, 0x100, 0x200, 0x1000, 0x10000, 0x20000, 0x80000, 0x200000, 0x410002, 1, 2, 3, 4, 6, 7, 14, 33, 34, 35, 1030, 1031, 1032, 0x540d, 0x540e, 0x467f, 0x667e, 0x40087468),
};
const call = fc.constantFrom(...Object.keys(signatures)).chain((name) => fc.tuple(fc.constant(name),
  fc.tuple(...Array.from({ length: 7 }, (_, i) => fc.oneof({ weight: 12, arbitrary: kinds[signatures[name][i] ?? 'n'] }, { weight: 1, arbitrary: absurd })))));

function prepare(): Kernel {
  const machine = new TestMachine({ ram: 8 << 20, files: { '/bin/hello': readFileSync('test/guest/bin/hello') } });
  const { kernel } = machine;
  kernel.console.sink = null;
  kernel.console.endInput();
  const process = machine.spawn('/bin/hello', ['hello']);
  const { space } = process;
  expect(space.map({ addr: AREA, length: 4096 * AREA_PAGES, prot: 3, fixed: true, pager: null, pageOffset: 0, name: '', flags: 0, shared: false })).toBe(AREA);
  paths.forEach((path, index) => space.copyout(AREA + 64 * index, Buffer.from(`${path}\0`)));
  const words = Int32Array.from({ length: 320 }, (_, i) => [1, 3, 0, AREA + 64, 8, 0x10004, 2, 100][i % 8]);
  space.writeWords(AREA + 4096, words);
  const [thread] = process.threads;
  kernel.scheduler.current = thread;
  const path = (index: number): number => AREA + 64 * index;
  const opened = ([['open', path(0), 0x102, 0o644], ['open', path(3), 0], ['pipe'], ['epoll_create1'], ['eventfd', 1], ['timerfd_create', 1], ['mknod', path(16), 0o10666], ['open', path(16), 2],
    ['open', path(6), 2], ['open', path(15), 0]] as [string, ...number[]][]).map(([name, ...args]) => invoke(kernel, thread, name, args));
  expect(opened.filter((result) => result < 0)).toEqual([]);
  return kernel;
}

function invoke(kernel: Kernel, thread: Thread, name: string, args: readonly number[]): number {
  const entry = findSyscall(syscallNumber(name) ?? 0);
  if (!entry) throw new Error(`no call ${name}`);
  const [a = 0, b = 0, c = 0, d = 0, e = 0, f = 0, g = 0] = args;
  thread.call = { number: entry.number, args: [a, b, c, d, e, f, g], nextPc: thread.ctx.pc + 4 };
  const result = entry.handler(kernel, thread, a, b, c, d, e, f, g);
  thread.unblock();
  thread.restoreMask();
  thread.state = 'runnable';
  return result;
}

test('no arguments, however absurd, make a call on files do anything but succeed, fail or wait', () => {
  fc.assert(fc.property(fc.array(call, { minLength: 60, maxLength: 120 }), (calls) => {
    const kernel = prepare();
    const [process] = kernel.processes.values();
    const [thread] = process.threads;
    for (const [name, args] of calls) {
      const result = invoke(kernel, thread, name, args);
      expect(Number.isInteger(result) && (result >= -1133 || result === BLOCKED)).toBe(true);
      expect(kernel.ram.free()).toBeGreaterThanOrEqual(0);
    }
    const loaded = loadGraph(saveGraph(kernel)) as Kernel;
    expect(loaded.ram.free()).toBe(kernel.ram.free());
    process.fds.closeAll(kernel);
    expect(failed(kernel.vfs.list(kernel.vfs.root))).toBe(false);
  }), { numRuns: 60 });
}, 60_000);

import { Errno, failed } from '../../emulator/base/index.js';
import { applyMemoryLimits } from '../../emulator/kernel/exec.js';
import { findSyscall, Rlimit, type Kernel, type Process } from '../../emulator/kernel/index.js';
import { chooseVictim, outOfMemory } from '../../emulator/kernel/oom.js';
import { Access, Fault } from '../../emulator/memory/index.js';
import { TestMachine } from '../support/machine.js';
import { sampleElf } from './sample-elf.js';

const CALLS = { read: 4003, write: 4004, open: 4005, brk: 4045, mmap: 4090, munmap: 4091, ftruncate: 4093, mprotect: 4125, msync: 4144, mlock: 4154, mremap: 4167, mmap2: 4210, mincore: 4217, madvise: 4218, cacheflush: 4147 };
const [READ, WRITE] = [1, 2];
const [SHARED, PRIVATE, FIXED, ANON, POPULATE] = [1, 2, 0x10, 0x800, 0x1_0000];
const SCRATCH = 0x41_2000;
const O_RDWR = 2;

function machine(ram = 8 << 20): { kernel: Kernel; process: Process; call: (name: keyof typeof CALLS, ...args: number[]) => number } {
  const { kernel } = new TestMachine({ ram, files: { '/bin/prog': sampleElf(), '/file': 'a'.repeat(4096) + 'tail', '/etc/ro': 'x' } });
  const process = kernel.spawn('/bin/prog', ['prog'], []) as Process;
  const call = (name: keyof typeof CALLS, ...args: number[]): number => {
    const [a0 = 0, a1 = 0, a2 = 0, a3 = 0, a4 = 0, a5 = 0, a6 = 0] = args;
    return findSyscall(CALLS[name])!.handler(kernel, process.threads[0], a0, a1, a2, a3, a4, a5, a6);
  };
  return { kernel, process, call };
}

function open({ process, call }: ReturnType<typeof machine>, path: string, flags: number): number {
  process.space.copyout(SCRATCH, Buffer.from(`${path}\0`));
  return call('open', SCRATCH, flags, 0);
}

const bytes = ({ space }: Process, va: number, length: number): string => Buffer.from(space.copyin(va, length) as Uint8Array).toString('latin1');

describe('mmap', () => {
  test('refuses what mmap(2) refuses, with its errno', () => {
    const fixture = machine();
    const { call } = fixture;
    const readOnly = open(fixture, '/file', 0);
    const writeOnly = open(fixture, '/file', 1);
    expect([
      call('mmap2', 0, 0, READ, PRIVATE | ANON, -1, 0),
      call('mmap2', 0, 4096, READ, ANON, -1, 0),
      call('mmap2', 0, 4096, READ, PRIVATE, 99, 0),
      call('mmap2', 0, 4096, READ, PRIVATE, writeOnly, 0),
      call('mmap2', 0, 4096, READ | WRITE, SHARED, readOnly, 0),
      call('mmap', 0, 4096, READ, PRIVATE, readOnly, 100),
      call('mmap2', 0, 4096, READ, PRIVATE, 0, 0),
      call('mmap2', 1, 4096, READ, PRIVATE | ANON | FIXED, -1, 0),
      call('mmap2', 0, -1, READ, PRIVATE | ANON, -1, 0),
    ]).toEqual([-Errno.EINVAL, -Errno.EINVAL, -Errno.EBADF, -Errno.EACCES, -Errno.EACCES, -Errno.EINVAL, -Errno.ENODEV, -Errno.EINVAL, -Errno.ENOMEM]);
  });

  test('of a file agrees with read and write; a private copy does not change the file; past its end is SIGBUS', () => {
    const fixture = machine();
    const { process, call } = fixture;
    const { space } = process;
    const fd = open(fixture, '/file', O_RDWR);
    const shared = call('mmap2', 0, 3 * 4096, READ | WRITE, SHARED, fd, 0);
    const own = call('mmap2', 0, 4096, READ | WRITE, PRIVATE, fd, 1);
    expect(bytes(process, own, 6)).toBe('tail\0\0');
    space.copyout(shared, Buffer.from('via map'));
    expect([call('read', fd, SCRATCH, 8), bytes(process, SCRATCH, 8)]).toEqual([8, 'via mapa']);
    space.copyout(SCRATCH, Buffer.from('WRITTEN'));
    expect([call('write', fd, SCRATCH, 7), bytes(process, shared + 6, 10)]).toEqual([7, 'paWRITTENa']);
    space.copyout(own, Buffer.from('mine'));
    expect([bytes(process, shared + 4096, 4), bytes(process, own, 4)]).toEqual(['tail', 'mine']);
    expect(space.resolve(shared + 2 * 4096, Access.read)).toBe(Fault.bus);
    expect(call('mprotect', shared, 4096, READ)).toBe(0);
    expect(call('msync', shared, 4096, 4)).toBe(0);
  });

  test('of a file opened for reading cannot be made writable when shared, but can when private', () => {
    const fixture = machine();
    const { call } = fixture;
    const fd = open(fixture, '/etc/ro', 0);
    expect(call('mprotect', call('mmap2', 0, 4096, READ, SHARED, fd, 0), 4096, READ | WRITE)).toBe(-Errno.EACCES);
    expect(call('mprotect', call('mmap2', 0, 4096, READ, PRIVATE, fd, 0), 4096, READ | WRITE)).toBe(0);
  });

  test('of /dev/zero is zero-filled memory', () => {
    const fixture = machine();
    const fd = open(fixture, '/dev/zero', O_RDWR);
    const at = fixture.call('mmap2', 0, 8192, READ | WRITE, PRIVATE, fd, 0);
    expect(bytes(fixture.process, at, 4)).toBe('\0\0\0\0');
  });

  test('with MAP_POPULATE the pages are there at once, and mincore says so', () => {
    const { process, call } = machine();
    const [lazy, eager] = [0, POPULATE].map((flag) => call('mmap2', 0, 3 * 4096, READ | WRITE, PRIVATE | ANON | flag, -1, 0));
    expect([call('mincore', eager, 3 * 4096, SCRATCH), bytes(process, SCRATCH, 3)]).toEqual([0, '\x01\x01\x01']);
    expect([call('mincore', lazy, 3 * 4096, SCRATCH), bytes(process, SCRATCH, 3)]).toEqual([0, '\0\0\0']);
    expect(call('mincore', 0x6000_0000, 4096, SCRATCH)).toBe(-Errno.ENOMEM);
  });
});

describe('the other memory calls', () => {
  test('madvise DONTNEED gives zeros again; unknown advice is refused', () => {
    const { process, call } = machine();
    process.space.writeWords(SCRATCH, [5]);
    expect([call('madvise', SCRATCH, 4096, 4), bytes(process, SCRATCH, 4)]).toEqual([0, '\0\0\0\0']);
    expect([call('madvise', SCRATCH, 4096, 10), call('madvise', SCRATCH + 1, 4096, 4), call('madvise', 0x6000_0000, 4096, 0)]).toEqual([-Errno.EINVAL, -Errno.EINVAL, -Errno.ENOMEM]);
  });

  test('mlock pages in within RLIMIT_MEMLOCK', () => {
    const { process, call } = machine();
    expect([call('mlock', SCRATCH + 5, 10), process.space.frameAt(SCRATCH) >= 0]).toEqual([0, true]);
    process.cred.euid = 7;
    process.limits[Rlimit.MEMLOCK].soft = 4096;
    expect([call('mlock', SCRATCH, 8192), call('mlock', 0x6000_0000, 1)]).toEqual([-Errno.ENOMEM, -Errno.ENOMEM]);
  });

  test('limits reach the space: RLIMIT_AS stops mmap and brk, RLIMIT_DATA the break', () => {
    const { process, call } = machine();
    const end = call('brk', 0);
    process.limits[Rlimit.DATA].soft = 8192;
    applyMemoryLimits(process);
    expect([call('brk', end + 8192), call('brk', end + 12_288)]).toEqual([end + 8192, end + 8192]);
    process.limits[Rlimit.DATA].soft = Infinity;
    process.limits[Rlimit.AS].soft = process.space.mappedBytes() + 4096;
    applyMemoryLimits(process);
    expect(failed(call('mmap2', 0, 4096, READ, PRIVATE | ANON, -1, 0))).toBe(false);
    expect([call('mmap2', 0, 4096, READ, PRIVATE | ANON, -1, 0), call('brk', end + 12_288)]).toEqual([-Errno.ENOMEM, end + 8192]);
  });

  test('cacheflush checks its arguments', () => {
    const { call } = machine();
    expect([call('cacheflush', SCRATCH, 64, 3), call('cacheflush', SCRATCH, 64, 0), call('cacheflush', -64, 64, 1)]).toEqual([0, -Errno.EINVAL, -Errno.EFAULT]);
  });
});

describe('out of memory', () => {
  test('the largest process dies, process 1 last, and its memory is free at once', () => {
    const { kernel } = new TestMachine({ files: { '/bin/prog': sampleElf() } });
    const spawn = (init: boolean): Process => kernel.spawn('/bin/prog', ['prog'], [], { init }) as Process;
    const [init, small, large] = [spawn(true), spawn(false), spawn(false)];
    const fill = ({ space }: Process, pages: number): void => {
      const at = space.map({ length: pages * 4096, prot: READ | WRITE });
      space.zero(at, pages * 4096);
    };
    fill(init, 300);
    fill(small, 10);
    fill(large, 200);
    const free = kernel.ram.free();
    outOfMemory(kernel, small.threads[0]);
    expect([large.state, large.exitStatus, kernel.ram.free() - free >= 200]).toEqual(['dead', 9, true]);
    expect(kernel.log.lines()).toContain(`"what":"oom.kill","pid":${large.pid},"comm":"prog"`);
    expect(chooseVictim(kernel)).toBe(small);
    outOfMemory(kernel, small.threads[0]);
    expect(chooseVictim(kernel)).toBeNull();
  });
});

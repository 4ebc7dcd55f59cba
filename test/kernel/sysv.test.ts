import { Errno, failed, loadGraph, saveGraph } from '../../emulator/base/index.js';
import { exitProcess } from '../../emulator/kernel/exit.js';
import { BLOCKED, findSyscall, type Kernel, type Process, type Thread } from '../../emulator/kernel/index.js';
import { semaphores, semReleases } from '../../emulator/kernel/semaphores.js';
import { sharedMemory } from '../../emulator/kernel/shared-memory.js';
import type { AddressSpace } from '../../emulator/memory/index.js';
import { TestMachine } from '../support/machine.js';
import { sampleElf } from './sample-elf.js';

const SEMGET = 4393, SEMCTL = 4394, SHMGET = 4395, SHMCTL = 4396, SHMAT = 4397, SHMDT = 4398, IPC = 4117, SEMTIMEDOP = 4420;
const CREAT = 0o1000, EXCL = 0o2000, NOWAIT = 0o4000, UNDO = 0x1000;
const RMID = 0, STAT = 2, GETVAL = 12, GETNCNT = 14, GETZCNT = 15, SETVAL = 16, SETALL = 17, GETALL = 13;
/** Scratch memory of the sample program: its bss. */
const SCRATCH = 0x41_2000;

interface Fixture { kernel: Kernel; a: Process; b: Process }

function fixture(): Fixture {
  const { kernel } = new TestMachine({ files: { '/bin/prog': sampleElf() } });
  const spawn = (): Process => kernel.spawn('/bin/prog', ['prog'], []) as Process;
  return { kernel, a: spawn(), b: spawn() };
}

function call(process: Process, number: number, ...args: number[]): number {
  const thread: Thread = process.threads[0];
  const [a0 = 0, a1 = 0, a2 = 0, a3 = 0, a4 = 0, a5 = 0] = args;
  return findSyscall(number)!.handler(process.kernel, thread, a0, a1, a2, a3, a4, a5, 0);
}

/** semop through ipc(2), as musl does it. */
function semop(process: Process, id: number, ...ops: [num: number, op: number, flags?: number][]): number {
  process.space.copyout(SCRATCH, new Uint8Array(Int16Array.from(ops.flatMap(([num, op, flags = 0]) => [num, op, flags])).buffer));
  return call(process, IPC, 1, id, ops.length, 0, SCRATCH, 0);
}

const value = (process: Process, id: number, num = 0): number => call(process, SEMCTL, id, num, GETVAL, 0);

/** What the scheduler does with a thread that was woken: the same call again. */
function again(process: Process, id: number, ...ops: [number, number, number?][]): number {
  return semop(process, id, ...ops);
}

describe('semaphores', () => {
  test('all operations of a call happen or none', () => {
    const { a } = fixture();
    const id = call(a, SEMGET, 1, 2, CREAT | 0o600);
    expect(semop(a, id, [0, 2], [1, 1])).toBe(0);
    expect(semop(a, id, [0, -1], [1, -2, NOWAIT])).toBe(-Errno.EAGAIN);
    expect([value(a, id, 0), value(a, id, 1)]).toEqual([2, 1]);
    expect(semop(a, id, [0, -2], [0, 0], [1, 0, NOWAIT])).toBe(-Errno.EAGAIN);
    expect(semop(a, id, [2, 1])).toBe(-Errno.EFBIG);
    expect(semop(a, id, [0, 32_767])).toBe(-Errno.ERANGE);
  });

  test('a waiter sleeps as a named, saved state and goes on in a loaded machine', () => {
    const first = fixture();
    const id = call(first.a, SEMGET, 7, 1, CREAT | 0o600);
    expect(semop(first.b, id, [0, -1])).toBe(BLOCKED);
    expect(first.b.threads[0].blocked).toMatchObject({ name: 'sem.op', data: { id, num: 0, zero: false } });
    expect([call(first.a, SEMCTL, id, 0, GETNCNT), call(first.a, SEMCTL, id, 0, GETZCNT)]).toEqual([1, 0]);
    const { a, b } = loadGraph(saveGraph(first)) as Fixture;
    expect(semop(a, id, [0, 1])).toBe(0);
    expect(b.threads[0].state).toBe('runnable');
    expect(again(b, id, [0, -1])).toBe(0);
    expect(value(a, id)).toBe(0);
  });

  test('a removed set wakes its waiters with EIDRM; a time limit ends a wait with EAGAIN', () => {
    const { kernel, a, b } = fixture();
    const id = call(a, SEMGET, 0, 1, 0o600);
    expect(semop(b, id, [0, -1])).toBe(BLOCKED);
    expect(call(a, SEMCTL, id, 0, RMID)).toBe(0);
    expect(again(b, id, [0, -1])).toBe(-Errno.EIDRM);
    b.threads[0].unblock();
    const other = call(a, SEMGET, 0, 1, 0o600);
    expect(other).not.toBe(id);
    b.space.writeWords(SCRATCH + 64, [1, 0, 0, 0]);
    b.space.writeWords(SCRATCH, [0xffff_0000 | 0, 0]);
    expect(call(b, SEMTIMEDOP, other, SCRATCH, 1, SCRATCH + 64)).toBe(BLOCKED);
    kernel.events.popDue(kernel.clock.cycles + 100e6)!.target.onEvent('deadline', null);
    expect(call(b, SEMTIMEDOP, other, SCRATCH, 1, SCRATCH + 64)).toBe(-Errno.EAGAIN);
  });

  test('what SEM_UNDO promised is given back at exit; SETVAL forgets the promise', () => {
    const { a, b } = fixture();
    const id = call(a, SEMGET, 1, 2, CREAT | 0o600);
    a.space.copyout(SCRATCH, new Uint8Array(Uint16Array.of(3, 3).buffer));
    expect(call(a, SEMCTL, id, 0, SETALL, SCRATCH)).toBe(0);
    expect(semop(b, id, [0, -2, UNDO], [1, -1, UNDO])).toBe(0);
    expect(call(a, SEMCTL, id, 1, SETVAL, 9)).toBe(0);
    exitProcess(b, 0);
    expect(call(a, SEMCTL, id, 0, GETALL, SCRATCH)).toBe(0);
    expect([...new Uint16Array((a.space.copyin(SCRATCH, 4) as Uint8Array).buffer)]).toEqual([3, 9]);
    expect(semaphores(a.kernel).undos.size).toBe(0);
  });

  test('each release is noted for the process that made it, with set and sequence', () => {
    const { a, b } = fixture();
    const id = call(a, SEMGET, 1, 2, CREAT | 0o600);
    semop(a, id, [0, 1]);
    semop(a, id, [0, -1]);
    semop(a, id, [1, 2]);
    expect(semReleases(a)).toMatchObject({ count: 2, latest: [{ id, num: 0, amount: 1, sequence: 1 }, { id, num: 1, amount: 2, sequence: 2 }] });
    expect(semReleases(b).count).toBe(0);
  });

  test('keys, flags and permissions decide who gets a set', () => {
    const { a, b } = fixture();
    const id = call(a, SEMGET, 5, 3, CREAT | EXCL | 0o640);
    expect(call(a, SEMGET, 5, 3, CREAT | EXCL)).toBe(-Errno.EEXIST);
    expect(call(a, SEMGET, 5, 4, 0)).toBe(-Errno.EINVAL);
    expect(call(a, SEMGET, 6, 1, 0)).toBe(-Errno.ENOENT);
    expect(call(a, SEMGET, 6, 251, CREAT)).toBe(-Errno.EINVAL);
    expect(call(a, IPC, 2, 5, 0, 0o600)).toBe(id);
    Object.assign(b.cred, { uid: 9, euid: 9, egid: 9 });
    expect(call(b, SEMGET, 5, 0, 0o200)).toBe(-Errno.EACCES);
    expect(semop(b, id, [0, 1])).toBe(-Errno.EACCES);
    expect(call(b, SEMCTL, id, 0, RMID)).toBe(-Errno.EPERM);
    expect(call(a, SEMCTL, id, 0, STAT | 0x100, SCRATCH)).toBe(0);
    expect([...a.space.readWords(SCRATCH, 14) as Int32Array]).toEqual([5, 0, 0, 0, 0, 0o640, 0, 0, 0, 0, a.kernel.realtime().seconds, 3, 0, 0]);
    expect(call(a, SEMCTL, id, 0, STAT, 0)).toBe(-Errno.EFAULT);
  });
});

describe('shared memory', () => {
  const word = ({ space }: Process, va: number): number => (space.readWords(va, 1) as Int32Array)[0];

  test('two processes and a forked child see one memory; a removed segment lives until the last detach', () => {
    const { kernel, a, b } = fixture();
    const before = kernel.ram.free();
    const id = call(a, SHMGET, 77, 5000, CREAT | 0o600);
    const [at, bt] = [call(a, SHMAT, id, 0, 0), call(b, SHMAT, id, 0x5000_0000, 0)];
    a.space.writeWords(at + 4996, [42]);
    expect([bt, word(b, bt + 4996)]).toEqual([0x5000_0000, 42]);
    const child = a.space.fork() as AddressSpace;
    child.writeWords(at, [43]);
    expect(word(b, bt)).toBe(43);
    expect(call(a, SHMCTL, id, STAT, SCRATCH)).toBe(0);
    expect([...(a.space.readWords(SCRATCH, 18) as Int32Array).subarray(9, 16)]).toEqual([5000, kernel.realtime().seconds, 0, kernel.realtime().seconds, a.pid, b.pid, 3]);
    expect(call(a, SHMCTL, id, RMID)).toBe(0);
    expect(call(a, SHMGET, 77, 0, 0)).toBe(-Errno.ENOENT);
    child.destroy();
    expect([call(a, SHMDT, at), call(a, SHMDT, at), word(b, bt)]).toEqual([0, -Errno.EINVAL, 43]);
    expect(call(b, SHMDT, bt)).toBe(0);
    expect(sharedMemory(kernel).table.slots).toEqual([null]);
    b.space.writeWords(SCRATCH, [1]);
    // What stays: a scratch page of each, a page table of b for the attachment.
    expect(before - kernel.ram.free()).toBeLessThanOrEqual(4);
  });

  test('an attach address is a multiple of SHMLBA, or rounded on request, and free', () => {
    const { a } = fixture();
    const id = call(a, SHMGET, 0, 4096, 0o600);
    expect(call(a, SHMAT, id, 0x5000_1000, 0)).toBe(-Errno.EINVAL);
    expect(call(a, SHMAT, id, 0x5000_1000, 0o20000)).toBe(0x5000_0000);
    expect(call(a, SHMAT, id, 0x5000_0000, 0)).toBe(-Errno.EINVAL);
    expect(call(a, SHMAT, id, 0x5000_0000, 0o40000)).toBe(0x5000_0000);
    expect(call(a, IPC, 21, id, 0, SCRATCH, 0)).toBe(0);
    expect(a.space.find(word(a, SCRATCH))?.name).toBe('/SYSV00000000 (deleted)');
    expect(call(a, SHMAT, 99, 0, 0)).toBe(-Errno.EINVAL);
  });

  test('a read-only attachment cannot be written, not even after mprotect', () => {
    const { a } = fixture();
    const id = call(a, SHMGET, 0, 4096, 0o600);
    const at = call(a, SHMAT, id, 0, 0o10000);
    expect(a.space.writeWords(at, [1])).toBe(-Errno.EFAULT);
    expect(a.space.protect(at, 4096, 3)).toBe(-Errno.EACCES);
  });

  test('sizes are checked against the segment and the device', () => {
    const { kernel, a } = fixture();
    expect(call(a, SHMGET, 3, 0, CREAT)).toBe(-Errno.EINVAL);
    expect(call(a, SHMGET, 3, kernel.ram.bytes + 1, CREAT)).toBe(-Errno.EINVAL);
    expect(call(a, SHMGET, 3, -1, CREAT)).toBe(-Errno.EINVAL);
    expect(failed(call(a, SHMGET, 3, 100, CREAT | 0o600))).toBe(false);
    expect(call(a, SHMGET, 3, 101, 0)).toBe(-Errno.EINVAL);
  });
});

describe('message queues', () => {
  const MSGGET = 13, MSGSND = 11, MSGRCV = 12, MSGCTL = 14;
  const send = (process: Process, id: number, type: number, text: string, flags = 0): number => {
    process.space.copyout(SCRATCH, Buffer.concat([new Uint8Array(Int32Array.of(type).buffer), Buffer.from(text)]));
    return call(process, IPC, MSGSND, id, text.length, flags, SCRATCH, 0);
  };
  const receive = (process: Process, id: number, type: number, flags = NOWAIT): string | number => {
    const length = call(process, IPC, MSGRCV | (1 << 16), id, 100, flags, SCRATCH, type);
    return length < 0 ? length : Buffer.from(process.space.copyin(SCRATCH + 4, length) as Uint8Array).toString();
  };

  test('a waiter sleeps as a saved state, and in a loaded machine gets what is sent', () => {
    const first = fixture();
    const id = call(first.a, IPC, MSGGET, 9, CREAT | 0o600, 0, 0);
    expect(receive(first.b, id, 4, 0)).toBe(BLOCKED);
    expect(first.b.threads[0].blocked).toMatchObject({ name: 'msg.receive' });
    const { a, b } = loadGraph(saveGraph({ a: first.a, b: first.b })) as Fixture;
    expect(send(a, id, 3, 'not for it')).toBe(0);
    expect(receive(b, id, 4, 0)).toBe(BLOCKED);
    expect(send(a, id, 4, 'for it')).toBe(0);
    expect(b.threads[0].state).toBe('runnable');
    expect(receive(b, id, 4, 0)).toBe('for it');
  });

  test('version 0 of ipc(2) gives the buffer and the type in a structure of their own', () => {
    const { a } = fixture();
    const id = call(a, IPC, MSGGET, 0, 0o600, 0, 0);
    send(a, id, 7, 'seven');
    a.space.copyout(SCRATCH + 200, new Uint8Array(Int32Array.of(SCRATCH, 7).buffer));
    expect(call(a, IPC, MSGRCV, id, 100, NOWAIT, SCRATCH + 200, 0)).toBe(5);
    expect(call(a, IPC, MSGRCV, id, 100, NOWAIT, 0, 0)).toBe(-Errno.EINVAL);
  });

  test('what waits is charged to the device, and given back with the queue', () => {
    const { kernel, a } = fixture();
    send(a, call(a, IPC, MSGGET, 1, CREAT | 0o600, 0, 0), 1, '');
    const before = kernel.ram.free();
    const ids = Array.from({ length: 50 }, () => call(a, IPC, MSGGET, 0, 0o600, 0, 0));
    for (const id of ids) while (send(a, id, 1, 'x'.repeat(1000), NOWAIT) === 0);
    expect(kernel.ram.free()).toBeLessThan(before - 190);
    for (const id of ids) expect(call(a, IPC, MSGCTL, id, RMID, 0, 0)).toBe(0);
    expect(kernel.ram.free()).toBe(before);
  });

  test('one may not take what one may not read, nor remove what is not his', () => {
    const { a, b } = fixture();
    const id = call(a, IPC, MSGGET, 9, CREAT | 0o600, 0, 0);
    Object.assign(b.cred, { uid: 7, euid: 7, suid: 7 });
    expect([send(b, id, 1, 'x'), receive(b, id, 0), call(b, IPC, MSGCTL, id, RMID, 0, 0)]).toEqual([-Errno.EACCES, -Errno.EACCES, -Errno.EPERM]);
  });
});

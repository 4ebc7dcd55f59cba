import { Errno, failed } from '../../emulator/base/index.js';
import { BLOCKED, EMAXERRNO, findSyscall, NO_RETURN, registerHooks, Rlimit, syscallNumber, type Kernel, type Process, type Thread } from '../../emulator/kernel/index.js';
import { enterSyscall } from '../../emulator/kernel/dispatch.js';
import { finishCall } from '../../emulator/kernel/signals.js';
import { guestBinary, runGuest, TestMachine } from '../support/machine.js';

const hello = guestBinary('hello');
/** Scratch memory: well below the stack pointer of a program that has not run yet. */
const SCRATCH_BELOW_SP = 4096;

interface Fixture {
  machine: TestMachine;
  kernel: Kernel;
  process: Process;
  thread: Thread;
  /** Address of a page to pass to calls. */
  page: number;
  /** Call a handler directly. */
  call(name: string, ...args: number[]): number;
  words(va: number, count: number): number[];
}

function fixture(): Fixture {
  const machine = new TestMachine();
  const { kernel } = machine;
  machine.writeFile('/bin/hello', hello, 0o755);
  const process = machine.spawn('/bin/hello', ['hello']);
  const [thread] = process.threads;
  const call = (name: string, ...args: number[]): number => {
    const entry = findSyscall(syscallNumber(name) ?? 0);
    if (!entry) throw new Error(`no call ${name}`);
    const a = [...args, 0, 0, 0, 0, 0, 0, 0];
    return entry.handler(kernel, thread, a[0], a[1], a[2], a[3], a[4], a[5], a[6]);
  };
  const words = (va: number, count: number): number[] => {
    const result = process.space.readWords(va, count);
    if (failed(result)) throw new Error(`errno ${-result}`);
    return [...result];
  };
  return { machine, kernel, process, thread, page: (thread.ctx.gpr[29] >>> 0) - SCRATCH_BELOW_SP, call, words };
}

describe('the system call instruction', () => {
  const trap = (thread: Thread, number: number, ...args: number[]): void => {
    thread.ctx.gpr[2] = number;
    args.forEach((value, i) => { thread.ctx.gpr[4 + i] = value; });
    enterSyscall(thread.process.kernel, thread, thread.ctx.pc + 4);
  };
  const outcome = ({ ctx }: Thread): number[] => [ctx.gpr[2], ctx.gpr[7]];

  test('gives value and a3 = 0, or the positive errno and a3 = 1, and goes on after it', () => {
    const { thread, process } = fixture();
    const { pc } = thread.ctx;
    trap(thread, 4020);
    expect([...outcome(thread), thread.ctx.pc]).toEqual([process.pid, 0, pc + 4]);
    trap(thread, 4006, 99);
    expect(outcome(thread)).toEqual([Errno.EBADF, 1]);
  });

  test('the largest errno of MIPS is an error, one beyond is a value', () => {
    const { thread } = fixture();
    finishCall(thread.ctx, 0, -EMAXERRNO);
    expect(outcome(thread)).toEqual([EMAXERRNO, 1]);
    finishCall(thread.ctx, 0, -EMAXERRNO - 1);
    expect(outcome(thread)).toEqual([-EMAXERRNO - 1, 0]);
  });

  test('an unknown number is ENOSYS and remembered by number and program', () => {
    const { thread, kernel } = fixture();
    for (const number of [4304, 4304, 17, 4000]) {
      trap(thread, number, 4000);
      expect(outcome(thread)).toEqual([Errno.ENOSYS, 1]);
    }
    expect(kernel.unknownCalls).toEqual(new Map([['4304 hello', 2], ['17 hello', 1], ['4000 hello', 1]]));
  });

  test('syscall(2) shifts the arguments', () => {
    const { thread } = fixture();
    trap(thread, 4000, 4006, 99);
    expect(outcome(thread)).toEqual([Errno.EBADF, 1]);
  });

  test('arguments beyond the fourth come from the user stack, EFAULT if there is none', () => {
    const { thread, process, page } = fixture();
    thread.ctx.gpr[29] = page;
    process.space.writeWords(page + 16, [0]);
    trap(thread, 4140, 0, 0, 0, page + 100);
    expect(outcome(thread)).toEqual([Errno.ESPIPE, 1]);
    thread.ctx.gpr[29] = 0x1000;
    trap(thread, 4140, 0, 0, 0, page + 100);
    expect(outcome(thread)).toEqual([Errno.EFAULT, 1]);
  });
});

describe('limits and identity', () => {
  test('RLIM_INFINITY is 0x7fffffff in the 32-bit calls and all ones in prlimit64', () => {
    const { call, words, page, process } = fixture();
    expect(call('getrlimit', Rlimit.CPU, page)).toBe(0);
    expect(words(page, 2)).toEqual([0x7fffffff, 0x7fffffff]);
    expect(call('prlimit64', 0, Rlimit.CPU, 0, page)).toBe(0);
    expect(words(page, 4)).toEqual([-1, -1, -1, -1]);
    process.space.writeWords(page, [1 << 20, 0x7fffffff]);
    expect(call('setrlimit', Rlimit.AS, page)).toBe(0);
    expect(process.limits[Rlimit.AS]).toEqual({ soft: 1 << 20, hard: Infinity });
    expect(process.space.limit).toBe(1 << 20);
  });

  test('a soft limit above the hard one is EINVAL, raising the hard one EPERM for users', () => {
    const { call, process, page } = fixture();
    process.space.writeWords(page, [9, 8]);
    expect(call('setrlimit', Rlimit.NOFILE, page)).toBe(-Errno.EINVAL);
    process.cred.euid = 1000;
    process.space.writeWords(page, [100, 5000]);
    expect(call('setrlimit', Rlimit.NOFILE, page)).toBe(-Errno.EPERM);
    process.space.writeWords(page, [100, 100]);
    expect(call('setrlimit', Rlimit.NOFILE, page)).toBe(0);
    expect(process.fds.limit).toBe(100);
  });

  test('setuid gives root away for good, setresuid keeps a way back', () => {
    const { call, process } = fixture();
    expect(call('setresuid', 10, 20, 0)).toBe(0);
    expect([process.cred.uid, process.cred.euid, process.cred.suid, process.cred.fsuid]).toEqual([10, 20, 0, 20]);
    expect(call('setresuid', -1, 30, -1)).toBe(-Errno.EPERM);
    expect(call('setresuid', -1, 0, -1)).toBe(0);
    expect(call('setuid', 77)).toBe(0);
    expect([process.cred.uid, process.cred.euid, process.cred.suid]).toEqual([77, 77, 77]);
    expect([call('setuid', 0), call('setgid', 5)]).toEqual([-Errno.EPERM, -Errno.EPERM]);
  });

  test('prctl names the process with at most 15 characters', () => {
    const { call, process, page } = fixture();
    process.space.copyout(page, Buffer.from('a name that is too long\0'));
    expect(call('prctl', 15, page)).toBe(0);
    expect(process.comm).toBe('a name that is ');
    expect(call('prctl', 16, page + 64)).toBe(0);
    expect(process.space.copyinString(page + 64)).toBe('a name that is ');
    expect(call('prctl', 46)).toBe(0);
    expect(call('prctl', 9999)).toBe(-Errno.EINVAL);
  });

  test('uname says mips, sysinfo the RAM of the device', () => {
    const { call, process, page, words, kernel } = fixture();
    expect(call('uname', page)).toBe(0);
    const field = (i: number): unknown => process.space.copyinString(page + 65 * i);
    expect([field(0), field(1), field(4)]).toEqual(['Linux', 'shuntbox', 'mips']);
    expect(call('sysinfo', page)).toBe(0);
    expect(words(page + 16, 2)).toEqual([kernel.ram.frames * 4096, kernel.ram.free() * 4096]);
  });
});

describe('time', () => {
  test('clocks read virtual time; the wall clock starts at the configured epoch', () => {
    const { call, words, page, kernel } = fixture();
    kernel.clock.cycles = 2.5 * kernel.clock.hz;
    call('clock_gettime64', 1, page);
    expect(words(page, 4)).toEqual([2, 0, 500_000_000, 0]);
    call('clock_gettime', 0, page);
    expect(words(page, 2)).toEqual([kernel.clock.bootEpoch + 2, 500_000_000]);
    expect(call('clock_gettime', 77, page)).toBe(-Errno.EINVAL);
    expect(call('time', 0)).toBe(kernel.clock.bootEpoch + 2);
  });

  test('an idle machine jumps to the next deadline and says idle when there is none', () => {
    const { kernel, thread, process } = fixture();
    process.space.writeWords(thread.ctx.gpr[29] - 64, [5, 0]);
    thread.ctx.gpr[2] = 4166;
    thread.ctx.gpr[4] = thread.ctx.gpr[29] - 64;
    thread.ctx.gpr[5] = 0;
    const { pc } = thread.ctx;
    enterSyscall(kernel, thread, pc + 4);
    expect([thread.state, thread.blocked?.name, thread.ctx.pc]).toEqual(['blocked', 'nanosleep', pc]);
    kernel.run(4 * kernel.clock.hz);
    expect([kernel.clock.cycles, thread.state]).toEqual([4 * kernel.clock.hz, 'blocked']);
    kernel.run(5 * kernel.clock.hz + 1);
    expect([thread.ctx.gpr[2], thread.ctx.gpr[7], thread.blocked]).toEqual([0, 0, null]);
    expect(kernel.run(Infinity).reason).toBe('idle');
  });

  test('alarm gives back the rounded rest of the one before', () => {
    const { call, kernel } = fixture();
    expect(call('alarm', 10)).toBe(0);
    kernel.clock.cycles += 3.6 * kernel.clock.hz;
    expect(call('alarm', 0)).toBe(6);
    expect(call('alarm', 0)).toBe(0);
  });
});

describe('blocking', () => {
  test('the same handler is asked again with the same arguments and its notes', () => {
    const { kernel, thread, call } = fixture();
    expect(call('pause')).toBe(BLOCKED);
    expect(thread.blocked).toMatchObject({ name: 'pause', restart: 'nohand', timedOut: false });
    thread.wake();
    expect(thread.state).toBe('runnable');
    thread.wake();
    expect(kernel.scheduler.runnable).toBe(1);
  });

  test('a call that sleeps again keeps its first deadline', () => {
    const { thread, kernel } = fixture();
    thread.block('first', [], { deadline: 1000, data: { tries: 1 } });
    thread.wake();
    thread.block('again', [], { deadline: 9000 });
    expect(thread.blocked).toMatchObject({ name: 'again', deadline: 1000, data: { tries: 1 } });
    const event = kernel.events.popDue(1000);
    event?.target.onEvent(event.kind, event.argument);
    expect([thread.blocked?.timedOut, thread.state]).toEqual([true, 'runnable']);
  });

  test('exit leaves no trace in queues, timers and the process table', () => {
    const { thread, kernel, call, process } = fixture();
    thread.block('x', [process.childChange], { deadline: 1e9 });
    expect(call('exit_group', 3)).toBe(NO_RETURN);
    expect([process.exitStatus, process.state, process.childChange.length, kernel.processes.size]).toEqual([0x300, 'dead', 0, 0]);
    expect(kernel.run(Infinity).reason).toBe('idle');
    expect(kernel.clock.cycles).toBe(0);
  });
});

describe('the machine', () => {
  test('reboot needs its magic numbers and halts', () => {
    const { call, kernel } = fixture();
    expect(call('reboot', 1, 2, 3)).toBe(-Errno.EINVAL);
    expect(call('reboot', 0xfee1dead | 0, 672274793, 0x4321fedc)).toBe(0);
    expect(kernel.run(Infinity).reason).toBe('halted');
  });

  test('random numbers come from the seed', () => {
    const draw = (seed: number): number[] => {
      const { call, words, page, kernel } = fixture();
      kernel.random.next();
      Object.assign(kernel, { random: kernel.random.fork(seed) });
      expect(call('getrandom', page, 16, 0)).toBe(16);
      return words(page, 4);
    };
    expect(draw(1)).toEqual(draw(1));
    expect(draw(1)).not.toEqual(draw(2));
  });

  test('a fatal signal is told to the hooks while registers and memory are whole', () => {
    const seen: unknown[] = [];
    registerHooks({
      onFatalSignal: (thread, signo, info) => {
        if (thread.process.comm === 'segv') seen.push(signo, info.code, thread.process.space.regions.length > 0, thread.ctx.pc > 0x400000);
      },
      onExit: (process) => { if (process.comm === 'segv') seen.push('exit', process.fds.list().length > 0); },
    });
    expect(runGuest('segv').signo).toBe(11);
    expect(seen.slice(-6)).toEqual([11, 1, true, true, 'exit', true]);
  });

  test('two busy processes share the processor evenly', () => {
    const machine = new TestMachine({ quantum: 1000 });
    machine.writeFile('/bin/strings', guestBinary('strings'), 0o755);
    const [a, b] = [0, 1].map(() => machine.spawn('/bin/strings', ['strings']));
    machine.kernel.run(1e6);
    const used = [a, b].map((process) => process.usage.user);
    expect(Math.abs(used[0] - used[1])).toBeLessThan(0.02 * 1e6);
    expect(a.usage.involuntarySwitches).toBeGreaterThan(100);
  });
});

describe('strace', () => {
  test('shows calls as strace does', () => {
    const { strace } = runGuest('hello', [], { strace: true });
    expect(strace.split('\n').slice(-4)).toEqual([
      expect.stringMatching(/^\[pid 2\] write\(1, "hello, router\\n", 14\) = 14$|^\[pid 2\] writev\(1, 0x[0-9a-f]+, 2\) = 14$/) as string,
      '[pid 2] exit_group(0) = ?', '[pid 2] +++ exited with 0 +++', '',
    ]);
  });

  test('shows faults with code and address', () => {
    const { strace } = runGuest('segv', [], { strace: true });
    expect(strace).toMatch(/^\[pid 2\] --- SIGSEGV \{si_signo=SIGSEGV, si_code=SEGV_MAPERR, si_addr=(0x[0-9a-f]+|NULL)\} ---$/m);
    expect(strace).toContain('[pid 2] +++ killed by SIGSEGV +++');
  });

  test('a blocked call is unfinished when another thread speaks, and resumed later', () => {
    const { strace } = runGuest('fork', [], { strace: true });
    expect(strace).toMatch(/\[pid 2\] wait4\(-1, +<unfinished \.\.\.>\n/);
    expect(strace).toMatch(/\[pid 2\] <\.\.\. wait4 resumed>\[\{WIFEXITED\(s\) && WEXITSTATUS\(s\) == 0\}\], 0, NULL\) = \d+\n/);
    expect(strace).toMatch(/\[pid \d+\] open\("file", O_RDWR\|O_CREAT\|O_LARGEFILE, 0600\) = 3\n/);
    expect(strace).toMatch(/--- SIGCHLD \{si_signo=SIGCHLD, si_code=CLD_EXITED, si_pid=\d+, si_uid=0, si_status=0\} ---|waitpid|wait4/);
  });

  test('errors carry name and text', () => {
    const { strace } = runGuest('names', [], { strace: true });
    expect(strace).toMatch(/ = -1 ENOENT \(No such file or directory\)\n/);
  });
});

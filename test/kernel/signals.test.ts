import fc from 'fast-check';
import { PendingSignals, SA, setHas, setOf, SI, Signal, type Process, type SigInfo, type Thread } from '../../emulator/kernel/index.js';
import { popSignalFrame, pushSignalFrame, siginfoBytes } from '../../emulator/kernel/sigframe.js';
import { deliverSignals, forceSignal, signalProcess, signalThread } from '../../emulator/kernel/signals.js';
import { SIGPAGE_RT_SIGRETURN, SIGPAGE_SIGRETURN } from '../../emulator/kernel/sigpage.js';
import { emptySet } from '../../emulator/kernel/sigset.js';
import { guestBinary, TestMachine } from '../support/machine.js';

const hello = guestBinary('hello');

/** A loaded program that has not run yet. */
function fresh(init = false): { machine: TestMachine; process: Process; thread: Thread } {
  const machine = new TestMachine();
  machine.writeFile('/bin/hello', hello, 0o755);
  const process = machine.spawn('/bin/hello', ['hello'], { init });
  return { machine, process, thread: process.threads[0] };
}

const user = (signo: number): SigInfo => ({ signo, code: SI.USER, pid: 7, uid: 0 });
const handler = (flags = 0, mask = emptySet()): { handler: number; flags: number; mask: Uint32Array } => ({ handler: 0x400100, flags, mask });

describe('pending signals', () => {
  test('a standard signal is pending once, real-time signals queue in order', () => {
    const pending = new PendingSignals();
    for (const value of [1, 2, 3]) {
      pending.add({ signo: Signal.USR1, code: SI.QUEUE, value });
      pending.add({ signo: 40, code: SI.QUEUE, value });
    }
    expect(pending.queue.filter(({ signo }) => signo === Signal.USR1).map(({ value }) => value)).toEqual([1]);
    expect([1, 2, 3].map(() => pending.take(40)?.value)).toEqual([1, 2, 3]);
    expect(pending.take(40)).toBeNull();
  });

  test('faults come first, then lower numbers; blocked ones not at all', () => {
    const pending = new PendingSignals();
    for (const signo of [40, Signal.TERM, Signal.HUP, Signal.SEGV]) pending.add(user(signo));
    const order: number[] = [];
    const mask = setOf(Signal.TERM);
    for (let next = pending.next(mask); next; next = pending.next(mask)) order.push(pending.take(next)?.signo as number);
    expect(order).toEqual([Signal.SEGV, Signal.HUP, 40]);
  });
});

describe('the frame on the stack', () => {
  test('without SA_SIGINFO: 632 bytes, registers and mask where o32 has them', () => {
    const { process, thread } = fresh();
    const { ctx } = thread;
    for (let i = 1; i < 29; i++) ctx.gpr[i] = -i;
    ctx.hi = -5;
    ctx.lo = 6;
    const sp = ctx.gpr[29] >>> 0;
    const pc = ctx.pc;
    expect(pushSignalFrame(thread, user(Signal.USR1), handler(), setOf(Signal.HUP, 33))).toBe(true);
    const frame = ctx.gpr[29] >>> 0;
    expect(frame).toBe(((sp - 32 - 632) & ~7) >>> 0);
    expect([ctx.pc, ctx.gpr[25], ctx.gpr[31], ctx.gpr[4], ctx.gpr[5], ctx.gpr[6]])
      .toEqual([0x400100, 0x400100, SIGPAGE_SIGRETURN, Signal.USR1, 0, frame + 24]);
    const words = process.space.readWords(frame, 158) as Int32Array;
    const at = (offset: number): number => words[offset / 4];
    expect([at(24 + 8) >>> 0, at(24 + 12)]).toEqual([pc, 0]);
    expect([at(24 + 16 + 8 * 5), at(24 + 16 + 8 * 5 + 4)]).toEqual([-5, -1]);
    expect([at(24 + 540), at(24 + 552), at(24 + 556), at(24 + 560)]).toEqual([1, -5, -1, 6]);
    expect([at(616), at(620)]).toEqual([1, 1]);
  });

  test('with SA_SIGINFO: siginfo at 24, ucontext at 152, mask at its end', () => {
    const { process, thread } = fresh();
    thread.altStack = { sp: 0x1000, size: 8192, flags: 0 };
    const { ctx } = thread;
    const info = { signo: Signal.SEGV, code: 1, addr: 0x1234 };
    expect(pushSignalFrame(thread, info, handler(SA.SIGINFO), setOf(Signal.ALRM))).toBe(true);
    const frame = ctx.gpr[29] >>> 0;
    expect([ctx.gpr[5], ctx.gpr[6], ctx.gpr[31]]).toEqual([frame + 24, frame + 152, SIGPAGE_RT_SIGRETURN]);
    const words = process.space.readWords(frame, 196) as Int32Array;
    expect([...words.subarray(6, 10)]).toEqual([Signal.SEGV, 1, 0, 0x1234]);
    expect([...words.subarray(38, 43)]).toEqual([0, 0, 0x1000, 8192, 0]);
    expect(words[(152 + 616) / 4]).toBe(1 << (Signal.ALRM - 1));
  });

  test('code comes before errno in siginfo, and a timer has its own layout', () => {
    const words = (info: SigInfo): number[] => [...new Int32Array(siginfoBytes(info).buffer, 0, 8)];
    expect(words({ signo: 5, code: -1, errno: 3, pid: 10, uid: 11, value: 12 })).toEqual([5, -1, 3, 10, 11, 12, 0, 0]);
    expect(words({ signo: 14, code: SI.TIMER, timerId: 1, overrun: 2, value: 3 })).toEqual([14, -3, 0, 1, 2, 3, 0, 0]);
    expect(words({ signo: 18, code: SI.CLD_EXITED, pid: 9, uid: 0, status: 42, utime: 1, stime: 2 })).toEqual([18, 1, 0, 9, 0, 42, 1, 2]);
  });

  test('what was pushed comes back, whatever the registers were', () => {
    const { thread } = fresh();
    const { ctx } = thread;
    const sp = ctx.gpr[29];
    const word = fc.integer({ min: -0x80000000, max: 0x7fffffff });
    fc.assert(fc.property(fc.array(word, { minLength: 28, maxLength: 28 }), fc.array(fc.nat(0xffffffff), { minLength: 32, maxLength: 32 }), word, word, fc.boolean(),
      (gprs, fprs, hi, lo, realtime) => {
        gprs.forEach((value, i) => { ctx.gpr[i + 1] = value; });
        ctx.gpr[29] = sp;
        ctx.fpr.set(fprs);
        Object.assign(ctx, { hi, lo, fcsr: 0x00800003, pc: 0x400200 });
        const before = ctx.clone();
        pushSignalFrame(thread, user(Signal.USR2), handler(realtime ? SA.SIGINFO : 0), setOf(3));
        ctx.gpr.fill(0x55, 1, 29);
        ctx.fpr.fill(7);
        const restored = popSignalFrame(thread, realtime);
        expect(restored && [...restored.mask]).toEqual([4, 0, 0, 0]);
        expect(ctx).toEqual(before);
      }), { numRuns: 50 });
  });

  test('it goes to the alternate stack if asked for, unless already there', () => {
    const { thread } = fresh();
    const top = thread.ctx.gpr[29] >>> 0;
    const base = top - 0x8000;
    thread.altStack = { sp: base, size: 0x2000, flags: 0 };
    pushSignalFrame(thread, user(Signal.USR1), handler(SA.ONSTACK), emptySet());
    const first = thread.ctx.gpr[29] >>> 0;
    expect(first).toBe((base + 0x2000 - 632) & ~7);
    pushSignalFrame(thread, user(Signal.USR1), handler(SA.ONSTACK), emptySet());
    expect(thread.ctx.gpr[29] >>> 0).toBe((first - 32 - 632) & ~7);
  });
});

describe('delivery', () => {
  test('the handler runs with its mask and its own signal blocked; SA_RESETHAND and SA_NODEFER change that', () => {
    const { process, thread } = fresh();
    process.actions[Signal.USR1] = handler(0, setOf(Signal.HUP));
    signalThread(thread, user(Signal.USR1));
    deliverSignals(thread);
    expect([Signal.USR1, Signal.HUP, Signal.INT].map((signo) => setHas(thread.sigmask, signo))).toEqual([true, true, false]);
    expect(process.actions[Signal.USR1].handler).toBe(0x400100);
    process.actions[Signal.USR2] = handler(SA.RESETHAND | SA.NODEFER);
    signalThread(thread, user(Signal.USR2));
    deliverSignals(thread);
    expect(setHas(thread.sigmask, Signal.USR2)).toBe(false);
    expect(process.actions[Signal.USR2].handler).toBe(0);
  });

  test('a fault that is blocked or ignored kills, and its number is the exit status', () => {
    for (const prepare of [(thread: Thread) => { thread.sigmask = setOf(Signal.SEGV); }, (thread: Thread) => { thread.process.actions[Signal.SEGV].handler = 1; }]) {
      const { process, thread } = fresh();
      prepare(thread);
      forceSignal(thread, { signo: Signal.SEGV, code: 1, addr: 16 });
      deliverSignals(thread);
      expect([process.state, process.exitStatus & 0x7f]).toEqual(['dead', Signal.SEGV]);
    }
  });

  test('a stack that cannot be written is fatal even with a handler', () => {
    const { process, thread } = fresh();
    process.actions[Signal.USR1] = handler();
    process.actions[Signal.SEGV] = handler();
    thread.ctx.gpr[29] = 0x1000;
    signalThread(thread, user(Signal.USR1));
    deliverSignals(thread);
    expect([process.state, process.exitStatus & 0x7f]).toEqual(['dead', Signal.SEGV]);
  });

  test('a stop signal cancels a pending continue and the other way round', () => {
    const { process, thread } = fresh();
    thread.sigmask = setOf(Signal.CONT, Signal.TSTP);
    signalProcess(process, user(Signal.CONT));
    signalProcess(process, user(Signal.TSTP));
    expect(process.pending.queue.map(({ signo }) => signo)).toEqual([Signal.TSTP]);
    signalProcess(process, user(Signal.CONT));
    expect(process.pending.queue.map(({ signo }) => signo)).toEqual([Signal.CONT]);
  });

  test('SIGSTOP stops, SIGCONT continues, SIGKILL ends even what is stopped', () => {
    const { machine, process, thread } = fresh();
    signalProcess(process, user(Signal.STOP));
    machine.kernel.run(1e6);
    expect([process.stopSignal, thread.state, machine.stdout]).toEqual([Signal.STOP, 'stopped', '']);
    signalProcess(process, user(Signal.CONT));
    expect([process.stopSignal, thread.state]).toEqual([0, 'runnable']);
    signalProcess(process, user(Signal.STOP));
    machine.kernel.run(2e6);
    signalProcess(process, user(Signal.KILL));
    expect(machine.finish(process)).toMatchObject({ signo: Signal.KILL, stdout: '' });
  });

  test('process 1 is not hurt by what it does not handle, but by its own faults', () => {
    const { process, thread } = fresh(true);
    for (const signo of [Signal.TERM, Signal.KILL, Signal.STOP]) signalProcess(process, user(signo));
    deliverSignals(thread);
    expect(process.state).toBe('alive');
    forceSignal(thread, { signo: Signal.BUS, code: 2, addr: 0 });
    deliverSignals(thread);
    expect(process.state).toBe('dead');
  });

  test('no signal is lost: each is pending, ignored, or has ended the process', () => {
    fc.assert(fc.property(fc.array(fc.integer({ min: 1, max: 128 }), { maxLength: 12 }), fc.array(fc.integer({ min: 1, max: 128 }), { maxLength: 6 }), (sent, blocked) => {
      const { process, thread } = fresh();
      thread.sigmask = setOf(...blocked.filter((signo) => signo !== Signal.KILL && signo !== Signal.STOP));
      for (let signo = 1; signo <= 128; signo++) if (signo !== Signal.KILL && signo !== Signal.STOP) process.actions[signo] = handler(SA.NODEFER);
      for (const signo of sent) signalProcess(process, user(signo));
      deliverSignals(thread);
      if (process.state !== 'alive' || process.stopSignal) return;
      for (const { signo } of process.pending.queue) expect(setHas(thread.sigmask, signo)).toBe(true);
    }), { numRuns: 60 });
  });
});

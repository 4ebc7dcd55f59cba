import { failed } from '../base/index.js';
import type { CpuContext } from '../cpu/context.js';
import { SIGPAGE_RT_SIGRETURN, SIGPAGE_SIGRETURN } from './sigpage.js';
import { SA, SI, Signal } from './signal-numbers.js';
import type { SigAction, SigInfo } from './signals.js';
import { setFromBytes, setToBytes, SIGSET_BYTES, type Sigset } from './sigset.js';
import { SS_DISABLE, SS_ONSTACK, type Thread } from './thread.js';

/*
 * The o32 signal frames (arch/mips/kernel/signal.c, uapi/asm/{sigcontext,ucontext,siginfo}.h).
 *
 *   sigframe (632)               rt_sigframe (784)                ucontext (632)
 *     0  argument save area 16     0  argument save area 16         0  flags
 *    16  pad 8                    16  pad 8                         4  link
 *    24  sigcontext 592           24  siginfo 128                   8  stack: sp, size, flags
 *   616  mask 16                 152  ucontext 632                 24  sigcontext 592
 *                                                                 616  mask 16
 *   sigcontext: 0 regmask  4 status  8 pc:64  16 regs[32]:64  272 fpregs[32]:64  528 acx  532 fpc_csr  536 fpc_eir
 *               540 used_math  544 dsp  552 hi:64  560 lo:64  568 hi1 lo1 hi2 lo2 hi3 lo3
 *   siginfo:    0 signo  4 code  8 errno  12 the union
 */
const SIGFRAME_BYTES = 632;
const RT_SIGFRAME_BYTES = 784;
const FRAME_CONTEXT = 24;
const FRAME_MASK = 616;
const RT_SIGINFO = 24;
const RT_UCONTEXT = 152;
const UC_STACK = 8;
const UC_CONTEXT = 24;
const UC_MASK = 616;
const SIGINFO_BYTES = 128;
const USED_FP = 1;
const SP = 29;
const RA = 31;

const signed64 = (view: DataView, at: number, value: number): void => {
  view.setInt32(at, value, true);
  view.setInt32(at + 4, value >> 31, true);
};

/** With FR = 0 only the even entries of fpregs are used, each holding a pair (copy_fp_to_sigcontext). */
function writeContext(view: DataView, at: number, ctx: CpuContext): void {
  view.setUint32(at + 8, ctx.pc, true);
  for (let i = 1; i < 32; i++) signed64(view, at + 16 + 8 * i, ctx.gpr[i]);
  for (let i = 0; i < 32; i++) view.setUint32(at + 272 + 8 * (i & ~1) + 4 * (i & 1), ctx.fpr[i], true);
  view.setUint32(at + 532, ctx.fcsr, true);
  view.setUint32(at + 540, USED_FP, true);
  signed64(view, at + 552, ctx.hi | 0);
  signed64(view, at + 560, ctx.lo | 0);
}

function readContext(view: DataView, at: number, ctx: CpuContext): void {
  ctx.pc = view.getUint32(at + 8, true);
  for (let i = 1; i < 32; i++) ctx.gpr[i] = view.getInt32(at + 16 + 8 * i, true);
  ctx.hi = view.getInt32(at + 552, true);
  ctx.lo = view.getInt32(at + 560, true);
  ctx.llbit = 0;
  if (!(view.getUint32(at + 540, true) & USED_FP)) return;
  for (let i = 0; i < 32; i++) ctx.fpr[i] = view.getUint32(at + 272 + 8 * (i & ~1) + 4 * (i & 1), true);
  // Bits 23 and 31-25 are condition codes, 24 flush-to-zero, 17-0 causes, enables, flags and rounding; the rest reads as zero.
  ctx.fcsr = (view.getUint32(at + 532, true) & 0xff83ffff) >>> 0;
}

/** The 128 bytes a handler with SA_SIGINFO, sigwaitinfo or waitid sees. */
export function siginfoBytes(info: SigInfo): Uint8Array {
  const bytes = new Uint8Array(SIGINFO_BYTES);
  const view = new DataView(bytes.buffer);
  view.setInt32(0, info.signo, true);
  view.setInt32(4, info.code, true);
  view.setInt32(8, info.errno ?? 0, true);
  if (info.raw) bytes.set(info.raw.subarray(0, SIGINFO_BYTES - 12), 12);
  else unionWords(info).forEach((word, i) => view.setInt32(12 + 4 * i, word, true));
  return bytes;
}

const faults: readonly number[] = [Signal.SEGV, Signal.BUS, Signal.ILL, Signal.FPE, Signal.TRAP];

function unionWords(info: SigInfo): number[] {
  if (info.code === SI.TIMER) return [info.timerId ?? 0, info.overrun ?? 0, info.value ?? 0];
  if (info.code > 0 && info.code !== SI.KERNEL && faults.includes(info.signo)) return [info.addr ?? 0];
  if (info.code > 0 && info.signo === Signal.CHLD) return [info.pid ?? 0, info.uid ?? 0, info.status ?? 0, info.utime ?? 0, info.stime ?? 0];
  return [info.pid ?? 0, info.uid ?? 0, info.value ?? 0];
}

/** sas_ss_flags(): is this stack pointer on the alternate stack? */
export function altStackFlags(thread: Thread, sp: number): number {
  const { sp: base, size } = thread.altStack;
  if (size === 0) return SS_DISABLE;
  return sp > base && sp - base <= size ? SS_ONSTACK : 0;
}

function framePlace(thread: Thread, action: SigAction, bytes: number): number {
  const sp = thread.ctx.gpr[SP] >>> 0;
  const alternate = (action.flags & SA.ONSTACK) !== 0 && altStackFlags(thread, sp) === 0;
  // The gap of 32 bytes keeps clear of the FPU emulator's trampoline below the interrupted stack pointer.
  const top = alternate ? thread.altStack.sp + thread.altStack.size : sp - 32;
  return ((top - bytes) & ~7) >>> 0;
}

/**
 * Build the frame on the user's stack and point the registers at the handler. `mask` is what sigreturn will
 * restore. False if the stack cannot be written: the caller forces SIGSEGV.
 */
export function pushSignalFrame(thread: Thread, info: SigInfo, action: SigAction, mask: Sigset): boolean {
  const { ctx } = thread;
  const realtime = (action.flags & SA.SIGINFO) !== 0;
  const bytes = new Uint8Array(realtime ? RT_SIGFRAME_BYTES : SIGFRAME_BYTES);
  const view = new DataView(bytes.buffer);
  const frame = framePlace(thread, action, bytes.length);
  if (realtime) {
    bytes.set(siginfoBytes(info), RT_SIGINFO);
    view.setUint32(RT_UCONTEXT + UC_STACK, thread.altStack.sp, true);
    view.setUint32(RT_UCONTEXT + UC_STACK + 4, thread.altStack.size, true);
    view.setInt32(RT_UCONTEXT + UC_STACK + 8, altStackFlags(thread, ctx.gpr[SP] >>> 0), true);
    writeContext(view, RT_UCONTEXT + UC_CONTEXT, ctx);
    bytes.set(setToBytes(mask), RT_UCONTEXT + UC_MASK);
  } else {
    writeContext(view, FRAME_CONTEXT, ctx);
    bytes.set(setToBytes(mask), FRAME_MASK);
  }
  if (failed(thread.process.space.copyout(frame, bytes))) return false;
  ctx.gpr[4] = info.signo;
  ctx.gpr[5] = realtime ? frame + RT_SIGINFO : 0;
  ctx.gpr[6] = realtime ? frame + RT_UCONTEXT : frame + FRAME_CONTEXT;
  ctx.gpr[SP] = frame;
  ctx.gpr[RA] = realtime ? SIGPAGE_RT_SIGRETURN : SIGPAGE_SIGRETURN;
  ctx.gpr[25] = action.handler;
  ctx.pc = action.handler >>> 0;
  ctx.llbit = 0;
  return true;
}

/** What a sigreturn restores beside the registers. */
export interface Restored {
  mask: Sigset;
  altStack: { sp: number; size: number; flags: number } | null;
}

/** Undo pushSignalFrame: registers from the frame at sp. Null if it cannot be read. */
export function popSignalFrame(thread: Thread, realtime: boolean): Restored | null {
  const bytes = thread.process.space.copyin(thread.ctx.gpr[SP] >>> 0, realtime ? RT_SIGFRAME_BYTES : SIGFRAME_BYTES);
  if (failed(bytes)) return null;
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.length);
  readContext(view, realtime ? RT_UCONTEXT + UC_CONTEXT : FRAME_CONTEXT, thread.ctx);
  const maskAt = realtime ? RT_UCONTEXT + UC_MASK : FRAME_MASK;
  const mask = setFromBytes(bytes.subarray(maskAt, maskAt + SIGSET_BYTES));
  if (!realtime) return { mask, altStack: null };
  const stack = RT_UCONTEXT + UC_STACK;
  return { mask, altStack: { sp: view.getUint32(stack, true), size: view.getUint32(stack + 4, true), flags: view.getInt32(stack + 8, true) } };
}

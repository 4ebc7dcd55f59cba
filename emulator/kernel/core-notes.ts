import { PAGE_SHIFT, PAGE_SIZE } from '../memory/ram.js';
import type { CoreDescription, CoreNote, CoreThread } from './core.js';

/** Note types of Linux cores (include/uapi/linux/elf.h). */
export const NT_PRSTATUS = 1;
export const NT_FPREGSET = 2;
export const NT_PRPSINFO = 3;
export const NT_AUXV = 6;
export const NT_SIGINFO = 0x53494749;
export const NT_FILE = 0x46494c45;

const PRSTATUS_BYTES = 256;
const FPREGSET_BYTES = 264;
const PRPSINFO_BYTES = 128;
const SIGINFO_BYTES = 128;
/** FIR as the kernel's FPU emulator shows it: single and double formats. */
const FIR = 0x0003_0000;

/** The standard notes, in the order Linux gives them: current thread, process, siginfo, auxv, files, other threads. */
export function standardNotes(core: CoreDescription): CoreNote[] {
  const [current, ...others] = core.threads;
  const notes = [core_(NT_PRSTATUS, prstatus(core, current)), core_(NT_PRPSINFO, prpsinfo(core)), core_(NT_SIGINFO, siginfo(core)),
    core_(NT_AUXV, auxv(core.auxv)), core_(NT_FILE, files(core)), core_(NT_FPREGSET, fpregset(current))];
  for (const thread of others) notes.push(core_(NT_PRSTATUS, prstatus(core, thread)), core_(NT_FPREGSET, fpregset(thread)));
  return notes;
}

function core_(type: number, desc: Uint8Array): CoreNote {
  return { owner: 'CORE', type, desc };
}

/**
 * struct elf_prstatus of o32, 256 bytes:
 *
 *   0 si_signo | 4 si_code | 8 si_errno | 12 cursig (16 bit) | 16 sigpend | 20 sighold | 24 pid | 28 ppid | 32 pgrp | 36 sid
 *   40 utime | 48 stime | 56 cutime | 64 cstime (sec, usec each) | 72 pr_reg: 45 words | 252 fpvalid
 *
 * pr_reg words: 6 + n = $n, 38 LO, 39 HI, 40 EPC, 41 BadVAddr, 42 Status, 43 Cause (arch/mips/include/uapi/asm/reg.h).
 */
function prstatus(core: CoreDescription, thread: CoreThread): Uint8Array {
  const view = new DataView(new ArrayBuffer(PRSTATUS_BYTES));
  const put = (offset: number, value: number): void => view.setInt32(offset, value, true);
  put(0, thread.signo);
  put(4, core.siginfo.code);
  view.setInt16(12, thread.signo, true);
  put(16, thread.pending);
  put(20, thread.held);
  [thread.tid, core.ppid, core.pgrp, core.sid].forEach((value, i) => put(24 + 4 * i, value));
  core.times.forEach((value, i) => put(40 + 4 * i, value));
  const register = (index: number, value: number): void => put(72 + 4 * index, value);
  for (let i = 0; i < 32; i++) register(6 + i, thread.gpr[i]);
  [thread.lo, thread.hi, thread.pc, thread.badVaddr, thread.status, thread.cause].forEach((value, i) => register(38 + i, value));
  put(252, 1);
  return new Uint8Array(view.buffer);
}

/** 32 slots of 8 bytes, then FCSR and FIR. With FR = 0 the even slot holds the pair, low word first; odd slots are ignored. */
function fpregset(thread: CoreThread): Uint8Array {
  const words = new Int32Array(FPREGSET_BYTES / 4);
  for (let i = 0; i < 32; i += 2) {
    words[2 * i] = thread.fpr[i];
    words[2 * i + 1] = thread.fpr[i + 1];
  }
  words[64] = thread.fcsr;
  words[65] = FIR;
  return new Uint8Array(words.buffer);
}

/** struct elf_prpsinfo: 0 state, 1 sname, 2 zomb, 3 nice, 4 flag, 8 uid, 12 gid, 16 pid, 20 ppid, 24 pgrp, 28 sid, 32 fname[16], 48 psargs[80]. */
function prpsinfo(core: CoreDescription): Uint8Array {
  const bytes = Buffer.alloc(PRPSINFO_BYTES);
  bytes.write('R', 1, 'latin1');
  [core.uid, core.gid, core.pid, core.ppid, core.pgrp, core.sid].forEach((value, i) => bytes.writeInt32LE(value | 0, 8 + 4 * i));
  bytes.write(core.comm.slice(0, 15), 32, 'latin1');
  bytes.write(core.argv.join(' ').slice(0, 79), 48, 'latin1');
  return bytes;
}

/** siginfo_t: MIPS has the code before errno. */
function siginfo(core: CoreDescription): Uint8Array {
  const view = new DataView(new ArrayBuffer(SIGINFO_BYTES));
  const { signo, code, errno, address } = core.siginfo;
  [signo, code, errno, address].forEach((value, i) => view.setInt32(4 * i, value, true));
  return new Uint8Array(view.buffer);
}

function auxv(entries: readonly (readonly [number, number])[]): Uint8Array {
  const ended = entries.some(([type]) => type === 0) ? entries : [...entries, [0, 0] as const];
  return new Uint8Array(Int32Array.from(ended.flat()).buffer);
}

/** count, page size, count x {start, end, offset in pages}, then the paths with their NULs. */
function files(core: CoreDescription): Uint8Array {
  const words = [core.files.length, PAGE_SIZE, ...core.files.flatMap((file) => [file.start, file.end, file.offset >>> PAGE_SHIFT])];
  const paths = Buffer.from(core.files.map((file) => `${file.path}\0`).join(''), 'latin1');
  return Buffer.concat([Buffer.from(Int32Array.from(words).buffer), paths]);
}

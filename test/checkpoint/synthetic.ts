import { Backing, PageKind, type ImageRecord, type ThreadRecord } from '../../emulator/checkpoint/record.js';
import { EF_MIPS_O32 } from '../../emulator/kernel/core.js';

/** A thread whose registers are recognisable: $n = 0x01010101 * n. */
export function syntheticThread(tid: number, pc: number): ThreadRecord {
  return {
    tid, gpr: Int32Array.from({ length: 32 }, (_, i) => 0x0101_0101 * i), hi: 0x1111, lo: 0x2222, pc,
    fpr: Uint32Array.from({ length: 32 }, (_, i) => i + 1), fcsr: 0x0100_0000, userLocal: 0x1234_5678,
    mask: Uint32Array.of(0x10, 0, 0, 0), savedMask: null, pending: [14], altStack: { sp: 0, size: 0, flags: 2 }, clearTid: 0, robustList: 0,
    call: { number: 4003, args: Int32Array.of(1, 2, 3, 0, 0, 0, 0), nextPc: pc + 4 },
    blocked: { name: 'pipe.read', remaining: 1000, timedOut: false, restart: 'sys', partial: null, uninterruptible: false, data: '{"done":3}' },
  };
}

/** A plain record: text, data with an untouched middle, a shared page, a stack. */
export function syntheticRecord(): ImageRecord {
  const region = (start: number, end: number, prot: number, name: string, backing: number = Backing.zero, shared = false) => ({
    start, end, prot, maxProt: 7, shared, flags: 0, backing, pageOffset: 0, name,
  });
  return {
    pid: 42, ppid: 1, pgid: 42, sid: 42, uid: 0, gid: 0, descriptor: 3, time: 123456, comm: 'sample', exe: '/bin/sample', cwd: '/',
    argv: ['sample', '-x'], elfFlags: EF_MIPS_O32, umask: 0o22, times: [0, 5, 0, 6, 0, 0, 0, 0], brkStart: 0x43_0000, brk: 0x43_1000, mapTop: 0x7700_0000,
    auxv: [[6, 4096], [9, 0x40_0180], [0, 0]], limits: Array.from({ length: 16 }, () => ({ soft: 100, hard: Infinity })),
    threads: [syntheticThread(42, 0x40_0010), syntheticThread(43, 0x40_0020)],
    regions: [
      region(0x40_0000, 0x40_2000, 5, '/bin/sample', Backing.file), region(0x41_0000, 0x45_0000, 3, '[heap]'),
      region(0x7000_0000, 0x7000_1000, 3, '/dev/zero (deleted)', Backing.sharedMemory, true), region(0x7ffe_0000, 0x7fff_0000, 3, '[stack]'),
    ],
    runs: [
      { va: 0x40_0000, pages: 2, kind: PageKind.file }, { va: 0x41_0000, pages: 1, kind: PageKind.own }, { va: 0x41_3000, pages: 1, kind: PageKind.own },
      { va: 0x44_f000, pages: 1, kind: PageKind.own }, { va: 0x7000_0000, pages: 1, kind: PageKind.shared }, { va: 0x7ffe_f000, pages: 1, kind: PageKind.own },
    ],
    descriptors: [{ fd: 0, cloexec: false, file: 0 }, { fd: 5, cloexec: true, file: 0 }, { fd: 9, cloexec: false, file: 1 }],
    files: [{ kind: 'console', flags: 2, offset: 0, consumed: 7, what: '/dev/console' }, { kind: 'pipe', flags: 0, offset: 0, consumed: 0, what: 'pipe:[3]' }],
    actions: Int32Array.from({ length: 768 }, (_, i) => i), timers: [{ left: 10, interval: 20 }, { left: 0, interval: 0 }, { left: 0, interval: 0 }],
  };
}

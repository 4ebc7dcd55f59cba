/** Encodings of MIPS32 instruction formats (MIPS32 architecture volume II). Registers are numbers. */
export const r = (fn: number, rs: number, rt: number, rd: number, sa = 0): number => ((rs << 21) | (rt << 16) | (rd << 11) | (sa << 6) | fn) >>> 0;
export const i = (op: number, rs: number, rt: number, immediate: number): number => ((op << 26) | (rs << 21) | (rt << 16) | (immediate & 0xffff)) >>> 0;
export const special2 = (fn: number, rs: number, rt: number, rd: number): number => (r(fn, rs, rt, rd) | (28 << 26)) >>> 0;
export const special3 = (fn: number, rs: number, rt: number, rd: number, sa: number): number => (r(fn, rs, rt, rd, sa) | (31 << 26)) >>> 0;
export const regimm = (selector: number, rs: number, immediate: number): number => i(1, rs, selector, immediate);
export const jump = (op: number, target: number): number => ((op << 26) | ((target >>> 2) & 0x03ff_ffff)) >>> 0;
/** Floating point operation: format 16 S, 17 D, 20 W. */
export const fp = (fmt: number, fn: number, ft: number, fs: number, fd: number): number => (r(fn, fmt, ft, fs, fd) | (17 << 26)) >>> 0;
export const cop1 = (selector: number, rt: number, fs: number): number => (r(0, selector, rt, fs) | (17 << 26)) >>> 0;
export const cop1x = (fn: number, fr: number, ft: number, fs: number, fd: number): number => (r(fn, fr, ft, fs, fd) | (19 << 26)) >>> 0;

export const lui = (rt: number, value: number): number => i(15, 0, rt, value);
export const ori = (rt: number, rs: number, value: number): number => i(13, rs, rt, value);
export const addiu = (rt: number, rs: number, value: number): number => i(9, rs, rt, value);
export const lw = (rt: number, offset: number, base: number): number => i(35, base, rt, offset);
export const sw = (rt: number, offset: number, base: number): number => i(43, base, rt, offset);
export const lwc1 = (ft: number, offset: number, base: number): number => i(49, base, ft, offset);
export const swc1 = (ft: number, offset: number, base: number): number => i(57, base, ft, offset);
export const li = (rt: number, value: number): number[] => [lui(rt, value >>> 16), ori(rt, rt, value & 0xffff)];
export const mfhi = (rd: number): number => r(16, 0, 0, rd);
export const mthi = (rs: number): number => r(17, rs, 0, 0);
export const mflo = (rd: number): number => r(18, 0, 0, rd);
export const mtlo = (rs: number): number => r(19, rs, 0, 0);
export const cfc1 = (rt: number, fs: number): number => cop1(2, rt, fs);
export const ctc1 = (rt: number, fs: number): number => cop1(6, rt, fs);
export const SYSCALL = 12;
export const NOP = 0;

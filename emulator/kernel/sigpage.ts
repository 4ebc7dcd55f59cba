import { AnonPager, PAGE_SIZE, Prot, type AddressSpace, type Ram } from '../memory/index.js';
import { failed, invariant, type Result } from '../base/index.js';
import type { Kernel } from './kernel.js';

/**
 * The page of signal trampolines every space holds as "[vdso]", below the end of user memory. MIPS has no
 * sa_restorer, so the kernel supplies the return code. Unwinders recognise the two instructions (gdb
 * mips-linux-tdep.c): li v0,4193 (rt_sigreturn) or li v0,4119 (sigreturn), then syscall.
 *
 *   +0  24021061 0000000c   return from a handler with SA_SIGINFO
 *   +8  24021017 0000000c   return from one without
 */
export const SIGPAGE_BASE = 0x7fff_7000;
export const SIGPAGE_RT_SIGRETURN = SIGPAGE_BASE;
export const SIGPAGE_SIGRETURN = SIGPAGE_BASE + 8;
export const SIGPAGE_NAME = '[vdso]';

const CODE = [0x2402_1061, 0x0000_000c, 0x2402_1017, 0x0000_000c];
const KEY = 'sigpage';

export function mapSigpage(kernel: Kernel, space: AddressSpace): Result {
  const result = space.map({
    addr: SIGPAGE_BASE, length: PAGE_SIZE, fixed: true, pager: sigpager(kernel), name: SIGPAGE_NAME,
    prot: Prot.read | Prot.exec, maxProt: Prot.read | Prot.exec,
  });
  return failed(result) ? result : 0;
}

/** One page for all spaces; the kernel keeps a reference for ever. */
function sigpager(kernel: Kernel): AnonPager {
  let pager = kernel.extension.get(KEY) as AnonPager | undefined;
  if (!pager) {
    pager = new AnonPager(kernel.ram);
    pager.addRef();
    writeCode(kernel.ram, pager);
    kernel.extension.set(KEY, pager);
  }
  return pager;
}

function writeCode(ram: Ram, pager: AnonPager): void {
  const frame = pager.pageIn(0);
  invariant(frame >= 0, 'the machine has no frame for its signal trampolines');
  ram.page(frame).set(new Uint8Array(Int32Array.from(CODE).buffer));
  ram.release(frame);
}

export { CpuContext } from './context.js';
export { Cpu } from './cpu.js';
export { SigCode, Signo, Trap, TrapKind } from './trap.js';

export { Kernel, type CheckpointOptions, type GuardOptions, type KernelConfig, type KernelOptions, type RunResult, type SpawnOptions } from './kernel.js';
export { Process, type ProcessState, type Usage } from './process.js';
export { SS_DISABLE, SS_ONSTACK, Thread, type AltStack, type Blocked, type BlockOptions, type Call, type Restart, type ThreadState } from './thread.js';
export type { Injection } from './injection.js';
export { registerHooks, type KernelHooks } from './hooks.js';
export {
  BLOCKED, defineSyscalls, EMAXERRNO, ERESTART_RESTARTBLOCK, ERESTARTNOHAND, ERESTARTNOINTR, ERESTARTSYS, findSyscall, NO_RETURN,
  syscallCount, syscallNumber, type Handler, type Syscall,
} from './syscall-table.js';
export { defaultCosts, type Costs } from './costs.js';
export { Credentials } from './credentials.js';
export { Rlimit, RLIM_INFINITY, type Limit } from './limits.js';
export { SA, SI, Signal, signalCodeName, signalName, SIG_DFL, SIG_IGN } from './signal-numbers.js';
export { defaultAction, defaultActions, type SigAction, type SigInfo } from './signals.js';
export { copySet, emptySet, NSIG, setAdd, setDelete, setFromBytes, setHas, setOf, setToBytes, type Sigset } from './sigset.js';
export { PendingSignals } from './pending-signals.js';
export { Itimer } from './timers.js';
export { forceSignal, signalProcess } from './signals.js';
export { emptyMemory, endAbandoned, reviveProcess } from './exit.js';

import { failed } from '../base/index.js';
import { registerHooks, Rlimit, Signal, type CheckpointOptions, type Kernel, type Process, type SigInfo, type Thread } from '../kernel/index.js';
import { coreSignal, layoutProcessCore, processCore } from './export.js';
import { dropCheckpoint } from './freeze.js';
import { beforeCall, beforeSleep, forked, Guard, leave, rescue, watch } from './guard.js';
import { CheckpointLayer, defaultOptions, layerOf, setLayer } from './layer.js';
import { checkpointsOf, forgetCheckpoints, knownCheckpoints } from './process-checkpoints.js';
import { writeCoreFile } from './vnode-store.js';
import './syscalls.js';

/** Give a machine the checkpoint layer: its calls, and frames for the warm pool. Before the first process starts. */
export function installCheckpoints(kernel: Kernel, options: Partial<CheckpointOptions> = kernel.options.checkpoint ?? {}): CheckpointLayer {
  const complete = { ...defaultOptions, ...options };
  const layer = new CheckpointLayer(kernel, complete);
  kernel.options.checkpoint = complete;
  if (complete.guard) layer.guard = new Guard(kernel, complete.guard);
  setLayer(kernel, layer);
  return layer;
}

const faults: readonly number[] = [Signal.ILL, Signal.TRAP, Signal.ABRT, Signal.FPE, Signal.BUS, Signal.SEGV];

registerHooks({
  onFork(parent, child): void {
    forgetCheckpoints(child);
    forked(parent, child);
  },
  onExec(process): void {
    leave(process, false);
    dropAll(process);
    watch(process, layerOf(process.kernel)?.options.guard ?? null);
  },
  onExit(process): void {
    if (!leave(process, true)) dropAll(process);
  },
  onCall: beforeCall,
  onSleep: beforeSleep,
  onRescue: rescue,
  onSignal: noteSignal,
  onFatalSignal: dumpCore,
});

/** The process's checkpoints are about another program, or nobody's: their files go with them. */
function dropAll(process: Process): void {
  const known = knownCheckpoints(process);
  if (!known) return;
  while (known.list.length > 0) dropCheckpoint(process.kernel, process, known.list[0].descriptor);
  known.cache.clear(process);
  forgetCheckpoints(process);
}

function noteSignal(thread: Thread, info: SigInfo): void {
  const { process } = thread;
  const layer = layerOf(process.kernel);
  if (!layer) return;
  const state = checkpointsOf(process);
  state.lastSignal = info.signo;
  state.cause = { signo: info.signo, pc: thread.ctx.pc, address: info.addr ?? 0 };
  if (layer.coreSink && faults.includes(info.signo)) {
    layer.coreSink({ pid: process.pid, comm: process.comm, signo: info.signo, bytes: () => processCore(process.kernel, thread, coreSignal(info)) });
  }
}

/** core(5): "core" in the working directory, if RLIMIT_CORE allows and the process is dumpable. */
function dumpCore(thread: Thread, _signo: number, info: SigInfo): boolean {
  const { process } = thread;
  if (!layerOf(process.kernel) || !process.dumpable) return false;
  const limit = process.limits[Rlimit.CORE].soft;
  if (limit <= 0) return false;
  const file = layoutProcessCore(process.kernel, thread, coreSignal(info));
  return file.size <= limit && !failed(writeCoreFile(process.kernel, process, 'core', file));
}

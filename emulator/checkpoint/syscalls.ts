import { Errno, failed, hexDigits, type Result } from '../base/index.js';
import { defineSyscalls, NO_RETURN, type Handler, type Kernel, type Process, type Thread } from '../kernel/index.js';
import { CacheDirection } from './cache.js';
import { checksum } from './checksum.js';
import { dropCheckpoint, freezeProcess } from './freeze.js';
import { isStore, STORE_MASK } from './image-store.js';
import { layerOf } from './layer.js';
import { registerRange } from './persist.js';
import { checkpointsOf, Policy, type ProcessCheckpoints } from './process-checkpoints.js';
import { thawProcess } from './thaw.js';

/** sys_checkpoint: type = operation in the low byte, a store in bits 8-11, flags above. */
const Operation = { freeze: 1, thaw: 2, freezeInto: 3, drop: 4 } as const;
const KEEP_SHARED = 0x1000;
const Status = { recovered: 1, from: 2, to: 3, signal: 4, count: 5 } as const;
const Control = { policy: 1, store: 2, history: 3, input: 4 } as const;
const JUMP_BYTES = 24;
const INPUT_MAX = 65_536;

/** Handlers see only machines that have the layer; elsewhere the numbers mean nothing. */
function withLayer(handler: Handler): Handler {
  return (kernel, thread, ...args) => (layerOf(kernel) ? handler(kernel, thread, ...args) : -Errno.ENOSYS);
}

function sysCheckpoint(kernel: Kernel, thread: Thread, type: number, descriptor: number): Result {
  const operation = type & 0xff;
  const store = type & STORE_MASK;
  const flags = type & ~(0xff | STORE_MASK);
  const freezes = operation === Operation.freeze || operation === Operation.freezeInto;
  if (store !== 0 && (!freezes || !isStore(store))) return -Errno.EINVAL;
  if (flags !== 0 && (operation !== Operation.thaw || flags !== KEEP_SHARED)) return -Errno.EINVAL;
  switch (operation) {
    case Operation.freeze: return freezeProcess(kernel, thread.process, { self: thread, store });
    case Operation.freezeInto: return freezeProcess(kernel, thread.process, { self: thread, store, into: descriptor });
    case Operation.drop: return dropCheckpoint(kernel, thread.process, descriptor);
    case Operation.thaw: {
      const result = thawProcess(kernel, thread.process, descriptor, { keepShared: flags === KEEP_SHARED });
      return failed(result) ? result : NO_RETURN;
    }
  }
  return -Errno.EINVAL;
}

function persist(_kernel: Kernel, { process }: Thread, addr: number, size: number): Result {
  return registerRange(process.space, checkpointsOf(process).ranges, addr, size, null);
}

function persistCheck(_kernel: Kernel, { process }: Thread, addr: number, size: number, kind: number, low: number, high: number): Result {
  return registerRange(process.space, checkpointsOf(process).ranges, addr, size, { kind, low, high });
}

function cache(kernel: Kernel, { process }: Thread, direction: number, addr: number, size: number): Result {
  const state = checkpointsOf(process);
  if (direction === CacheDirection.in) return state.cache.keep(process, addr, size, layerOf(kernel)?.options.quota.bytes ?? 0);
  return direction === CacheDirection.out ? state.cache.give(process, addr, size) : -Errno.EINVAL;
}

function status(_kernel: Kernel, { process }: Thread, type: number): Result {
  const state = checkpointsOf(process);
  switch (type) {
    case Status.recovered: return state.recovered ? 1 : 0;
    case Status.from: return state.recovered?.from ?? -Errno.EINVAL;
    case Status.to: return state.recovered?.to ?? -Errno.EINVAL;
    case Status.signal: return state.lastSignal;
    case Status.count: return state.nextDescriptor - 1;
  }
  return -Errno.EINVAL;
}

function control(_kernel: Kernel, { process }: Thread, operation: number, a: number, b: number): Result {
  const state = checkpointsOf(process);
  switch (operation) {
    case Control.policy: return setPolicy(process, state, a, b);
    case Control.store:
      if (a !== 0 && !isStore(a)) return -Errno.EINVAL;
      state.defaultStore = a;
      return 0;
    case Control.history: return copyHistory(process, state, a, b);
    case Control.input: return noteInput(process, state, a, b);
  }
  return -Errno.EINVAL;
}

function setPolicy(process: Process, state: ProcessCheckpoints, fd: number, policy: number): Result {
  const file = process.fds.get(fd);
  if (!file) return -Errno.EBADF;
  if (policy !== Policy.keep && policy !== Policy.reset && policy !== Policy.drop) return -Errno.EINVAL;
  state.setPolicy(fd, file, policy);
  return 0;
}

/** struct chkpt_jump { i32 from, to, signo, pc, addr, count }, as many as fit; the answer is how many there are. */
function copyHistory(process: Process, state: ProcessCheckpoints, buffer: number, most: number): Result {
  if (most < 0) return -Errno.EINVAL;
  const jumps = state.history.jumps.slice(0, most);
  const words = new Int32Array((jumps.length * JUMP_BYTES) / 4);
  jumps.forEach(({ from, to, signo, pc, address, count }, i) => words.set([from, to, signo, pc, address, count], 6 * i));
  const result = process.space.copyout(buffer, new Uint8Array(words.buffer));
  return failed(result) ? result : state.history.jumps.length;
}

/** The program tells what input it is about to handle; the log of the next thaw names it. */
function noteInput(process: Process, state: ProcessCheckpoints, addr: number, size: number): Result {
  if (size < 0 || size > INPUT_MAX) return -Errno.EINVAL;
  const bytes = process.space.copyin(addr, size);
  if (failed(bytes)) return bytes;
  state.input = { bytes: size, digest: hexDigits(checksum(bytes), 8) };
  return 0;
}

defineSyscalls({
  4900: ['sys_checkpoint', 2, withLayer(sysCheckpoint), 'x d'],
  4901: ['persist', 2, withLayer(persist), 'x d'],
  4902: ['cache', 3, withLayer(cache), 'd x d'],
  4903: ['chkpt_status', 1, withLayer(status), 'd'],
  4904: ['checkpoint_ctl', 3, withLayer(control), 'd x d'],
  4905: ['persist_check', 5, withLayer(persistCheck), 'x d d d d'],
});

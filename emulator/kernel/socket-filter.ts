import { Errno, failed, type Result } from '../base/index.js';
import { checkBpf, type BpfProgram } from '../net/bpf.js';
import type { KernelMemory } from './kernel-memory.js';
import { wordAt } from './socket-file.js';
import { SO } from './socket-numbers.js';
import type { Thread } from './thread.js';

const INSTRUCTION_BYTES = 8;
const INSTRUCTIONS_MAX = 4096;
/** Bytes of the device an instruction is charged: more than Linux's 8, as it is checked and held decoded. */
const CHARGE = 64;

/** A socket that can have a filter (SO_ATTACH_FILTER, socket(7)). */
interface Filtered {
  filter: BpfProgram | null;
}

/** null: not an option about filters. */
export function setFilterOption(thread: Thread, socket: Filtered, name: number, value: Uint8Array): Result | null {
  if (name === SO.DETACH_FILTER) {
    if (!socket.filter) return -Errno.ENOENT;
    dropFilter(thread.process.kernel.memory, socket);
    return 0;
  }
  return name === SO.ATTACH_FILTER ? attach(thread, socket, value) : null;
}

/** The socket's filter is gone, and what it was charged. */
export function dropFilter(memory: KernelMemory, socket: Filtered): void {
  if (socket.filter) memory.give(socket.filter.length * CHARGE);
  socket.filter = null;
}

/** struct sock_fprog: 0 count:16 | 4 pointer to the instructions */
function attach(thread: Thread, socket: Filtered, value: Uint8Array): Result {
  if (value.length < 8) return -Errno.EINVAL;
  const count = wordAt(value) & 0xffff;
  if (count === 0 || count > INSTRUCTIONS_MAX) return -Errno.EINVAL;
  const bytes = thread.process.space.copyin(wordAt(value, 4) >>> 0, count * INSTRUCTION_BYTES);
  if (failed(bytes)) return bytes;
  const code = Array.from({ length: count }, (_, i) => {
    const at = i * INSTRUCTION_BYTES;
    return { code: bytes[at] | (bytes[at + 1] << 8), jt: bytes[at + 2], jf: bytes[at + 3], k: wordAt(bytes, at + 4) };
  });
  const program = checkBpf(code);
  if (!program) return -Errno.EINVAL;
  const { memory } = thread.process.kernel;
  if (memory.take(program.length * CHARGE) < 0) return -Errno.ENOMEM;
  dropFilter(memory, socket);
  socket.filter = program;
  return 0;
}

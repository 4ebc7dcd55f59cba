import { Errno, failed, type Fail } from '../base/index.js';
import { commitProgram, findExecutable, prepareProgram, type Executable } from './exec.js';
import { endThread, leaveMemory } from './exit.js';
import { hooks } from './hooks.js';
import type { Kernel } from './kernel.js';
import type { Process } from './process.js';
import { SIG_IGN } from './signal-numbers.js';
import { defaultAction } from './signals.js';
import { NO_RETURN } from './syscall-table.js';
import { SS_DISABLE, type Thread } from './thread.js';
import { readStrings } from './user-memory.js';
import { AT, AT_FDCWD } from './user-path.js';

/** Strings of argv and envp together: a quarter of the default stack (fs/exec.c, bprm_stack_limits). */
const ARG_MAX = 2 << 20;

/** execve(2). */
export function execute(kernel: Kernel, thread: Thread, pathVa: number, argvVa: number, envpVa: number): number {
  const path = thread.process.space.copyinString(pathVa >>> 0);
  if (failed(path)) return path;
  return replace(kernel, thread, findExecutable(kernel, thread.process, path), path, argvVa, envpVa);
}

/** execveat(2). */
export function executeAt(kernel: Kernel, thread: Thread, fd: number, pathVa: number, argvVa: number, envpVa: number, flags: number): number {
  const { process } = thread;
  if (flags & ~(AT.EMPTY_PATH | AT.SYMLINK_NOFOLLOW)) return -Errno.EINVAL;
  const path = process.space.copyinString(pathVa >>> 0);
  if (failed(path)) return path;
  if (fd === AT_FDCWD || path[0] === '/') return replace(kernel, thread, findExecutable(kernel, process, path), path, argvVa, envpVa);
  const file = process.fds.get(fd);
  if (!file) return -Errno.EBADF;
  const vnode = file.vnode;
  if (path === '') {
    if (!(flags & AT.EMPTY_PATH)) return -Errno.ENOENT;
    if (!vnode) return -Errno.EACCES;
    return replace(kernel, thread, { vnode, path: file.describe() }, `/dev/fd/${fd}`, argvVa, envpVa);
  }
  if (!vnode || vnode.type !== 'dir') return -Errno.ENOTDIR;
  const context = { cwd: vnode, root: process.root, cred: process.cred, umask: process.umask };
  return replace(kernel, thread, findExecutable(kernel, context, path), `/dev/fd/${fd}/${path}`, argvVa, envpVa);
}

function replace(kernel: Kernel, thread: Thread, executable: Executable | Fail, path: string, argvVa: number, envpVa: number): number {
  if (failed(executable)) return executable;
  const { process } = thread;
  const argv = readStrings(process.space, argvVa, ARG_MAX);
  if (failed(argv)) return argv;
  const envp = readStrings(process.space, envpVa, ARG_MAX);
  if (failed(envp)) return envp;
  const program = prepareProgram(kernel, process, executable, path, argv.length > 0 ? argv : [''], envp);
  if (failed(program)) return program;
  kernel.tracer?.begin(thread);
  becomeOnlyThread(thread);
  leaveMemory(thread);
  commitProgram(thread, program);
  startAfresh(thread);
  hooks.exec(process);
  logExec(process);
  return NO_RETURN;
}

/** The log shows so many arguments, and so much of each. */
const LOGGED_ARGUMENTS = 32;
const LOGGED_LENGTH = 256;

export function logExec(process: Process): void {
  const argv = process.argv.slice(0, LOGGED_ARGUMENTS).map((argument) => argument.slice(0, LOGGED_LENGTH));
  process.kernel.log.add('process.exec', { pid: process.pid, comm: process.comm, exe: process.exe, argv });
}

/** All other threads end; the caller takes the process's id. */
function becomeOnlyThread(thread: Thread): void {
  const { process } = thread;
  for (const other of process.threads) if (other !== thread) endThread(other);
  process.threads = [thread];
  thread.tid = process.pid;
}

/** What a process keeps across exec and what not (execve(2)). */
function startAfresh(thread: Thread): void {
  const { process } = thread;
  const { kernel } = process;
  process.actions = process.actions.map((action) => (action.handler === SIG_IGN ? { ...defaultAction(), handler: SIG_IGN } : defaultAction()));
  thread.altStack = { sp: 0, size: 0, flags: SS_DISABLE };
  thread.savedMask = null;
  thread.clearTid = 0;
  thread.robustList = 0;
  process.timers.clear();
  process.executed = true;
  process.deathSignal = 0;
  process.keepCapabilities = false;
  if (process.fds.refs > 1) {
    const own = process.fds.fork();
    process.fds.release(kernel);
    process.fds = own;
  }
  process.fds.closeOnExec(kernel);
}

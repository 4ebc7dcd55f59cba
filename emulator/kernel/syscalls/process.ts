import { Errno, failed } from '../../base/index.js';
import { clone, FORK_FLAGS, type CloneRequest } from '../clone.js';
import { exitProcess, exitThread } from '../exit.js';
import { execute, executeAt } from '../execute.js';
import type { Kernel } from '../kernel.js';
import type { Process } from '../process.js';
import { ROBUST_HEAD_BYTES } from '../robust.js';
import { defineSyscalls, NO_RETURN } from '../syscall-table.js';
import type { Thread } from '../thread.js';

/** clone and its relatives. The parent of a vfork sleeps until the child has called execve or is dead. */
function doClone(kernel: Kernel, thread: Thread, request: CloneRequest): number {
  if (thread.blocked) return afterVfork(kernel, thread);
  const child = clone(kernel, thread, request);
  if (failed(child)) return child;
  if (!child.process.vforked || child.process === thread.process) return child.tid;
  return thread.block('vfork', [child.process.vforkDone], { data: child.tid, uninterruptible: true });
}

function afterVfork(kernel: Kernel, thread: Thread): number {
  const pid = thread.blocked?.data as number;
  const child = kernel.processes.get(pid);
  if (!child?.vforked) return pid;
  return thread.block('vfork', [child.vforkDone], { uninterruptible: true });
}

const request = (flags: number, stack = 0, parentTid = 0, tls = 0, childTid = 0): CloneRequest => ({ flags, stack, parentTid, tls, childTid });

function setTidAddress(_kernel: Kernel, thread: Thread, address: number): number {
  thread.clearTid = address >>> 0;
  return thread.tid;
}

function setRobustList(_kernel: Kernel, thread: Thread, head: number, length: number): number {
  if (length >>> 0 !== ROBUST_HEAD_BYTES) return -Errno.EINVAL;
  thread.robustList = head >>> 0;
  return 0;
}

/** Of another user's thread only for root, as for ptrace(2). */
function getRobustList(kernel: Kernel, thread: Thread, tid: number, headVa: number, lengthVa: number): number {
  const target = tid === 0 ? thread : kernel.findThread(tid);
  if (!target) return -Errno.ESRCH;
  const { cred, space } = thread.process;
  if (cred.euid !== 0 && cred.uid !== target.process.cred.uid) return -Errno.EPERM;
  const failure = space.writeWords(lengthVa >>> 0, [ROBUST_HEAD_BYTES]);
  return failed(failure) ? failure : space.writeWords(headVa >>> 0, [target.robustList]);
}

function exit(_kernel: Kernel, thread: Thread, status: number): number {
  exitThread(thread, status);
  return NO_RETURN;
}

function exitGroup(_kernel: Kernel, thread: Thread, status: number): number {
  exitProcess(thread.process, (status & 0xff) << 8);
  return NO_RETURN;
}

function findProcess(kernel: Kernel, thread: Thread, pid: number): Process | undefined {
  return pid === 0 ? thread.process : kernel.processes.get(pid);
}

/** An orphan's parent is process 1, even where no process 1 runs. */
function parentPid(thread: Thread): number {
  const { process } = thread;
  return process.parent?.pid ?? (process.pid === 1 ? 0 : 1);
}

/** setpgid(2): oneself or a child that has not called execve, within the session. */
function setpgid(kernel: Kernel, thread: Thread, pid: number, group: number): number {
  const { process } = thread;
  if (group < 0 || (group === 0 && pid < 0)) return -Errno.EINVAL;
  const target = findProcess(kernel, thread, pid);
  if (!target || (target !== process && target.parent !== process)) return -Errno.ESRCH;
  if (target !== process && target.executed) return -Errno.EACCES;
  if (target.sid !== process.sid || target.sid === target.pid) return -Errno.EPERM;
  const pgid = group === 0 ? target.pid : group;
  const exists = [...kernel.processes.values()].some((other) => other.pgid === pgid && other.sid === process.sid);
  if (pgid !== target.pid && !exists) return -Errno.EPERM;
  target.pgid = pgid;
  return 0;
}

function setsid(kernel: Kernel, thread: Thread): number {
  const { process } = thread;
  const leads = [...kernel.processes.values()].some((other) => other.pgid === process.pid);
  if (leads) return -Errno.EPERM;
  process.sid = process.pid;
  process.pgid = process.pid;
  process.terminal = null;
  return process.pid;
}

/** The stack pointer's thread area: TLS for rdhwr $29. */
function setThreadArea(_kernel: Kernel, thread: Thread, address: number): number {
  thread.ctx.userLocal = address >>> 0;
  return 0;
}

defineSyscalls({
  4001: ['exit', 1, exit, 'int'],
  4002: ['fork', 0, (kernel, thread) => doClone(kernel, thread, request(FORK_FLAGS))],
  4011: ['execve', 3, (kernel, thread, path, argv, envp) => execute(kernel, thread, path, argv, envp), 'path argv envp'],
  4020: ['getpid', 0, (_kernel, thread) => thread.process.pid],
  4057: ['setpgid', 2, setpgid, 'int int'],
  4064: ['getppid', 0, (_kernel, thread) => parentPid(thread)],
  4065: ['getpgrp', 0, (_kernel, thread) => thread.process.pgid],
  4066: ['setsid', 0, setsid],
  4120: ['clone', 5, (kernel, thread, flags, stack, parentTid, tls, childTid) =>
    doClone(kernel, thread, request(flags, stack, parentTid, tls, childTid)), 'clone ptr ptr ptr ptr'],
  4132: ['getpgid', 1, (kernel, thread, pid) => findProcess(kernel, thread, pid)?.pgid ?? -Errno.ESRCH, 'int'],
  4151: ['getsid', 1, (kernel, thread, pid) => findProcess(kernel, thread, pid)?.sid ?? -Errno.ESRCH, 'int'],
  4222: ['gettid', 0, (_kernel, thread) => thread.tid],
  4246: ['exit_group', 1, exitGroup, 'int'],
  4252: ['set_tid_address', 1, setTidAddress, 'ptr'],
  4283: ['set_thread_area', 1, setThreadArea, 'ptr'],
  4309: ['set_robust_list', 2, setRobustList, 'ptr int'],
  4310: ['get_robust_list', 3, getRobustList, 'int ptr ptr'],
  4356: ['execveat', 5, (kernel, thread, fd, path, argv, envp, flags) => executeAt(kernel, thread, fd, path, argv, envp, flags), 'fd path argv envp hex'],
  4367: ['rseq', 4, () => -Errno.ENOSYS, 'ptr int hex hex'],
});


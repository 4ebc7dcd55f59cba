import type { Datagram } from '../net/datagram-socket.js';
import type { Process } from './process.js';
import type { SigInfo } from './signals.js';
import type { Thread } from './thread.js';

/**
 * What upper layers want to be told. A registry of module-level behaviour, no machine state: whoever
 * registers keeps its per-process state in `process.extension`.
 */
export interface KernelHooks {
  /** After the child stands complete, before either runs. */
  onFork?(parent: Process, child: Process): void;
  /** After the new program is loaded. */
  onExec?(process: Process): void;
  /** The process is about to give up its memory and descriptors; both are still there. */
  onExit?(process: Process): void;
  /** A signal whose default action is to dump core kills the process; registers and memory are intact. True: a core was dumped. */
  onFatalSignal?(thread: Thread, signo: number, info: SigInfo): boolean | void;
  /** A guarded process's thread is about to enter a system call. */
  onCall?(thread: Thread, name: string): void;
  /** A call has just put a guarded process's thread to sleep. */
  onSleep?(thread: Thread): void;
  /** A signal whose default action is to dump core is about to kill a guarded process. True: it has been given another state and lives on. */
  onRescue?(thread: Thread, info: SigInfo): boolean;
  /** A signal is about to be delivered (handler frame not yet pushed, or default action not yet taken). */
  onSignal?(thread: Thread, info: SigInfo): void;
  /** A datagram was taken out of a socket's queue for the thread; looking at it with MSG_PEEK does not count. */
  onReceive?(thread: Thread, datagram: Datagram): void;
}

const registered: KernelHooks[] = [];

export function registerHooks(hooks: KernelHooks): void {
  registered.push(hooks);
}

export const hooks = {
  fork(parent: Process, child: Process): void {
    for (const hook of registered) hook.onFork?.(parent, child);
  },
  exec(process: Process): void {
    for (const hook of registered) hook.onExec?.(process);
  },
  exit(process: Process): void {
    for (const hook of registered) hook.onExit?.(process);
  },
  fatalSignal(thread: Thread, signo: number, info: SigInfo): boolean {
    let dumped = false;
    for (const hook of registered) if (hook.onFatalSignal?.(thread, signo, info) === true) dumped = true;
    return dumped;
  },
  call(thread: Thread, name: string): void {
    for (const hook of registered) hook.onCall?.(thread, name);
  },
  sleep(thread: Thread): void {
    for (const hook of registered) hook.onSleep?.(thread);
  },
  rescue(thread: Thread, info: SigInfo): boolean {
    return registered.some((hook) => hook.onRescue?.(thread, info) === true);
  },
  signal(thread: Thread, info: SigInfo): void {
    for (const hook of registered) hook.onSignal?.(thread, info);
  },
  receive(thread: Thread, datagram: Datagram): void {
    for (const hook of registered) hook.onReceive?.(thread, datagram);
  },
};

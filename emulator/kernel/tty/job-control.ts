import { Errno } from '../../base/index.js';
import type { Process } from '../process.js';
import { Signal, SIG_IGN } from '../signal-numbers.js';
import { setHas } from '../sigset.js';
import { ERESTARTSYS } from '../syscall-table.js';
import type { Thread } from '../thread.js';
import type { Pty } from './pty.js';

/** A group none of whose members has a parent in another group of the same session: nobody would ever continue it. */
function isOrphaned(process: Process): boolean {
  const members = [...process.kernel.processes.values()].filter((one) => one.pgid === process.pgid && one.state === 'alive');
  return !members.some(({ parent }) => parent?.state === 'alive' && parent.pgid !== process.pgid && parent.sid === process.sid);
}

/**
 * A background process touches its controlling terminal (termios(3), "The controlling terminal"): SIGTTIN for readers, SIGTTOU for those who change it.
 * 0 lets it go on; otherwise what the call returns.
 */
export function checkJob(thread: Thread, pty: Pty, signo: number): number {
  const { process } = thread;
  if (!pty.controls(process) || pty.foreground === 0 || pty.foreground === process.pgid) return 0;
  const deaf = process.actions[signo].handler === SIG_IGN || setHas(thread.sigmask, signo);
  if (deaf) return signo === Signal.TTIN ? -Errno.EIO : 0;
  if (isOrphaned(process)) return -Errno.EIO;
  process.kernel.signalGroup(process.pgid, signo);
  return -ERESTARTSYS;
}

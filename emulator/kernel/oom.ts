import { killProcess } from './exit.js';
import type { Kernel } from './kernel.js';
import type { Process } from './process.js';
import { SI, Signal } from './signal-numbers.js';
import type { Thread } from './thread.js';

/**
 * A page is needed and no frame is left: the process with the most resident pages dies, its memory is
 * free at once, and the thread that needed the page tries again (or is gone, if it was its own).
 */
export function outOfMemory(kernel: Kernel, thread: Thread): void {
  const victim = chooseVictim(kernel) ?? thread.process;
  kernel.log.add('oom.kill', {
    pid: victim.pid, comm: victim.comm, pages: victim.space.residentPages(), wanted: thread.process.pid, free: kernel.ram.free(),
  });
  const [first] = victim.threads;
  killProcess(first, { signo: Signal.KILL, code: SI.KERNEL }, false);
}

/** The largest; of equals the youngest. Process 1 is spared as long as there is another. */
export function chooseVictim(kernel: Kernel): Process | null {
  let victim: Process | null = null;
  let most = -1;
  for (const process of kernel.processes.values()) {
    if (process.state !== 'alive' || process === kernel.init) continue;
    const pages = process.space.residentPages();
    if (pages < most || (pages === most && victim && process.pid < victim.pid)) continue;
    [victim, most] = [process, pages];
  }
  return victim;
}

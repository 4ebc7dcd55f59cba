import { failed, type Result, type WaitQueue } from '../base/index.js';
import { Poll, type OpenFile } from './open-file.js';
import { BLOCKED } from './syscall-table.js';
import type { Thread } from './thread.js';

/** One question of poll(2): which of `events` hold for descriptor `fd`? */
export interface PollEntry {
  fd: number;
  events: number;
  ready: number;
}

/** Fill in `ready`; how many entries have anything to report. A closed descriptor reports NVAL, a negative one nothing. */
export function pollOnce(thread: Thread, entries: readonly PollEntry[]): number {
  let count = 0;
  for (const entry of entries) {
    if (entry.fd < 0) continue;
    const file = thread.process.fds.get(entry.fd);
    entry.ready = file ? file.poll(thread) & (entry.events | Poll.ERR | Poll.HUP) : Poll.NVAL;
    if (entry.ready !== 0) count++;
  }
  return count;
}

/**
 * Wait until something is ready or the deadline (cycles) has passed: the number of ready entries, or BLOCKED. A
 * deadline at or before now only looks.
 */
export function pollWait(thread: Thread, name: string, entries: readonly PollEntry[], deadline: number): number {
  const count = pollOnce(thread, entries);
  const { clock } = thread.process.kernel;
  if (count > 0 || thread.blocked?.timedOut || clock.cycles >= (thread.blocked?.deadline ?? deadline)) return count;
  const queues: WaitQueue[] = [];
  for (const { fd, events } of entries) {
    const file: OpenFile | undefined = fd < 0 ? undefined : thread.process.fds.get(fd);
    if (file) queues.push(...file.waitQueues(events, thread));
  }
  return thread.block(name, queues, { deadline, restart: 'nohand', top: true });
}

export function isBlocked(result: Result): boolean {
  return failed(result) && result === BLOCKED;
}

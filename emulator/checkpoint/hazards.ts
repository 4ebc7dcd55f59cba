import type { LogValue } from '../base/index.js';
import type { Kernel, Process } from '../kernel/index.js';
import { holdsLock } from '../kernel/locks.js';
import type { OpenFile } from '../kernel/open-file.js';
import { semReleases } from '../kernel/semaphores.js';
import type { KernelRecord } from './checkpoint.js';

/** Global resources at the freeze: releases of semaphores so far, and which open files (by index) had a lock. */
export interface HazardCounters {
  semaphores: number;
  locked: number[];
}

export function hazardCounters(process: Process, files: readonly OpenFile[]): HazardCounters {
  return { semaphores: semReleases(process).count, locked: files.flatMap((file, i) => (holdsLock(file, process.fds) ? [i] : [])) };
}

export function reportHazard(kernel: Kernel, process: Process, hazard: string, fields: Record<string, LogValue> = {}): void {
  kernel.log.add('checkpoint.hazard', { pid: process.pid, comm: process.comm, hazard, ...fields });
}

/** The paper's known limit: after the jump the program believes it holds what it gave back since the freeze. */
export function reportReleased(kernel: Kernel, process: Process, own: KernelRecord): void {
  const releases = semReleases(process);
  const since = releases.count - own.hazards.semaphores;
  if (since > 0) {
    const latest = releases.latest.filter((one) => one.sequence > own.hazards.semaphores);
    reportHazard(kernel, process, 'semaphore-released', { releases: since, semaphores: latest.map(({ id, num }) => `${id}:${num}`) });
  }
  for (const index of own.hazards.locked) {
    const file = own.files[index];
    if (!holdsLock(file, process.fds)) reportHazard(kernel, process, 'lock-released', { file: own.fileRecords[index].what });
  }
}

/** Bytes of input the process has read from its open files since the freeze: what the rollback forgets. */
export function consumedSince(own: KernelRecord): number {
  return own.files.reduce((sum, file, i) => sum + Math.max(file.consumed - own.fileRecords[i].consumed, 0), 0);
}

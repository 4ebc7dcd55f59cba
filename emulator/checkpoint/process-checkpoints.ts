import { Errno, snapshotClass, type Fail } from '../base/index.js';
import type { Process } from '../kernel/index.js';
import type { OpenFile } from '../kernel/open-file.js';
import { RangeCache } from './cache.js';
import type { Checkpoint } from './checkpoint.js';
import { History, type Cause } from './history.js';
import type { PersistRange } from './persist.js';

/** What to do with a descriptor's unread input at a thaw. `cut`, the guard's own: as reset, and streams between processes end as well. */
export const Policy = { keep: 0, reset: 1, drop: 2, cut: 3 } as const;

export interface FilePolicy {
  file: OpenFile;
  policy: number;
}

export interface InputNote {
  bytes: number;
  digest: string;
}

/** All that checkpointing keeps for one process, outside every image. */
export class ProcessCheckpoints {
  readonly list: Checkpoint[] = [];
  /** Descriptors count up and are never used again. */
  nextDescriptor = 1;
  serial = 0;
  readonly history = new History();
  /** chkpt_status: the last thaw, if any. */
  recovered: { from: number; to: number } | null = null;
  /** Last signal sent to the process; and the one handled since the last freeze or thaw. */
  lastSignal = 0;
  cause: Cause | null = null;
  readonly ranges: PersistRange[] = [];
  readonly cache = new RangeCache();
  /** By descriptor, each with the open file it was asked for: another one under the same number has none. */
  private readonly policies = new Map<number, FilePolicy>();
  /** 0: the router's. */
  defaultStore = 0;
  input: InputNote | null = null;

  /** 0 names the most recent freeze that still exists; EINVAL when there is no such checkpoint. */
  find(descriptor: number): Checkpoint | Fail {
    const found = descriptor === 0
      ? this.list.reduce<Checkpoint | null>((last, one) => (last && last.serial > one.serial ? last : one), null)
      : this.list.find((one) => one.descriptor === descriptor);
    return found ?? -Errno.EINVAL;
  }

  setPolicy(fd: number, file: OpenFile, policy: number): void {
    if (policy === Policy.keep) this.policies.delete(fd);
    else this.policies.set(fd, { file, policy });
  }

  /** Policies of open files. */
  livePolicies(): FilePolicy[] {
    for (const [fd, { file }] of this.policies) if (file.refs === 0) this.policies.delete(fd);
    return [...this.policies.values()];
  }

  /** Bytes of all images. */
  get bytes(): number {
    return this.list.reduce((sum, one) => sum + one.image.bytes, 0);
  }

  remove(checkpoint: Checkpoint): void {
    const index = this.list.indexOf(checkpoint);
    if (index >= 0) this.list.splice(index, 1);
  }
}
snapshotClass('ProcessCheckpoints', ProcessCheckpoints);

const KEY = 'checkpoint';

/** The checkpoints of a process, null when it has not used any of the calls and had no signal. */
export function knownCheckpoints(process: Process): ProcessCheckpoints | null {
  return (process.extension.get(KEY) as ProcessCheckpoints | undefined) ?? null;
}

export function checkpointsOf(process: Process): ProcessCheckpoints {
  const known = knownCheckpoints(process);
  if (known) return known;
  const fresh = new ProcessCheckpoints();
  process.extension.set(KEY, fresh);
  return fresh;
}

export function forgetCheckpoints(process: Process): void {
  process.extension.delete(KEY);
}

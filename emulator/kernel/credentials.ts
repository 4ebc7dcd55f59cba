import { snapshotClass } from '../base/index.js';
import type { Cred } from '../vfs/vnode.js';

/** Whose rights a process has (credentials(7)). Root is effective uid 0; capability sets are kept, not enforced. */
export class Credentials implements Cred {
  uid = 0;
  gid = 0;
  euid = 0;
  egid = 0;
  suid = 0;
  sgid = 0;
  fsuid = 0;
  fsgid = 0;
  /** Replaced as a whole, never changed: copies share it. */
  groups: readonly number[] = [];

  clone(): Credentials {
    return Object.assign(new Credentials(), this);
  }
}
snapshotClass('Credentials', Credentials);

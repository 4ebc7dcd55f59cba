import { snapshotClass } from '../base/index.js';
import type { Cred } from '../vfs/vnode.js';
import type { Capabilities } from './capabilities.js';

/** Whose rights a process has (credentials(7)). For files root is effective uid 0; other privileges are capabilities. */
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
  /** null: what the ids give. Replaced as a whole. */
  capabilities: Capabilities | null = null;

  clone(): Credentials {
    return Object.assign(new Credentials(), this);
  }
}
snapshotClass('Credentials', Credentials);

import { existsSync, lstatSync, readdirSync, readFileSync, readlinkSync, type Dirent } from 'node:fs';
import { join } from 'node:path';
import type { FlashEntry, FlashSource } from '../ramdisk/index.js';

/** No device here holds a longer file. */
const FILE_MAX = 512 << 20;

/**
 * A folder of this computer as a tree in flash. Links are handed on as links and never followed here, so nothing outside the folder
 * is reached; devices, sockets, pipes and files of more than 512 MiB are left out.
 */
export class HostTree implements FlashSource {
  private readonly root: string;

  constructor(root: string) {
    this.root = root;
  }

  list(path: string): FlashEntry[] {
    const folder = join(this.root, path);
    if (!existsSync(folder)) return [];
    // latin1: a name is bytes to the guest.
    const entries = readdirSync(folder, { withFileTypes: true, encoding: 'latin1' } as { withFileTypes: true });
    return entries.map((entry) => this.entry(folder, entry)).filter((entry) => entry !== null).sort((a, b) => (a.name < b.name ? -1 : 1));
  }

  private entry(folder: string, { name }: Dirent): FlashEntry | null {
    const path = join(folder, Buffer.from(name, 'latin1').toString());
    const stat = lstatSync(path, { throwIfNoEntry: false });
    if (!stat) return null;
    if (stat.isSymbolicLink()) return { name, type: 'lnk', mode: 0o777, size: 0, target: readlinkSync(path, 'latin1') };
    const mode = stat.mode & 0o7777;
    if (stat.isDirectory()) return { name, type: 'dir', mode, size: 0, target: '' };
    return stat.isFile() && stat.size <= FILE_MAX ? { name, type: 'reg', mode, size: stat.size, target: '' } : null;
  }

  read(path: string): Uint8Array | null {
    try {
      return readFileSync(join(this.root, Buffer.from(path, 'latin1').toString()));
    } catch {
      return null;
    }
  }
}

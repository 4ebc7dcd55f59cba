import type { Filesystem } from './vnode.js';
import type { Vfs } from './vfs.js';

/** `options` as mount(2) gives them: "size=1m,mode=755". */
type Factory = (vfs: Vfs, options: string) => Filesystem;

/** File systems mount(2) can make, by type; filled when their modules are loaded, no machine state. */
const factories = new Map<string, Factory>();

export function defineFilesystem(type: string, factory: Factory): void {
  factories.set(type, factory);
}

export function makeFilesystem(type: string, vfs: Vfs, options = ''): Filesystem | null {
  return factories.get(type)?.(vfs, options) ?? null;
}

export function filesystemTypes(): string[] {
  return [...factories.keys()].sort();
}

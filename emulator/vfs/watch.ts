import type { Vnode } from './vnode.js';

/** Events of inotify(7). */
export const In = {
  ACCESS: 0x1, MODIFY: 0x2, ATTRIB: 0x4, CLOSE_WRITE: 0x8, CLOSE_NOWRITE: 0x10, OPEN: 0x20, MOVED_FROM: 0x40, MOVED_TO: 0x80, CREATE: 0x100, DELETE: 0x200,
  DELETE_SELF: 0x400, MOVE_SELF: 0x800, ALL: 0xfff, Q_OVERFLOW: 0x4000, IGNORED: 0x8000, ISDIR: 0x40000000,
} as const;

/** Whoever wants to know what happens to a vnode, or to the names in it when it is a directory. */
export interface Watch {
  happened(mask: number, cookie: number, name: string): void;
}

/** Tell the watchers of a vnode; of a directory with the `name` in it that is meant. */
export function notice(vnode: Vnode, mask: number, name = '', cookie = 0): void {
  for (const watch of vnode.watches ?? []) watch.happened(mask, cookie, name);
}

/** Something was made in a directory. */
export function noticeCreated(directory: Vnode, name: string, isDirectory: boolean): void {
  if (directory.watches) notice(directory, In.CREATE | (isDirectory ? In.ISDIR : 0), name);
}

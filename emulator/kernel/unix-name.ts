import { Errno, failed, type Fail } from '../base/index.js';
import { vref, vrele } from '../vfs/vop.js';
import type { Vnode } from '../vfs/vnode.js';
import type { Kernel } from './kernel.js';
import { AF } from './socket-numbers.js';
import { familyOf } from './socket-file.js';
import type { Thread } from './thread.js';

/** Bytes of sun_path. */
const PATH_MAX = 108;

/** A name in an address: a path, or (first byte NUL) a name in the abstract space of this machine. */
export interface UnixName {
  path: string;
  abstract: boolean;
}

/** What bind(2) gives a socket. */
export interface UnixBinding {
  name: UnixName;
  /** The socket file, in use until leavePlace(); null for an abstract name. */
  place: Vnode | null;
}

/** EINVAL: no sockaddr_un by its length. EAFNOSUPPORT: of another family. An abstract name of no bytes asks for autobind. */
export function nameOf(address: Uint8Array): UnixName | Fail {
  if (address.length < 2 || address.length > 2 + PATH_MAX) return -Errno.EINVAL;
  if (familyOf(address) !== AF.UNIX) return -Errno.EAFNOSUPPORT;
  const rest = address.subarray(2);
  if (rest.length === 0) return { path: '', abstract: true };
  if (rest[0] === 0) return { path: Buffer.from(rest.subarray(1)).toString('latin1'), abstract: true };
  const end = rest.indexOf(0);
  return { path: Buffer.from(end < 0 ? rest : rest.subarray(0, end)).toString('latin1'), abstract: false };
}

export function addressOf(name: UnixName | null): Uint8Array {
  if (!name) return Uint8Array.of(AF.UNIX, 0);
  const text = name.abstract ? `\0${name.path}` : `${name.path}\0`;
  return Uint8Array.of(AF.UNIX, 0, ...Buffer.from(text, 'latin1'));
}

/** As /proc/net/unix shows it: abstract names begin with "@". */
export function textOf(name: UnixName): string {
  return name.abstract ? `@${name.path}` : name.path;
}

/** Abstract names in use, with their sockets; machine state. */
function abstractNames(kernel: Kernel): Map<string, object> {
  let names = kernel.extension.get('unix.abstract') as Map<string, object> | undefined;
  if (!names) kernel.extension.set('unix.abstract', names = new Map<string, object>());
  return names;
}

/** Make `socket` the holder of a name: EADDRINUSE when there is one, ENOSPC when no name is left to choose, or what making the file answers. */
export function takeName(kernel: Kernel, thread: Thread, socket: object, name: UnixName): UnixBinding | Fail {
  return name.abstract ? takeAbstract(kernel, socket, name) : takePath(kernel, thread, socket, name);
}

function takeAbstract(kernel: Kernel, socket: object, name: UnixName): UnixBinding | Fail {
  const names = abstractNames(kernel);
  let { path } = name;
  // Autobind: five hexadecimal digits (unix(7)).
  for (let i = 0; path === '' && i < 0x100000; i++) {
    const candidate = i.toString(16).padStart(5, '0');
    if (!names.has(candidate)) path = candidate;
  }
  if (path === '') return -Errno.ENOSPC;
  if (names.has(path)) return -Errno.EADDRINUSE;
  names.set(path, socket);
  return { name: { path, abstract: true }, place: null };
}

function takePath(kernel: Kernel, { process }: Thread, socket: object, name: UnixName): UnixBinding | Fail {
  const made = kernel.vfs.mknod(process, name.path, 'sock', 0o777, 0);
  if (failed(made)) return made === -Errno.EEXIST ? -Errno.EADDRINUSE : made;
  const place = kernel.vfs.find(process, name.path, false);
  if (failed(place)) return place;
  vref(place);
  place.special = socket;
  return { name, place };
}

/** A path is tried before the socket is found to have a name (unix_bind, net/unix/af_unix.c). */
export function isPathTaken(kernel: Kernel, { process }: Thread, name: UnixName): boolean {
  return !name.abstract && !failed(kernel.vfs.find(process, name.path, false));
}

/** Who holds a name, or held it; null: nobody. ENOENT: no such path. EACCES: one that `thread` may not write to. */
export function holderOf(kernel: Kernel, { process }: Thread, name: UnixName): object | null | Fail {
  if (name.abstract) return abstractNames(kernel).get(name.path) ?? null;
  const vnode = kernel.vfs.find(process, name.path);
  if (failed(vnode)) return vnode;
  return kernel.vfs.checkAccess(vnode, 2, process.cred) || vnode.special;
}

/** A closing socket's abstract name is free again, unless it is another's: a connection has the name of its listener. */
export function leaveAbstract(kernel: Kernel, socket: object, { path }: UnixName): void {
  const names = abstractNames(kernel);
  if (names.get(path) === socket) names.delete(path);
}

/** The socket file stays, with nobody behind it. */
export function leavePlace(place: Vnode): void {
  place.special = null;
  vrele(place);
}

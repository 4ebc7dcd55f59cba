import { Errno, snapshotClass, type Result } from '../base/index.js';
import type { Kernel } from './kernel.js';
import type { OpenFile } from './open-file.js';

/** Descriptors under way in messages (SCM_RIGHTS); so many that a chain of sockets inside sockets ends somewhere. */
const IN_FLIGHT_MAX = 1024;

/** An open file that others lie in, unread. */
interface Carrier extends OpenFile {
  carried(): Iterable<OpenFile>;
  /** Throw away what it carries. */
  purge(kernel: Kernel): void;
}

const isCarrier = (file: OpenFile): file is Carrier => 'carried' in file;

/** Files in messages that nobody has received, each with the number of messages; machine state. */
class InFlight {
  files = new Map<OpenFile, number>();
  count = 0;
  collecting = false;
}
snapshotClass('InFlightFiles', InFlight);

function inFlight(kernel: Kernel): InFlight {
  let state = kernel.extension.get('unix.in-flight') as InFlight | undefined;
  if (!state) kernel.extension.set('unix.in-flight', state = new InFlight());
  return state;
}

/** A message takes references to `files` with it. */
export function sendAway(kernel: Kernel, files: readonly OpenFile[]): Result {
  const state = inFlight(kernel);
  if (state.count + files.length > IN_FLIGHT_MAX) return -Errno.ETOOMANYREFS;
  for (const file of files) {
    file.addRef();
    state.files.set(file, (state.files.get(file) ?? 0) + 1);
  }
  state.count += files.length;
  return 0;
}

/** The message was received or thrown away; its references are the caller's. */
export function comeBack(kernel: Kernel, files: OpenFile[]): OpenFile[] {
  if (files.length === 0) return files;
  const state = inFlight(kernel);
  for (const file of files) {
    const left = (state.files.get(file) ?? 0) - 1;
    if (left > 0) state.files.set(file, left);
    else state.files.delete(file);
  }
  state.count -= files.length;
  return files;
}

/**
 * Sockets that only messages refer to, which lie in sockets that only such messages refer to, are lost (net/unix/garbage.c):
 * throw away what they carry. Everything reachable from a file that somebody holds is kept.
 */
export function collectLost(kernel: Kernel): void {
  const state = inFlight(kernel);
  if (state.collecting || state.count === 0) return;
  const suspects = new Set<Carrier>();
  for (const [file, messages] of state.files) if (isCarrier(file) && file.refs === messages) suspects.add(file);
  if (suspects.size === 0) return;
  const carriedByLost = new Map<OpenFile, number>();
  for (const file of suspects) for (const inside of file.carried()) carriedByLost.set(inside, (carriedByLost.get(inside) ?? 0) + 1);
  const kept = [...suspects].filter((file) => carriedByLost.get(file) !== state.files.get(file));
  for (let next = kept.pop(); next; next = kept.pop()) {
    if (!suspects.delete(next)) continue;
    for (const inside of next.carried()) if (isCarrier(inside) && suspects.has(inside)) kept.push(inside);
  }
  state.collecting = true;
  for (const file of suspects) file.addRef();
  for (const file of suspects) file.purge(kernel);
  for (const file of suspects) file.release(kernel);
  state.collecting = false;
}

import { Errno, failed } from '../../base/index.js';
import { Cap, capabilitiesOf, capable, isSubset, setCapabilities, union, userChanged, type CapabilitySet } from '../capabilities.js';
import type { Credentials } from '../credentials.js';
import type { Kernel } from '../kernel.js';
import type { Process } from '../process.js';
import { defineSyscalls } from '../syscall-table.js';
import type { Thread } from '../thread.js';

/** setuid(2) and its relatives, once for users and once for groups. */
type Kind = 'uid' | 'gid';
interface Ids {
  real: number;
  effective: number;
  saved: number;
}

const NGROUPS_MAX = 65_536;
const UNCHANGED = -1;

const idsOf = (cred: Credentials, kind: Kind): Ids =>
  kind === 'uid' ? { real: cred.uid, effective: cred.euid, saved: cred.suid } : { real: cred.gid, effective: cred.egid, saved: cred.sgid };

function assign(process: Process, kind: Kind, ids: Ids): number {
  const { cred } = process;
  if (kind === 'gid') {
    Object.assign(cred, { gid: ids.real, egid: ids.effective, sgid: ids.saved, fsgid: ids.effective });
    return 0;
  }
  const before = cred.clone();
  Object.assign(cred, { uid: ids.real, euid: ids.effective, suid: ids.saved, fsuid: ids.effective });
  userChanged(before, cred, process.keepCapabilities);
  return 0;
}

const mayChange = (cred: Credentials, kind: Kind): boolean => capable(cred, kind === 'uid' ? Cap.SETUID : Cap.SETGID);

/** setuid: root changes all three, others only the effective id, to one they have. */
function setId(kind: Kind, thread: Thread, id: number): number {
  const { cred } = thread.process;
  const ids = idsOf(cred, kind);
  if (id === UNCHANGED) return -Errno.EINVAL;
  if (mayChange(cred, kind)) return assign(thread.process, kind, { real: id, effective: id, saved: id });
  return id === ids.real || id === ids.saved ? assign(thread.process, kind, { ...ids, effective: id }) : -Errno.EPERM;
}

/** setreuid: the saved id follows the effective one when the real id is set or the effective one leaves the old real id. */
function setReal(kind: Kind, thread: Thread, real: number, effective: number): number {
  const { cred } = thread.process;
  const ids = idsOf(cred, kind);
  const mayReal = real === UNCHANGED || mayChange(cred, kind) || real === ids.real || real === ids.effective;
  const mayEffective = effective === UNCHANGED || mayChange(cred, kind) || [ids.real, ids.effective, ids.saved].includes(effective);
  if (!mayReal || !mayEffective) return -Errno.EPERM;
  const next = { real: real === UNCHANGED ? ids.real : real, effective: effective === UNCHANGED ? ids.effective : effective, saved: ids.saved };
  if (real !== UNCHANGED || (effective !== UNCHANGED && effective !== ids.real)) next.saved = next.effective;
  return assign(thread.process, kind, next);
}

function setAll(kind: Kind, thread: Thread, real: number, effective: number, saved: number): number {
  const { cred } = thread.process;
  const ids = idsOf(cred, kind);
  const held = [UNCHANGED, ids.real, ids.effective, ids.saved];
  if (!mayChange(cred, kind) && ![real, effective, saved].every((id) => held.includes(id))) return -Errno.EPERM;
  const pick = (id: number, old: number): number => (id === UNCHANGED ? old : id);
  return assign(thread.process, kind, { real: pick(real, ids.real), effective: pick(effective, ids.effective), saved: pick(saved, ids.saved) });
}

function getAll(kind: Kind, thread: Thread, real: number, effective: number, saved: number): number {
  const ids = idsOf(thread.process.cred, kind);
  const { space } = thread.process;
  for (const [va, id] of [[real, ids.real], [effective, ids.effective], [saved, ids.saved]]) {
    const result = space.writeWords(va >>> 0, [id]);
    if (failed(result)) return result;
  }
  return 0;
}

/** setfsuid returns the old id and reports no error. */
function setFs(kind: Kind, thread: Thread, id: number): number {
  const { cred } = thread.process;
  const key = kind === 'uid' ? 'fsuid' : 'fsgid';
  const old = cred[key];
  const ids = idsOf(cred, kind);
  if (mayChange(cred, kind) || [ids.real, ids.effective, ids.saved, old].includes(id)) cred[key] = id;
  return old;
}

function getgroups(_kernel: Kernel, thread: Thread, size: number, list: number): number {
  const { cred, space } = thread.process;
  if (size < 0) return -Errno.EINVAL;
  if (size === 0) return cred.groups.length;
  if (size < cred.groups.length) return -Errno.EINVAL;
  const result = space.writeWords(list >>> 0, cred.groups);
  return failed(result) ? result : cred.groups.length;
}

function setgroups(_kernel: Kernel, thread: Thread, size: number, list: number): number {
  const { cred, space } = thread.process;
  if (!mayChange(cred, 'gid')) return -Errno.EPERM;
  if (size < 0 || size > NGROUPS_MAX) return -Errno.EINVAL;
  const words = space.readWords(list >>> 0, size);
  if (failed(words)) return words;
  cred.groups = [...words];
  return 0;
}

/** _LINUX_CAPABILITY_VERSION_3: two structs of effective, permitted, inheritable. */
const CAPABILITY_V3 = 0x20080522;
function capget(kernel: Kernel, thread: Thread, header: number, data: number): number {
  const { space } = thread.process;
  const words = space.readWords(header >>> 0, 2);
  if (failed(words)) return words;
  if (words[0] !== CAPABILITY_V3) {
    const written = space.writeWords(header >>> 0, [CAPABILITY_V3]);
    return failed(written) ? written : data === 0 ? 0 : -Errno.EINVAL;
  }
  const target = words[1] === 0 ? thread.process : kernel.processes.get(words[1]);
  if (!target) return -Errno.ESRCH;
  const { effective, permitted, inheritable } = capabilitiesOf(target.cred);
  return data === 0 ? 0 : space.writeWords(data >>> 0, [effective[0], permitted[0], inheritable[0], effective[1], permitted[1], inheritable[1]]);
}

/** Permitted capabilities can only be given up; effective ones are among them; inheritable ones grow from them, or with CAP_SETPCAP. */
function capset(_kernel: Kernel, thread: Thread, header: number, data: number): number {
  const { space, cred } = thread.process;
  const words = space.readWords(header >>> 0, 2);
  if (failed(words)) return words;
  if (words[0] !== CAPABILITY_V3) return -Errno.EINVAL;
  if (words[1] !== 0 && words[1] !== thread.process.pid) return -Errno.EPERM;
  const wanted = space.readWords(data >>> 0, 6);
  if (failed(wanted)) return wanted;
  const set = (at: number): CapabilitySet => [wanted[at], wanted[at + 3]];
  const [effective, permitted, inheritable] = [set(0), set(1), set(2)];
  const held = capabilitiesOf(cred);
  if (!isSubset(permitted, held.permitted) || !isSubset(effective, permitted)) return -Errno.EPERM;
  if (!isSubset(inheritable, union(held.inheritable, held.permitted)) && !capable(cred, Cap.SETPCAP)) return -Errno.EPERM;
  setCapabilities(cred, { effective, permitted, inheritable });
  return 0;
}

defineSyscalls({
  4023: ['setuid', 1, (_kernel, thread, id) => setId('uid', thread, id), 'int'],
  4024: ['getuid', 0, (_kernel, thread) => thread.process.cred.uid],
  4046: ['setgid', 1, (_kernel, thread, id) => setId('gid', thread, id), 'int'],
  4047: ['getgid', 0, (_kernel, thread) => thread.process.cred.gid],
  4049: ['geteuid', 0, (_kernel, thread) => thread.process.cred.euid],
  4050: ['getegid', 0, (_kernel, thread) => thread.process.cred.egid],
  4070: ['setreuid', 2, (_kernel, thread, real, effective) => setReal('uid', thread, real, effective), 'int int'],
  4071: ['setregid', 2, (_kernel, thread, real, effective) => setReal('gid', thread, real, effective), 'int int'],
  4080: ['getgroups', 2, getgroups, 'int ptr'],
  4081: ['setgroups', 2, setgroups, 'int ptr'],
  4138: ['setfsuid', 1, (_kernel, thread, id) => setFs('uid', thread, id), 'int'],
  4139: ['setfsgid', 1, (_kernel, thread, id) => setFs('gid', thread, id), 'int'],
  4185: ['setresuid', 3, (_kernel, thread, r, e, s) => setAll('uid', thread, r, e, s), 'int int int'],
  4186: ['getresuid', 3, (_kernel, thread, r, e, s) => getAll('uid', thread, r, e, s), 'ptr ptr ptr'],
  4190: ['setresgid', 3, (_kernel, thread, r, e, s) => setAll('gid', thread, r, e, s), 'int int int'],
  4191: ['getresgid', 3, (_kernel, thread, r, e, s) => getAll('gid', thread, r, e, s), 'ptr ptr ptr'],
  4204: ['capget', 2, capget, 'ptr ptr'],
  4205: ['capset', 2, capset, 'ptr ptr'],
});

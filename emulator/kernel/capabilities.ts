import type { Credentials } from './credentials.js';

/** Numbers of capabilities(7), as far as something here asks for them. */
export const Cap = {
  KILL: 5, SETGID: 6, SETUID: 7, SETPCAP: 8, NET_BIND_SERVICE: 10, NET_ADMIN: 12, NET_RAW: 13, IPC_LOCK: 14, SYS_CHROOT: 18, SYS_ADMIN: 21, SYS_BOOT: 22,
  SYS_NICE: 23, SYS_RESOURCE: 24, SYS_TIME: 25, SYS_TTY_CONFIG: 26,
} as const;
/** CAP_LAST_CAP: CHECKPOINT_RESTORE. */
export const LAST_CAPABILITY = 40;

/** A set of capabilities: numbers 0 to 31, then 32 to 63. */
export type CapabilitySet = readonly [low: number, high: number];

const NONE: CapabilitySet = [0, 0];
const ALL: CapabilitySet = [-1, 0x1ff];

export interface Capabilities {
  readonly effective: CapabilitySet;
  readonly permitted: CapabilitySet;
  readonly inheritable: CapabilitySet;
}

export const isSubset = (a: CapabilitySet, b: CapabilitySet): boolean => (a[0] & ~b[0]) === 0 && (a[1] & ~b[1]) === 0;
export const union = (a: CapabilitySet, b: CapabilitySet): CapabilitySet => [a[0] | b[0], a[1] | b[1]];
const same = (a: CapabilitySet, b: CapabilitySet): boolean => a[0] === b[0] && a[1] === b[1];
const within = (a: CapabilitySet): CapabilitySet => [a[0] & ALL[0], a[1] & ALL[1]];

const hasRoot = ({ uid, euid, suid }: Credentials): boolean => uid === 0 || euid === 0 || suid === 0;

/** What the ids alone would give. */
function byIds(cred: Credentials): Capabilities {
  return { effective: cred.euid === 0 ? ALL : NONE, permitted: hasRoot(cred) ? ALL : NONE, inheritable: NONE };
}

export function capabilitiesOf(cred: Credentials): Capabilities {
  return cred.capabilities ?? byIds(cred);
}

export function capable(cred: Credentials, capability: number): boolean {
  const { effective } = capabilitiesOf(cred);
  return ((effective[capability >> 5] >>> (capability & 31)) & 1) === 1;
}

/** capset(2): sets as checked by the caller. What the ids would give anyway is not kept. */
export function setCapabilities(cred: Credentials, sets: Capabilities): void {
  const next = { effective: within(sets.effective), permitted: within(sets.permitted), inheritable: within(sets.inheritable) };
  const plain = byIds(cred);
  const usual = same(next.effective, plain.effective) && same(next.permitted, plain.permitted) && same(next.inheritable, plain.inheritable);
  cred.capabilities = usual ? null : next;
}

/** After a change of user ids from `before` (capabilities(7), "Effect of user ID changes on capabilities"). */
export function userChanged(before: Credentials, cred: Credentials, keep: boolean): void {
  let { effective, permitted } = capabilitiesOf(before);
  if (hasRoot(before) && !hasRoot(cred) && !keep) [effective, permitted] = [NONE, NONE];
  if (before.euid === 0 && cred.euid !== 0) effective = NONE;
  if (before.euid !== 0 && cred.euid === 0) effective = permitted;
  setCapabilities(cred, { ...capabilitiesOf(before), effective, permitted });
}

/** Files here carry no capabilities: after execve(2) only the ids count; what could be inherited stays. */
export function capabilitiesAfterExec(cred: Credentials): void {
  const { inheritable } = capabilitiesOf(cred);
  cred.capabilities = null;
  if (!same(inheritable, NONE)) setCapabilities(cred, { ...byIds(cred), inheritable });
}

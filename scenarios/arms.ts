/**
 * The arms of an experiment: the same router, load and attack, each time with another answer to a daemon's
 * fault. An arm is a supervisor's policy (a word of /etc/init.conf) and the checkpoint flags of the daemon.
 */
export interface Arm {
  title: string;
  /** For people who meet the word for the first time. */
  words: string;
  /** init's policy for the daemon. */
  policy: string;
  /** Arguments added to the daemon's own. */
  flags: readonly string[];
  /** The router's own setting for programs that do not choose: store bits of sys_checkpoint; null takes the calls away. */
  store: number | null;
  /** The router freezes and thaws the daemons under test by itself; they know nothing of it. */
  transparent?: boolean;
}

/** Store bits as sys_checkpoint(2) gives them. */
const STORE_VNODE = 0x100;
const STORE_SHARE = 0x400;
const PROCD = 'respawn 3600 5 5';

export const arms = {
  none: {
    title: 'none',
    words: 'Nobody restarts the daemon: its first fault is its last.',
    policy: 'none',
    flags: [],
    store: null,
  },
  respawn: {
    title: 'immediate respawn',
    words: 'init starts the daemon again at once, for ever, as busybox init does. Every death costs the process its memory: caches, leases in hand, open work.',
    policy: 'respawn',
    flags: [],
    store: null,
  },
  procd: {
    title: 'supervisor (procd)',
    words: "OpenWrt's procd limits: wait 5 s, and after 5 crashes in a row leave the daemon dead. A repeated attack turns a crash into a permanent outage.",
    policy: PROCD,
    flags: [],
    store: null,
  },
  'rollback-vnode': {
    title: 'rollback, vnodes',
    words: 'The daemon freezes itself at the top of its loop into a file on the ramdisk, and its signal handler thaws it from there.',
    policy: PROCD,
    flags: ['-m', 'rollback', '-s', 'vnode'],
    store: STORE_VNODE,
  },
  'rollback-shunt': {
    title: 'rollback, shunt',
    words: 'The same, but the image bypasses vnodes and filesystem: its pages stay in RAM, shared copy-on-write.',
    policy: PROCD,
    flags: ['-m', 'rollback', '-s', 'share'],
    store: STORE_SHARE,
  },
  'rollback-newest': {
    title: 'rollback, newest only',
    words: 'Rollback through the shunt, but always to the newest state: when that is itself spoilt, no older one is tried.',
    policy: PROCD,
    flags: ['-m', 'rollback', '-s', 'share', '-e', '0'],
    store: STORE_SHARE,
  },
  'rollback-one-stack': {
    title: 'rollback, one stack',
    words: 'Rollback through the shunt, but the signal handler has no stack of its own.',
    policy: PROCD,
    flags: ['-m', 'rollback', '-s', 'share', '-O'],
    store: STORE_SHARE,
  },
  'rollback-filter': {
    title: 'rollback + filter',
    words: 'Rollback through the shunt, and what the faulting inputs have in common is dropped before it is parsed again.',
    policy: PROCD,
    flags: ['-m', 'filter', '-s', 'share'],
    store: STORE_SHARE,
  },
  transparent: {
    title: 'transparent rollback',
    words: 'The daemon knows nothing of checkpoints: the router freezes it at the top of its event loop, through the shunt, and thaws it when it would die or hang.',
    policy: PROCD,
    flags: [],
    store: STORE_SHARE,
    transparent: true,
  },
} as const satisfies Record<string, Arm>;

export type ArmName = keyof typeof arms;

/** The daemon has to know the recovery library's options. */
export const needsLibrary = (arm: ArmName): boolean => arms[arm].flags.length > 0;

export const armNames = Object.keys(arms) as [ArmName, ...ArmName[]];

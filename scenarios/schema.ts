import ipaddr from 'ipaddr.js';
import { z } from 'zod';
import { defaultGuard } from '../emulator/checkpoint/index.js';
import { profileNames } from '../emulator/router/profiles.js';
import { ramdiskKinds } from '../ramdisk/index.js';
import { armNames, needsLibrary } from './arms.js';
import { formNames, generatorNames } from './attacks/index.js';
import { protocol, protocolNames, type ProtocolName } from './protocols/index.js';
import { metricNames } from './metric-names.js';
import { oversights } from './oversights.js';
import { registerNames } from './registers.js';
import { parseBandwidth, parseBytes, parseDuration, parseRate } from './units.js';

/** Version of the scenario format. A file says which one it was written for. */
export const SCHEMA_VERSION = 1;

/** Limits that keep a scenario, whoever wrote it, within a bounded amount of work. */
export const MAX_DURATION_NS = 3600e9;
const MAX_RATE = 10_000_000;
const MAX_MESSAGES = 1_000_000;

function quantity(read: (text: string) => number | null, example: string, max: number) {
  return z.string({ error: `must be a quantity with its unit, like ${example}` }).transform((text, context) => {
    const value = read(text);
    if (value === null) {
      context.addIssue({ code: 'custom', message: `"${text}" is not a quantity; write it like ${example}` });
      return z.NEVER;
    }
    if (value > max) {
      context.addIssue({ code: 'custom', message: `"${text}" is too large; the limit is ${max / Number(read('1 ' + unitOf(example)))} ${unitOf(example)}` });
      return z.NEVER;
    }
    return value;
  });
}

const unitOf = (example: string): string => example.replace(/[\d.\s]+/g, '').split('or')[0];
const duration = quantity(parseDuration, '40s', MAX_DURATION_NS);
const rate = quantity(parseRate, '20/s', MAX_RATE);
const bandwidth = quantity(parseBandwidth, '100Mbit', 1e10);
const bytes = quantity(parseBytes, '2MiB', 2 ** 31);

const name = z.string().regex(/^[a-z0-9][a-z0-9._-]{0,62}$/, 'must be lower-case letters, digits, dots and dashes');
/** For people: it is printed on their terminals. */
const text = z.string().regex(/^(?:\P{Cc}|[\n\t])*$/u, 'must hold no control characters');
const address = z.string().refine((text) => ipaddr.IPv4.isValidFourPartDecimal(text), 'must be an IPv4 address like 192.168.1.10');
const program = z.string().regex(/^\/[^\s#]{1,200}$/, 'must be an absolute path on the router, like /usr/sbin/dnsd');
const argument = z.string().regex(/^[^\s#]{1,200}$/, "must be one word: no blanks and no '#' (init.conf has no quoting)");
const packageName = z.string().regex(/^[a-z0-9][a-z0-9+.-]{1,100}$/, 'must be the name of a Debian package');
const port = z.int().min(1).max(65535);
const file = z.string().regex(/^[A-Za-z0-9][A-Za-z0-9._-]*$/, 'must be a file name in the scenario folder');

const link = z.strictObject({
  delay: duration.default(200_000),
  loss: z.number().min(0).max(1).default(0),
  rate: bandwidth.optional(),
});

const host = z.strictObject({
  name,
  on: z.enum(['lan0', 'wan0']),
  address,
  /** Of its own cable; without, frames take no time on it. */
  rate: bandwidth.optional(),
  /** Answers DNS queries for every name, as a provider's resolver would. */
  resolver: z.boolean().default(false),
  /** Domains it never answers for, nor for names below them. */
  silent: z.array(z.string().min(1).max(253)).max(100).default([]),
});

const topology = z.strictObject({
  lan0: link.prefault({}),
  wan0: link.prefault({}),
  hosts: z.array(host).max(64).default([]),
});

const daemon = z.strictObject({
  name,
  program,
  arguments: z.array(argument).max(32).default([]),
  /** The arm's policy and flags apply to it, and it is what the metrics count. */
  underTest: z.boolean().default(true),
  /** It understands the recovery library's options (-m, -s); programs that do not get their store from the router's setting. */
  options: z.boolean().default(true),
  addressSpace: bytes.optional(),
});

/** Where requests go: a daemon's port, or the console. */
const traffic = {
  protocol: z.enum(protocolNames),
  host: name.optional(),
  port: port.optional(),
  names: z.array(z.string().min(1).max(253)).max(1000).optional(),
};

const load = z.strictObject({ ...traffic, name, rate, start: duration.default(0) });
const prober = z.strictObject({ ...traffic, rate, timeout: duration.default(500e6) });

const attack = z.strictObject({
  message: z.union([
    z.strictObject({ capture: file }),
    z.strictObject({ generator: z.enum(generatorNames) }),
  ]),
  protocol: z.enum(protocolNames),
  host: name.optional(),
  port: port.optional(),
  start: duration,
  every: duration,
  count: z.int().min(1).max(MAX_MESSAGES),
  /** Each message comes up to this share of `every` later, so that the attack does not march in step with the probes. */
  jitter: z.number().min(0).max(1).default(0.5),
  forms: z.array(z.enum(formNames)).min(1).default(['exact']),
  /** What in the message does the harm: bytes of it, after the UDP header. A negative offset counts from the end, which forms that lengthen the front leave alone. */
  field: z.strictObject({ name: text.min(1).max(100), offset: z.int().min(-65507).max(65506), length: z.int().min(1).max(65507) }).optional(),
});

const word = z.int().min(0).max(0xffff_ffff);
const hit = z.int().min(1).max(1e9).default(1);
const object = program.optional();
const register = z.enum(registerNames);

/**
 * A memory fault in a daemon, without an attacker: from `start` on, `count` times, it waits for a client's input (`from: start` does not wait) and strikes
 *
 *   at: { instruction: 20000 }                            at the first branch taken after so many instructions of the daemon's
 *   at: { symbol: memcpy, object: /lib/libc.so.6, hit: 3 }     when a function is entered for the third time; without `object`, of the program
 *   at: { address: 0x1a370, hit: 1 }                      the same for any instruction, by the address that readelf and objdump give
 *
 *   what: { wild: { register: a1, value: 0x10 } }         a pointer goes wild
 *   what: { flip: { register: sp, offset: 16, bit: 3 } }  a bit in memory flips, here in a word near the stack pointer
 *   what: { flip: { in: heap } }                          any bit of the heap (stack, data); the seed decides
 *   what: { access: 0x10 }                                an access to where nothing is mapped: always SIGSEGV
 */
const fault = z.strictObject({
  daemon: name,
  start: duration,
  every: duration.default(1e9),
  count: z.int().min(1).max(10_000).default(1),
  from: z.enum(['input', 'start']).default('input'),
  at: z.union([
    z.strictObject({ instruction: z.int().min(1).max(1e12) }),
    z.strictObject({ symbol: z.string().regex(/^[A-Za-z_.][A-Za-z0-9_.$]{0,199}$/, 'must be a symbol of the program'), object, hit }),
    z.strictObject({ address: word, object, hit }),
  ]),
  what: z.union([
    z.strictObject({ wild: z.strictObject({ register, value: word }) }),
    z.strictObject({ flip: z.union([z.strictObject({ in: z.enum(['stack', 'heap', 'data']) }), z.strictObject({ register, offset: z.int().min(-0x8000).max(0x7fff).default(0), bit: z.int().min(0).max(31) })]) }),
    z.strictObject({ access: word }),
  ]),
});

const metricAssertion = z.strictObject({
  arm: z.enum(armNames),
  metric: z.enum(metricNames),
  atLeast: z.number().optional(),
  atMost: z.number().optional(),
  equals: z.number().optional(),
}).refine((one) => one.atLeast !== undefined || one.atMost !== undefined || one.equals !== undefined, 'needs atLeast, atMost or equals');

/** A line that must appear on the console, word for word. */
const consoleAssertion = z.strictObject({ arm: z.enum(armNames), console: z.string().min(1) });

const assertion = z.union([metricAssertion, consoleAssertion]);

const expectation = z.strictObject({
  metric: z.enum(metricNames),
  /** Best first; arms of one inner list are expected to be equal within `within`. */
  order: z.array(z.array(z.enum(armNames)).min(1)).min(1),
  /** Values that differ by no more than this share of the larger one count as equal. */
  within: z.number().min(0).max(1).default(0.01),
  why: text.min(1),
});

/** How the router guards daemons in the arm "transparent"; see GuardOptions. */
const guard = z.strictObject({
  interval: duration.default(defaultGuard.intervalNs),
  generation: duration.default(defaultGuard.generationNs),
  watchdog: duration.default(defaultGuard.watchdogNs),
  strikes: z.int().min(1).max(1000).default(defaultGuard.strikes),
  repeats: z.int().min(0).max(1000).default(defaultGuard.repeats),
});

/**
 * Where the bug first writes what it must not; for `shuntbox corruption`, which watches stores while `function` runs. A store is bad
 * when it falls within `reach` bytes (64 unless told) behind the end of `range`, the object that may be written:
 *
 *   range: { stack: -104, length: 64 }                  `stack`: its distance from sp at the function's entry
 *   range: { register: a0, offset: 288, length: 32 }    relative to an argument at the entry
 *   range: { symbol: table, offset: 0, length: 16 }     a global object of the program
 *
 * A stack object is watched from the first store into it on: before that the function saves registers behind it. `when` picks the calls
 * that matter, by the unsigned value of an argument. A bug that writes nothing says why: `corruption: { none: "it only reads" }`.
 */
const offset = z.int().min(-0x8000_0000).max(0x7fff_ffff);
const argumentRegister = z.enum(['a0', 'a1', 'a2', 'a3']);
const symbolName = z.string().regex(/^[A-Za-z_.][A-Za-z0-9_.$]{0,199}$/, 'must be a symbol of the program');
const extent = { length: z.int().min(1).max(1 << 24) };
const corruption = z.union([
  z.strictObject({ none: z.string().min(1) }),
  z.strictObject({
    daemon: name,
    function: symbolName,
    when: z.strictObject({ register: argumentRegister, above: z.int().min(0).max(0xffff_ffff) }).optional(),
    range: z.union([
      z.strictObject({ stack: offset, ...extent }),
      z.strictObject({ register: argumentRegister, offset: offset.default(0), ...extent }),
      z.strictObject({ symbol: symbolName, offset: offset.default(0), ...extent }),
    ]),
    reach: bytes.default(64),
  }),
]);

export const scenarioSchema = z.strictObject({
  schema: z.literal(SCHEMA_VERSION, { error: `must be ${SCHEMA_VERSION}, the version of the format this program reads` }),
  name,
  title: text.min(1).max(100),
  summary: text.min(1),
  seed: z.int().min(0).max(0xffffffff),
  profile: z.enum(profileNames).default('mt7628'),
  /** What the root filesystem is: a tmpfs, or a file system on a memory block device behind a buffer cache. */
  ramdisk: z.enum(ramdiskKinds).default('tmpfs'),
  duration,
  topology: topology.prefault({}),
  /** A CRC-32 over every image, made at the freeze and checked at the thaw, in either store; costs device time. */
  checksum: z.boolean().default(false),
  guard: guard.prefault({}),
  /** Files put on the ramdisk over the image's own, as text. */
  files: z.record(program, z.string().max(65536)).default({}),
  /** Debian's packages its unmodified programs are in; with any, the root filesystem is the user's (--rootfs) instead of the firmware's. */
  packages: z.array(packageName).max(32).default([]),
  daemons: z.array(daemon).min(1).max(16),
  load: z.array(load).max(16).default([]),
  attack: z.array(attack).max(8).default([]),
  fault: z.array(fault).max(8).default([]),
  prober: prober.optional(),
  arms: z.array(z.enum(armNames)).min(1),
  corruption: corruption.optional(),
  assertions: z.array(assertion).default([]),
  expectation: z.array(expectation).default([]),
}).superRefine((scenario, context) => {
  for (const oversight of oversights(scenario)) context.addIssue({ code: 'custom', ...oversight });
  const hosts = new Set(scenario.topology.hosts.map((one) => one.name));
  const check = (reference: string | undefined, path: (string | number)[], network: boolean): void => {
    if (!network) return;
    if (reference === undefined) context.addIssue({ code: 'custom', path: path.slice(0, -1), message: 'needs `host`: the name of the host it is sent from' });
    else if (!hosts.has(reference)) context.addIssue({ code: 'custom', path, message: `no host is named "${reference}"; topology.hosts has ${[...hosts].join(', ')}` });
  };
  const network = (name: ProtocolName): boolean => protocol(name).sendsBy !== 'console';
  scenario.load.forEach((one, i) => check(one.host, ['load', i, 'host'], network(one.protocol)));
  scenario.attack.forEach((one, i) => check(one.host, ['attack', i, 'host'], network(one.protocol)));
  if (scenario.prober) check(scenario.prober.host, ['prober', 'host'], network(scenario.prober.protocol));
  const attacksOnly = 'is for attacks: nothing is asked and nothing answers';
  scenario.load.forEach((one, i) => {
    if (protocol(one.protocol).hearsBy === 'nobody') context.addIssue({ code: 'custom', path: ['load', i, 'protocol'], message: attacksOnly });
  });
  if (scenario.prober && protocol(scenario.prober.protocol).hearsBy === 'nobody') context.addIssue({ code: 'custom', path: ['prober', 'protocol'], message: attacksOnly });
  if (!scenario.daemons.some((one) => one.underTest)) context.addIssue({ code: 'custom', path: ['daemons'], message: 'no daemon is under test; set `underTest: true` on the attacked one' });
  scenario.fault.forEach((one, i) => {
    if (!scenario.daemons.some((daemon) => daemon.name === one.daemon)) context.addIssue({ code: 'custom', path: ['fault', i, 'daemon'], message: `no daemon is named "${one.daemon}"; there is ${scenario.daemons.map((daemon) => daemon.name).join(', ')}` });
  });
  const { corruption: site } = scenario;
  if (site && 'daemon' in site && !scenario.daemons.some((one) => one.name === site.daemon)) {
    context.addIssue({ code: 'custom', path: ['corruption', 'daemon'], message: `no daemon is named "${site.daemon}"; there is ${scenario.daemons.map((one) => one.name).join(', ')}` });
  }
  scenario.arms.forEach((arm, i) => {
    if (scenario.packages.length > 0 && needsLibrary(arm)) context.addIssue({ code: 'custom', path: ['arms', i], message: `the arm "${arm}" needs a daemon with the recovery library, and a package's programs have none; take none, respawn, procd, transparent` });
  });
  const known = new Set<string>(scenario.arms);
  scenario.assertions.forEach((one, i) => {
    if (!known.has(one.arm)) context.addIssue({ code: 'custom', path: ['assertions', i, 'arm'], message: `the scenario does not run the arm "${one.arm}"; add it to \`arms\`` });
  });
  scenario.expectation.forEach((one, i) => one.order.flat().forEach((arm) => {
    if (!known.has(arm)) context.addIssue({ code: 'custom', path: ['expectation', i, 'order'], message: `the scenario does not run the arm "${arm}"; add it to \`arms\`` });
  }));
});

export type ScenarioFile = z.infer<typeof scenarioSchema>;
export type TopologySpec = ScenarioFile['topology'];
export type DaemonSpec = ScenarioFile['daemons'][number];
export type LoadSpec = ScenarioFile['load'][number];
export type AttackSpec = ScenarioFile['attack'][number];
export type FaultSpec = ScenarioFile['fault'][number];
export type ProberSpec = NonNullable<ScenarioFile['prober']>;
export type CorruptionSpec = Exclude<NonNullable<ScenarioFile['corruption']>, { none: string }>;
export type AssertionSpec = ScenarioFile['assertions'][number];
export type ExpectationSpec = ScenarioFile['expectation'][number];

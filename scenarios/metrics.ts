import { textOf, type LogEntry } from '../emulator/base/index.js';
import type { Metrics } from './metric-names.js';
import type { DhcpState } from './observation/dhcp-state.js';
import type { DnsState } from './observation/dns-state.js';
import { outages } from './observation/outages.js';

/** When requests were sent and answered, in cycles; -1 = never; and their lengths in bytes. Indexes agree. */
export interface RequestRecord {
  sent: readonly number[];
  answered: readonly number[];
  lengths: readonly number[];
  /** Connections that should have stayed and were ended by the router; null or absent: none were kept. */
  connectionsLost?: number | null;
}

/** One attack message: when, in which form, how long. */
export interface AttackRecord {
  sent: number;
  form: string;
  length: number;
  /** CRC-32 of its bytes, by which a receiver's input is told to be this message. */
  crc?: number;
  /** Which of the attack's messages it was made from. */
  message?: number;
}

/** Everything one run leaves behind that the metrics are made of. Times are cycles. */
export interface RunRecord {
  hz: number;
  /** Load and prober start here, the first attack message is sent at `attackStart`, and the run ends at `end`. */
  start: number;
  attackStart: number;
  end: number;
  probePeriod: number;
  timeout: number;
  /** Names of the daemons under test. */
  daemons: readonly string[];
  entries: readonly LogEntry[];
  probes: RequestRecord;
  loads: readonly RequestRecord[];
  attacks: readonly AttackRecord[];
  /** When faults were injected; null: the scenario injects none. */
  injected: readonly number[] | null;
  /** Copy-on-write faults from `start` on, how many of them copied the page, and the cycles all that took. */
  breaks: { faults: number; copies: number; cycles: number };
  /** What the captures tell of the daemons' memory; null when no such service is under test. */
  dns: DnsState | null;
  dhcp: DhcpState | null;
}

/** The value below which a share `p` of the values lies (nearest rank); NaN without values. */
export function percentile(values: readonly number[], p: number): number {
  if (values.length === 0) return NaN;
  const sorted = [...values].sort((a, b) => a - b);
  return sorted[Math.min(sorted.length - 1, Math.max(0, Math.ceil(p * sorted.length) - 1))];
}

const mean = (values: readonly number[]): number => (values.length === 0 ? NaN : values.reduce((a, b) => a + b, 0) / values.length);

export function computeMetrics(run: RunRecord): Metrics {
  const toNs = (cycles: number): number => (cycles / run.hz) * 1e9;
  const probes = settled(run.probes, run, run.attackStart);
  const lastThird = settled(run.probes, run, run.start + ((run.end - run.start) * 2) / 3);
  const others = run.loads.map((load) => settled(load, run, run.start));
  const recoveries = faultSpans(run).map((span) => toNs(span.end - span.start));
  const images = imageUse(run.entries);
  const freezes = run.entries.filter((entry) => entry.what === 'checkpoint.freeze');
  const thaws = run.entries.filter((entry) => entry.what === 'checkpoint.thaw');
  const drops = filterDrops(run);
  const lost = probes.filter((delay) => delay === Infinity).length;
  const answered = probes.filter((delay) => delay !== Infinity);
  const perFreeze = (amount: number): number => (freezes.length === 0 ? NaN : amount / freezes.length);
  const field = (entries: readonly LogEntry[], name: string): number[] => entries.map((entry) => Number(entry[name] ?? 0));
  const downs = outages(run, run.attackStart);
  return {
    availability: probes.length === 0 ? NaN : answered.length / probes.length,
    availabilityLastThird: lastThird.length === 0 ? NaN : lastThird.filter((delay) => delay !== Infinity).length / lastThird.length,
    probes: probes.length,
    injected: run.injected?.length ?? NaN,
    faults: faultSpans(run).length,
    crashes: deaths(run).length,
    rollbacks: thaws.length,
    hazards: run.entries.filter((entry) => entry.what === 'checkpoint.hazard' && entry.hazard !== 'jump-loop').length,
    restarts: restarts(run),
    recoveryP50: percentile(recoveries, 0.5),
    recoveryP99: percentile(recoveries, 0.99),
    outage: run.probePeriod > 0 ? toNs(lost * run.probePeriod) : NaN,
    outages: run.probes.sent.length === 0 ? NaN : downs.length,
    downP50: toNs(percentile(downs.map((one) => one.byTime), 0.5)),
    downP99: toNs(percentile(downs.map((one) => one.byTime), 0.99)),
    downLossP50: toNs(percentile(downs.map((one) => one.byLoss), 0.5)),
    downLossP99: toNs(percentile(downs.map((one) => one.byLoss), 0.99)),
    probeGap: run.probePeriod > 0 ? toNs(run.probePeriod) : NaN,
    cacheLost: run.dns?.cacheLost ?? NaN,
    leasesLost: run.dhcp?.leasesLost ?? NaN,
    leasesTwice: run.dhcp?.leasesTwice ?? NaN,
    repeatedIds: run.dns?.repeatedIds ?? NaN,
    idsByChance: run.dns?.idsByChance ?? NaN,
    repeatedPairs: run.dns?.repeatedPairs ?? NaN,
    pairsByChance: run.dns?.pairsByChance ?? NaN,
    answersContradicted: run.dns?.contradicted ?? NaN,
    requestsLost: lost + others.flat().filter((delay) => delay === Infinity).length,
    connectionsLost: connectionsLost([run.probes, ...run.loads]),
    falseDrops: drops.good,
    filtered: drops.attack,
    missedVariants: missed(run),
    freezes: freezes.length,
    imageBytes: Math.max(0, ...field(freezes, 'bytes')),
    imagesHeld: images.count,
    ramHeld: images.bytes,
    freezeCopied: mean(field(freezes, 'copied')),
    freezeVnodeOps: mean(field(freezes, 'vops')),
    freezeTime: toNs(mean(field(freezes, 'cycles'))),
    pageBreaks: perFreeze(run.breaks.copies),
    breakTime: toNs(perFreeze(run.breaks.cycles)),
    thawTime: toNs(mean(field(thaws, 'cycles'))),
    thawVnodeOps: mean(field(thaws, 'vops')),
    latencyP50: toNs(percentile(answered, 0.5)),
    latencyP99: toNs(percentile(probes, 0.99)),
  };
}

function connectionsLost(records: readonly RequestRecord[]): number {
  const counts = records.flatMap((one) => one.connectionsLost ?? []);
  return counts.length === 0 ? NaN : counts.reduce((a, b) => a + b, 0);
}

/**
 * Delays in cycles of the requests sent from `from` on, Infinity for those without an answer in time. Requests too
 * late to have had their whole timeout are left out.
 */
function settled(record: RequestRecord, run: RunRecord, from: number): number[] {
  const delays: number[] = [];
  record.sent.forEach((sent, i) => {
    if (sent < from || sent + run.timeout > run.end) return;
    const answered = record.answered[i];
    delays.push(answered >= 0 && answered - sent <= run.timeout ? answered - sent : Infinity);
  });
  return delays;
}

interface Span {
  daemon: string;
  start: number;
  /** When the daemon served again; Infinity when it did not. */
  end: number;
}

/**
 * From each fault of a daemon under test to its next serving state, as its life in the event log tells. A daemon that
 * faults again before it serves has two faults with one end.
 */
export function faultSpans(run: Pick<RunRecord, 'entries' | 'daemons'>): Span[] {
  const spans: Span[] = [];
  const open = new Map<string, Span[]>();
  for (const entry of run.entries) {
    const daemon = textOf(entry.name);
    if (entry.what !== 'daemon.state' || !run.daemons.includes(daemon)) continue;
    if (entry.to === 'faulted') {
      const span = { daemon, start: entry.t, end: Infinity };
      spans.push(span);
      open.set(daemon, [...(open.get(daemon) ?? []), span]);
    } else if (entry.to === 'serving') {
      for (const span of open.get(daemon) ?? []) span.end = entry.t;
      open.delete(daemon);
    }
  }
  return spans;
}

function deaths(run: RunRecord): LogEntry[] {
  return run.entries.filter((entry) => entry.what === 'console.line' && run.daemons.some((name) => died(name, textOf(entry.text))));
}

const died = (name: string, text: string): boolean => text.startsWith(`init: ${name} pid `) && / (killed by signal \d|exited status [1-9])/.test(text);

function restarts(run: RunRecord): number {
  const starts = run.entries.filter((entry) => entry.what === 'console.line' && run.daemons.some((name) => textOf(entry.text).startsWith(`init: started ${name} pid `)));
  return Math.max(0, starts.filter((entry) => entry.t >= run.start).length);
}

const PAGE_BYTES = 4096;

/**
 * Most images alive at once, and the most RAM they held: frames that only the images keep in use, or the files' pages.
 * A shared image holds more with every page the process writes; each freeze logs what its images have come to hold.
 */
function imageUse(entries: readonly LogEntry[]): { count: number; bytes: number } {
  const alive = new Map<string, Set<string>>();
  const held = new Map<string, number>();
  const most = { count: 0, frames: 0 };
  for (const entry of entries) {
    const pid = textOf(entry.pid);
    if (entry.what === 'checkpoint.freeze') {
      alive.set(pid, (alive.get(pid) ?? new Set<string>()).add(textOf(entry.descriptor)));
      held.set(pid, Number(entry.held));
    } else if (entry.what === 'checkpoint.drop') {
      alive.get(pid)?.delete(textOf(entry.descriptor));
    } else if (entry.what === 'process.exit' || entry.what === 'process.exec') {
      alive.delete(pid);
      held.delete(pid);
    }
    most.count = Math.max(most.count, [...alive.values()].reduce((sum, descriptors) => sum + descriptors.size, 0));
    most.frames = Math.max(most.frames, [...held.values()].reduce((sum, frames) => sum + frames, 0));
  }
  return { count: most.count, bytes: most.frames * PAGE_BYTES };
}

/** A datagram waits no longer than this between its sending and the daemon's word that it dropped it. */
const DROP_WINDOW_NS = 200e6;

/**
 * What the filter dropped, by its log line "NAME: dropped RULE length N". A drop is put down to an attack message of that length sent
 * shortly before; when there was none, to a good request.
 */
function filterDrops(run: RunRecord): { good: number; attack: number } {
  const drops = { good: 0, attack: 0 };
  const window = (DROP_WINDOW_NS * run.hz) / 1e9;
  const unmatched = new Set(run.attacks);
  for (const entry of run.entries) {
    const match = entry.what === 'console.line' ? /^(\S+): dropped .*length (\d+)/.exec(textOf(entry.text)) : null;
    if (!match || !run.daemons.includes(match[1])) continue;
    const cause = [...unmatched].find((one) => one.length === Number(match[2]) && one.sent <= entry.t && entry.t - one.sent <= window);
    if (cause) {
      unmatched.delete(cause);
      drops.attack++;
    } else {
      drops.good++;
    }
  }
  return drops;
}

/** Faults after the first filter rule stood: the filter let through what it should have known. */
function missed(run: RunRecord): number {
  const first = run.entries.find((entry) => entry.what === 'console.line' && run.daemons.some((name) => textOf(entry.text).startsWith(`${name}: filter `)));
  if (!first) return 0;
  return faultSpans(run).filter((span) => span.start > first.t).length;
}

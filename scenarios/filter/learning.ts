import { crc32, hexDigits, textOf, type LogEntry } from '../../emulator/base/index.js';
import { IP_UDP, readEthernet, readIpv4, readUdp } from '../../emulator/net/index.js';
import type { AttackRecord } from '../metrics.js';
import type { Scenario } from '../scenario.js';
import { Simulation, type SimulationOptions } from '../simulation.js';
import type { Label } from './label.js';
import type { Oracle } from './oracle.js';

/** So many attack messages dropped in a row make the daemon immune. */
export const IMMUNE_AFTER = 10;
/** An attack shorter than this goes on, in its own rhythm and forms: a few messages teach the filter little. */
const LEAST_MESSAGES = 60;
/** The word of a drop comes within this time after the message, or, when the daemon hung meanwhile, within the second. */
const SOON_NS = 5e6;
const LATE_NS = 2e9;
/** Virtual time after the last message in which what is pending is brought to its end. */
const QUIET_NS = 5e9;
const PROGRESS_STEPS = 40;
const SIDE_OUTSIDE = 1;

/** Rollbacks into one state by one signal, and what the inputs they were put down to are by the oracle's word. */
export interface Blame {
  state: number;
  signal: number;
  rollbacks: number;
  /** Put down to an input that does no harm. */
  misattributed: number;
  /** No input was in hand, or it came from elsewhere than a client. */
  unjudged: number;
}

export interface Learning {
  messages: number;
  faults: number;
  dropped: number;
  /** Up to the first row of IMMUNE_AFTER dropped attack messages, in virtual seconds from the first attack message; null = never. */
  immunity: { seconds: number; faults: number; messages: number } | null;
  /** The last attack message that was not dropped, counted from 1, 0 = none; and its time. */
  lastMiss: { message: number; seconds: number };
  blame: Blame[];
  /** Lines in which the library tells what it learned. */
  rules: string[];
}

/** The scenario's own attack, load and prober against the daemon with its filter, to the end and a little longer. */
export function learn(scenario: Scenario, options: SimulationOptions, onProgress: (share: number) => void): Simulation {
  const simulation = Simulation.create(longEnough(scenario), 'rollback-filter', options);
  const step = (simulation.end - simulation.start) / PROGRESS_STEPS;
  for (let i = 1; simulation.run(simulation.start + Math.ceil(i * step)); i++) onProgress(simulation.progress);
  const { kernel } = simulation.router;
  simulation.router.run(kernel.clock.cycles + kernel.clock.toCycles(QUIET_NS));
  return simulation;
}

function longEnough(scenario: Scenario): Scenario {
  const [first, ...others] = scenario.attack;
  if (first.count >= LEAST_MESSAGES) return scenario;
  const more = (LEAST_MESSAGES - first.count) * first.every;
  return { ...scenario, duration: scenario.duration + more, attack: [{ ...first, count: LEAST_MESSAGES }, ...others] };
}

export function describeLearning(simulation: Simulation, oracle: Oracle): Learning {
  const run = simulation.record();
  const faults = faultTimes(run.entries, run.daemons);
  const fates = dropped(run.attacks, run.entries, run.daemons, run.hz);
  const seconds = (t: number): number => (t - run.attackStart) / run.hz;
  const first = firstRow(fates, IMMUNE_AFTER);
  const lastMiss = fates.lastIndexOf(false);
  const at = first < 0 ? 0 : run.attacks[first].sent;
  return {
    messages: fates.length,
    faults: faults.length,
    dropped: fates.filter(Boolean).length,
    immunity: first < 0 ? null : { seconds: seconds(at), faults: faults.filter((t) => t < at).length, messages: first },
    lastMiss: { message: lastMiss + 1, seconds: lastMiss < 0 ? 0 : seconds(run.attacks[lastMiss].sent) },
    blame: blame(simulation, run.entries, oracle),
    rules: linesOf(run.entries, run.daemons, 'filter ').map(({ text }) => text),
  };
}

const thaws = (entries: readonly LogEntry[], daemons: readonly string[]): LogEntry[] =>
  entries.filter((entry) => entry.what === 'checkpoint.thaw' && daemons.includes(textOf(entry.comm)));

function faultTimes(entries: readonly LogEntry[], daemons: readonly string[]): number[] {
  return entries.filter((entry) => (entry.what === 'checkpoint.thaw' || entry.what === 'process.fatal') && daemons.includes(textOf(entry.comm))).map(({ t }) => t);
}

function linesOf(entries: readonly LogEntry[], daemons: readonly string[], word: string): { t: number; text: string }[] {
  return entries.filter((entry) => entry.what === 'console.line' && daemons.some((name) => textOf(entry.text).startsWith(`${name}: ${word}`))).map((entry) => ({ t: entry.t, text: textOf(entry.text) }));
}

/**
 * For each attack message whether it was dropped. A drop or a rollback is put down to the earliest message of its length that has just been
 * sent; failing that, to the earliest that waited while the daemon hung, up to the rollback that ended it.
 */
export function dropped(attacks: readonly AttackRecord[], entries: readonly LogEntry[], daemons: readonly string[], hz: number): boolean[] {
  const fates = attacks.map((): boolean | null => null);
  const [soon, late] = [(SOON_NS * hz) / 1e9, (LATE_NS * hz) / 1e9];
  const drops = linesOf(entries, daemons, 'dropped ').map(({ t, text }) => ({ t, length: Number(/length (\d+)/.exec(text)?.[1]), dropped: true }));
  const faults = thaws(entries, daemons).map((entry) => ({ t: entry.t, length: (entry.input as { bytes: number } | undefined)?.bytes, dropped: false }));
  for (const fate of [...drops, ...faults].sort((a, b) => a.t - b.t)) {
    const open = (one: AttackRecord, i: number): boolean => fates[i] === null && one.length === fate.length && one.sent <= fate.t;
    const waited = (one: AttackRecord): boolean => fate.t - one.sent <= late && faults.some(({ t }) => t > one.sent && t <= fate.t);
    let cause = attacks.findIndex((one, i) => open(one, i) && fate.t - one.sent <= soon);
    if (cause < 0) cause = attacks.findIndex((one, i) => open(one, i) && waited(one));
    if (cause >= 0) fates[cause] = fate.dropped;
  }
  return fates.map((fate) => fate === true);
}

/** Index at which the first row of `length` trues begins; -1 = there is none. */
export function firstRow(fates: readonly boolean[], length: number): number {
  let row = 0;
  for (let i = 0; i < fates.length; i++) {
    row = fates[i] ? row + 1 : 0;
    if (row === length) return i - length + 1;
  }
  return -1;
}

function blame(simulation: Simulation, entries: readonly LogEntry[], oracle: Oracle): Blame[] {
  const inputs = datagrams(simulation, oracle.stand.serverPort);
  const labels = new Map<string, Label['harm'] | null>();
  const found = new Map<string, Blame>();
  for (const entry of entries) {
    if (entry.what !== 'checkpoint.thaw' || !simulation.daemons.includes(textOf(entry.comm))) continue;
    const [state, signal] = [Number(entry.to), Number(entry.signo)];
    const input = entry.input as { bytes: number; digest: string } | undefined;
    const key = input ? inputKey(input.digest, input.bytes) : '';
    if (!labels.has(key)) labels.set(key, judge(inputs.get(key), oracle));
    const one = found.get(`${state} ${signal}`) ?? { state, signal, rollbacks: 0, misattributed: 0, unjudged: 0 };
    one.rollbacks++;
    const harm = labels.get(key) ?? null;
    if (harm === null) one.unjudged++;
    else if (harm === 'none') one.misattributed++;
    found.set(`${state} ${signal}`, one);
  }
  return [...found.values()];
}

const judge = (bytes: Uint8Array | undefined, oracle: Oracle): Label['harm'] | null => (bytes ? oracle.label({ kind: 'blamed', bytes }).harm : null);
const inputKey = (digest: string, length: number): string => `${digest} ${length}`;

/** What clients on the attacked side sent to the router, by what the library's input record says of it. */
function datagrams(simulation: Simulation, port: number): Map<string, Uint8Array> {
  const found = new Map<string, Uint8Array>();
  for (const capture of simulation.topology.captures) {
    for (const { side, frame } of capture.frames) {
      const payload = side === SIDE_OUTSIDE ? udpPayload(frame, port) : null;
      if (payload) found.set(inputKey(hexDigits(crc32(payload), 8), payload.length), payload);
    }
  }
  return found;
}

function udpPayload(bytes: Uint8Array, port: number): Uint8Array | null {
  const frame = readEthernet(bytes);
  const datagram = typeof frame === 'string' ? frame : readIpv4(frame.payload);
  if (typeof datagram === 'string' || datagram.protocol !== IP_UDP) return null;
  const udp = readUdp(datagram.payload, datagram.source, datagram.destination);
  return typeof udp !== 'string' && udp.destinationPort === port ? udp.payload : null;
}

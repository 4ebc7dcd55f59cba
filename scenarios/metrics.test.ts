import type { LogEntry } from '../emulator/base/index.js';
import { computeMetrics, faultSpans, percentile, type RunRecord } from './metrics.js';

const MHZ = 1_000_000;
const life = (t: number, to: string, event = ''): LogEntry => ({ t: t * MHZ, what: 'daemon.state', name: 'dnsd', pid: 2, from: '', to, state: 0, event });

function run(over: Partial<RunRecord>): RunRecord {
  const sent = Array.from({ length: 10 }, (_, i) => (i + 1) * MHZ);
  return {
    hz: MHZ, start: 0, attackStart: 3 * MHZ, end: 20 * MHZ, probePeriod: MHZ, timeout: MHZ, daemons: ['dnsd'], entries: [],
    probes: { sent, answered: sent.map((t) => t + 1000), lengths: sent.map(() => 30) }, loads: [], attacks: [], injected: null, breaks: { faults: 0, copies: 0, cycles: 0 }, dns: null, dhcp: null, ...over,
  };
}

describe('metrics', () => {
  test('availability counts the probes from the first attack message on', () => {
    const probes = { sent: [1, 2, 3, 4, 5, 6].map((t) => t * MHZ), answered: [-1, -1, 3.1 * MHZ, -1, 5.1 * MHZ, 7.5 * MHZ], lengths: [] };
    const metrics = computeMetrics(run({ probes }));
    expect(metrics.availability).toBe(0.5);
    expect(metrics.requestsLost).toBe(2);
    expect(metrics.outage).toBe(2e9);
  });

  test('probes without a rate, as the datagrams of a capture, have no frame-loss length: not one of zero', () => {
    const probes = { sent: [4 * MHZ, 9 * MHZ], answered: [-1, 9.1 * MHZ], lengths: [] };
    expect(computeMetrics(run({ probes, probePeriod: 0 }))).toMatchObject({ outages: 1, outage: NaN, downLossP50: NaN, downLossP99: NaN, probeGap: NaN });
  });

  test('a probe whose timeout lies beyond the end is neither answered nor lost', () => {
    const probes = { sent: [18 * MHZ, 19.5 * MHZ], answered: [18.1 * MHZ, -1], lengths: [] };
    expect(computeMetrics(run({ probes })).availability).toBe(1);
  });

  test('a recovery lasts from the fault to the next serving; one that never came is infinite', () => {
    const entries = [life(4, 'faulted'), life(4.5, 'thawing'), life(5, 'serving'), life(8, 'faulted')];
    const metrics = computeMetrics(run({ entries }));
    expect([metrics.faults, metrics.recoveryP50, metrics.recoveryP99]).toEqual([2, 1e9, Infinity]);
  });

  test('a second fault before the daemon serves ends with the first', () => {
    const spans = faultSpans({ daemons: ['dnsd'], entries: [life(1, 'faulted'), life(1.2, 'thawing'), life(2, 'faulted'), life(3, 'serving')] });
    expect(spans.map(({ start, end }) => [start / MHZ, end / MHZ])).toEqual([[1, 3], [2, 3]]);
  });

  test('images held are the most alive at once; a freeze into a state replaces it; exit drops all', () => {
    const freeze = (t: number, descriptor: number, bytes: number): LogEntry => ({ t, what: 'checkpoint.freeze', pid: 2, comm: 'dnsd', descriptor, bytes, held: bytes / 1000, vops: 5, cycles: 580 });
    const entries = [freeze(1, 1, 1000), freeze(2, 2, 2000), freeze(3, 2, 3000), { t: 4, what: 'process.exit', pid: 2, comm: 'dnsd', status: 0 }, freeze(5, 1, 500)];
    const metrics = computeMetrics(run({ entries }));
    expect([metrics.imagesHeld, metrics.ramHeld, metrics.imageBytes, metrics.freezes, metrics.freezeVnodeOps]).toEqual([2, 3 * 4096, 3000, 4, 5]);
  });

  test('a filtered message is the attack\'s if one of that length came just before, else a false drop', () => {
    const drop = (t: number, length: number): LogEntry => ({ t, what: 'console.line', text: `dnsd: dropped box 0 length ${length}` });
    const attacks = [{ sent: 5 * MHZ, form: 'exact', length: 51 }];
    const metrics = computeMetrics(run({ attacks, entries: [drop(5.01 * MHZ, 51), drop(5.02 * MHZ, 33)] }));
    expect([metrics.filtered, metrics.falseDrops]).toEqual([1, 1]);
  });

  test('deaths are what init reports; an orderly end is none', () => {
    const line = (text: string): LogEntry => ({ t: 1, what: 'console.line', text });
    const entries = [line('init: dnsd pid 2 killed by signal 11'), line('init: dnsd pid 3 exited status 70'), line('init: dnsd pid 4 exited status 0'), line('init: dhcpd pid 5 killed by signal 11')];
    expect(computeMetrics(run({ entries })).crashes).toBe(2);
  });

  test('a loop of jumps is no hazard: the thaw took everything back', () => {
    const hazard = (kind: string): LogEntry => ({ t: 5 * MHZ, what: 'checkpoint.hazard', pid: 2, comm: 'dnsd', hazard: kind });
    expect(computeMetrics(run({ entries: ['jump-loop', 'semaphore-released', 'lock-released', 'jump-loop'].map(hazard) })).hazards).toBe(2);
  });

  test('percentiles use the nearest rank', () => {
    expect([percentile([4, 1, 3, 2], 0.5), percentile([4, 1, 3, 2], 0.99), percentile([7], 0), percentile([], 0.5)]).toEqual([2, 4, 7, NaN]);
  });
});

import { textOf } from '../../emulator/base/index.js';
import { computeMetrics, type RunRecord } from '../metrics.js';
import type { Metrics } from '../metric-names.js';
import { replayArm } from '../replay.js';
import { loadScenario, parseScenario, type Scenario } from '../scenario.js';
import { firmwareImage, Simulation } from '../simulation.js';
import { compareLogs } from '../verify.js';

const image = firmwareImage();
const base: Scenario = { ...loadScenario('dns-negative-memcpy'), attack: [], assertions: [], expectation: [], duration: 2.5e9 };

/** The firmware's dnsd with a fault instead of an attacker. */
function withFault(at: string, what: string, more = ''): Scenario {
  const { fault } = parseScenario(`schema: 1
name: f
title: f
summary: f
seed: 1
duration: 2.5s
daemons: [{ name: dnsd, program: /usr/sbin/dnsd }]
fault: [{ daemon: dnsd, start: 500ms, at: ${at}, what: ${what}${more} }]
arms: [none]
`, 'f.yaml');
  return { ...base, fault };
}

function run(scenario: Scenario, arm: 'none' | 'respawn' | 'transparent' | 'rollback-shunt' = 'none'): { record: RunRecord; metrics: Metrics; simulation: Simulation } {
  const simulation = Simulation.create(scenario, arm, { image });
  simulation.run();
  const record = simulation.record();
  return { record, metrics: computeMetrics(record), simulation };
}

describe('a fault injected into a daemon', () => {
  test('strikes after a client was heard, at the instruction asked for or the next branch, and says what it did', () => {
    const { simulation, metrics, record } = run(withFault('{ instruction: 3000 }', '{ access: 0x10 }'));
    const [strike] = simulation.faults?.strikes ?? [];
    expect(strike.words).toMatch(/^an access of 0x10, where nothing is mapped, at 0x4[0-9a-f]{5} \(dnsd\+0x[0-9a-f]+\)$/);
    expect(metrics).toMatchObject({ injected: 1, faults: 1, crashes: 1, availabilityLastThird: 0 });
    expect(record.attackStart).toBe(strike.t);
    const seconds = (strike.t - record.start) / record.hz;
    expect(seconds).toBeGreaterThan(0.5);
    expect(seconds).toBeLessThan(0.7);
  });

  test('a pointer that goes wild at the third call of memcpy faults inside it, and the verdict names the injection as the cause', () => {
    const { firstFault, verdict } = replayArm(withFault('{ symbol: memcpy, hit: 3 }', '{ wild: { register: a1, value: 0x10 } }'), 'none', { image });
    expect(verdict.outcome).toBe('crashed');
    expect(firstFault).toMatchObject({ signal: 11, address: 0x10, where: { function: 'memcpy' } });
    expect(firstFault?.injected).toMatch(/^injected fault 1: register a1 was 0x[0-9a-f]+ and became 0x10 at 0x[0-9a-f]+ \(dnsd\+/);
  });

  test('rolled back by itself or by the router, the daemon lives through every one', () => {
    const scenario = withFault('{ symbol: memcpy, hit: 3 }', '{ wild: { register: a1, value: 0x10 } }', ', every: 400ms, count: 4');
    for (const arm of ['rollback-shunt', 'transparent'] as const) {
      const { metrics } = run(scenario, arm);
      expect(metrics).toMatchObject({ injected: 4, faults: 4, crashes: 0, rollbacks: 4 });
    }
    expect(run(scenario, 'respawn').metrics).toMatchObject({ injected: 4, crashes: 4, restarts: 4 });
  });

  test('a flipped bit changes one bit of memory and nothing else that shows, where nobody looks', () => {
    const { simulation, metrics } = run(withFault('{ instruction: 100 }', '{ flip: { register: sp, offset: -4096, bit: 7 } }'));
    expect(simulation.faults?.strikes.map(({ words }) => words)).toEqual([expect.stringMatching(/^bit 7 of the word 0x7[0-9a-f]+ \(\[stack\]\+0x[0-9a-f]+\) flipped at /)]);
    expect(metrics).toMatchObject({ injected: 1, faults: 0, availability: 1 });
  });

  test('which bit of its data flips is the seed\'s choice', () => {
    const words = (seed: number): string[] => {
      const simulation = Simulation.create(withFault('{ instruction: 1 }', '{ flip: { in: data } }', ', every: 100ms, count: 5'), 'none', { image, seed, durationNs: 1.2e9 });
      simulation.run();
      return (simulation.faults?.strikes ?? []).map((one) => one.words);
    };
    const [one, other] = [words(1), words(2)];
    expect(one).toHaveLength(5);
    expect(other).toHaveLength(5);
    expect(other).not.toEqual(one);
  });

  test('slices of the host move no fault, and a saved simulation keeps those that are still to come', () => {
    const [counted, called] = [withFault('{ instruction: 4321 }', '{ access: 0x10 }', ', every: 700ms, count: 3'), withFault('{ symbol: memcpy, hit: 7 }', '{ wild: { register: a1, value: 0x10 } }', ', every: 600ms, count: 3')];
    const scenario = { ...counted, fault: [...counted.fault, ...called.fault] };
    const reference = run(scenario, 'transparent').simulation.router.log.lines();
    expect(reference.match(/fault\.inject/g)).toHaveLength(6);
    const sliced = Simulation.create(scenario, 'transparent', { image, hostSlice: 499 });
    const images = [0.3, 0.6].map((share) => {
      sliced.run(sliced.start + share * (sliced.end - sliced.start));
      return sliced.save();
    });
    sliced.run();
    expect(compareLogs(reference, sliced.router.log.lines())).toBeNull();
    for (const saved of images) {
      const loaded = Simulation.load(saved);
      loaded.run();
      expect(compareLogs(reference, loaded.router.log.lines())).toBeNull();
    }
  });

  test('what it needs and cannot have is one clear error', () => {
    expect(() => run(withFault('{ symbol: no_such_function }', '{ access: 0x10 }'))).toThrow(/no symbol no_such_function/);
    expect(() => withFault('{ instruction: 0 }', '{ access: 0x10 }')).toThrow(/fault/);
  });

  test('without an injection there is nothing of it in log and metrics', () => {
    const { simulation, metrics } = run(base);
    expect(simulation.router.log.since().some((entry) => textOf(entry.what) === 'fault.inject')).toBe(false);
    expect(metrics.injected).toBeNaN();
  });
});

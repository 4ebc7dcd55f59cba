import { mkdtempSync, readFileSync, rmSync, writeFileSync, appendFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { metricNames, type Metrics } from '../metric-names.js';
import { catalogNames, loadScenario, parseScenario, type Scenario } from '../scenario.js';
import { firmwareImage, Simulation } from '../simulation.js';
import type { ArmName } from '../arms.js';
import { imageFiles, obstacle, type Condition } from './conditions.js';
import { judgeControls } from './controls.js';
import { planSeeds, seedsFrom } from './plan.js';
import { runJob, type Job, type Run } from './run.js';
import { atRate, parseRates, spanAt } from './rate.js';
import { shown } from './seed-table.js';
import { resultDigest, summarizeSeeds, type ArmFigures } from './seeds.js';
import { identityOf, RunStore } from './store.js';
import { summarize } from './summary.js';
import { cliffOf, type SweepPoint } from './sweep.js';

const none = Object.fromEntries(metricNames.map((name) => [name, NaN])) as Metrics;
const run = (condition: Condition, arm: ArmName, seed: number, metrics: Partial<Metrics>, over: Partial<Run> = {}): Run => ({
  condition, arm, seed, rate: null, durationNs: 1e9, metrics: { ...none, faults: 0, crashes: 0, requestsLost: 0, filtered: 0, probes: 1000, availability: 1, ...metrics },
  assertions: [], cameUp: true, logFull: [], host: { wallSeconds: 1, freezeMs: null, thawMs: null }, ...over,
});
const verdicts = (runs: Run[], obstacles: Partial<Record<Condition, string>> = {}): Record<string, string> =>
  Object.fromEntries(judgeControls(runs, obstacles).map(({ condition, verdict }) => [condition, verdict]));

describe('a figure over seeds', () => {
  test('is its median and quartiles, interpolated', () => {
    expect(summarize([4, 1, 3, 2])).toEqual({ samples: 4, median: 2.5, q1: 1.75, q3: 3.25 });
    expect(summarize([7])).toEqual({ samples: 1, median: 7, q1: 7, q3: 7 });
  });

  test('may be never: a quartile that touches it is never, and nothing becomes a NaN', () => {
    expect(summarize([1, 2, Infinity])).toEqual({ samples: 3, median: 2, q1: 1.5, q3: Infinity });
    expect(summarize([Infinity, Infinity])).toEqual({ samples: 2, median: Infinity, q1: Infinity, q3: Infinity });
  });

  test('leaves out the seeds in which it does not exist', () => {
    expect(summarize([NaN, 5])).toEqual({ samples: 1, median: 5, q1: 5, q3: 5 });
    expect(summarize([NaN]).samples).toBe(0);
  });
});

describe('what is shown of an arm', () => {
  const arm = (...downs: number[]): ArmFigures => summarizeSeeds(scenario, downs.map((downP50, seed) => run('attack', 'procd', seed, { downP50, probeGap: 5e7 })), {}).arms[0];
  const scenario = loadScenario('dns-negative-memcpy');

  test('a length that exists in some seeds only says in how many; where none does, what could have been seen', () => {
    expect(shown('downP50', arm(1e9, 3e9))).toBe('2 s\n1.5 s … 2.5 s');
    expect(shown('downP50', arm(2e9, NaN, NaN))).toBe('2 s\nin 1 of 3 seeds');
    expect(shown('downP50', arm(NaN, NaN))).toBe('none above 50 ms');
  });
});

describe('the control without an attack', () => {
  test('holds when arms differ by no more than a request or than their seeds do', () => {
    expect(verdicts([run('no-attack', 'none', 1, {}), run('no-attack', 'procd', 1, { availability: 0.999, requestsLost: 1 })])['no-attack']).toBe('held');
    const noisy = [1, 2, 3, 4].flatMap((seed) => [run('no-attack', 'none', seed, { requestsLost: 10 * seed }), run('no-attack', 'procd', seed, { requestsLost: 10 * seed + 5 })]);
    expect(verdicts(noisy)['no-attack']).toBe('held');
  });

  test('fails when an arm is worse without being attacked, and when anything faults', () => {
    expect(verdicts([run('no-attack', 'none', 1, {}), run('no-attack', 'procd', 1, { availability: 0.99 })])['no-attack']).toBe('failed');
    expect(verdicts([run('no-attack', 'none', 1, {}), run('no-attack', 'procd', 1, { faults: 1 })])['no-attack']).toBe('failed');
  });
});

describe('the control with the patched daemon', () => {
  test('holds without fault and fails with one', () => {
    expect(verdicts([run('patched', 'none', 1, {})]).patched).toBe('held');
    expect(verdicts([run('patched', 'none', 1, {}), run('patched', 'none', 2, { faults: 1, crashes: 1 })]).patched).toBe('failed');
  });

  test('shows nothing when the daemon never came up', () => {
    const [control] = judgeControls([run('patched', 'none', 1, {}, { cameUp: false })], {});
    expect(control).toMatchObject({ verdict: 'failed', words: expect.stringContaining('did not come up') as string });
  });
});

describe('the control with the placebo filter', () => {
  const experiment = [run('attack', 'rollback-shunt', 1, { faults: 100 }), run('attack', 'rollback-filter', 1, { faults: 4 })];

  test('an attack that raises no fault anywhere has no placebo control; a program whose fault is its purpose may fault without an attack, in all arms alike', () => {
    const quiet = [run('attack', 'rollback-shunt', 1, { faults: 0 }), run('attack', 'rollback-filter', 1, { faults: 0 }), run('placebo', 'rollback-filter', 1, { faults: 0 })];
    expect(verdicts(quiet)).toMatchObject({ placebo: 'none' });
    const own = [run('no-attack', 'rollback-vnode', 1, { faults: 12 }), run('no-attack', 'rollback-shunt', 1, { faults: 12 })];
    expect(verdicts(own)).toMatchObject({ 'no-attack': 'failed' });
    expect(verdicts(own, { patched: 'none on the image' })).toMatchObject({ 'no-attack': 'held' });
    const apart = [run('no-attack', 'rollback-vnode', 1, { faults: 12 }), run('no-attack', 'rollback-shunt', 1, { faults: 40 })];
    expect(verdicts(apart, { patched: 'none on the image' })).toMatchObject({ 'no-attack': 'failed' });
  });

  test('holds when it faults as often as rollback alone, or dies', () => {
    expect(verdicts([...experiment, run('placebo', 'rollback-filter', 1, { faults: 98 })]).placebo).toBe('held');
    expect(verdicts([...experiment, run('placebo', 'rollback-filter', 1, { faults: 3, crashes: 1 })]).placebo).toBe('held');
  });

  test('fails when rules that match nothing help; where there was no fault to prevent there is none', () => {
    expect(verdicts([...experiment, run('placebo', 'rollback-filter', 1, { faults: 50 })]).placebo).toBe('failed');
    expect(verdicts([run('attack', 'rollback-shunt', 1, {}), run('placebo', 'rollback-filter', 1, {})]).placebo).toBe('none');
  });
});

describe('which controls a scenario can have', () => {
  const files = imageFiles(firmwareImage());
  const obstacles = (name: string): (string | null)[] => {
    const scenario = loadScenario(name);
    return (['no-attack', 'patched', 'placebo'] as const).map((condition) => obstacle(condition, scenario, files, scenario.arms));
  };

  test('all three where an SDK daemon is attacked', () => {
    expect(obstacles('dns-negative-memcpy')).toEqual([null, null, null]);
    expect(obstacles('dhcp-stack-smash')).toEqual([null, null, null]);
  });

  test("the paper's samples have no repaired build and no filter, the pipe no attack", () => {
    expect(obstacles('paper-corrupt')).toEqual([null, expect.stringContaining('/usr/bin/paper-corrupt.patched'), expect.stringContaining('has no filter')]);
    expect(obstacles('paper-pipe')).toEqual(Array.from({ length: 3 }, () => expect.stringContaining('no attack') as string));
  });

  test('every scenario says why for those it lacks, and every condition changes something', () => {
    for (const name of catalogNames()) for (const why of obstacles(name)) expect(why === null || why.length > 20).toBe(true);
  });

  test('seeds go on from the first, and round at the end', () => {
    expect(seedsFrom(7, 3)).toEqual([7, 8, 9]);
    expect(seedsFrom(0xffffffff, 2)).toEqual([0xffffffff, 0]);
  });

  test('without controls only the attack is planned; with them each arm once more, and so on, seed by seed', () => {
    const scenario = loadScenario('dns-negative-memcpy');
    expect(planSeeds(scenario, scenario.arms, [1, 2], files, false).jobs).toHaveLength(2 * scenario.arms.length);
    const { jobs } = planSeeds(scenario, scenario.arms, [1, 2], files, true);
    expect(jobs.map(({ seed }) => seed)).toEqual(jobs.map(({ seed }) => seed).sort((a, b) => a - b));
    expect(jobs.filter(({ condition, seed }) => condition !== 'attack' && seed === 1).map(({ condition, arm }) => `${condition} ${arm}`)).toEqual([
      ...scenario.arms.map((arm) => `no-attack ${arm}`), 'patched none', 'patched rollback-filter', 'placebo rollback-filter', 'no-reseed rollback-shunt',
    ]);
  });
});

describe('a short experiment on the router', () => {
  const scenario: Scenario = { ...loadScenario('dns-negative-memcpy'), duration: 3.6e9 };
  const image = firmwareImage();
  const files = imageFiles(image);
  const arms: ArmName[] = ['rollback-shunt', 'rollback-filter'];
  const { jobs, obstacles } = planSeeds(scenario, arms, [1], files, true);
  let runs: Run[] = [];
  beforeAll(() => { runs = jobs.map((job: Job) => runJob(scenario, job, image)); });

  test('all three controls hold, and without reseeding the daemon comes up', () => {
    expect(judgeControls(runs, obstacles).map(({ condition, verdict, words }) => `${condition} ${verdict} ${verdict === 'held' ? '' : words}`)).toEqual(['no-attack held ', 'patched held ', 'placebo held ']);
    expect(runs.filter(({ condition }) => condition === 'no-reseed').map(({ cameUp }) => cameUp)).toEqual([true]);
  });

  test('gives the same result from runs that were kept in a file, whatever their order there', () => {
    const folder = mkdtempSync(join(tmpdir(), 'shuntbox-store-'));
    try {
      const identity = identityOf(scenario, image, 'program');
      const store = new RunStore(join(folder, 'runs.jsonl'), scenario.name, identity);
      for (const one of [...runs].reverse()) store.add(one);
      const again = new RunStore(store.file, scenario.name, identity);
      const read = jobs.map((job) => again.get(job) as Run);
      expect(resultDigest(summarizeSeeds(scenario, read, obstacles))).toBe(resultDigest(summarizeSeeds(scenario, runs, obstacles)));
    } finally {
      rmSync(folder, { recursive: true, force: true });
    }
  });
});

describe('the file of finished runs', () => {
  let folder = '';
  beforeEach(() => { folder = mkdtempSync(join(tmpdir(), 'shuntbox-store-')); });
  afterEach(() => rmSync(folder, { recursive: true, force: true }));
  const identity = { scenario: 'a', image: 'b', program: 'c' };
  const open = (over: Partial<typeof identity> = {}): RunStore => new RunStore(join(folder, 'runs.jsonl'), 'dns', { ...identity, ...over });
  const one = run('attack', 'none', 1, { availability: 0.5, downP50: Infinity, leasesLost: NaN });

  test('gives back what was put in, never and not-a-number included', () => {
    open().add(one);
    expect(open().get(one)).toEqual(one);
    expect(open().get({ ...one, seed: 2 })).toBeUndefined();
  });

  test('a line cut short by a crash is not there, and the next one begins where it began', () => {
    open().add(one);
    const whole = readFileSync(join(folder, 'runs.jsonl'), 'utf8');
    appendFileSync(join(folder, 'runs.jsonl'), whole.slice(0, 40));
    const store = open();
    store.add({ ...one, seed: 2 });
    expect(readFileSync(join(folder, 'runs.jsonl'), 'utf8').split('\n')).toHaveLength(3);
    expect(open().get({ ...one, seed: 2 })).toBeDefined();
  });

  test.each([
    [{ scenario: 'x' }, /runs\.jsonl:1: holds a run of another version of the scenario dns; .*name another file/],
    [{ image: 'x' }, /made with another image/],
    [{ image: 'x', program: 'x' }, /made with another image and program/],
  ])('runs of anything else (%j) are refused', (over, words) => {
    open().add(one);
    expect(() => open(over)).toThrow(words);
  });

  test('a file that holds something else is left alone', () => {
    for (const text of ['precious\n', '{"schema":"shuntbox-run/1"}\n', 'precious']) {
      writeFileSync(join(folder, 'runs.jsonl'), text);
      expect(() => open()).toThrow(/runs\.jsonl:1: no run of an experiment/);
      expect(readFileSync(join(folder, 'runs.jsonl'), 'utf8')).toBe(text);
    }
  });

  test('the identity follows the scenario and its captures, not where it lies', () => {
    const scenario = loadScenario('dns-negative-memcpy');
    const moved = { ...parseScenario(readFileSync(scenario.file, 'utf8'), 'elsewhere'), folder: scenario.folder, file: 'elsewhere' };
    const image = Uint8Array.of(1);
    expect(identityOf(moved, image, 'p')).toEqual(identityOf(scenario, image, 'p'));
    expect(identityOf({ ...scenario, seed: 99 }, image, 'p').scenario).not.toBe(identityOf(scenario, image, 'p').scenario);
  });
});

describe('a sweep over attack rates', () => {
  test('takes a range, two points a decade, or a list; nothing else', () => {
    expect(parseRates('0.1..1000')).toEqual([0.1, 0.3, 1, 3, 10, 30, 100, 300, 1000]);
    expect(parseRates('10, 0.5,10')).toEqual([0.5, 10]);
    for (const text of ['', 'fast', '10..1', '0', '-1', '1,,2', '1..', '1e9', 'NaN']) expect(parseRates(text)).toBeNull();
  });

  test('spreads the rate over the attackers, until the end of the run', () => {
    const scenario = loadScenario('dns-negative-memcpy');
    const [attack] = scenario.attack;
    const two = atRate({ ...scenario, attack: [attack, attack] }, 10, 8e9);
    expect(two.attack.map(({ every, count }) => [every, count])).toEqual([[2e8, 25], [2e8, 25]]);
  });

  test('keeps the attack out of step with the prober: messages come at every moment between two probes, whatever the rate', () => {
    const scenario = loadScenario('dns-negative-memcpy');
    for (const rate of [10, 100, 300]) {
      const simulation = Simulation.create({ ...atRate(scenario, rate, 4e9), load: [], duration: 4e9 }, 'none', { image: firmwareImage() });
      simulation.run();
      const { attacks, probePeriod, start } = simulation.record();
      const least = Math.min(probePeriod, simulation.router.kernel.clock.hz / rate);
      const phases = new Set(attacks.map(({ sent }) => Math.floor((4 * ((sent - start) % least)) / least)));
      expect([rate, phases.size]).toEqual([rate, 4]);
    }
  });

  test('a run is longer where the attack would not repeat itself, shorter where it would never end, and says so', () => {
    const scenario = loadScenario('dns-negative-memcpy');
    expect(spanAt(scenario, 1)).toEqual({ durationNs: 60e9, why: null });
    expect(spanAt(scenario, 0.1)).toEqual({ durationNs: 83e9, why: expect.stringContaining('longer') as string });
    expect(spanAt(scenario, 1000)).toEqual({ durationNs: 5e9, why: expect.stringContaining('shorter') as string });
    expect(spanAt(scenario, 0.001).durationNs).toBe(600e9);
  });

  test('service ends at the lowest rate from which on it does not come back', () => {
    const point = (rate: number, share: number): SweepPoint => ({ arm: 'procd', rate, figures: { availabilityLastThird: summarize([share]) } as SweepPoint['figures'] });
    const cliff = (...shares: number[]): unknown => cliffOf('procd', shares.map((share, i) => point(10 ** i, share)));
    expect(cliff(1, 1, 0, 0)).toEqual({ arm: 'procd', serves: 10, fails: 100 });
    expect(cliff(1, 0, 1, 0)).toEqual({ arm: 'procd', serves: 100, fails: 1000 });
    expect(cliff(0, 0)).toEqual({ arm: 'procd', serves: null, fails: 1 });
    expect(cliff(1, 1)).toEqual({ arm: 'procd', serves: 10, fails: null });
  });
});

import { existsSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import fc from 'fast-check';
import { UsageError } from '../cli/errors.js';
import { firmwareImage } from '../simulation.js';
import { measureCarry } from './carry.js';
import { measureDirty, whereEqual } from './dirty.js';
import { FACTOR, mapOf, priced, threshold } from './map.js';
import { measureNative } from './native.js';
import type { Part, PartResult } from './plan.js';
import { serve, type ServicePath } from './service.js';
import { openSession, runParts } from './session.js';
import { measureSizes, type SizesResult } from './sizes.js';
import { ballastOn } from './subject.js';

const image = firmwareImage();

describe('prices', () => {
  const cost = fc.record({ rest: fc.nat(1e5), bytes: fc.nat(1e7), ops: fc.nat(500) });

  test('at the threshold the vnode path costs exactly the factor, below it less', () => {
    fc.assert(fc.property(cost, cost, fc.double({ min: 0.1, max: 100, noNaN: true }), (vnode, shunt, byte) => {
      const free = { ...shunt, ops: 0 };
      const at = threshold(vnode, free, byte);
      if (at === null) {
        expect(priced(vnode, byte, 1e9)).toBeLessThan(FACTOR * priced(free, byte, 1e9) + 1);
        return;
      }
      expect(priced(vnode, byte, at) / (FACTOR * priced(free, byte, at) || 1)).toBeGreaterThanOrEqual(at === 0 && priced(free, byte, 0) === 0 ? 0 : 1 - 1e-9);
      if (at > 0) expect(priced(vnode, byte, at * 0.9)).toBeLessThan(FACTOR * priced(free, byte, at * 0.9));
    }));
  });

  test('two lines cross between the points where they change sides; those that never do, nowhere', () => {
    expect(whereEqual([{ x: 0, y: -2 }, { x: 1, y: 2 }])).toBe(0.5);
    expect(whereEqual([{ x: 0, y: -2 }, { x: 1, y: -1 }])).toBeNull();
  });
});

describe('sweeps', () => {
  const sizes: SizesResult = measureSizes({ profile: 'rt5350', image, ramdisk: 'tmpfs', quick: true, rounds: 1, seconds: 0.0005 });

  test('device time is fixed + per segment + per byte: the fit explains it, and the bytes cost what the profile says', () => {
    for (const { key, device } of sizes.fits) {
      expect([key, (device?.r2 ?? 0) > 0.999]).toEqual([key, true]);
      if (!key.endsWith('share')) expect((device?.perByte ?? 0) * 1e9).toBeCloseTo(11.1, 0);
    }
    const of = (key: string): number => sizes.fits.find((fit) => fit.key === key)?.device?.perSegment ?? NaN;
    expect(of('vnode/fresh')).toBeGreaterThan(of('shunt/fresh'));
  });

  test('the map follows from the counts: copying alike, the shunt wins by two only where operations are dear', () => {
    const { lines } = mapOf([sizes]);
    const large = lines.filter(({ comparison }) => comparison === 'copy').at(-1);
    expect(large?.ratios.mt7628).toBeLessThan(1.1);
    expect(large?.thresholds.mt7628).toBeGreaterThan(10_000);
  });

  test('sharing costs the more the more is written, copying does not care', () => {
    const { points, crossovers } = measureDirty(ballastOn({ profile: 'mt7628', image, pool: 262144 }, 262144, '256K'), { profile: 'mt7628', ramdisk: 'tmpfs', quick: true, rounds: 0, seconds: 0.0005 });
    const breaks = (key: string): number[] => points.filter((point) => point.key === key).map((point) => point.breaks);
    expect(breaks('shunt/fresh').every((cycles) => cycles === 0)).toBe(true);
    expect(breaks('shunt/share')).toEqual([...breaks('shunt/share')].sort((a, b) => a - b));
    expect(crossovers.find(({ title }) => title === 'shunt, share the pages = shunt, copy into fresh frames')?.fraction).toBeGreaterThan(0.5);
  });
});

test('cache pays at every update, persist at the thaw; the page a persisted range gets for itself is counted', () => {
  const subject = ballastOn({ profile: 'mt7628', image }, 131072, '128K');
  const copied = measureCarry(subject, 'mt7628', 'shunt/fresh').rows;
  const shared = measureCarry(subject, 'mt7628', 'shunt/share').rows;
  for (const row of copied) {
    expect(row.cacheUpdate).toBeGreaterThan(300);
    expect(row.persistThaw).toBeCloseTo(2 * row.bytes * 2, -3);
    expect(row.crossover).toBeLessThan(2);
  }
  shared.forEach((row, i) => expect(row.persistThaw - copied[i].persistThaw).toBeGreaterThanOrEqual(4096 * 2));
});

describe('service under load', () => {
  const run = (path: ServicePath, interval: number) => serve({ path, interval, offered: 2000, state: 1 << 20, profile: 'mt7628', ramdisk: 'tmpfs' }, image);

  test('freezing a large image by copy after each request loses requests, by sharing it loses none; none of it is hidden by a patient client', () => {
    const copied = run('vnode/fresh', 1);
    const shared = run('shunt/share', 10);
    expect([shared.lost, shared.ringLost, shared.socketLost]).toEqual([0, 0, 0]);
    expect(shared.throughput).toBeGreaterThan(1900);
    expect(copied.throughput).toBeLessThan(400);
    expect(copied.lost).toBeGreaterThan(0.5);
    expect(copied.ringLost + copied.socketLost).toBeGreaterThan(100);
    expect(shared.freezes).toBeGreaterThan(80);
  });
});

describe('a run that is interrupted', () => {
  const folder = mkdtempSync(join(tmpdir(), 'shuntbox-measure-'));
  afterAll(() => rmSync(folder, { recursive: true, force: true }));
  const file = join(folder, 'out.json');
  const done: string[] = [];
  const part = (key: string, fails = false): Part => ({
    key,
    run: (): PartResult => {
      if (fails) throw new Error('interrupted');
      done.push(key);
      return { kind: 'carry', profile: 'mt7628', hz: 1, store: 'shunt/share', rows: [] };
    },
  });

  test('keeps its finished parts and goes on with the next', async () => {
    const settings = { rounds: 1 };
    await expect(runParts(openSession(file, 'here', settings), [part('a'), part('b', true)], file, () => undefined)).rejects.toThrow('interrupted');
    const resumed = openSession(file, 'here', settings);
    await runParts(resumed, [part('a'), part('b')], file, () => undefined);
    expect(done).toEqual(['a', 'b']);
    expect(Object.keys((JSON.parse(readFileSync(file, 'utf8')) as { parts: object }).parts)).toEqual(['a', 'b']);
  });

  test.each([
    ['other options', 'here', { rounds: 2 }, /begun with other options/],
    ['another host', 'there', { rounds: 1 }, /begun on another host/],
  ])('does not mix with %s', (_what, host, settings, words) => {
    expect(() => openSession(file, host, settings)).toThrow(words);
  });

  test('and not with a file that is something else', () => {
    const other = join(folder, 'other.json');
    writeFileSync(other, '{"schema": 1}');
    expect(() => openSession(other, 'here', {})).toThrow(UsageError);
    writeFileSync(other, 'x');
    expect(() => openSession(other, 'here', {})).toThrow(/is no JSON/);
  });
});

test('natively the same is measured on /dev/shm, or it is said why not, and nothing stays there', async () => {
  const { rows, skips } = await measureNative([65536], { rounds: 1, seconds: 0.001 }, []);
  if (existsSync('/dev/shm')) expect(rows.map(({ key }) => key)).toEqual(['copy', 'empty', 'new', 'inPlace', 'renamed', 'small']);
  else expect(skips).not.toEqual([]);
  for (const { seconds } of rows) expect(seconds.median).toBeGreaterThan(0);
});

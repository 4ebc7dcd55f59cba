import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { catalog, QUICK } from './catalog.js';
import { record, summarise } from './profile.js';
import { rate } from './rate.js';
import { digits, markdown, refreshed, text } from './report.js';
import type { Conditions, Outcome, Workload } from './workload.js';

const ROOT = join(__dirname, '../../');
const once: Conditions = { runs: 1, profile: false, profiles: null };
const all = catalog(ROOT, QUICK, null);

describe('every benchmark, quickly', () => {
  const inProcess = all.filter(({ name }) => !name.startsWith('start-') && name !== 'dnsmasq');

  test.each(inProcess.map((bench) => [bench.name, bench] as const))('%s', async (name, bench) => {
    const found = await bench.measure(once);
    expect(found.skipped).toBeNull();
    const names = found.figures.map((figure) => figure.name);
    expect(names).toContain('host');
    // The bare processor has no clock.
    if (name !== 'coremark-like') expect(names).toContain('virtual');
    for (const { name: whose, median } of found.figures) {
      expect(Number.isFinite(median)).toBe(true);
      // So few connections vanish in the noise of the test runner's heap.
      if (whose !== 'virtual' && !name.startsWith('memory-')) expect(median).toBeGreaterThan(0);
    }
    expect(text(found)).toContain(`${name}: `);
  }, 30_000);

  test('what needs packages says so, and how to get them', async () => {
    const dnsmasq = all.find(({ name }) => name === 'dnsmasq');
    const found = await dnsmasq?.measure(once);
    expect(found?.skipped).toMatch(/--rootfs DIR.*SHUNTBOX_DEBIAN/);
    expect(found && text(found)).toMatch(/^ {2}skipped: /m);
  });
});

const workload = (outcome: () => Partial<Outcome>, more: Partial<Workload> = {}): Workload => ({
  name: 'sample', about: 'nothing much', unit: 'pieces', prepare: () => () => ({ instructions: 1, virtualSeconds: 2, units: 10, output: 'done', ...outcome() }), ...more,
});

test('two runs that did not do the same are no measurement', async () => {
  let runs = 0;
  await expect(rate(workload(() => ({ virtualSeconds: runs++ }))).measure(once)).rejects.toThrow('two runs differ');
  await expect(rate(workload(() => ({ virtualSeconds: 1 + runs++ }), { paced: true })).measure(once)).resolves.toMatchObject({ skipped: null });
});

test("the virtual rate is by the router's clock", async () => {
  const { figures } = await rate(workload(() => ({}))).measure(once);
  expect(figures.find(({ name }) => name === 'virtual')).toMatchObject({ unit: 'pieces a second', median: 5 });
});

test('a profile says which layer the time went to', async () => {
  const coremark = catalog(ROOT, { ...QUICK, iterations: 300 }, null)[0];
  const { shares, functions } = summarise(await record(async () => { await coremark.measure(once); }));
  expect(shares.reduce((sum, { share }) => sum + share, 0)).toBeCloseTo(1);
  const interpreter = shares.find(({ layer }) => layer === 'interpreter');
  expect(interpreter?.share).toBeGreaterThan(0.1);
  expect(functions.some(({ place }) => place.startsWith('emulator/cpu/'))).toBe(true);
});

test.each([[0.123, '0.12'], [9.876, '9.88'], [12.34, '12.3'], [1234.5, '1,235'], [1234567, '1,234,567']])('%d is written %s', (value, written) => {
  expect(digits(value)).toBe(written);
});

test('the page of figures takes new ones in place of the old, and nothing else of it changes', async () => {
  const page = readFileSync(join(ROOT, 'docs/benchmarks.md'), 'utf8');
  const found = await rate(workload(() => ({}))).measure(once);
  const written = refreshed(page, markdown([found], 'here'));
  expect(written).toMatch(/\| sample \| .* pieces a second \| 5\.00 pieces a second \| - \| - \|/);
  expect(refreshed(written as string, markdown([found], 'here'))).toBe(written);
  const around = (text: string): string[] => [text.slice(0, text.indexOf('## Figures')), text.slice(text.indexOf('<!-- end of figures -->'))];
  expect(around(written as string)).toEqual(around(page));
  expect(refreshed('# another page', 'x')).toBeNull();
});

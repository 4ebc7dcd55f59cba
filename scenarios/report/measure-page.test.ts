import { execFileSync } from 'node:child_process';
import { mkdirSync } from 'node:fs';
import { join } from 'node:path';
import { measureDirty } from '../measure/dirty.js';
import type { ServiceRow } from '../measure/service.js';
import { SCHEMA, type Measurement } from '../measure/session.js';
import { measureSizes } from '../measure/sizes.js';
import { ballastOn } from '../measure/subject.js';
import { firmwareImage } from '../simulation.js';

const root = join(__dirname, '..', '..');

function measured(): Measurement {
  const image = firmwareImage();
  const quick = { quick: true, rounds: 1, seconds: 0.0005 };
  const row = (path: ServiceRow['path'], interval: number): ServiceRow => ({ path, interval, offered: 10_000, state: 4 << 20, throughput: 5000 + interval, p50: 1e-3, p99: 2e-3, lost: 0.1, ringLost: 3, socketLost: 4, freezes: 9, imageBytes: 1e6, frozen: 0.3 });
  return {
    schema: SCHEMA, host: 'a <host>', settings: { profile: 'mt7628', rounds: 1 },
    parts: {
      sizes: measureSizes({ profile: 'rt5350', image, ramdisk: 'tmpfs', ...quick }),
      dirty: measureDirty(ballastOn({ profile: 'mt7628', image, pool: 65536 }, 65536, '64K'), { profile: 'mt7628', ramdisk: 'tmpfs', ...quick }),
      service: { kind: 'service', profile: 'mt7628', ramdisk: 'tmpfs', rows: [row('none', 0), row('vnode/fresh', 10), row('vnode/fresh', 100), row('shunt/share', 10), row('shunt/share', 100)] },
    },
  };
}

/** As in page.test.ts: Observable Plot is loaded by a bundle in a process of its own. */
function drawn(measurement: Measurement): { page: string; figures: { name: string; standalone: string }[] } {
  const folder = join(root, 'node_modules', '.cache', 'shuntbox');
  mkdirSync(folder, { recursive: true });
  const entry = `import { figuresOf } from './measure/figures.js'; import { measurePage } from './report/measure-page.js'; import { readFileSync } from 'node:fs';
const measurement = JSON.parse(readFileSync(0, 'utf8')); const figures = await figuresOf(Object.values(measurement.parts));
process.stdout.write(JSON.stringify({ figures, page: measurePage(measurement, figures) }));`;
  const bundle = join(folder, 'measure-page.mjs');
  execFileSync(join(root, 'node_modules', '.bin', 'esbuild'), ['--bundle', '--platform=node', '--format=esm', '--packages=external', `--outfile=${bundle}`, '--log-level=warning'], { input: entry, cwd: join(root, 'scenarios') });
  return JSON.parse(execFileSync(process.execPath, [bundle], { input: JSON.stringify(measurement), maxBuffer: 1 << 26, encoding: 'utf8' })) as ReturnType<typeof drawn>;
}

test('figures and page come of the results: the fit in the legend, colours written out, nothing loaded, nothing undefined', () => {
  const { page, figures } = drawn(measured());
  expect(figures.map(({ name }) => name)).toEqual(['cost', 'ratio', 'map', 'service']);
  expect(figures[0].standalone).toMatch(/shunt, share the pages[\s\S]*\/segment[\s\S]*R²/);
  for (const { standalone } of figures) expect(standalone).not.toMatch(/var\(|NaN|undefined|>null</);
  for (const { standalone } of figures) expect((standalone.match(/<path/g) ?? []).length).toBeGreaterThan(1);
  expect(page).toContain('a &#60;host&#62;');
  expect(page).not.toMatch(/NaN|undefined|src=|url\(/);
  expect(page.match(/<h2>/g)?.length).toBe(8);
});

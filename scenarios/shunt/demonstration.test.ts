import { ballast, daemon } from '../measure/subject.js';
import { measureSubject } from '../measure/measurement.js';
import { firmwareImage } from '../simulation.js';
import { demonstrate } from './demonstration.js';
import { narrate, plain } from './narrative.js';

const image = firmwareImage();

test('a daemon frozen both ways comes back the same, and the shunt used no vnode', () => {
  const shown = demonstrate(daemon('mt7628', image, 'dnsd'), 'share');
  expect(shown.holds).toBe(true);
  expect(shown.frozen.vnode.vnodeOps).toBeGreaterThan(0);
  expect([shown.frozen.shunt.vnodeOps, shown.thawed.shunt.vnodeOps]).toEqual([0, 0]);
  expect(shown.frozen.vnode.steps.length).toBe(shown.frozen.vnode.vnodeOps);
  expect(shown.breaks.pages).toBeGreaterThan(0);
  expect(narrate(shown, plain)).toContain('Both ways restore the same state.');
});

test.each(['copy', 'pool'] as const)('so does one whose pages are copied (%s)', (mode) => {
  const shown = demonstrate(ballast('mt7628', image, 65536, '64K'), mode);
  expect(shown.holds).toBe(true);
  expect(shown.frozen.shunt.copiedBytes).toBeGreaterThan(65536);
});

test('what one takes for a failed proof is reported as one', () => {
  const shown = demonstrate(ballast('mt7628', image, 4096, '4K'), 'copy');
  const broken = { ...shown, holds: false, digests: { ...shown.digests, shunt: shown.digests.flipped } };
  expect(narrate(broken, plain)).toMatch(/from RAM .* DIFFERENT/);
});

test('every rung of the ladder leaves the process and the RAM as they were, and the shunt rungs use no vnode', () => {
  const result = measureSubject(ballast('mt7628', image, 65536, '64K'), { rounds: 1, seconds: 0.002 });
  const byKey = new Map(result.rungs.map((rung) => [rung.key, rung]));
  for (const key of ['floor', 'references', 'share', 'share-touched', 'pool', 'copy', 'thaw-share', 'thaw-pool', 'thaw-copy']) expect(byKey.get(key)?.modelled.vnodeOps).toBe(0);
  const vops = (key: string): number => byKey.get(key)?.modelled.vnodeOps ?? 0;
  expect(vops('vnode-4k')).toBeGreaterThan(vops('vnode-new') + 10);
  expect(byKey.get('share-touched')?.modelled.laterCopiedBytes).toBeGreaterThanOrEqual(65536);
});

import { ballast, daemon } from '../measure/subject.js';
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

import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { ballast, ballastOn, daemon, programOn } from '../measure/subject.js';
import { firmwareImage } from '../simulation.js';
import { demonstrate } from './demonstration.js';
import { narrate, plain, stages, stageText } from './narrative.js';
import { stepThrough } from './steps.js';

const image = firmwareImage();

test('a daemon frozen both ways comes back the same, and the shunt used no vnode', () => {
  const shown = demonstrate(daemon('mt7628', image, 'dnsd'), { mode: 'share', dirty: 0.5, mostImages: 20 });
  expect(shown.holds).toBe(true);
  expect(shown.frozen.vnode.vnodeOps).toBeGreaterThan(0);
  expect([shown.frozen.shunt.vnodeOps, shown.thawed.shunt.vnodeOps]).toEqual([0, 0]);
  expect(shown.frozen.vnode.steps.length).toBe(shown.frozen.vnode.vnodeOps);
  expect(shown.breaks.pages).toBeGreaterThan(0);
  expect(narrate(shown, plain)).toContain('Both ways restore the same state.');
  expect(narrate({ ...shown, breaks: { ...shown.breaks, pages: 1 } }, plain)).toMatch(/^ +1 page breaks, /m);
});

test('the lines of a passage add up to the whole', () => {
  const { frozen, thawed } = demonstrate(ballast('mt7628', image, 65536, '64K'), { mode: 'share', dirty: 0, mostImages: 20 });
  for (const one of [frozen.vnode, frozen.shunt, thawed.vnode, thawed.shunt]) {
    const parts = [one.before, ...one.steps, one.after];
    expect(parts.reduce((sum, part) => sum + part.cycles, one.checksumCycles)).toBeCloseTo(one.cycles, 6);
    expect(parts.reduce((sum, part) => sum + part.copiedBytes, 0)).toBe(one.copiedBytes);
  }
  const writes = frozen.vnode.steps.filter(({ op }) => op === 'write');
  for (const { detail, copiedBytes } of writes) expect(copiedBytes).toBe(detail);
});

test('what the process writes after a freeze breaks shared pages, and only as many as it wrote', () => {
  const { dirtied } = demonstrate(ballast('mt7628', image, 1 << 20, '1M'), { mode: 'share', dirty: 0.25, mostImages: 20 });
  expect(dirtied.pages).toBe(Math.round(0.25 * dirtied.of));
  expect([dirtied.breaks.pages, dirtied.breaks.bytes]).toEqual([dirtied.pages, dirtied.pages * 4096]);
  expect(dirtied.again.shunt.vnodeOps).toBe(0);
});

test('a thaw that shares is not shown as free: what its pages cost when they are written is beside it, and nothing where they were copied', () => {
  const shared = demonstrate(ballast('mt7628', image, 65536, '64K'), { mode: 'share', dirty: 0, mostImages: 20 });
  expect([shared.sharedAgain.pages, shared.sharedAgain.bytes]).toEqual([shared.dirtied.of, shared.dirtied.of * 4096]);
  expect(narrate(shared, plain)).toContain(`if all are written ${shared.dirtied.of} pages break`);
  const copied = demonstrate(ballast('mt7628', image, 65536, '64K'), { mode: 'copy', dirty: 0, mostImages: 20 });
  expect(copied.sharedAgain.pages).toBe(0);
  expect(narrate(copied, plain)).not.toContain('shared again');
});

test('both ways are filled until the device refuses, and all its RAM comes back', () => {
  const subject = ballast('mt7628', image, 1 << 20, '1M');
  const free = subject.router.kernel.ram.free();
  const shown = demonstrate(subject, { mode: 'copy', dirty: 1 });
  expect([shown.capacity.vnode.stoppedBy, shown.capacity.shunt.stoppedBy]).toEqual(['ENOSPC', 'ENOMEM']);
  expect(shown.capacity.shunt.images).toBeGreaterThan(shown.capacity.vnode.images);
  expect(shown.capacity.shunt.held / shown.capacity.shunt.images).toBeGreaterThan(1 << 20);
  expect(subject.router.kernel.ram.free()).toBeGreaterThanOrEqual(free - 1);
});

test('a program of the user is frozen where it waits; one that ends first is refused', () => {
  const read = (path: string): Uint8Array => readFileSync(join(__dirname, '../..', path));
  const shown = demonstrate(programOn({ profile: 'mt7628', image }, read('router-firmware/bin/paper-read-loop'), 'reader', []), { mode: 'share', dirty: 0.1, mostImages: 20 });
  expect([shown.subject, shown.holds]).toEqual(['reader', true]);
  expect(() => programOn({ profile: 'mt7628', image }, read('test/guest/bin/hello'), 'hello', [])).toThrow('ended before it waited');
});

describe('step by step', () => {
  const shown = demonstrate(ballast('mt7628', image, 65536, '64K'), { mode: 'share', dirty: 0.1, mostImages: 20 });
  const typed = (...lines: string[]): { ended: boolean; text: string } => {
    let text = '';
    const ended = stepThrough(shown, plain, { write: (part) => { text += part; }, readLine: () => lines.shift() ?? null });
    return { ended, text };
  };

  test('every question comes before its answer, and the parts are those of the whole', () => {
    const { ended, text } = typed('', '', '', '', '', '', '', '');
    expect(ended).toBe(true);
    for (const [i, stage] of stages(shown, plain).entries()) expect(text.indexOf(stage.question)).toBeLessThan(text.indexOf(stageText(stage, i + 1, plain)));
    expect(text).toContain('vnode operations 0');
  });

  test('q ends it, and so nothing more is shown; input that ends goes on to the end', () => {
    const { ended, text } = typed('', 'q');
    expect(ended).toBe(false);
    expect(text).not.toContain(stages(shown, plain)[1].title);
    expect(typed().text).toContain('Both ways restore the same state.');
  });
});

test.each(['copy', 'pool'] as const)('so does one whose pages are copied (%s)', (mode) => {
  const shown = demonstrate(ballast('mt7628', image, 65536, '64K'), { mode, dirty: 1, mostImages: 20 });
  expect(shown.holds).toBe(true);
  expect(shown.frozen.shunt.copiedBytes).toBeGreaterThan(65536);
});

test('on the block device a file is copied twice, and the proof holds', () => {
  const shown = demonstrate(ballastOn({ profile: 'mt7628', image, ramdisk: 'block' }, 1 << 20, '1M'), { mode: 'share', dirty: 0.1, mostImages: 20 });
  expect(shown.holds).toBe(true);
  expect(shown.frozen.vnode.copiedBytes).toBeGreaterThan(2 << 20);
  expect(shown.frozen.shunt.vnodeOps).toBe(0);
});

test('what one takes for a failed proof is reported as one', () => {
  const shown = demonstrate(ballast('mt7628', image, 4096, '4K'), { mode: 'copy', dirty: 1, mostImages: 20 });
  const broken = { ...shown, holds: false, digests: { ...shown.digests, shunt: shown.digests.flipped } };
  expect(narrate(broken, plain)).toMatch(/from RAM .* DIFFERENT/);
});

import { firmwareImage } from '../simulation.js';
import { cellKey, cells, extras, paths, transfers } from './cell.js';
import { measureFactorial, type FactorialResult } from './factorial.js';
import { copiedBytes, modelRung, vnodeOps, type Modelled } from './model.js';
import { cellRung, checkpointsLeft, floorRung, Refused, writablePages, writtenRung } from './rungs.js';
import { measureRungs } from './measurement.js';
import { ballastOn, cutIntoSegments, imageSegments, ramdisks } from './subject.js';

const image = firmwareImage();
const BYTES = 65536;
/** All cells, the floor, references, small writes, the written ones; and the thaws with theirs. */
const LADDER = cells.length + 3 + paths.length + 1 + paths.length * transfers.length;
const results = new Map<string, FactorialResult>();

/** The factorial of a small process, once a ramdisk. */
function factorial(ramdisk: (typeof ramdisks)[number]): FactorialResult {
  const known = results.get(ramdisk);
  if (known) return known;
  const subject = ballastOn({ profile: 'mt7628', image, ramdisk, pool: 4 * BYTES }, BYTES, '64K');
  const result = measureFactorial(subject, { profile: 'mt7628', ramdisk }, { rounds: 1, seconds: 0.001 });
  results.set(ramdisk, result);
  return result;
}

const modelledOf = (result: FactorialResult, key: string): Modelled => {
  const rung = result.rungs.find((one) => one.key === key);
  if (!rung) throw new Error(`no rung ${key}`);
  return rung.modelled;
};

test('the factorial has every combination of path, transfer and extra, each once', () => {
  const keys = cells.map(cellKey);
  expect(new Set(keys).size).toBe(paths.length * transfers.length * extras.length);
  expect(keys).toEqual(expect.arrayContaining(['vnode/fresh', 'vnode/reused+atomic', 'vnode/share+export', 'shunt/share+checksum', 'shunt/reused']));
});

describe.each([...ramdisks])('on %s', (ramdisk) => {
  /** The pages of a process cannot become blocks of a device: those combinations are there, and refused. */
  const possible = cells.filter(({ path, transfer }) => !(ramdisk === 'block' && path === 'vnode' && transfer === 'share'));

  test('every combination is measured, frozen and thawed, or refused because no page can become a block', () => {
    const { rungs, refused } = factorial(ramdisk);
    expect(refused.filter(({ errno }) => errno !== 'EOPNOTSUPP')).toEqual([]);
    expect(new Set([...rungs, ...refused].map(({ key }) => key)).size).toBe(LADDER);
    expect(refused.length).toBe(ramdisk === 'block' ? extras.length + 2 : 0);
    for (const cell of possible) {
      expect(rungs.some(({ key, host }) => key === cellKey(cell) && host.median > 0)).toBe(true);
      if (cell.extra === 'plain') expect(rungs.some(({ key }) => key === `thaw:${cellKey(cell)}`)).toBe(true);
    }
  });

  test('the shunt uses no vnode, freezing or thawing, whatever is on besides; only an export does', () => {
    const result = factorial(ramdisk);
    for (const cell of possible) {
      const ops = vnodeOps(modelledOf(result, cellKey(cell)).act);
      if (cell.path === 'shunt' && cell.extra !== 'export') expect([cellKey(cell), ops]).toEqual([cellKey(cell), 0]);
      else expect(ops).toBeGreaterThan(0);
      if (cell.extra === 'plain') expect(vnodeOps(modelledOf(result, `thaw:${cellKey(cell)}`).act) > 0).toBe(cell.path === 'vnode');
    }
  });

  test('what is copied is what the transfer says: the pages, or next to nothing and the pages later', () => {
    const result = factorial(ramdisk);
    for (const cell of possible.filter(({ extra }) => extra === 'plain')) {
      const { act, dirty } = modelledOf(result, cellKey(cell));
      const [now, later] = [copiedBytes(act), copiedBytes(dirty)];
      if (cell.transfer === 'share') expect([now < BYTES / 2, later >= BYTES]).toEqual([true, true]);
      else expect([now >= BYTES, later]).toEqual([true, 0]);
    }
  });

  test('a checksum costs the same cycles a byte on both paths, and is off unless asked for', () => {
    const result = factorial(ramdisk);
    for (const cell of possible) {
      const summed = modelledOf(result, cellKey(cell)).act.counts['checksum.bytes'] ?? 0;
      expect([cellKey(cell), summed >= BYTES]).toEqual([cellKey(cell), cell.extra === 'checksum']);
    }
  });

  test('an atomic replacement by a file is more than overwriting it, and leaves a whole image meanwhile', () => {
    const result = factorial(ramdisk);
    const counts = (key: string): Record<string, number> => modelledOf(result, key).act.counts;
    expect(counts('vnode/fresh+atomic')['vop.rename']).toBe(1);
    expect(counts('vnode/fresh')['vop.rename']).toBeUndefined();
    expect(counts('vnode/reused+atomic')['vop.rename']).toBeUndefined();
    expect(counts('vnode/reused')['vop.create']).toBeUndefined();
  });
});

test('through a buffer cache to a block device every byte is copied twice', () => {
  const ratio = copiedBytes(modelledOf(factorial('block'), 'vnode/fresh').act) / copiedBytes(modelledOf(factorial('tmpfs'), 'vnode/fresh').act);
  expect(ratio).toBeGreaterThan(1.9);
});

test('the smaller rungs stand where they should: references below sharing below the copy, small writes with an operation a page', () => {
  const result = factorial('tmpfs');
  const cycles = (key: string): number => modelledOf(result, key).act.cycles;
  expect(cycles('references')).toBeLessThan(cycles('shunt/share'));
  expect(cycles('shunt/share')).toBeLessThan(cycles('floor'));
  expect(vnodeOps(modelledOf(result, 'vnode/fresh:4k').act)).toBeGreaterThan(vnodeOps(modelledOf(result, 'vnode/fresh').act) + 10);
});

test('what if only some of the pages are written? As many break, spread evenly', () => {
  const subject = ballastOn({ profile: 'mt7628', image, pool: BYTES }, BYTES, '64K');
  const share = cells.find((cell) => cellKey(cell) === 'shunt/share');
  if (!share) throw new Error('no such cell');
  const breaks = [0, 0.25, 0.5, 1].map((fraction) => modelRung(subject, cellRung(subject, share), fraction).dirty.counts['cow.copy'] ?? 0);
  expect(breaks[3]).toBe(writablePages(subject));
  expect(breaks[0]).toBe(0);
  expect(breaks[2]).toBe(Math.floor(breaks[3] / 2));
  expect(breaks[1]).toBe(Math.floor(breaks[3] / 4));
  expect(checkpointsLeft(subject)).toBe(0);
});

test('a device without room refuses a rung with its errno, and goes on with the next', () => {
  const subject = ballastOn({ profile: 'mt7628', image }, BYTES, '64K');
  const pool = cells.find((cell) => cellKey(cell) === 'shunt/reused');
  if (!pool) throw new Error('no such cell');
  const { rungs, refused } = measureRungs(subject, [floorRung(subject), writtenRung(subject, pool, 1)], { rounds: 1, seconds: 0.001 });
  expect(rungs.map(({ key }) => key)).toEqual(['floor']);
  expect(refused).toMatchObject([{ key: 'shunt/reused:1', errno: 'ENOSPC' }]);
  expect(new Refused('x', 'ENOSPC').message).toBe('x: ENOSPC');
});

test('what if a rung fits once and then no more? It is given up with its errno, and the others are measured', () => {
  const subject = ballastOn({ profile: 'mt7628', image }, BYTES, '64K');
  let acts = 0;
  const fickle = { ...floorRung(subject), key: 'fickle', title: 'fickle', act: (): void => { if (++acts > 1) throw new Refused('fickle', 'ENOMEM'); } };
  const { rungs, refused } = measureRungs(subject, [floorRung(subject), fickle], { rounds: 2, seconds: 0.001 });
  expect(rungs.map(({ key }) => key)).toEqual(['floor']);
  expect(refused).toEqual([{ key: 'fickle', title: 'fickle', errno: 'ENOMEM' }]);
});

test('a process can be cut into segments, each of which the file path writes by itself', () => {
  const subject = ballastOn({ profile: 'mt7628', image, pool: BYTES }, BYTES, '64K');
  const before = imageSegments(subject);
  cutIntoSegments(subject, 8);
  expect(imageSegments(subject)).toBe(before + 7);
});

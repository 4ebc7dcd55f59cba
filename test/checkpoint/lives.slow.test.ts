import { ways } from './completeness.js';
import { everyPoint, inTurn, roles, thawAgain } from './lives.js';

test.each(roles)('frozen at every point of its connections\' lives and thawed when they have gone on (%s)', (role) => {
  const { points, failures } = everyPoint(role, inTurn(ways, 2));
  expect(failures).toEqual([]);
  expect(points).toBeGreaterThan(200);
});

test.each(roles)('the same with the file on a block device (%s)', (role) => {
  const [vnode] = ways;
  const { failures } = everyPoint(role, inTurn([{ ...vnode, ramdisk: 'block' }], 1), { step: 10, ramdisk: 'block' });
  expect(failures).toEqual([]);
});

test.each(ways)('a listener under load goes on accepting, thawed again and again ($name)', (way) => {
  for (const role of ['level', 'edge', 'threads', 'blocking'] as const) expect([role, thawAgain(role, way, 25)]).toEqual([role, null]);
});

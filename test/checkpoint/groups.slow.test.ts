import { torment } from './pools.js';

test('pools tormented in many ways serve, stop and leave nothing behind', () => {
  const outcomes = Array.from({ length: 24 }, (_, seed) => torment(seed));
  expect(outcomes.flatMap(({ problems }) => problems)).toEqual([]);
  const sum = (what: 'faults' | 'revived'): number => outcomes.reduce((total, one) => total + one[what], 0);
  // Something was tried.
  expect(sum('faults')).toBeGreaterThan(300);
  expect(sum('revived')).toBeGreaterThan(20);
  console.log(`points tried: ${sum('faults')} faults in pools, ${sum('revived')} workers brought back`);
}, 300_000);

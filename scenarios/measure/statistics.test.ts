import { timeRungs } from './harness.js';
import { quantile, ratios, summarize } from './statistics.js';

test('quartiles interpolate between the closest ranks', () => {
  expect(summarize([4, 1, 3, 2])).toEqual({ samples: 4, median: 2.5, q1: 1.75, q3: 3.25 });
  expect(quantile([7], 0.9)).toBe(7);
});

test('ratios are taken round by round, so a common drift cancels', () => {
  expect(ratios([2, 20, 200], [1, 10, 100])).toEqual([2, 2, 2]);
});

test('a rung that throws is an error, not a fast result', () => {
  const broken = { name: 'broken', run: (): void => { throw new Error('no room'); } };
  expect(() => timeRungs([broken], { rounds: 1, seconds: 0.01 })).toThrow('no room');
});

test('twice the work takes about twice the time', () => {
  const spin = (turns: number) => ({ name: String(turns), run: (): void => { let sum = 0; for (let i = 0; i < turns; i++) sum = (sum + i) | 0; if (sum === 1) throw new Error(); } });
  const [short, long] = timeRungs([spin(20_000), spin(80_000)], { rounds: 3, seconds: 0.02 });
  expect(summarize(ratios(long, short)).median).toBeGreaterThan(2);
});

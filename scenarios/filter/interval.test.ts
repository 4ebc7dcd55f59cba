import fc from 'fast-check';
import { wilson } from './interval.js';

describe("Wilson's interval", () => {
  // Newcombe, Statistics in Medicine 17 (1998), table I, method 3.
  test.each([[81, 263, 0.2553, 0.3662], [15, 148, 0.0624, 0.1605], [0, 20, 0, 0.1611], [1, 29, 0.0061, 0.1718]])('%i of %i', (count, of, low, high) => {
    const interval = wilson(count, of);
    expect(interval.low).toBeCloseTo(low, 4);
    expect(interval.high).toBeCloseTo(high, 4);
  });

  test('holds its share, stays within 0 and 1, and mirrors', () => {
    fc.assert(fc.property(fc.integer({ min: 1, max: 20_000 }), fc.nat(), (of, n) => {
      const count = n % (of + 1);
      const { share, low, high } = wilson(count, of);
      const mirror = wilson(of - count, of);
      expect(low >= 0 && low <= share && share <= high && high <= 1).toBe(true);
      expect(mirror.low).toBeCloseTo(1 - high, 10);
    }));
  });

  test('of nothing says nothing', () => {
    expect(wilson(0, 0)).toEqual({ count: 0, of: 0, share: NaN, low: 0, high: 1 });
  });
});

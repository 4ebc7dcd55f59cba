import fc from 'fast-check';
import { fitCost, fitted, type FitPoint } from './fit.js';

const grid = (y: (segments: number, bytes: number) => number): FitPoint[] =>
  [1, 8, 32].flatMap((segments) => [16, 18, 20, 22, 24].map((power) => ({ segments, bytes: 2 ** power, y: y(segments, 2 ** power) })));

const coefficients = fc.record({
  fixed: fc.double({ min: 10, max: 1e5, noNaN: true }),
  perSegment: fc.double({ min: 10, max: 1e4, noNaN: true }),
  perByte: fc.double({ min: 0.01, max: 20, noNaN: true }),
});

test('known coefficients are found again', () => {
  fc.assert(fc.property(coefficients, ({ fixed, perSegment, perByte }) => {
    const fit = fitCost(grid((segments, bytes) => fixed + perSegment * segments + perByte * bytes));
    expect(fit?.fixed).toBeCloseTo(fixed, 2);
    expect(fit?.perSegment).toBeCloseTo(perSegment, 2);
    expect(fit?.perByte).toBeCloseTo(perByte, 6);
    expect(fit?.r2).toBeCloseTo(1, 9);
    expect(fit?.worst).toBeLessThan(1e-6);
  }));
});

test('with 5 % of noise the price of a byte is still within 10 %', () => {
  fc.assert(fc.property(coefficients, fc.array(fc.double({ min: 0.95, max: 1.05, noNaN: true }), { minLength: 15, maxLength: 15 }), ({ fixed, perSegment, perByte }, noise) => {
    const fit = fitCost(grid((segments, bytes) => fixed + perSegment * segments + perByte * bytes).map((point, i) => ({ ...point, y: point.y * noise[i] })));
    const largest = perByte * 2 ** 24;
    // Only where the bytes dominate somewhere: what the fixed part hides cannot be told.
    if (largest > 20 * (fixed + 32 * perSegment)) expect(Math.abs((fit?.perByte ?? 0) / perByte - 1)).toBeLessThan(0.1);
    expect(fit?.worst).toBeLessThan(0.25);
  }));
});

test('no term is negative, even where a plain least square would make it so', () => {
  fc.assert(fc.property(fc.array(fc.double({ min: 1, max: 1e6, noNaN: true }), { minLength: 15, maxLength: 15 }), (ys) => {
    let i = 0;
    const fit = fitCost(grid(() => ys[i++]));
    expect(Math.min(fit?.fixed ?? -1, fit?.perSegment ?? -1, fit?.perByte ?? -1)).toBeGreaterThanOrEqual(0);
  }));
});

test('what if the number of segments never varied? Its price is not made up', () => {
  const fit = fitCost([1, 2, 3, 4].map((k) => ({ segments: 5, bytes: k * 1e6, y: 1000 + 2 * k * 1e6 })));
  expect(fitted(fit as NonNullable<typeof fit>, 5, 2.5e6)).toBeCloseTo(5_001_000, 0);
});

test('two points are no fit', () => {
  expect(fitCost([{ segments: 1, bytes: 1, y: 1 }, { segments: 2, bytes: 2, y: 2 }])).toBeNull();
});

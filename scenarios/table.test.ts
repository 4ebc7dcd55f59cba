import { arms, type ArmName } from './arms.js';
import { metricNames, type Metrics } from './metric-names.js';
import type { ArmResult } from './replay.js';
import { resultTable } from './table.js';

const names: ArmName[] = ['none', 'respawn', 'procd', 'rollback-vnode', 'rollback-shunt', 'rollback-filter', 'transparent'];

/** Each arm's figures are unlike the others', so that a lost column is noticed. */
const results = names.map((arm, i) => ({
  arm, metrics: { ...Object.fromEntries(metricNames.map((name) => [name, 1])), requestsLost: 1000 + i, crashes: 2000 + i } as unknown as Metrics,
  hostFreezeMs: null, hostThawMs: null, virtualSeconds: 60, wallSeconds: 1,
})) as unknown as ArmResult[];

const table = (columns?: number): string[] => resultTable({ arms: results }, false, columns).split('\n');
const heads = (lines: readonly string[]): number => lines.filter((line) => line.startsWith('┌')).length;

describe('the table of arms', () => {
  test('is one table where nobody says how wide the terminal is', () => {
    const lines = table();
    expect(heads(lines)).toBe(1);
    expect(new Set(lines.map((line) => line.length)).size).toBe(1);
    for (const name of names) expect(lines[1]).toContain(arms[name].title);
  });

  test.each([[200, 1], [130, 1], [80, 2], [60, 4]])('fits a terminal of %i columns in %i tables that lack no arm and no figure', (columns, count) => {
    const lines = table(columns);
    expect(heads(lines)).toBe(count);
    expect(Math.max(...lines.map((line) => line.length))).toBeLessThanOrEqual(columns);
    for (let i = 0; i < names.length; i++) for (const base of [1000, 2000]) expect(lines.join()).toContain(String(base + i));
    for (const words of new Set(names.flatMap((name) => arms[name].title.split(' ')))) expect(lines.join()).toContain(words);
  });

  test('is as narrow as it can be, and no more, where not even one arm fits', () => {
    expect(heads(table(10))).toBe(names.length);
  });

  test('has lines between its groups only', () => {
    const lines = table();
    const ruled = lines.filter((line) => line.startsWith('├')).length;
    expect(lines.length).toBeGreaterThan(2 * ruled);
    expect(lines.join('\n')).toMatch(/├─+┴[^\n]*\n│ FAULTS +│\n├─+┬/);
  });
});

import { checkAssertions, checkConsoles, compareOrder } from './judgement.js';
import { metricNames, type Metrics } from './metric-names.js';

const metrics = (over: Partial<Metrics>): Metrics => ({ ...Object.fromEntries(metricNames.map((name) => [name, 0])), ...over }) as Metrics;

describe('judging a run', () => {
  const results = { none: metrics({ availability: 0.03, recoveryP50: Infinity }), procd: metrics({ availability: 0.4 }), 'rollback-shunt': metrics({ availability: 0.995, recoveryP50: 1e6 }), 'rollback-vnode': metrics({ availability: 1, recoveryP50: 2e6 }) };

  test('each demand of an assertion is checked; arms that were not run are left out', () => {
    const checked = checkAssertions([{ arm: 'none', metric: 'availability', atMost: 0.05, atLeast: 0.04 }, { arm: 'respawn', metric: 'crashes', equals: 1 }], results);
    expect(checked.map(({ demand, held }) => [demand, held])).toEqual([['>= 4 %', false], ['<= 5 %', true]]);
  });

  test('a console assertion wants the whole line', () => {
    const assertions = [{ arm: 'none' as const, console: 'end 2' }];
    expect(checkConsoles(assertions, { none: 'start\nend 2\n' })[0].held).toBe(true);
    expect(checkConsoles(assertions, { none: 'the end 2\n' })[0].held).toBe(false);
  });

  test('an order that holds agrees, ties within the tolerance included', () => {
    const found = compareOrder({ metric: 'availability', order: [['rollback-vnode', 'rollback-shunt'], ['procd'], ['none']], within: 0.01, why: 'w' }, results);
    expect(found).toMatchObject({ agrees: true, disagreements: [], found: [['rollback-vnode', 'rollback-shunt'], ['procd'], ['none']] });
  });

  test('an order that does not hold says which pair disagrees and keeps what was found', () => {
    const found = compareOrder({ metric: 'recoveryP50', order: [['rollback-vnode'], ['rollback-shunt'], ['none']], within: 0.01, why: 'w' }, results);
    expect(found.agrees).toBe(false);
    expect(found.disagreements).toEqual(['expected the first to be better: rollback, vnodes (2 ms) and rollback, shunt (1 ms)']);
    expect(found.found).toEqual([['rollback-shunt'], ['rollback-vnode'], ['none']]);
  });
});

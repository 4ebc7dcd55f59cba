import { Savepoint } from '../../emulator/base/index.js';
import { defaultGuard } from '../../emulator/checkpoint/index.js';
import { ways } from './completeness.js';
import { beginLife, everyPoint, inTurn, nextPoint, thawAgain, tryHere, type Life, type Trial } from './lives.js';

const [vnode, copy, , share] = ways;

test.each(['edge', 'threads', 'client', 'companions'] as const)('frozen at some points of its life and thawed when the world has gone on (%s)', (role) => {
  const { points, failures } = everyPoint(role, inTurn(ways, 1), { step: 31 });
  expect(failures).toEqual([]);
  expect(points).toBeGreaterThan(5);
});

test('a listener under load goes on accepting, thawed again and again', () => {
  expect(thawAgain('edge', share, 9)).toBeNull();
});

test.each(['level', 'edge'] as const)('a guarded server that faults: what was begun since its freeze is reset, what was not touched goes on (%s)', (role) => {
  const { scene, process } = beginLife(role, 'tmpfs', { ...defaultGuard, intervalNs: 5e9, daemons: ['connections'] });
  scene.runUntil(() => scene.over, 60);
  scene.run(5e9);
  const quiet = scene.call({ kind: 'd', id: 30, length: 400, manner: 'late' }, 0);
  // Input of this one makes the freeze due.
  const before = scene.call({ kind: 'k', id: 31, length: 400 }, 20e6);
  const half = scene.call({ kind: 'u', id: 32, length: 3000, manner: 'halting' }, 30e6);
  const fault = scene.call({ kind: '!', id: 33, length: 1 }, 50e6);
  const later = scene.call({ kind: 'u', id: 34, length: 900 }, 100e6);
  expect(scene.runUntil(() => scene.over, 60)).toBe(true);
  expect(process.state).toBe('alive');
  const outcomes = [quiet, before, half, fault, later].map(({ outcome, wrong }) => [outcome, wrong]);
  expect(outcomes).toEqual([['complete', -1], ['complete', -1], ['reset', -1], ['reset', -1], ['complete', -1]]);
});

/** All that can be told of a life. */
function story({ scene, stdout }: Life): object {
  return { log: scene.kernel.log.lines(), callers: scene.callers.map((caller) => caller.text), end: scene.kernel.clock.cycles, stdout };
}

test('the same freeze and thaw give the same log, also when the machine is saved and loaded before each of them', () => {
  const life = beginLife('threads');
  for (let point = 0; point < 120; point++) nextPoint(life);
  const here = new Savepoint(life.scene);
  for (const way of [vnode, copy]) {
    const trial: Trial = { way, reset: true, meanwhile: 'later' };
    const stories = [false, false, true].map((reloads) => {
      const { failure, life: lived } = tryHere(life, { ...trial, reloads });
      const told = { failure, ...story(lived) };
      here.restore();
      return told;
    });
    expect(stories[0]).toMatchObject({ failure: null, log: expect.stringContaining('checkpoint.thaw') as string });
    expect(stories[1]).toEqual(stories[0]);
    expect(stories[2]).toEqual(stories[0]);
  }
});

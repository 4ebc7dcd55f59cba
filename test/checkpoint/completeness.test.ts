import { disturb, guestTests, ways } from './completeness.js';

const POINTS = 2;
/** Millions of instructions each: left to completeness.slow.test.ts, which also tries every program with every store. */
const LONG = ['malloc', 'malloc-glibc', 'strings', 'alarm', 'time', 'timers', 'unix', 'out-of-memory', 'memory-limit', 'pipes', 'waits',
  'tcp', 'tcp-glibc', 'tcp-transfer', 'tcp-recovery', 'sendfile', 'pty', 'enospc', 'accounting'];
const guests = guestTests.filter((guest) => !LONG.includes(guest.name));

describe('frozen at random instructions, destroyed and thawed, a guest program prints what it prints undisturbed', () => {
  test.each(ways.map((way, turn) => [way.name, way, turn] as const))('%s', (_name, way, turn) => {
    const mine = guests.filter((_guest, i) => i % ways.length === turn);
    let points = 0;
    const failures: string[] = [];
    mine.forEach((guest, i) => {
      const tried = disturb(guest, way, 1000 * way.store + 500 * Math.floor(turn / 4) + i, POINTS);
      points += tried.points;
      if (tried.failure) failures.push(tried.failure);
    });
    expect(failures).toEqual([]);
    expect(points).toBeGreaterThan(mine.length);
  });
});

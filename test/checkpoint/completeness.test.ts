import { storeName } from '../../emulator/checkpoint/index.js';
import { disturb, guestTests, stores } from './completeness.js';

const POINTS = 3;
/** Tens of millions of instructions each: left to completeness.slow.test.ts. */
const LONG = ['malloc', 'malloc-glibc', 'strings', 'alarm', 'time', 'out-of-memory', 'memory-limit'];
const guests = guestTests.filter((guest) => !LONG.includes(guest.name));

describe('frozen at random instructions, destroyed and thawed, every guest program prints what it prints undisturbed', () => {
  test.each(stores.map((store) => [storeName(store), store] as const))('%s', (_name, store) => {
    let points = 0;
    const failures: string[] = [];
    guests.forEach((guest, i) => {
      const tried = disturb(guest, store, 1000 * store + i, POINTS);
      points += tried.points;
      if (tried.failure) failures.push(tried.failure);
    });
    expect(failures).toEqual([]);
    expect(points).toBeGreaterThan(guests.length);
  });
});

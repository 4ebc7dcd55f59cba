import { storeName } from '../../emulator/checkpoint/index.js';
import { disturb, guestTests, stores } from './completeness.js';

const RUNS = 4;
const POINTS = 12;

test.each(stores.map((store) => [storeName(store), store] as const))('every guest program, frozen at many random instructions and destroyed each time: %s', (name, store) => {
  let points = 0;
  let refused = 0;
  const failures: string[] = [];
  for (let run = 0; run < RUNS; run++) {
    guestTests.forEach((guest, i) => {
      const tried = disturb(guest, store, 100_000 * run + 100 * store + i, POINTS);
      points += tried.points;
      refused += tried.refused;
      if (tried.failure) failures.push(tried.failure);
    });
  }
  process.stdout.write(`${name}: ${points} points tried in ${guestTests.length} programs, ${refused} freezes refused with an errno\n`);
  expect(failures).toEqual([]);
}, 900_000);

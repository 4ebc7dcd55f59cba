import { Store } from '../../emulator/checkpoint/index.js';
import { disturb, guestTests, ways, type Way } from './completeness.js';

const RUNS = 4;
const POINTS = 12;

const all: Way[] = [...ways, { name: 'vnode, on a block device', store: Store.vnode, ramdisk: 'block' }];

test.each(all.map((way) => [way.name, way] as const))('every guest program, frozen at many random instructions and destroyed each time: %s', (name, way) => {
  let points = 0;
  let refused = 0;
  const failures: string[] = [];
  for (let run = 0; run < RUNS; run++) {
    guestTests.forEach((guest, i) => {
      const tried = disturb(guest, way, 100_000 * run + 100 * way.store + i, POINTS);
      points += tried.points;
      refused += tried.refused;
      if (tried.failure) failures.push(tried.failure);
    });
  }
  process.stdout.write(`${name}: ${points} points tried in ${guestTests.length} programs, ${refused} freezes refused with an errno\n`);
  expect(failures).toEqual([]);
}, 900_000);

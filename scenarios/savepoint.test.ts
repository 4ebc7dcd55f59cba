import { Savepoint } from '../emulator/base/index.js';
import { loadScenario } from './scenario.js';
import { firmwareImage, Simulation } from './simulation.js';

const image = firmwareImage();

describe('a simulation put back to a savepoint', () => {
  // The lease server writes files and the filter thaws: memory, ramdisk, page cache, images and lives all change in between.
  test('saves the same bytes and lives the same life again', () => {
    const simulation = Simulation.create(loadScenario('dhcp-stack-smash'), 'rollback-filter', { image });
    const { hz } = simulation.router.kernel.clock;
    const at = (seconds: number): boolean => simulation.run(simulation.start + seconds * hz);
    at(2.9);
    const before = Buffer.from(simulation.save());
    const point = new Savepoint(simulation);
    at(3.3);
    const lived = simulation.router.log.lines();
    for (let round = 0; round < 2; round++) {
      point.restore();
      expect(before.equals(Buffer.from(simulation.save()))).toBe(true);
      at(3.3);
      expect(simulation.router.log.lines()).toBe(lived);
    }
    expect(lived).toMatch(/checkpoint\.thaw/);
  });
});

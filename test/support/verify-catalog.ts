import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { needsRootfs } from '../../scenarios/distribution.js';
import { replay } from '../../scenarios/replay.js';
import { catalogNames, loadScenario } from '../../scenarios/scenario.js';
import { firmwareImage } from '../../scenarios/simulation.js';
import { verifyArm } from '../../scenarios/verify.js';
import { InstalledCommand } from './installed-command.js';

/** Every `of`th scenario of the catalog from `part` on: files of tests run side by side, what is in one does not. */
export function verifyCatalog(part: number, of: number): void {
  let command: InstalledCommand;
  beforeAll(() => (command = new InstalledCommand()));
  afterAll(() => command.remove());
  // Those on unmodified programs are held by test/programs/scenarios.mjs, which has the packages.
  const names = catalogNames().filter((name) => !needsRootfs(loadScenario(name))).filter((_name, i) => i % of === part);

  describe.each(names)('%s', (name) => {
    const scenario = loadScenario(name);

    test('its assertions hold, and its README says of an expectation that it is refuted exactly when one is', () => {
      const { assertions, expectations } = replay(scenario, { image: firmwareImage() });
      expect(assertions.filter(({ held }) => !held)).toEqual([]);
      const readme = readFileSync(join(scenario.folder, 'README.md'), 'utf8');
      expect([name, /refuted/i.test(readme)]).toEqual([name, expectations.some(({ agrees }) => !agrees)]);
    });

    test.each(scenario.arms)('under %s gives the same event log however it is run, and after a save and a load', async (arm) => {
      const checks = await verifyArm(scenario, arm, { saves: 1, self: [process.execPath, ...command.arguments([])] });
      expect(checks.filter(({ difference }) => difference)).toEqual([]);
    });
  });
}

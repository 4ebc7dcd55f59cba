import { mkdtempSync, symlinkSync } from 'node:fs';
import { execFileSync } from 'node:child_process';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { needsRootfs } from './distribution.js';
import { catalogNames, loadScenario } from './scenario.js';
import { firmwareImage } from './simulation.js';
import { replay } from './replay.js';
import { verifyArm } from './verify.js';

const root = join(__dirname, '..');

/** The bundled command, for the checks that need a second process. */
function bundled(): string[] {
  const folder = mkdtempSync(join(tmpdir(), 'shuntbox-verify-'));
  for (const name of ['node_modules', 'scenarios', 'router-firmware', 'package.json']) symlinkSync(join(root, name), join(folder, name));
  execFileSync(join(root, 'node_modules', '.bin', 'esbuild'), [join(__dirname, 'cli/main.ts'), '--bundle', '--splitting', '--platform=node', '--format=esm', '--packages=external', `--outdir=${join(folder, 'dist')}`, '--log-level=warning']);
  return [process.execPath, join(folder, 'dist', 'main.js')];
}

const self = bundled();

// Those on unmodified programs are held by test/programs/scenarios.mjs, which has the packages.
describe.each(catalogNames().filter((name) => !needsRootfs(loadScenario(name))))('%s', (name) => {
  const scenario = loadScenario(name);

  test('its assertions hold', () => {
    const { assertions } = replay(scenario, { image: firmwareImage() });
    expect(assertions.filter(({ held }) => !held)).toEqual([]);
  });

  test.each(scenario.arms)('under %s gives the same event log however it is run, and after three saves and loads', async (arm) => {
    const checks = await verifyArm(scenario, arm, { saves: 3, self });
    expect(checks.filter(({ difference }) => difference)).toEqual([]);
  });
});

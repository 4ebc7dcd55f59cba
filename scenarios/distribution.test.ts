import { copyFileSync, mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { VOP_READ } from '../emulator/vfs/vop.js';
import { wantedArms } from './cli/experiment.js';
import { UsageError } from './cli/errors.js';
import { withRootfs } from './distribution.js';
import { obstacle } from './experiment/conditions.js';
import { InputError } from './input-error.js';
import { replayArm } from './replay.js';
import { loadScenario, parseScenario, ScenarioError, type Scenario } from './scenario.js';
import { firmwareImage, Simulation } from './simulation.js';

const root = join(__dirname, '..');
const image = firmwareImage();

/** A scenario that takes the firmware's dnsd for a distribution's program. */
const text = (arms: string): string => `schema: 1
name: foreign-dnsd
title: A program of somebody else's root filesystem
summary: It forwards names.
seed: 1
duration: 3s
topology:
  hosts:
    - { name: desk, on: lan0, address: 192.168.1.10 }
    - { name: resolver, on: wan0, address: 203.0.113.53, resolver: true }
packages: [dnsd]
files:
  /etc/motd: "welcome"
daemons:
  - { name: dnsd, program: /usr/sbin/dnsd }
fault: [{ daemon: dnsd, start: 1s, at: { instruction: 2000 }, what: { access: 0x10 } }]
prober: { protocol: dns, host: desk, rate: 20/s, names: [www.example.com] }
arms: ${arms}
`;

let folder = '';
let scenario: Scenario;

beforeAll(() => {
  folder = mkdtempSync(join(tmpdir(), 'shuntbox-rootfs-'));
  mkdirSync(join(folder, 'sysroot', 'usr', 'sbin'), { recursive: true });
  mkdirSync(join(folder, 'sysroot', 'etc'));
  copyFileSync(join(root, 'router-firmware', 'bin', 'dnsd'), join(folder, 'sysroot', 'usr', 'sbin', 'dnsd'));
  writeFileSync(join(folder, 'sysroot', 'etc', 'passwd'), 'mine:x:0:0::/:/bin/sh\n');
  scenario = { ...parseScenario(text('[none, transparent]'), 'x.yaml'), folder, file: 'x.yaml' };
});
afterAll(() => rmSync(folder, { recursive: true, force: true }));

describe('a root filesystem of the user\'s', () => {
  test('is booted under the firmware\'s init, with what packages leave out; its own files come before that, the scenario\'s before both', () => {
    const simulation = Simulation.create(withRootfs(scenario, join(folder, 'sysroot')), 'none', { image });
    const { vfs } = simulation.router.kernel;
    const read = (path: string): string => {
      const vnode = vfs.find(vfs.kernelContext(), path);
      if (typeof vnode === 'number') return `error ${vnode}`;
      const bytes = VOP_READ(vnode, 0, 100);
      return typeof bytes === 'number' ? `error ${bytes}` : Buffer.from(bytes).toString();
    };
    expect([read('/etc/passwd'), read('/etc/motd'), read('/etc/shells')]).toEqual(['mine:x:0:0::/:/bin/sh\n', 'welcome', '/bin/sh\n']);
    expect(simulation.router.consoleText()).toMatch(/init: up\ninit: started dnsd/);
  });

  test('serves, dies of an injected fault without protection and lives through it with transparent rollback', () => {
    const ready = withRootfs(scenario, join(folder, 'sysroot'));
    const [none, guarded] = (['none', 'transparent'] as const).map((arm) => replayArm(ready, arm, { image }));
    expect([none.verdict.outcome, none.metrics.availabilityLastThird]).toEqual(['crashed', 0]);
    expect([guarded.verdict.outcome, guarded.metrics.injected, guarded.metrics.rollbacks]).toEqual(['recovered', 1, 1]);
    expect(guarded.metrics.availability).toBeGreaterThan(0.95);
    expect(none.firstFault?.where).toMatchObject({ function: expect.any(String) as string });
  });

  test('does not travel in a snapshot: put back, the loaded simulation goes on alike', () => {
    const rootfs = join(folder, 'sysroot');
    const simulation = Simulation.create(withRootfs(scenario, rootfs), 'transparent', { image });
    simulation.run(simulation.start + 0.4 * (simulation.end - simulation.start));
    const loaded = Simulation.load(simulation.save(), rootfs);
    for (const one of [simulation, loaded]) one.run();
    expect(loaded.router.log.lines()).toBe(simulation.router.log.lines());
  });

  test.each([
    ['without one', () => withRootfs(scenario, undefined), /^the scenario foreign-dnsd runs unmodified programs of Debian \(dnsd\): add --rootfs DIR, .*docs\/unmodified\.md/],
    ['run in another way', () => Simulation.create(scenario, 'none', { image }), /add --rootfs DIR/],
    ['that does not exist', () => withRootfs(scenario, '/no/such/folder'), /^\/no\/such\/folder: no such folder; --rootfs takes/],
    ['the folder above it', () => withRootfs(scenario, folder), /has no \/usr\/sbin\/dnsd, .*\(did you mean .*\/sysroot\?\); unpack the mipsel packages dnsd there/],
    ['for the firmware\'s daemons', () => withRootfs(loadScenario('dns-leak'), folder), /the scenario dns-leak runs the firmware's own daemons and takes no --rootfs/],
  ])('%s is one line with the remedy', (_what, run, message) => {
    expect(run).toThrow(InputError);
    expect(run).toThrow(message);
    try {
      run();
    } catch (error) {
      expect((error as Error).message).not.toContain('\n');
    }
  });
});

describe('arms that need the recovery library', () => {
  test('cannot be written into a scenario on unmodified programs', () => {
    expect(() => parseScenario(text('[none, rollback-shunt]'), 'x.yaml')).toThrow(ScenarioError);
    expect(() => parseScenario(text('[none, rollback-shunt]'), 'x.yaml')).toThrow(/x\.yaml:\d+:\d+: .*the arm "rollback-shunt" needs a daemon with the recovery library/);
  });

  test('asked for by name are refused with the reason', () => {
    expect(() => wantedArms(scenario, { arm: ['rollback-shunt'] })).toThrow(UsageError);
    expect(() => wantedArms(scenario, { arm: ['rollback-shunt'] })).toThrow(/its daemons are unmodified and have no recovery library/);
  });

  test('and so are the controls that need one; the run without faults is there', () => {
    expect((['no-attack', 'patched', 'placebo', 'no-reseed'] as const).map((one) => obstacle(one, scenario, new Set(), scenario.arms))).toEqual([
      null, expect.stringContaining('no repaired build'), expect.stringContaining('no filter'), expect.stringContaining('nothing reseeds')]);
  });
});

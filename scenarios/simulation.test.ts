import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import fc from 'fast-check';
import { loadGraph, saveGraph } from '../emulator/base/index.js';
import { Router } from '../emulator/router/router.js';
import { initConf } from './init-conf.js';
import { arms } from './arms.js';
import { computeMetrics } from './metrics.js';
import { replay, replayArm } from './replay.js';
import { capturedMessages } from './attacks/capture.js';
import { InputError } from './input-error.js';
import { catalogFolder, loadScenario } from './scenario.js';
import { firmwareImage, Simulation } from './simulation.js';
import { compareLogs } from './verify.js';

const image = firmwareImage();
const scenario = { ...loadScenario('dns-negative-memcpy'), duration: 5e9 };

describe('a router in its surroundings', () => {
  test('boots from its image, serves names, and its console says so', () => {
    const simulation = Simulation.create(scenario, 'none', { image });
    expect(simulation.router.state).toBe('running');
    expect(simulation.router.consoleText()).toMatch(/init: up\n.*init: started dnsd pid 2\n.*dnsd: serving 0\.0\.0\.0:53 mode none/s);
    simulation.run(simulation.start + 2 * simulation.router.kernel.clock.hz);
    const { sent, answered } = simulation.record().probes;
    expect(sent.length).toBeGreaterThan(38);
    expect(answered.slice(0, 38).every((time) => time > 0)).toBe(true);
  });

  test('unprotected, the daemon dies of the first attack message for good', () => {
    const { metrics, firstFault } = replayArm(scenario, 'none', { image });
    expect([metrics.crashes, metrics.restarts, metrics.recoveryP50, metrics.availabilityLastThird]).toEqual([1, 0, Infinity, 0]);
    expect(firstFault).toMatchObject({ daemon: 'dnsd', signal: 11 });
  });

  test('jitter that holds the first message back is not counted as time under attack: nobody is served after it', () => {
    const late = { ...scenario, duration: 12e9, attack: scenario.attack.map((attack) => ({ ...attack, every: 8e9, count: 1, jitter: 1 })) };
    const simulation = Simulation.create(late, 'none', { image, seed: 3 });
    simulation.run();
    const run = simulation.record();
    expect(run.attackStart).toBe(run.attacks[0].sent);
    expect(run.attackStart).toBeGreaterThan(simulation.attackStart);
    expect(computeMetrics(run).availability).toBeLessThan(0.02);
  });

  test('rolled back it lives on: through the shunt without a single vnode operation, through vnodes with many and with more copies', () => {
    const { metrics, timeline, hostFreezeMs } = replayArm(scenario, 'rollback-shunt', { image });
    const vnode = replayArm(scenario, 'rollback-vnode', { image }).metrics;
    expect(metrics).toMatchObject({ crashes: 0, freezeVnodeOps: 0, thawVnodeOps: 0, availability: 1 });
    expect(metrics.rollbacks).toBe(metrics.faults);
    expect(metrics.rollbacks).toBeGreaterThan(1);
    expect(timeline.jumps.map(({ from, to, label }) => `${from} ${to} ${label}`)).toContain('2 2 signal 11');
    expect(hostFreezeMs).toBeGreaterThan(0);
    expect(vnode).toMatchObject({ crashes: 0, rollbacks: metrics.rollbacks });
    expect(vnode.freezeVnodeOps).toBeGreaterThan(0);
    expect(vnode.freezeCopied).toBeGreaterThan(metrics.freezeCopied * 5);
    expect(vnode.recoveryP50).toBeGreaterThan(metrics.recoveryP50);
  });

  test('the same seed gives the same event log, another seed another, the host slice does not matter', () => {
    const log = (options: { seed?: number; hostSlice?: number }): string => {
      const simulation = Simulation.create(scenario, 'rollback-filter', { image, ...options });
      simulation.run();
      return simulation.router.log.lines();
    };
    const reference = log({});
    expect(compareLogs(reference, log({}))).toBeNull();
    expect(compareLogs(reference, log({ hostSlice: 4999 }))).toBeNull();
    expect(compareLogs(reference, log({ seed: 2 }))).not.toBeNull();
  });

  test('saved at any moment, the loaded simulation goes on with the same event log', () => {
    const simulation = Simulation.create(scenario, 'rollback-vnode', { image });
    const images = [0.3, 0.62, 0.9].map((share) => {
      simulation.run(simulation.start + share * (simulation.end - simulation.start));
      return simulation.save();
    });
    simulation.run();
    for (const saved of images) {
      const loaded = Simulation.load(saved);
      loaded.run();
      expect(compareLogs(simulation.router.log.lines(), loaded.router.log.lines())).toBeNull();
      expect(computeMetrics(loaded.record())).toEqual(computeMetrics(simulation.record()));
    }
  });

  test('looking on, with captures, cores and host times, changes nothing', () => {
    const plain = Simulation.create(scenario, 'none', { image });
    plain.run();
    const watched: string[] = [];
    const result = replay(scenario, { image, arms: ['none'], onProgress: (arm) => watched.push(arm) });
    expect(result.arms[0].console).toBe(plain.router.consoleText());
    expect(watched.length).toBeGreaterThan(10);
  });
});

describe('a router by itself', () => {
  test('saves and loads, and is refused when the bytes hold something else', () => {
    const router = Router.create({ image, seed: 3 });
    router.boot();
    router.run(20_000_000);
    const loaded = Router.load(router.save());
    for (const one of [router, loaded]) one.run(40_000_000);
    expect(loaded.log.lines()).toBe(router.log.lines());
    expect(() => Router.load(saveGraph({ no: 'router' }))).toThrow('holds no router');
    expect(loadGraph(router.save())).toBeInstanceOf(Router);
  });

  test('reports its RAM, its daemons and its work', () => {
    const router = Router.create({ image });
    router.boot();
    router.run(580_000_000);
    const report = router.report();
    expect(report.state).toBe('running');
    expect(report.daemons.map(({ name, life }) => `${name} ${life}`)).toEqual(['dnsd serving', 'dhcpd serving']);
    expect(report.ram.free + report.ram.user).toBeLessThan(report.ram.bytes);
    expect(report.ledger['syscall']).toBeGreaterThan(50);
  });

  test('a damaged image or a full ramdisk is one clear error', () => {
    expect(() => Router.create({ image: Buffer.from('not an archive') }).boot()).toThrow(/root filesystem cannot be unpacked/);
    expect(() => Router.create({ image: null, ram: 4 << 20, files: { '/big': new Uint8Array(8 << 20) } }).powerOn()).toThrow(/\/big cannot be written: (ENOSPC|no space)/);
    expect(() => Router.create({ image: null }).boot()).toThrow('/sbin/init cannot be started: ENOENT');
  });
});

describe('init.conf of an arm', () => {
  test('gives policy and flags to the daemons under test only', () => {
    const daemons = [
      { name: 'dnsd', program: '/usr/sbin/dnsd', arguments: ['-w', '200'], underTest: true, options: true, addressSpace: 1048576 },
      { name: 'dhcpd', program: '/usr/sbin/dhcpd', arguments: [], underTest: false, options: true },
    ];
    const text = initConf({ daemons }, arms['rollback-filter']);
    expect(text).toContain('limit dnsd as 1048576\ndaemon dnsd respawn 3600 5 5 -- /usr/sbin/dnsd -w 200 -m filter -s share\n');
    expect(text).toContain('daemon dhcpd respawn 3600 5 5 -- /usr/sbin/dhcpd\n');
  });
});

describe('a capture that cannot be used', () => {
  test('is one InputError, whatever the bytes', () => {
    const folder = mkdtempSync(join(tmpdir(), 'shuntbox-capture-'));
    const file = join(folder, 'x.pcapng');
    const good = readFileSync(join(catalogFolder(), 'dns-negative-memcpy', 'attack.pcapng'));
    fc.assert(fc.property(fc.nat(good.length - 1), fc.uint8Array({ minLength: 1, maxLength: 6 }), fc.nat(good.length), (at, bytes, end) => {
      const bad = Buffer.from(good);
      bad.set(bytes.subarray(0, good.length - at), at);
      writeFileSync(file, bad.subarray(0, end));
      try {
        capturedMessages(file, 53);
      } catch (error) {
        expect(error).toBeInstanceOf(InputError);
      }
    }), { numRuns: 200 });
    rmSync(folder, { recursive: true });
  });
});

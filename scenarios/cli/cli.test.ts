import { execFileSync, spawnSync } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

const root = join(__dirname, '..', '..');
let folder = '';

/** The command as it is installed: bundled into dist/, with the folders beside it that it reads. */
beforeAll(() => {
  folder = mkdtempSync(join(tmpdir(), 'shuntbox-cli-'));
  for (const name of ['node_modules', 'scenarios', 'router-firmware', 'test', 'package.json']) symlinkSync(join(root, name), join(folder, name));
  execFileSync(join(root, 'node_modules', '.bin', 'esbuild'), [join(__dirname, 'main.ts'), '--bundle', '--splitting', '--platform=node', '--format=esm', '--packages=external', `--outdir=${join(folder, 'dist')}`, '--log-level=warning']);
});
afterAll(() => rmSync(folder, { recursive: true, force: true }));

function shuntbox(args: string[], input = ''): { status: number | null; stdout: string; stderr: string } {
  return spawnSync(process.execPath, ['--preserve-symlinks-main', join(folder, 'dist', 'main.js'), ...args], { input, encoding: 'utf8', cwd: folder, timeout: 60_000 });
}

describe('the command', () => {
  test('list names every scenario of the catalog', () => {
    const { status, stdout } = shuntbox(['list', '--json']);
    expect(status).toBe(0);
    expect((JSON.parse(stdout) as { name: string }[]).map(({ name }) => name)).toEqual(expect.arrayContaining([
      'dhcp-stack-smash', 'dns-leak', 'dns-negative-memcpy', 'dns-pointer-loop', 'paper-corrupt', 'paper-pipe', 'paper-read-loop',
    ]));
  });

  test('list marks those that need a root filesystem, and says how it is given', () => {
    const { stdout } = shuntbox(['list']);
    expect(stdout).toMatch(/^dnsmasq-fault +\* Debian's dnsmasq/m);
    expect(stdout).toMatch(/^dns-leak +[^*]*$/m);
    expect(stdout).toContain('* runs unmodified programs of Debian: shuntbox replay NAME --rootfs DIR');
  });

  test('replay gives the table and what to do next, and JSON without infinities', () => {
    const text = shuntbox(['replay', 'paper-pipe']);
    expect(text.status).toBe(0);
    expect(text.stdout).toMatch(/rollback, vnodes[\s\S]*Assertions[\s\S]*ok {3}rollback, vnodes: rollbacks = 2, is 2[\s\S]*To look further/);
    const json = JSON.parse(shuntbox(['replay', 'paper-pipe', '--arm', 'rollback-shunt', '--json']).stdout) as { passed: boolean; arms: { arm: string }[] };
    expect([json.passed, json.arms.map(({ arm }) => arm)]).toEqual([true, ['rollback-shunt']]);
  });

  test('a capture against a daemon: mapping, verdict and cause, the core beside the program, JUnit; exit status 1 because it crashed', () => {
    const capture = join('scenarios', 'catalog', 'dns-negative-memcpy', 'attack.pcapng');
    const args = ['replay', capture, '--daemon', 'router-firmware/debug/dnsd', '--arm', 'none', '--core', 'cores', '--junit', 'result.xml'];
    const { status, stdout } = shuntbox(args);
    expect(status).toBe(1);
    expect(stdout).toMatch(/Mapping\n.*192\.168\.1\.1:53[\s\S]*Verdict\n {2}none {2}crashed: [\s\S]*frame 1 of attack\.pcapng[\s\S]*gdb-multiarch .* cores\/dnsd cores\/attack\.none\.core/);
    expect(readFileSync(join(folder, 'cores', 'dnsd')).equals(readFileSync(join(root, 'router-firmware', 'debug', 'dnsd')))).toBe(true);
    expect(readFileSync(join(folder, 'result.xml'), 'utf8')).toContain('<failure type="crashed"');
    const repaired = shuntbox(['replay', capture, '--daemon', 'router-firmware/debug/dnsd.patched', '--name', 'dnsd', '--arm', 'none', '--loop', '3', '--json']);
    expect([repaired.status, (JSON.parse(repaired.stdout) as { arms: { verdict: { outcome: string } }[] }).arms[0].verdict.outcome]).toEqual([0, 'survived']);
  });

  test('run passes input, output and the exit status of the program', () => {
    const { status, stdout } = shuntbox(['run', '/usr/bin/paper-corrupt'], 'yn');
    expect(status).toBe(0);
    expect(stdout).toContain('recovered: from state 1 to state 1');
  });

  test.each([
    [['replay', 'no-such'], /no such scenario; the catalog has/],
    [['replay', 'paper-pipe', '--arm', 'none'], /has no arm none; it has rollback-vnode/],
    [['replay', 'paper-pipe', '--arm', 'prayer'], /Allowed choices are none, respawn/],
    [['replay', 'paper-pipe', '--seed', '-1'], /a seed is an integer/],
    [['replay', 'scenarios/catalog/dns-negative-memcpy/attack.pcapng'], /is a capture; add --daemon ELF/],
    [['replay', 'scenarios/catalog/dns-negative-memcpy/attack.pcapng', '--daemon', 'package.json'], /not an ELF file; a static Linux program/],
    [['replay', 'package.json', '--daemon', 'test/guest/bin/hello'], /starts neither a pcap nor a pcapng file/],
    [['replay', 'package.json', '--daemon', 'test/guest/bin/hello', '-x', '2', '--topspeed'], /cannot be used with/],
    [['replay', 'package.json', '--daemon', 'test/guest/bin/hello', '--target', 'tcp:80'], /only UDP is replayed so far/],
    [['replay', 'paper-pipe', '--loop', '2'], /--loop goes with a capture/],
    [['replay', 'dnsmasq-fault'], /^shuntbox: the scenario dnsmasq-fault runs unmodified programs of Debian \(dnsmasq-base\): add --rootfs DIR, .*\n$/],
    [['replay', 'dnsmasq-fault', '--rootfs', 'scenarios'], /scenarios has no \/usr\/sbin\/dnsmasq/],
    [['replay', 'paper-pipe', '--rootfs', 'scenarios'], /takes no --rootfs/],
    [['run', './no-such-file'], /no such file; for a program on the root filesystem/],
    [['run', '/no/such'], /cannot be started: ENOENT/],
    [['run', '--mem', '3 apples', '/x'], /a size like 16MiB/],
    [['verify'], /name a scenario or give --all/],
    [['log', '--resume', 'package.json'], /not a Shuntbox snapshot/],
    [['log', '--resume', 'no-such'], /no-such: no such file/],
    [['filter', 'paper-corrupt'], /has no arm rollback-filter/],
    [['filter', 'dns-leak', '--mutants', '0'], /an integer from 1 to/],
    [['filter', 'dns-leak', '--save', 'package.json'], /package\.json: not a result file of shuntbox filter/],
    [['corruption', 'paper-corrupt'], /does not say where its bug writes/],
    [['frobnicate'], /unknown command/],
  ])('%j is wrong use: exit status 2 and a hint', (args, words) => {
    const { status, stderr } = shuntbox(args);
    expect(stderr).toMatch(words);
    expect(stderr).not.toMatch(/\n\s+at /);
    expect(status).toBe(2);
  });

  test('an unreadable scenario names file, line and column', () => {
    const file = join(folder, 'scenario.yaml');
    writeFileSync(file, 'schema: 1\nname: x\nsede: 3\n');
    const { status, stderr } = shuntbox(['replay', folder]);
    expect(stderr).toMatch(/scenario\.yaml:3:1: .*sede/);
    expect(status).toBe(2);
  });

  test('help has examples and the exit statuses', () => {
    for (const args of [['--help'], ['replay', '--help'], ['verify', '--help'], ['run', '--help'], ['filter', '--help'], ['corruption', '--help']]) {
      const { status, stdout } = shuntbox(args);
      expect(status).toBe(0);
      expect(stdout).toMatch(/Examples:/);
    }
  });
});

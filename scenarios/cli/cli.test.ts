import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { readFileSync, statSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { InstalledCommand, type Said } from '../../test/support/installed-command.js';

const root = join(__dirname, '..', '..');
let command: InstalledCommand;
let folder = '';
beforeAll(() => {
  command = new InstalledCommand();
  ({ folder } = command);
});
afterAll(() => command.remove());

const shuntbox = (args: string[], input?: string): Said => command.run(args, input);

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
    expect(statSync(join(folder, 'cores', 'dnsd')).mtimeMs).toBeLessThan(statSync(join(folder, 'cores', 'attack.none.core')).mtimeMs);
    expect(readFileSync(join(folder, 'result.xml'), 'utf8')).toContain('<failure type="crashed"');
    const repaired = shuntbox(['replay', capture, '--daemon', 'router-firmware/debug/dnsd.patched', '--name', 'dnsd', '--arm', 'none', '--loop', '3', '--json']);
    expect([repaired.status, (JSON.parse(repaired.stdout) as { arms: { verdict: { outcome: string } }[] }).arms[0].verdict.outcome]).toEqual([0, 'survived']);
  });

  test('run passes input, output and the exit status of the program', () => {
    const { status, stdout } = shuntbox(['run', '/usr/bin/paper-corrupt'], 'yn');
    expect(status).toBe(0);
    expect(stdout).toContain('recovered: from state 1 to state 1');
  });

  // More of them in wrong-use.slow.test.ts.
  test.each([
    [['replay', 'no-such'], /^shuntbox: no-such: no such scenario; the catalog has/],
    [['replay', 'paper-pipe', '--out', 'runs.jsonl'], /--out goes with --seeds/],
    [['replay', 'paper-pipe', '--arm', 'prayer'], /Allowed choices are none, respawn/],
    [['replay', 'scenarios/catalog/dns-negative-memcpy/attack.pcapng'], /is a capture; add --daemon ELF/],
    [['replay', 'dnsmasq-fault'], /^shuntbox: the scenario dnsmasq-fault runs unmodified programs of Debian \(dnsmasq-base\): add --rootfs DIR, .*\n$/],
    [['run', './no-such-file'], /no such file; for a program on the root filesystem/],
    [['log', '--resume', 'package.json'], /not a Shuntbox snapshot/],
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

  test('ends without a trace when nobody reads its output any more', async () => {
    const child = spawn(process.execPath, command.arguments(['list']), { cwd: folder, stdio: ['ignore', 'pipe', 'pipe'] });
    child.stdout.destroy();
    let complaint = '';
    child.stderr.on('data', (text: Buffer) => (complaint += text.toString()));
    const [code] = (await once(child, 'exit')) as [number];
    expect({ code, complaint }).toEqual({ code: 141, complaint: '' });
  }, 60_000);

  test('help has examples and the exit statuses', () => {
    for (const args of [['--help'], ['replay', '--help']]) {
      const { status, stdout } = shuntbox(args);
      expect(status).toBe(0);
      expect(stdout).toMatch(/Examples:/);
    }
  });
});

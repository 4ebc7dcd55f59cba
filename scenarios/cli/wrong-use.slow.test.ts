import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { InstalledCommand } from '../../test/support/installed-command.js';

let command: InstalledCommand;
beforeAll(() => (command = new InstalledCommand()));
afterAll(() => command.remove());

test.each([
  [['replay', 'paper-pipe', '--arm', 'none'], /has no arm none; it has rollback-vnode/],
  [['replay', 'paper-pipe', '--seed', '-1'], /a seed is an integer/],
  [['replay', 'scenarios/catalog/dns-negative-memcpy/attack.pcapng', '--daemon', 'package.json'], /not an ELF file; a static Linux program/],
  [['replay', 'package.json', '--daemon', 'test/guest/bin/hello'], /starts neither a pcap nor a pcapng file/],
  [['replay', 'package.json', '--daemon', 'test/guest/bin/hello', '-x', '2', '--topspeed'], /cannot be used with/],
  [['replay', 'package.json', '--daemon', 'test/guest/bin/hello', '--target', 'tcp:80'], /only UDP is replayed so far/],
  [['replay', 'paper-pipe', '--loop', '2'], /--loop goes with a capture/],
  [['replay', 'dnsmasq-fault', '--rootfs', 'scenarios'], /scenarios has no \/usr\/sbin\/dnsmasq/],
  [['replay', 'paper-pipe', '--rootfs', 'scenarios'], /takes no --rootfs/],
  [['run', '/no/such'], /cannot be started: ENOENT/],
  [['run', '--mem', '3 apples', '/x'], /a size like 16M or 16MiB/],
  [['run', 'scenarios'], /scenarios: is a folder; name the program/],
  [['run', '--rootfs', 'package.json', '/x'], /^shuntbox: package\.json: not a cpio newc header .* at offset 0; a root filesystem is a folder, or a cpio archive/],
  [['run', '--mem', '1M', '/x'], /ENOSPC, the device has too little RAM for it/],
  [['run', '--core', 'scenarios', 'test/guest/bin/hello'], /it is a folder; name a file/],
  [['shunt', 'package.json'], /package\.json: .* not an ELF file; a static Linux program/],
  [['shunt', '64K', '--core', 'package.json'], /package\.json is a file; a folder was expected/],
  [['verify'], /name a scenario or give --all/],
  [['verify', 'paper-pipe', '--saves', '-1'], /the number of saves is an integer from 0 to 100/],
  [['verify', 'paper-pipe', '--all'], /not both/],
  [['log', 'paper-pipe', '--arm', 'none'], /has no arm none; it has rollback-vnode/],
  [['measure', '--report', 'no-such/x.html'], /there is no folder .*no-such; make it first/],
  [['boot', '--record', 'no-such/x'], /there is no folder .*no-such; make it first/],
  [['log', '--resume', 'no-such'], /no-such: no such file/],
  [['filter', 'paper-corrupt'], /has no arm rollback-filter/],
  [['filter', 'dns-leak', '--mutants', '0'], /an integer from 1 to/],
  [['filter', 'dns-leak', '--save', 'package.json'], /package\.json: not a result file of shuntbox filter/],
  [['corruption', 'paper-corrupt'], /does not say where its bug writes/],
])('%j is wrong use: exit status 2 and a hint', (args, words) => {
  const { status, stderr } = command.run(args);
  expect(stderr).toMatch(words);
  expect(stderr).not.toMatch(/\n\s+at /);
  expect(status).toBe(2);
});

test('where results shall go is looked at before the work begins', () => {
  for (const [option, place] of [['--report', 'no-such/x.html'], ['--junit', 'scenarios'], ['--pcap', 'package.json'], ['--core', 'package.json/x'], ['--states', 'package.json']]) {
    const { status, stdout, stderr } = command.run(['replay', 'paper-pipe', option, place]);
    expect({ option, status, stdout }).toEqual({ option, status: 2, stdout: '' });
    expect(stderr).toMatch(/there is no folder|it is a folder|a folder was expected/);
  }
});

test('a folder that can never be made is one error, not an endless try', () => {
  const { status, stderr } = command.run(['replay', 'paper-pipe', '--arm', 'rollback-shunt', '--pcap', '/proc/shuntbox/captures']);
  expect({ status, stderr }).toEqual({ status: 2, stderr: 'shuntbox: /proc/shuntbox: no such file or folder\n' });
});

test('a complaint names the help of the command it is about', () => {
  expect(command.run(['replay']).stderr).toMatch(/missing required argument[^]*replay --help shows how it is used/);
  expect(command.run(['frobnicate']).stderr).toMatch(/unknown command[^]* --help shows what there is/);
});

test('a name to guard that nothing bears is said', () => {
  const { status, stderr } = command.run(['boot', '--guard', 'dhcpd', '--guard', 'dhpcd', '--for', '1500ms']);
  expect(status).toBe(0);
  expect(stderr).toMatch(/--guard dhpcd: no program of that name waited/);
  expect(stderr).not.toMatch(/--guard dhcpd/);
});

test('the commands to look further repeat the run that was shown, with its seed and its ramdisk', () => {
  const { status, stdout } = command.run(['replay', 'paper-corrupt', '--arm', 'rollback-shunt', '--seed', '7', '--ramdisk', 'block', '--report', 'page.html']);
  expect(status).toBe(0);
  expect(stdout).toContain('replay paper-corrupt --seed 7 --ramdisk block --arm rollback-shunt --core');
  const page = readFileSync(join(command.folder, 'page.html'), 'utf8');
  expect(page).toMatch(/ramdisk block, seed 7,.*<br>made with <code>[^<]*replay paper-corrupt --seed 7 --ramdisk block</);
  expect(page).toContain('replay paper-corrupt --seed 7 --ramdisk block --arm rollback-shunt --core cores');
});

test('sizes are typed alike everywhere', () => {
  expect(command.run(['run', '--mem', '16M', 'test/guest/bin/hello']).status).toBe(0);
  expect(command.run(['shunt', '64KiB', '--json']).status).toBe(0);
});

test.each(['replay', 'sweep', 'verify', 'filter', 'corruption', 'run', 'boot', 'measure', 'shunt'])('%s --help has examples', (name) => {
  const { status, stdout } = command.run([name, '--help']);
  expect(status).toBe(0);
  expect(stdout).toMatch(/Example/);
});

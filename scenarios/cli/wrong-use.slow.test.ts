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
  [['run', '--mem', '3 apples', '/x'], /a size like 16MiB/],
  [['verify'], /name a scenario or give --all/],
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

test.each(['replay', 'sweep', 'verify', 'filter', 'corruption', 'run', 'boot', 'measure', 'shunt'])('%s --help has examples', (name) => {
  const { status, stdout } = command.run([name, '--help']);
  expect(status).toBe(0);
  expect(stdout).toMatch(/Example/);
});

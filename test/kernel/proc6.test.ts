import { procNet6 } from '../../emulator/kernel/proc-net6.js';
import { sysctls6 } from '../../emulator/kernel/proc-sys6.js';
import type { ProcSpec } from '../../emulator/kernel/procfs.js';
import { ip6, type NetInterface, type NetStack } from '../../emulator/net/index.js';
import { Link6 } from '../net/link6.js';

/** The file a path of /proc/sys/net/ipv6 or /proc/net leads to. */
function at(entries: Record<string, ProcSpec>, path: string): Extract<ProcSpec, { type: 'reg' }> {
  const [first, ...rest] = path.split('/');
  const spec = entries[first];
  if (spec?.type === 'dir') return at(spec.entries(), rest.join('/'));
  if (spec?.type !== 'reg') throw new Error(path);
  return spec;
}

const eth = (net: NetStack): NetInterface => net.interface('eth0') as NetInterface;

test('settings are read and written, each within its bounds', () => {
  const { a } = new Link6(1);
  const set = (path: string, text: string): number | undefined => at(sysctls6(a), path).write?.(text);
  const get = (path: string): string => at(sysctls6(a), path).read();
  expect([get('conf/eth0/hop_limit'), get('conf/eth0/mtu'), get('conf/lo/mtu'), get('conf/all/forwarding'), get('bindv6only')]).toEqual(['64\n', '1500\n', '65536\n', '0\n', '0\n']);
  expect([set('conf/eth0/hop_limit', '12\n'), set('conf/eth0/hop_limit', '256'), set('conf/eth0/hop_limit', '0'), set('conf/eth0/hop_limit', '-1'), set('conf/eth0/hop_limit', 'x')]).toEqual([0, -22, -22, -22, -22]);
  expect([set('conf/eth0/mtu', '1280'), set('conf/eth0/mtu', '1279'), set('conf/eth0/mtu', '1501'), get('conf/eth0/mtu')]).toEqual([0, -22, -22, '1280\n']);
  expect([set('conf/all/accept_ra', '0'), get('conf/eth0/accept_ra'), get('conf/eth0/hop_limit')]).toEqual([0, '0\n', '12\n']);
  expect(set('conf/all/forwarding', '1')).toBe(0);
  expect([a.v6.forwarding, eth(a).v6.groups.has(ip6('ff02::2'))]).toEqual([true, true]);
});

test('IPv6 taken off an interface and given back', () => {
  const { a } = new Link6(1);
  const disable = (text: string): number | undefined => at(sysctls6(a), 'conf/eth0/disable_ipv6').write?.(text);
  const shown = (): string => at(procNet6(a), 'if_inet6').read();
  expect(shown()).toBe(`${ip6('::1')} 01 80 10 80       lo\n${ip6('fe80::ff:fe00:1')} 02 40 20 80     eth0\n`);
  disable('1');
  expect([shown().includes('eth0'), a.v6.addAddress(eth(a), ip6('2001:db8::1'), 64), a.v6.routes.routes.length]).toEqual([false, -13, 0]);
  disable('0');
  expect(shown()).toContain('eth0');
});

test('what is tentative, deprecated or bounded says so', () => {
  const net = new Link6(1, (device) => { device.v6.conf.dadTransmits = 1; });
  const { a } = net;
  const flags = (): string[] => at(procNet6(a), 'if_inet6').read().trim().split('\n').map((line) => line.split(/ +/)[4]);
  expect(flags()).toEqual(['80', 'c0']);
  net.run(1100);
  expect(flags()).toEqual(['80', '80']);
  const { clock } = a;
  a.v6.addAddress(eth(a), ip6('2001:db8::1'), 64, { preferred: clock.cycles + 2_000_000, valid: clock.cycles + 9_000_000 });
  net.run(1100);
  expect(flags()).toEqual(['80', '00', '80']);
  net.run(1000);
  expect(flags()).toEqual(['80', '20', '80']);
});

test('routes say whence they are and what they do', () => {
  const { a } = new Link6(1);
  a.v6.insertRoute({ network: ip6('2001:db8::'), prefix: 32, gateway: ip6('fe80::9'), device: 2, metric: 1024, reject: false, protocol: 9, expires: 1e9 });
  a.v6.insertRoute({ network: ip6('2001:db9::'), prefix: 128, gateway: 0, device: 1, metric: 5, reject: true });
  const lines = at(procNet6(a), 'ipv6_route').read().trim().split('\n').map((line) => line.split(/ +/)).map((words) => [words[0].slice(0, 8), words[1], words[5], words[8], words[9]]);
  expect(lines).toEqual([
    ['20010db8', '20', '00000400', '00440003', 'eth0'], ['20010db9', '80', '00000005', '00000205', 'lo'], ['fe800000', '40', '00000100', '00000001', 'eth0'],
    ['00000000', '80', '00000000', '80000001', 'lo'], ['fe800000', '80', '00000000', '80000001', 'eth0'],
  ]);
});

import { spawnSync } from 'node:child_process';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { formatIp6, ip6, writePcapng, type Address, type UdpSocket } from '../../emulator/net/index.js';
import { joinGroup } from '../../emulator/net/memberships.js';
import { expect, type Case } from './case.js';
import { decodeDns, encodeQuery } from './dns.js';
import type { Lab, LabOptions } from './lab.js';

/** The router's and the client's link-local addresses, which follow from their MACs. */
const ROUTER6 = 'fe80::5b:ff:fe00:1';
const CLIENT6 = 'fe80::ff:fe00:10';
const GLOBAL6 = '2001:db8:1::1';

/** The router forwards, and lan0 has an address of a prefix. */
function numbered(lab: Lab): Lab {
  lab.sh(`ip addr add ${GLOBAL6}/64 dev lan0; echo 1 > /proc/sys/net/ipv6/conf/all/forwarding`);
  return lab;
}

function clientOf(lab: Lab): NonNullable<Lab['client']> {
  if (!lab.client) throw new Error('no client');
  return lab.client;
}

function started(lab: Lab, text: string, seconds: number, ...argv: string[]): Lab {
  lab.start(...argv);
  if (!lab.until(() => lab.console.includes(text), seconds)) throw new Error(`${argv[0]} does not start: ${lab.console}`);
  return lab;
}

/** One datagram from the client over IPv6, and the first answer. */
function ask6(lab: Lab, to: Address, port: number, payload: Uint8Array): Buffer {
  const client = clientOf(lab);
  const socket: UdpSocket = client.stack.udpSocket(true);
  socket.receiveErrors = true;
  socket.sendto(payload, to, port, { device: client.interface.index });
  let answer: Buffer | null = null;
  lab.until(() => {
    const got = socket.recv();
    if (got) answer = Buffer.from(got.payload);
    return got !== null || socket.errors.length > 0;
  }, 20);
  const errors = socket.errors.map(({ errno }) => errno).join();
  socket.close();
  if (!answer) throw new Error(`no answer from port ${port}${errors ? `: error ${errors}` : ''}; ${lab.console}`);
  return answer;
}

/** What the client hears on the wire from now on. */
function listen(lab: Lab): Uint8Array[] {
  const heard: Uint8Array[] = [];
  clientOf(lab).tap = { onFrame: (_host, frame) => void heard.push(frame.slice()) };
  return heard;
}

/** The first of these frames as tshark reads it; null where there is no tshark. */
function byTshark(frames: readonly Uint8Array[], filter: string, ...fields: string[]): string[] | null {
  if (spawnSync('tshark', ['--version']).status !== 0) return null;
  const folder = mkdtempSync(join(tmpdir(), 'shuntbox-'));
  const file = join(folder, 'heard.pcapng');
  writeFileSync(file, writePcapng({
    interfaces: [{ name: 'client', description: '' }], comment: '', hardware: '', application: 'shuntbox',
    packets: frames.map((bytes, i) => ({ interface: 0, time: BigInt(i), bytes, comment: '', direction: 'in' as const })),
  }));
  const run = spawnSync('tshark', ['-r', file, '-Y', filter, '-T', 'fields', ...fields.flatMap((field) => ['-e', field])], { encoding: 'utf8' });
  rmSync(folder, { recursive: true });
  return run.stdout.split('\n')[0].split('\t');
}

// ---- router advertisements

const radvdConf = 'interface lan0 { AdvSendAdvert on; MinRtrAdvInterval 3; MaxRtrAdvInterval 10; AdvLinkMTU 1400; AdvDefaultLifetime 600;\n'
  + ' prefix 2001:db8:1::/64 { AdvOnLink on; AdvAutonomous on; AdvValidLifetime 86400; AdvPreferredLifetime 14400; }; };\n';

/** The client has made itself an address of the prefix and goes out by the router; what it has. */
function configured(lab: Lab, prefix: string): string {
  const { interface: device, stack } = clientOf(lab);
  const address = `${prefix}ff:fe00:10`;
  if (!lab.until(() => device.v6.has(ip6(address)), 20)) throw new Error(`the client has ${device.v6.addresses.map((one) => formatIp6(one.address)).join()}; ${lab.console}`);
  const path = stack.path(ip6('2001:db8:ffff::1'));
  if (typeof path === 'number' || path.nextHop !== ip6(ROUTER6)) throw new Error('the client does not go out by the router');
  expect(lab.sh(`ping -6 -c 1 ${address}`), /1 received/, 'ping');
  return address;
}

function advertised(lab: Lab): string {
  const heard = listen(lab);
  const address = configured(started(numbered(lab), 'version 2.19 started', 10, '/usr/sbin/radvd', '-n', '-d', '1', '-m', 'stderr', '-u', 'radvd', '-C', '/etc/radvd.conf'), '2001:db8:1::');
  const read = byTshark(heard, 'icmpv6.type == 134', 'ipv6.src', 'ipv6.hlim', 'icmpv6.checksum.status', 'icmpv6.nd.ra.router_lifetime', 'icmpv6.opt.prefix', 'icmpv6.opt.prefix.valid_lifetime', 'icmpv6.opt.mtu');
  if (read) expect(read.join(' '), /^fe80::5b:ff:fe00:1 255 1 600 2001:db8:1:: 86400 1400$/, 'tshark');
  const { mtu } = clientOf(lab).interface.v6.conf;
  return `${address}, MTU ${mtu}, default router ${ROUTER6}; tshark reads the same`;
}

// ---- servers of both protocols, asked from the router itself

const page: Record<string, string> = { '/srv/index.html': 'a page\n' };
const nginx: LabOptions = {
  ram: 64 << 20,
  files: { ...page, '/etc/nginx.conf': 'user nobody nogroup; worker_processes 1; daemon off; error_log stderr notice; pid /run/nginx.pid;\nevents { } http { access_log off; server { listen [::]:80 ipv6only=off; root /srv; } }\n', '/var/lib/nginx/.keep': '', '/var/log/nginx/.keep': '' },
};
const lighttpd: LabOptions = {
  files: { ...page, '/etc/lighttpd.conf': 'server.document-root = "/srv"\nserver.bind = "0.0.0.0"\nserver.port = 80\nserver.modules = ("mod_indexfile", "mod_staticfile")\nindex-file.names = ("index.html")\nserver.errorlog = "/dev/stderr"\n$SERVER["socket"] == "[::]:80" { }\n' },
};

function pages(lab: Lab): string {
  const urls = ['http://192.168.1.1/', 'http://127.0.0.1/', 'http://[::1]/', `http://[${GLOBAL6}]/`];
  const text = lab.sh(urls.map((url) => `busybox wget -q -O - ${url} || echo failed ${url}`).join('; '));
  return expect(text, /^(a page\n){4}$/, 'wget').trim().split('\n')[0];
}

const snmpd: LabOptions = { ram: 128 << 20, files: { '/etc/snmp/snmpd.conf': 'agentaddress udp:161,udp6:161\nrocommunity public\nrocommunity6 public\nsyslocation rack 7\n', '/etc/snmp/snmp.conf': 'mibs :\n', '/var/lib/snmp/.keep': '' } };
const dnsmasqConf = 'no-resolv\nlog-facility=-\ninterface=lan0\nhost-record=www.lan,192.168.1.80,2001:db8:1::80\n';
const birdConf = 'log stderr all;\nrouter id 192.168.1.1;\nprotocol device { scan time 5; }\nprotocol kernel { ipv6 { export all; }; }\nprotocol static { ipv6; route 2001:db8:77::/48 via fe80::ff:fe00:10%lan0; }\n'
  + 'protocol rip ng { ipv6 { import all; export all; }; interface "lan0" { update time 5; }; }\nprotocol ospf v3 { ipv6 { export none; }; area 0 { interface "lan0" { hello 2; }; }; }\n';

/** Programs that need IPv6, or serve over it. */
export const cases6: readonly Case[] = [
  { program: 'radvd', package: 'radvd', client: 'emulated host', asked: 'a router advertisement: address, MTU and default router taken from it', options: { files: { '/etc/radvd.conf': radvdConf, '/run/radvd/.keep': '' } }, ask: advertised },
  {
    program: 'dnsmasq', package: 'dnsmasq-base', client: 'emulated host', asked: 'a router advertisement of its own (enable-ra)',
    options: { files: { '/etc/dnsmasq.conf': `${dnsmasqConf}enable-ra\ndhcp-range=::10,::80,constructor:lan0,ra-stateless,64\n` } },
    ask: (lab) => configured(started(numbered(lab), 'started, version', 20, '/usr/sbin/dnsmasq', '-k'), '2001:db8:1::'),
  },
  {
    program: 'dnsmasq', package: 'dnsmasq-base', client: 'emulated host over IPv6, query of RFC 1035', asked: 'AAAA of www.lan', options: { files: { '/etc/dnsmasq.conf': dnsmasqConf } },
    ask: (lab) => expect(decodeDns(ask6(started(numbered(lab), 'started, version', 20, '/usr/sbin/dnsmasq', '-k'), ip6(ROUTER6), 53, encodeQuery('www.lan', 'AAAA'))), /^www\.lan AAAA 2001:db8:1::80$/, 'answer'),
  },
  { program: 'nginx', package: 'nginx', client: 'busybox wget over IPv4 and IPv6', asked: 'a page from a listener on [::]', options: nginx, ask: (lab) => pages(started(numbered(lab), 'start worker process', 20, '/usr/sbin/nginx', '-c', '/etc/nginx.conf')) },
  { program: 'lighttpd', package: 'lighttpd', client: 'busybox wget over IPv4 and IPv6', asked: 'a page from listeners on 0.0.0.0 and [::]', options: lighttpd, ask: (lab) => pages(started(numbered(lab), 'server started', 20, '/usr/sbin/lighttpd', '-D', '-f', '/etc/lighttpd.conf')) },
  {
    program: 'dropbear', package: 'dropbear-bin', client: 'busybox nc over IPv4 and IPv6', asked: 'its greeting', options: { files: { '/etc/dropbear/.keep': '' } },
    ask: (lab) => {
      started(numbered(lab), 'Not backgrounding', 20, '/usr/sbin/dropbear', '-F', '-E', '-R');
      lab.sleep(2);
      const text = lab.sh(`for a in 192.168.1.1 ::1 ${GLOBAL6}; do (echo; sleep 1) | busybox nc -w 3 $a 22 | head -n 1; done`);
      return expect(text, /^SSH-2\.0-dropbear_[\d.]+\r?\nSSH-2\.0-dropbear_[\d.]+\r?\n(SSH-2\.0-dropbear_[\d.]+)\r?\n/, 'greeting');
    },
  },
  {
    program: 'snmpd', package: 'snmpd', client: 'net-snmp snmpget over IPv6 and IPv4', asked: 'sysLocation.0; ipv6IfDescr', options: snmpd,
    ask: (lab) => {
      const text = started(lab, 'NET-SNMP version', 60, '/usr/sbin/snmpd', '-f', '-Lo', '-C', '-c', '/etc/snmp/snmpd.conf')
        .sh('for a in udp6:[::1] 192.168.1.1; do snmpget -v2c -c public -t 20 -Oqv $a .1.3.6.1.2.1.1.6.0; done; snmpwalk -v2c -c public -t 20 -Oqv 192.168.1.1 .1.3.6.1.2.1.55.1.5.1.2');
      return expect(text, /^"?rack 7"?\n"?rack 7"?\n"?lo"?\n"?lan0"?\n/, 'snmpget').replaceAll('"', '').trim().replaceAll('\n', ', ');
    },
  },
  {
    program: 'bird', package: 'bird2', client: 'emulated host in ff02::5 and ff02::9', asked: 'RIPng and OSPFv3 on the link; a static route in the kernel', options: { files: { '/etc/bird.conf': birdConf } },
    ask: (lab) => {
      const client = clientOf(lab);
      for (const group of ['ff02::5', 'ff02::9']) joinGroup(client.stack, client.stack.udpSocket(true), ip6(group), client.interface.index);
      const heard = listen(lab);
      numbered(lab).start('/usr/sbin/bird', '-f', '-c', '/etc/bird.conf', '-s', '/run/bird.ctl');
      lab.sleep(12);
      const hello = byTshark(heard, 'ospf.msg.hello', 'ospf.version', 'ipv6.src', 'ipv6.dst');
      if (hello) expect(hello.join(' '), /^3 fe80::5b:ff:fe00:1 ff02::5$/, 'tshark');
      const rip = byTshark(heard, 'ripng', 'ripng.cmd', 'ipv6.dst', 'ipv6.hlim');
      if (rip) expect(rip.join(' '), /^[12] ff02::9 255$/, 'tshark');
      return expect(lab.sh('ip -6 route; birdc -s /run/bird.ctl show protocols'), /2001:db8:77::\/48 via fe80::ff:fe00:10 dev lan0 proto bird metric 32/, 'ip route');
    },
  },
  {
    program: 'ip', package: 'iproute2', client: 'itself', asked: 'IPv6 addresses, routes and neighbours changed and shown',
    ask: (lab) => {
      const text = numbered(lab).sh(`ip -6 route add 2001:db8:9::/48 via ${CLIENT6} dev lan0; ip -6 route add blackhole 2001:db8:a::/48; ip -6 route get 2001:db8:9::1; ip -6 neigh add fe80::99 lladdr 02:00:00:00:00:99 dev lan0; ip -6 neigh; ip -6 route; ip -6 addr; `
        + 'ip -6 route add 2001:db8:9::/48 dev lan0 2>&1; ip -6 addr add ff02::1/64 dev lan0 2>&1; ip -6 route del 2001:db8:b::/48 2>&1');
      for (const pattern of [/2001:db8:9::1 (from :: )?via fe80::ff:fe00:10 dev lan0/, /fe80::99 dev lan0 lladdr 02:00:00:00:00:99 PERMANENT/, /blackhole 2001:db8:a::\/48 dev lo/, /inet6 2001:db8:1::1\/64 scope global/, /inet6 fe80::5b:ff:fe00:1\/64 scope link/, /RTNETLINK answers: File exists/, /RTNETLINK answers: No such process/]) expect(text, pattern, 'ip');
      return 'as Linux prints them; EEXIST and ESRCH told apart';
    },
  },
  {
    program: 'ifconfig, route', package: 'net-tools', client: 'itself', asked: 'an IPv6 address and a route made and shown',
    ask: (lab) => {
      const text = lab.sh(`ifconfig lan0 add 2001:db8:3::1/64; route -A inet6 add 2001:db8:4::/64 gw ${CLIENT6} dev lan0; ifconfig lan0; netstat -6 -rn; ifconfig lan0 del 2001:db8:3::1/64; ifconfig lan0`);
      expect(text, /2001:db8:4::\/64 +fe80::ff:fe00:10 +UG +1 /, 'netstat');
      if (text.split('2001:db8:3::1').length !== 3) throw new Error(text);
      return expect(text, /inet6 2001:db8:3::1 {2}prefixlen 64 {2}scopeid 0x0<global>/, 'ifconfig');
    },
  },
  {
    program: 'ping, ping6, traceroute6', package: 'iputils-ping', client: 'emulated host', asked: 'echo and UDP probes over the link',
    ask: (lab) => {
      const text = lab.sh(`ping -c 2 ${CLIENT6}%lan0; busybox ping6 -c 1 -I lan0 ${CLIENT6}; busybox traceroute6 -n -m 3 ${CLIENT6}%lan0`);
      expect(text, /1 packets received/, 'ping6');
      expect(text, / 1 {2}fe80::ff:fe00:10%lan0 {2}[\d.]+ ms/, 'traceroute6');
      return expect(text, /2 packets transmitted, 2 received, 0% packet loss/, 'ping');
    },
  },
];

import { snapshotClass } from '../../emulator/base/index.js';
import { ip, type Host, type HostHandler, type Ip } from '../../emulator/net/index.js';
import { decodeDns, encodeAnswer, encodeQuery } from './dns.js';
import { expect, type Case } from './case.js';
import { cases6 } from './cases6.js';
import { services } from './cases-services.js';
import { CLIENT, ROUTER, type Lab, type LabOptions } from './lab.js';

const count = (text: string, pattern: RegExp): number => [...text.matchAll(new RegExp(pattern, 'gm'))].length;

// ---- dnsmasq

const dnsmasqConf = 'no-resolv\nlog-facility=-\ninterface=lan0\nhost-record=www.lan,192.168.1.80\ncname=alias.lan,www.lan\ntxt-record=info.lan,hello\nptr-record=1.1.168.192.in-addr.arpa,router.lan\n'
  + 'dhcp-range=192.168.1.100,192.168.1.150,12h\nenable-tftp\ntftp-root=/srv/tftp\n';
const bootFile = Buffer.from(Array.from({ length: 1500 }, (_, i) => i & 0xff));
const dnsmasq: LabOptions = { files: { '/etc/dnsmasq.conf': dnsmasqConf, '/srv/tftp/boot.img': bootFile } };

function withDnsmasq(lab: Lab): Lab {
  lab.start('/usr/sbin/dnsmasq', '-k');
  if (!lab.until(() => lab.console.includes('started, version'), 20)) throw new Error(`dnsmasq does not start: ${lab.console}`);
  return lab;
}

function query(lab: Lab, name: string, type: string): string {
  const [answer] = withDnsmasq(lab).ask(53, encodeQuery(name, type));
  if (!answer) throw new Error('no answer');
  return decodeDns(answer.bytes);
}

// ---- FRR

const frr: LabOptions = {
  files: {
    '/etc/frr/zebra.conf': 'hostname r\nlog stdout\n', '/etc/frr/staticd.conf': 'ip route 10.9.0.0/16 192.168.1.10\n',
    '/etc/frr/ripd.conf': 'router rip\n network lan0\n redistribute static\n', '/run/frr/.keep': '', '/var/run/frr/.keep': '', '/var/tmp/frr/.keep': '',
  },
};

function withFrr(lab: Lab, ...daemons: string[]): Lab {
  lab.sh('chown frr:frr /run/frr /var/run/frr /var/tmp/frr');
  for (const name of daemons) {
    const daemon = lab.start(`/usr/lib/frr/${name}`, '--log', 'stdout', '-f', `/etc/frr/${name}.conf`);
    lab.sleep(3);
    if (daemon.state !== 'alive') throw new Error(`${name} ended with ${daemon.exitStatus}; ${lab.console}`);
  }
  return lab;
}

/** RIP version 2 (RFC 2453): command, version, then family, tag, address, mask, next hop, metric. */
function ripResponse(network: string, mask: string): Uint8Array {
  const bytes = Buffer.alloc(24);
  bytes.set([2, 2, 0, 0, 0, 2], 0);
  bytes.writeUInt32BE(ip(network), 8);
  bytes.writeUInt32BE(ip(mask), 12);
  bytes[23] = 1;
  return bytes;
}

/** Networks of a response: dotted, with their metric. */
function ripNetworks(bytes: Uint8Array): string[] {
  const networks: string[] = [];
  for (let at = 4; bytes[0] === 2 && at + 20 <= bytes.length; at += 20) networks.push(`${bytes.slice(at + 4, at + 8).join('.')} metric ${bytes[at + 19]}`);
  return networks;
}

// ---- NTP (RFC 5905)

/** A server of stratum 1 on the client, so many seconds ahead of virtual time. */
class TimeServer implements HostHandler {
  private readonly lab: Lab;
  ahead: number;

  constructor(lab: Lab, ahead: number) {
    this.lab = lab;
    this.ahead = ahead;
    lab.client?.bind(123, this);
  }

  /** 0 leap, version, mode | 1 stratum | 2 poll | 3 precision | 12 reference | 16 reference time | 24 origin | 32 receive | 40 transmit */
  onDatagram(host: Host, _port: number, source: Ip, port: number, bytes: Uint8Array): void {
    const answer = Buffer.alloc(48);
    answer.set([0x24, 1, 4, 0xec], 0);
    answer.write('GPS', 12, 'latin1');
    answer.set(bytes.subarray(40, 48), 24);
    for (const at of [16, 32, 40]) this.stamp(answer, at);
    host.send(123, source, port, answer);
  }

  private stamp(answer: Buffer, at: number): void {
    const { clock } = this.lab.router.kernel;
    const time = clock.nanoseconds() / 1e9 + this.ahead;
    answer.writeUInt32BE(clock.bootEpoch + 2_208_988_800 + Math.floor(time), at);
    answer.writeUInt32BE(Math.floor((time % 1) * 4294967296), at + 4);
  }

  /** How far the router's clock is behind, in ms. */
  get error(): number {
    const { clock } = this.lab.router.kernel;
    const { seconds, nanoseconds } = clock.realtime();
    const now = clock.nanoseconds();
    return (clock.bootEpoch - seconds + this.ahead) * 1e3 + (now - nanoseconds) / 1e6;
  }
}
snapshotClass('test.TimeServer', TimeServer);

// ---- TFTP (RFC 1350): the whole file in blocks of 512

function tftpGet(lab: Lab, file: string): Buffer {
  const request = Buffer.concat([Buffer.from([0, 1]), Buffer.from(`${file}\0octet\0`)]);
  const blocks: Buffer[] = [];
  const { client } = lab;
  if (!client) throw new Error('no client');
  let done = false;
  const handler = {
    onDatagram: (_host: unknown, local: number, source: Ip, port: number, bytes: Uint8Array): void => {
      if (bytes[1] !== 3) throw new Error(`TFTP: opcode ${bytes[1]}: ${Buffer.from(bytes.subarray(4)).toString()}`);
      const number = (bytes[2] << 8) | bytes[3];
      blocks[number - 1] = Buffer.from(bytes.slice(4));
      client.send(local, source, port, Uint8Array.of(0, 4, bytes[2], bytes[3]));
      done = bytes.length < 516;
    },
  };
  const port = client.bind(0, handler);
  client.send(port, ip(ROUTER), 69, request);
  if (!lab.until(() => done, 30)) throw new Error(`the transfer did not end: ${blocks.length} blocks; ${lab.console}`);
  client.unbind(port);
  return Buffer.concat(blocks);
}

function sameFile(got: Buffer): string {
  if (Buffer.compare(got, bootFile) !== 0) throw new Error(`${got.length} bytes, not those of the file`);
  return `${got.length} bytes, identical`;
}

// ---- DHCP on one link

const leaseScript = '#!/bin/dash\necho "event $1 ip=$ip router=$router"\n[ "$1" = bound ] && ip addr add $ip/24 dev $interface\nexit 0\n';

function lease(lab: Lab): string {
  lab.sh('ip link set wan0 up');
  const text = lab.run('/bin/busybox', 'udhcpc', '-f', '-q', '-n', '-i', 'wan0', '-s', '/etc/lease.sh');
  expect(text, /event bound ip=192\.168\.1\.\d+ router=192\.168\.1\.1/, 'udhcpc');
  const address = expect(text, /lease of (\S+) obtained from 192\.168\.1\.1/, 'udhcpc');
  expect(lab.sh('ip addr show wan0'), new RegExp(`inet ${address}/24`), 'ip addr');
  return expect(text, /lease of \S+ obtained from 192\.168\.1\.1, lease time \d+/, 'udhcpc').replace(address, '192.168.1.x');
}

const udhcpdConf = 'start 192.168.1.20\nend 192.168.1.30\ninterface lan0\noption subnet 255.255.255.0\noption router 192.168.1.1\noption lease 3600\nmax_leases 11\nlease_file /var/lib/misc/udhcpd.leases\n';

// ---- SNMP (RFC 1905): GetRequest of one object, community "public"

function snmpGet(lab: Lab, oid: number[]): string {
  const tlv = (tag: number, ...parts: (Buffer | number[])[]): Buffer => {
    const body = Buffer.concat(parts.map((part) => Buffer.from(part)));
    return Buffer.concat([Buffer.from([tag, body.length]), body]);
  };
  const name = tlv(6, [oid[0] * 40 + oid[1], ...oid.slice(2)]);
  const pdu = tlv(0xa0, tlv(2, [7]), tlv(2, [0]), tlv(2, [0]), tlv(0x30, tlv(0x30, name, tlv(5, []))));
  const [answer] = lab.ask(161, tlv(0x30, tlv(2, [1]), tlv(4, Buffer.from('public')), pdu), 1, 30);
  if (!answer) throw new Error(`no answer; ${lab.console}`);
  const bytes = Buffer.from(answer.bytes);
  const at = bytes.indexOf(name) + name.length;
  if (at < name.length || bytes[at] !== 4) throw new Error(`unexpected answer ${bytes.toString('hex')}`);
  return bytes.subarray(at + 2, at + 2 + bytes[at + 1]).toString();
}

const snmpd: LabOptions = { ram: 128 << 20, files: { '/etc/snmp/snmpd.conf': 'agentaddress udp:161\nrocommunity public\nsyslocation rack 7\nsysservices 72\n', '/etc/snmp/snmp.conf': 'mibs :\n', '/var/lib/snmp/.keep': '' } };

function withSnmpd(lab: Lab): Lab {
  lab.start('/usr/sbin/snmpd', '-f', '-Lo', '-C', '-c', '/etc/snmp/snmpd.conf');
  if (!lab.until(() => lab.console.includes('NET-SNMP version'), 60)) throw new Error(`snmpd does not start: ${lab.console}`);
  return lab;
}

// ---- routing, time, shells

const birdConf = 'log stderr all;\nrouter id 192.168.1.1;\nprotocol device { scan time 5; }\nprotocol kernel { ipv4 { export all; }; }\n'
  + 'protocol static { ipv4; route 10.7.0.0/16 via 192.168.1.10; }\nprotocol rip { ipv4 { import all; export all; }; interface "lan0" { update time 5; }; }\n';

function withBird(lab: Lab): Lab {
  lab.start('/usr/sbin/bird', '-f', '-c', '/etc/bird.conf', '-s', '/run/bird.ctl');
  lab.sleep(12);
  return lab;
}

export const cases: readonly Case[] = [
  {
    program: 'dnsmasq', package: 'dnsmasq-base', client: 'emulated host, query of RFC 1035', asked: 'A of www.lan over UDP', options: dnsmasq,
    ask: (lab) => expect(query(lab, 'www.lan', 'A'), /^www\.lan A 192\.168\.1\.80$/, 'answer'),
  },
  {
    program: 'dnsmasq', package: 'dnsmasq-base', client: 'emulated host, query of RFC 1035', asked: 'CNAME chain of alias.lan', options: dnsmasq,
    ask: (lab) => expect(query(lab, 'alias.lan', 'A'), /^alias\.lan CNAME www\.lan; www\.lan A 192\.168\.1\.80$/, 'answer'),
  },
  {
    program: 'dnsmasq', package: 'dnsmasq-base', client: 'emulated host, query of RFC 1035', asked: 'PTR of 192.168.1.1', options: dnsmasq,
    ask: (lab) => expect(query(lab, '1.1.168.192.in-addr.arpa', 'PTR'), / PTR router\.lan$/, 'answer').trim(),
  },
  {
    program: 'dnsmasq', package: 'dnsmasq-base', client: 'emulated host; another server on it', asked: 'a name it must ask its upstream for; the second time from its cache',
    options: { files: { '/etc/dnsmasq.conf': 'log-facility=-\ninterface=lan0\n', '/etc/resolv.conf': `nameserver ${CLIENT}\n` } },
    ask: (lab) => {
      let asked = 0;
      lab.client?.bind(53, { onDatagram: (host, port, source, from, bytes) => {
        asked++;
        host.send(port, source, from, encodeAnswer(bytes, '203.0.113.7'));
      } });
      const first = query(lab, 'example.test', 'A');
      const [again] = lab.ask(53, encodeQuery('example.test', 'A'));
      if (!again || decodeDns(again.bytes) !== first || asked !== 1) throw new Error(`asked the upstream ${asked} times: ${first}`);
      return expect(first, /^example\.test A 203\.0\.113\.7$/, 'answer');
    },
  },
  {
    program: 'dnsmasq', package: 'dnsmasq-base', client: "busybox udhcpc, packet socket, on the router's other port", asked: 'a DHCP lease to completion', options: { looped: true, files: { ...dnsmasq.files, '/etc/lease.sh': leaseScript } },
    ask: (lab) => lease(withDnsmasq(lab)),
  },
  { program: 'dnsmasq', package: 'dnsmasq-base', client: 'emulated host, RFC 1350', asked: 'TFTP: 1500 bytes', options: dnsmasq, ask: (lab) => sameFile(tftpGet(withDnsmasq(lab), 'boot.img')) },
  {
    program: 'tftpd-hpa', package: 'tftpd-hpa', client: 'emulated host, RFC 1350', asked: '1500 bytes', options: { files: { '/srv/tftp/boot.img': bootFile } },
    ask: (lab) => {
      lab.start('/usr/sbin/in.tftpd', '-L', '-4', '-s', '/srv/tftp', '--address', '0.0.0.0:69');
      lab.sleep(2);
      return sameFile(tftpGet(lab, 'boot.img'));
    },
  },
  {
    program: 'udhcpd', package: 'busybox-static', client: "busybox udhcpc on the router's other port", asked: 'a lease to completion', options: { looped: true, files: { '/etc/udhcpd.conf': udhcpdConf, '/var/lib/misc/udhcpd.leases': '', '/etc/lease.sh': leaseScript } },
    ask: (lab) => {
      lab.start('/bin/busybox', 'udhcpd', '-f', '/etc/udhcpd.conf');
      lab.sleep(1);
      return lease(lab);
    },
  },
  { program: 'snmpd', package: 'snmpd', client: 'emulated host, GetRequest of RFC 1905', asked: 'sysLocation.0', options: snmpd, ask: (lab) => expect(snmpGet(withSnmpd(lab), [1, 3, 6, 1, 2, 1, 1, 6, 0]), /^rack 7$/, 'sysLocation') },
  {
    program: 'snmpd', package: 'snmpd', client: 'net-snmp snmpwalk', asked: 'a walk of 1.3.6.1.2.1', options: snmpd,
    ask: (lab) => {
      const text = withSnmpd(lab).sh(`snmpwalk -v2c -c public -t 20 -On ${ROUTER} .1.3.6.1.2.1; echo status $?`);
      expect(text, /status 0/, 'snmpwalk');
      expect(text, /\.2\.2\.1\.2\.2 = STRING: "?lan0/, 'ifDescr.2');
      expect(text, /\.4\.20\.1\.1\.192\.168\.1\.1 = IpAddress: 192\.168\.1\.1/, 'ipAdEntAddr');
      const rows = count(text, /^\.1\.3\.6/);
      if (rows < 600) throw new Error(`only ${rows} rows`);
      return `more than ${Math.floor(rows / 100) * 100} rows, interfaces and addresses among them`;
    },
  },
  {
    program: 'bird', package: 'bird2', client: 'iproute2 ip; birdc over its local socket', asked: 'a static route in the kernel; protocols', options: { files: { '/etc/bird.conf': birdConf } },
    ask: (lab) => {
      const text = withBird(lab).sh('ip route; birdc -s /run/bird.ctl show protocols; birdc -s /run/bird.ctl show interfaces summary');
      expect(text, /rip1 +RIP +master4 +up/, 'birdc');
      return expect(text, /10\.7\.0\.0\/16 via 192\.168\.1\.10 dev lan0 proto bird metric 32/, 'ip route');
    },
  },
  {
    program: 'bird', package: 'bird2', client: 'emulated host that joined 224.0.0.9', asked: 'RIP responses on the link', options: { files: { '/etc/bird.conf': birdConf } },
    ask: (lab) => {
      const heard: string[] = [];
      const { client } = lab;
      if (!client) throw new Error('no client');
      client.bind(520, { onDatagram: (_host, _port, _source, _from, bytes) => void heard.push(`command ${bytes[0]} version ${bytes[1]} ${(bytes.length - 4) / 20} routes`) });
      client.interface.join(ip('224.0.0.9'));
      withBird(lab);
      return expect(heard.join('; '), /command 2 version 2 \d+ routes/, 'heard');
    },
  },
  {
    program: 'zebra, staticd, ripd', package: 'frr', client: 'emulated host that speaks RIP, RFC 2453; iproute2 ip', asked: 'a static route into the kernel and onto the link, a route heard on the link into the kernel', options: frr,
    ask: (lab) => {
      const heard = new Set<string>();
      const { client } = lab;
      if (!client) throw new Error('no client');
      client.bind(520, { onDatagram: (_host, _port, _source, _from, bytes) => ripNetworks(bytes).forEach((network) => heard.add(network)) });
      client.interface.join(ip('224.0.0.9'));
      withFrr(lab, 'zebra', 'staticd', 'ripd');
      for (let i = 0; i < 4; i++) {
        client.send(520, ip('224.0.0.9'), 520, ripResponse('10.77.0.0', '255.255.0.0'));
        lab.sleep(10);
      }
      const routes = lab.sh('ip route');
      const learned = expect(routes, /10\.77\.0\.0\/16 (?:nhid \d+ )?via 192\.168\.1\.10 dev lan0 proto rip metric 20/, `ip route; ${lab.console}`);
      expect(routes, /10\.9\.0\.0\/16 (?:nhid \d+ )?via 192\.168\.1\.10 dev lan0 proto static metric 20/, 'ip route');
      return `${learned}; heard ${expect([...heard].join('; '), /10\.9\.0\.0 metric \d+/, 'RIP')}`;
    },
  },
  {
    program: 'openntpd', package: 'openntpd', client: 'emulated host, RFC 5905', asked: 'mode 3 packet', options: { files: { '/etc/openntpd/ntpd.conf': `listen on ${ROUTER}\nserver ${CLIENT}\n`, '/var/lib/openntpd/.keep': '', '/run/openntpd/.keep': '' } },
    ask: (lab) => {
      lab.start('/usr/sbin/openntpd-ntpd', '-d', '-f', '/etc/openntpd/ntpd.conf');
      lab.sleep(10);
      const [answer] = lab.ask(123, Buffer.concat([Buffer.from([0x23]), Buffer.alloc(47)]));
      if (answer?.bytes.length !== 48) throw new Error(`no answer; ${lab.console}`);
      return `mode ${answer.bytes[0] & 7}, leap ${answer.bytes[0] >> 6} (not synchronized)`;
    },
  },
  {
    program: 'openntpd', package: 'openntpd', client: 'a time server on an emulated host, RFC 5905', asked: 'the time: an hour off at the start (-s), then 90 ms off while it runs', options: { files: { '/etc/openntpd/ntpd.conf': `server ${CLIENT}\n`, '/var/lib/openntpd/.keep': '', '/run/openntpd/.keep': '' } },
    ask: (lab) => {
      const server = new TimeServer(lab, 3600);
      // In the first second of an uptime it takes "now" for "never" and asks nobody.
      lab.sleep(2);
      lab.start('/usr/sbin/openntpd-ntpd', '-d', '-s', '-f', '/etc/openntpd/ntpd.conf');
      if (!lab.until(() => Math.abs(server.error) < 20, 60)) throw new Error(`${server.error.toFixed(1)} ms off; ${lab.console}`);
      server.ahead += 0.09;
      lab.sleep(1500);
      if (Math.abs(server.error) > 5) throw new Error(`${server.error.toFixed(1)} ms off; ${lab.console}`);
      return expect(lab.console, /set local clock|adjusting local clock/, 'log') && 'set at once, then steered to within 5 ms';
    },
  },
  {
    program: 'ntpsec', package: 'ntpsec', client: 'a time server on an emulated host, RFC 5905', asked: 'the time: an hour off at the start (-g), then 20 ms off while it runs', options: { files: { '/etc/ntp.conf': `server ${CLIENT} iburst minpoll 4 maxpoll 4\n`, '/var/lib/ntpsec/.keep': '' } },
    ask: (lab) => {
      const server = new TimeServer(lab, 3600);
      lab.start('/usr/sbin/ntpsec-ntpd', '-n', '-g', '-c', '/etc/ntp.conf');
      if (!lab.until(() => Math.abs(server.error) < 20, 300)) throw new Error(`${server.error.toFixed(1)} ms off; ${lab.console}`);
      server.ahead += 0.02;
      if (!lab.until(() => Math.abs(server.error) < 2, 3000)) throw new Error(`${server.error.toFixed(1)} ms off; ${lab.console}`);
      return 'set, then steered to within 2 ms by the kernel\'s phase-locked loop';
    },
  },
  {
    program: 'ip', package: 'iproute2', client: 'itself', asked: 'addresses, routes, neighbours changed and shown',
    ask: (lab) => {
      const text = lab.sh('ip addr add 192.168.1.2/24 dev lan0; ip route add 10.0.0.0/8 via 192.168.1.10; ip route add blackhole 172.16.0.0/12; ip route get 10.1.1.1; ip neigh add 192.168.1.7 lladdr 02:00:00:00:00:07 dev lan0; ip addr; ip route; ip neigh; ip rule; ip link add br0 type bridge 2>&1; ip route add 10.0.0.0/8 via 192.168.1.10 2>&1');
      for (const pattern of [/10\.1\.1\.1 via 192\.168\.1\.10 dev lan0/, /inet 192\.168\.1\.2\/24 brd 192\.168\.1\.255 scope global secondary lan0/, /blackhole 172\.16\.0\.0\/12/, /192\.168\.1\.7 dev lan0 lladdr 02:00:00:00:00:07 PERMANENT/, /32766:\tfrom all lookup main/, /Error: Unknown device type/, /RTNETLINK answers: File exists/]) expect(text, pattern, 'ip');
      return 'as Linux prints them; EEXIST and "Unknown device type" told apart';
    },
  },
  {
    program: 'ifconfig, route, arp, netstat', package: 'net-tools', client: 'itself', asked: 'interface configured and shown',
    ask: (lab) => {
      const text = lab.sh(`ifconfig wan0 10.0.0.1 netmask 255.0.0.0 up; ifconfig -a; route add -net 10.9.0.0 netmask 255.255.0.0 gw 10.0.0.9; netstat -rn; ping -c 1 ${CLIENT} >/dev/null; arp -an; netstat -un`);
      expect(text, /inet 10\.0\.0\.1 {2}netmask 255\.0\.0\.0 {2}broadcast 10\.255\.255\.255/, 'ifconfig');
      expect(text, /10\.9\.0\.0 +10\.0\.0\.9 +255\.255\.0\.0 +UG/, 'netstat -rn');
      return expect(text, /\(192\.168\.1\.10\) at 02:00:00:00:00:10 \[ether\] +on lan0/, 'arp');
    },
  },
  { program: 'ping', package: 'iputils-ping', client: 'emulated host', asked: '2 echo requests', ask: (lab) => expect(lab.sh(`ping -c 2 ${CLIENT}`), /2 packets transmitted, 2 received, 0% packet loss/, 'ping') },
  {
    program: 'arping, traceroute, ping', package: 'busybox-static', client: 'emulated host', asked: 'ARP, UDP probes, echo',
    ask: (lab) => {
      const text = lab.sh(`busybox arping -c 1 -I lan0 ${CLIENT}; busybox traceroute -n -m 3 ${CLIENT}; busybox ping -c 1 ${CLIENT}`);
      expect(text, / 1 {2}192\.168\.1\.10 {2}[\d.]+ ms/, 'traceroute');
      expect(text, /1 packets received/, 'ping');
      return expect(text, /Unicast reply from 192\.168\.1\.10 \[02:00:00:00:00:10\]/, 'arping');
    },
  },
  {
    program: 'syslogd, logger', package: 'busybox-static', client: 'busybox logger over /dev/log', asked: 'a line in /var/log/messages',
    ask: (lab) => {
      lab.start('/bin/busybox', 'syslogd', '-n', '-O', '/var/log/messages');
      lab.sleep(1);
      lab.sh('busybox logger -t lab -p daemon.notice "it works"');
      lab.sleep(1);
      return expect(lab.sh('cat /var/log/messages'), /daemon\.notice lab: it works/, 'messages');
    },
  },
  {
    program: 'ps, top, netstat, free', package: 'busybox-static', client: 'itself', asked: 'the process table and sockets',
    ask: (lab) => {
      lab.start('/bin/busybox', 'syslogd', '-n');
      const text = lab.sh('busybox ps; busybox top -b -n 1; busybox netstat -anux 2>&1; busybox free; busybox pidof busybox');
      expect(text, /busybox syslogd -n/, 'ps');
      expect(text, /unix +\d+ +\[ [^\]]*\] +DGRAM .*\/dev\/log/, 'netstat');
      return expect(text, /PID {2}PPID USER +STAT +VSZ %VSZ %CPU COMMAND/, 'top');
    },
  },
  { program: 'lua', package: 'lua5.4', client: 'itself', asked: 'popen, mathematics, dates', ask: (lab) => expect(lab.run('/usr/bin/lua5.4', '-e', 'local f = io.popen("echo sub; uname -m"); print(f:read("a"):gsub("\\n", " "), string.format("%.10f", math.sqrt(2)), os.date("!%Y-%m-%d", 86400))'), /sub mips \t1\.4142135624\t1970-01-02/, 'lua').replaceAll(/\s+/g, ' ') },
  {
    program: 'bash', package: 'bash', client: 'a pseudo-terminal, keys typed by hand', asked: 'job control: ^C, ^Z, fg; line editing',
    ask: (lab) => {
      const terminal = lab.terminal('/bin/bash', '--norc', '-i');
      terminal.type('PS1="ready> "\n', 'ready> ');
      terminal.type('echo $((6*7)) ; tty\n', '42');
      terminal.type('sleep 1000\n');
      terminal.type('\x1a', 'Stopped');
      terminal.type('jobs\n', 'sleep 1000');
      terminal.type('fg\n');
      terminal.type('\x03', 'ready> ');
      terminal.type('echo status $?\n', 'status 130');
      terminal.type('ecjo\x7f\x7fho edited\n', '\nedited');
      terminal.type('exit\n');
      return `on ${expect(terminal.screen, /\/dev\/pts\/0/, 'tty')}`;
    },
  },
  {
    program: 'bash, coreutils', package: 'bash', client: 'itself', asked: 'pipelines, process substitution, traps, arrays',
    ask: (lab) => expect(lab.run('/bin/bash', '-c', 'cd /tmp; for i in 1 2 3; do echo $((i*i)); done | sort -r | paste -sd+; trap "echo trapped" USR1; kill -USR1 $$; cat <(echo substituted); x=(a b c); echo ${x[@]:1}; (sleep 1; echo later) & wait; df -h / | tail -1 | cut -d" " -f1; stat -c %F /dev/null').replaceAll('\n', ' '), /9\+4\+1 trapped substituted b c later \S+ character special file/, 'bash'),
  },
  ...cases6,
  ...services,
];

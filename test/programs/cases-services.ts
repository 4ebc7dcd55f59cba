import { decodeDns, encodeQuery } from './dns.js';
import { expect, type Case } from './case.js';
import type { Lab } from './lab.js';

/** Services no router of the catalog has, of the kinds that ask most of a kernel: many processes, threads, epoll, copy-on-write, terminals. */

const zone = '$ORIGIN example.lan.\n@ 3600 IN SOA ns hostmaster 1 3600 900 86400 300\n@ IN NS ns\nns IN A 192.168.1.1\nwww IN A 192.168.1.80\n';
const nsdConf = 'server:\n ip-address: 0.0.0.0\n username: ""\n database: ""\n zonesdir: "/etc/nsd"\n pidfile: ""\nzone:\n name: example.lan\n zonefile: example.zone\nremote-control:\n control-enable: no\n';
const haproxyCfg = 'defaults\n mode http\n timeout connect 5s\n timeout client 30s\n timeout server 30s\nfrontend f\n bind :80\n default_backend b\nbackend b\n server one 127.0.0.1:8001\n server two 127.0.0.1:8002\n';

/** Ask the router's shell until the answer matches: daemons take a while to listen. */
function eventually(lab: Lab, line: string, pattern: RegExp): string {
  let text = '';
  for (let tries = 0; tries < 20; tries++) {
    lab.sleep(0.5);
    text = lab.sh(line);
    if (pattern.test(text)) break;
  }
  return expect(text, pattern, `${line}; the console:\n${lab.console}\n`);
}

export const services: Case[] = [
  {
    program: 'nsd', package: 'nsd', client: 'emulated host, query of RFC 1035', asked: 'A of www.example.lan from its own zone', options: { files: { '/etc/nsd/nsd.conf': nsdConf, '/etc/nsd/example.zone': zone } },
    ask: (lab) => {
      lab.start('/usr/sbin/nsd', '-d', '-c', '/etc/nsd/nsd.conf');
      if (!lab.until(() => lab.console.includes('nsd started'), 20)) throw new Error(`nsd does not start: ${lab.console}`);
      const [answer] = lab.ask(53, encodeQuery('www.example.lan', 'A'));
      return decodeDns(answer.bytes);
    },
  },
  {
    program: 'haproxy', package: 'haproxy', client: 'busybox wget', asked: 'a page of each of two servers behind it', options: { ram: 128 << 20, files: { '/etc/haproxy.cfg': haproxyCfg, '/srv/1/index.html': 'first\n', '/srv/2/index.html': 'second\n' } },
    ask: (lab) => {
      for (const n of ['1', '2']) lab.start('/bin/busybox', 'httpd', '-f', '-p', `127.0.0.1:800${n}`, '-h', `/srv/${n}`);
      lab.start('/usr/sbin/haproxy', '-db', '-f', '/etc/haproxy.cfg');
      return eventually(lab, 'ip link set lo up; busybox wget -q -O - http://127.0.0.1/; busybox wget -q -O - http://127.0.0.1/', /first\nsecond|second\nfirst/).split('\n').sort().join(', ');
    },
  },
  {
    program: 'redis', package: 'redis-server', client: 'redis-cli', asked: 'a counter, a snapshot written by a fork, read again by another server', options: { ram: 128 << 20 },
    ask: (lab) => {
      const server = lab.start('/usr/bin/redis-server', '--dir', '/tmp', '--save', '');
      eventually(lab, 'ip link set lo up; redis-cli ping', /PONG/);
      lab.sh('redis-cli set hits 41; redis-cli incr hits; redis-cli bgsave; sleep 1; redis-cli shutdown nosave');
      if (!lab.until(() => server.state !== 'alive', 10)) throw new Error(`redis-server goes on: ${lab.console}`);
      lab.start('/usr/bin/redis-server', '--dir', '/tmp', '--save', '');
      return `hits ${eventually(lab, 'redis-cli get hits', /^42$/m)}`;
    },
  },
  {
    program: 'mosquitto', package: 'mosquitto', client: 'mosquitto_sub, mosquitto_pub', asked: 'a retained message and one published later', options: { ram: 128 << 20 },
    ask: (lab) => {
      lab.sh('ip link set lo up');
      lab.start('/usr/sbin/mosquitto');
      lab.sleep(2);
      const text = lab.sh('mosquitto_pub -r -t lab/door -m shut; (sleep 1; mosquitto_pub -t lab/door -m open) & mosquitto_sub -t lab/+ -C 2 -W 20');
      return expect(text, /shut\nopen/, `mosquitto_sub; the console:\n${lab.console}\n`).replace('\n', ', ');
    },
  },
  {
    program: 'socat', package: 'socat', client: 'socat, over TCP, a local socket and a pseudo-terminal', asked: 'a program behind each',
    ask: (lab) => {
      lab.sh('ip link set lo up');
      lab.start('/usr/bin/socat', 'TCP-LISTEN:7,fork,reuseaddr', 'EXEC:/bin/cat');
      lab.start('/usr/bin/socat', 'UNIX-LISTEN:/tmp/s,fork', 'EXEC:/usr/bin/tty,pty,stderr');
      lab.sleep(2);
      return expect(lab.sh('echo over tcp | socat - TCP:127.0.0.1:7; socat - UNIX-CONNECT:/tmp/s </dev/null'), /over tcp\n\/dev\/pts\/\d+/, 'socat').replace('\n', ', ');
    },
  },
];

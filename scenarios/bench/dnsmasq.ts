import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { DnsType } from '../codecs/dns.js';
import { rootFilesystem } from '../root-filesystem.js';
import { address, DNS_PORT, Questioner, serverUnderQemu } from './dns.js';
import { QEMU } from './rate.js';
import { Stand } from './stand.js';
import type { Run, Workload } from './workload.js';

const PROGRAM = '/usr/sbin/dnsmasq';
const LOOPBACK_PORT = 5398;
export const QUESTIONS = [address('www.lan'), address('alias.lan'), { name: '80.1.168.192.in-addr.arpa', type: DnsType.PTR }];
const FILES = { '/etc/passwd': 'root:x:0:0:root:/root:/bin/sh\n', '/etc/group': 'root:x:0:\n', '/run/.keep': '', '/var/run/.keep': '', '/var/lib/misc/.keep': '' };

/** The same program, the same records; what differs is where it listens. */
export const dnsmasq = (...where: string[]): string[] =>
  [PROGRAM, '-k', '-C', '/dev/null', '-u', 'root', '-x', '', '--log-facility=-', '--no-resolv', '--no-hosts', '--host-record=www.lan,192.168.1.80', '--cname=alias.lan,www.lan', ...where];

export const ON_THE_ROUTER = ['--interface=lan0', '-p', String(DNS_PORT)];

/** Why there is no dnsmasq to be had, or null. */
export function missingDnsmasq(rootfs: string | null): string | null {
  if (rootfs === null) return 'no root filesystem with dnsmasq: name one with --rootfs DIR, or in SHUNTBOX_DEBIAN a folder made by test/programs/fetch.sh';
  return existsSync(join(rootfs, PROGRAM)) ? null : `${rootfs} holds no ${PROGRAM}`;
}

function prepare(rootfs: string, queries: number): Run {
  const stand = new Stand({ ...rootFilesystem(rootfs), files: FILES });
  const questioner = new Questioner(stand.host(), QUESTIONS, queries);
  stand.powerOn();
  stand.start(dnsmasq(...ON_THE_ROUTER), 'started, version');
  return () => stand.work(() => questioner.ask(), () => questioner.answered >= queries, queries, `${queries} answers`);
}

/** Debian's dnsmasq, unmodified, answering from its records. */
export function dnsmasqAnswering(rootfs: string | null, queries: number): Workload {
  const [program, ...rest] = dnsmasq('--listen-address=127.0.0.1', '--bind-interfaces', '-p', String(LOOPBACK_PORT));
  const command = ['-L', `${rootfs}`, `${rootfs}${program}`, ...rest];
  return {
    name: 'dnsmasq',
    about: `an unmodified dnsmasq answers ${queries} queries from its records, one after the other`,
    unit: 'queries',
    missing: missingDnsmasq(rootfs),
    prepare: () => prepare(rootfs as string, queries),
    native: { by: "the server's processor time", seconds: () => serverUnderQemu(QEMU, command, LOOPBACK_PORT, QUESTIONS, queries) },
  };
}

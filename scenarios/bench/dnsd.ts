import { readFileSync } from 'node:fs';
import { address, Questioner, serverUnderQemu } from './dns.js';
import { QEMU } from './rate.js';
import { Stand } from './stand.js';
import type { Run, Workload } from './workload.js';

const QUESTIONS = [address('router.lan')];
const LOOPBACK_PORT = 5399;
const BOOT_SECONDS = 5;
const INIT_CONF = `interface lo 127.0.0.1/8
interface lan0 192.168.1.1/24
daemon dnsd none -- /usr/sbin/dnsd
`;

function prepare(image: Uint8Array, queries: number): Run {
  const stand = new Stand({ image, files: { '/etc/init.conf': INIT_CONF } });
  const questioner = new Questioner(stand.host(), QUESTIONS, queries);
  stand.router.boot();
  stand.router.run(BOOT_SECONDS * stand.router.kernel.clock.hz);
  return () => stand.work(() => questioner.ask(), () => questioner.answered >= queries, queries, `${queries} answers`);
}

/** The firmware's DNS forwarder answering from its static records, on the whole router. */
export function dnsdAnswering(root: string, queries: number): Workload {
  const image = readFileSync(`${root}router-firmware/image/router.cpio.gz`);
  const command = [`${root}router-firmware/bin/dnsd`, '-l', '127.0.0.1', '-p', String(LOOPBACK_PORT), '-u', '127.0.0.1:9', '-H', `${root}router-firmware/rootfs/etc/hosts`];
  return {
    name: 'dnsd',
    about: `the firmware's DNS forwarder answers ${queries} queries, one after the other`,
    unit: 'queries',
    prepare: () => prepare(image, queries),
    native: { by: "the server's processor time", seconds: () => serverUnderQemu(QEMU, command, LOOPBACK_PORT, QUESTIONS, queries) },
  };
}

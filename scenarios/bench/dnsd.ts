import { spawn, spawnSync, type ChildProcess } from 'node:child_process';
import { createSocket, type Socket } from 'node:dgram';
import { once } from 'node:events';
import { readFileSync } from 'node:fs';
import { Random } from '../../emulator/base/index.js';
import { Cable, Host, ip, mac, type HostHandler } from '../../emulator/net/index.js';
import { Router } from '../../emulator/router/router.js';
import { decodeMessage, DnsType, encodeQuery } from '../codecs/dns.js';
import type { Outcome, Workload } from './workload.js';

const NAME = 'router.lan';
const ROUTER_ADDRESS = ip('192.168.1.1');
const PORT = 53;
const CLIENT_PORT = 40000;
const LOOPBACK_PORT = 5399;
const BOOT_SECONDS = 5;
const INIT_CONF = `interface lo 127.0.0.1/8
interface lan0 192.168.1.1/24
daemon dnsd none -- /usr/sbin/dnsd
`;

/** Asks the next question as soon as the last is answered. */
class Questioner implements HostHandler {
  answered = 0;
  readonly wanted: number;

  constructor(wanted: number) {
    this.wanted = wanted;
  }

  ask(host: Host): void {
    host.send(CLIENT_PORT, ROUTER_ADDRESS, PORT, encodeQuery(this.answered & 0xffff, NAME, DnsType.A));
  }

  onDatagram(host: Host, _port: number, _source: number, _sourcePort: number, payload: Uint8Array): void {
    const answer = decodeMessage(payload);
    if (!answer || answer.answers.length !== 1) throw new Error('dnsd answered something else');
    this.answered++;
    if (this.answered < this.wanted) this.ask(host);
  }
}

function prepare(image: Uint8Array, queries: number): () => Outcome {
  const router = Router.create({ image, seed: 1, files: { '/etc/init.conf': INIT_CONF }, checkpoint: null });
  const { kernel } = router;
  const cable = new Cable(kernel.clock, kernel.events);
  router.attach('lan0', cable);
  const host = new Host(kernel.clock, kernel.events, new Random(2), cable, 1, { name: 'desk', mac: mac('02:00:00:00:00:10'), address: ip('192.168.1.10'), prefix: 24 });
  const questioner = new Questioner(queries);
  host.bind(CLIENT_PORT, questioner);
  router.boot();
  router.run(BOOT_SECONDS * kernel.clock.hz);
  return () => {
    const before = kernel.retired;
    questioner.ask(host);
    if (!router.runUntil(() => questioner.answered >= queries, Infinity, kernel.clock.hz / 10)) throw new Error(`dnsd answered ${questioner.answered} of ${queries} queries`);
    return { instructions: kernel.retired - before, output: `${questioner.answered} answers` };
  };
}

/** User and system time of a process in seconds, from /proc (clock ticks of 10 ms); null where there is none. */
function cpuSeconds(child: ChildProcess): number | null {
  try {
    const fields = readFileSync(`/proc/${child.pid}/stat`, 'latin1').split(') ')[1].split(' ');
    return (Number(fields[11]) + Number(fields[12])) / 100;
  } catch {
    return null;
  }
}

async function askAll(socket: Socket, queries: number): Promise<void> {
  for (let n = 0; n < queries; n++) {
    socket.send(encodeQuery(n & 0xffff, NAME, DnsType.A), LOOPBACK_PORT, '127.0.0.1');
    await Promise.race([once(socket, 'message'), new Promise((_, reject) => { setTimeout(() => reject(new Error('qemu: no answer')), 2000).unref(); })]);
  }
}

/** The same program under qemu-user on loopback, asked the same questions: its processor time in seconds. */
async function underQemu(qemu: string, root: string, queries: number): Promise<number | null> {
  if (spawnSync(qemu, ['--version']).error) return null;
  const child = spawn(qemu, [`${root}router-firmware/bin/dnsd`, '-l', '127.0.0.1', '-p', String(LOOPBACK_PORT), '-u', '127.0.0.1:9', '-H', `${root}router-firmware/rootfs/etc/hosts`], { stdio: ['ignore', 'pipe', 'pipe'] });
  const socket = createSocket('udp4');
  try {
    await Promise.race([once(child.stdout, 'data'), once(child.stderr, 'data'), once(child, 'exit')]);
    await askAll(socket, 1);
    const before = cpuSeconds(child);
    await askAll(socket, queries);
    const after = cpuSeconds(child);
    return before === null || after === null ? null : after - before;
  } finally {
    socket.close();
    child.kill();
  }
}

/** The firmware's DNS forwarder answering from its static records, on the whole router. */
export function dnsdAnswering(root: string, qemu: string, queries: number): Workload {
  const image = readFileSync(`${root}router-firmware/image/router.cpio.gz`);
  return {
    name: 'dnsd',
    about: `the DNS forwarder answers ${queries} queries, one after the other; kernel and network included`,
    units: { name: 'queries', count: queries },
    prepare: () => prepare(image, queries),
    nativeSeconds: () => underQemu(qemu, root, queries),
  };
}

import { readFileSync } from 'node:fs';
import type { CheckpointOptions } from '../../../emulator/kernel/index.js';
import { Cable, Host, ip, mac } from '../../../emulator/net/index.js';
import { Router } from '../../../emulator/router/router.js';
import { Reply, RouterSubject } from './router-subject.js';

const NETWORK = 'interface lo 127.0.0.1/8\ninterface lan0 192.168.1.1/24\ninterface wan0 203.0.113.2/24\nroute default 203.0.113.1\nsysctl net.ipv4.ip_forward 1\n';
const STREAM_PORT = 7;

export type ArmName = 'none' | 'rollback' | 'transparent';

interface Arm {
  /** The programs whose bugs are repaired, or those with them. */
  suffix: string;
  flags: string;
  checkpoint: Partial<CheckpointOptions> | null;
}

/** Without checkpoints only daemons without the planted bugs can be expected to answer afterwards. */
const arms: Readonly<Record<ArmName, Arm>> = {
  none: { suffix: '.patched', flags: '', checkpoint: null },
  rollback: { suffix: '', flags: ' -m rollback -s share -q', checkpoint: { poolFrames: 512 } },
  transparent: { suffix: '', flags: '', checkpoint: { poolFrames: 512, guard: { daemons: ['*'], intervalNs: 100e6, generationNs: 10e9, watchdogNs: 2e9, strikes: 3, repeats: 5 } } },
};

/** The firmware's image with its daemons, a client at lan0, at wan0 a name server that is silent. */
function boot(name: ArmName): { router: Router; client: Host; upstream: Host } {
  const { suffix, flags, checkpoint } = arms[name];
  const daemon = (program: string): string => `daemon ${program} respawn -- /usr/sbin/${program}${suffix}${flags}\n`;
  const daemons = `${['dnsd', 'dhcpd', 'quotad'].map(daemon).join('')}daemon tcpstream respawn -- /usr/sbin/tcpstream ${STREAM_PORT}\n`;
  const router = Router.create({
    image: readFileSync('router-firmware/image/router.cpio.gz'), checkpoint,
    files: { '/etc/init.conf': NETWORK + daemons, '/usr/sbin/tcpstream': readFileSync('test/guest/bin/tcpstream') }, executables: ['/usr/sbin/tcpstream'],
  });
  const { clock, events, random } = router.kernel;
  const cables = [new Cable(clock, events, clock.toCycles(10_000)), new Cable(clock, events)];
  router.attach('lan0', cables[0]);
  router.attach('wan0', cables[1]);
  const client = new Host(clock, events, random.fork(7), cables[0], 1, { name: 'client', mac: mac('02:00:00:00:00:10'), address: ip('192.168.1.10'), prefix: 24, gateway: ip('192.168.1.1') });
  const upstream = new Host(clock, events, random.fork(8), cables[1], 1, { name: 'upstream', mac: mac('02:00:00:00:02:35'), address: ip('203.0.113.53'), prefix: 24 });
  router.boot();
  router.run(clock.cycles + clock.hz);
  return { router, client, upstream };
}

/** The router with its own daemons. */
export class Booted extends RouterSubject {
  constructor(name: ArmName) {
    const { router, client, upstream } = boot(name);
    super(router, client, { udp: [53, 67, 7778], tcp: STREAM_PORT });
    this.stacks.upstream = upstream.stack;
  }

  ask(): string | null {
    return this.resolve('printer.lan', '192.168.1.2');
  }

  stream(bytes: Uint8Array, meanwhile: () => void): string | null {
    const connection = this.sender.stack.tcp.socket();
    const reply = new Reply();
    connection.handler = reply;
    connection.connect(this.target.address, STREAM_PORT);
    this.pass(10e6);
    const half = bytes.length >> 1;
    connection.send(Buffer.from('s'));
    let sent = Math.max(0, connection.send(bytes.subarray(0, half)));
    meanwhile();
    sent += Math.max(0, connection.send(bytes.subarray(sent)));
    connection.shutdownWrite();
    const expected = `${sent} ${bytes.subarray(0, sent).reduce((sum, byte) => (Math.imul(sum, 31) + byte) >>> 0, 0)}`;
    this.until(() => reply.text.length >= expected.length, 20);
    connection.close();
    return reply.text === expected ? null : `a stream of ${sent} bytes: the router counts "${reply.text}" instead of "${expected}"`;
  }
}

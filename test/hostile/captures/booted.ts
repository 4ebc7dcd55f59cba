import { createHash } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { snapshotClass, textOf } from '../../../emulator/base/index.js';
import type { CheckpointOptions } from '../../../emulator/kernel/index.js';
import { Cable, Host, ip, mac, type HostHandler, type NetInterface, type NetStack, type TcpConnection, type TcpHandler } from '../../../emulator/net/index.js';
import { Router } from '../../../emulator/router/router.js';
import { decodeDns, encodeQuery } from '../../programs/dns.js';
import { linkLocal, type Target } from './forms.js';
import type { Subject } from './subject.js';

const NETWORK = 'interface lo 127.0.0.1/8\ninterface lan0 192.168.1.1/24\ninterface wan0 203.0.113.2/24\nroute default 203.0.113.1\nsysctl net.ipv4.ip_forward 1\n';
const STREAM_PORT = 7;
const GAP_NS = 100_000;

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
  transparent: { suffix: '', flags: '', checkpoint: { poolFrames: 512, guard: { daemons: ['*'], intervalNs: 100e6, generationNs: 10e9, watchdogNs: 2e9, strikes: 3 } } },
};

class Answers implements HostHandler {
  readonly got: Uint8Array[] = [];
  onDatagram(_host: Host, _port: number, _source: number, _sourcePort: number, payload: Uint8Array): void {
    this.got.push(payload.slice());
  }
}
snapshotClass('captures.Answers', Answers);

class Reply implements TcpHandler {
  text = '';
  onTcp(connection: TcpConnection): void {
    connection.takeError();
    for (let got = connection.receive(4096); got.length > 0; got = connection.receive(4096)) this.text += Buffer.from(got).toString('latin1');
  }
}
snapshotClass('captures.Reply', Reply);

/** The router with its own daemons, a client on lan0, and nobody on wan0 but a name server that is silent. */
export class Booted implements Subject {
  readonly router: Router;
  readonly sender: Host;
  readonly target: Target;
  readonly stacks: Record<string, NetStack>;
  readonly port: NetInterface;
  private readonly answers = new Answers();

  constructor(name: ArmName) {
    const { suffix, flags, checkpoint } = arms[name];
    const daemon = (program: string): string => `daemon ${program} respawn -- /usr/sbin/${program}${suffix}${flags}\n`;
    this.router = Router.create({
      image: readFileSync('router-firmware/image/router.cpio.gz'), checkpoint,
      files: { '/etc/init.conf': `${NETWORK}${['dnsd', 'dhcpd', 'quotad'].map(daemon).join('')}daemon tcpstream respawn -- /usr/sbin/tcpstream ${STREAM_PORT}\n`, '/usr/sbin/tcpstream': readFileSync('test/guest/bin/tcpstream') },
      executables: ['/usr/sbin/tcpstream'],
    });
    const { clock, events, random } = this.router.kernel;
    const cables = [new Cable(clock, events, clock.toCycles(10_000)), new Cable(clock, events)];
    this.router.attach('lan0', cables[0]);
    this.router.attach('wan0', cables[1]);
    this.sender = new Host(clock, events, random.fork(7), cables[0], 1, { name: 'client', mac: mac('02:00:00:00:00:10'), address: ip('192.168.1.10'), prefix: 24, gateway: ip('192.168.1.1') });
    const upstream = new Host(clock, events, random.fork(8), cables[1], 1, { name: 'upstream', mac: mac('02:00:00:00:02:35'), address: ip('203.0.113.53'), prefix: 24 });
    this.router.boot();
    this.pass(1e9);
    const net = this.router.kernel.net as NetStack;
    this.port = net.interface('lan0') as NetInterface;
    this.stacks = { router: net, client: this.sender.stack, upstream: upstream.stack };
    this.target = { mac: this.port.mac, address: this.port.address, client: { mac: this.sender.mac, address: this.sender.address }, udp: [53, 67, 7778], tcp: STREAM_PORT, six: { router: linkLocal(this.port), client: linkLocal(this.sender.interface) } };
    this.sender.bind(5353, this.answers);
  }

  private pass(nanoseconds: number): void {
    const { clock } = this.router.kernel;
    this.router.run(clock.cycles + clock.toCycles(nanoseconds));
  }

  private until(holds: () => boolean, seconds: number): boolean {
    const { clock } = this.router.kernel;
    return this.router.runUntil(holds, clock.cycles + seconds * clock.hz, clock.hz / 1000);
  }

  give(frames: readonly Uint8Array[]): void {
    for (const frame of frames) this.sender.sendFrame(frame);
    this.pass(GAP_NS * frames.length);
  }

  /** A resolver asks again, too. */
  ask(): string | null {
    this.answers.got.length = 0;
    for (let tries = 0; tries < 5; tries++) {
      this.sender.send(5353, this.target.address, 53, encodeQuery('printer.lan', 'A'));
      if (this.until(() => this.answers.got.some((bytes) => bytes[0] === 0x12 && bytes[1] === 0x34), 2)) return this.wrong();
    }
    return 'no answer to a DNS query';
  }

  private wrong(): string | null {
    const text = decodeDns(this.answers.got.find((bytes) => bytes[0] === 0x12 && bytes[1] === 0x34) as Uint8Array);
    return text === 'printer.lan A 192.168.1.2' ? null : `a DNS query was answered with ${text}`;
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

  rest(): void {
    this.pass(120e9);
  }

  digest(): string {
    const counts = Object.values(this.stacks).map(({ fates, drops, snmp }) => [fates.snapshot(), drops.snapshot(), snmp.snapshot()]);
    return createHash('sha256').update(this.router.log.lines()).update(JSON.stringify(counts)).digest('hex');
  }

  story(): string {
    const count = (what: string): number => this.router.log.since().filter((entry) => entry.what === what).length;
    const died = this.router.log.since().filter((entry) => entry.what === 'process.fatal').map((entry) => `${textOf(entry.comm)} of signal ${textOf(entry.signo)}`);
    return `${count('checkpoint.thaw')} thaws; died: ${died.length === 0 ? 'nobody' : [...new Set(died)].join(', ')} (${died.length} times)`;
  }
}

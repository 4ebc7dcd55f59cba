import { createHash } from 'node:crypto';
import { Clock, EventQueue, Random, snapshotClass } from '../../../emulator/base/index.js';
import { Cable, Host, ip, mac, runEvents, writeIcmp, type HostHandler, type NetInterface, type NetStack, type PingSocket, type TcpConnection, type TcpHandler } from '../../../emulator/net/index.js';
import { joinGroup } from '../../../emulator/net/memberships.js';
import { linkLocal, type Target } from './forms.js';
import type { Subject } from './subject.js';

const HZ = 1_000_000;
const TCP_PORT = 179;
const UDP_PORTS = [53, 67, 69, 123, 161, 514, 520, 1900, 5353];
/** Groups routing protocols and discovery use; so their frames get as far as a socket. */
const GROUPS = ['224.0.0.2', '224.0.0.5', '224.0.0.9', '224.0.0.13', '224.0.0.18', '224.0.0.251', '239.255.255.250'];
/** OSPF, PIM, VRRP, SCTP: raw sockets. */
const PROTOCOLS = [89, 103, 112, 132];

/** Adds up what comes, from every connection; closes when the peer does. */
class Sink implements TcpHandler {
  bytes = 0;
  readonly hash = createHash('sha256');

  onTcp(connection: TcpConnection): void {
    connection.takeError();
    for (let got = connection.receive(65_536); got.length > 0; got = connection.receive(65_536)) {
      this.bytes += got.length;
      this.hash.update(got);
    }
    if (connection.ended && connection.state !== 'CLOSED') connection.close();
  }
}

class Listener implements TcpHandler {
  readonly listener: TcpConnection;
  readonly accepted: { sink: Sink; port: number }[] = [];

  constructor(listener: TcpConnection) {
    this.listener = listener;
  }

  onTcp(): void {
    for (let one = this.listener.accept(); one; one = this.listener.accept()) {
      const sink = new Sink();
      one.handler = sink;
      this.accepted.push({ sink, port: one.remotePort });
      sink.onTcp(one);
    }
  }
}

class Nobody implements HostHandler {
  datagrams = 0;
  onDatagram(): void {
    this.datagrams++;
  }
}
snapshotClass('captures.Nobody', Nobody);

/** Two emulated hosts on a cable, without a router: the stack alone, with sockets of every kind open and forwarding switched on. */
export class Bare implements Subject {
  readonly clock = new Clock(HZ);
  readonly events = new EventQueue();
  readonly sender: Host;
  readonly port: NetInterface;
  readonly target: Target;
  readonly stacks: Record<string, NetStack>;
  private readonly host: Host;
  private readonly nobody = new Nobody();
  private readonly listener: Listener;
  private readonly ping: PingSocket;

  constructor() {
    const cable = new Cable(this.clock, this.events, 10);
    this.host = new Host(this.clock, this.events, new Random(1), cable, 0, { name: 'subject', mac: mac('02:5b:00:00:00:01'), address: ip('192.168.1.1'), prefix: 24 });
    this.sender = new Host(this.clock, this.events, new Random(2), cable, 1, { name: 'client', mac: mac('02:00:00:00:00:10'), address: ip('192.168.1.10'), prefix: 24, gateway: ip('192.168.1.1') });
    const { stack } = this.host;
    this.port = this.host.interface;
    this.stacks = { subject: stack, client: this.sender.stack };
    this.target = { mac: this.host.mac, address: this.host.address, client: { mac: this.sender.mac, address: this.sender.address }, udp: UDP_PORTS, tcp: TCP_PORT, six: { router: linkLocal(this.port), client: linkLocal(this.sender.interface) } };
    stack.forwarding = true;
    stack.addRoute(0, 0, this.sender.address);
    for (const port of UDP_PORTS) this.host.bind(port, this.nobody);
    const groups = stack.udpSocket();
    for (const group of GROUPS) joinGroup(stack, groups, ip(group), this.port.index);
    for (const protocol of PROTOCOLS) stack.rawSocket(protocol);
    const listening = stack.tcp.socket();
    this.listener = new Listener(listening);
    listening.bind(0, TCP_PORT);
    listening.listen(64);
    listening.handler = this.listener;
    this.ping = this.sender.stack.pingSocket();
    this.ping.bind(0, 99);
  }

  private run(cycles: number): void {
    runEvents(this.clock, this.events, this.clock.cycles + cycles);
  }

  give(frames: readonly Uint8Array[]): void {
    for (const frame of frames) this.sender.sendFrame(frame);
    this.run(100);
  }

  ask(): string | null {
    this.ping.dropUnread();
    const sent = this.ping.sendto(writeIcmp({ type: 8, code: 0, rest: 0, data: Buffer.from('there?') }), this.target.address);
    this.run(2 * HZ);
    return sent > 0 && this.ping.recv() ? null : `no answer to an echo request (${sent})`;
  }

  stream(bytes: Uint8Array, meanwhile: () => void): string | null {
    const connection = this.sender.stack.tcp.socket();
    const before = this.listener.accepted.length;
    const end = new Sink();
    connection.handler = end;
    connection.connect(this.target.address, TCP_PORT);
    this.run(HZ / 100);
    const half = bytes.length >> 1;
    let sent = connection.send(bytes.subarray(0, half));
    meanwhile();
    sent += connection.send(bytes.subarray(Math.max(0, sent)));
    connection.shutdownWrite();
    this.run(5 * HZ);
    const got = this.listener.accepted.slice(before).find(({ port }) => port === connection.localPort)?.sink;
    connection.abort('Tcp.EstabResets');
    const whole = createHash('sha256').update(bytes.subarray(0, sent)).digest('hex');
    return got?.hash.digest('hex') === whole ? null : `of ${sent} bytes through a connection ${got?.bytes ?? 'none'} arrived as they were`;
  }

  rest(): void {
    this.run(120 * HZ);
  }

  digest(): string {
    return createHash('sha256').update(JSON.stringify(Object.values(this.stacks).map(({ fates, drops, snmp, log }) => [fates.snapshot(), drops.snapshot(), snmp.snapshot(), log.lines()]))).digest('hex');
  }

  story(): string {
    return `${this.nobody.datagrams} datagrams reached sockets, ${this.listener.accepted.length} connections`;
  }
}

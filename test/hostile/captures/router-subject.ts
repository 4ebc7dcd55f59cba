import { createHash } from 'node:crypto';
import { snapshotClass, textOf } from '../../../emulator/base/index.js';
import type { Host, HostHandler, NetInterface, NetStack, TcpConnection, TcpHandler } from '../../../emulator/net/index.js';
import type { Router } from '../../../emulator/router/router.js';
import { decodeDns, encodeQuery } from '../../programs/dns.js';
import { linkLocal, type Target } from './forms.js';
import type { Subject } from './subject.js';

const GAP_NS = 100_000;
const ASKING_PORT = 5353;

class Answers implements HostHandler {
  readonly got: Uint8Array[] = [];
  onDatagram(_host: Host, _port: number, _source: number, _sourcePort: number, payload: Uint8Array): void {
    this.got.push(payload.slice());
  }
}
snapshotClass('captures.Answers', Answers);

/** Everything a connection brings, as text. */
export class Reply implements TcpHandler {
  text = '';
  onTcp(connection: TcpConnection): void {
    connection.takeError();
    for (let got = connection.receive(4096); got.length > 0; got = connection.receive(4096)) this.text += Buffer.from(got).toString('latin1');
  }
}
snapshotClass('captures.Reply', Reply);

/** A running router whose lan0 a client is at. */
export abstract class RouterSubject implements Subject {
  readonly router: Router;
  readonly sender: Host;
  readonly target: Target;
  readonly stacks: Record<string, NetStack>;
  readonly port: NetInterface;
  private readonly answers = new Answers();

  constructor(router: Router, sender: Host, ports: { udp: readonly number[]; tcp: number }) {
    this.router = router;
    this.sender = sender;
    const net = router.kernel.net as NetStack;
    this.port = net.interface('lan0') as NetInterface;
    this.stacks = { router: net, client: sender.stack };
    const six = { router: linkLocal(this.port), client: linkLocal(sender.interface) };
    this.target = { mac: this.port.mac, address: this.port.address, client: { mac: sender.mac, address: sender.address }, six, ...ports };
    sender.bind(ASKING_PORT, this.answers);
  }

  abstract ask(): string | null;
  abstract stream(bytes: Uint8Array, meanwhile: () => void): string | null;

  protected pass(nanoseconds: number): void {
    const { clock } = this.router.kernel;
    this.router.run(clock.cycles + clock.toCycles(nanoseconds));
  }

  protected until(holds: () => boolean, seconds: number): boolean {
    const { clock } = this.router.kernel;
    return this.router.runUntil(holds, clock.cycles + seconds * clock.hz, clock.hz / 1000);
  }

  give(frames: readonly Uint8Array[]): void {
    for (const frame of frames) this.sender.sendFrame(frame);
    this.pass(GAP_NS * frames.length);
  }

  /** A resolver asks again, too. */
  protected resolve(name: string, expected: string): string | null {
    this.answers.got.length = 0;
    const answer = (): Uint8Array | undefined => this.answers.got.find((bytes) => bytes[0] === 0x12 && bytes[1] === 0x34);
    for (let tries = 0; tries < 5 && !answer(); tries++) {
      this.sender.send(ASKING_PORT, this.target.address, 53, encodeQuery(name, 'A'));
      this.until(() => answer() !== undefined, 2);
    }
    const bytes = answer();
    if (!bytes) return 'no answer to a DNS query';
    const text = decodeDns(bytes);
    return text === `${name} A ${expected}` ? null : `a DNS query was answered with ${text}`;
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

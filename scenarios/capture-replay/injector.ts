import { crc32, snapshotClass, type Clock, type EventLog, type EventQueue, type EventTarget } from '../../emulator/base/index.js';
import { ARP_REQUEST, ETHERTYPE_ARP, LIMITED_BROADCAST, MAC_BROADCAST, writeArp, writeEthernet, type Host, type HostHandler, type Ip, type Mac } from '../../emulator/net/index.js';
import type { AttackRecord, RequestRecord } from '../metrics.js';
import type { AttackSource } from '../verdict/culprit.js';

/** One datagram to be sent. */
export interface Injection {
  /** Nanoseconds since the load began. */
  at: number;
  /** Name of the host it leaves from. */
  host: string;
  sourcePort: number;
  broadcast: boolean;
  /** Index of the datagram in the file. */
  message: number;
  pass: number;
}

export interface InjectionPlan {
  file: string;
  /** By index in the file: payload, and the frame it was in. */
  payloads: readonly Uint8Array[];
  frames: readonly number[];
  injections: readonly Injection[];
  /** The daemon's end point on the emulated router. */
  address: Ip;
  port: number;
}

interface Parts {
  clock: Clock;
  events: EventQueue;
  log: EventLog;
  hosts: ReadonlyMap<string, Host>;
  /** Of the router's port the hosts are at. */
  routerMac: Mac;
}

/** After the last datagram, something that was answered before is asked again, this many times, this far apart. */
const ASK_AGAIN = 3;
const ASK_AGAIN_NS = 500e6;
const FORM = 'captured';

/**
 * Sends the datagrams of a capture at their times from hosts that stand for its senders, and hears what comes back. An answer is put down
 * to the datagram from its port that begins with the same two bytes (most protocols echo a transaction number first), else to the latest one.
 */
export class Injector implements EventTarget, HostHandler {
  readonly plan: InjectionPlan;
  private readonly clock: Clock;
  private readonly events: EventQueue;
  private readonly log: EventLog;
  private readonly hosts: ReadonlyMap<string, Host>;
  private readonly start: number;
  private readonly sent: number[] = [];
  private readonly answered: number[] = [];
  private readonly lengths: number[] = [];
  private readonly attacks: AttackRecord[] = [];
  /** "host:port" -> indexes of datagrams that had no answer yet. */
  private readonly open = new Map<string, number[]>();
  /** The first datagram that was answered, or -1. */
  private firstAnswered = -1;
  private askedAgain = 0;
  private answeredAgain = false;

  constructor(parts: Parts, plan: InjectionPlan, start: number) {
    this.clock = parts.clock;
    this.events = parts.events;
    this.log = parts.log;
    this.hosts = parts.hosts;
    this.plan = plan;
    this.start = start;
    for (const name of new Set(plan.injections.map(({ host }) => host))) this.introduce(name, parts.routerMac);
    for (const { host, sourcePort } of plan.injections) this.listen(host, sourcePort);
    this.schedule(0);
  }

  /** tcpreplay asks nobody for a hardware address: the first datagrams of a burst must not be lost for want of one, nor their answers. */
  private introduce(name: string, routerMac: Mac): void {
    const host = this.hosts.get(name);
    if (!host) return;
    host.stack.arp.set(host.interface, this.plan.address, routerMac);
    const question = { operation: ARP_REQUEST, senderMac: host.mac, senderIp: host.address, targetMac: 0, targetIp: this.plan.address };
    host.sendFrame(writeEthernet({ source: host.mac, destination: MAC_BROADCAST, type: ETHERTYPE_ARP, payload: writeArp(question) }));
  }

  private listen(host: string, port: number): void {
    const key = `${host}:${port}`;
    if (port === 0 || this.open.has(key)) return;
    this.open.set(key, []);
    this.hosts.get(host)?.bind(port, this);
  }

  get record(): RequestRecord {
    return { sent: this.sent, answered: this.answered, lengths: this.lengths };
  }

  get answers(): { sent: number; answered: number } {
    return { sent: this.sent.length, answered: this.answered.filter((time) => time >= 0).length };
  }

  get source(): AttackSource {
    return { record: this.attacks, file: this.plan.file, frames: this.plan.frames, field: null };
  }

  /** What it had answered it does not answer any more. */
  get silent(): boolean {
    return this.askedAgain === ASK_AGAIN && !this.answeredAgain;
  }

  private schedule(index: number): void {
    const { injections } = this.plan;
    if (index < injections.length) this.events.at(this.start + this.clock.toCycles(injections[index].at), this, 'send', index);
    else this.askLater();
  }

  private askLater(): void {
    this.events.at(this.clock.cycles + this.clock.toCycles(ASK_AGAIN_NS), this, 'ask');
  }

  onEvent(kind: string, argument: unknown): void {
    if (kind === 'send') this.send(argument as number);
    else this.ask();
  }

  private send(index: number): void {
    const injection = this.plan.injections[index];
    const payload = this.plan.payloads[injection.message];
    this.sent.push(this.clock.cycles);
    this.answered.push(-1);
    this.lengths.push(payload.length);
    this.attacks.push({ sent: this.clock.cycles, form: injection.pass > 1 ? `${FORM}, pass ${injection.pass}` : FORM, length: payload.length, crc: crc32(payload), message: injection.message });
    this.log.add('attack.send', { number: index, form: FORM, length: payload.length });
    this.open.get(`${injection.host}:${injection.sourcePort}`)?.push(index);
    this.transmit(injection, payload);
    this.schedule(index + 1);
  }

  private transmit({ host, sourcePort, broadcast }: Injection, payload: Uint8Array): void {
    const sender = this.hosts.get(host);
    const { address, port } = this.plan;
    if (sourcePort === 0) sender?.sendFrom(sender.address, 0, broadcast ? LIMITED_BROADCAST : address, port, payload);
    else sender?.send(sourcePort, broadcast ? LIMITED_BROADCAST : address, port, payload);
  }

  private ask(): void {
    if (this.firstAnswered < 0 || this.answeredAgain || this.askedAgain === ASK_AGAIN) return;
    this.askedAgain++;
    const injection = this.plan.injections[this.firstAnswered];
    this.transmit(injection, this.plan.payloads[injection.message]);
    this.askLater();
  }

  onDatagram(host: Host, localPort: number, _source: Ip, _sourcePort: number, payload: Uint8Array): void {
    const open = this.open.get(`${host.name}:${localPort}`);
    if (this.askedAgain > 0) this.answeredAgain = true;
    if (!open || open.length === 0) return;
    const echoes = open.findLastIndex((index) => this.begins(index, payload));
    // Answers to what is asked again are no answers to what stayed without one.
    if (this.askedAgain > 0 && (echoes < 0 || this.isAskedAgain(open[echoes]))) return;
    const [index] = open.splice(echoes >= 0 ? echoes : open.length - 1, 1);
    this.answered[index] = this.clock.cycles;
    if (this.firstAnswered < 0) this.firstAnswered = index;
  }

  private isAskedAgain(index: number): boolean {
    const { injections } = this.plan;
    return injections[index].message === injections[this.firstAnswered].message;
  }

  private begins(index: number, answer: Uint8Array): boolean {
    const bytes = this.plan.payloads[this.plan.injections[index].message];
    return bytes.length > 1 && answer.length > 1 && bytes[0] === answer[0] && bytes[1] === answer[1];
  }
}
snapshotClass('Injector', Injector);

import { snapshotClass, type Clock, type EventQueue, type EventTarget, type Random } from '../../emulator/base/index.js';
import { protocol, type ProtocolName, type Request } from '../protocols/index.js';
import type { RequestRecord } from '../metrics.js';
import type { Channel, Receiver } from './channel.js';

export interface ClientPlan {
  name: string;
  protocol: ProtocolName;
  names: string[];
  /** Cycles between requests; `spread` > 0 draws each gap from [1 - spread, 1 + spread] times that. */
  period: number;
  spread: number;
  start: number;
  /** No request is sent at or after this time. */
  end: number;
  /** After this many cycles a request that got no answer is given up. */
  timeout: number;
}

/**
 * Sends requests at its own pace whether or not they are answered (open loop: a prober that waits for answers would
 * send nothing during an outage and hide it), and writes down when each was sent and answered. The pace is kept while the router's
 * kernel is busy and events come late: a request counts from when it was due, and those that fell due meanwhile follow at once.
 */
export class Client implements EventTarget, Receiver {
  readonly plan: ClientPlan;
  private readonly clock: Clock;
  private readonly events: EventQueue;
  private readonly random: Random;
  private readonly channel: Channel;
  private readonly sent: number[] = [];
  private readonly answered: number[] = [];
  private readonly lengths: number[] = [];
  /** When the next request is to be sent, in cycles. */
  private due: number;
  /** Requests that may still be answered: key -> index. */
  private readonly open = new Map<string, number>();

  constructor(parts: { clock: Clock; events: EventQueue; random: Random }, channel: Channel, plan: ClientPlan) {
    this.clock = parts.clock;
    this.events = parts.events;
    this.random = parts.random;
    this.channel = channel;
    this.plan = plan;
    channel.open(this);
    this.due = plan.start;
    this.events.at(plan.start, this, 'send');
  }

  get record(): RequestRecord {
    return { sent: this.sent, answered: this.answered, lengths: this.lengths, connectionsLost: this.channel.connectionsLost ?? null };
  }

  onEvent(kind: string, argument: unknown): void {
    if (kind === 'send') this.sendNext();
    else if (kind === 'timeout') this.giveUp(argument as string);
  }

  private giveUp(key: string): void {
    if (this.open.delete(key)) this.channel.giveUp?.(key);
  }

  onMessage(bytes: Uint8Array, asked?: string): void {
    const service = protocol(this.plan.protocol);
    const key = service.answers(bytes, asked);
    const index = key === null ? undefined : this.open.get(key);
    if (key === null || index === undefined) return;
    this.open.delete(key);
    const next = service.follow?.(bytes, this.input(index));
    if (next) this.post(next, index);
    else this.answered[index] = this.clock.cycles;
  }

  private input(sequence: number): { sequence: number; names: string[]; mac: Uint8Array; random: Random } {
    return { sequence, names: this.plan.names, mac: this.channel.mac, random: this.random };
  }

  private sendNext(): void {
    const { plan } = this;
    const index = this.sent.length;
    const request = protocol(plan.protocol).request(this.input(index));
    this.sent.push(this.due);
    this.answered.push(-1);
    this.lengths.push(request.bytes.length);
    this.post(request, index);
    this.due = plan.spread > 0 ? this.due + this.gap() : plan.start + Math.round((index + 1) * plan.period);
    if (this.due < plan.end) this.events.at(this.due, this, 'send');
  }

  private gap(): number {
    const { period, spread } = this.plan;
    return Math.max(1, Math.round(period * (1 - spread + 2 * spread * this.random.fraction())));
  }

  private post(request: Request, index: number): void {
    this.open.set(request.key, index);
    this.events.at(this.clock.cycles + this.plan.timeout, this, 'timeout', request.key);
    this.channel.send(request.bytes, undefined, request.key);
  }
}
snapshotClass('Client', Client);

import { failed, snapshotClass, type Clock, type EventQueue, type EventTarget, type TimedEvent } from '../../emulator/base/index.js';
import { write48, type Host, type Ip, type TcpConnection, type TcpHandler } from '../../emulator/net/index.js';
import { concat } from '../codecs/dns.js';
import { protocol, type ProtocolName, type Stream } from '../protocols/index.js';
import type { Channel, Receiver } from './channel.js';

/** More of an answer is not read: no request asks for so much. */
const MAX_ANSWER = 1 << 20;
const CHUNK = 65_536;

/** One request and its answer, on a connection of its own. */
class Exchange implements TcpHandler, EventTarget {
  readonly key: string;
  private readonly channel: TcpChannel;
  private readonly connection: TcpConnection;
  private waiting: Uint8Array;
  private received: Uint8Array = new Uint8Array(0);
  private next: TimedEvent | null = null;

  constructor(channel: TcpChannel, key: string, bytes: Uint8Array, connection: TcpConnection) {
    this.channel = channel;
    this.key = key;
    this.waiting = bytes;
    this.connection = connection;
    connection.handler = this;
  }

  onTcp(): void {
    const { connection } = this;
    if (this.next === null) this.send();
    while (connection.available > 0 && this.received.length < MAX_ANSWER) this.received = concat(this.received, connection.receive(CHUNK));
    const whole = this.channel.stream.length(this.received);
    if (whole !== null && this.received.length >= whole) return this.finish(this.received.subarray(0, whole));
    if (connection.error !== 0 || connection.state === 'CLOSED') this.finish(null);
    else if (connection.ended) this.finish(this.received);
  }

  onEvent(): void {
    this.next = null;
    this.send();
  }

  /** As much as TCP takes, or one drop of a trickle. */
  private send(): void {
    const { connection, channel } = this;
    if (this.waiting.length === 0 || !connection.connected || connection.writeShutdown) return;
    const { trickle } = channel.stream;
    const taken = connection.send(trickle ? this.waiting.subarray(0, trickle.bytes) : this.waiting);
    if (taken > 0) this.waiting = this.waiting.subarray(taken);
    if (trickle && this.waiting.length > 0) this.next = channel.events.at(channel.clock.cycles + channel.clock.toCycles(trickle.everyNs), this, 'drop');
  }

  private finish(answer: Uint8Array | null): void {
    this.close();
    this.channel.ended(this, answer);
  }

  close(): void {
    const { connection, channel } = this;
    channel.events.cancel(this.next);
    this.next = null;
    connection.handler = null;
    connection.takeError();
    connection.close();
  }

  /** The client has gone: what comes now is answered by a reset. */
  abort(): void {
    this.connection.abort();
    this.close();
  }
}
snapshotClass('Exchange', Exchange);

/** TCP between a host and a port of the router: each message on a connection of its own, from a port of its own. */
export class TcpChannel implements Channel {
  readonly mac = new Uint8Array(6);
  readonly clock: Clock;
  readonly events: EventQueue;
  private readonly host: Host;
  private readonly server: Ip;
  private readonly serverPort: number;
  private readonly service: ProtocolName;
  private receiver: Receiver | null = null;
  private readonly exchanges = new Map<string, Exchange>();
  private unnamed = 0;

  constructor(parts: { clock: Clock; events: EventQueue }, host: Host, server: Ip, serverPort: number, service: ProtocolName) {
    this.clock = parts.clock;
    this.events = parts.events;
    this.host = host;
    this.server = server;
    this.serverPort = serverPort;
    this.service = service;
    write48(this.mac, 0, host.mac);
  }

  get stream(): Stream {
    return protocol(this.service).stream ?? { length: () => null };
  }

  open(receiver: Receiver): void {
    this.receiver = receiver;
  }

  send(bytes: Uint8Array, _sourcePort?: number, key = `unnamed ${this.unnamed++}`): void {
    this.exchanges.get(key)?.abort();
    const connection = this.host.stack.tcp.socket();
    const exchange = new Exchange(this, key, bytes, connection);
    this.exchanges.set(key, exchange);
    if (failed(connection.connect(this.server, this.serverPort))) this.giveUp(key);
  }

  giveUp(key: string): void {
    this.exchanges.get(key)?.abort();
    this.exchanges.delete(key);
  }

  /** Called by an exchange that is over; null: without an answer. */
  ended({ key }: Exchange, answer: Uint8Array | null): void {
    this.exchanges.delete(key);
    if (answer) this.receiver?.onMessage(answer, key);
  }
}
snapshotClass('TcpChannel', TcpChannel);

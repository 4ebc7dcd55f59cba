import { failed, snapshotClass, type Clock, type EventQueue, type EventTarget, type TimedEvent } from '../../emulator/base/index.js';
import { write48, type Host, type Ip, type TcpConnection, type TcpHandler } from '../../emulator/net/index.js';
import { concat } from '../codecs/dns.js';
import { protocol, type ProtocolName, type Stream } from '../protocols/index.js';
import type { Channel, Receiver } from './channel.js';

/** More of an answer is not read: no request asks for so much. */
const MAX_ANSWER = 1 << 20;
const CHUNK = 65_536;

/** One request and its answer, on a connection that is nobody else's meanwhile. */
class Exchange implements TcpHandler, EventTarget {
  readonly key: string;
  /** Where the connection is kept afterwards; -1: nowhere. */
  readonly slot: number;
  readonly connection: TcpConnection;
  private readonly channel: TcpChannel;
  private waiting: Uint8Array;
  private received: Uint8Array = new Uint8Array(0);
  private next: TimedEvent | null = null;
  /** The connection has stood. */
  stood = false;

  constructor(channel: TcpChannel, key: string, slot: number, bytes: Uint8Array, connection: TcpConnection) {
    this.channel = channel;
    this.key = key;
    this.slot = slot;
    this.waiting = bytes;
    this.connection = connection;
    connection.handler = this;
  }

  onTcp(): void {
    const { connection } = this;
    if (connection.connected) this.stood = true;
    if (this.next === null) this.send();
    while (connection.available > 0 && this.received.length < MAX_ANSWER) this.received = concat(this.received, connection.receive(CHUNK));
    const whole = this.channel.stream.length(this.received);
    if (whole !== null && this.received.length >= whole) return this.complete(this.received.subarray(0, whole));
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

  /** Whole by its own length: the connection may serve another request. */
  private complete(answer: Uint8Array): void {
    if (this.slot < 0) return this.finish(answer);
    this.connection.handler = null;
    this.channel.ended(this, answer, this.connection);
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

/** TCP between a host and a port of the router, each message from a port of its own or, where the protocol keeps connections, on one of those in turn. */
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
  /** Idle connections by their slot. */
  private readonly kept = new Map<number, TcpConnection>();
  private sent = 0;
  private lost = 0;

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

  /** Connections to be kept that the other side ended, idle or with a request on them; null: none are to be kept. */
  get connectionsLost(): number | null {
    return this.stream.keep === undefined ? null : this.lost;
  }

  open(receiver: Receiver): void {
    this.receiver = receiver;
  }

  send(bytes: Uint8Array, _sourcePort?: number, key = `unnamed ${this.sent}`): void {
    const { keep } = this.stream;
    const slot = keep === undefined ? -1 : this.sent % keep;
    this.sent++;
    this.exchanges.get(key)?.abort();
    const old = this.reuse(slot);
    const exchange = new Exchange(this, key, slot, bytes, old ?? this.host.stack.tcp.socket());
    this.exchanges.set(key, exchange);
    if (old) exchange.onTcp();
    else if (failed(exchange.connection.connect(this.server, this.serverPort))) this.giveUp(key);
  }

  /** The connection kept in the slot, if it still stands. */
  private reuse(slot: number): TcpConnection | null {
    const old = this.kept.get(slot);
    this.kept.delete(slot);
    if (!old) return null;
    if (old.state === 'ESTABLISHED' && old.error === 0) return old;
    this.lost++;
    old.takeError();
    old.close();
    return null;
  }

  giveUp(key: string): void {
    this.exchanges.get(key)?.abort();
    this.exchanges.delete(key);
  }

  /** Called by an exchange that is over, with its connection if that goes on; null: without an answer. */
  ended({ key, slot, stood }: Exchange, answer: Uint8Array | null, connection?: TcpConnection): void {
    this.exchanges.delete(key);
    if (connection && this.kept.has(slot)) connection.close();
    else if (connection) this.kept.set(slot, connection);
    else if (answer === null && stood) this.lost++;
    if (answer) this.receiver?.onMessage(answer, key);
  }
}
snapshotClass('TcpChannel', TcpChannel);

import { failed, snapshotClass, type Clock, type EventQueue, type Random } from '../../emulator/base/index.js';
import { Host, type HostHandler, type HostOptions, type Ip, type Link, type Side, type TcpConnection, type TcpHandler } from '../../emulator/net/index.js';
import type { Forward } from './forward.js';

/** What crosses to this computer. Ids are the caller's. */
export interface OutsideSink {
  onData(id: number, bytes: Uint8Array): void;
  /** The router's side has finished sending. */
  onEnd(id: number): void;
  /** The stream is over; errno, or 0 when both sides had finished. */
  onGone(id: number, errno: number): void;
  onDatagram(id: number, bytes: Uint8Array): void;
}

const CHUNK = 65_536;
const TFTP = 69;

/** A read or a write request goes to the well-known port, also from a client that has had a transfer before. */
const startsTransfer = (bytes: Uint8Array): boolean => bytes[0] === 0 && (bytes[1] === 1 || bytes[1] === 2);

/** One forwarded connection, as a user of the emulated host's own TCP: bytes in and out, nothing of this computer's sockets. */
class OutsideStream implements TcpHandler {
  readonly id: number;
  readonly host: OutsideHost;
  readonly connection: TcpConnection;
  /** Bytes that came from this computer and do not fit TCP's buffer yet. */
  private waiting: Uint8Array[] = [];
  private finished = false;
  private ended = false;
  private paused = false;

  constructor(host: OutsideHost, id: number, connection: TcpConnection) {
    this.host = host;
    this.id = id;
    this.connection = connection;
    connection.handler = this;
  }

  get backlog(): number {
    return this.waiting.reduce((sum, bytes) => sum + bytes.length, 0);
  }

  write(bytes: Uint8Array): void {
    this.waiting.push(bytes);
    this.onTcp();
  }

  finish(): void {
    this.finished = true;
    this.onTcp();
  }

  /** What comes from the router stays in TCP's buffer, and its window closes. */
  pause(paused: boolean): void {
    this.paused = paused;
    this.onTcp();
  }

  abort(): void {
    this.connection.handler = null;
    this.connection.abort();
    this.connection.close();
  }

  onTcp(): void {
    this.send();
    this.receive();
    const { connection } = this;
    if (connection.state !== 'CLOSED' || !connection.done || connection.available > 0) return;
    const errno = connection.takeError();
    connection.close();
    this.host.gone(this.id, errno);
  }

  private send(): void {
    const { connection, waiting } = this;
    while (waiting.length > 0 && connection.connected && !connection.writeShutdown) {
      const taken = connection.send(waiting[0]);
      if (taken <= 0) return;
      if (taken === waiting[0].length) waiting.shift();
      else waiting[0] = waiting[0].subarray(taken);
    }
    if (this.finished && waiting.length === 0 && connection.connected && !connection.writeShutdown) connection.shutdownWrite();
  }

  private receive(): void {
    const { connection, host, id } = this;
    while (!this.paused && connection.available > 0) host.sink?.onData(id, connection.receive(CHUNK));
    if (this.ended || !connection.ended || connection.error !== 0) return;
    this.ended = true;
    host.sink?.onEnd(id);
  }
}
snapshotClass('OutsideStream', OutsideStream);

/**
 * The host of the emulated network behind which this computer's programs stand. Its work takes no virtual time; what it does follows
 * from what it is told and when, so that a recorded session can be repeated.
 */
export class OutsideHost extends Host implements HostHandler {
  static readonly transient = ['sink'];
  sink: OutsideSink | null = null;
  private readonly streams = new Map<number, OutsideStream>();
  /** UDP: the port that stands for a client of this computer, by id and the other way round. */
  private readonly standIns = new Map<number, { port: number; address: Ip; remotePort: number; tftp: boolean }>();
  private readonly clients = new Map<number, number>();

  constructor(clock: Clock, events: EventQueue, random: Random, link: Link, side: Side, options: HostOptions) {
    super(clock, events, random, link, side, options);
  }

  afterLoad(): void {
    this.sink = null;
  }

  open(id: number, { address, port }: Pick<Forward, 'address' | 'port'>): void {
    const connection = this.stack.tcp.socket();
    const stream = new OutsideStream(this, id, connection);
    this.streams.set(id, stream);
    const result = connection.connect(address, port);
    if (failed(result)) this.gone(id, -result);
  }

  data(id: number, bytes: Uint8Array): void {
    this.streams.get(id)?.write(bytes);
  }

  end(id: number): void {
    this.streams.get(id)?.finish();
  }

  pause(id: number, paused: boolean): void {
    this.streams.get(id)?.pause(paused);
  }

  abort(id: number): void {
    this.streams.get(id)?.abort();
    this.streams.delete(id);
  }

  /** Bytes on their way to the router that TCP has not taken yet. */
  backlog(id: number): number {
    return this.streams.get(id)?.backlog ?? 0;
  }

  gone(id: number, errno: number): void {
    this.streams.delete(id);
    this.sink?.onGone(id, errno);
  }

  datagram(id: number, { address, port }: Pick<Forward, 'address' | 'port'>, bytes: Uint8Array): void {
    let known = this.standIns.get(id);
    if (!known) {
      const bound = this.bind(0, this);
      if (failed(bound)) return;
      known = { port: bound, address, remotePort: port, tftp: port === TFTP };
      this.standIns.set(id, known);
      this.clients.set(bound, id);
    }
    if (known.tftp && startsTransfer(bytes)) known.remotePort = port;
    this.send(known.port, known.address, known.remotePort, bytes);
  }

  /** A TFTP server answers from a port of its own, and wants the rest of the transfer there (RFC 1350, section 4). */
  onDatagram(_host: Host, localPort: number, _source: Ip, sourcePort: number, payload: Uint8Array): void {
    const id = this.clients.get(localPort);
    if (id === undefined) return;
    const known = this.standIns.get(id);
    if (known?.tftp) known.remotePort = sourcePort;
    this.sink?.onDatagram(id, payload);
  }
}
snapshotClass('OutsideHost', OutsideHost);

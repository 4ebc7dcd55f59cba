import { Random, snapshotClass, type EventTarget } from '../../emulator/base/index.js';
import type { Kernel } from '../../emulator/kernel/index.js';
import { Cable, Delay, Host, ip, Loss, mac, Rate, type TcpConnection, type TcpHandler } from '../../emulator/net/index.js';

/*
 * The far ends of the streams of test/guest/connections.c: hosts on a lossy link, whose every byte is known. Snapshot classes, so that the
 * whole scene can be saved, loaded and put back.
 */

export const ROUTER = '192.168.1.1';
const CLIENT = '192.168.1.10';
const PORT = 80;
/** Whoever hears nothing for so long calls it silence; a SYN without an answer is given up after 127 s. */
const PATIENCE_NS = 300e9;

export function pattern(id: number, at: number): number {
  return (id * 37 + at * 7 + (at >>> 8) * 11) & 255;
}

function patternBytes(id: number, from: number, length: number): Uint8Array {
  return Uint8Array.from({ length }, (_, i) => pattern(id, from + i));
}

/** complete: all bytes and the end. reset, ended: before that. self: broke it off itself. */
export type Outcome = 'open' | 'complete' | 'reset' | 'ended' | 'self' | 'silent';

/** What a caller does beside asking and listening. */
export type Manner = 'silent' | 'aborts' | 'midway' | 'slow' | 'late' | 'halting';

export interface Request {
  kind: string;
  id: number;
  length: number;
  manner?: Manner;
}

/** Asks the server for one thing and checks what comes: the pattern of its id, byte for byte. */
export class Caller implements TcpHandler, EventTarget {
  readonly connection: TcpConnection;
  readonly request: Request;
  private readonly host: Host;
  private readonly out: Uint8Array;
  private sent = 0;
  private asked = 1;
  private reads = true;
  private asks = true;
  got = 0;
  /** Offset of the first byte that was not the expected one; -1: none. */
  wrong = -1;
  outcome: Outcome = 'open';
  /** The test made it do what its request does not foresee. */
  meddled = false;

  constructor(host: Host, request: Request) {
    this.host = host;
    this.request = request;
    const { kind, id, length } = request;
    const head = Uint8Array.of(kind.charCodeAt(0), id, length & 255, length >>> 8);
    this.out = kind === 'u' ? Buffer.concat([head, patternBytes(id, 0, length)]) : head;
    this.reads = request.manner !== 'slow';
    this.asks = request.manner !== 'late' && request.manner !== 'halting';
    this.connection = host.stack.tcp.socket();
    // Its window closes while it does not read.
    if (request.manner === 'slow') this.connection.configure({ receiveBuffer: 8192 });
  }

  private after(ns: number, kind: string): void {
    const { clock, events } = this.host.stack;
    events.at(clock.cycles + clock.toCycles(ns), this, kind);
  }

  dialAfter(ns: number): this {
    this.after(ns, 'dial');
    return this;
  }

  onEvent(kind: string): void {
    if (kind === 'dial') {
      this.connection.handler = this;
      this.connection.connect(ip(ROUTER), PORT);
      this.after(PATIENCE_NS, 'patience');
    } else if (kind === 'patience') this.breakOff('silent');
    else if (kind === 'hangup') this.breakOff('self');
    else {
      this.reads = this.asks = true;
      this.onTcp(this.connection);
    }
  }

  private breakOff(outcome: Outcome): void {
    if (this.outcome !== 'open') return;
    this.outcome = outcome;
    this.connection.abort();
    this.connection.close();
  }

  onTcp(connection: TcpConnection): void {
    if (this.outcome !== 'open') return;
    const { manner } = this.request;
    if (connection.connected && manner === 'aborts') return this.breakOff('self');
    if (connection.connected && manner === 'silent') return this.after(20e6, 'hangup');
    if (connection.connected && !this.asks && this.sent === 0) this.after(70e6, 'read');
    if (connection.connected && (this.asks || manner === 'halting')) this.send(connection, this.asks ? this.out.length : this.out.length >>> 1);
    if (this.reads) this.receive(connection);
    else if (connection.connected && this.request.manner === 'slow') this.after(60e6, 'read');
    if (manner === 'midway' && this.got > 1000) return this.breakOff('self');
    this.settle(connection);
  }

  private send(connection: TcpConnection, end: number): void {
    if (connection.writeShutdown) return;
    while (this.sent < end) {
      const taken = connection.send(this.out.subarray(this.sent, end));
      if (taken <= 0) return;
      this.sent += taken;
    }
    if (this.request.kind === 'h') connection.shutdownWrite();
  }

  /** The bytes of all answers asked for. */
  private get expected(): number {
    return this.request.kind === 'u' ? 1 : this.request.length * this.asked;
  }

  private receive(connection: TcpConnection): void {
    const { kind, id, length } = this.request;
    for (let bytes = connection.receive(65_536); bytes.length > 0; bytes = connection.receive(65_536)) {
      for (const byte of bytes) {
        const right = this.got < this.expected && byte === (kind === 'u' ? 0x79 : pattern(id, this.got % length));
        if (!right && this.wrong < 0) this.wrong = this.got;
        this.got++;
      }
    }
    if (kind === 'k' && this.got === length && this.asked === 1) {
      this.asked = 2;
      this.sent = 0;
      this.send(connection, this.out.length);
    }
  }

  private settle(connection: TcpConnection): void {
    const error = connection.takeError();
    const whole = this.got === this.expected && (this.request.kind !== 'k' || this.asked === 2);
    if (whole && (this.request.kind === 'k' || connection.ended || connection.state === 'CLOSED')) this.end('complete', connection);
    else if (error || connection.state === 'CLOSED') this.end('reset', connection);
    else if (connection.ended) this.end('ended', connection);
  }

  private end(outcome: Outcome, connection: TcpConnection): void {
    this.outcome = outcome;
    connection.close();
  }

  /** What no request foresees: more bytes, an early end, a reset. */
  meddle(how: number): void {
    if (this.outcome !== 'open' || !this.connection.connected) return;
    this.meddled = true;
    if (how === 0) this.connection.send(Uint8Array.of(1, 2, 3, 4, 5));
    else if (how === 1) this.connection.shutdownWrite();
    else this.breakOff('self');
  }

  get over(): boolean {
    return this.outcome !== 'open';
  }

  /** For messages of failed tests. */
  get text(): string {
    const { kind, id, length, manner } = this.request;
    return `${kind}${id} of ${length}${manner ? ` ${manner}` : ''}: ${this.outcome}, ${this.got} bytes, wrong at ${this.wrong}${this.meddled ? ', meddled with' : ''}`;
  }
}
snapshotClass('test.Caller', Caller);

/** One connection of the guest as client: answers its request, and checks what an upload brings. */
export class Giver implements TcpHandler {
  private readonly head: number[] = [];
  private sent = 0;
  got = 0;
  wrong = -1;
  outcome: Outcome = 'open';
  readonly connection: TcpConnection;

  constructor(connection: TcpConnection) {
    this.connection = connection;
  }

  private get length(): number {
    return this.head[2] | (this.head[3] << 8);
  }

  onTcp(connection: TcpConnection): void {
    for (let bytes = connection.receive(65_536); bytes.length > 0; bytes = connection.receive(65_536)) for (const byte of bytes) this.take(byte);
    const error = connection.takeError();
    if (error || connection.state === 'CLOSED') this.end(this.answered ? 'complete' : 'reset', connection);
    else if (this.head.length === 4) this.answer(connection);
    if (connection.ended && this.outcome === 'open' && (this.answered || !this.answerable(connection))) this.end(this.answered ? 'complete' : 'ended', connection);
  }

  private end(outcome: Outcome, connection: TcpConnection): void {
    if (this.outcome !== 'open') return;
    this.outcome = outcome;
    connection.close();
  }

  private take(byte: number): void {
    if (this.head.length < 4) {
      this.head.push(byte);
      return;
    }
    const upload = this.head[0] === 0x75;
    if ((!upload || this.got >= this.length || byte !== pattern(this.head[1], this.got)) && this.wrong < 0) this.wrong = this.got;
    this.got++;
  }

  private get wanted(): number {
    return this.head[0] === 0x75 ? 1 : this.length;
  }

  private get answered(): boolean {
    return this.head.length === 4 && this.sent === this.wanted;
  }

  private answerable(connection: TcpConnection): boolean {
    if (this.head.length < 4) return false;
    if (this.head[0] === 0x75) return this.got === this.length;
    return this.head[0] !== 0x68 || connection.finReceived;
  }

  private answer(connection: TcpConnection): void {
    if (!this.answerable(connection) || !connection.connected) return;
    while (this.sent < this.wanted) {
      const bytes = this.head[0] === 0x75 ? Uint8Array.of(this.wrong < 0 ? 0x79 : 0x6e) : patternBytes(this.head[1], this.sent, Math.min(1000, this.wanted - this.sent));
      const taken = connection.send(bytes);
      if (taken <= 0) return;
      this.sent += taken;
    }
    if (this.head[0] !== 0x6b) connection.shutdownWrite();
  }
}
snapshotClass('test.Giver', Giver);

/** The listener the guest as client dials. */
export class Givers implements TcpHandler {
  readonly all: Giver[] = [];

  onTcp(listener: TcpConnection): void {
    for (let connection = listener.accept(); connection; connection = listener.accept()) {
      const giver = new Giver(connection);
      this.all.push(giver);
      connection.handler = giver;
      giver.onTcp(connection);
    }
  }
}
snapshotClass('test.Givers', Givers);

/** A router and a host on one lossy link. */
export class Scene {
  readonly kernel: Kernel;
  readonly host: Host;
  readonly callers: Caller[] = [];
  readonly givers = new Givers();

  constructor(kernel: Kernel, seed: number, loss: number) {
    this.kernel = kernel;
    const { clock, events, net } = kernel;
    if (!net) throw new Error('a kernel without a network');
    const random = new Random(seed);
    const link = new Delay(new Loss(new Rate(new Cable(clock, events), clock, events, 20e6, 200), random.fork(1), { loss }), clock, events, clock.toCycles(1e6));
    net.addInterface('lan0', mac('02:00:00:00:00:01'), link, 0, 128);
    net.configure('lan0', ip(ROUTER), 24);
    this.host = new Host(clock, events, random.fork(2), link, 1, { name: 'client', mac: mac('02:00:00:00:00:11'), address: ip(CLIENT), prefix: 24 });
    const listener = this.host.stack.tcp.socket();
    listener.handler = this.givers;
    listener.bind(0, PORT);
    listener.listen(16);
  }

  static readonly clientAddress = CLIENT;

  call(request: Request, afterNs: number): Caller {
    const caller = new Caller(this.host, request).dialAfter(afterNs);
    this.callers.push(caller);
    return caller;
  }

  run(ns: number): void {
    this.kernel.run(this.kernel.clock.cycles + this.kernel.clock.toCycles(ns));
  }

  /** Up to so many virtual seconds. */
  runUntil(holds: () => boolean, seconds: number): boolean {
    for (let i = 0; i < seconds * 20 && !holds(); i++) this.run(50e6);
    return holds();
  }

  get over(): boolean {
    return this.callers.every((caller) => caller.over);
  }
}
snapshotClass('test.Scene', Scene);

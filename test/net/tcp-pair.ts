import { Clock, EventQueue, Random, snapshotClass } from '../../emulator/base/index.js';
import { Cable, Capture, Delay, Host, ip, Loss, mac, Rate, Reorder, runEvents, type Link, type TcpConnection, type TcpHandler, type TcpObserver, type TcpState } from '../../emulator/net/index.js';

export const HZ = 1_000_000;

/** Writes `total` bytes of a seeded stream as the connection takes them and checks a stream of another seed that comes in. */
export class Pump implements TcpHandler {
  readonly out: Random;
  readonly expected: Random;
  readonly total: number;
  /** Bytes to come from the peer. */
  readonly inTotal: number;
  written = 0;
  read = 0;
  /** Offset of the first byte that was not the expected one; -1: none. */
  wrong = -1;
  errors: number[] = [];
  ended = false;
  finished = false;
  private pending: Uint8Array = new Uint8Array(0);

  constructor(outSeed: number, inSeed: number, total: number, inTotal = total) {
    this.out = new Random(outSeed);
    this.expected = new Random(inSeed);
    this.total = total;
    this.inTotal = inTotal;
  }

  onTcp(connection: TcpConnection): void {
    const error = connection.takeError();
    if (error) this.errors.push(error);
    this.receive(connection);
    this.send(connection);
  }

  private receive(connection: TcpConnection): void {
    for (let got = connection.receive(65_536); got.length > 0; got = connection.receive(65_536)) {
      for (const byte of got) {
        if (byte !== this.expected.next() >>> 24 && this.wrong < 0) this.wrong = this.read;
        this.read++;
      }
    }
    this.ended = connection.ended;
    if (this.ended && this.finished && connection.state !== 'CLOSED') connection.close();
  }

  private send(connection: TcpConnection): void {
    if (connection.state !== 'ESTABLISHED' && connection.state !== 'CLOSE_WAIT') return;
    while (this.written < this.total) {
      if (this.pending.length === 0) {
        this.pending = new Uint8Array(Math.min(8192, this.total - this.written));
        this.out.fill(this.pending);
      }
      const sent = connection.send(this.pending);
      if (sent <= 0) return;
      this.written += sent;
      this.pending = this.pending.subarray(sent);
    }
    if (this.finished) return;
    this.finished = true;
    connection.shutdownWrite();
  }
}
snapshotClass('test.Pump', Pump);

/** A listener's handler: each connection that comes is given a pump. */
export class Doorman implements TcpHandler {
  readonly pumps: Pump[] = [];
  readonly connections: TcpConnection[] = [];
  private readonly total: number;
  private readonly inTotal: number;

  constructor(total: number, inTotal = total) {
    this.total = total;
    this.inTotal = inTotal;
  }

  onTcp(listener: TcpConnection): void {
    for (let connection = listener.accept(); connection; connection = listener.accept()) {
      const pump = new Pump(22, 11, this.total, this.inTotal);
      this.pumps.push(pump);
      this.connections.push(connection);
      connection.handler = pump;
      pump.onTcp(connection);
    }
  }
}
snapshotClass('test.Doorman', Doorman);

/** Counts what both stacks' connections did. */
export class Transitions implements TcpObserver {
  readonly seen = new Map<string, number>();
  onTransition(from: TcpState, to: TcpState): void {
    const name = `${from} ${to}`;
    this.seen.set(name, (this.seen.get(name) ?? 0) + 1);
  }
}
snapshotClass('test.Transitions', Transitions);

export interface Weather {
  loss?: number;
  corrupt?: number;
  duplicate?: number;
  reorder?: number;
  /** µs, one way. */
  delay?: number;
  jitter?: number;
  /** Bits a second. */
  rate?: number;
  queue?: number;
}

/** Two hosts on one link; 1 cycle is 1 µs. */
export class Pair {
  readonly clock = new Clock(HZ);
  readonly events = new EventQueue();
  readonly a: Host;
  readonly b: Host;
  readonly capture: Capture;

  constructor(seed: number, { loss = 0, corrupt = 0, duplicate = 0, reorder = 0, delay = 1000, jitter = 0, rate = 0, queue = 100 }: Weather = {}) {
    const { clock, events } = this;
    const random = new Random(seed);
    let link: Link = new Cable(clock, events);
    if (rate > 0) link = new Rate(link, clock, events, rate, queue);
    link = new Delay(link, clock, events, delay, jitter, random.fork(1));
    if (reorder > 0) link = new Reorder(link, random.fork(2), reorder);
    link = new Loss(link, random.fork(3), { loss, corrupt, duplicate });
    this.capture = new Capture(link, clock, 'link');
    const host = (name: string, number: number, side: 0 | 1): Host =>
      new Host(clock, events, random.fork(10 + number), this.capture, side, { name, mac: mac(`02:00:00:00:00:0${number}`), address: ip(`10.0.0.${number}`), prefix: 24 });
    this.a = host('a', 1, 0);
    this.b = host('b', 2, 1);
  }

  run(milliseconds: number): void {
    runEvents(this.clock, this.events, this.clock.cycles + milliseconds * 1000);
  }

  runUntil(holds: () => boolean, seconds: number): boolean {
    for (let i = 0; i < seconds * 10 && !holds(); i++) this.run(100);
    return holds();
  }
}
snapshotClass('test.Pair', Pair);

export function listen(host: Host, port: number, handler: TcpHandler, backlog = 16): TcpConnection {
  const listener = host.stack.tcp.socket();
  listener.handler = handler;
  listener.bind(0, port);
  listener.listen(backlog);
  return listener;
}

export function connect(host: Host, address: string, port: number, handler: TcpHandler | null): TcpConnection {
  const connection = host.stack.tcp.socket();
  connection.handler = handler;
  connection.connect(ip(address), port);
  return connection;
}

import { ip, type Host, type TcpConnection, type TcpHandler } from '../../emulator/net/index.js';
import { ROUTER } from '../topology.js';
import { DESK, Stand } from './stand.js';
import type { Outcome, Run, Workload } from './workload.js';

const MB = 1e6;
const PORT = 7;
const CHUNK = 65_536;

/** The end of a stream on an emulated host: takes what comes, sends `toSend` bytes, closes when both are done. */
class HostEnd implements TcpHandler {
  received = 0;
  closed = false;
  private toSend: number;
  private static readonly block = new Uint8Array(CHUNK);

  constructor(toSend: number) {
    this.toSend = toSend;
  }

  onTcp(connection: TcpConnection): void {
    for (let got = connection.receive(CHUNK).length; got > 0; got = connection.receive(CHUNK).length) this.received += got;
    if (connection.connected && !connection.writeShutdown) this.send(connection);
    if (!connection.ended || this.closed) return;
    this.closed = true;
    connection.close();
  }

  private send(connection: TcpConnection): void {
    while (this.toSend > 0) {
      const taken = connection.send(this.toSend < CHUNK ? HostEnd.block.subarray(0, this.toSend) : HostEnd.block);
      if (taken <= 0) return;
      this.toSend -= taken;
    }
    connection.shutdownWrite();
  }
}

/** Takes the one connection that comes. */
class Doorman implements TcpHandler {
  readonly end = new HostEnd(0);

  onTcp(listener: TcpConnection): void {
    const connection = listener.accept();
    if (!connection) return;
    connection.handler = this.end;
    this.end.onTcp(connection);
  }
}

const arrived = (bytes: number): string => `${bytes} bytes arrived`;

/** The processes of one guest, over its loopback. */
function loopback(binary: string, bytes: number): Run {
  const stand = Stand.withNetbench(binary);
  stand.netbench('sink', PORT);
  let ended = (): boolean => false;
  return () => stand.work(() => { ended = stand.begin('source', '127.0.0.1', PORT, bytes); }, () => ended(), bytes / MB, arrived(bytes));
}

/** From a guest that connects to a listener of the host. */
function out(binary: string, bytes: number): Run {
  const stand = Stand.withNetbench(binary);
  const door = new Doorman();
  const listener = stand.host().stack.tcp.socket();
  listener.handler = door;
  listener.bind(0, PORT);
  listener.listen(1);
  return () => whole(stand.work(() => void stand.begin('source', DESK, PORT, bytes), () => door.end.closed, bytes / MB, arrived(bytes)), door.end.received, bytes);
}

function whole(outcome: Outcome, received: number, bytes: number): Outcome {
  if (received !== bytes) throw new Error(`${received} of ${bytes} bytes arrived`);
  return outcome;
}

/** From the host to a guest that listens. */
function into(binary: string, bytes: number): Run {
  const stand = Stand.withNetbench(binary);
  stand.netbench('sink', PORT);
  const host = stand.host();
  const end = new HostEnd(bytes);
  return () => stand.work(() => call(host, end), () => end.closed, bytes / MB, arrived(bytes));
}

function call(host: Host, handler: TcpHandler): void {
  const connection = host.stack.tcp.socket();
  connection.handler = handler;
  connection.connect(ip(ROUTER.lan0), PORT);
}

/** Opens the next connection when the last is over: one byte each way, and the guest closes first. */
class Caller implements TcpHandler {
  done = 0;
  private readonly host: Host;
  private readonly wanted: number;
  private asked = false;

  constructor(host: Host, wanted: number) {
    this.host = host;
    this.wanted = wanted;
  }

  call(): void {
    this.asked = false;
    call(this.host, this);
  }

  onTcp(connection: TcpConnection): void {
    const error = connection.takeError();
    if (error !== 0) throw new Error(`connection ${this.done}: error ${error}`);
    if (connection.connected && !this.asked) {
      this.asked = true;
      connection.send(Uint8Array.of(1));
    }
    connection.receive(1);
    if (!connection.ended || connection.state !== 'CLOSE_WAIT') return;
    connection.handler = null;
    connection.close();
    this.done++;
    if (this.done < this.wanted) this.call();
  }
}

function connections(binary: string, count: number): Run {
  const stand = Stand.withNetbench(binary);
  stand.netbench('answer', PORT);
  const caller = new Caller(stand.host(), count);
  return () => stand.work(() => caller.call(), () => caller.done >= count, count, `${count} connections`);
}

/** Streams within the emulated network. */
export function streams(binary: string, bytes: number, calls: number): Workload[] {
  const size = `${bytes / MB} MB`;
  return [
    { name: 'tcp-loopback', about: `${size} from one process of the router to another, over its loopback`, unit: 'MB', prepare: () => loopback(binary, bytes) },
    { name: 'tcp-out', about: `${size} from a process of the router to an emulated host, over Ethernet`, unit: 'MB', prepare: () => out(binary, bytes) },
    { name: 'tcp-in', about: `${size} from an emulated host to a process of the router, over Ethernet`, unit: 'MB', prepare: () => into(binary, bytes) },
    { name: 'connections', about: `${calls} connections to a process of the router, one after the other: opened, a byte each way, closed`, unit: 'connections', prepare: () => connections(binary, calls) },
  ];
}

import { Clock, EventQueue, loadGraph, Random, saveGraph, snapshotClass } from '../../emulator/base/index.js';
import { Cable, Host, ip, mac, runEvents, type TcpConnection, type TcpHandler } from '../../emulator/net/index.js';
import { concat, encodeResponse, u16 } from '../codecs/dns.js';
import { protocol, type ProtocolName } from '../protocols/index.js';
import { TcpChannel } from './tcp-channel.js';

const MHZ = 1e6;
const request = { sequence: 4, names: ['www.example.com'], mac: new Uint8Array(6), random: new Random(1) };

/** Answers each connection's bytes by a function, then closes if it says so; null: never. */
type Behaviour = (heard: Uint8Array) => { pieces: Uint8Array[]; close: boolean; reset?: boolean } | null;

/** Looks on and answers; not saved. */
class Server implements TcpHandler {
  heard: Uint8Array[] = [];
  times: number[] = [];
  accepted = 0;
  private readonly listener: TcpConnection;
  private readonly clock: Clock;
  private readonly behave: Behaviour;

  constructor(host: Host, port: number, clock: Clock, behave: Behaviour) {
    this.clock = clock;
    this.behave = behave;
    this.listener = host.stack.tcp.socket();
    this.listener.bind(0, port);
    this.listener.listen(8);
    this.listener.handler = this;
  }

  onTcp(connection: TcpConnection): void {
    for (let next = this.listener.accept(); next; next = this.listener.accept()) {
      this.accepted++;
      next.handler = this;
      this.serve(next);
    }
    if (connection !== this.listener) this.serve(connection);
  }

  private serve(connection: TcpConnection): void {
    if (connection.available === 0) return;
    const bytes = connection.receive(65536);
    this.heard.push(bytes);
    this.times.push(this.clock.cycles);
    const answer = this.behave(bytes);
    if (!answer) return;
    for (const piece of answer.pieces) connection.send(piece);
    if (answer.reset) connection.abort();
    if (answer.close || answer.reset) connection.close();
  }
}

function lab(service: ProtocolName, behave: Behaviour): { channel: TcpChannel; server: Server; answers: [string, string | undefined][]; run: (seconds: number) => void; client: Host } {
  const clock = new Clock(MHZ);
  const events = new EventQueue();
  const cable = new Cable(clock, events);
  const host = (side: 0 | 1, last: number): Host =>
    new Host(clock, events, new Random(side), cable, side, { name: `h${last}`, mac: mac(`02:00:00:00:00:0${last}`), address: ip(`10.0.0.${last}`), prefix: 24 });
  const [client, far] = [host(0, 1), host(1, 2)];
  const server = new Server(far, protocol(service).serverPort, clock, behave);
  const channel = new TcpChannel({ clock, events }, client, far.address, protocol(service).serverPort, service);
  const answers: [string, string | undefined][] = [];
  channel.open({ onMessage: (bytes, key) => void answers.push([Buffer.from(bytes).toString('latin1'), key]) });
  return { channel, server, answers, client, run: (seconds) => runEvents(clock, events, clock.cycles + seconds * MHZ) };
}

const bytesOf = (text: string): Uint8Array => Buffer.from(text, 'latin1');

describe('requests over TCP, each on a connection of its own', () => {
  test('a DNS answer is whole when its length says so, though it comes in pieces and nobody closes', () => {
    const { key, bytes } = protocol('dns-tcp').request(request);
    const { channel, answers, run } = lab('dns-tcp', (heard) => {
      expect(heard).toEqual(bytes);
      const id = (heard[2] << 8) | heard[3];
      const question = { name: 'www.example.com', type: 1 };
      const answer = encodeResponse({ id, code: 0, question, answers: [{ ...question, ttl: 1, data: Uint8Array.of(1, 2, 3, 4) }] });
      const whole = concat(u16(answer.length), answer);
      return { pieces: [whole.subarray(0, 1), whole.subarray(1, 9), whole.subarray(9)], close: false };
    });
    channel.send(bytes, undefined, key);
    run(1);
    expect(answers).toHaveLength(1);
    expect(protocol('dns-tcp').answers(bytesOf(answers[0][0]))).toBe(key);
  });

  test('a page ends with its length or with the connection, and belongs to the request it was asked by', () => {
    const pages = ['HTTP/1.0 200 OK\r\nContent-Length: 5\r\n\r\nhello and more', 'HTTP/1.1 200 OK\r\n\r\nto the end'];
    let turn = 0;
    const { channel, answers, run } = lab('http', () => ({ pieces: [bytesOf(pages[turn])], close: turn++ === 1 }));
    for (const sequence of [0, 1]) {
      const { key, bytes } = protocol('http').request({ ...request, names: [], sequence });
      channel.send(bytes, undefined, key);
      run(1);
    }
    expect(answers).toEqual([['HTTP/1.0 200 OK\r\nContent-Length: 5\r\n\r\nhello', 'page 0'], ['HTTP/1.1 200 OK\r\n\r\nto the end', 'page 1']]);
    expect(answers.map(([text, key]) => protocol('http').answers(bytesOf(text), key))).toEqual(['page 0', 'page 1']);
  });

  test.each([
    ['HTTP/1.1 500 Internal Server Error\r\n\r\n'], ['HTTP/1.0 200 OK\r\nContent-Length: 9\r\n\r\nhalf'], [''], ['200 OK'],
  ])('%j is no good answer', (text) => {
    expect(protocol('http').answers(bytesOf(text), 'page 1')).toBeNull();
  });

  test('a reset is no answer, and a request given up is closed towards the server', () => {
    const reset = lab('http', () => ({ pieces: [], close: true, reset: true }));
    reset.channel.send(bytesOf('GET /'), undefined, 'a');
    reset.run(1);
    expect(reset.answers).toEqual([]);
    const silent = lab('http', () => null);
    silent.channel.send(bytesOf('GET /'), undefined, 'a');
    silent.run(1);
    expect([...silent.client.stack.tcp.ports.all()]).toHaveLength(1);
    silent.channel.giveUp('a');
    silent.run(1);
    expect([...silent.client.stack.tcp.ports.all()]).toEqual([]);
  });

  test('one who never finishes sends some bytes every ten seconds, on as many connections as it likes', () => {
    const { channel, server, run } = lab('http-slow', () => null);
    const head = bytesOf('x'.repeat(100));
    channel.send(head);
    channel.send(head);
    run(25);
    expect(server.accepted).toBe(2);
    expect(server.heard.map(({ length }) => length)).toEqual([24, 24, 24, 24, 24, 24]);
    expect(Math.round((server.times[4] - server.times[0]) / MHZ)).toBe(20);
  });
});

/** What hears is saved with what asks. */
class Ear {
  heard = 0;
  onMessage(): void {
    this.heard++;
  }
}
snapshotClass('TestEar', Ear);

test('a request under way is saved and goes on', () => {
  const clock = new Clock(MHZ);
  const events = new EventQueue();
  const cable = new Cable(clock, events, 1000);
  const host = (side: 0 | 1, last: number): Host =>
    new Host(clock, events, new Random(side), cable, side, { name: `h${last}`, mac: mac(`02:00:00:00:00:0${last}`), address: ip(`10.0.0.${last}`), prefix: 24 });
  const [client, far] = [host(0, 1), host(1, 2)];
  const ear = new Ear();
  const channel = new TcpChannel({ clock, events }, client, far.address, 80, 'http');
  channel.open(ear);
  channel.send(bytesOf('GET / HTTP/1.0\r\n\r\n'), undefined, 'page 0');
  runEvents(clock, events, 1500);
  const loaded = loadGraph(saveGraph({ clock, events, client, far, ear })) as { clock: Clock; events: EventQueue; far: Host; ear: Ear };
  new Server(loaded.far, 80, loaded.clock, () => ({ pieces: [bytesOf('HTTP/1.0 200 OK\r\n\r\n')], close: true }));
  runEvents(loaded.clock, loaded.events, 20 * MHZ);
  expect(loaded.ear.heard).toBe(1);
});

import { loadGraph, Random, saveGraph, snapshotClass } from '../../emulator/base/index.js';
import type { Kernel } from '../../emulator/kernel/index.js';
import { Cable, Delay, Host, ip, Loss, mac, Rate, type TcpConnection, type TcpHandler } from '../../emulator/net/index.js';
import { guestBinary, TestMachine } from '../support/machine.js';

/** Sends `request` and then `bytes` bytes of a pattern, ends its side, and keeps what comes back: a count, a sum and the first bytes. */
class Asker implements TcpHandler {
  readonly request: string;
  readonly bytes: number;
  sent = 0;
  got = 0;
  head = '';
  wrong = -1;
  error = 0;
  over = false;

  constructor(request: string, bytes: number) {
    this.request = request;
    this.bytes = bytes;
  }

  onTcp(connection: TcpConnection): void {
    this.error ||= connection.takeError();
    this.receive(connection);
    if (connection.connected && !connection.writeShutdown) this.send(connection);
    this.over ||= connection.state === 'CLOSED' || connection.ended;
    if (connection.ended && connection.connected) connection.close();
  }

  private receive(connection: TcpConnection): void {
    for (let got = connection.receive(65_536); got.length > 0; got = connection.receive(65_536)) {
      if (this.head.length < 64) this.head += Buffer.from(got).toString('latin1').slice(0, 64);
      if (this.request.startsWith('g')) for (let i = 0; i < got.length; i++) if (got[i] !== ((this.got + i) % 16_384) % 251 && this.wrong < 0) this.wrong = this.got + i;
      this.got += got.length;
    }
  }

  private send(connection: TcpConnection): void {
    const total = this.request.length + this.bytes;
    while (this.sent < total) {
      const part = this.sent < this.request.length ? Buffer.from(this.request.slice(this.sent), 'latin1') : pattern(this.sent - this.request.length, Math.min(8192, total - this.sent));
      const taken = connection.send(part);
      if (taken <= 0) return;
      this.sent += taken;
    }
    connection.shutdownWrite();
  }
}
snapshotClass('test.Asker', Asker);

function pattern(from: number, length: number): Uint8Array {
  return Uint8Array.from({ length }, (_, i) => (from + i) % 253);
}

/** What tcpstream answers to a sink of `bytes`. */
function sums(bytes: number): string {
  let sum = 0;
  for (const byte of pattern(0, bytes)) sum = (Math.imul(sum, 31) + byte) >>> 0;
  return `${bytes} ${sum}`;
}

/** A router that serves streams, and a client on its LAN. */
class Lan {
  readonly kernel: Kernel;
  readonly client: Host;
  readonly askers: Asker[] = [];

  constructor(kernel: Kernel, loss: number) {
    this.kernel = kernel;
    const { clock, events, net } = kernel;
    if (!net) throw new Error('a kernel without a network');
    const random = new Random(4);
    const link = new Delay(new Loss(new Rate(new Cable(clock, events), clock, events, 100e6, 200), random.fork(1), { loss }), clock, events, clock.toCycles(100_000));
    net.addInterface('lan0', mac('02:00:00:00:00:01'), link, 0, 128);
    net.configure('lan0', ip('192.168.1.1'), 24);
    this.client = new Host(clock, events, random.fork(2), link, 1, { name: 'client', mac: mac('02:00:00:00:00:11'), address: ip('192.168.1.10'), prefix: 24 });
  }

  ask(request: string, bytes = 0): Asker {
    const asker = new Asker(request, bytes);
    this.askers.push(asker);
    const connection = this.client.stack.tcp.socket();
    connection.handler = asker;
    connection.connect(ip('192.168.1.1'), 7);
    return asker;
  }

  run(milliseconds: number): void {
    this.kernel.run(this.kernel.clock.cycles + this.kernel.clock.toCycles(milliseconds * 1e6));
  }

  runUntil(holds: () => boolean, seconds: number): boolean {
    for (let i = 0; i < seconds * 20 && !holds(); i++) this.run(50);
    return holds();
  }

  get over(): boolean {
    return this.askers.every(({ over }) => over);
  }
}
snapshotClass('test.Lan', Lan);

const costs = { syscall: 500, 'packet.rx': 4000, 'packet.tx': 3000, 'copy.bytes': 0.5 };

function lan(loss = 0): [Lan, TestMachine] {
  const machine = new TestMachine({ costs });
  machine.writeFile('/bin/tcpstream', guestBinary('tcpstream'), 0o755);
  const made = new Lan(machine.kernel, loss);
  machine.spawn('/bin/tcpstream', ['tcpstream']);
  made.run(20);
  return [made, machine];
}

/** 'g' and a little-endian length. */
function generate(bytes: number): string {
  return `g${String.fromCharCode(bytes & 255, (bytes >>> 8) & 255, (bytes >>> 16) & 255, bytes >>> 24)}`;
}

test.each([0, 0.03])('a client streams to and from a MIPS program, every byte checked, loss %d', (loss) => {
  const [net, machine] = lan(loss);
  // The program touches all of its pages before they are counted.
  net.ask('s', 20_000);
  net.ask(generate(20_000));
  net.run(200_000);
  const free = machine.kernel.ram.free();
  const up = net.ask('s', 150_000);
  expect(net.runUntil(() => net.over, 300)).toBe(true);
  const down = net.ask(generate(150_000));
  expect(net.runUntil(() => net.over, 300)).toBe(true);
  expect([up.head, up.error, down.got, down.wrong, down.error]).toEqual([sums(150_000), 0, 150_000, -1, 0]);
  // What the connections were charged is given back.
  net.run(200_000);
  expect(machine.kernel.ram.free()).toBe(free);
  expect(net.kernel.net?.tcp.timeWaits.size).toBe(0);
});

test('router, program and connections saved in the middle of a stream go on identically', () => {
  for (const moment of [2, 30]) {
    const [net] = lan(0.05);
    net.ask('s', 100_000);
    net.ask(generate(100_000));
    net.run(moment);
    const copy = loadGraph(saveGraph(net)) as Lan;
    for (const one of [net, copy]) expect(one.runUntil(() => one.over, 300)).toBe(true);
    expect(copy.askers.map(({ head, got, wrong, error }) => ({ head, got, wrong, error }))).toEqual(net.askers.map(({ head, got, wrong, error }) => ({ head, got, wrong, error })));
    expect(copy.kernel.clock.cycles).toBe(net.kernel.clock.cycles);
    expect(copy.kernel.net?.snmp.snapshot()).toEqual(net.kernel.net?.snmp.snapshot());
    expect(net.askers.map(({ got, wrong }) => [got, wrong])).toEqual([[expect.any(Number), -1], [100_000, -1]]);
  }
});

test('connections that are not served wait in the backlog; beyond it the SYN is repeated until there is room', () => {
  const [net] = lan();
  // The first is served and says nothing more, so the others wait.
  const first = net.client.stack.tcp.socket();
  first.connect(ip('192.168.1.1'), 7);
  net.run(50);
  const askers = Array.from({ length: 12 }, () => net.ask(generate(10)));
  net.run(500);
  expect(net.kernel.net?.snmp.get('TcpExt.ListenOverflows')).toBeGreaterThan(0);
  first.close();
  expect(net.runUntil(() => askers.every(({ over }) => over), 60)).toBe(true);
  expect(askers.map(({ got, error }) => [got, error])).toEqual(askers.map(() => [10, 0]));
});

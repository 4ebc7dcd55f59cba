import { Clock, EventQueue, loadGraph, Random, saveGraph, snapshotClass } from '../base/index.js';
import { Recorder } from '../../test/net/exchange.js';
import { Cable, Delay, Host, Loss, Rate, Reorder, runEvents, Switch, type HostHandler, type Link } from './index.js';
import { ip, type Ip } from './wire/index.js';

const HZ = 1_000_000;

class Bench {
  readonly clock = new Clock(HZ);
  readonly events = new EventQueue();
  readonly cable = new Cable(this.clock, this.events);
  readonly far = new Recorder(this.clock);

  constructor() {
    this.cable.attach(1, this.far);
  }

  times(link: Link, count: number, gap = 0): [number, number][] {
    for (let i = 0; i < count; i++) {
      link.send(0, Uint8Array.of(i, ...new Uint8Array(99)));
      runEvents(this.clock, this.events, this.clock.cycles + gap);
    }
    runEvents(this.clock, this.events, this.clock.cycles + 10 * HZ);
    return this.far.received.map(({ time, frame }) => [frame[0], time]);
  }
}

test('a cable delivers in order at once, to the other side only', () => {
  const bench = new Bench();
  const near = new Recorder(bench.clock);
  bench.cable.attach(0, near);
  expect(bench.times(bench.cable, 3)).toEqual([[0, 0], [1, 0], [2, 0]]);
  expect(near.received).toEqual([]);
});

test('a delay holds every frame as long', () => {
  const bench = new Bench();
  expect(bench.times(new Delay(bench.cable, bench.clock, bench.events, 500), 3, 10)).toEqual([[0, 500], [1, 510], [2, 520]]);
});

test('a rate spaces frames by their length and drops what its queue does not hold', () => {
  const bench = new Bench();
  // (100 + 24) bytes at 992 kbit/s take 1000 µs.
  const rate = new Rate(bench.cable, bench.clock, bench.events, 992_000, 4);
  expect(bench.times(rate, 6)).toEqual([[0, 1000], [1, 2000], [2, 3000], [3, 4000]]);
  expect(rate.dropped).toBe(2);
});

test('loss, corruption and duplication happen as often as asked, the same with the same seed', () => {
  const play = (): { loss: Loss; seen: string } => {
    const bench = new Bench();
    const loss = new Loss(bench.cable, new Random(3), { loss: 0.2, corrupt: 0.1, duplicate: 0.1 });
    bench.times(loss, 1000, 1);
    return { loss, seen: bench.far.received.map(({ time, frame }) => `${time}:${Buffer.from(frame).toString('hex')}`).join() };
  };
  const [one, two] = [play(), play()];
  expect(one.seen).toBe(two.seen);
  expect(one.loss.lost).toBeGreaterThan(150);
  expect(one.loss.lost).toBeLessThan(250);
  expect(one.loss.corrupted).toBeGreaterThan(40);
  expect(one.loss.duplicated).toBeGreaterThan(40);
});

test('reordering swaps neighbours and loses nothing that has a successor', () => {
  const bench = new Bench();
  const reorder = new Reorder(bench.cable, new Random(3), 0.3);
  const order = bench.times(reorder, 50, 1).map(([index]) => index);
  expect(order.length).toBeGreaterThanOrEqual(49);
  expect(reorder.reordered).toBeGreaterThan(5);
  for (const [i, index] of order.entries()) expect(Math.abs(i - index)).toBeLessThanOrEqual(1);
});

class Echo implements HostHandler {
  onDatagram(host: Host, localPort: number, source: Ip, sourcePort: number, payload: Uint8Array): void {
    host.send(localPort, source, sourcePort, payload);
  }
}
snapshotClass('test.Echo', Echo);

class Collector implements HostHandler {
  readonly heard: string[] = [];
  onDatagram(host: Host, localPort: number, _source: Ip, sourcePort: number, payload: Uint8Array): void {
    this.heard.push(`${host.stack.clock.cycles} ${sourcePort}>${localPort} ${Buffer.from(payload).toString('latin1').slice(0, 8)} ${payload.length}`);
  }
  onError(_host: Host, localPort: number, errno: number, _destination: Ip, destinationPort: number): void {
    this.heard.push(`error ${errno} ${localPort}>${destinationPort}`);
  }
}
snapshotClass('test.Collector', Collector);

class Lan {
  readonly clock = new Clock(HZ);
  readonly events = new EventQueue();
  readonly segment = new Switch(this.clock);
  readonly hosts: Host[] = [];
  readonly collector = new Collector();

  constructor() {
    const random = new Random(5);
    for (let i = 1; i <= 3; i++) {
      const link = new Delay(new Cable(this.clock, this.events), this.clock, this.events, 100 * i);
      this.segment.plug(link, 1);
      this.hosts.push(new Host(this.clock, this.events, random.fork(i), link, 0, { name: `h${i}`, mac: 0x020000000000 + i, address: ip('10.1.0.0') + i, prefix: 24, gateway: 0 }));
    }
    this.hosts[1].bind(7, new Echo());
    this.hosts[0].bind(1000, this.collector);
  }

  ask(text: string): void {
    this.hosts[0].send(1000, ip('10.1.0.2'), 7, Buffer.from(text));
  }

  run(until: number): void {
    runEvents(this.clock, this.events, until);
  }
}
snapshotClass('test.Lan', Lan);

test('hosts on a switch talk to each other; the third hears only broadcasts', () => {
  const lan = new Lan();
  lan.ask('hello');
  lan.run(5000);
  lan.ask('x'.repeat(5000));
  lan.run(10_000);
  // ARP there and back, then the datagram and its echo: 300 µs each way and half.
  expect(lan.collector.heard).toEqual(['1200 7>1000 hello 5', '5600 7>1000 xxxxxxxx 5000']);
  expect(lan.hosts[2].framesReceived).toBe(1);
});

test('a closed port comes back to the sender as an error', () => {
  const lan = new Lan();
  lan.hosts[0].send(1000, ip('10.1.0.2'), 8, Buffer.from('x'));
  lan.run(5000);
  expect(lan.collector.heard).toEqual(['error 146 1000>8']);
});

test('a network of hosts saved in mid-flight goes on in the loaded copy exactly alike', () => {
  const lan = new Lan();
  lan.ask('one');
  lan.run(700);
  lan.ask('two'.repeat(1000));
  const copy = loadGraph(saveGraph(lan)) as Lan;
  for (const each of [lan, copy]) {
    each.run(1500);
    each.ask('three');
    each.run(20_000);
  }
  expect(copy.collector.heard).toEqual(lan.collector.heard);
  expect(copy.collector.heard.length).toBe(3);
});

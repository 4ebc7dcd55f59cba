import { loadGraph, Random, saveGraph, snapshotClass } from '../../emulator/base/index.js';
import type { Kernel } from '../../emulator/kernel/index.js';
import { Cable, Capture, capturesToPcapng, Delay, Host, ip, Loss, mac, Rate, type HostHandler, type Ip, type NetInterface } from '../../emulator/net/index.js';
import { guestBinary, TestMachine } from '../support/machine.js';

class Heard implements HostHandler {
  readonly lines: string[] = [];
  onDatagram(host: Host, localPort: number, _source: Ip, sourcePort: number, payload: Uint8Array): void {
    this.lines.push(`${host.stack.clock.cycles} ${sourcePort}>${localPort} ${payload.length} ${Buffer.from(payload.subarray(0, 5)).toString('latin1')}`);
  }
  onError(_host: Host, localPort: number, errno: number): void {
    this.lines.push(`error ${errno} ${localPort}`);
  }
}
snapshotClass('test.Heard', Heard);

/** A router with a MIPS program on it, a client on lan0 and a server on wan0: one object graph. */
class Town {
  readonly kernel: Kernel;
  readonly client: Host;
  readonly server: Host;
  readonly heard = new Heard();
  readonly capture: Capture;

  constructor(kernel: Kernel, loss = 0) {
    this.kernel = kernel;
    const { clock, events, net } = kernel;
    if (!net) throw new Error('a kernel without a network');
    const random = new Random(11);
    const host = (name: string, address: string, device: string, gateway: string): [Host, Capture] => {
      const wire = new Loss(new Rate(new Cable(clock, events), clock, events, 100e6, 100), random.fork(address.length), { loss });
      const capture = new Capture(new Delay(wire, clock, events, clock.toCycles(200_000)), clock, device);
      net.addInterface(device, mac(`02:00:00:00:00:0${device === 'lan0' ? 1 : 2}`), capture, 0, 32);
      const made = new Host(clock, events, random.fork(device.length), capture, 1, { name, mac: mac(`02:00:00:00:00:1${device === 'lan0' ? 1 : 2}`), address: ip(address), prefix: 24, gateway: ip(gateway) });
      return [made, capture];
    };
    [this.client, this.capture] = host('client', '192.168.1.10', 'lan0', '192.168.1.1');
    [this.server] = host('server', '10.0.0.1', 'wan0', '10.0.0.2');
    net.forwarding = true;
    this.client.bind(1000, this.heard);
    this.server.bind(53, this.heard);
  }

  run(milliseconds: number): void {
    this.kernel.run(this.kernel.clock.cycles + this.kernel.clock.toCycles(milliseconds * 1e6));
  }

  ask(text: string): void {
    this.client.send(1000, ip('192.168.1.1'), 7, Buffer.from(text));
  }
}
snapshotClass('test.Town', Town);

const arguments_ = ['netecho', 'lan0', '192.168.1.1', '255.255.255.0', 'wan0', '10.0.0.2', '255.255.255.0', '-g', '10.0.0.1'];

function town(loss = 0): [Town, TestMachine] {
  const machine = new TestMachine({ costs: { syscall: 500, 'packet.rx': 4000, 'packet.tx': 3000, 'copy.bytes': 0.5 } });
  machine.writeFile('/bin/netecho', guestBinary('netecho'), 0o755);
  const made = new Town(machine.kernel, loss);
  machine.spawn('/bin/netecho', arguments_);
  made.run(50);
  return [made, machine];
}

test('a MIPS program configures the interfaces and answers from the address it was asked at', () => {
  const [net, machine] = town();
  net.ask('hello');
  net.run(50);
  net.ask('large'.repeat(700));
  net.run(50);
  net.client.send(1000, ip('10.0.0.2'), 7, Buffer.from('other'));
  net.run(50);
  net.client.send(1000, ip('192.168.1.1'), 9, Buffer.from('closed'));
  net.client.send(1000, ip('10.0.0.1'), 53, Buffer.from('through'));
  net.run(50);
  net.ask('quit');
  net.run(50);
  expect(machine.stdout.split('\n')).toEqual([
    'ready',
    '5 bytes from 192.168.1.10:1000 on lan0 to 192.168.1.1',
    '3500 bytes from 192.168.1.10:1000 on lan0 to 192.168.1.1',
    '5 bytes from 192.168.1.10:1000 on lan0 to 10.0.0.2',
    '4 bytes from 192.168.1.10:1000 on lan0 to 192.168.1.1', '',
  ]);
  expect(net.heard.lines.map((line) => line.replace(/^[\d.]+ /, ''))).toEqual(['7>1000 5 hello', '7>1000 3500 large', '7>1000 5 other', 'error 146 1000', '1000>53 7 throu', '7>1000 4 quit']);
  expect(net.kernel.net?.drops.snapshot()).toEqual({ 'udp.no-socket': 1 });
  expect(capturesToPcapng([net.capture], net.kernel.clock).length).toBeGreaterThan(3500);
});

test('interfaces, routes, neighbours, raw sockets, the error queue and groups, as a program sees them', () => {
  const machine = new TestMachine();
  machine.writeFile('/bin/netctl', guestBinary('netctl'), 0o755);
  new Town(machine.kernel);
  const outcome = machine.finish(machine.spawn('/bin/netctl', ['netctl']));
  expect(outcome.stdout.split('\n').filter((line) => !line.endsWith(': yes'))).toEqual(['']);
  expect([outcome.status, outcome.hung]).toEqual([0, null]);
  expect(outcome.stdout.match(/: yes$/gm)?.length).toBe(67);
  expect([...machine.kernel.unknownCalls]).toEqual([['socket family 9 type 1 protocol 0 netctl', 1]]);
});

test('IPv6 on a link, as a program sees it: link6.c prints the same on Linux over a veth pair', () => {
  const machine = new TestMachine();
  machine.writeFile('/bin/link6', guestBinary('link6'), 0o755);
  const { kernel } = machine;
  const { net } = new Town(kernel).kernel;
  net?.setUp(net.interface('lan0') as NetInterface, true);
  const outcome = machine.finish(machine.spawn('/bin/link6', ['link6']));
  expect(outcome.stdout.split('\n').filter((line) => !line.endsWith(': yes'))).toEqual(['message 41/52: 64', '']);
  expect([outcome.status, outcome.hung]).toEqual([0, null]);
  expect(outcome.stdout.match(/: yes$/gm)?.length).toBe(48);
  expect([...kernel.unknownCalls]).toEqual([]);
});

test('the whole town saved at any moment of an exchange goes on identically', () => {
  // Milliseconds after the question: on the way, at the router, in ARP, on the way back.
  const moments = [0.05, 0.25, 0.4, 0.5, 0.9, 1.3];
  const play = (net: Town): void => {
    for (let i = 0; i < 5; i++) {
      net.ask(`${i}`.repeat(1 + 1000 * i));
      net.run(3.3);
    }
    net.run(2000);
  };
  for (const moment of moments) {
    const [net] = town(0.1);
    net.ask('first');
    net.run(moment);
    const copy = loadGraph(saveGraph(net)) as Town;
    play(net);
    play(copy);
    expect(copy.heard.lines).toEqual(net.heard.lines);
    expect(copy.kernel.log.lines()).toBe(net.kernel.log.lines());
    expect(Buffer.compare(capturesToPcapng([copy.capture], copy.kernel.clock), capturesToPcapng([net.capture], net.kernel.clock))).toBe(0);
    expect(net.heard.lines.length).toBeGreaterThan(2);
  }
});

test('a flood overruns the ring while the CPU is busy, and the program goes on afterwards', () => {
  const [net, machine] = town();
  net.ask('warm');
  net.run(20);
  // 148 810 frames a second is the wire's limit at 100 Mbit/s; each costs the router 7000 cycles of 100 MHz and more.
  for (let i = 0; i < 90; i++) net.ask(`flood ${i}`);
  net.run(200);
  expect(net.kernel.net?.drops.get('interface.ring-full')).toBeGreaterThan(10);
  const before = net.heard.lines.length;
  net.ask('quit');
  net.run(50);
  expect(net.heard.lines.length).toBe(before + 1);
  expect(machine.stdout).toContain('4 bytes from');
});

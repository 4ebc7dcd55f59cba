import { Clock, EventLog, EventQueue, Ledger, Meter, Random, snapshotClass } from '../../emulator/base/index.js';
import { Capture, ip6, mac, NetStack, runEvents, type Address, type Link, type NetInterface, type Port, type Side, type UdpSocket } from '../../emulator/net/index.js';

export const HZ = 1_000_000;

/** A repeater: what one end sends all others hear. */
class Hub {
  readonly ports: Port[] = [];
  readonly clock: Clock;
  readonly events: EventQueue;
  constructor(clock: Clock, events: EventQueue) {
    this.clock = clock;
    this.events = events;
  }
  onEvent(_kind: string, argument: unknown): void {
    const { from, frame } = argument as { from: Port | null; frame: Uint8Array };
    for (const port of this.ports) if (port !== from) port.receive(frame);
  }
}
snapshotClass('test.Hub', Hub);

class Socket implements Link {
  readonly hub: Hub;
  private port: Port | null = null;
  constructor(hub: Hub) {
    this.hub = hub;
  }
  attach(_side: Side, port: Port): void {
    this.port = port;
    this.hub.ports.push(port);
  }
  send(_side: Side, frame: Uint8Array): void {
    this.hub.events.at(this.hub.clock.cycles + 100, this.hub, 'frame', { from: this.port, frame });
  }
}
snapshotClass('test.HubSocket', Socket);

/** Hosts on one Ethernet, what they send captured; 1 cycle is 1 µs. */
export class Link6 {
  readonly clock = new Clock(HZ);
  readonly events = new EventQueue();
  readonly stacks: NetStack[] = [];
  readonly captures: Capture[] = [];
  private readonly hub = new Hub(this.clock, this.events);

  /** `count` hosts with the MACs 02:00:00:00:00:01 and on, their interface eth0 up. */
  constructor(count = 2, prepare: (device: NetInterface) => void = () => undefined) {
    for (let i = 1; i <= count; i++) this.add(i, prepare);
  }

  add(number: number, prepare: (device: NetInterface) => void = () => undefined): NetStack {
    const { clock, events } = this;
    const stack = new NetStack(clock, events, new Meter(clock, new Ledger(), {}), new Random(number), new EventLog(clock));
    const capture = new Capture(new Socket(this.hub), clock, `host${number}`);
    const device = stack.addInterface('eth0', mac(`02:00:00:00:00:${String(number).padStart(2, '0')}`), capture, 0, 256);
    prepare(device);
    stack.setUp(device, true);
    this.stacks.push(stack);
    this.captures.push(capture);
    return stack;
  }

  get a(): NetStack {
    return this.stacks[0];
  }

  get b(): NetStack {
    return this.stacks[1];
  }

  /** Send a frame of any bytes to everybody. */
  inject(frame: Uint8Array): void {
    this.events.at(this.clock.cycles, this.hub, 'frame', { from: null, frame });
    this.run(1);
  }

  run(milliseconds: number): void {
    runEvents(this.clock, this.events, this.clock.cycles + milliseconds * 1000);
  }
}
snapshotClass('test.Link6', Link6);

export const linkLocal = (number: number): string => ip6(`fe80::ff:fe00:${number}`);

export function boundSocket(stack: NetStack, port: number, address: Address = 0): UdpSocket {
  const socket = stack.udpSocket(true);
  socket.receiveErrors = true;
  const result = socket.bind(address, port);
  if (result < 0) throw new Error(`bind: ${result}`);
  return socket;
}


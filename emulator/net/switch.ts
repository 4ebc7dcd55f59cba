import type { Clock } from '../base/index.js';
import { snapshotClass } from '../base/index.js';
import type { Link, Port, Side } from './link.js';
import { ETHERNET_HEADER, EthernetView, isGroupMac, type Mac } from './wire/index.js';

/** IEEE 802.1D: 300 s. */
const LEARNED_NS = 300e9;
const MAX_LEARNED = 1024;

/** A learning Ethernet switch: joins any number of links into one segment (several hosts on lan0). */
export class Switch {
  private readonly clock: Clock;
  private readonly ports: SwitchPort[] = [];
  private readonly learned = new Map<Mac, { port: number; expires: number }>();

  constructor(clock: Clock) {
    this.clock = clock;
  }

  /** Plug in one side of a link. */
  plug(link: Link, side: Side): void {
    const port = new SwitchPort(this, this.ports.length, link, side);
    this.ports.push(port);
    link.attach(side, port);
  }

  forward(from: number, frame: Uint8Array): void {
    if (frame.length < ETHERNET_HEADER) return;
    const { source, destination } = new EthernetView(frame);
    this.learn(source, from);
    const known = isGroupMac(destination) ? undefined : this.learned.get(destination);
    if (known && known.expires > this.clock.cycles) {
      if (known.port !== from) this.ports[known.port].send(frame);
      return;
    }
    for (const port of this.ports) if (port.index !== from) port.send(frame);
  }

  private learn(source: Mac, port: number): void {
    if (isGroupMac(source)) return;
    if (this.learned.size >= MAX_LEARNED && !this.learned.has(source)) this.learned.delete(this.learned.keys().next().value as Mac);
    this.learned.set(source, { port, expires: this.clock.cycles + this.clock.toCycles(LEARNED_NS) });
  }
}
snapshotClass('Switch', Switch);

class SwitchPort implements Port {
  readonly index: number;
  private readonly owner: Switch;
  private readonly link: Link;
  private readonly side: Side;

  constructor(owner: Switch, index: number, link: Link, side: Side) {
    this.owner = owner;
    this.index = index;
    this.link = link;
    this.side = side;
  }

  receive(frame: Uint8Array): void {
    this.owner.forward(this.index, frame);
  }

  send(frame: Uint8Array): void {
    this.link.send(this.side, frame);
  }
}
snapshotClass('SwitchPort', SwitchPort);

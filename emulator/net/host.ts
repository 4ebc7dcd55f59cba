import type { Clock, EventQueue, Random, Result, Sleeper } from '../base/index.js';
import { EventLog, failed, Ledger, Meter, snapshotClass } from '../base/index.js';
import type { NetInterface } from './interface.js';
import type { Link, Port, Side } from './link.js';
import { NetStack } from './stack.js';
import type { UdpSocket } from './udp-socket.js';
import * as wire from './wire/index.js';
import type { Ip, Mac } from './wire/index.js';

/** Who handles what a host receives: a plain-data object known to the snapshot registry. */
export interface HostHandler {
  onDatagram(host: Host, localPort: number, source: Ip, sourcePort: number, payload: Uint8Array): void;
  /** "Port unreachable" and other ICMP errors about what was sent from `localPort`. */
  onError?(host: Host, localPort: number, errno: number, destination: Ip, destinationPort: number): void;
}

/** Sees every frame that reaches the host, before the stack does. */
export interface FrameHandler {
  onFrame(host: Host, frame: Uint8Array): void;
}

export interface HostOptions {
  name: string;
  mac: Mac;
  /** 0: none yet (a DHCP client). */
  address: Ip;
  prefix: number;
  /** 0: none. */
  gateway?: Ip;
}

/**
 * An end system of the emulated network: client, attacker or upstream server. It has the router's own
 * stack but costs the router nothing: its work takes no virtual time.
 */
export class Host implements Port {
  readonly name: string;
  readonly stack: NetStack;
  readonly interface: NetInterface;
  /** Optional. */
  tap: FrameHandler | null = null;
  private readonly link: Link;
  private readonly side: Side;
  private readonly ports = new Map<number, HostPort>();
  framesReceived = 0;
  framesSent = 0;

  constructor(clock: Clock, events: EventQueue, random: Random, link: Link, side: Side, options: HostOptions) {
    this.name = options.name;
    this.link = link;
    this.side = side;
    this.stack = new NetStack(clock, events, new Meter(clock, new Ledger(), {}), random, new EventLog(clock));
    this.interface = this.stack.addInterface('eth0', options.mac, new HostLink(this), 0, 4096);
    this.stack.configure('eth0', options.address, options.prefix, true);
    if (options.gateway) this.stack.addRoute(0, 0, options.gateway);
    link.attach(side, this);
  }

  get address(): Ip {
    return this.interface.address;
  }

  get mac(): Mac {
    return this.interface.mac;
  }

  receive(frame: Uint8Array): void {
    this.framesReceived++;
    this.tap?.onFrame(this, frame);
    this.interface.receive(frame);
  }

  /** Put any bytes on the wire. */
  sendFrame(frame: Uint8Array): void {
    this.framesSent++;
    this.link.send(this.side, frame);
  }

  /** Take an address later (a DHCP client that got its lease). */
  configure(address: Ip, prefix: number, gateway: Ip = 0): Result {
    this.stack.configure('eth0', address, prefix, true);
    return gateway === 0 ? 0 : this.stack.addRoute(0, 0, gateway);
  }

  /** Hand datagrams for `port` to `handler`; port 0 picks one. The port, or an errno (EADDRINUSE). */
  bind(port: number, handler: HostHandler): number {
    const socket = this.stack.udpSocket();
    socket.receiveErrors = true;
    socket.broadcast = true;
    socket.receiveBuffer = 1 << 20;
    const bound = socket.bind(0, port);
    if (failed(bound)) return bound;
    this.ports.set(socket.localPort, new HostPort(this, socket, handler));
    return socket.localPort;
  }

  unbind(port: number): void {
    this.ports.get(port)?.close();
    this.ports.delete(port);
  }

  /** From a bound port, or (port not bound) from it without being able to hear the answer. */
  send(localPort: number, destination: Ip, port: number, payload: Uint8Array): Result {
    const bound = this.ports.get(localPort);
    if (bound) return bound.socket.sendto(payload, destination, port, { device: destination === wire.LIMITED_BROADCAST ? this.interface.index : 0 });
    return this.sendFrom(this.address, localPort, destination, port, payload);
  }

  /** With any source address: a spoofed datagram, or a DHCP client's from 0.0.0.0. */
  sendFrom(source: Ip, sourcePort: number, destination: Ip, port: number, payload: Uint8Array, ttl = 64): Result {
    const path = this.stack.path(destination, this.interface.index, source);
    if (failed(path)) return path;
    const segment = wire.writeUdp({ sourcePort, destinationPort: port, payload }, source, destination);
    return this.stack.output({ ...path, source }, wire.ipv4({ source, destination, protocol: wire.IP_UDP, payload: segment, ttl }));
  }
}
snapshotClass('Host', Host);

/** The stack's way out, through the host's counter. */
class HostLink implements Link {
  private readonly host: Host;
  constructor(host: Host) {
    this.host = host;
  }
  attach(): void {}
  send(_side: Side, frame: Uint8Array): void {
    this.host.sendFrame(frame);
  }
}
snapshotClass('HostLink', HostLink);

/** A bound port: woken when its socket has something, it empties the socket into the handler. */
class HostPort implements Sleeper {
  readonly host: Host;
  readonly socket: UdpSocket;
  readonly handler: HostHandler;

  constructor(host: Host, socket: UdpSocket, handler: HostHandler) {
    this.host = host;
    this.socket = socket;
    this.handler = handler;
    socket.readable.add(this);
  }

  wake(): void {
    this.socket.readable.add(this);
    const port = this.socket.localPort;
    for (let got = this.socket.recv(); got; got = this.socket.recv()) {
      this.handler.onDatagram(this.host, port, got.source as Ip, got.sourcePort, got.payload);
    }
    this.socket.takeError();
    for (const { errno, destination, destinationPort } of this.socket.errors.splice(0)) {
      this.handler.onError?.(this.host, port, errno, destination as Ip, destinationPort);
    }
  }

  close(): void {
    this.socket.readable.remove(this);
    this.socket.close();
  }
}
snapshotClass('HostPort', HostPort);

/** Deliver events up to a time: what the kernel's run loop does, for networks without a router. */
export function runEvents(clock: Clock, events: EventQueue, until: number): void {
  for (;;) {
    const due = events.nextTime();
    if (due > until) break;
    clock.cycles = Math.max(clock.cycles, due);
    const event = events.popDue(clock.cycles);
    event?.target.onEvent(event.kind, event.argument);
  }
  clock.cycles = Math.max(clock.cycles, until);
}

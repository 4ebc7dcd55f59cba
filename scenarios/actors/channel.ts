import { failed, snapshotClass, textOf, type EventLog, type LogEntry, type LogListener } from '../../emulator/base/index.js';
import type { Console } from '../../emulator/kernel/console.js';
import type { Host, HostHandler, Ip } from '../../emulator/net/index.js';
import { Ipv4View, readIpv4, write48 } from '../../emulator/net/index.js';

/** Who is told of what comes back. A snapshot class. */
export interface Receiver {
  /** `key` is that of the request the message came in answer to, where the channel knows. */
  onMessage(bytes: Uint8Array, key?: string): void;
}

/** The way from an actor to a service. */
export interface Channel {
  /** Hardware address of the sender, for protocols that carry it. */
  readonly mac: Uint8Array;
  open(receiver: Receiver): void;
  /** `sourcePort` overrides the channel's own for one message, whose answer then is not heard. `key` names the request to a channel that can tell answers apart by it. */
  send(bytes: Uint8Array, sourcePort?: number, key?: string): void;
  /** Connections it wanted to keep and the other side ended; null or absent: it keeps none. */
  readonly connectionsLost?: number | null;
  /** The answer to this request is no longer waited for. */
  giveUp?(key: string): void;
}

/** UDP between a host and a port of the router. */
export class UdpChannel implements Channel, HostHandler {
  readonly mac = new Uint8Array(6);
  private readonly host: Host;
  private readonly server: Ip;
  private readonly serverPort: number;
  private localPort: number;
  private receiver: Receiver | null = null;

  constructor(host: Host, localPort: number, server: Ip, serverPort: number) {
    this.host = host;
    this.localPort = localPort;
    this.server = server;
    this.serverPort = serverPort;
    write48(this.mac, 0, host.mac);
  }

  open(receiver: Receiver): void {
    this.receiver = receiver;
    this.localPort = this.host.bind(this.localPort, this);
  }

  send(bytes: Uint8Array, sourcePort = this.localPort): void {
    if (sourcePort !== this.localPort || this.receiver === null) {
      this.host.sendFrom(this.host.address, sourcePort, this.server, this.serverPort, bytes);
    } else {
      this.host.send(sourcePort, this.server, this.serverPort, bytes);
    }
  }

  onDatagram(_host: Host, _localPort: number, _source: Ip, _sourcePort: number, payload: Uint8Array): void {
    this.receiver?.onMessage(payload);
  }
}
snapshotClass('UdpChannel', UdpChannel);

/** IPv4 packets from a host to the router, end to end in one message; addresses that are 0 become those of the two. Hears nothing. */
export class IpChannel implements Channel {
  readonly mac = new Uint8Array(6);
  private readonly host: Host;
  private readonly server: Ip;

  constructor(host: Host, server: Ip) {
    this.host = host;
    this.server = server;
    write48(this.mac, 0, host.mac);
  }

  open(): void {}

  send(bytes: Uint8Array): void {
    const { stack } = this.host;
    for (let at = 0, size = 0; at < bytes.length; at += size) {
      size = new Ipv4View(bytes.subarray(at)).totalLength;
      const packet = readIpv4(bytes.subarray(at, at + size));
      if (typeof packet === 'string') return;
      const source = packet.source || this.host.address;
      const path = stack.path(this.server, this.host.interface.index, source);
      if (!failed(path)) stack.output({ ...path, source }, { ...packet, source, destination: packet.destination || this.server });
    }
  }
}
snapshotClass('IpChannel', IpChannel);

/** Hears the lines that programs (not init) write on the console; sends by typing there, or over another channel. */
export class ConsoleChannel implements Channel, LogListener {
  readonly mac = new Uint8Array(6);
  private readonly console: Console;
  private readonly log: EventLog;
  private readonly sender: Channel | null;
  private receiver: Receiver | null = null;

  constructor(console: Console, log: EventLog, sender: Channel | null) {
    this.console = console;
    this.log = log;
    this.sender = sender;
  }

  open(receiver: Receiver): void {
    this.receiver = receiver;
    this.log.listeners.push(this);
  }

  send(bytes: Uint8Array, sourcePort?: number): void {
    if (this.sender) this.sender.send(bytes, sourcePort);
    else this.console.feed(bytes);
  }

  onEntry(entry: LogEntry): void {
    if (entry.what === 'console.line' && !textOf(entry.text).startsWith('init: ')) this.receiver?.onMessage(Buffer.from(textOf(entry.text), 'latin1'));
  }
}
snapshotClass('ConsoleChannel', ConsoleChannel);

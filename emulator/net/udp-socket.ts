import { Errno, failed, snapshotClass, type Result } from '../base/index.js';
import { DatagramSocket } from './datagram-socket.js';
import type { SixOptions } from './family.js';
import { leaveGroups } from './memberships.js';
import { outputPath, sendFor } from './socket-output.js';
import type { NetStack } from './stack.js';
import { IP_UDP, isIp6, LOOPBACK, UDP_MAX, writeUdp, type Address } from './wire/index.js';

export interface SendOptions {
  /** 0 or left out: the socket's own, else the route's. */
  source?: Address;
  /** Interface index (IP_PKTINFO, IPV6_PKTINFO). */
  device?: number;
  /** Or the hop limit and the traffic class. */
  ttl?: number;
  tos?: number;
  dontRoute?: boolean;
}

/** A UDP end point (RFC 768, udp(7)). Every operation answers a Result; nothing blocks here. */
export class UdpSocket extends DatagramSocket {
  readonly stack: NetStack;
  localPort = 0;
  remotePort = 0;
  /** The address was chosen by connect(), the port by the first send or connect, not by bind(). */
  private addressChosen = false;
  private portChosen = false;
  /** SO_REUSEADDR, SO_REUSEPORT */
  reuseAddress = false;
  reusePort = false;

  constructor(stack: NetStack, six: SixOptions | null = null) {
    super(six);
    this.stack = stack;
  }

  get bound(): boolean {
    return this.localPort !== 0;
  }

  get connected(): boolean {
    return this.remotePort !== 0;
  }

  /** Port 0: an ephemeral one. EADDRNOTAVAIL, EADDRINUSE, EINVAL (bound already). */
  bind(address: Address, port: number): Result {
    if (!this.stack.mayBind(address)) return -Errno.EADDRNOTAVAIL;
    if (this.bound) return -Errno.EINVAL;
    return this.stack.udp.bind(this, address, port);
  }

  /** Fixes the peer; only its datagrams and errors are received from now on. */
  connect(address: Address, port: number): Result {
    const remote = address === 0 ? LOOPBACK : address;
    if (port === 0) return -Errno.EINVAL;
    const path = this.stack.path(remote, this.device, this.localAddress);
    if (failed(path)) return path;
    if (path.kind === 'broadcast' && !this.broadcast) return -Errno.EACCES;
    const bound = this.autobind();
    if (failed(bound)) return bound;
    if (this.localAddress === 0) {
      this.localAddress = path.source;
      this.addressChosen = true;
    }
    this.remoteAddress = remote;
    this.remotePort = port;
    return 0;
  }

  /** connect() with AF_UNSPEC: what bind() did not fix is open again. */
  disconnect(): void {
    this.remoteAddress = 0;
    this.remotePort = 0;
    if (this.addressChosen) this.localAddress = 0;
    if (this.portChosen) this.stack.udp.remove(this);
    this.addressChosen = false;
    this.portChosen = false;
  }

  /** To `address`:`port`, or to the peer when they are 0. */
  sendto(payload: Uint8Array, address: Address, port: number, options: SendOptions = {}): Result {
    const pending = this.takeError();
    if (pending) return -pending;
    if (this.writeShutdown) return -Errno.EPIPE;
    if (payload.length > UDP_MAX) return -Errno.EMSGSIZE;
    if (port === 0 && !this.connected) return address === 0 ? -Errno.EDESTADDRREQ : -Errno.EINVAL;
    const bound = this.autobind();
    if (failed(bound)) return bound;
    const toPeer = port === 0;
    return this.transmit(payload, toPeer ? this.remoteAddress : address === 0 ? LOOPBACK : address, toPeer ? this.remotePort : port, options);
  }

  close(): void {
    this.dropUnread();
    leaveGroups(this.stack, this);
    this.stack.udp.remove(this);
  }

  private autobind(): Result {
    if (this.bound) return 0;
    this.portChosen = true;
    return this.stack.udp.bind(this, this.localAddress, 0);
  }

  private transmit(payload: Uint8Array, destination: Address, port: number, options: SendOptions): Result {
    const device = options.device || this.device;
    const path = outputPath(this.stack, this, destination, device, options.source ?? 0);
    if (failed(path)) return path;
    const segment = writeUdp({ sourcePort: this.localPort, destinationPort: port, payload }, path.source, destination);
    const sent = sendFor(this.stack, this, path, destination, IP_UDP, segment, options);
    if (failed(sent)) return sent;
    this.stack.snmp.count(isIp6(destination) ? 'Udp6.OutDatagrams' : 'Udp.OutDatagrams');
    return payload.length;
  }
}
snapshotClass('UdpSocket', UdpSocket);

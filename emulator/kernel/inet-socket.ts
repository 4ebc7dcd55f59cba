import { Errno, failed, snapshotClass, type Fail, type Result, type WaitQueue } from '../base/index.js';
import { Cap, capable } from './capabilities.js';
import type { Datagram, SocketError } from '../net/datagram-socket.js';
import { PingSocket, RawSocket } from '../net/raw-socket.js';
import { UdpSocket, type SendOptions } from '../net/udp-socket.js';
import { ANY6, IP_ICMP, IP_ICMPV6, isMapped, read32, readIp6, unmapped, write32, type Address, type Ip } from '../net/wire/index.js';
import { inetAddress, local6, peerOf, remote6, socketName, type Peer } from './inet-address.js';
import { control6 } from './inet6-options.js';
import { getInetOption, setInetOption } from './inet-options.js';
import { hooks } from './hooks.js';
import type { Kernel } from './kernel.js';
import { Poll } from './open-file.js';
import { AF, Ip6Option, IpOption, Msg, Shutdown, SOL_IP, SOL_IPV6, SOL_SOCKET, SO, SocketType } from './socket-numbers.js';
import { familyOf, SocketFile, wordAt, wordBytes, type Control, type Incoming, type Outgoing } from './socket-file.js';
import { tcpSocket } from './tcp-socket.js';
import type { Thread } from './thread.js';

export type EndPoint = UdpSocket | RawSocket | PingSocket;

/** An AF_INET or AF_INET6 socket for datagrams: UDP, ICMP echo, or raw. */
export class InetSocket extends SocketFile {
  override readonly kind = 'socket.inet';
  readonly end: EndPoint;
  /** Which control messages recvmsg adds: IP_PKTINFO, IP_RECVTTL, IP_RECVTOS, IP_RECVORIGDSTADDR. */
  readonly wanted = { pktinfo: false, ttl: false, tos: false, destination: false };
  /** The same for AF_INET6: types of SOL_IPV6 messages. */
  readonly wanted6 = new Set<number>();
  /** Time of the last datagram read (SIOCGSTAMP), ns since power-on; -1 for none. */
  lastTime = -1;

  constructor(kernel: Kernel, type: number, protocol: number, flags: number, end: EndPoint) {
    super(kernel, end.six ? AF.INET6 : AF.INET, type, protocol, flags);
    this.end = end;
  }

  private get port(): number {
    return this.end instanceof UdpSocket ? this.end.localPort : this.end instanceof PingSocket ? this.end.identifier : this.end.protocol;
  }

  private get connected(): boolean {
    return this.end.connected;
  }

  bind(_kernel: Kernel, thread: Thread, address: Uint8Array): Result {
    const { six, device } = this.end;
    const local = six ? local6(address, { six, localAddress: 0, device }) : peerOf(address, true);
    if (failed(local)) return local;
    if (!six && familyOf(address) === AF.UNSPEC && local.address !== 0) return -Errno.EAFNOSUPPORT;
    if (local.device !== 0) this.end.device = local.device;
    if (this.end instanceof UdpSocket) {
      // Linux: ip_unprivileged_port_start.
      if (local.port > 0 && local.port < 1024 && !capable(thread.process.cred, Cap.NET_BIND_SERVICE)) return -Errno.EACCES;
      return this.end.bind(local.address, local.port);
    }
    return this.end.bind(local.address, local.port);
  }

  connect(_kernel: Kernel, _thread: Thread, address: Uint8Array): Result {
    if (address.length >= 2 && familyOf(address) === AF.UNSPEC) {
      this.end.disconnect();
      return 0;
    }
    const peer = this.remote(address, false);
    if (failed(peer)) return peer;
    if (peer.device !== 0) this.end.device = peer.device;
    return this.end instanceof UdpSocket ? this.end.connect(peer.address, peer.port) : this.end.connect(peer.address);
  }

  private remote(address: Uint8Array, acceptUnspec: boolean): Peer | Fail {
    const { six, localAddress, device } = this.end;
    return six ? remote6(address, { six, localAddress, device }, this.type === SocketType.DGRAM) : peerOf(address, acceptUnspec);
  }

  private name(address: Address, port: number, device = this.end.device): Uint8Array {
    return socketName(this.end.stack, this.domain, address, port, device);
  }

  localName(): Uint8Array {
    return this.name(this.end.localAddress, this.port);
  }

  peerName(): Uint8Array | Fail {
    if (!this.connected) return -Errno.ENOTCONN;
    return this.name(this.end.remoteAddress, this.end instanceof UdpSocket ? this.end.remotePort : 0);
  }

  send(_kernel: Kernel, _thread: Thread, message: Outgoing): number {
    if (message.flags & Msg.OOB) return -Errno.EOPNOTSUPP;
    const unnamed = !message.address || (this.end.six !== null && familyOf(message.address) === AF.UNSPEC);
    const peer = unnamed ? { address: 0, port: 0, device: 0 } : this.remote(message.address as Uint8Array, true);
    if (failed(peer)) return peer;
    const options = sendOptions(message.control, this.end.six !== null);
    if (failed(options)) return options;
    options.device ||= peer.device;
    if (message.flags & Msg.DONTROUTE || this.kept.get(SO.DONTROUTE)) options.dontRoute = true;
    if (this.end instanceof RawSocket && this.end.six && peer.port !== 0 && peer.port !== this.end.protocol) return -Errno.EINVAL;
    if (!(this.end instanceof UdpSocket)) return this.end.sendto(message.bytes, peer.address, options);
    if (!unnamed && peer.port === 0) return -Errno.EINVAL;
    if (unnamed && !this.connected) return -Errno.EDESTADDRREQ;
    return this.end.sendto(message.bytes, peer.address, peer.port, options);
  }

  receive(kernel: Kernel, thread: Thread, length: number, flags: number): Incoming | number {
    const { end } = this;
    if (flags & Msg.OOB) return -Errno.EOPNOTSUPP;
    if (flags & Msg.ERRQUEUE) return this.receiveError(kernel, length);
    const error = end.takeError();
    if (error) return -error;
    const datagram = flags & Msg.PEEK ? end.peek() : end.recv();
    if (datagram) return this.message(kernel, thread, datagram, length, flags);
    if (end.readShutdown) return { bytes: new Uint8Array(0), length: 0, address: null, control: [], flags: 0, files: [] };
    return this.waitForInput(kernel, thread, 'socket.recv', [end.readable], flags);
  }

  private message(kernel: Kernel, thread: Thread, datagram: Datagram, length: number, flags: number): Incoming {
    const { payload } = datagram;
    const bytes = payload.length > length ? payload.subarray(0, length) : payload;
    if (!(flags & Msg.PEEK)) {
      this.consumed += payload.length;
      this.lastTime = datagram.time;
      hooks.receive(thread, datagram);
    }
    const control = [...this.stampControl(kernel, datagram.time), ...this.ipControl(kernel, datagram)];
    return { bytes, length: payload.length, address: this.name(datagram.source, datagram.sourcePort, datagram.device), control, flags: payload.length > length ? Msg.TRUNC : 0, files: [] };
  }

  /** In the order Linux adds them (ip_cmsg_recv_offset). */
  private ipControl(kernel: Kernel, datagram: Datagram): Control[] {
    const { wanted } = this;
    const control: Control[] = this.end.six ? control6(kernel, this, datagram, this.port) : [];
    if (typeof datagram.destination === 'string') return control;
    const add = (type: number, data: Uint8Array): void => void control.push({ level: SOL_IP, type, data });
    if (wanted.pktinfo) add(IpOption.PKTINFO, packetInfo(kernel, datagram));
    if (wanted.ttl) add(IpOption.TTL, wordBytes(datagram.ttl));
    if (wanted.tos) add(IpOption.TOS, Uint8Array.of(datagram.tos));
    if (wanted.destination) add(IpOption.RECVORIGDSTADDR, inetAddress(datagram.destination, this.port));
    return control;
  }

  /** MSG_ERRQUEUE: the packet that failed, and why (ip(7), IP_RECVERR). */
  private receiveError(kernel: Kernel, length: number): Incoming | number {
    const error = this.end.errors.shift();
    if (!error) return -Errno.EAGAIN;
    if (this.end.errors.length === 0) this.end.takeError();
    const bytes = error.payload.subarray(0, length);
    const control = [...this.stampControl(kernel, kernel.clock.nanoseconds()), this.errorControl(error)];
    const flags = Msg.ERRQUEUE | (error.payload.length > length ? Msg.TRUNC : 0);
    return { bytes, length: error.payload.length, address: this.name(error.destination, error.destinationPort), control, flags, files: [] };
  }

  private errorControl(error: SocketError): Control {
    if (typeof error.destination === 'number') return { level: SOL_IP, type: IpOption.RECVERR, data: extendedError(error, inetAddress(error.offender as Ip, 0)) };
    return { level: SOL_IPV6, type: Ip6Option.RECVERR, data: extendedError(error, this.name(error.offender, 0)) };
  }

  /** Only a connected socket can be shut down; it is then woken for good. */
  shutdown(how: number): Result {
    const { end } = this;
    if (how !== Shutdown.WRITE) end.readShutdown = true;
    if (how !== Shutdown.READ) end.writeShutdown = true;
    end.readable.wakeAll();
    return this.connected ? 0 : -Errno.ENOTCONN;
  }

  override poll(): number {
    const { end } = this;
    let ready: number = Poll.OUT | Poll.WRBAND;
    if (end.queue.length > 0 || end.readShutdown) ready |= Poll.IN | Poll.RDNORM;
    if (end.error || end.errors.length > 0) ready |= Poll.ERR;
    if (end.readShutdown) ready |= Poll.RDHUP;
    if (end.readShutdown && end.writeShutdown) ready |= Poll.HUP;
    return ready;
  }

  override waitQueues(_events: number): WaitQueue[] {
    return [this.end.readable];
  }

  dropUnread(): number {
    const bytes = this.end.queue.reduce((sum, { payload }) => sum + payload.length, 0);
    this.end.dropUnread();
    return bytes;
  }

  unread(): number {
    return this.end.peek()?.payload.length ?? 0;
  }

  takeError(): number {
    return this.end.takeError();
  }

  setOption(kernel: Kernel, thread: Thread, level: number, name: number, value: Uint8Array): Result {
    return setInetOption(kernel, thread, this, level, name, value);
  }

  getOption(kernel: Kernel, thread: Thread, level: number, name: number): Uint8Array | Fail {
    return getInetOption(kernel, thread, this, level, name);
  }

  override ioctl(kernel: Kernel, thread: Thread, request: number, argument: number): Result {
    // SIOCGSTAMP, SIOCGSTAMPNS (linux/sockios.h), old and with 64-bit fields: when the last datagram that was read arrived.
    const wide = (request & 0xffff0000) === 0x40100000;
    const which = wide ? request & 0xffff : request;
    if (which !== 0x8906 && which !== 0x8907) return super.ioctl(kernel, thread, request, argument);
    if (this.lastTime < 0) return -Errno.ENOENT;
    const { seconds, nanoseconds } = kernel.clock.realtime(this.lastTime);
    const fraction = which === 0x8906 ? Math.floor(nanoseconds / 1000) : nanoseconds;
    return thread.process.space.writeWords(argument >>> 0, wide ? [seconds | 0, Math.floor(seconds / 4294967296), fraction, 0] : [seconds | 0, fraction]);
  }

  override close(_kernel: Kernel): Result {
    this.end.close();
    return 0;
  }
}
snapshotClass('InetSocket', InetSocket);

/** struct in_pktinfo: 0 interface index | 4 our address it was for | 8 its destination address */
function packetInfo(kernel: Kernel, datagram: Datagram): Uint8Array {
  const net = kernel.net;
  const bytes = wordBytes(datagram.device, 0, 0);
  const destination = datagram.destination as Ip;
  const ours = net?.isLocal(destination) ? destination : (net?.interface(datagram.device)?.address ?? 0);
  write32(bytes, 4, ours);
  write32(bytes, 8, destination);
  return bytes;
}

/** struct sock_extended_err (16 bytes): errno | origin, type, code, pad | info | data; then the offender's sockaddr */
function extendedError(error: SocketError, offender: Uint8Array): Uint8Array {
  const bytes = new Uint8Array(16 + offender.length);
  bytes.set(wordBytes(error.errno, error.origin | (error.type << 8) | (error.code << 16), error.info, 0));
  if (error.origin >= 2) bytes.set(offender, 16);
  return bytes;
}

/** Control messages of sendmsg (ip(7), ipv6(7)). */
function sendOptions(control: Control[], six: boolean): SendOptions | Fail {
  const options: SendOptions = {};
  for (const { level, type, data } of control) {
    if (level === SOL_SOCKET) continue;
    if (level === SOL_IPV6 && six) {
      const wrong = sendOption6(options, type, data);
      if (wrong) return wrong;
      continue;
    }
    if (level !== SOL_IP) return -Errno.EINVAL;
    if (type === IpOption.PKTINFO && data.length >= 12) {
      options.device = wordAt(data);
      options.source = read32(data, 4);
    } else if (type === IpOption.TTL && data.length >= 4) {
      options.ttl = wordAt(data);
      if (options.ttl < 1 || options.ttl > 255) return -Errno.EINVAL;
    } else if (type === IpOption.TOS && data.length >= 1) {
      options.tos = data[0];
    } else {
      return -Errno.EINVAL;
    }
  }
  return options;
}

/** One of level SOL_IPV6 (RFC 3542 section 6). */
function sendOption6(options: SendOptions, type: number, data: Uint8Array): Result {
  if ((type === Ip6Option.PKTINFO || type === Ip6Option.OLD_PKTINFO) && data.length >= 20) {
    const source = readIp6(data, 0);
    options.source = source === ANY6 ? 0 : isMapped(source) ? unmapped(source) : source;
    options.device = wordAt(data, 16);
    return 0;
  }
  if (data.length < 4) return -Errno.EINVAL;
  const number = wordAt(data);
  if (number < -1 || number > 255) return -Errno.EINVAL;
  if (type === Ip6Option.HOPLIMIT || type === Ip6Option.OLD_HOPLIMIT) options.ttl = number;
  else if (type === Ip6Option.TCLASS) options.tos = Math.max(0, number);
  else if (type !== Ip6Option.DONTFRAG) return -Errno.EINVAL;
  return 0;
}

/** socket(AF_INET, …), socket(AF_INET6, …): the socket, or why not. */
export function inetSocket(kernel: Kernel, thread: Thread, domain: number, type: number, protocol: number, flags: number): SocketFile | Fail {
  const { net } = kernel;
  if (!net) return -Errno.EAFNOSUPPORT;
  const six = domain === AF.INET6;
  if (type === SocketType.DGRAM) {
    if (protocol === 0 || protocol === 17) return new InetSocket(kernel, type, 17, flags, net.udpSocket(six));
    const echo = six ? IP_ICMPV6 : IP_ICMP;
    if (protocol === echo) return new InetSocket(kernel, type, echo, flags, net.pingSocket(six));
    return -Errno.EPROTONOSUPPORT;
  }
  if (type === SocketType.RAW) {
    if (protocol === 0) return -Errno.EPROTONOSUPPORT;
    if (protocol < 0 || protocol > 255) return -Errno.EINVAL;
    if (!capable(thread.process.cred, Cap.NET_RAW)) return -Errno.EPERM;
    return new InetSocket(kernel, type, protocol, flags, net.rawSocket(protocol, six));
  }
  if (type !== SocketType.STREAM) return -Errno.ESOCKTNOSUPPORT;
  if (protocol !== 0 && protocol !== 6) return -Errno.EPROTONOSUPPORT;
  return tcpSocket(kernel, thread, domain, flags);
}

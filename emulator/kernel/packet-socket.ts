import { Errno, failed, snapshotClass, WaitQueue, type Fail, type Result } from '../base/index.js';
import type { BpfProgram } from '../net/bpf.js';
import type { NetInterface } from '../net/interface.js';
import { PacketKind, type PacketTap } from '../net/packet-tap.js';
import type { NetStack } from '../net/stack.js';
import { ETHERNET_HEADER, ETHERNET_MIN, read16, read48, write16, write48 } from '../net/wire/index.js';
import { capable, Cap } from './capabilities.js';
import { hardwareType } from './interface-flags.js';
import type { Kernel } from './kernel.js';
import { ObjectBytes } from './kernel-memory.js';
import { Poll } from './open-file.js';
import { dropFilter, setFilterOption } from './socket-filter.js';
import { familyOf, SocketFile, wordAt, wordBytes, type Control, type Incoming, type Outgoing } from './socket-file.js';
import { AF, Msg, SO, SocketType, SOL_PACKET, SOL_SOCKET } from './socket-numbers.js';
import { getCommonOption, setCommonOption, setUnusedOption, unknownOption } from './socket-options.js';
import type { Thread } from './thread.js';

const ETH_P_ALL = 0x0003;
const RECEIVE_BUFFER = 163_840;
const SOCKADDR_LL = 20;
/** struct sockaddr_pkt of the obsolete SOCK_PACKET: family:16, name of the device (14), protocol:16. */
const SOCKADDR_PKT = 18;

const PacketOption = { ADD_MEMBERSHIP: 1, DROP_MEMBERSHIP: 2, RECV_OUTPUT: 3, RX_RING: 5, STATISTICS: 6, AUXDATA: 8, IGNORE_OUTGOING: 23 } as const;
const Membership = { MULTICAST: 0, PROMISC: 1, ALLMULTI: 2 } as const;
/** TP_STATUS_USER | TP_STATUS_CSUM_VALID */
const STATUS = 0x81;

interface Frame {
  bytes: Uint8Array;
  device: number;
  kind: number;
  /** ns since power-on. */
  time: number;
  /** Bytes the filter kept. */
  kept: number;
}

interface Joined {
  device: number;
  type: number;
  mac: number;
}

/** AF_PACKET (packet(7)): frames as they come from the link and go to it; SOCK_DGRAM without their Ethernet header. */
export class PacketSocket extends SocketFile implements PacketTap {
  override readonly kind = 'socket.packet';
  filter: BpfProgram | null = null;
  private readonly net: NetStack;
  private wanted: number;
  /** Interface index, 0 for all. */
  private device = 0;
  private readonly queue: Frame[] = [];
  private queuedBytes = 0;
  private receiveBuffer = RECEIVE_BUFFER;
  private readonly arrived = new WaitQueue();
  private readonly joined: Joined[] = [];
  private auxiliary = false;
  private ignoreOutgoing = false;
  private packets = 0;
  private drops = 0;
  private error = 0;

  constructor(kernel: Kernel, net: NetStack, type: number, protocol: number, flags: number) {
    super(kernel, AF.PACKET, type, protocol, flags);
    this.net = net;
    this.wanted = swap16(protocol);
    net.taps.push(this);
  }

  // ---- addresses

  /** An address of SOCK_PACKET names its device. ENODEV; ENETDOWN is reported by the next call, as Linux does. */
  bind(_kernel: Kernel, _thread: Thread, address: Uint8Array): Result {
    if (this.type === SocketType.PACKET) {
      if (address.length < 2) return -Errno.EINVAL;
      const device = this.net.interface(nameOf(address));
      if (!device) return -Errno.ENODEV;
      this.device = device.index;
      return 0;
    }
    if (address.length < SOCKADDR_LL || familyOf(address) !== AF.PACKET) return -Errno.EINVAL;
    const index = wordAt(address, 4);
    const device = this.net.interface(index);
    if (index !== 0 && !device) return -Errno.ENODEV;
    this.device = index;
    this.wanted = read16(address, 2) || this.wanted;
    if (device && !device.up) this.error = Errno.ENETDOWN;
    return 0;
  }

  connect(): number {
    return -Errno.EOPNOTSUPP;
  }

  localName(): Uint8Array {
    const device = this.net.interface(this.device);
    return linkAddress(this.wanted, device, this.device, 0, device?.mac ?? 0);
  }

  peerName(): Fail {
    return -Errno.EOPNOTSUPP;
  }

  // ---- sending

  send(_kernel: Kernel, _thread: Thread, message: Outgoing): number {
    const to = this.target(message.address);
    if (failed(to)) return to;
    const { device, mac, protocol } = to;
    if (!device.up) return -Errno.ENETDOWN;
    const { bytes } = message;
    const cooked = this.type === SocketType.DGRAM;
    if (bytes.length > device.mtu + (cooked ? 0 : ETHERNET_HEADER)) return -Errno.EMSGSIZE;
    if (!cooked && bytes.length < ETHERNET_HEADER) return -Errno.EINVAL;
    this.net.transmitFrame(device, cooked ? framed(mac, device.mac, protocol, bytes) : framed(read48(bytes, 0), read48(bytes, 6), read16(bytes, 12), bytes.subarray(ETHERNET_HEADER)), this);
    return bytes.length;
  }

  private target(address: Uint8Array | null): { device: NetInterface; mac: number; protocol: number } | Fail {
    if (this.type === SocketType.PACKET) {
      if (!address) return -Errno.ENOTCONN;
      if (address.length < SOCKADDR_PKT - 2) return -Errno.EINVAL;
      const device = this.net.interface(nameOf(address));
      return device ? { device, mac: 0, protocol: this.wanted } : -Errno.ENODEV;
    }
    if (address && (address.length < SOCKADDR_LL - 8 || familyOf(address) !== AF.PACKET)) return -Errno.EINVAL;
    const device = this.net.interface(address ? wordAt(address, 4) : this.device);
    if (!device) return -Errno.ENXIO;
    const mac = address && address[11] >= 6 && address.length >= 18 ? read48(address, 12) : 0;
    return { device, mac, protocol: (address ? read16(address, 2) : 0) || this.wanted };
  }

  // ---- receiving

  onFrame(device: NetInterface, frame: Uint8Array, kind: number): boolean {
    if (this.wanted === 0 || (this.device !== 0 && this.device !== device.index)) return false;
    const protocol = read16(frame, 12);
    if (this.wanted !== ETH_P_ALL && (protocol !== this.wanted || kind === PacketKind.OUTGOING)) return false;
    if (kind === PacketKind.OUTGOING && this.ignoreOutgoing) return false;
    const bytes = this.type === SocketType.DGRAM ? frame.subarray(ETHERNET_HEADER) : frame;
    const network = bytes.length === frame.length ? ETHERNET_HEADER : 0;
    const kept = this.filter ? this.filter.run({ bytes, network, protocol, kind, device: device.index }) : bytes.length;
    return kept > 0 && this.enqueue({ bytes: frame, device: device.index, kind, time: this.net.clock.nanoseconds(), kept });
  }

  private enqueue(frame: Frame): boolean {
    this.packets++;
    if (this.queuedBytes >= this.receiveBuffer || this.net.buffers.bytes >= this.net.buffers.limit) {
      this.drops++;
      this.net.lose('packet.buffer-full');
      return false;
    }
    this.queue.push({ ...frame, bytes: frame.bytes.slice() });
    this.account(frame.bytes.length + ObjectBytes.message);
    this.arrived.wakeAll();
    return true;
  }

  /** Counted with what all sockets of the stack hold unread. */
  private account(bytes: number): void {
    this.queuedBytes += bytes;
    this.net.buffers.bytes += bytes;
  }

  receive(kernel: Kernel, thread: Thread, length: number, flags: number): Incoming | number {
    const error = this.takeError();
    if (error) return -error;
    const [frame] = this.queue;
    if (!frame) return this.waitForInput(kernel, thread, 'packet.recv', [this.arrived], flags);
    if (!(flags & Msg.PEEK)) {
      this.queue.shift();
      this.account(-(frame.bytes.length + ObjectBytes.message));
      this.consumed += frame.bytes.length;
    }
    const whole = this.contents(frame);
    const control = [...this.stampControl(kernel, frame.time), ...this.auxControl(frame, whole.length)];
    return { bytes: whole.subarray(0, length), length: whole.length, address: this.source(frame), control, flags: whole.length > length ? Msg.TRUNC : 0, files: [] };
  }

  private contents({ bytes, kept }: Frame): Uint8Array {
    return (this.type === SocketType.DGRAM ? bytes.subarray(ETHERNET_HEADER) : bytes).subarray(0, kept);
  }

  private source(frame: Frame): Uint8Array {
    const device = this.net.interface(frame.device);
    const protocol = read16(frame.bytes, 12);
    if (this.type !== SocketType.PACKET) return linkAddress(protocol, device, frame.device, frame.kind, read48(frame.bytes, 6));
    const address = new Uint8Array(SOCKADDR_PKT);
    address[0] = AF.PACKET;
    address.set(Buffer.from((device?.name ?? '').slice(0, 13), 'latin1'), 2);
    write16(address, 16, protocol);
    return address;
  }

  /** struct tpacket_auxdata: status, length, captured length, MAC offset:16, network offset:16, VLAN tag:16 and type:16 */
  private auxControl(frame: Frame, captured: number): Control[] {
    if (!this.auxiliary) return [];
    const network = this.type === SocketType.DGRAM ? 0 : ETHERNET_HEADER;
    return [{ level: SOL_PACKET, type: PacketOption.AUXDATA, data: wordBytes(STATUS, frame.bytes.length - (ETHERNET_HEADER - network), captured, network << 16, 0) }];
  }

  /** For /proc/net/packet. */
  listing(): { protocol: number; device: number; queued: number } {
    return { protocol: this.wanted, device: this.device, queued: this.queuedBytes };
  }

  shutdown(): Result {
    return -Errno.EOPNOTSUPP;
  }

  override poll(): number {
    return Poll.OUT | Poll.WRBAND | (this.queue.length > 0 ? Poll.IN | Poll.RDNORM : 0) | (this.error ? Poll.ERR : 0);
  }

  override waitQueues(): WaitQueue[] {
    return [this.arrived];
  }

  dropUnread(): number {
    const bytes = this.queue.reduce((sum, frame) => sum + frame.bytes.length, 0);
    this.queue.length = 0;
    this.account(-this.queuedBytes);
    return bytes;
  }

  unread(): number {
    const [frame] = this.queue;
    return frame ? this.contents(frame).length : 0;
  }

  takeError(): number {
    const { error } = this;
    this.error = 0;
    return error;
  }

  // ---- options

  setOption(kernel: Kernel, thread: Thread, level: number, name: number, value: Uint8Array): Result {
    if (level === SOL_SOCKET) {
      return setFilterOption(thread, this, name, value) ?? this.setBuffer(name, value) ?? setCommonOption(this, name, value) ?? setUnusedOption(this, name, value)
        ?? unknownOption(kernel, thread, 'setsockopt', level, name);
    }
    if (level !== SOL_PACKET) return -Errno.ENOPROTOOPT;
    switch (name) {
      case PacketOption.ADD_MEMBERSHIP: case PacketOption.DROP_MEMBERSHIP: return this.membership(name === PacketOption.ADD_MEMBERSHIP, value);
      case PacketOption.AUXDATA: case PacketOption.IGNORE_OUTGOING:
        if (value.length < 4) return -Errno.EINVAL;
        if (name === PacketOption.AUXDATA) this.auxiliary = wordAt(value) !== 0;
        else this.ignoreOutgoing = wordAt(value) !== 0;
        return 0;
    }
    return unknownOption(kernel, thread, 'setsockopt', level, name);
  }

  private setBuffer(name: number, value: Uint8Array): Result | null {
    if (name !== SO.RCVBUF && name !== SO.RCVBUFFORCE) return null;
    if (value.length < 4) return -Errno.EINVAL;
    this.receiveBuffer = Math.max(2304, Math.min((wordAt(value) >>> 0) * 2, 4 << 20));
    return 0;
  }

  /** struct packet_mreq: 0 interface index | 4 type:16 | 6 address length:16 | 8 address */
  private membership(join: boolean, value: Uint8Array): Result {
    if (value.length < 16) return -Errno.EINVAL;
    const device = this.net.interface(wordAt(value));
    const type = wordAt(value, 4) & 0xffff;
    if (!device) return -Errno.ENODEV;
    if (type > Membership.ALLMULTI) return -Errno.EINVAL;
    const wanted = { device: device.index, type, mac: type === Membership.MULTICAST ? read48(value, 8) : 0 };
    const at = this.joined.findIndex((one) => one.device === wanted.device && one.type === wanted.type && one.mac === wanted.mac);
    if (join && at < 0) this.enter(device, wanted);
    if (!join && at < 0) return -Errno.EADDRNOTAVAIL;
    if (!join) this.leave(this.joined.splice(at, 1)[0]);
    return 0;
  }

  private enter(device: NetInterface, wanted: Joined): void {
    this.joined.push(wanted);
    if (wanted.type === Membership.MULTICAST) device.groupMacs.set(wanted.mac, (device.groupMacs.get(wanted.mac) ?? 0) + 1);
    else device.promiscuity++;
  }

  private leave({ device: index, type, mac }: Joined): void {
    const device = this.net.interface(index);
    if (!device) return;
    if (type !== Membership.MULTICAST) {
      device.promiscuity--;
      return;
    }
    const left = (device.groupMacs.get(mac) ?? 1) - 1;
    if (left > 0) device.groupMacs.set(mac, left);
    else device.groupMacs.delete(mac);
  }

  getOption(kernel: Kernel, thread: Thread, level: number, name: number): Uint8Array | Fail {
    if (level === SOL_SOCKET && name === SO.RCVBUF) return wordBytes(this.receiveBuffer);
    if (level === SOL_SOCKET) return getCommonOption(this, name) ?? unknownOption(kernel, thread, 'getsockopt', level, name);
    if (level !== SOL_PACKET) return -Errno.ENOPROTOOPT;
    if (name === PacketOption.AUXDATA) return wordBytes(this.auxiliary ? 1 : 0);
    if (name !== PacketOption.STATISTICS) return unknownOption(kernel, thread, 'getsockopt', level, name);
    const counted = wordBytes(this.packets, this.drops);
    this.packets = this.drops = 0;
    return counted;
  }

  override close(kernel: Kernel): Result {
    this.dropUnread();
    dropFilter(kernel.memory, this);
    for (const one of this.joined.splice(0)) this.leave(one);
    const at = this.net.taps.indexOf(this);
    if (at >= 0) this.net.taps.splice(at, 1);
    return 0;
  }
}
snapshotClass('PacketSocket', PacketSocket);

/** Any protocol number goes: the sender is trusted with that. Padded to the shortest frame Ethernet carries. */
function framed(destination: number, source: number, protocol: number, payload: Uint8Array): Uint8Array {
  const frame = new Uint8Array(Math.max(ETHERNET_MIN, ETHERNET_HEADER + payload.length));
  write48(frame, 0, destination);
  write48(frame, 6, source);
  write16(frame, 12, protocol);
  frame.set(payload, ETHERNET_HEADER);
  return frame;
}

function swap16(value: number): number {
  return ((value & 0xff) << 8) | ((value >>> 8) & 0xff);
}

/** The device a sockaddr_pkt names. */
function nameOf(address: Uint8Array): string {
  const name = address.subarray(2, 16);
  const end = name.indexOf(0);
  return Buffer.from(end < 0 ? name : name.subarray(0, end)).toString('latin1');
}

/** struct sockaddr_ll: 0 family:16 | 2 protocol, network order | 4 interface index | 8 hardware type:16 | 10 kind | 11 address length | 12 address */
function linkAddress(protocol: number, device: NetInterface | undefined, index: number, kind: number, mac: number): Uint8Array {
  const address = new Uint8Array(SOCKADDR_LL);
  address.set(wordBytes(AF.PACKET, index, device ? hardwareType(device) : 0));
  write16(address, 2, protocol);
  address[10] = kind;
  address[11] = device ? 6 : 0;
  write48(address, 12, mac);
  return address;
}

/** socket(AF_PACKET, …): the protocol is in network order. */
export function packetSocket(kernel: Kernel, thread: Thread, type: number, protocol: number, flags: number): PacketSocket | Fail {
  const { net } = kernel;
  if (!net) return -Errno.EAFNOSUPPORT;
  if (!capable(thread.process.cred, Cap.NET_RAW)) return -Errno.EPERM;
  if (type !== SocketType.DGRAM && type !== SocketType.RAW && type !== SocketType.PACKET) return -Errno.ESOCKTNOSUPPORT;
  return new PacketSocket(kernel, net, type, protocol & 0xffff, flags);
}

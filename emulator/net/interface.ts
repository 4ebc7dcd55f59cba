import { snapshotClass, type TimedEvent } from '../base/index.js';
import { Interface6 } from './ipv6/interface6.js';
import type { Link, Port, Side } from './link.js';
import { directedBroadcast, LIMITED_BROADCAST, multicastMac, multicastMac6, type Ip, type Mac } from './wire/index.js';

/** Whoever is told that a ring holds frames. */
export interface RingOwner {
  ringFilled(from: NetInterface): void;
  lose(drop: string): void;
}

/**
 * One network interface: its addresses and its finite receive ring. The link side puts frames into the
 * ring whenever they arrive; the stack takes them out when the CPU gets to it; what does not fit is lost.
 */
export class NetInterface implements Port {
  readonly index: number;
  readonly name: string;
  mac: Mac;
  mtu = 1500;
  up = false;
  /** IFF_PROMISC: packet sockets hear other hosts' frames. */
  promiscuous = false;
  /** Packet sockets that want the same. */
  promiscuity = 0;
  /** Groups packet sockets joined by their MAC -> how many did. */
  readonly groupMacs = new Map<Mac, number>();
  readonly loopback: boolean;
  address: Ip = 0;
  prefix = 0;
  broadcast: Ip = 0;
  /** Further addresses (netlink's RTM_NEWADDR); the first is above. */
  readonly secondary: { address: Ip; prefix: number; broadcast: Ip }[] = [];
  readonly v6 = new Interface6();
  txQueueLength = 1000;
  /** Group -> number of sockets that joined it here. */
  readonly groups = new Map<Ip, number>();
  readonly ring: Uint8Array[] = [];
  readonly ringSize: number;
  /** Frames taken in a row; see NetStack.drain. */
  burst = 0;
  burstStart = 0;
  draining: TimedEvent | null = null;
  rxPackets = 0;
  rxBytes = 0;
  /** Never taken from the ring: it was full, or the interface down. */
  rxMissed = 0;
  /** Taken, and of a type nobody listens to. */
  rxDropped = 0;
  rxErrors = 0;
  rxMulticast = 0;
  txPackets = 0;
  txBytes = 0;
  txDropped = 0;
  private readonly link: Link | null;
  private readonly side: Side;
  private readonly owner: RingOwner;

  constructor(owner: RingOwner, index: number, name: string, mac: Mac, link: Link | null, side: Side, ringSize: number) {
    this.owner = owner;
    this.index = index;
    this.name = name;
    this.mac = mac;
    this.link = link;
    this.side = side;
    this.ringSize = ringSize;
    this.loopback = link === null;
    link?.attach(side, this);
  }

  receive(frame: Uint8Array): void {
    if (!this.up) {
      this.miss('interface.down');
    } else if (this.ring.length >= this.ringSize) {
      this.miss('interface.ring-full');
    } else {
      this.ring.push(frame);
      this.owner.ringFilled(this);
    }
  }

  private miss(why: string): void {
    this.rxMissed++;
    this.owner.lose(why);
  }

  transmit(frame: Uint8Array): void {
    this.txPackets++;
    this.txBytes += frame.length;
    if (this.link) this.link.send(this.side, frame);
    else this.receive(frame);
  }

  /** `address` 0 takes the address away. */
  setAddress(address: Ip, prefix: number): void {
    this.address = address;
    this.prefix = address === 0 ? 0 : prefix;
    this.broadcast = address === 0 || prefix >= 31 || this.loopback ? 0 : directedBroadcast(address, prefix);
  }

  isBroadcast(address: Ip): boolean {
    if (address === LIMITED_BROADCAST) return true;
    return address !== 0 && (address === this.broadcast || (this.secondary.length > 0 && this.secondary.some((one) => one.broadcast === address)));
  }

  has(address: Ip): boolean {
    return address !== 0 && (this.address === address || (this.secondary.length > 0 && this.secondary.some((one) => one.address === address)));
  }

  join(group: Ip): void {
    this.groups.set(group, (this.groups.get(group) ?? 0) + 1);
  }

  leave(group: Ip): void {
    const members = (this.groups.get(group) ?? 0) - 1;
    if (members > 0) this.groups.set(group, members);
    else this.groups.delete(group);
  }

  /** All hosts (224.0.0.1) is joined for ever (RFC 1112 section 4). */
  isMember(group: Ip): boolean {
    return group === 0xe0000001 || this.groups.has(group);
  }

  /** Group MACs it takes frames for, and by how many they are wanted; all hosts among them. */
  listenedMacs(): [Mac, number][] {
    const macs = new Map<Mac, number>([[multicastMac(0xe0000001), 1]]);
    for (const [group, users] of this.groups) macs.set(multicastMac(group), (macs.get(multicastMac(group)) ?? 0) + users);
    for (const [group, users] of this.v6.groups) macs.set(multicastMac6(group), (macs.get(multicastMac6(group)) ?? 0) + users);
    for (const [mac, users] of this.groupMacs) macs.set(mac, (macs.get(mac) ?? 0) + users);
    return [...macs];
  }

  get hearsAll(): boolean {
    return this.promiscuous || this.promiscuity > 0;
  }

  acceptsMac(mac: Mac): boolean {
    if (this.groupMacs.has(mac)) return true;
    if (this.loopback || mac === this.mac || mac === 0xffff_ffff_ffff) return true;
    if (mac === multicastMac(0xe0000001)) return true;
    for (const group of this.groups.keys()) if (multicastMac(group) === mac) return true;
    return this.v6.acceptsMac(mac);
  }
}
snapshotClass('NetInterface', NetInterface);

import type { Clock, EventQueue, EventTarget, TimedEvent } from '../base/index.js';
import { snapshotClass } from '../base/index.js';
import type { NetInterface } from './interface.js';
import { isIp6, type Address, type Mac } from './wire/index.js';

/** A packet that waits for the MAC of its next hop. */
export interface PendingPacket {
  packet: Uint8Array;
  /** Came from another interface: failure is reported by ICMP. Otherwise it is ours. */
  forwarded: boolean;
}

export interface ArpEntry {
  interface: NetInterface;
  address: Address;
  /** -1 while unresolved. */
  mac: Mac;
  /** Cycles. */
  expires: number;
  probes: number;
  pending: PendingPacket[];
  timer: TimedEvent | null;
  permanent: boolean;
}

/** What the table asks of its stack. */
export interface ArpUser {
  solicit(to: NetInterface, target: Address): void;
  sendResolved(to: NetInterface, mac: Mac, packet: Uint8Array): void;
  unresolved(entry: ArpEntry, failed: PendingPacket[]): void;
  lose(drop: string, amount?: number): void;
}

/** Linux: gc_thresh3 is 1024; a home router sees fewer neighbours, and a flood must not take its memory. */
const MAX_ENTRIES = 512;
/** Linux: mcast_solicit 3, retrans_time 1 s; RFC 1122 section 2.3.2.2 wants at least one packet kept. */
const PROBES = 3;
const PROBE_INTERVAL_NS = 1e9;
const MAX_PENDING = 16;
/** RFC 1122 section 2.3.2.1: the order of a minute. */
const LIFETIME_NS = 60e9;

/** Address resolution (RFC 826, and the same for RFC 4861): bounded table, bounded queues, entries that age. */
export class ArpTable implements EventTarget {
  private readonly clock: Clock;
  private readonly events: EventQueue;
  private readonly user: ArpUser;
  private readonly name: 'arp' | 'ndp';
  private readonly entries = new Map<number | string, ArpEntry>();

  /** `name` is how its drops are counted. */
  constructor(clock: Clock, events: EventQueue, user: ArpUser, name: 'arp' | 'ndp' = 'arp') {
    this.name = name;
    this.clock = clock;
    this.events = events;
    this.user = user;
  }

  list(): ArpEntry[] {
    return [...this.entries.values()];
  }

  find(to: NetInterface, address: Address): ArpEntry | undefined {
    return this.entries.get(key(to, address));
  }

  /** Send an IPv4 packet to a neighbour, now or once its MAC is known. */
  send(to: NetInterface, address: Address, pending: PendingPacket): void {
    let entry = this.entries.get(key(to, address));
    if (entry && this.isStale(entry)) {
      this.forget(entry);
      entry = undefined;
    }
    if (entry && entry.mac >= 0) {
      this.user.sendResolved(to, entry.mac, pending.packet);
      return;
    }
    if (!entry) {
      entry = this.create(to, address);
      if (!entry) {
        this.user.lose(`${this.name}.table-full`);
        return;
      }
      this.probe(entry);
    }
    entry.pending.push(pending);
    if (entry.pending.length > MAX_PENDING) {
      entry.pending.shift();
      this.user.lose(`${this.name}.pending-full`);
    }
  }

  /** What an ARP packet says. New entries are made only when `create` (it was meant for us). False: nobody wanted to know. */
  learn(on: NetInterface, address: Address, mac: Mac, create: boolean): boolean {
    if (address === 0) return false;
    const entry = this.entries.get(key(on, address)) ?? (create ? this.create(on, address) : undefined);
    if (!entry || entry.permanent) return false;
    entry.mac = mac;
    entry.expires = this.clock.cycles + this.clock.toCycles(LIFETIME_NS);
    this.events.cancel(entry.timer);
    entry.timer = null;
    const waiting = entry.pending;
    entry.pending = [];
    for (const { packet } of waiting) this.user.sendResolved(on, mac, packet);
    return true;
  }

  /** A fixed entry (SIOCSARP). */
  set(on: NetInterface, address: Address, mac: Mac): boolean {
    const entry = this.entries.get(key(on, address)) ?? this.create(on, address);
    if (!entry) return false;
    this.learn(on, address, mac, false);
    entry.permanent = true;
    return true;
  }

  remove(on: NetInterface, address: Address): boolean {
    const entry = this.entries.get(key(on, address));
    if (entry) this.forget(entry);
    return entry !== undefined;
  }

  removeInterface(on: NetInterface): void {
    for (const entry of this.list()) if (entry.interface === on) this.forget(entry);
  }

  onEvent(_kind: string, argument: unknown): void {
    const entry = argument as ArpEntry;
    entry.timer = null;
    if (entry.probes < PROBES) {
      this.probe(entry);
      return;
    }
    const lost = entry.pending;
    entry.pending = [];
    this.forget(entry);
    this.user.unresolved(entry, lost);
  }

  private probe(entry: ArpEntry): void {
    entry.probes++;
    entry.timer = this.events.at(this.clock.cycles + this.clock.toCycles(PROBE_INTERVAL_NS), this, 'arp', entry);
    this.user.solicit(entry.interface, entry.address);
  }

  private create(on: NetInterface, address: Address): ArpEntry | undefined {
    if (this.entries.size >= MAX_ENTRIES && !this.makeRoom()) return undefined;
    const entry: ArpEntry = { interface: on, address, mac: -1, expires: 0, probes: 0, pending: [], timer: null, permanent: false };
    this.entries.set(key(on, address), entry);
    return entry;
  }

  /** Give up the oldest resolved entry; unresolved ones have a timer that ends them. */
  private makeRoom(): boolean {
    for (const entry of this.entries.values()) {
      if (entry.mac < 0 || entry.permanent) continue;
      this.forget(entry);
      return true;
    }
    return false;
  }

  private isStale(entry: ArpEntry): boolean {
    return entry.mac >= 0 && !entry.permanent && entry.expires <= this.clock.cycles;
  }

  private forget(entry: ArpEntry): void {
    this.events.cancel(entry.timer);
    this.entries.delete(key(entry.interface, entry.address));
    if (entry.pending.length > 0) this.user.lose(`${this.name}.forgotten`, entry.pending.length);
  }
}
snapshotClass('ArpTable', ArpTable);

function key(on: NetInterface, address: Address): number | string {
  return isIp6(address) ? `${on.index} ${address}` : on.index * 0x1_0000_0000 + address;
}

import { Ledger, snapshotClass } from '../../base/index.js';
import { multicastMac6, type Ip6, type Mac } from '../wire/index.js';

/** An address of an interface. Times are in cycles, Infinity is for ever. */
export interface Address6 {
  address: Ip6;
  prefix: number;
  /** Not for new conversations after `preferred`, gone after `valid` (RFC 4862 section 5.5.4). */
  preferred: number;
  valid: number;
  /** Made from a router's prefix. */
  autonomous: boolean;
  /** Duplicate address detection is under way: nobody may use it yet. */
  tentative: boolean;
}

/** The settings of /proc/sys/net/ipv6/conf of one interface, those that do something here. */
export interface Conf6 {
  disabled: boolean;
  hopLimit: number;
  /** 0: the interface's. */
  mtu: number;
  acceptRa: boolean;
  autoconf: boolean;
  acceptRedirects: boolean;
  /** Solicitations before an address is taken, and for routers. None unless asked for: what uses no IPv6 sends nothing. */
  dadTransmits: number;
  routerSolicitations: number;
}

/** What an interface has of IPv6. */
export class Interface6 {
  readonly addresses: Address6[] = [];
  /** Group -> how many want it. */
  readonly groups = new Map<Ip6, number>();
  /** MIB counters of what went through here, named as those of the stack. */
  readonly counters = new Ledger();
  readonly conf: Conf6 = { disabled: false, hopLimit: 64, mtu: 0, acceptRa: true, autoconf: true, acceptRedirects: true, dadTransmits: 0, routerSolicitations: 0 };

  has(address: Ip6): boolean {
    return this.addresses.some((one) => one.address === address && !one.tentative);
  }

  find(address: Ip6): Address6 | undefined {
    return this.addresses.find((one) => one.address === address);
  }

  /** Whether it is the first member here. */
  join(group: Ip6): boolean {
    const members = this.groups.get(group) ?? 0;
    this.groups.set(group, members + 1);
    return members === 0;
  }

  /** Whether it was the last. */
  leave(group: Ip6): boolean {
    const members = this.groups.get(group);
    if (members === undefined) return false;
    if (members > 1) this.groups.set(group, members - 1);
    else this.groups.delete(group);
    return members === 1;
  }

  acceptsMac(mac: Mac): boolean {
    for (const group of this.groups.keys()) if (multicastMac6(group) === mac) return true;
    return false;
  }
}
snapshotClass('Interface6', Interface6);

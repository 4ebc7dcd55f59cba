import { snapshotClass, type EventTarget } from '../../base/index.js';
import type { NetInterface } from '../interface.js';
import type { NetStack } from '../stack.js';
import * as wire from '../wire/index.js';
import type { Icmp6Message, Ip6, Ipv6Packet } from '../wire/index.js';

/** RFC 3810: reports of version 2 go to all routers that speak it. */
const ALL_V2_ROUTERS: Ip6 = wire.ip6('ff02::16');
/** Record types: the state as it is, and as it has become. */
const Record = { IS_EXCLUDE: 2, TO_INCLUDE: 3, TO_EXCLUDE: 4 } as const;
/** A hop-by-hop header with the router alert option, value MLD (RFC 2711), padded to 8 bytes. */
const ROUTER_ALERT = Uint8Array.of(wire.IP_ICMPV6, 0, 5, 2, 0, 0, 1, 0);
/** RFC 3810 section 9: a change is told twice, the second time within a second. */
const REPEAT_NS = 1e9;

interface Due {
  device: NetInterface;
  group: Ip6;
  record: number;
  /** Version 1 wants another message. */
  old: boolean;
}

/**
 * The host's side of multicast listener discovery: which groups sockets want on a link is told when that changes and when a router asks.
 * The groups every node is in, all nodes and those of its own addresses, are told only to a router that asks.
 */
export class Mld implements EventTarget {
  private readonly stack: NetStack;
  /** Answers under way: a flood of queries makes no more of them. */
  private readonly answering = new Set<string>();

  constructor(stack: NetStack) {
    this.stack = stack;
  }

  changed(device: NetInterface, group: Ip6, joined: boolean): void {
    if (device.loopback || !device.up || silent(group) || group.startsWith('ff0200000000000000000001ff')) return;
    const due = { device, group, record: joined ? Record.TO_EXCLUDE : Record.TO_INCLUDE, old: false };
    this.report(due);
    this.later(due, REPEAT_NS);
  }

  private later(due: Due, withinNs: number): void {
    const { clock, events, random } = this.stack;
    events.at(clock.cycles + clock.toCycles(random.below(Math.max(1, withinNs))), this, 'report', due);
  }

  onEvent(_kind: string, argument: unknown): void {
    const due = argument as Due;
    if (due.record === Record.IS_EXCLUDE) this.answering.delete(keyOf(due.device, due.group));
    const wanted = due.device.v6.groups.has(due.group);
    if (due.device.up && wanted === (due.record !== Record.TO_INCLUDE)) this.report(due);
  }

  /** A query: every group asked for is reported at a random time within what the router allows. */
  queryIn(device: NetInterface, packet: Ipv6Packet, message: Icmp6Message): void {
    // RFC 3810 section 6.2: from a link-local address, over one hop.
    if (message.data.length < 16 || packet.ttl !== 1 || !wire.isLinkLocal(packet.source)) return this.stack.count('mld.query');
    const { group: asked, within, old } = wire.readMldQuery(message);
    for (const group of device.v6.groups.keys()) {
      if (silent(group) || (asked !== wire.ANY6 && asked !== group) || this.answering.has(keyOf(device, group))) continue;
      this.answering.add(keyOf(device, group));
      this.later({ device, group, record: Record.IS_EXCLUDE, old }, within * 1e6);
    }
    return undefined;
  }

  private report({ device, group, record, old }: Due): void {
    const { v6 } = this.stack;
    const destination = old ? group : ALL_V2_ROUTERS;
    const message = old ? { type: wire.Icmp6.MLD_REPORT, code: 0, rest: 0, data: wire.bytesOfIp6(group) }
      : { type: wire.Icmp6.MLD2_REPORT, code: 0, rest: 1, data: wire.mldReport(group, record) };
    // RFC 3590: from the unspecified address while there is no other.
    const source = v6.linkLocal(device) ?? wire.ANY6;
    v6.sendIcmp(destination, device.index, message, source, { ttl: 1, options: ROUTER_ALERT, firstHeader: wire.Next.HOP_BY_HOP });
  }
}
snapshotClass('Mld', Mld);

function keyOf(device: NetInterface, group: Ip6): string {
  return `${device.index} ${group}`;
}

/** RFC 3810 section 6: all nodes and what stays within the node are never reported. */
function silent(group: Ip6): boolean {
  return group === wire.ALL_NODES || wire.scope6(group) < 2;
}

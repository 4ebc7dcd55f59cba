import { failed, snapshotClass, type EventTarget } from '../base/index.js';
import type { NetInterface } from './interface.js';
import type { NetStack } from './stack.js';
import { checksum, IP_IGMP, ipv4, read32, write16, write32, type Ip, type Ipv4Packet } from './wire/index.js';

/** RFC 3376: membership reports of version 3 go to all routers that speak it; queries of any version begin with this type. */
const ALL_V3_ROUTERS: Ip = 0xe0000016;
const ALL_HOSTS: Ip = 0xe0000001;
const QUERY = 0x11;
const V3_REPORT = 0x22;
const V2_REPORT = 0x16;
/** Record types: the state as it is, and as it has become. */
const Record = { IS_EXCLUDE: 2, TO_INCLUDE: 3, TO_EXCLUDE: 4 } as const;
/** RFC 2113: routers look into the packet. */
const ROUTER_ALERT = Uint8Array.of(0x94, 4, 0, 0);
/** RFC 3376 section 8: a change is told twice, the second time within a second. */
const REPEAT_NS = 1e9;
/** Max Resp Code of version 1, which has none: 10 s, in tenths. */
const V1_RESPONSE = 100;

interface Due {
  device: NetInterface;
  group: Ip;
  record: number;
  /** Version 2 wants another message. */
  old: boolean;
}

/** The host's side of IGMP: tells routers which groups are wanted on a link, when that changes and when they ask. */
export class Igmp implements EventTarget {
  private readonly stack: NetStack;

  constructor(stack: NetStack) {
    this.stack = stack;
  }

  changed(device: NetInterface, group: Ip, joined: boolean): void {
    if (device.loopback || !device.up || group === ALL_HOSTS) return;
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
    const wanted = due.device.groups.has(due.group);
    if (due.device.up && wanted === (due.record !== Record.TO_INCLUDE)) this.report(due);
  }

  /** A query: every group asked for is reported at a random time within what the router allows. */
  receive(device: NetInterface, packet: Ipv4Packet): void {
    const { payload } = packet;
    if (payload.length < 8) return this.stack.count('igmp.short');
    if (checksum(payload) !== 0) return this.stack.count('igmp.checksum');
    if (payload[0] !== QUERY || device.loopback) return this.stack.count('igmp.not-a-query');
    this.stack.take('igmp.query');
    const asked = read32(payload, 4);
    const within = (payload[1] || V1_RESPONSE) * 1e8;
    const old = payload.length === 8;
    for (const group of device.groups.keys()) {
      if (group !== ALL_HOSTS && (asked === 0 || asked === group)) this.later({ device, group, record: Record.IS_EXCLUDE, old }, within);
    }
    return undefined;
  }

  private report({ device, group, record, old }: Due): void {
    const destination = old ? group : ALL_V3_ROUTERS;
    const path = this.stack.path(destination, device.index);
    if (failed(path)) return;
    const payload = old ? v2Report(group) : v3Report(group, record);
    this.stack.output(path, ipv4({ source: device.address, destination, protocol: IP_IGMP, payload, ttl: 1, tos: 0xc0, options: ROUTER_ALERT }));
  }
}
snapshotClass('Igmp', Igmp);

/** 0 type | 2 checksum:16 | 6 records:16 | 8 record type, 12 group */
function v3Report(group: Ip, record: number): Uint8Array {
  const bytes = new Uint8Array(16);
  bytes[0] = V3_REPORT;
  write16(bytes, 6, 1);
  bytes[8] = record;
  write32(bytes, 12, group);
  write16(bytes, 2, checksum(bytes));
  return bytes;
}

function v2Report(group: Ip): Uint8Array {
  const bytes = new Uint8Array(8);
  bytes[0] = V2_REPORT;
  write32(bytes, 4, group);
  write16(bytes, 2, checksum(bytes));
  return bytes;
}

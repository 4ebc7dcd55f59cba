import type { Ledger } from '../base/index.js';
import type { NetInterface } from './interface.js';
import type { NetStack } from './stack.js';
import { isMulticast, type Ip } from './wire/index.js';

/** The groups and names of /proc/net/snmp as far as this stack has something to count (RFC 4293, RFC 4113). */
const GROUPS: Readonly<Record<string, readonly string[]>> = {
  Ip: [
    'Forwarding', 'DefaultTTL', 'InReceives', 'InHdrErrors', 'InAddrErrors', 'ForwDatagrams', 'InUnknownProtos', 'InDiscards', 'InDelivers',
    'OutRequests', 'OutDiscards', 'OutNoRoutes', 'ReasmTimeout', 'ReasmReqds', 'ReasmOKs', 'ReasmFails', 'FragOKs', 'FragFails', 'FragCreates',
  ],
  Icmp: ['InMsgs', 'InErrors', 'InDestUnreachs', 'InTimeExcds', 'OutMsgs', 'OutErrors', 'OutDestUnreachs', 'OutTimeExcds'],
  Tcp: [
    'RtoAlgorithm', 'RtoMin', 'RtoMax', 'MaxConn', 'ActiveOpens', 'PassiveOpens', 'AttemptFails', 'EstabResets', 'CurrEstab', 'InSegs', 'OutSegs', 'RetransSegs',
    'InErrs', 'OutRsts', 'InCsumErrors',
  ],
  Udp: ['InDatagrams', 'NoPorts', 'InErrors', 'OutDatagrams', 'RcvbufErrors', 'SndbufErrors', 'InCsumErrors'],
};

/** /proc/net/netstat: Linux's own counters of TCP and IP, those this stack counts. */
const TCP_EXTENDED: readonly string[] = [
  'EmbryonicRsts', 'OutOfWindowIcmps', 'TW', 'DelayedACKs', 'ListenOverflows', 'ListenDrops', 'PAWSEstab', 'TCPRenoRecovery', 'TCPSackRecovery', 'TCPTimeouts', 'TCPRcvQDrop',
  'TCPOFOQueue', 'TCPOFODrop', 'TCPAbortOnData', 'TCPAbortOnClose', 'TCPAbortOnTimeout', 'TCPMemoryPressures', 'TCPDeferAcceptDrop', 'TCPTimeWaitOverflow', 'TCPReqQFullDrop',
  'TCPChallengeACK', 'TCPACKSkippedSeq', 'TCPWinProbe', 'TCPKeepAlive',
];

/** In Linux's order, which readers go by (RFC 4293, ipSystemStatsTable). */
const IP_EXTENDED: readonly string[] = [
  'InNoRoutes', 'InTruncatedPkts', 'InMcastPkts', 'OutMcastPkts', 'InBcastPkts', 'OutBcastPkts', 'InOctets', 'OutOctets', 'InMcastOctets', 'OutMcastOctets', 'InBcastOctets', 'OutBcastOctets',
  'InCsumErrors',
];

/** Whom a packet is for, as the counters' names have it; null: one host. */
export function groupOf(device: NetInterface, destination: Ip): 'Mcast' | 'Bcast' | null {
  if (isMulticast(destination)) return 'Mcast';
  return device.isBroadcast(destination) ? 'Bcast' : null;
}

/** A packet of so many octets, if it is for a group. */
export function countGroup(counters: Ledger, way: 'In' | 'Out', group: 'Mcast' | 'Bcast' | null, octets: number): void {
  if (group === null) return;
  counters.count(`IpExt.${way}${group}Pkts`);
  counters.count(`IpExt.${way}${group}Octets`, octets);
}

export function netstatText(stack: NetStack): string {
  const lines = (group: string, names: readonly string[]): string => `${group}: ${names.join(' ')}\n${group}: ${names.map((name) => stack.snmp.get(`${group}.${name}`)).join(' ')}\n`;
  return lines('TcpExt', TCP_EXTENDED) + lines('IpExt', IP_EXTENDED);
}

/** The names of /proc/net/snmp6 this stack counts under (RFC 4293, RFC 4113). */
const GROUPS6: Readonly<Record<string, readonly string[]>> = {
  Ip6: [
    'InReceives', 'InHdrErrors', 'InTooBigErrors', 'InNoRoutes', 'InAddrErrors', 'InUnknownProtos', 'InTruncatedPkts', 'InDiscards', 'InDelivers', 'OutForwDatagrams', 'OutRequests',
    'OutDiscards', 'OutNoRoutes', 'ReasmTimeout', 'ReasmReqds', 'ReasmOKs', 'ReasmFails', 'FragOKs', 'FragFails', 'FragCreates', 'InMcastPkts', 'OutMcastPkts', 'InOctets',
  ],
  Icmp6: [
    'InMsgs', 'InErrors', 'OutMsgs', 'InDestUnreachs', 'InPktTooBigs', 'InTimeExcds', 'InParmProblems', 'InEchos', 'InEchoReplies', 'InRouterSolicits', 'InRouterAdvertisements',
    'InNeighborSolicits', 'InNeighborAdvertisements', 'InRedirects', 'OutDestUnreachs', 'OutPktTooBigs', 'OutTimeExcds', 'OutParmProblems', 'OutEchoReplies', 'OutRouterSolicits',
    'OutNeighborSolicits', 'OutNeighborAdvertisements',
  ],
  Udp6: ['InDatagrams', 'NoPorts', 'InErrors', 'OutDatagrams', 'RcvbufErrors', 'SndbufErrors', 'InCsumErrors'],
};

/** One counter a line, name and value: the machine's or an interface's. */
export function snmp6Text(counters: Ledger): string {
  return Object.entries(GROUPS6).flatMap(([group, names]) => names.map((name) => `${`${group}${name}`.padEnd(32)}\t${counters.get(`${group}.${name}`)}\n`)).join('');
}

/** Two lines a group, names and values, always the same names: what netstat -s reads. */
export function snmpText(stack: NetStack): string {
  const fixed: Record<string, number> = {
    'Ip.Forwarding': stack.forwarding ? 1 : 2, 'Ip.DefaultTTL': 64,
    'Tcp.RtoAlgorithm': 1, 'Tcp.RtoMin': 200, 'Tcp.RtoMax': 120_000, 'Tcp.MaxConn': -1, 'Tcp.CurrEstab': stack.tcp.established,
  };
  const value = (key: string): number => fixed[key] ?? stack.snmp.get(key);
  return Object.entries(GROUPS)
    .map(([group, names]) => `${group}: ${names.join(' ')}\n${group}: ${names.map((name) => value(`${group}.${name}`)).join(' ')}\n`)
    .join('');
}

import type { NetStack } from './stack.js';

/** The groups and names of /proc/net/snmp as far as this stack has something to count (RFC 4293, RFC 4113). */
const GROUPS: Readonly<Record<string, readonly string[]>> = {
  Ip: [
    'Forwarding', 'DefaultTTL', 'InReceives', 'InHdrErrors', 'InAddrErrors', 'ForwDatagrams', 'InUnknownProtos', 'InDiscards', 'InDelivers',
    'OutRequests', 'OutDiscards', 'OutNoRoutes', 'ReasmTimeout', 'ReasmReqds', 'ReasmOKs', 'ReasmFails', 'FragOKs', 'FragFails', 'FragCreates',
  ],
  Icmp: ['InMsgs', 'InErrors', 'InDestUnreachs', 'InTimeExcds', 'OutMsgs', 'OutErrors', 'OutDestUnreachs', 'OutTimeExcds'],
  Udp: ['InDatagrams', 'NoPorts', 'InErrors', 'OutDatagrams', 'RcvbufErrors', 'SndbufErrors', 'InCsumErrors'],
};

/** Two lines a group, names and values, always the same names: what netstat -s reads. */
export function snmpText(stack: NetStack): string {
  const fixed: Record<string, number> = { 'Ip.Forwarding': stack.forwarding ? 1 : 2, 'Ip.DefaultTTL': 64 };
  const value = (key: string): number => fixed[key] ?? stack.snmp.get(key);
  return Object.entries(GROUPS)
    .map(([group, names]) => `${group}: ${names.join(' ')}\n${group}: ${names.map((name) => value(`${group}.${name}`)).join(' ')}\n`)
    .join('');
}

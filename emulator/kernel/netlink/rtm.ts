/** Message types of rtnetlink(7): NEW, DEL, GET, SET in fours. */
export const Rtm = {
  NEWLINK: 16, DELLINK: 17, GETLINK: 18, SETLINK: 19, NEWADDR: 20, DELADDR: 21, GETADDR: 22, NEWROUTE: 24, DELROUTE: 25, GETROUTE: 26,
  NEWNEIGH: 28, DELNEIGH: 29, GETNEIGH: 30, NEWRULE: 32, GETRULE: 34,
} as const;

const families = [
  'LINK', 'ADDR', 'ROUTE', 'NEIGH', 'RULE', 'QDISC', 'TCLASS', 'TFILTER', 'ACTION', 'PREFIX', 'MULTICAST', 'ANYCAST', 'NEIGHTBL', 'NDUSEROPT', 'ADDRLABEL', 'DCB',
  'NETCONF', 'MDB', 'NSID', 'STATS', 'CACHEREPORT', 'CHAIN', 'NEXTHOP', 'LINKPROP', 'VLAN', 'NEXTHOPBUCKET', 'TUNNEL',
];

/** "RTM_GETLINK", for strace and the report. */
export function rtmName(type: number): string {
  const family = families[(type - 16) >> 2];
  return type < 16 || family === undefined ? `RTM_${type}` : `RTM_${['NEW', 'DEL', 'GET', 'SET'][type & 3]}${family}`;
}

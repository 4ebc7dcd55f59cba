import type { InterfaceAddress, NetChange } from '../../net/changes.js';
import type { NetInterface } from '../../net/interface.js';
import type { Route } from '../../net/routes.js';
import type { NetStack } from '../../net/stack.js';
import { addressBody } from './addresses.js';
import { address6Body } from './addresses6.js';
import { linkBody } from './links.js';
import { writeMessage } from './message.js';
import { routeBody } from './routes.js';
import { route6Body } from './routes6.js';
import { Rtm } from './rtm.js';

/** RTNLGRP_*: the group an event goes to. */
const Group = { LINK: 1, IPV4_ADDRESS: 5, IPV4_ROUTE: 7, IPV6_ADDRESS: 9, IPV6_ROUTE: 11 } as const;

interface Event {
  group: number;
  bytes: Uint8Array;
}

export function eventOf(net: NetStack, change: NetChange): Event {
  switch (change.kind) {
    case 'link': return linkEvent(change.device);
    case 'address': return addressEvent(change.of, change.gone);
    case 'route': return routeEvent(net, change.route, change.gone);
    case 'address6': return { group: Group.IPV6_ADDRESS, bytes: writeMessage(change.gone ? Rtm.DELADDR : Rtm.NEWADDR, 0, 0, 0, address6Body(net, change.device, change.of)) };
    case 'route6': return { group: Group.IPV6_ROUTE, bytes: writeMessage(change.gone ? Rtm.DELROUTE : Rtm.NEWROUTE, 0, 0, 0, route6Body(change.route)) };
  }
}

function linkEvent(device: NetInterface): Event {
  return { group: Group.LINK, bytes: writeMessage(Rtm.NEWLINK, 0, 0, 0, linkBody(device)) };
}

function addressEvent(of: InterfaceAddress, gone: boolean): Event {
  return { group: Group.IPV4_ADDRESS, bytes: writeMessage(gone ? Rtm.DELADDR : Rtm.NEWADDR, 0, 0, 0, addressBody(of)) };
}

function routeEvent(net: NetStack, route: Route, gone: boolean): Event {
  return { group: Group.IPV4_ROUTE, bytes: writeMessage(gone ? Rtm.DELROUTE : Rtm.NEWROUTE, 0, 0, 0, routeBody(net, route)) };
}

import type { InterfaceAddress } from '../../net/changes.js';
import type { NetInterface } from '../../net/interface.js';
import type { Route } from '../../net/routes.js';
import type { NetStack } from '../../net/stack.js';
import { addressBody } from './addresses.js';
import { linkBody } from './links.js';
import { writeMessage } from './message.js';
import { routeBody } from './routes.js';
import { Rtm } from './rtm.js';

/** RTNLGRP_*: the group an event goes to. */
const Group = { LINK: 1, IPV4_ADDRESS: 5, IPV4_ROUTE: 7 } as const;

interface Event {
  group: number;
  bytes: Uint8Array;
}

export function linkEvent(device: NetInterface): Event {
  return { group: Group.LINK, bytes: writeMessage(Rtm.NEWLINK, 0, 0, 0, linkBody(device)) };
}

export function addressEvent(of: InterfaceAddress, gone: boolean): Event {
  return { group: Group.IPV4_ADDRESS, bytes: writeMessage(gone ? Rtm.DELADDR : Rtm.NEWADDR, 0, 0, 0, addressBody(of)) };
}

export function routeEvent(net: NetStack, route: Route, gone: boolean): Event {
  return { group: Group.IPV4_ROUTE, bytes: writeMessage(gone ? Rtm.DELROUTE : Rtm.NEWROUTE, 0, 0, 0, routeBody(net, route)) };
}

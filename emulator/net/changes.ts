import type { NetInterface } from './interface.js';
import type { Address6 } from './ipv6/interface6.js';
import type { Route, Route6 } from './routes.js';
import type { Ip } from './wire/index.js';

/** An address of an interface, as it is or was. */
export interface InterfaceAddress {
  device: NetInterface;
  address: Ip;
  prefix: number;
  broadcast: Ip;
}

/** Something about the network changed. `gone`: it is no more; otherwise it is new or different. */
export type NetChange =
  | { kind: 'link'; device: NetInterface }
  | { kind: 'address'; gone: boolean; of: InterfaceAddress }
  | { kind: 'route'; gone: boolean; route: Route }
  | { kind: 'address6'; gone: boolean; device: NetInterface; of: Address6 }
  | { kind: 'route6'; gone: boolean; route: Route6 };

/** Told of every change, after it was made. */
export interface NetWatcher {
  onChange(change: NetChange): void;
}

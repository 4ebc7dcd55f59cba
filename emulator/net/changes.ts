import type { NetInterface } from './interface.js';
import type { Route } from './routes.js';
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
  | { kind: 'route'; gone: boolean; route: Route };

/** Told of every change, after it was made. */
export interface NetWatcher {
  onChange(change: NetChange): void;
}

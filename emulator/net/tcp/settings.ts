import type { SixOptions } from '../family.js';
import { RECEIVE_BUFFER, SEND_BUFFER, KEEP_COUNT, KEEP_IDLE, KEEP_INTERVAL, SYN_RETRIES } from './parameters.js';

/** A socket's options. A record is never changed, only replaced: connections share their listener's. Times in ns. */
export interface TcpSettings {
  readonly reuseAddress: boolean;
  readonly reusePort: boolean;
  /** SO_BINDTODEVICE: interface index, 0 for any. */
  readonly device: number;
  readonly ttl: number;
  readonly tos: number;
  readonly noDelay: boolean;
  readonly cork: boolean;
  readonly keepAlive: boolean;
  readonly keepIdle: number;
  readonly keepInterval: number;
  readonly keepCount: number;
  readonly synRetries: number;
  /** TCP_DEFER_ACCEPT: how many repeated SYN-ACKs to wait for data. */
  readonly deferAccept: number;
  /** TCP_USER_TIMEOUT; 0: by the number of retries. */
  readonly userTimeout: number;
  /** TCP_MAXSEG; 0: by the path. */
  readonly maxSegment: number;
  readonly oobInline: boolean;
  /** SO_LINGER; -1: off. */
  readonly linger: number;
  readonly receiveBuffer: number;
  readonly sendBuffer: number;
  /** SO_SNDBUF was set: no growing by itself. */
  readonly sendBufferFixed: boolean;
  readonly receiveLowWater: number;
  /** null: an AF_INET socket. A record like this one: replaced, never changed. */
  readonly six: Readonly<SixOptions> | null;
}

export const DEFAULT_SETTINGS: TcpSettings = {
  reuseAddress: false, reusePort: false, device: 0, ttl: 64, tos: 0, noDelay: false, cork: false,
  keepAlive: false, keepIdle: KEEP_IDLE, keepInterval: KEEP_INTERVAL, keepCount: KEEP_COUNT,
  synRetries: SYN_RETRIES, deferAccept: 0, userTimeout: 0, maxSegment: 0, oobInline: false, linger: -1,
  receiveBuffer: RECEIVE_BUFFER, sendBuffer: SEND_BUFFER, sendBufferFixed: false, receiveLowWater: 1, six: null,
};

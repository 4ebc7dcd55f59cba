import { snapshotClass } from '../../base/index.js';
import type { Address } from '../wire/index.js';
import type { SixOptions } from '../family.js';
import type { TcpConnection } from './connection.js';
import type { TcpSettings } from './settings.js';

/** What is left of a connection for twice the maximum segment lifetime (RFC 9293 section 3.6.1). */
export class TimeWait {
  readonly state = 'TIME_WAIT';
  readonly localAddress: Address;
  readonly localPort: number;
  readonly remoteAddress: Address;
  readonly remotePort: number;
  readonly sndNxt: number;
  readonly rcvNxt: number;
  readonly window: number;
  readonly tsRecent: number;
  readonly timestamps: boolean;
  readonly settings: TcpSettings;
  /** In cycles. */
  since: number;
  deadline: number;

  constructor(connection: TcpConnection, now: number, deadline: number) {
    this.localAddress = connection.localAddress;
    this.localPort = connection.localPort;
    this.remoteAddress = connection.remoteAddress;
    this.remotePort = connection.remotePort;
    this.sndNxt = connection.sndNxt;
    this.rcvNxt = connection.rcvNxt;
    this.window = connection.headerWindow();
    this.tsRecent = connection.tsRecent;
    this.timestamps = connection.timestamps;
    this.settings = connection.settings;
    this.since = now;
    this.deadline = deadline;
  }

  get six(): Readonly<SixOptions> | null {
    return this.settings.six;
  }
}
snapshotClass('TcpTimeWait', TimeWait);

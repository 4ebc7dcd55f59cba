import { decodeReply, decodeRequest, DhcpType, type DhcpReply } from '../codecs/dhcp.js';
import type { WireMessage } from './wire.js';

/** What a bystander on the LAN can tell of a DHCP server's memory. */
export interface DhcpState {
  /** Leases given (ACK), renewals included. */
  leases: number;
  /** Leases given while another client's lease of the same address still ran. */
  leasesTwice: number;
  /** Running leases the server no longer knew of when their client came back: it refused, or offered or gave another address. */
  leasesLost: number;
}

const SERVER = 67;
const CLIENT = 68;
const INFINITE = 0xffffffff;

interface Lease {
  client: string;
  address: number;
  until: number;
}

/** Reads the messages between clients and the router's server in order. */
export function observeDhcp(wire: readonly WireMessage[]): DhcpState {
  const book = new LeaseBook();
  for (const message of wire) {
    if (message.network !== 'lan0') continue;
    if (message.fromRouter && message.destinationPort === CLIENT) {
      const reply = decodeReply(message.payload);
      if (reply) book.hear(reply, message.time);
    } else if (!message.fromRouter && message.destinationPort === SERVER) {
      const request = decodeRequest(message.payload);
      if (request?.type === DhcpType.release || request?.type === DhcpType.decline) book.end(request.client);
    }
  }
  return book.state;
}

/** The leases as the clients believe they hold them. */
class LeaseBook {
  readonly state: DhcpState = { leases: 0, leasesTwice: 0, leasesLost: 0 };
  private readonly byClient = new Map<string, Lease>();

  hear(reply: DhcpReply, time: number): void {
    const held = this.byClient.get(reply.client);
    const runs = held !== undefined && held.until > time;
    if (runs && (reply.type === DhcpType.nak || held.address !== reply.address)) {
      this.state.leasesLost++;
      this.byClient.delete(reply.client);
    }
    if (reply.type === DhcpType.ack && reply.address !== 0 && reply.leaseSeconds > 0) this.give(reply, time);
  }

  /** Its client gives a lease up. */
  end(client: string): void {
    this.byClient.delete(client);
  }

  private give({ client, address, leaseSeconds }: DhcpReply, time: number): void {
    this.state.leases++;
    for (const other of this.byClient.values()) {
      if (other.address === address && other.client !== client && other.until > time) {
        this.state.leasesTwice++;
        break;
      }
    }
    this.byClient.set(client, { client, address, until: leaseSeconds === INFINITE ? Infinity : time + leaseSeconds * 1e9 });
  }
}

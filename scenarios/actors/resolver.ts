import { snapshotClass, type Clock, type EventQueue, type EventTarget } from '../../emulator/base/index.js';
import type { Host, HostHandler, Ip } from '../../emulator/net/index.js';
import { decodeMessage, DnsCode, DnsType, encodeResponse, u32 } from '../codecs/dns.js';

interface Answer {
  port: number;
  to: Ip;
  toPort: number;
  bytes: Uint8Array;
}

const DNS_PORT = 53;
const TTL_SECONDS = 30;

/** The provider's resolver: knows every name, answers after `delay` cycles. The address is made from the name. */
export class Resolver implements EventTarget, HostHandler {
  private readonly host: Host;
  private readonly clock: Clock;
  private readonly events: EventQueue;
  private readonly delay: number;
  /** Domains it never answers for. */
  private readonly silent: readonly string[];
  queries = 0;

  constructor(host: Host, clock: Clock, events: EventQueue, delay: number, silent: readonly string[] = []) {
    this.host = host;
    this.clock = clock;
    this.events = events;
    this.delay = delay;
    this.silent = silent;
    host.bind(DNS_PORT, this);
  }

  onDatagram(_host: Host, localPort: number, source: Ip, sourcePort: number, payload: Uint8Array): void {
    const query = decodeMessage(payload);
    if (!query || query.response || query.questions.length !== 1) return;
    this.queries++;
    const [question] = query.questions;
    if (this.silent.some((domain) => isWithin(question.name, domain))) return;
    const answers = question.type === DnsType.A ? [{ ...question, ttl: TTL_SECONDS, data: addressOf(question.name) }] : [];
    const bytes = encodeResponse({ id: query.id, code: DnsCode.noError, question, answers });
    this.events.at(this.clock.cycles + this.delay, this, 'answer', { port: localPort, to: source, toPort: sourcePort, bytes } satisfies Answer);
  }

  onEvent(_kind: string, argument: unknown): void {
    const { port, to, toPort, bytes } = argument as Answer;
    this.host.send(port, to, toPort, bytes);
  }
}
snapshotClass('Resolver', Resolver);

/** 198.18.0.0/15, the benchmark range of RFC 2544, by a hash of the name. */
function addressOf(name: string): Uint8Array {
  let hash = 0;
  for (let i = 0; i < name.length; i++) hash = (Math.imul(hash, 31) + name.charCodeAt(i)) | 0;
  return u32(((198 << 24) | (18 << 16) | (hash & 0x1ffff)) >>> 0);
}

const isWithin = (name: string, domain: string): boolean => `.${name.toLowerCase()}`.endsWith(`.${domain.toLowerCase()}`);

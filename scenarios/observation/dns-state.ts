import { decodeMessage, DnsCode, DnsType, type DnsMessage } from '../codecs/dns.js';
import type { WireMessage } from './wire.js';

/** What a bystander between router and resolver can tell of a forwarder's memory. */
export interface DnsState {
  /** Queries to the resolver. */
  queries: number;
  /** Names asked of the resolver again while its earlier answer was still fresh: the entry is lost. */
  cacheLost: number;
  /** Queries whose id an earlier one had, beyond a mere retransmission. */
  repeatedIds: number;
  /** Queries whose source port and id together an earlier one had. */
  repeatedPairs: number;
  /** How many of either random ids would give: for each query the share of ids used before, by anybody or on the same port. */
  idsByChance: number;
  pairsByChance: number;
  /** Answers to clients that differ from what the resolver said of the name, or promise it for longer than it did. */
  contradicted: number;
}

const DNS = 53;
const IDS = 65536;
/** A query with the same port, id and question within this time is the same query sent again. */
const RETRANSMISSION_NS = 10e9;
/** Lifetimes are whole seconds, and links delay what passes. */
const TTL_SLACK_NS = 1.5e9;

interface Fresh {
  data: string;
  until: number;
}

/** Reads the messages between clients, router and resolver in order. The router's own port is lan0's, the resolver is on wan0. */
export function observeDns(wire: readonly WireMessage[]): DnsState {
  const state = { queries: 0, cacheLost: 0, repeatedIds: 0, repeatedPairs: 0, idsByChance: 0, pairsByChance: 0, contradicted: 0 };
  const known = new Map<string, Fresh>();
  const queries = new Queries();
  for (const message of wire) {
    const dns = decodeMessage(message.payload);
    if (dns === null || dns.questions.length !== 1) continue;
    const question = `${dns.questions[0].name} ${dns.questions[0].type}`;
    if (message.network === 'wan0' && message.fromRouter && message.destinationPort === DNS && !dns.response) {
      if (!queries.add(message, dns.id, question, state)) continue;
      if ((known.get(question)?.until ?? 0) > message.time) state.cacheLost++;
    } else if (message.network === 'wan0' && !message.fromRouter && message.sourcePort === DNS && dns.response && dns.code === DnsCode.noError && dns.answers.length > 0) {
      known.set(question, { data: dataOf(dns), until: message.time + lifetime(dns) });
    } else if (message.network === 'lan0' && message.fromRouter && message.sourcePort === DNS && dns.response && dns.code === DnsCode.noError) {
      const said = known.get(question);
      if (said && dns.answers.length > 0 && contradicts(said, message.time, dns)) state.contradicted++;
    }
  }
  return state;
}

/** Every query sent so far, to know what repeats. */
class Queries {
  private readonly ids = new Set<number>();
  /** Ids used on each port. */
  private readonly ports = new Map<number, Set<number>>();
  private readonly latest = new Map<string, number>();

  /** Counts one; false when it is only a retransmission. */
  add(message: WireMessage, id: number, question: string, state: DnsState): boolean {
    const { sourcePort } = message;
    const whole = `${sourcePort} ${id} ${question}`;
    const before = this.latest.get(whole);
    this.latest.set(whole, message.time);
    if (before !== undefined && message.time - before < RETRANSMISSION_NS) return false;
    const onPort = this.ports.get(sourcePort) ?? new Set<number>();
    this.ports.set(sourcePort, onPort);
    state.queries++;
    state.idsByChance += this.ids.size / IDS;
    state.pairsByChance += onPort.size / IDS;
    if (this.ids.has(id)) state.repeatedIds++;
    if (onPort.has(id)) state.repeatedPairs++;
    this.ids.add(id);
    onPort.add(id);
    return true;
  }
}

const lifetime = (dns: DnsMessage): number => Math.min(...dns.answers.map((record) => record.ttl)) * 1e9;

/** The addresses an answer gives, whatever their order. */
function dataOf(dns: DnsMessage): string {
  const addresses = dns.answers.filter((record) => record.type === DnsType.A || record.type === DnsType.AAAA);
  return addresses.map((record) => Buffer.from(record.data).toString('hex')).sort().join(' ');
}

function contradicts(said: Fresh, time: number, answer: DnsMessage): boolean {
  return dataOf(answer) !== said.data || time + lifetime(answer) > said.until + TTL_SLACK_NS;
}

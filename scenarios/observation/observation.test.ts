import { concat, DnsType, encodeQuery, encodeResponse } from '../codecs/dns.js';
import { DhcpOption, DhcpType, encodeDiscover, encodeOption } from '../codecs/dhcp.js';
import { u32 } from '../codecs/dns.js';
import { observeDhcp } from './dhcp-state.js';
import { observeDns } from './dns-state.js';
import { outages } from './outages.js';
import type { WireMessage } from './wire.js';

const S = 1e9;
const message = (time: number, network: string, fromRouter: boolean, ports: [number, number], payload: Uint8Array): WireMessage =>
  ({ time: time * S, network, fromRouter, sourcePort: ports[0], destinationPort: ports[1], payload });

const query = (time: number, id: number, name: string, port = 4000): WireMessage => message(time, 'wan0', true, [port, 53], encodeQuery(id, name, DnsType.A));
function answer(time: number, network: 'lan0' | 'wan0', name: string, address: number, ttl: number): WireMessage {
  const question = { name, type: DnsType.A };
  const bytes = encodeResponse({ id: 1, code: 0, question, answers: [{ ...question, ttl, data: u32(address) }] });
  return message(time, network, network === 'lan0', [53, 4000], bytes);
}

describe("a forwarder's memory, seen from the wire", () => {
  test('a name asked again while its answer is fresh is a lost entry; afterwards it is not', () => {
    const wire = [query(1, 1, 'a.example'), answer(1.1, 'wan0', 'a.example', 9, 30), query(20, 2, 'a.example'), query(40, 3, 'a.example')];
    expect(observeDns(wire)).toMatchObject({ queries: 3, cacheLost: 1, repeatedIds: 0 });
  });

  test('the same id, and the same port and id, for another question are repeated; the same query again is sent again', () => {
    const wire = [query(1, 7, 'a.example'), query(2, 7, 'a.example'), query(3, 7, 'b.example', 4001), query(4, 7, 'c.example', 4000)];
    expect(observeDns(wire)).toMatchObject({ queries: 3, repeatedIds: 2, repeatedPairs: 1 });
  });

  test('what random ids would repeat by chance is the birthday sum', () => {
    const wire = Array.from({ length: 1200 }, (_, i) => query(i, i, `h${i}.example`));
    expect(observeDns(wire).idsByChance).toBeCloseTo((1200 * 1200) / 2 / 65536, 0);
  });

  test('an answer to a client contradicts the resolver when its address differs or it lives longer', () => {
    const said = answer(1, 'wan0', 'a.example', 9, 30);
    expect(observeDns([said, answer(10, 'lan0', 'a.example', 9, 21)]).contradicted).toBe(0);
    expect(observeDns([said, answer(10, 'lan0', 'a.example', 8, 21)]).contradicted).toBe(1);
    expect(observeDns([said, answer(10, 'lan0', 'a.example', 9, 30)]).contradicted).toBe(1);
    expect(observeDns([said, answer(10, 'lan0', 'b.example', 8, 30)]).contradicted).toBe(0);
  });
});

/** A server's reply: a client's message turned round. */
function reply(time: number, type: number, client: number, address: number, seconds = 3600): WireMessage {
  const bytes = concat(encodeDiscover(1, Uint8Array.of(2, 0, 0, 0, 0, client)).subarray(0, 240),
    encodeOption(DhcpOption.messageType, Uint8Array.of(type)), encodeOption(DhcpOption.leaseTime, u32(seconds)), Uint8Array.of(DhcpOption.end));
  bytes[0] = 2;
  bytes.set(u32(address), 16);
  return message(time, 'lan0', true, [67, 68], bytes);
}

describe("a DHCP server's memory, seen from the wire", () => {
  const { ack, offer, nak } = DhcpType;

  test('renewals and leases that have run out are in order', () => {
    expect(observeDhcp([reply(1, ack, 1, 100, 60), reply(30, ack, 1, 100, 60), reply(200, ack, 2, 100, 60)])).toEqual({ leases: 3, leasesTwice: 0, leasesLost: 0 });
  });

  test('an address given while another client holds it is given twice', () => {
    expect(observeDhcp([reply(1, ack, 1, 100), reply(2, ack, 2, 100)])).toMatchObject({ leasesTwice: 1, leasesLost: 0 });
  });

  test('a client that is refused, or offered another address than the one it holds, has lost its lease, once', () => {
    expect(observeDhcp([reply(1, ack, 1, 100), reply(2, offer, 1, 101), reply(3, ack, 1, 101)]).leasesLost).toBe(1);
    expect(observeDhcp([reply(1, ack, 1, 100), reply(2, nak, 1, 0)]).leasesLost).toBe(1);
  });

  test('a client that gives its address back has nothing to lose', () => {
    const release = encodeDiscover(1, Uint8Array.of(2, 0, 0, 0, 0, 1));
    release[242] = DhcpType.release;
    expect(observeDhcp([reply(1, ack, 1, 100), message(2, 'lan0', false, [68, 67], release), reply(3, ack, 2, 100)])).toMatchObject({ leasesTwice: 0, leasesLost: 0 });
  });
});

describe('outages as a prober sees them', () => {
  /** Probes ten cycles apart; a letter each: "." answered after one cycle, "x" lost. */
  const seen = (letters: string, from = 0, end = 1000): ReturnType<typeof outages> => {
    const sent = Array.from({ length: letters.length }, (_, i) => 10 * i);
    return outages({ probes: { sent, answered: sent.map((t, i) => (letters[i] === '.' ? t + 1 : -1)), lengths: [] }, probePeriod: 10, timeout: 5, end }, from);
  };

  test('two lost probes: two gaps by frame loss, three by time stamps', () => {
    expect(seen('..xx.')).toEqual([{ lost: 2, byLoss: 20, byTime: 30 }]);
  });

  test('one without end is infinite by time stamps and counts up to the end by frame loss', () => {
    expect(seen('..xxx')).toEqual([{ lost: 3, byLoss: 30, byTime: Infinity }]);
  });

  test('where the probes have no rate, as the datagrams of a capture, frame loss gives no length: not one of zero', () => {
    const [down] = outages({ probes: { sent: [0, 70], answered: [-1, 71], lengths: [] }, probePeriod: 0, timeout: 5, end: 100 }, 0);
    expect(down).toMatchObject({ lost: 1, byLoss: NaN });
  });

  test('one that began before the attack, and probes without their whole timeout, do not count', () => {
    expect(seen('.xx..x.', 30)).toHaveLength(1);
    expect(seen('....x', 0, 42)).toEqual([]);
  });

  test('an answer that comes too late is none', () => {
    const late = outages({ probes: { sent: [0, 10, 20], answered: [1, 19, 21], lengths: [] }, probePeriod: 10, timeout: 5, end: 100 }, 0);
    expect(late).toEqual([{ lost: 1, byLoss: 10, byTime: 20 }]);
  });
});

import { Clock, EventLog, EventQueue, Random } from '../../emulator/base/index.js';
import { runEvents } from '../../emulator/net/index.js';
import { Attacker } from '../actors/attacker.js';
import type { Channel } from '../actors/channel.js';
import { decodeMessage } from '../codecs/dns.js';
import { ednsLeak, ednsUnderflow, pointerLoop } from './dns.js';
import { stackSmash, starvation } from './dhcp.js';
import { formNames, forms } from './forms.js';

const random = (): Random => new Random(5);

describe('forms of an attack message', () => {
  test('exact leaves it alone; every other DNS form changes bytes or port and keeps the question readable', () => {
    const message = ednsLeak(random());
    for (const form of formNames) {
      const { bytes, sourcePort } = forms[form](message.slice(), 'dns', random());
      const changed = Buffer.compare(bytes, message) !== 0 || sourcePort !== undefined;
      expect([form, changed]).toEqual([form, form !== 'exact']);
      expect(decodeMessage(bytes)?.questions[0].name).toMatch(/(^|\.)www\.example\.com$/);
    }
  });

  test('a pointer to itself is still one behind another label', () => {
    const { bytes } = forms.label(pointerLoop(random()), 'dns', random());
    const pointer = 13 + bytes[12];
    expect([bytes[pointer], bytes[pointer + 1]]).toEqual([0xc0, pointer]);
  });

  test('DHCP messages change transaction and hardware address, not length', () => {
    const message = stackSmash(random());
    for (const form of ['id', 'mac'] as const) {
      const { bytes } = forms[form](message.slice(), 'dhcp', random());
      expect(bytes).toHaveLength(message.length);
      expect(Buffer.compare(bytes.subarray(4, 8), message.subarray(4, 8))).not.toBe(0);
      expect(Buffer.compare(bytes.subarray(28, 34), message.subarray(28, 34)) !== 0).toBe(form === 'mac');
    }
  });

  test('DHCP starvation: each client wishes for an address of its own and takes it', () => {
    const messages = starvation(random());
    const address = (bytes: Uint8Array): string => Buffer.from(bytes).toString('hex').split('3204')[1].slice(0, 8);
    expect(messages).toHaveLength(100);
    expect(new Set(messages.map(address)).size).toBe(50);
    for (let i = 0; i < 100; i += 2) expect([address(messages[i]), messages[i].subarray(4, 34)]).toEqual([address(messages[i + 1]), messages[i + 1].subarray(4, 34)]);
  });

  test('short and empty messages are no trouble', () => {
    for (const form of formNames) for (const length of [0, 1, 12, 13]) forms[form](new Uint8Array(length), 'dns', random());
  });
});

describe('an attacker', () => {
  function attack(message: Uint8Array, seed: number): { sent: [number, string][]; log: string } {
    const clock = new Clock(1000);
    const parts = { clock, events: new EventQueue(), log: new EventLog(clock), random: new Random(seed) };
    const sent: [number, string][] = [];
    const channel: Channel = { mac: new Uint8Array(6), open() {}, send: (bytes) => sent.push([clock.cycles, Buffer.from(bytes).toString('hex')]) };
    new Attacker(parts, channel, { protocol: 'dns', messages: [message], forms: ['exact', 'id'], start: 100, period: 100, jitter: 0.5, file: null, frames: [], field: null, count: 6 });
    runEvents(clock, parts.events, 10_000);
    return { sent, log: parts.log.lines() };
  }

  test('sends its count, one in each period, in turn in each form, and never alters the original', () => {
    // A Buffer's slice is a view: a careless copy would change the message for good.
    const message = Buffer.from(ednsUnderflow(random()));
    const { sent } = attack(message, 1);
    const hex = message.toString('hex');
    expect(sent.map(([at]) => Math.floor(at / 100))).toEqual([1, 2, 3, 4, 5, 6]);
    expect(sent.map(([, bytes]) => bytes === hex)).toEqual([true, false, true, false, true, false]);
  });

  test('is the same for the same seed, another for another', () => {
    const message = ednsUnderflow(random());
    expect(attack(message, 1)).toEqual(attack(message, 1));
    expect(attack(message, 1).log).not.toBe(attack(message, 2).log);
  });
});

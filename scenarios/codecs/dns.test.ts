import { execFileSync } from 'node:child_process';
import fc from 'fast-check';
import { decodeMessage, DnsType, encodeName, encodeOpt, encodeQuery, encodeResponse, u32 } from './dns.js';

const label = fc.stringMatching(/^[a-z0-9]([a-z0-9-]{0,10}[a-z0-9])?$/);
const name = fc.array(label, { minLength: 1, maxLength: 5 }).map((labels) => labels.join('.'));

/**
 * dns-packet in a process of its own: it declares `Buffer`, which the test realm is given. Decodes or encodes a list at once; bytes travel as
 * base64.
 */
function oracle<T>(call: 'decode' | 'encode', items: unknown[]): T[] {
  const script = `const p = require('dns-packet'); const items = JSON.parse(require('fs').readFileSync(0));
    process.stdout.write(JSON.stringify(items.map((i) => ${call === 'decode' ? "p.decode(Buffer.from(i, 'base64'))" : "p.encode(i).toString('base64')"})))`;
  return JSON.parse(execFileSync(process.execPath, ['-e', script], { input: JSON.stringify(items), cwd: __dirname }).toString()) as T[];
}

interface Decoded {
  id: number;
  flag_rd: boolean;
  questions: { name: string; type: string; class: string }[];
  answers: Record<string, unknown>[];
}
const decode = (messages: Uint8Array[]): Decoded[] => oracle('decode', messages.map((bytes) => Buffer.from(bytes).toString('base64')));

describe('DNS messages of the generators', () => {
  test('an independent decoder reads our queries', () => {
    const cases = fc.sample(fc.tuple(fc.nat(65535), name), 50);
    decode(cases.map(([id, asked]) => encodeQuery(id, asked, DnsType.A))).forEach((read, i) => {
      expect([read.id, read.flag_rd]).toEqual([cases[i][0], true]);
      expect(read.questions).toEqual([{ name: cases[i][1], type: 'A', class: 'IN' }]);
    });
  });

  test('we read an independent encoder\'s answers, compressed names included', () => {
    const cases = fc.sample(fc.tuple(fc.nat(65535), name), 50);
    const messages = cases.map(([id, asked]) => ({ type: 'response', id, flags: 256, questions: [{ name: asked, type: 'A' }], answers: [{ name: asked, type: 'A', ttl: 60, data: '198.18.0.1' }] }));
    oracle<string>('encode', messages).forEach((bytes, i) => {
      const read = decodeMessage(Buffer.from(bytes, 'base64'));
      expect(read).toMatchObject({ id: cases[i][0], response: true, code: 0, questions: [{ name: cases[i][1], type: 1 }] });
      expect(Array.from(read?.answers[0].data ?? [])).toEqual([198, 18, 0, 1]);
    });
  });

  test('our answers come back from both decoders', () => {
    const question = { name: 'www.example.com', type: DnsType.A };
    const bytes = encodeResponse({ id: 7, code: 0, question, answers: [{ ...question, ttl: 30, data: u32(0xc6120001) }] });
    expect(decode([bytes])[0].answers[0]).toMatchObject({ name: 'www.example.com', type: 'A', ttl: 30, data: '198.18.0.1' });
    expect(decodeMessage(bytes)?.answers).toHaveLength(1);
  });

  test('an OPT record may declare another length than it has', () => {
    const bytes = encodeOpt(1232, new Uint8Array(8), 2);
    expect([...bytes.subarray(0, 11)]).toEqual([0, 0, 41, 4, 208, 0, 0, 0, 0, 0, 2]);
    expect(bytes).toHaveLength(19);
  });

  test('a pointer to itself, forwards or out of the message is refused', () => {
    const head = encodeQuery(1, '', 1).subarray(0, 12);
    for (const pointer of [[0xc0, 12], [0xc0, 14], [0xff, 0xff]]) expect(decodeMessage(Uint8Array.of(...head, ...pointer, 0, 1, 0, 1))).toBeNull();
  });

  test('whatever bytes come, decoding ends without an exception', () => {
    fc.assert(fc.property(fc.uint8Array({ maxLength: 80 }), (bytes) => {
      decodeMessage(bytes);
    }), { numRuns: 500 });
  });

  test('a name ends in the root label', () => {
    expect([...encodeName('a.bc')]).toEqual([1, 97, 2, 98, 99, 0]);
    expect([...encodeName('')]).toEqual([0]);
  });
});

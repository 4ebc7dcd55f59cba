import fc from 'fast-check';
import { checksum } from './checksum.js';

/** RFC 1071 section 1, word by word with the carry brought round at once. */
function byTheBook(bytes: Uint8Array, start: number, end: number): number {
  let sum = 0;
  for (let at = start; at < end; at += 2) {
    sum += (bytes[at] << 8) | (at + 1 < end ? bytes[at + 1] : 0);
    sum = (sum & 0xffff) + (sum >>> 16);
  }
  return ~sum & 0xffff;
}

test('the checksum is that of RFC 1071, wherever the bytes lie and however long they are', () => {
  fc.assert(fc.property(fc.uint8Array({ maxLength: 300 }), fc.nat({ max: 9 }), fc.nat({ max: 9 }), (bytes, skip, cut) => {
    const start = Math.min(skip, bytes.length);
    const end = Math.max(start, bytes.length - cut);
    expect(checksum(bytes.subarray(start), 0, end - start)).toBe(byTheBook(bytes, start, end));
    expect(checksum(bytes, start, end)).toBe(byTheBook(bytes, start, end));
  }));
});

test('the longest packet of nothing but ones does not overflow', () => {
  for (const length of [65_535, 65_534, 65_533, 65_532]) expect(checksum(new Uint8Array(length).fill(0xff))).toBe(byTheBook(new Uint8Array(length).fill(0xff), 0, length));
});

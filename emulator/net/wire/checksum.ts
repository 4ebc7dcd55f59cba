import type { Address } from './address6.js';

/**
 * The Internet checksum (RFC 1071): the ones' complement of the ones' complement sum of 16-bit words,
 * an odd last byte padded with zero.
 */
export function onesSum(bytes: Uint8Array, start: number, end: number, sum = 0): number {
  let at = start;
  if (end - start >= LONG) {
    sum += wordsSum(new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength), start, end);
    at = end - ((end - start) & 3);
  }
  for (; at + 1 < end; at += 2) sum += (bytes[at] << 8) | bytes[at + 1];
  if (at < end) sum += bytes[at] << 8;
  return sum;
}

/** From here on a view is worth making, which reads four bytes at a time. */
const LONG = 64;

/** Of whole 32-bit words; halves are added apart, so that packets' sums stay small integers. */
function wordsSum(view: DataView, start: number, end: number): number {
  let high = 0;
  let low = 0;
  for (let at = start; at + 3 < end; at += 4) {
    const word = view.getInt32(at);
    high += word >>> 16;
    low += word & 0xffff;
  }
  return high + low;
}

/** Fold a sum of up to 2^32 words and complement it. */
export function foldSum(sum: number): number {
  while (sum > 0xffff) sum = (sum & 0xffff) + Math.floor(sum / 0x10000);
  return ~sum & 0xffff;
}

export function checksum(bytes: Uint8Array, start = 0, end = bytes.length): number {
  return foldSum(onesSum(bytes, start, end));
}

/** Sum over the pseudo header of UDP (RFC 768) and TCP, or that of IPv6 (RFC 8200 section 8.1). */
export function pseudoSum(source: Address, destination: Address, protocol: number, length: number): number {
  return addressSum(source) + addressSum(destination) + protocol + length;
}

function addressSum(address: Address): number {
  if (typeof address === 'number') return (address >>> 16) + (address & 0xffff);
  let sum = 0;
  for (let at = 0; at < 32; at += 4) sum += parseInt(address.slice(at, at + 4), 16);
  return sum;
}

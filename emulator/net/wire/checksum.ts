/**
 * The Internet checksum (RFC 1071): the ones' complement of the ones' complement sum of 16-bit words,
 * an odd last byte padded with zero.
 */
export function onesSum(bytes: Uint8Array, start: number, end: number, sum = 0): number {
  let at = start;
  for (; at + 1 < end; at += 2) sum += (bytes[at] << 8) | bytes[at + 1];
  if (at < end) sum += bytes[at] << 8;
  return sum;
}

/** Fold a sum of up to 2^32 words and complement it. */
export function foldSum(sum: number): number {
  while (sum > 0xffff) sum = (sum & 0xffff) + Math.floor(sum / 0x10000);
  return ~sum & 0xffff;
}

export function checksum(bytes: Uint8Array, start = 0, end = bytes.length): number {
  return foldSum(onesSum(bytes, start, end));
}

/** Sum over the pseudo header of UDP (RFC 768) and TCP. */
export function pseudoSum(source: number, destination: number, protocol: number, length: number): number {
  return (source >>> 16) + (source & 0xffff) + (destination >>> 16) + (destination & 0xffff) + protocol + length;
}

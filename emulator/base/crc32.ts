/**
 * CRC-32 of IEEE 802.3 (polynomial 0xedb88320, reflected), eight bytes a step with eight tables
 * ("slicing by 8", Kounavis and Berry 2005). A cache of constants, never state.
 */
const tables = buildTables();

function buildTables(): Int32Array[] {
  const result = Array.from({ length: 8 }, () => new Int32Array(256));
  for (let i = 0; i < 256; i++) {
    let crc = i;
    for (let bit = 0; bit < 8; bit++) crc = crc & 1 ? (crc >>> 1) ^ 0xedb88320 : crc >>> 1;
    result[0][i] = crc;
  }
  for (let k = 1; k < 8; k++) {
    for (let i = 0; i < 256; i++) {
      const before = result[k - 1][i];
      result[k][i] = (before >>> 8) ^ result[0][before & 255];
    }
  }
  return result;
}

/** CRC of `bytes`, unsigned; `seed` is the CRC of what came before them. */
export function crc32(bytes: Uint8Array, seed = 0): number {
  const [t0, t1, t2, t3, t4, t5, t6, t7] = tables;
  let crc = ~seed;
  let at = 0;
  for (const whole = bytes.length - (bytes.length & 7); at < whole; at += 8) {
    crc ^= bytes[at] | (bytes[at + 1] << 8) | (bytes[at + 2] << 16) | (bytes[at + 3] << 24);
    crc = t7[crc & 255] ^ t6[(crc >>> 8) & 255] ^ t5[(crc >>> 16) & 255] ^ t4[crc >>> 24]
      ^ t3[bytes[at + 4]] ^ t2[bytes[at + 5]] ^ t1[bytes[at + 6]] ^ t0[bytes[at + 7]];
  }
  for (; at < bytes.length; at++) crc = t0[(crc ^ bytes[at]) & 255] ^ (crc >>> 8);
  return ~crc >>> 0;
}

/**
 * Big-endian reads that accept any offset: a byte beyond the end counts as 0, so a view over hostile
 * bytes never throws. Whoever builds a record checks lengths first.
 */
export function read16(bytes: Uint8Array, at: number): number {
  return ((bytes[at] << 8) | bytes[at + 1]) & 0xffff;
}

export function read32(bytes: Uint8Array, at: number): number {
  return ((bytes[at] << 24) | (bytes[at + 1] << 16) | (bytes[at + 2] << 8) | bytes[at + 3]) >>> 0;
}

/** A MAC address as a number; 48 bits are exact in a double. */
export function read48(bytes: Uint8Array, at: number): number {
  return read16(bytes, at) * 0x1_0000_0000 + read32(bytes, at + 2);
}

export function write16(bytes: Uint8Array, at: number, value: number): void {
  bytes[at] = value >>> 8;
  bytes[at + 1] = value;
}

export function write32(bytes: Uint8Array, at: number, value: number): void {
  bytes[at] = value >>> 24;
  bytes[at + 1] = value >>> 16;
  bytes[at + 2] = value >>> 8;
  bytes[at + 3] = value;
}

export function write48(bytes: Uint8Array, at: number, value: number): void {
  write16(bytes, at, Math.floor(value / 0x1_0000_0000));
  write32(bytes, at + 2, value % 0x1_0000_0000);
}

/** Hexadecimal digits, at least `width` of them. A negative number is the 32-bit word it stands for. */
export function hexDigits(value: number, width = 1): string {
  return (value < 0 ? value >>> 0 : value).toString(16).padStart(width, '0');
}

/** The same as C writes it: 0x7fff6ab0. */
export function hex(value: number, width = 1): string {
  return `0x${hexDigits(value, width)}`;
}

import { InvalidArgumentError } from 'commander';
import { parseSize } from '../units.js';

/** RAM a router may be given, bytes. */
const MIN_RAM = 1 << 20;
const MAX_RAM = 1 << 30;

/** The argument of --mem. */
export function memory(text: string): number {
  const bytes = parseSize(text);
  if (bytes === null || bytes < MIN_RAM || bytes > MAX_RAM) throw new InvalidArgumentError('a size like 16M or 16MiB, from 1M to 1G.');
  return bytes;
}

import { InvalidArgumentError } from 'commander';

/** For commander: a seed, or its complaint. */
export function seedArgument(text: string): number {
  const seed = Number(text);
  if (!/^\d+$/.test(text) || seed > 0xffffffff) throw new InvalidArgumentError('a seed is an integer from 0 to 4294967295.');
  return seed;
}

import { readFileSync } from 'node:fs';
import { Op } from '../../emulator/cpu/ops.js';

test('the numbers in the interpreter are those of the operation table, and all of them are there', () => {
  const source = readFileSync(`${__dirname}/../../emulator/cpu/interpreter.ts`, 'utf8');
  const cases = [...source.matchAll(/case (\d+):(?: \{)?\s*(?:\/\* (\w+) \*\/|\/\/ (\w+))/g)].map((match) => [match[2] ?? match[3], Number(match[1])]);
  const table = Object.entries(Op).filter(([name, number]) => number < Op.firstRare && name !== 'firstRare');
  expect(Object.fromEntries(cases)).toEqual(Object.fromEntries(table));
});

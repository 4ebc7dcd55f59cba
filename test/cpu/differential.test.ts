import { readFileSync } from 'node:fs';
import { gunzipSync } from 'node:zlib';
import { BareProgram } from '../../scenarios/bench/bare-program.js';
import { BATCH, BLOCK_WORDS, buildBatch, compareStates, SEQUENCES } from './batch.js';
import { allTemplates } from './generator.js';

const golden = gunzipSync(readFileSync(`${__dirname}/golden/sequences.bin.gz`));
const batches = Array.from({ length: SEQUENCES / BATCH }, (_, index) => index);

describe('random instruction sequences end in the state qemu-mipsel recorded', () => {
  test.each(batches)('batch %i', (index) => {
    const batch = buildBatch(index);
    const program = new BareProgram(batch.elf, ['batch'], 2 << 20);
    program.run();
    const bytes = BATCH * BLOCK_WORDS * 4;
    const expected = golden.subarray(index * bytes, (index + 1) * bytes);
    const actual = Buffer.concat(program.output);
    expect(compareStates(expected, actual).slice(0, 5)).toEqual([]);
    expect(Buffer.compare(expected, actual)).toBe(0);
  });
});

test('the sequences use every instruction of the generator, and each is at least 50 instructions long', () => {
  const used = new Map<string, number>();
  for (const index of batches) {
    for (const code of buildBatch(index, used).code) expect(code.length).toBeGreaterThanOrEqual(50);
  }
  expect(SEQUENCES).toBeGreaterThanOrEqual(1000);
  expect(allTemplates.filter((template) => (used.get(template.name) ?? 0) < 20).map((template) => template.name)).toEqual([]);
});

import { createHash } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { BareProgram } from '../../scenarios/bench/bare-program.js';

const directory = `${__dirname}/../guest/bench`;
const manifest = JSON.parse(readFileSync(`${directory}/manifest.json`, 'utf8')) as Record<string, string>;

test('the committed benchmark program was built from the committed source', () => {
  for (const [file, expected] of Object.entries(manifest)) {
    expect([file, createHash('sha256').update(readFileSync(`${directory}/${file}`)).digest('hex')]).toEqual([file, expected]);
  }
});

test('the benchmark program computes the checksum qemu-mipsel prints', () => {
  const program = new BareProgram(readFileSync(`${directory}/coremark-like`), ['coremark-like', '20']);
  program.run();
  expect(program.text()).toBe(readFileSync(`${directory}/expected-20`, 'latin1'));
  expect(program.status).toBe(0);
});

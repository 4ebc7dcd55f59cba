import { failed, Random } from '../../emulator/base/index.js';
import { freezeProcess, imagePath, stateDigest, thawProcess } from '../../emulator/checkpoint/index.js';
import { makeNoise } from './noise.js';
import { contents, overwrite, stopped, truncate } from './stopped.js';

test('every byte of an image file changed, and every truncation: refused and harmless, or exact', () => {
  const { kernel, process } = stopped('hello', 300);
  const then = stateDigest(process).all;
  freezeProcess(kernel, process);
  makeNoise(process, new Random(1));
  const now = stateDigest(process).all;
  const path = imagePath('hello', process.pid, 1);
  const original = contents(kernel, path);
  let exact = 0;
  let refused = 0;
  const attempt = (): void => {
    if (failed(thawProcess(kernel, process, 1))) {
      refused++;
      return;
    }
    expect(stateDigest(process).all).toBe(then);
    exact++;
  };
  for (let at = 0; at < original.length; at++) {
    overwrite(kernel, path, at, Uint8Array.of(original[at] ^ (1 << (at & 7))));
    attempt();
    overwrite(kernel, path, at, original.subarray(at, at + 1));
  }
  expect([now, then]).toContain(stateDigest(process).all);
  for (let size = 0; size < original.length; size += 7) {
    truncate(kernel, path, size);
    attempt();
    overwrite(kernel, path, 0, original);
  }
  globalThis.process.stdout.write(`${original.length} bytes changed: ${refused} attempts refused, ${exact} exact (padding)\n`);
  expect(thawProcess(kernel, process, 1)).toBe(0);
  expect(stateDigest(process).all).toBe(then);
}, 900_000);

import fc from 'fast-check';
import { Errno, failed, Random } from '../../emulator/base/index.js';
import { exportCore, freezeProcess, stateDigest, Store, thawForeign } from '../../emulator/checkpoint/index.js';
import { makeNoise } from './noise.js';
import { list, stopped } from './stopped.js';

const hello = (image: Uint8Array): ReturnType<typeof stopped> => {
  const one = stopped('hello', 200);
  one.machine.writeFile('/tmp/image', image);
  return one;
};

describe('an image taken to another machine', () => {
  const source = stopped('nested', 3000);
  freezeProcess(source.kernel, source.process, { store: Store.copy });
  const image = exportCore(source.kernel, source.process, 1) as Uint8Array;
  const printed = source.machine.stdout;

  test('goes on there with nothing but its file', () => {
    const there = hello(image);
    there.kernel.vfs.unlink(there.kernel.vfs.kernelContext(), '/bin/hello');
    makeNoise(there.process, new Random(5));
    there.process.limits.forEach((limit) => { limit.soft = limit.hard; });
    there.process.space.limit = Infinity;
    const [thread] = there.process.threads;
    expect(thawForeign(there.kernel, thread, '/tmp/image')).toBe(0);
    const digest = stateDigest(there.process);
    expect(digest.memory).toBe(stateDigest(source.process).memory);
    for (const fd of there.process.fds.list()) if (fd > 2) there.process.fds.close(there.kernel, fd);
    const outcome = there.machine.finish(there.process);
    const expected = source.machine.finish(source.process);
    expect([outcome.hung, outcome.status]).toEqual([null, expected.status]);
    expect(printed + outcome.stdout).toBe(expected.stdout);
  });

  test('only for who may read it', () => {
    const there = hello(image);
    Object.assign(there.process.cred, { uid: 7, euid: 7, fsuid: 7, gid: 7, egid: 7, fsgid: 7 });
    there.machine.writeFile('/tmp/secret', image, 0o600);
    expect(thawForeign(there.kernel, there.process.threads[0], '/tmp/secret')).toBe(-Errno.EACCES);
    expect(list(there.kernel, '/tmp')).toContain('image');
  });

  test('with any bytes changed is refused and harms nothing', () => {
    fc.assert(fc.property(fc.nat(image.length - 1), fc.integer({ min: 1, max: 255 }), (at, change) => {
      const damaged = Uint8Array.from(image);
      damaged[at] ^= change;
      const there = hello(damaged);
      const before = stateDigest(there.process).all;
      const result = thawForeign(there.kernel, there.process.threads[0], '/tmp/image');
      if (failed(result)) expect(stateDigest(there.process).all).toBe(before);
      else expect(stateDigest(there.process).memory).toBe(stateDigestOfImage);
    }), { numRuns: 25 });
  });

  const reference = hello(image);
  thawForeign(reference.kernel, reference.process.threads[0], '/tmp/image');
  const stateDigestOfImage = stateDigest(reference.process).memory;

  test.each([['not an image', Buffer.from('no image at all, just text')], ['an empty file', new Uint8Array(0)]])('%s is refused', (_name, bytes) => {
    const there = hello(bytes);
    expect(thawForeign(there.kernel, there.process.threads[0], '/tmp/image')).toBe(-Errno.EINVAL);
    expect(there.machine.finish(there.process).status).toBe(0);
  });
});

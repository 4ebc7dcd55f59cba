import { AttackRunner, unharmed, type Attack } from './attacks.js';

/** Attack, and what it must have been told. More of them in exhaustion.slow.test.ts. */
const attacks: readonly [...Attack, said: RegExp][] = [
  ['forks', 0, 1, /children: 1, Resource temporarily unavailable/],
  ['sharedbomb', 0, 1, /processes in one memory: 1, Resource temporarily unavailable/],
  ['hugefile', 0, 2, /huge file: 1, No space left on device/],
  ['mmapall', 0, 1, /everything mapped: 1, Out of memory/],
  ['checkpoints', 0, 2, /store 0: No file descriptors available/],
];

describe('a guest that takes all it can get is told so, and harms neither the host nor the machine', () => {
  const runner = new AttackRunner();
  beforeAll(() => runner.prepare());
  afterAll(() => runner.remove());

  test.each(attacks)('%s', async (name, count, seconds, said) => {
    const outcome = await runner.run([name, count, seconds]);
    unharmed(outcome);
    expect(outcome.stdout).toMatch(said);
  }, 60_000);
});

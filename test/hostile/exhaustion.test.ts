import { AttackRunner, unharmed, type Attack } from './attacks.js';

/** Attack, and what it must have been told. */
const attacks: readonly [...Attack, said: RegExp][] = [
  ['forks', 0, 1, /children: 1, Resource temporarily unavailable/],
  ['threadbomb', 0, 1, /threads: 1, Resource temporarily unavailable/],
  ['sharedbomb', 0, 1, /processes in one memory: 1, Resource temporarily unavailable/],
  ['rights', 0, 3, /chain of descriptors in flight: 1.*\n.*lost in flight: 1/],
  ['bytesockets', 10, 1, /filled/],
  ['iovecs', 0, 5, /writev to 1: Out of memory[^]*huge transfers/],
  ['hugefile', 0, 2, /huge file: 1, No space left on device/],
  ['filelocks', 20_000, 1, /locks: 1, No locks available/],
  ['mmapall', 0, 1, /everything mapped: 1, Out of memory/],
  ['posixtimers', 0, 2.1, /^$/],
  ['rtsignals', 5000, 1, /queued: 1, Resource temporarily unavailable/],
  ['checkpoints', 0, 2, /store 0: No file descriptors available/],
  ['keeps', 0, 2, /ranges: Out of memory/],
  ['deepdirs', 0, 1, /getcwd: Filename too long/],
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

import { AttackRunner, unharmed, type Attack } from './attacks.js';

const attacks: readonly Attack[] = [
  ['busy', 0, 1], ['forkbomb', 0, 1], ['orphans', 0, 1], ['vforks', 0, 1], ['clones', 0, 1], ['execloop', 0, 1], ['bigexec', 0, 2],
  ['fds', 0, 2], ['fdforks', 0, 1], ['fdprocs', 0, 6], ['fullpipes', 0, 2], ['bytepipes', 0, 2], ['fullsockets', 0, 2], ['udpunread', 0, 2],
  ['control', 0, 2], ['epolls', 500, 2], ['polls', 0, 1], ['manyfiles', 0, 2], ['links', 0, 2],
  ['tinymaps', 0, 1], ['sharedmaps', 0, 1], ['mremaps', 0, 1], ['stack', 0, 1], ['stack', 1, 1], ['brks', 0, 1], ['sysv', 0, 1], ['shmkeep', 0, 1],
  ['codeloop', 0, 1], ['itimers', 0, 1], ['rearm', 100_000, 2], ['sigstorm', 0, 1], ['selfstop', 0, 1], ['faults', 0, 1], ['futexwaiters', 0, 1],
  ['flood', 300, 1], ['newlines', 0, 1], ['unknowns', 20_000, 2], ['procreads', 2, 1], ['checkforks', 300, 2], ['thawloop', 0, 1],
];

/** Attack, and what it must have been told. */
const told: readonly [...Attack, said: RegExp][] = [
  ['threadbomb', 0, 1, /threads: 1, Resource temporarily unavailable/],
  ['bytesockets', 10, 1, /filled/],
  ['filelocks', 20_000, 1, /locks: 1, No locks available/],
  ['posixtimers', 0, 2.1, /^$/],
  ['rtsignals', 5000, 1, /queued: 1, Resource temporarily unavailable/],
  ['keeps', 0, 2, /ranges: Out of memory/],
  ['rights', 0, 3, /chain of descriptors in flight: 1.*\n.*lost in flight: 1/],
  ['iovecs', 0, 5, /writev to 1: Out of memory[^]*huge transfers/],
  ['deepdirs', 0, 1, /getcwd: Filename too long/],
];

describe('a guest that takes all it can get harms neither the host nor the machine, the same way every time', () => {
  const runner = new AttackRunner();
  beforeAll(() => runner.prepare());
  afterAll(() => runner.remove());

  test.each(attacks)('%s %d', async (...attack) => {
    const first = await runner.run(attack);
    unharmed(first);
    const second = await runner.run(attack);
    expect({ digest: second.digest, entries: second.logLines }).toEqual({ digest: first.digest, entries: first.logLines });
  }, 300_000);

  test.each(told)('%s, and is told so', async (name, count, seconds, said) => {
    const outcome = await runner.run([name, count, seconds]);
    unharmed(outcome);
    expect(outcome.stdout).toMatch(said);
  }, 300_000);
});

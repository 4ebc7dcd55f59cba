import { attacks, Lab } from './lab.js';

const SEGFAULT = '/usr/bin/crash';

/** A router whose only daemon is a program that dies at once. */
function crashing(policy: string, seconds: number): string[] {
  const lab = new Lab(`daemon crash ${policy} -- ${SEGFAULT}\n`);
  lab.run(seconds);
  return lab.console;
}

describe('init', () => {
  test('brings interfaces up and logs what it starts', () => {
    const lab = new Lab('daemon dnsd none -- /usr/sbin/dnsd\n');
    expect(lab.console.slice(0, 2)).toEqual(['init: up', 'init: started dnsd pid 2']);
    expect(lab.ask('router.lan')?.rcode).toBe('NOERROR');
  });

  test('names a wrong line and goes on', () => {
    const lab = new Lab('frobnicate\ninterface lan0\nroute default nowhere\ndaemon x sometimes -- /bin/x\ndaemon dnsd none -- /usr/sbin/dnsd\n');
    expect(lab.console.slice(0, 4).map((line) => line.replace(/: [^:]*$/, ''))).toEqual([4, 5, 6, 7].map((n) => `init: /etc/init.conf:${n}`));
    expect(lab.console).toContain('init: started dnsd pid 2');
  });

  test('leaves a dead daemon dead under policy none', () => {
    const text = crashing('none', 3);
    expect(text.slice(1)).toEqual(['init: started crash pid 2', `init: ${SEGFAULT}: No such file or directory`, 'init: crash pid 2 exited status 127', 'init: crash stays dead']);
  });

  test('starts it again at once under respawn', () => {
    const lab = new Lab('daemon dnsd respawn -- /usr/sbin/dnsd\n');
    for (let i = 0; i < 8; i++) lab.exchange(attacks.cookie(), 53, 5353, 0.02);
    expect(lab.console.filter((line) => line.startsWith('init: started'))).toHaveLength(9);
    expect(lab.ask('router.lan')?.rcode).toBe('NOERROR');
  });

  test('waits and gives up as procd does', () => {
    const text = crashing('respawn 3600 2 3', 20);
    expect(text.filter((line) => line.startsWith('init: started'))).toHaveLength(4);
    expect(text.filter((line) => line.includes('restarts'))).toEqual([1, 2, 3].map((n) => `init: crash restarts in 2 s, crash ${n} of 3`));
    expect(text.at(-1)).toBe('init: crash stays dead');
  });

  test('limits what a daemon may use', () => {
    const lab = new Lab('limit dnsd as 65536\ndaemon dnsd none -- /usr/sbin/dnsd\n');
    expect(lab.ask('router.lan')).toBeNull();
    expect(lab.console.some((line) => line.startsWith('init: dnsd pid 2'))).toBe(true);
  });
});

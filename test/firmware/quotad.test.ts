import { Lab } from './lab.js';

const daemon = (flags = '', program = 'quotad'): string => `daemon quotad none -- /usr/sbin/${program} ${flags}\n`;
const ask = (lab: Lab, text: string): string | undefined => lab.exchange(Buffer.from(text), 7778, 5353, 0.2)?.toString('latin1');
const WILD = '9 move 100000000 0 1';
const totals = (lab: Lab, times: number): Set<string | undefined> => new Set(Array.from({ length: times }, (_, i) => ask(lab, `7 move ${i % 2} ${1 - (i % 2)} 1`)));

describe('quotad', () => {
  test('moves between accounts, and the total stays while another process moves too', () => {
    const lab = new Lab(daemon());
    expect(ask(lab, '1 move 0 5 300')).toBe('1 total 1000');
    expect(totals(lab, 30)).toEqual(new Set(['7 total 1000']));
    expect(ask(lab, 'nonsense')).toBeUndefined();
    const ledger = lab.read('/var/run/quota');
    expect(ledger.readInt32LE(5 * 4)).toBe(300);
  });

  test('dies of an account it does not have; the repaired build does not', () => {
    const lab = new Lab(daemon());
    ask(lab, WILD);
    expect(lab.deaths('quotad')).toEqual([11]);
    const repaired = new Lab(daemon('', 'quotad.patched'));
    expect(ask(repaired, WILD)).toBeUndefined();
    expect(totals(repaired, 4)).toEqual(new Set(['7 total 1000']));
  });

  test('started again, finds semaphore and accounts as they were', () => {
    const lab = new Lab(daemon().replace('none', 'respawn'));
    for (let i = 0; i < 3; i++) {
      ask(lab, WILD);
      expect(totals(lab, 10)).toEqual(new Set(['7 total 1000']));
    }
    expect(lab.deaths('quotad')).toHaveLength(3);
  });

  test('rolled back, gives up a semaphore it no longer holds, and loses moves; the log names the hazard', () => {
    const lab = new Lab(daemon('-m rollback -s share'));
    expect(totals(lab, 4)).toEqual(new Set(['7 total 1000']));
    ask(lab, WILD);
    expect(lab.deaths('quotad')).toEqual([]);
    const hazards = lab.router.log.since().filter((entry) => entry.what === 'checkpoint.hazard');
    expect(hazards.map((entry) => entry.hazard)).toEqual(['semaphore-released']);
    expect(totals(lab, 200).size).toBeGreaterThan(2);
  });
});

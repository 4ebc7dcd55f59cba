import { encodeQuery, DnsType } from '../codecs/dns.js';
import { Random } from '../../emulator/base/index.js';
import { loadScenario } from '../scenario.js';
import { attackMessages, firmwareImage, Simulation } from '../simulation.js';
import { dropped, firstRow } from './learning.js';
import { Oracle, OracleError } from './oracle.js';
import { scoreFilter } from './score.js';

const image = firmwareImage();
const entry = (t: number, text: string): { t: number; what: string; text: string } => ({ t, what: 'console.line', text });
const thaw = (t: number, bytes: number): { t: number; what: string; comm: string; input: { bytes: number; digest: string } } => ({ t, what: 'checkpoint.thaw', comm: 'dnsd', input: { bytes, digest: '' } });

function oracleOf(name: string): { oracle: Oracle; message: Uint8Array } {
  const scenario = loadScenario(name);
  const [message] = attackMessages(scenario.attack[0], scenario.folder, new Random(scenario.seed).fork(1).fork(300));
  return { oracle: new Oracle(scenario, scenario.attack[0], message, { image }), message };
}

describe('the oracle', () => {
  test('a crash, an answer and silence, in any order, none affecting the next', () => {
    const { oracle, message } = oracleOf('dns-negative-memcpy');
    const query = encodeQuery(7, 'router.lan', DnsType.A);
    const response = query.with(2, 0x81);
    for (let round = 0; round < 2; round++) {
      expect(oracle.label({ kind: '', bytes: message })).toEqual({ harm: 'crash', signal: 11, answered: false });
      expect(oracle.label({ kind: '', bytes: query })).toEqual({ harm: 'none', signal: 0, answered: true });
      expect(oracle.label({ kind: '', bytes: encodeQuery(8, 'far.example', DnsType.A) })).toMatchObject({ harm: 'none', answered: true });
      expect(oracle.label({ kind: '', bytes: response })).toEqual({ harm: 'none', signal: 0, answered: false });
    }
    expect(oracle.repeats).toBe(1);
  });

  test('a pointer to itself hangs, a pointer that ends does not', () => {
    const { oracle, message } = oracleOf('dns-pointer-loop');
    expect(oracle.label({ kind: '', bytes: message }).harm).toBe('hang');
    expect(oracle.label({ kind: '', bytes: message.with(13, 6) })).toMatchObject({ harm: 'none' });
  });

  test('an attack that works by and by is known by repetition; what leaks nothing may be repeated', () => {
    const { oracle, message } = oracleOf('dns-leak');
    expect(oracle.needed).toBeGreaterThan(50);
    expect(oracle.label({ kind: '', bytes: message })).toEqual({ harm: 'crash', signal: 6, answered: false });
    expect(oracle.label({ kind: '', bytes: encodeQuery(7, 'far.example', DnsType.A) })).toMatchObject({ harm: 'none' });
  });

  test('an attack that never does harm is refused', () => {
    const scenario = loadScenario('dns-negative-memcpy');
    const [daemon] = scenario.daemons;
    const patched = { ...scenario, daemons: [{ ...daemon, program: '/usr/sbin/dnsd.patched' }] };
    const [message] = attackMessages(scenario.attack[0], scenario.folder, new Random(1));
    expect(() => new Oracle(patched, scenario.attack[0], message, { image })).toThrow(OracleError);
  });

  test('labels the very message that the scenario sends', () => {
    const scenario = { ...loadScenario('dns-pointer-loop'), seed: 5 };
    const simulation = Simulation.create(scenario, 'none', { image });
    expect(attackMessages(scenario.attack[0], scenario.folder, new Random(5).fork(1).fork(300))).toEqual(simulation.attackers[0].plan.messages);
  });
});

describe('what becomes of attack messages', () => {
  const sent = (times: number[], length = 50): { sent: number; form: string; length: number }[] => times.map((t) => ({ sent: t, form: 'exact', length }));

  test('drops and rollbacks are put down to the message just sent, not to one that was answered long before', () => {
    const entries = [thaw(101, 50), entry(3001, 'dnsd: dropped exact 00 length 50'), entry(4001, 'dnsd: dropped box 0 length 51')];
    expect(dropped(sent([100, 2000, 3000, 4000]), entries, ['dnsd'], 100e3)).toEqual([false, false, true, false]);
  });

  test('who waited while the daemon hung is dropped late', () => {
    const entries = [thaw(400, 50), entry(401, 'dnsd: dropped exact 00 length 50')];
    expect(dropped(sent([100, 200]), entries, ['dnsd'], 1000)).toEqual([false, true]);
  });

  test('the first long row counts', () => {
    expect(firstRow([true, false, true, true, true], 2)).toBe(2);
    expect(firstRow([true, false], 2)).toBe(-1);
  });
});

describe('a score', () => {
  test('counts every form once, misses some and is the same again', () => {
    const scenario = { ...loadScenario('dhcp-stack-smash'), duration: 9e9 };
    const options = { image, mutants: 12, near: 12 };
    const order: string[] = [];
    const score = scoreFilter(scenario, { ...options, onProgress: (what) => order.at(-1) === what || order.push(what), onFixed: () => order.push('fixed') });
    expect(order).toEqual(['label mutants', 'label near misses', 'fixed', 'attack and learn', 'score mutants', 'score near misses']);
    expect(score.falseNegatives.of).toBeGreaterThanOrEqual(12);
    expect(score.falsePositives.of).toBeGreaterThanOrEqual(12);
    const own = score.kinds.find(({ kind }) => kind === 'form id');
    expect(own).toMatchObject({ harmless: 0, missed: 0 });
    expect(score.falseNegatives.count).toBeGreaterThan(0);
    expect(score.learning.immunity?.faults).toBe(score.learning.faults);
    expect(score.learning.blame).toEqual([expect.objectContaining({ signal: 11, misattributed: 0, unjudged: 0 })]);
    const { wallSeconds: _a, ...again } = scoreFilter(scenario, options);
    const { wallSeconds: _b, ...first } = score;
    expect(again).toEqual(first);
  });
});

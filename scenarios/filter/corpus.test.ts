import { Random } from '../../emulator/base/index.js';
import { attackMessages } from '../simulation.js';
import { decodeMessage } from '../codecs/dns.js';
import { loadScenario } from '../scenario.js';
import { collect, digest, Drawer, mutantMakers, nearMakers } from './corpus.js';
import { putTogether, takeApart } from './dns-message.js';
import type { Form } from './form.js';
import type { Label } from './label.js';

const harmless: Label = { harm: 'none', signal: 0, answered: true };

function drawers(name: string, seed: number): { mutants: Drawer; near: Drawer; message: Uint8Array } {
  const scenario = loadScenario(name);
  const [spec] = scenario.attack;
  const [message] = attackMessages(spec, scenario.folder, new Random(seed).fork(1).fork(300));
  const seen = new Set<string>();
  return { message, mutants: new Drawer(mutantMakers(message, spec), new Random(seed), seen), near: new Drawer(nearMakers(message, spec, scenario), new Random(seed + 1), seen) };
}

const draw = (drawer: Drawer, count: number): Form[] => Array.from({ length: count }, () => drawer.next()).filter((form) => form !== null);

describe('a corpus', () => {
  test.each(['dns-negative-memcpy', 'dns-pointer-loop', 'dns-leak', 'dhcp-stack-smash'])('%s: the same seed draws the same, no form twice, all kinds', (name) => {
    const [a, b] = [drawers(name, 3), drawers(name, 3)];
    const sets = [draw(a.mutants, 400), draw(a.near, 800)];
    expect([draw(b.mutants, 400), draw(b.near, 800)]).toEqual(sets);
    expect(draw(drawers(name, 4).mutants, 400)).not.toEqual(sets[0]);
    const keys = sets.flat().map(({ bytes, sourcePort }) => `${sourcePort} ${Buffer.from(bytes).toString('hex')}`);
    expect(new Set(keys).size).toBe(keys.length);
    expect(new Set(sets[0].map(({ kind }) => kind)).size).toBeGreaterThan(12);
    expect(new Set(sets[1].map(({ kind }) => kind)).size).toBeGreaterThan(12);
  });

  // A changed draw changes every figure ever reported for it: that must be meant.
  test('is known by its digest', () => {
    const { mutants, near } = drawers('dns-negative-memcpy', 1);
    const sets = [draw(mutants, 300), draw(near, 300)].map((set) => set.map((form) => ({ ...form, ...harmless })));
    expect(digest(sets)).toMatchInlineSnapshot(`"763bce7bee274a60811cd75f1ef8b5dd11a86cac5ec9da05a6479d5222b58b39"`);
    expect(digest([sets[0], sets[1].with(7, { ...sets[1][7], harm: 'crash' })])).not.toBe(digest(sets));
  });

  test('taken apart and put together an attack is what it was', () => {
    for (const name of ['dns-negative-memcpy', 'dns-pointer-loop', 'dns-leak']) {
      const { message } = drawers(name, 1);
      expect(Buffer.from(putTogether(takeApart(message) as NonNullable<ReturnType<typeof takeApart>>))).toEqual(Buffer.from(message));
    }
  });

  test('a near miss of the same length has that length and is a good query', () => {
    const { near, message } = drawers('dns-negative-memcpy', 1);
    const found = draw(near, 400).filter(({ kind }) => kind === 'same length');
    expect(found.length).toBeGreaterThan(10);
    for (const { bytes } of found) {
      expect(bytes).toHaveLength(message.length);
      expect(decodeMessage(bytes)?.questions).toHaveLength(1);
    }
  });

  test('is collected until enough of it counts; when the kinds run dry, what there is must do', () => {
    const makers = [(random: Random): Form => ({ kind: 'digit', bytes: Uint8Array.of(random.below(10)) })];
    const label = ({ bytes }: Form): Label => ({ ...harmless, harm: bytes[0] % 2 === 0 ? 'crash' : 'none' });
    const crash = ({ harm }: Label): boolean => harm === 'crash';
    const few = collect(new Drawer(makers, new Random(1), new Set()), 3, crash, label, () => {});
    expect(few.filter(crash)).toHaveLength(3);
    expect(crash(few.at(-1) as Label)).toBe(true);
    const all = collect(new Drawer(makers, new Random(1), new Set()), 100, crash, label, () => {});
    expect(all.filter(crash)).toHaveLength(5);
  });
});

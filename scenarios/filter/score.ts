import { Random } from '../../emulator/base/index.js';
import type { Scenario } from '../scenario.js';
import { attackMessages, type SimulationOptions } from '../simulation.js';
import { CLIENT_KIND, collect, digest, Drawer, mutantMakers, nearMakers } from './corpus.js';
import { wilson, type Share } from './interval.js';
import type { Labelled } from './label.js';
import { describeLearning, learn, type Learning } from './learning.js';
import { Oracle, WINDOW_NS } from './oracle.js';
import { Stand, type Presented } from './stand.js';

export interface FilterOptions extends SimulationOptions {
  /** Mutants that do harm, and near misses that do none, at least. */
  mutants: number;
  near: number;
  onProgress?: (what: string, share: number) => void;
  /** Told as soon as both sets stand, before the filter exists. */
  onFixed?: (digest: string, mutants: number, near: number) => void;
}

/** One kind of form: by the oracle's word, and what the daemon with its filter did. */
export interface KindScore {
  set: 'mutant' | 'near';
  kind: string;
  /** Forms that harm the unprotected daemon, and how many of them the filter let through. */
  harmful: number;
  missed: number;
  harmless: number;
  dropped: number;
  /** Of the harmless: those that the unprotected daemon answers, and how many of them were dropped. */
  useful: number;
  usefulDropped: number;
  /** Of the harmless that passed: answered; and those that faulted nevertheless, with a daemon that had learned. */
  answered: number;
  faulted: number;
}

export interface SeedScore {
  seed: number;
  digest: string;
  /** Messages of the exact attack until the unprotected daemon falls, and how often a form was sent to label it. */
  needed: number;
  repeats: number;
  /** Most processor time of a harmless message, and the time after which a hang was assumed, in virtual ms. */
  longestMs: number;
  windowMs: number;
  kinds: KindScore[];
  falseNegatives: Share;
  falsePositives: Share;
  /** The same among those that the unprotected daemon answers. */
  usefulDropped: Share;
  /** Requests of the scenario's own clients that were dropped, whatever the oracle says of them. */
  clientsDropped: Share;
  learning: Learning;
  wallSeconds: number;
}

/** Scores the recovery library's filter in one scenario under one seed. The order matters: corpus, labels, digest; only then a filter. */
export function scoreFilter(scenario: Scenario, options: FilterOptions): SeedScore {
  const begin = performance.now();
  const seed = options.seed ?? scenario.seed;
  const [spec] = scenario.attack;
  const [message] = attackMessages(spec, scenario.folder, new Random(seed).fork(1).fork(300));
  const tell = options.onProgress ?? (() => {});
  const oracle = new Oracle(scenario, spec, message, options);
  const random = new Random(seed).fork(9001);
  const seen = new Set<string>();
  const label = oracle.label.bind(oracle);
  const mutants = collect(new Drawer(mutantMakers(message, spec), random.fork(1), seen), options.mutants, ({ harm }) => harm !== 'none', label, (share) => tell('label mutants', share));
  const near = collect(new Drawer(nearMakers(message, spec, scenario), random.fork(2), seen), options.near, ({ harm }) => harm === 'none', label, (share) => tell('label near misses', share));
  const fixed = digest([mutants, near]);
  options.onFixed?.(fixed, mutants.length, near.length);
  const simulation = learn(scenario, options, (share) => tell('attack and learn', share));
  const learning = describeLearning(simulation, oracle);
  const stand = new Stand(simulation, spec);
  const kinds = [...scoreSet(stand, 'mutant', mutants, (share) => tell('score mutants', share)), ...scoreSet(stand, 'near', near, (share) => tell('score near misses', share))];
  const { hz } = simulation.router.kernel.clock;
  return {
    seed, digest: fixed, needed: oracle.needed, repeats: oracle.repeats, longestMs: (oracle.longest / hz) * 1000, windowMs: WINDOW_NS / 1e6,
    kinds, ...rates(kinds), learning, wallSeconds: (performance.now() - begin) / 1000,
  };
}

function scoreSet(stand: Stand, set: KindScore['set'], forms: readonly Labelled[], onProgress: (share: number) => void): KindScore[] {
  const kinds = new Map<string, KindScore>();
  forms.forEach((form, i) => {
    const kind = kinds.get(form.kind) ?? { set, kind: form.kind, harmful: 0, missed: 0, harmless: 0, dropped: 0, useful: 0, usefulDropped: 0, answered: 0, faulted: 0 };
    kinds.set(form.kind, kind);
    count(kind, form, stand.alive ? stand.present(form, WINDOW_NS) : { outcome: 'fault', signal: 0, cycles: 0 });
    onProgress((i + 1) / forms.length);
  });
  return [...kinds.values()];
}

function count(kind: KindScore, { harm, answered }: Labelled, { outcome }: Presented): void {
  if (harm !== 'none') {
    kind.harmful++;
    if (outcome !== 'dropped') kind.missed++;
    return;
  }
  kind.harmless++;
  if (answered) kind.useful++;
  if (answered && outcome === 'dropped') kind.usefulDropped++;
  if (outcome === 'dropped') kind.dropped++;
  if (outcome === 'answered') kind.answered++;
  if (outcome === 'fault' || outcome === 'hang') kind.faulted++;
}

/** Over any kinds, also of several seeds. */
export function rates(kinds: readonly KindScore[]): Pick<SeedScore, 'falseNegatives' | 'falsePositives' | 'usefulDropped' | 'clientsDropped'> {
  const sum = (of: (kind: KindScore) => number, list = kinds): number => list.reduce((total, kind) => total + of(kind), 0);
  const clients = kinds.filter(({ set, kind }) => set === 'near' && kind.startsWith(CLIENT_KIND));
  return {
    falseNegatives: wilson(sum((kind) => kind.missed), sum((kind) => kind.harmful)),
    falsePositives: wilson(sum((kind) => kind.dropped), sum((kind) => kind.harmless)),
    usefulDropped: wilson(sum((kind) => kind.usefulDropped), sum((kind) => kind.useful)),
    clientsDropped: wilson(sum((kind) => kind.dropped + kind.harmful - kind.missed, clients), sum((kind) => kind.harmless + kind.harmful, clients)),
  };
}

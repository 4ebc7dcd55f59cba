import { arms, type ArmName } from '../arms.js';
import { formatMetric } from '../judgement.js';
import type { MetricName } from '../metric-names.js';
import { conditions, type Condition } from './conditions.js';
import type { Run } from './run.js';
import { spread, summarize, type Summary } from './summary.js';

/** A run beside the experiment that shows that its result is not made by something else. */
export interface Control {
  condition: Condition;
  title: string;
  /** It came out as it must; it did not; or the scenario cannot have it. */
  verdict: 'held' | 'failed' | 'none';
  /** The figures it was judged by, or why there is none. */
  words: string;
}

/** Two arms count as equally faulty when their medians differ by no more than this share. */
const FAULTS_WITHIN = 0.1;

const of = (runs: readonly Run[], condition: Condition, arm?: ArmName): Run[] => runs.filter((run) => run.condition === condition && (arm === undefined || run.arm === arm));
export const figure = (runs: readonly Run[], name: MetricName): Summary => summarize(runs.map((run) => run.metrics[name]));
const armsOf = (runs: readonly Run[]): ArmName[] => [...new Set(runs.map(({ arm }) => arm))];
const total = (runs: readonly Run[], name: MetricName): number => runs.reduce((sum, run) => sum + run.metrics[name], 0);

/** The verdicts of the controls that were run, and of those that could not be (`obstacles`). */
export function judgeControls(runs: readonly Run[], obstacles: Partial<Record<Condition, string>>): Control[] {
  const judges = { 'no-attack': judgeNoAttack, patched: judgePatched, placebo: judgePlacebo } as const;
  return (Object.keys(judges) as (keyof typeof judges)[]).flatMap((condition): Control[] => {
    const { title } = conditions[condition];
    const why = obstacles[condition];
    if (why !== undefined) return [{ condition, title, verdict: 'none', words: why }];
    const made = of(runs, condition);
    if (made.length === 0) return [];
    const absent = made.filter((run) => !run.cameUp);
    if (absent.length > 0) return [{ condition, title, verdict: 'failed', words: `in ${absent.length} of ${made.length} runs the daemon did not come up: they show nothing` }];
    const [held, words] = judges[condition](made, runs, obstacles.patched !== undefined);
    return [{ condition, title, verdict: held === null ? 'none' : held ? 'held' : 'failed', words }];
  });
}

/** Lowest and highest median over the arms, and what difference between them means nothing. */
function acrossArms(runs: readonly Run[], name: MetricName, resolution: number): { words: string; equal: boolean } {
  const summaries = armsOf(runs).map((arm) => figure(of(runs, 'no-attack', arm), name)).filter(({ samples }) => samples > 0);
  if (summaries.length === 0) return { words: '', equal: true };
  const medians = summaries.map(({ median }) => median);
  const [low, high] = [Math.min(...medians), Math.max(...medians)];
  const noise = Math.max(resolution, ...summaries.map(spread));
  const range = low === high ? formatMetric(name, low) : `${formatMetric(name, low)} to ${formatMetric(name, high)} (noise ${formatMetric(name, noise)})`;
  return { words: range, equal: low === high || high - low <= noise * (1 + Number.EPSILON * 1e4) };
}

/** null: the runs show that the scenario cannot have this control. */
type Judgement = [held: boolean | null, words: string];

/**
 * Without an attack no arm may be better than another by more than seeds differ, or one request. Only a program that was never repaired
 * (`itsOwn`: the fault is what it is for) may fault all the same, and then in every arm alike.
 */
function judgeNoAttack(made: readonly Run[], _runs: readonly Run[], itsOwn: boolean): Judgement {
  const probes = figure(made, 'probes').median;
  const availability = acrossArms(made, 'availability', probes > 0 ? 1 / probes : 0);
  const lost = acrossArms(made, 'requestsLost', 1);
  const faults = total(made, 'faults');
  const times = armsOf(made).map((arm) => ({ arm, time: figure(of(made, 'no-attack', arm), 'latencyP50').median })).filter(({ time }) => !Number.isNaN(time)).sort((a, b) => a.time - b.time);
  const fast = times[0];
  const slow = times.at(-1);
  const words = [
    ...(availability.words === '' ? [] : [`availability ${availability.words} in ${armsOf(made).length} arms`]),
    `requests lost ${lost.words}`, `${faults} faults in ${made.length} runs${itsOwn && faults > 0 ? ", the program's own" : ''}`,
    ...(fast && slow ? [`answer time p50 ${formatMetric('latencyP50', fast.time)} (${arms[fast.arm].title}) to ${formatMetric('latencyP50', slow.time)} (${arms[slow.arm].title})`] : []),
  ];
  const alike = itsOwn ? acrossArms(made, 'faults', 1).equal : faults === 0;
  return [availability.equal && lost.equal && alike, words.join('; ')];
}

/** The repaired daemon survives the same attack: it is the flaw that the other arms answer to. */
function judgePatched(made: readonly Run[]): Judgement {
  const faults = total(made, 'faults');
  const crashes = total(made, 'crashes');
  const served = figure(made, 'availability');
  const words = `${crashes} crashes, ${faults} faults in ${made.length} runs (${armsOf(made).map((arm) => arms[arm].title).join(', ')})${served.samples > 0 ? `; availability ${formatMetric('availability', served.median)}` : ''}`;
  return [faults === 0 && crashes === 0, words];
}

/** With rules that match nothing the daemon must fault as often as with rollback alone, or die. */
function judgePlacebo(made: readonly Run[], runs: readonly Run[]): Judgement {
  if (total(of(runs, 'attack'), 'faults') === 0 && total(made, 'faults') === 0) return [null, 'the attack raises no fault in any arm, it exhausts a resource: a filter has nothing to learn'];
  const placebo = figure(made, 'faults');
  const plain = figure(of(runs, 'attack', 'rollback-shunt'), 'faults');
  const filter = figure(of(runs, 'attack', 'rollback-filter'), 'faults');
  const died = total(made, 'crashes');
  const noise = Math.max(1, FAULTS_WITHIN * plain.median, spread(placebo), spread(plain));
  const asOften = plain.median > 0 && placebo.median >= plain.median - noise;
  const words = `faults a run ${count(placebo)}; ${count(plain)} with rollback alone, ${count(filter)} with the filter${died > 0 ? `; died ${died} times in ${made.length} runs` : ''}; dropped ${count(figure(made, 'filtered'))}`;
  return [asOften || died > 0, plain.median === 0 ? `${words}: without a fault there is nothing to show` : words];
}

const count = ({ median }: Summary): string => formatMetric('faults', median);

export interface Reseeding {
  metric: MetricName;
  with: Summary;
  without: Summary;
}

const CONTRADICTIONS: readonly MetricName[] = ['repeatedIds', 'idsByChance', 'repeatedPairs', 'pairsByChance', 'answersContradicted', 'leasesTwice'];

/** State contradicted under rollback through the shunt, with and without the library's reseeding; null when it was not compared. */
export function compareReseeding(runs: readonly Run[]): { figures: Reseeding[]; cameUp: boolean } | null {
  const without = of(runs, 'no-reseed');
  if (without.length === 0) return null;
  const figures = CONTRADICTIONS.map((metric) => ({ metric, with: figure(of(runs, 'attack', 'rollback-shunt'), metric), without: figure(without, metric) }));
  return { figures: figures.filter((one) => one.with.samples > 0 || one.without.samples > 0), cameUp: without.every((run) => run.cameUp) };
}

import Table from 'cli-table3';
import { IMMUNE_AFTER } from './learning.js';
import { wilson, type Share } from './interval.js';
import { rates, type KindScore, type SeedScore } from './score.js';
import { summarize } from '../measure/statistics.js';

const percent = (value: number): string => `${(value * 100).toFixed(value > 0 && value < 0.1 ? 2 : 1)} %`;

/** "1.2 % [0.9 %, 1.6 %] (12 of 1000)". */
export function shareText({ count, of, share, low, high }: Share): string {
  return of === 0 ? 'none such' : `${percent(share)} [${percent(low)}, ${percent(high)}] (${count} of ${of})`;
}

/** The kinds of all seeds added up, in order of their first appearance. */
export function pool(seeds: readonly SeedScore[]): KindScore[] {
  const kinds = new Map<string, KindScore>();
  for (const one of seeds.flatMap(({ kinds: list }) => list)) {
    const key = `${one.set} ${one.kind}`;
    const sum = kinds.get(key) ?? { ...one, harmful: 0, missed: 0, harmless: 0, dropped: 0, useful: 0, usefulDropped: 0, answered: 0, faulted: 0 };
    for (const name of ['harmful', 'missed', 'harmless', 'dropped', 'useful', 'usefulDropped', 'answered', 'faulted'] as const) sum[name] += one[name];
    kinds.set(key, sum);
  }
  return [...kinds.values()];
}

const cell = (count: number, of: number): string => {
  if (of === 0) return '-';
  const { share, low, high } = wilson(count, of);
  return `${count} of ${of}  ${percent(share)} [${percent(low)}, ${percent(high)}]`;
};

export function kindTable(kinds: readonly KindScore[]): string {
  const table = new Table({
    head: ['made by', 'harmful, missed', 'harmless, dropped', 'useful, dropped'],
    colAligns: ['left', 'right', 'right', 'right'],
    style: { head: [], border: [] },
    chars: { mid: '', 'left-mid': '', 'mid-mid': '', 'right-mid': '' },
  });
  for (const set of ['mutant', 'near'] as const) {
    const list = kinds.filter((kind) => kind.set === set);
    for (const { kind, harmful, missed, harmless, dropped, useful, usefulDropped } of list) table.push([`${set}: ${kind}`, cell(missed, harmful), cell(dropped, harmless), cell(usefulDropped, useful)]);
    const sum = rates(list);
    table.push([`all ${set === 'near' ? 'near misses' : 'mutants'}`, cell(sum.falseNegatives.count, sum.falseNegatives.of), cell(sum.falsePositives.count, sum.falsePositives.of), cell(sum.usefulDropped.count, sum.usefulDropped.of)]);
  }
  return table.toString();
}

export function learningLines({ learning }: SeedScore): string[] {
  const { messages, faults, dropped, immunity, lastMiss, blame } = learning;
  const lines = [`  ${messages} attack messages: ${dropped} dropped, ${faults} faults`];
  if (immunity) lines.push(`  immune (${IMMUNE_AFTER} attack messages dropped in a row) after ${immunity.seconds.toFixed(2)} s, ${immunity.faults} faults and ${immunity.messages} messages`);
  else lines.push(`  never immune: no ${IMMUNE_AFTER} attack messages in a row were dropped`);
  lines.push(lastMiss.message === 0 ? '  no message was missed' : `  last message not dropped: number ${lastMiss.message}, after ${lastMiss.seconds.toFixed(2)} s`);
  for (const one of blame) {
    lines.push(`  thaws of state ${one.state} by signal ${one.signal}: ${one.rollbacks}, of them put down to a harmless input ${one.misattributed}${one.unjudged > 0 ? `, not to be judged ${one.unjudged}` : ''}`);
  }
  return lines;
}

const middle = (values: number[], digits: number): string => {
  const { median, q1, q3 } = summarize(values);
  return `${median.toFixed(digits)} [${q1.toFixed(digits)}–${q3.toFixed(digits)}]`;
};

/** Medians and quartiles over seeds; for one seed there is nothing to say. */
export function seedLines(seeds: readonly SeedScore[]): string[] {
  if (seeds.length < 2) return [];
  const immune = seeds.flatMap(({ learning }) => learning.immunity ?? []);
  return [
    `Over ${seeds.length} seeds, median [quartiles]`,
    `  missed ${middle(seeds.map((one) => one.falseNegatives.share * 100), 2)} %, dropped wrongly ${middle(seeds.map((one) => one.falsePositives.share * 100), 2)} %`,
    `  immune in ${immune.length} of ${seeds.length}${immune.length === 0 ? '' : `, after ${middle(immune.map((one) => one.seconds), 2)} s and ${middle(immune.map((one) => one.faults), 1)} faults`}`,
    '',
  ];
}

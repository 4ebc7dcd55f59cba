import { writeFileSync } from 'node:fs';
import { imageFiles } from '../experiment/conditions.js';
import { writeNumber } from '../experiment/numbers.js';
import { planSeeds, seedsFrom } from '../experiment/plan.js';
import { assertionLines, controlLines, reseedingLines, seedsTable } from '../experiment/seed-table.js';
import { resultDigest, summarizeSeeds, type SeedsResult } from '../experiment/seeds.js';
import { seedsJunitXml } from '../report/junit.js';
import type { Scenario } from '../scenario.js';
import { firmwareImage } from '../simulation.js';
import { expectationLines } from '../table.js';
import { EXIT, UsageError } from './errors.js';
import { DEFAULT_SEEDS, EXIT_INTERRUPTED, hostFigures, runExperiment, wantedArms, type ExperimentFlags, type Outcome } from './experiment.js';

export interface SeedsFlags extends ExperimentFlags {
  controls?: boolean;
  report?: string;
  junit?: string;
  pcap?: string;
  core?: string;
  states?: string;
}

/** `replay --seeds`: the scenario over seeds with its controls. */
export async function replaySeeds(scenario: Scenario, flags: SeedsFlags): Promise<void> {
  const single = (['pcap', 'core', 'states'] as const).find((name) => flags[name] !== undefined);
  if (single !== undefined) throw new UsageError(`--${single} shows one run; leave out --seeds and name the one seed with --seed`);
  const seeds = seedsFrom(flags.seed ?? scenario.seed, typeof flags.seeds === 'number' ? flags.seeds : DEFAULT_SEEDS);
  const { jobs, obstacles } = planSeeds(scenario, wantedArms(scenario, flags), seeds, imageFiles(firmwareImage()), flags.controls !== false);
  const outcome = await runExperiment(scenario, jobs, flags);
  const result = summarizeSeeds(scenario, outcome.runs, obstacles);
  if (flags.junit !== undefined && !outcome.interrupted) writeFileSync(flags.junit, seedsJunitXml(result, outcome.wallSeconds));
  if (flags.json) process.stdout.write(JSON.stringify({ ...result, digest: resultDigest(result), interrupted: outcome.interrupted, host: hostFigures(outcome) }, writeNumber, 2) + '\n');
  else process.stdout.write(describeSeeds(result, outcome));
  if (flags.report !== undefined && !outcome.interrupted) {
    const { seedsReport } = await import('../report/experiment.js');
    writeFileSync(flags.report, await seedsReport(scenario, result));
  }
  process.exitCode = outcome.interrupted ? EXIT_INTERRUPTED : result.passed ? EXIT.ok : EXIT.failed;
}

function describeSeeds(result: SeedsResult, outcome: Outcome): string {
  const { seeds } = result;
  const interrupted = outcome.interrupted ? [`INTERRUPTED: ${outcome.runs.length} of ${outcome.planned} runs`] : [];
  if (seeds.length === 0) return `${[...interrupted, `${result.scenario}: no run under attack is finished, there is nothing to show yet`].join('\n')}\n`;
  const lines = [
    ...(outcome.interrupted ? [...interrupted, ''] : []),
    `${result.scenario}: ${result.title}`,
    `profile ${result.profile}, ${seeds.length} seeds (${seeds[0]} to ${seeds.at(-1)}); medians, and the quartiles beneath them where seeds differ; modelled times are counts times the constants of the profile`,
    '',
    seedsTable(result, process.stdout.isTTY),
    '',
  ];
  if (result.controls.length > 0) lines.push('Controls', ...controlLines(result.controls), '');
  if (result.reseeding !== null) lines.push('State contradicted by rollback (shunt), with and without the reseeding of the recovery library', ...reseedingLines(result.reseeding), '');
  if (result.assertions.length > 0) lines.push('Assertions', ...assertionLines(result), '');
  if (result.expectations.length > 0) lines.push('Expected order of the arms (medians)', ...expectationLines(result), '');
  if (result.logFull.length > 0) lines.push('The event log was full, figures counted from it are too low:', ...result.logFull.map((line) => `  ${line}`), '');
  lines.push(`${outcome.runs.length} runs${outcome.reused > 0 ? `, ${outcome.reused} of them from the file` : ''}, ${outcome.workers} workers, ${outcome.wallSeconds.toFixed(1)} s; digest of the result ${resultDigest(result)}: the same for the same seeds, wherever it is made`);
  return lines.join('\n') + '\n';
}

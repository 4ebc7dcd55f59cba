import { arms, type ArmName } from '../arms.js';
import type { Control } from '../experiment/controls.js';
import type { SeedsResult } from '../experiment/seeds.js';
import { metricInfo } from '../metric-names.js';
import type { ArmResult, ReplayResult } from '../replay.js';
import { causeLines } from '../verdict/fault.js';
import { stands } from '../verdict/outcome.js';

interface Suite {
  name: string;
  seconds: number;
  cases: Case[];
}

interface Case {
  suite: string;
  name: string;
  seconds: number;
  failure: { type: string; message: string; text: string } | null;
  /** Why it could not be asked. */
  skipped?: string;
  /** Printed with the case; a finding that fails nothing. */
  output: string;
}

/** Characters XML 1.0 cannot hold in any form are shown as U+FFFD. */
function xml(text: string): string {
  // eslint-disable-next-line no-control-regex
  return text.replace(/[\u0000-\u0008\u000b\u000c\u000e-\u001f\ufffe\uffff]|[\ud800-\udbff](?![\udc00-\udfff])|(?<![\ud800-\udbff])[\udc00-\udfff]/g, '\ufffd')
    .replace(/[&<>"']/g, (letter) => `&#${letter.charCodeAt(0)};`).replace(/[\n\t]/g, (letter) => `&#${letter.charCodeAt(0)};`);
}

const elementText = (text: string): string => xml(text).replace(/&#10;/g, '\n');

/**
 * The outcome as Jenkins and GitLab read it: one suite an arm and one for what was expected. Assertions and the verdict on a capture fail;
 * what is merely expected never does, a disagreement is printed with its case.
 */
export function junitXml(result: ReplayResult, judgesVerdict: boolean): string {
  return suitesXml(result.scenario, result.wallSeconds, [
    ...result.arms.map((arm) => ({ name: `${result.scenario}.${arm.arm}`, seconds: arm.wallSeconds, cases: armCases(result, arm, judgesVerdict) })),
    { name: `${result.scenario}.expectations`, seconds: 0, cases: expectationCases(result) },
  ]);
}

/** The same of a scenario over seeds: an assertion must hold in each of them, and a control that fails is a failure. `seconds` is what it all took. */
export function seedsJunitXml(result: SeedsResult, seconds: number): string {
  return suitesXml(result.scenario, seconds, [
    ...result.arms.map(({ arm }) => ({ name: `${result.scenario}.${arm}`, seconds: 0, cases: seedCases(result, arm) })),
    { name: `${result.scenario}.controls`, seconds: 0, cases: result.controls.map((control) => controlCase(result.scenario, control)) },
    { name: `${result.scenario}.expectations`, seconds: 0, cases: expectationCases(result) },
  ]);
}

function suitesXml(scenario: string, seconds: number, all: readonly Suite[]): string {
  const suites = all.filter(({ cases }) => cases.length > 0);
  const cases = suites.flatMap((suite) => suite.cases);
  return `<?xml version="1.0" encoding="UTF-8"?>
<testsuites name="shuntbox ${xml(scenario)}" tests="${cases.length}" failures="${count(cases, 'failure')}" errors="0" time="${seconds.toFixed(3)}">
${suites.map(suiteXml).join('\n')}
</testsuites>
`;
}

const count = (cases: readonly Case[], outcome: 'failure' | 'skipped'): number => cases.filter((one) => one[outcome]).length;

const suiteXml = ({ name, seconds, cases }: Suite): string => `  <testsuite name="${xml(name)}" tests="${cases.length}" failures="${count(cases, 'failure')}" errors="0" skipped="${count(cases, 'skipped')}" time="${seconds.toFixed(3)}">
${cases.map(caseXml).join('\n')}
  </testsuite>`;

function caseXml({ suite, name, seconds, failure, skipped, output }: Case): string {
  const inner = [
    failure ? `      <failure type="${failure.type}" message="${xml(failure.message)}">${elementText(failure.text)}</failure>` : '',
    skipped === undefined ? '' : `      <skipped message="${xml(skipped)}"/>`,
    output === '' ? '' : `      <system-out>${elementText(output)}</system-out>`,
  ].filter(Boolean);
  const open = `    <testcase classname="${xml(suite)}" name="${xml(name)}" time="${seconds.toFixed(3)}"`;
  return inner.length === 0 ? `${open}/>` : `${open}>\n${inner.join('\n')}\n    </testcase>`;
}

function armCases(result: ReplayResult, arm: ArmResult, judgesVerdict: boolean): Case[] {
  const suite = `shuntbox.${result.scenario}.${arm.arm}`;
  const cause = arm.firstFault ? causeLines(arm.firstFault, arm.files.pcap ?? null).join('\n') : '';
  const words = `${arm.verdict.outcome}: ${arm.verdict.words}`;
  const failed = judgesVerdict && !stands(arm.verdict);
  const verdict: Case = {
    suite, name: `verdict: ${arms[arm.arm].title}`, seconds: arm.wallSeconds,
    failure: failed ? { type: arm.verdict.outcome, message: words, text: cause } : null,
    output: failed ? '' : [words, cause].filter(Boolean).join('\n'),
  };
  const assertions = result.assertions.filter((one) => one.arm === arm.arm).map(({ what, demand, value, held }): Case => ({
    suite, name: `${what} ${demand}`, seconds: 0,
    failure: held ? null : { type: 'assertion', message: `${what === 'console' ? 'console' : metricInfo[what].title}: expected ${demand}, is ${value}`, text: cause },
    output: '',
  }));
  return [verdict, ...assertions];
}

function seedCases({ scenario, assertions }: SeedsResult, arm: ArmName): Case[] {
  return assertions.filter((one) => one.arm === arm).map(({ what, demand, held, runs, worst }): Case => ({
    suite: `shuntbox.${scenario}.${arm}`, name: `${what} ${demand} in every seed`, seconds: 0,
    failure: held === runs ? null : { type: 'assertion', message: `${what === 'console' ? 'console' : metricInfo[what].title}: expected ${demand}, in ${held} of ${runs} seeds${worst === null ? '' : `, once ${worst}`}`, text: '' },
    output: '',
  }));
}

function controlCase(scenario: string, { title, verdict, words }: Control): Case {
  return {
    suite: `shuntbox.${scenario}.controls`, name: `control: ${title}`, seconds: 0,
    failure: verdict === 'failed' ? { type: 'control', message: `${title}: ${words}`, text: 'The results beside a control that fails cannot be believed.' } : null,
    ...(verdict === 'none' ? { skipped: words } : {}),
    output: verdict === 'held' ? words : '',
  };
}

function expectationCases(result: Pick<ReplayResult, 'scenario' | 'expectations'>): Case[] {
  return result.expectations.map(({ metric, agrees, disagreements, why }) => ({
    suite: `shuntbox.${result.scenario}.expectations`, name: `order of the arms by ${metric}`, seconds: 0, failure: null,
    output: agrees ? '' : ['not as expected (a finding, no failure)', ...disagreements, `expected because: ${why.trim()}`].join('\n'),
  }));
}

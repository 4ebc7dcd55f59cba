import { arms } from '../arms.js';
import { metricInfo } from '../metric-names.js';
import type { ArmResult, ReplayResult } from '../replay.js';
import { causeLines } from '../verdict/fault.js';
import { stands } from '../verdict/outcome.js';

interface Case {
  suite: string;
  name: string;
  seconds: number;
  failure: { type: string; message: string; text: string } | null;
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
  const suites = [
    ...result.arms.map((arm) => ({ name: `${result.scenario}.${arm.arm}`, seconds: arm.wallSeconds, cases: armCases(result, arm, judgesVerdict) })),
    { name: `${result.scenario}.expectations`, seconds: 0, cases: expectationCases(result) },
  ].filter(({ cases }) => cases.length > 0);
  const failures = suites.flatMap(({ cases }) => cases).filter(({ failure }) => failure).length;
  const tests = suites.reduce((sum, { cases }) => sum + cases.length, 0);
  const body = suites.map(({ name, seconds, cases }) => `  <testsuite name="${xml(name)}" tests="${cases.length}" failures="${cases.filter(({ failure }) => failure).length}" errors="0" skipped="0" time="${seconds.toFixed(3)}">
${cases.map(caseXml).join('\n')}
  </testsuite>`).join('\n');
  return `<?xml version="1.0" encoding="UTF-8"?>
<testsuites name="shuntbox ${xml(result.scenario)}" tests="${tests}" failures="${failures}" errors="0" time="${result.wallSeconds.toFixed(3)}">
${body}
</testsuites>
`;
}

function caseXml({ suite, name, seconds, failure, output }: Case): string {
  const inner = [
    failure ? `      <failure type="${failure.type}" message="${xml(failure.message)}">${elementText(failure.text)}</failure>` : '',
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

function expectationCases(result: ReplayResult): Case[] {
  return result.expectations.map(({ metric, agrees, disagreements, why }) => ({
    suite: `shuntbox.${result.scenario}.expectations`, name: `order of the arms by ${metric}`, seconds: 0, failure: null,
    output: agrees ? '' : ['not as expected (a finding, no failure)', ...disagreements, `expected because: ${why.trim()}`].join('\n'),
  }));
}

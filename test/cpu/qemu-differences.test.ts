import { readFileSync } from 'node:fs';
import { TrapKind } from '../../emulator/cpu/index.js';
import { BareProgram } from '../../scenarios/bench/bare-program.js';
import { buildProbe, stateOf } from './batch.js';

interface Answer {
  signal?: number | string;
  sigcode?: number;
  state?: Record<string, string>;
}
interface Difference {
  instruction: string;
  code: string[];
  qemu: Answer;
  ours: Answer;
  rule: string;
}
const differences = JSON.parse(readFileSync(`${__dirname}/qemu-differences.json`, 'utf8')) as Difference[];

test.each(differences.map((entry) => [entry.instruction, entry] as const))('where qemu-mipsel is wrong or free to choose: %s', (_name, { code, ours, qemu, rule }) => {
  expect(rule.length).toBeGreaterThan(20);
  const program = new BareProgram(buildProbe(code.map((word) => parseInt(word, 16))), ['probe'], 1 << 20);
  if (ours.signal === undefined) {
    program.run();
    const state = stateOf(Buffer.concat(program.output));
    const answer = Object.fromEntries(Object.keys(ours.state!).map((name) => [name, state.get(name)!.toString(16)]));
    expect(answer).toEqual(ours.state);
    expect(answer).not.toEqual(qemu.state);
    return;
  }
  expect(program.cpu.run(program.context, program.space, 1e6)).toBe(TrapKind.exception);
  expect(program.cpu.trap).toMatchObject({ signo: ours.signal, sigcode: ours.sigcode });
});

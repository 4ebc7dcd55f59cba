import type { Lab, LabOptions } from './lab.js';

/** One program asked one thing. `ask` gives what the table shows, or throws with what went wrong. */
export interface Case {
  program: string;
  /** Debian's package. */
  package: string;
  client: string;
  asked: string;
  options?: LabOptions;
  ask(lab: Lab): string;
}

export function expect(text: string, pattern: RegExp, what: string): string {
  const match = pattern.exec(text);
  if (!match) throw new Error(`${what}: ${pattern} does not match:\n${text.slice(0, 2000)}`);
  return match[1] ?? match[0];
}

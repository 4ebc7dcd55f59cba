import { existsSync, readdirSync, statSync } from 'node:fs';
import { basename, join } from 'node:path';
import { isNode, LineCounter, parseDocument } from 'yaml';
import type { z } from 'zod';
import type { InjectionPlan } from './capture-replay/injector.js';
import { InputError } from './input-error.js';
import { readInput } from './input-file.js';
import { scenarioSchema, type ScenarioFile } from './schema.js';

/** A scenario and the folder its captures live in. */
export interface Scenario extends ScenarioFile {
  folder: string;
  file: string;
  /** Programs of the user's own, by their path on the router. */
  programs?: Readonly<Record<string, HostProgram>>;
  /** The folder or archive with the programs of its `packages`. */
  rootfs?: string;
  /** Datagrams of a capture, sent instead of load and attacks. */
  injection?: InjectionPlan;
}

/** A program of this computer that is put on the router. */
export interface HostProgram {
  file: string;
  bytes: Uint8Array;
}

const MAX_FILE_BYTES = 1 << 20;
/** yaml's guard against documents whose aliases multiply ("billion laughs"). */
const MAX_ALIASES = 100;

/** A scenario that cannot be read: where, what, and what to do about it. */
export class ScenarioError extends Error {
  override readonly name = 'ScenarioError';
  readonly file: string;
  readonly line: number;
  readonly column: number;

  constructor(file: string, position: { line: number; column: number }, what: string) {
    super(`${file}:${position.line}:${position.column}: ${what}`);
    this.file = file;
    this.line = position.line;
    this.column = position.column;
  }
}

const START = { line: 1, column: 1 };
type Issue = z.core.$ZodIssue;
type YamlDocument = ReturnType<typeof parseDocument>;

/** Reads scenario text; `file` is only for messages. Throws ScenarioError for the first thing that is wrong. */
export function parseScenario(text: string, file: string): ScenarioFile {
  if (text.length > MAX_FILE_BYTES) throw new ScenarioError(file, START, `the file is larger than ${MAX_FILE_BYTES} bytes; captures belong beside it, not into it`);
  const lines = new LineCounter();
  const document = parseDocument(text, { lineCounter: lines, prettyErrors: false });
  if (document.errors.length > 0) {
    const [error] = document.errors;
    const what = /call stack/.test(error.message) ? 'nested too deeply' : error.message;
    throw new ScenarioError(file, place(lines, error.pos[0]), `not valid YAML: ${what}; check indentation and quotes here`);
  }
  const result = scenarioSchema.safeParse(plainValue(document, file));
  if (result.success) return result.data;
  const issue = deepest(result.error.issues);
  throw new ScenarioError(file, place(lines, offsetOf(document, issue)), describe(issue));
}

function plainValue(document: YamlDocument, file: string): unknown {
  try {
    return document.toJS({ maxAliasCount: MAX_ALIASES });
  } catch (error) {
    throw new ScenarioError(file, START, `${(error as Error).message}; write the repeated parts out`);
  }
}

function place(lines: LineCounter, offset: number): { line: number; column: number } {
  const { line, col } = lines.linePos(offset);
  return { line: Math.max(line, 1), column: Math.max(col, 1) };
}

/** Of the problems found, the first; of a union's branches, the problem of the branch that came closest. */
function deepest(issues: readonly Issue[]): Issue {
  // A misspelt key is also a missing one: the misspelling is the better message.
  const issue = issues.find(({ code }) => code === 'unrecognized_keys') ?? issues[0];
  if (issue.code !== 'invalid_union' || issue.errors.length === 0) return issue;
  const candidates = issue.errors.filter((branch) => branch.length > 0).map((branch) => deepest(branch));
  if (candidates.length === 0) return issue;
  const best = candidates.reduce((a, b) => (b.path.length > a.path.length ? b : a));
  return { ...best, path: [...issue.path, ...best.path] };
}

/** Where in the text the value at the issue's path stands; for something missing, its parent. */
function offsetOf(document: YamlDocument, issue: Issue): number {
  const path = [...issue.path] as (string | number)[];
  if (issue.code === 'unrecognized_keys') {
    const owner = path.length > 0 ? document.getIn(path, true) : document.contents;
    const pairs = (owner as { items?: { key?: { value?: unknown; range?: [number, number, number] } }[] } | null)?.items ?? [];
    const pair = pairs.find((item) => item.key?.value === issue.keys[0]);
    if (pair?.key?.range) return pair.key.range[0];
  }
  for (; path.length > 0; path.pop()) {
    const node: unknown = document.getIn(path, true);
    if (isNode(node) && node.range) return node.range[0];
  }
  return isNode(document.contents) && document.contents.range ? document.contents.range[0] : 0;
}

const pathText = (path: readonly PropertyKey[]): string =>
  path.map((part, i) => (typeof part === 'number' ? `[${part}]` : i === 0 ? String(part) : `.${String(part)}`)).join('');

function remedy(issue: Issue): string {
  switch (issue.code) {
    case 'unrecognized_keys':
      return `remove ${issue.keys.length > 1 ? 'them' : 'it'} or correct the spelling (docs/scenarios.md lists every key)`;
    case 'invalid_value':
      return `use one of: ${issue.values.map(String).join(', ')}`;
    case 'too_small':
      return `the least is ${issue.minimum}`;
    case 'too_big':
      return `the most is ${issue.maximum}`;
    default:
      return 'docs/scenarios.md describes every key';
  }
}

function describe(issue: Issue): string {
  const where = pathText(issue.path);
  const missing = issue.code === 'invalid_type' && issue.message.includes('received undefined');
  const what = missing ? `is missing (${issue.expected} expected)` : issue.message.replace(/^./, (letter) => letter.toLowerCase());
  return `${where === '' ? 'the scenario' : `\`${where}\``} ${what}; ${remedy(issue)}`;
}

/** The folder the program's own scenarios live in, from the source tree as well as from dist/. */
export function catalogFolder(): string {
  const here = import.meta.dirname ?? __dirname;
  const candidates = [join(here, 'catalog'), join(here, '..', 'scenarios', 'catalog')];
  return candidates.find((folder) => existsSync(folder)) ?? candidates[0];
}

export function catalogNames(): string[] {
  const folder = catalogFolder();
  return readdirSync(folder).filter((entry) => existsSync(join(folder, entry, 'scenario.yaml'))).sort();
}

/** Finds a scenario by its catalog name, its folder or its file, and reads it. */
export function loadScenario(nameOrPath: string): Scenario {
  const folder = findFolder(nameOrPath);
  const file = join(folder, 'scenario.yaml');
  const text = readInput(file, MAX_FILE_BYTES, 'captures belong beside it, not into it').toString('utf8');
  const scenario = parseScenario(text, file);
  checkCaptures(scenario, folder, text, file);
  return { ...scenario, folder, file };
}

function checkCaptures({ attack }: ScenarioFile, folder: string, text: string, file: string): void {
  attack.forEach(({ message }, i) => {
    if (!('capture' in message) || existsSync(join(folder, message.capture))) return;
    const lines = new LineCounter();
    const node: unknown = parseDocument(text, { lineCounter: lines }).getIn(['attack', i, 'message', 'capture'], true);
    throw new ScenarioError(file, place(lines, isNode(node) && node.range ? node.range[0] : 0), `\`attack[${i}].message.capture\` "${message.capture}" is not in the folder; put the capture there or correct the name`);
  });
}

function findFolder(nameOrPath: string): string {
  if (basename(nameOrPath) === nameOrPath && catalogNames().includes(nameOrPath)) return join(catalogFolder(), nameOrPath);
  if (existsSync(nameOrPath)) {
    const folder = statSync(nameOrPath).isDirectory() ? nameOrPath : join(nameOrPath, '..');
    if (existsSync(join(folder, 'scenario.yaml'))) return folder;
    throw new InputError(`${nameOrPath}: has no scenario.yaml; a scenario is a folder with that file`);
  }
  throw new InputError(`${nameOrPath}: no such scenario; the catalog has ${catalogNames().join(', ')}, or give a folder`);
}

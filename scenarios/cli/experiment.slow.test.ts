import { spawn } from 'node:child_process';
import { cpSync, existsSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { InstalledCommand, type Said } from '../../test/support/installed-command.js';

let command: InstalledCommand;
const inside = (name: string): string => join(command.folder, name);

/** A scenario that is over soon: the attack from the first half second on, for one second and a half. */
beforeAll(() => {
  command = new InstalledCommand();
  cpSync(join(__dirname, '..', 'catalog', 'dhcp-stack-smash'), inside('short'), { recursive: true });
  const file = inside('short/scenario.yaml');
  const text = readFileSync(file, 'utf8').replace(/^duration: .*/m, 'duration: 2s').replace('start: 3s', 'start: 500ms').replace(/^assertions:[\s\S]*/m, '');
  writeFileSync(file, text.replace(/^name: .*/m, 'name: short'));
});
afterAll(() => command.remove());

const shuntbox = (...args: string[]): Said => command.run(args);

const SEEDS = ['replay', './short', '--arm', 'none', 'rollback-shunt', '--no-controls', '--json', '--seeds', '2'];

/** Everything but what differs from host to host. */
function content(stdout: string): string {
  const { host, ...rest } = JSON.parse(stdout) as { host: unknown };
  expect(host).toBeDefined();
  return JSON.stringify(rest);
}

/** Interrupts it as soon as the file has a line. */
async function interruptAfterFirstRun(args: string[], file: string): Promise<{ status: number | null; stderr: string; stdout: string }> {
  const child = spawn(process.execPath, command.arguments(args), { cwd: command.folder, stdio: ['ignore', 'pipe', 'pipe'] });
  const said = { stdout: '', stderr: '' };
  child.stdout.on('data', (bytes: Buffer) => { said.stdout += bytes.toString(); });
  child.stderr.on('data', (bytes: Buffer) => { said.stderr += bytes.toString(); });
  const timer = setInterval(() => {
    if (!existsSync(file) || !readFileSync(file, 'utf8').includes('\n')) return;
    clearInterval(timer);
    child.kill('SIGINT');
  }, 20);
  const status = await new Promise<number | null>((resolve) => child.on('close', resolve));
  clearInterval(timer);
  return { status, ...said };
}

describe('an experiment over seeds', () => {
  test('gives the same bytes from one worker, and from two that go on after an interrupt; its file takes no other runs', async () => {
    const one = shuntbox(...SEEDS, '--workers', '1');
    expect(one.status).toBe(0);

    const file = inside('runs.jsonl');
    const cut = await interruptAfterFirstRun(['replay', './short', '--arm', 'none', 'rollback-shunt', '--no-controls', '--seeds', '40', '--workers', '2', '--out', file], file);
    expect(cut.status).toBe(130);
    expect(cut.stdout).toMatch(/^INTERRUPTED: \d+ of 80 runs/);
    expect(cut.stderr).toMatch(/interrupted: \d+ of 80 runs are finished and kept in .*runs\.jsonl\nto go on: .*replay \.\/short .*--seeds 40/);
    const again = shuntbox(...SEEDS, '--workers', '2', '--out', file);
    expect(again.stderr).toMatch(/of 4 runs are in the file already/);
    expect(content(again.stdout)).toBe(content(one.stdout));

    const other = shuntbox('replay', 'dhcp-stack-smash', '--seeds', '1', '--out', file);
    expect(other.stderr).toMatch(/runs\.jsonl:1: holds a run of the scenario short; .* name another file or remove this one/);
    expect(other.status).toBe(2);
  }, 120_000);
});

describe('a sweep', () => {
  test('shows availability against rate, where service ends, and draws it', () => {
    const svg = inside('sweep.svg');
    const report = inside('sweep.html');
    const { status, stdout, stderr } = shuntbox('sweep', './short', '--rates', '1,2000', '--seeds', '1', '--arm', 'none', '--svg', svg, '--report', report);
    expect([status, stderr.replace(/^\d+ of \d runs.*\n/gm, '')]).toEqual([0, '']);
    expect(stdout).toMatch(/1\/s .* 9 s\*/);
    expect(stdout).toMatch(/2000\/s .* 2 s\*/);
    expect(stdout).toMatch(/\* at 1\/s a run is longer, for 8 messages[\s\S]*\* at 2000\/s a run is shorter, for 2000 messages/);
    expect(stdout).toMatch(/none +answers less than 50 % in the last third at every rate, from 1\/s on/);
    expect(readFileSync(svg, 'utf8')).toMatch(/^<svg[^>]*xmlns=[\s\S]*<\/svg>$/);
    expect(readFileSync(report, 'utf8')).not.toMatch(/<script|<link|src=|href="http/);
  }, 120_000);

  test.each([
    [['sweep', 'paper-pipe'], /has no attack whose rate/],
    [['sweep', './short', '--rates', 'fast'], /rates are a range like 0\.1\.\.1000 or a list/],
    [['replay', './short', '--seeds', '2', '--core', './cores'], /--core shows one run; leave out --seeds/],
  ])('%j is wrong use: exit status 2 and a hint', (args, words) => {
    const { status, stderr } = shuntbox(...args);
    expect(stderr).toMatch(words);
    expect(status).toBe(2);
  }, 60_000);
});

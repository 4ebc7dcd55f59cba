import { execFileSync, spawnSync } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import fc from 'fast-check';
import { backtrace } from './backtrace.js';
import { placeText, Symboliser } from './symboliser.js';

const DEBUG = join(process.cwd(), 'router-firmware', 'debug');
const file = readFileSync(join(DEBUG, 'dnsd'));
const dnsd = new Symboliser(file);
const installed = (tool: string): boolean => spawnSync(tool, ['--version']).status === 0;
/** A test that needs a tool; without it the test is skipped and says why. */
const withTool = (tool: string, name: string, body: () => void): void => (installed(tool) ? test(name, body) : test.skip(`${name} (${tool} is not installed)`, body));

describe('names and lines of code', () => {
  withTool('readelf', 'every function readelf lists is found at its start and its last instruction', () => {
    const text = execFileSync('readelf', ['-sW', join(DEBUG, 'dnsd')], { encoding: 'utf8' });
    const functions = [...text.matchAll(/^\s*\d+: ([0-9a-f]{8})\s+(\d+) FUNC\s+\S+\s+\S+\s+\d+ (\S+)$/gm)]
      .map(([, at, size, name]) => ({ at: Number.parseInt(at, 16), size: Number(size), name }));
    expect(functions.length).toBeGreaterThan(100);
    const names = new Map<number, string[]>();
    for (const { at, name } of functions) names.set(at, [...(names.get(at) ?? []), name]);
    for (const { at, size } of functions) {
      expect(names.get(at)).toContain(dnsd.place(at).function);
      if (size >= 8) expect(dnsd.functionAt(at + size - 4)?.start).toBe(at);
    }
  });

  withTool('mipsel-linux-gnu-addr2line', 'lines agree with addr2line at every instruction of the program\'s own functions', () => {
    const own = ['query_parse', 'main', 'name_read', 'reply'].map((name) => addressOf(name)).filter((range) => range !== null);
    expect(own.length).toBeGreaterThan(2);
    const addresses = own.flatMap(({ start, end }) => Array.from({ length: (end - start) / 4 }, (_, i) => start + 4 * i));
    const told = execFileSync('mipsel-linux-gnu-addr2line', ['-e', join(DEBUG, 'dnsd'), ...addresses.map((at) => `0x${at.toString(16)}`)], { encoding: 'utf8' }).trim().split('\n');
    const ours = addresses.map((at) => dnsd.place(at).source).map((source) => (source ? `${source.file.split('/').at(-1)}:${source.line}` : '?'));
    // addr2line gives an absolute path and, for some, a discriminator; "?" is line 0, code that no line of the source stands for.
    const theirs = told.map((line) => line.replace(/ \(discriminator \d+\)/, '').split('/').at(-1) as string).map((line) => (line.includes('?') || line.endsWith(':0') ? '?' : line));
    expect(ours).toEqual(theirs);
  });

  test('a program without symbols has addresses only, and no place is invented past the end of a function', () => {
    const stripped = new Symboliser(readFileSync(join(process.cwd(), 'router-firmware', 'bin', 'dnsd')));
    expect(placeText(stripped.place(0x0040affc))).toBe('0x0040affc');
    expect(dnsd.place(0x11223344)).toEqual({ address: 0x11223344, function: null, offset: 0, source: null });
  });

  test('a damaged file gives fewer names and lines, never an exception', () => {
    fc.assert(fc.property(fc.nat({ max: file.length - 1 }), fc.uint8Array({ minLength: 1, maxLength: 64 }), fc.nat({ max: 99 }), (at, bytes, cut) => {
      const bad = Buffer.from(file);
      bad.set(bytes.subarray(0, file.length - at), at);
      const symbols = new Symboliser(bad.subarray(0, cut < 20 ? at : file.length));
      symbols.place(0x00402230);
      backtrace(symbols, { pc: 0x0040affc, sp: 0x7fff5a28, ra: 0x00402230, word: (address) => (address * 7) | 0 });
    }), { numRuns: 60 });
  });

  test('a header that lies about sections, files or lines is not followed out of the file', () => {
    fc.assert(fc.property(fc.uint8Array({ maxLength: 400 }), (tail) => {
      const head = Buffer.from(file.subarray(0, 52));
      head.writeUInt32LE(52, 32);
      new Symboliser(Buffer.concat([head, tail])).place(0x400000);
    }), { numRuns: 200 });
  });
});

function addressOf(name: string): { start: number; end: number } | null {
  const text = execFileSync('mipsel-linux-gnu-nm', ['-S', join(DEBUG, 'dnsd')], { encoding: 'utf8' });
  const match = new RegExp(`^([0-9a-f]+) ([0-9a-f]+) . ${name}(\\.constprop\\.\\d+)?$`, 'm').exec(text);
  return match ? { start: Number.parseInt(match[1], 16), end: Number.parseInt(match[1], 16) + Number.parseInt(match[2], 16) } : null;
}

/** Where the first call (jal, jalr) of a function returns to. */
function returnAddressIn(name: string): number {
  for (let at = 0x400000; at < 0x420000; at += 4) {
    const word = dnsd.word(at) ?? 0;
    const calls = word >>> 26 === 3 || (word & 0xfc1f_003f) >>> 0 === 9;
    if (calls && dnsd.place(at).function === name && dnsd.place(at + 8).function === name) return at + 8;
  }
  throw new Error(`${name} calls nothing`);
}

describe('a backtrace without frame pointers', () => {
  const start = dnsd.place.bind(dnsd);

  test('a function that was called into nowhere is named by the return address', () => {
    const inParse = returnAddressIn('query_parse');
    expect(start(inParse).function).toBe('query_parse');
    const { frames } = backtrace(dnsd, { pc: 0, sp: 0x7fff0000, ra: inParse, word: () => null });
    expect(frames.map(({ function: name }) => name)).toEqual([null, 'query_parse']);
  });

  test('an overwritten stack ends it with the reason, and nothing is made up', () => {
    const { frames, method, onStack } = backtrace(dnsd, { pc: 0x11223344, sp: 0x7fff0000, ra: 0x11223344, word: () => 0x11223344 });
    expect(frames).toHaveLength(1);
    expect(method).toMatch(/until no function covers 0x11223344/);
    expect(onStack).toEqual([]);
  });

  test('memory that reads as return addresses for ever does not make it endless', () => {
    const { frames } = backtrace(dnsd, { pc: 0x00402230, sp: 0x7fff0000, ra: 0x00402230, word: () => 0x00402230 });
    expect(frames.length).toBeLessThanOrEqual(32);
  });
});

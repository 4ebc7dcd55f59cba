import fc from 'fast-check';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { catalogNames, loadScenario, parseScenario, ScenarioError } from './scenario.js';

const good = `schema: 1
name: example
title: An example
summary: Nothing happens.
seed: 1
duration: 5s
topology:
  hosts:
    - { name: desk, on: lan0, address: 192.168.1.10 }
daemons:
  - { name: dnsd, program: /usr/sbin/dnsd }
attack:
  - message: { generator: dns-pointer-loop }
    protocol: dns
    host: desk
    start: 1s
    every: 1s
    count: 3
prober: { protocol: dns, host: desk, rate: 10/s }
arms: [none, rollback-shunt]
assertions:
  - { arm: none, metric: crashes, equals: 1 }
expectation:
  - { metric: availability, order: [[rollback-shunt], [none]], why: because }
`;

function problem(change: (text: string) => string): ScenarioError {
  try {
    parseScenario(change(good), 's.yaml');
  } catch (error) {
    expect(error).toBeInstanceOf(ScenarioError);
    return error as ScenarioError;
  }
  throw new Error('it was accepted');
}

const replaced = (from: string, to: string) => (text: string): string => {
  expect(text).toContain(from);
  return text.replace(from, to);
};

describe('reading a scenario', () => {
  test('defaults are filled in and quantities become integers', () => {
    const scenario = parseScenario(good, 's.yaml');
    expect(scenario).toMatchObject({ profile: 'mt7628', duration: 5e9, load: [], prober: { rate: 10000, timeout: 5e8 } });
    expect(scenario.topology.lan0).toEqual({ delay: 200000, loss: 0 });
    expect(scenario.attack[0].forms).toEqual(['exact']);
  });

  test.each([
    ['a misspelt key', replaced('duration: 5s', 'durtion: 5s'), 6, /durtion/],
    ['a misspelt key deep inside', replaced('    count: 3', '    cuont: 3'), 18, /cuont/],
    ['a quantity without unit', replaced('duration: 5s', 'duration: 5'), 6, /like 40s/],
    ['a wrong unit', replaced('every: 1s', 'every: 1 fortnight'), 17, /not a quantity/],
    ['an unknown arm', replaced('arms: [none, rollback-shunt]', 'arms: [none, prayer]'), 20, /use one of: none, respawn/],
    ['a host that does not exist', replaced('prober: { protocol: dns, host: desk', 'prober: { protocol: dns, host: dest'), 19, /no host is named "dest".*desk/],
    ['a missing host', replaced('prober: { protocol: dns, host: desk,', 'prober: { protocol: dns,'), 19, /needs `host`/],
    ['a prober that nothing answers', replaced('prober: { protocol: dns,', 'prober: { protocol: ip,'), 19, /is for attacks/],
    ['a bad address', replaced('192.168.1.10', '192.168.1.300'), 9, /IPv4/],
    ['a program that is no absolute path', replaced('program: /usr/sbin/dnsd', 'program: dnsd'), 11, /absolute path/],
    ['an assertion on an arm that is not run', replaced('- { arm: none, metric: crashes', '- { arm: procd, metric: crashes'), 22, /does not run the arm "procd"/],
    ['an assertion that demands nothing', replaced('crashes, equals: 1 }', 'crashes }'), 22, /atLeast, atMost or equals/],
    ['a corruption in a daemon that is not there', replaced('arms: [none', 'corruption: { daemon: dhcpd, function: f, range: { symbol: x, length: 4 } }\narms: [none'), 20, /no daemon is named "dhcpd".*dnsd/],
    ['another format version', replaced('schema: 1', 'schema: 2'), 1, /must be 1/],
    ['bad YAML', replaced('seed: 1', 'seed: [1'), 6, /YAML/],
    ['a capture outside the folder', replaced('{ generator: dns-pointer-loop }', '{ capture: ../../etc/passwd }'), 13, /file name in the scenario folder/],
    ['an attack after the end', replaced('start: 1s', 'start: 5s'), 16, /begins after the run's end: it lasts 5 s/],
    ['a run of no time', replaced('duration: 5s', 'duration: 0s'), 6, /leaves no time/],
    ['two hosts of one address', replaced('address: 192.168.1.10 }', 'address: 192.168.1.10 }\n    - { name: phone, on: lan0, address: 192.168.1.10 }'), 10, /another host has the address "192\.168\.1\.10"/],
    ['two hosts of one name', replaced('address: 192.168.1.10 }', 'address: 192.168.1.10 }\n    - { name: desk, on: lan0, address: 192.168.1.11 }'), 10, /another host has the name "desk"/],
    ['two daemons of one name', replaced('dnsd }', 'dnsd }\n  - { name: dnsd, program: /usr/sbin/dhcpd }'), 12, /another daemon has the name "dnsd"/],
    ["the router's own address", replaced('192.168.1.10', '192.168.1.1'), 9, /router's own address on lan0/],
    ['an address of another network', replaced('192.168.1.10', '10.0.0.1'), 9, /no host's address on lan0; take one of 192\.168\.1\.0\/24/],
    ['a broadcast address', replaced('192.168.1.10', '192.168.1.255'), 9, /no host's address on lan0/],
    ['a title that commands the terminal', replaced('title: An example', 'title: "\\x1b[31mAn example"'), 3, /no control characters/],
    ['a number out of range', replaced('count: 3', 'count: 0'), 18, /least is 1|>=1|too small/i],
  ])('%s is reported with file, line and remedy', (_what, change, line, words) => {
    const error = problem(change);
    expect(error.message).toMatch(words);
    expect(error.message).toMatch(/^s\.yaml:\d+:\d+: /);
    expect(Math.abs(error.line - line)).toBeLessThanOrEqual(1);
  });

  test('a missing key points at its parent and says what is expected', () => {
    expect(problem(replaced('seed: 1\n', '')).message).toMatch(/`seed` is missing/);
  });

  test('aliases that multiply do not eat the memory', () => {
    const bomb = `a: &a [x,x,x,x,x,x,x,x,x]\nb: &b [*a,*a,*a,*a,*a,*a,*a,*a,*a]\nc: &c [*b,*b,*b,*b,*b,*b,*b,*b,*b]\nd: [*c,*c,*c,*c,*c,*c,*c,*c,*c]\n`;
    expect(problem((text) => bomb + text).message).toMatch(/alias/i);
  });

  test('whatever text comes, it is a scenario or one ScenarioError', () => {
    const mangle = (text: string, at: number, bytes: string): string => text.slice(0, at) + bytes + text.slice(at + bytes.length);
    fc.assert(fc.property(fc.nat(good.length), fc.string({ maxLength: 6 }), (at, bytes) => {
      try {
        parseScenario(mangle(good, at, bytes), 's.yaml');
      } catch (error) {
        expect(error).toBeInstanceOf(ScenarioError);
      }
    }), { numRuns: 150 });
  });
});

test('a capture that is not in the folder is missed where it is named', () => {
  const folder = mkdtempSync(join(tmpdir(), 'shuntbox-scenario-'));
  try {
    writeFileSync(join(folder, 'scenario.yaml'), good.replace('generator: dns-pointer-loop', 'capture: gone.pcap'));
    expect(() => loadScenario(folder)).toThrow(/scenario\.yaml:13:25: .*"gone\.pcap" is not in the folder/);
  } finally {
    rmSync(folder, { recursive: true });
  }
});

describe('the catalog', () => {
  test.each(catalogNames())('%s is readable and named after its folder', (name) => {
    expect(loadScenario(name).name).toBe(name);
  });

  test('an unknown name lists what there is', () => {
    expect(() => loadScenario('no-such')).toThrow(/catalog has .*dns-negative-memcpy/);
  });
});

import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { generatorNames, formNames } from './attacks/index.js';
import { armNames } from './arms.js';
import { protocolNames } from './protocols/index.js';
import { parseScenario } from './scenario.js';

describe('docs/scenarios.md', () => {
  const text = readFileSync(join(__dirname, '..', 'docs', 'scenarios.md'), 'utf8');

  test('its example is a scenario', () => {
    const yaml = /```yaml\n([\s\S]*?)```/.exec(text)?.[1] ?? '';
    expect(parseScenario(yaml, 'docs/scenarios.md').name).toBe('my-attack');
  });

  test('names every arm, protocol, generator and form', () => {
    for (const name of [...armNames, ...protocolNames, ...generatorNames, ...formNames]) expect(text).toContain(name);
  });
});

import { chmodSync, mkdirSync, mkdtempSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { HostTree } from './host-tree.js';

describe('a folder of this computer as flash', () => {
  const root = mkdtempSync(join(tmpdir(), 'shuntbox-tree-'));
  afterAll(() => rmSync(root, { recursive: true, force: true }));
  mkdirSync(join(root, 'etc'));
  writeFileSync(join(root, 'etc/b'), 'contents');
  chmodSync(join(root, 'etc/b'), 0o750);
  symlinkSync('/etc/passwd', join(root, 'etc/a'));
  symlinkSync('/', join(root, 'out'));
  const tree = new HostTree(root);

  test('names come sorted, with type, mode, size and target', () => {
    expect(tree.list('/etc')).toEqual([
      { name: 'a', type: 'lnk', mode: 0o777, size: 0, target: '/etc/passwd' },
      { name: 'b', type: 'reg', mode: 0o750, size: 8, target: '' },
    ]);
    expect(Buffer.from(tree.read('/etc/b') ?? []).toString()).toBe('contents');
  });

  test('a link out of the folder is a link, not what it leads to', () => {
    expect(tree.list('').map(({ name, type, target }) => [name, type, target])).toEqual([['etc', 'dir', ''], ['out', 'lnk', '/']]);
  });

  test('what is gone is null or empty', () => {
    expect(tree.read('/etc/nosuch')).toBeNull();
    expect(tree.list('/nosuch')).toEqual([]);
  });
});

import { createHash } from 'node:crypto';
import { existsSync, readFileSync, readdirSync } from 'node:fs';
import { join } from 'node:path';

interface Manifest {
  sources: Record<string, string>;
  built: Record<string, string>;
}

const root = process.cwd();

function hashOf(path: string): string {
  return existsSync(path) ? createHash('sha256').update(readFileSync(path)).digest('hex') : 'missing';
}

/** Files that are not as they were when the manifest was written. */
function drifted(folder: string, kind: keyof Manifest): string[] {
  const manifest = JSON.parse(readFileSync(join(root, folder, 'manifest.json'), 'utf8')) as Manifest;
  return Object.entries(manifest[kind]).filter(([path, hash]) => hashOf(join(root, folder, path)) !== hash).map(([path]) => path);
}

/** C sources of a folder that the manifest does not know. */
function unlisted(folder: string): string[] {
  const manifest = JSON.parse(readFileSync(join(root, folder, 'manifest.json'), 'utf8')) as Manifest;
  const present = readdirSync(join(root, folder), { recursive: true, encoding: 'utf8' }).filter((path) => /\.[ch]$/.test(path) && !path.startsWith('bench'));
  return present.filter((path) => !(path in manifest.sources));
}

// `npm run firmware` rebuilds and rewrites the manifest.
describe.each(['router-firmware', 'test/guest', 'test/hostile'])('%s: built programs belong to their sources', (folder) => {
  test('no source has changed since the build', () => expect(drifted(folder, 'sources')).toEqual([]));
  test('no built file has changed since the build', () => expect(drifted(folder, 'built')).toEqual([]));
  test('no source was added since the build', () => expect(unlisted(folder)).toEqual([]));
});

// Holds the layers: who may import whom. Part of `npm run lint`.
// A folder may import itself, what is listed for it, and packages; test files may import anything.
import { readdirSync, readFileSync } from 'node:fs';
import { dirname, join, normalize, relative } from 'node:path';

const root = normalize(join(import.meta.dirname, '..'));

const machine = ['emulator/base', 'emulator/memory', 'emulator/cpu', 'emulator/vfs', 'emulator/net'];
const allowed = {
  'emulator/base': [],
  'emulator/memory': ['emulator/base'],
  'emulator/cpu': ['emulator/base', 'emulator/memory'],
  'emulator/vfs': ['emulator/base', 'emulator/memory'],
  'emulator/net': ['emulator/base'],
  ramdisk: ['emulator/base', 'emulator/memory', 'emulator/vfs'],
  'emulator/kernel': machine,
  'emulator/checkpoint': [...machine, 'emulator/kernel'],
  'emulator/router': [...machine, 'emulator/kernel', 'emulator/checkpoint', 'ramdisk'],
  emulator: [...machine, 'emulator/kernel', 'emulator/checkpoint', 'emulator/router', 'ramdisk'],
  scenarios: ['emulator', ...machine, 'emulator/kernel', 'emulator/checkpoint', 'emulator/router', 'ramdisk'],
};
const folders = Object.keys(allowed).sort((a, b) => b.length - a.length);
const folderOf = (path) => folders.find((folder) => path.startsWith(folder + '/'));

const isSource = (name) => name.endsWith('.ts') && !name.endsWith('.test.ts');
function* sources(folder) {
  for (const entry of readdirSync(join(root, folder), { withFileTypes: true })) {
    const path = `${folder}/${entry.name}`;
    if (entry.isDirectory()) yield* sources(path);
    else if (isSource(entry.name)) yield path;
  }
}

const importPattern = /(?:^|\n)\s*(?:(?:import|export)\b[^;'"]*?\bfrom\s*|import\s*)['"](\.[^'"]+)['"]|import\(\s*['"](\.[^'"]+)['"]\s*\)/g;
let broken = 0;
let files = 0;
for (const top of ['emulator', 'ramdisk', 'scenarios']) {
  for (const path of sources(top)) {
    files++;
    const from = folderOf(path);
    for (const match of readFileSync(join(root, path), 'utf8').matchAll(importPattern)) {
      const target = relative(root, join(root, dirname(path), match[1] ?? match[2]));
      const to = folderOf(target);
      if (to === undefined || (to !== from && !allowed[from].includes(to))) {
        broken++;
        console.error(`${path}: ${from} may not import ${target}`);
      }
    }
  }
}
console.log(`layers: ${files} files, ${broken} forbidden imports`);
process.exitCode = broken > 0 ? 1 : 0;

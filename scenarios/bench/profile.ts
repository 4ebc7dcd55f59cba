import { existsSync, readFileSync, writeFileSync } from 'node:fs';
import { Session, type Profiler } from 'node:inspector';
import { SourceMap } from 'node:module';
import { dirname, join, relative } from 'node:path';
import { fileURLToPath } from 'node:url';
import { makeFolder } from '../output-folder.js';
import type { Profile } from './workload.js';

export type CpuProfile = Profiler.Profile;

/** Microseconds between two looks. */
const INTERVAL = 500;
const FUNCTIONS = 10;

/** A path of the source begins with the first; the layer is called the second. The first that fits counts. */
const LAYERS: readonly (readonly [string, string])[] = [
  ['emulator/cpu/', 'interpreter'],
  ['emulator/memory/', 'memory'],
  ['emulator/net/', 'network'],
  ['emulator/kernel/', 'kernel'],
  ['emulator/vfs/', 'filesystem'],
  ['ramdisk/', 'filesystem'],
  ['emulator/checkpoint/', 'checkpoint'],
  ['emulator/base/', 'events and counters'],
  ['emulator/', 'router'],
  ['scenarios/', "the benchmark's own"],
  ['node:', 'Node'],
  ['node_modules/', 'packages'],
];

/** Run with V8's sampling profiler on. */
export async function record(work: () => Promise<void>): Promise<CpuProfile> {
  const session = new Session();
  session.connect();
  const post = (method: string, parameters = {}): Promise<object | undefined> => new Promise((resolve, reject) => {
    session.post(method, parameters, (error, result) => (error ? reject(error) : resolve(result)));
  });
  try {
    await post('Profiler.enable');
    await post('Profiler.setSamplingInterval', { interval: INTERVAL });
    await post('Profiler.start');
    await work();
    return ((await post('Profiler.stop')) as { profile: CpuProfile }).profile;
  } finally {
    session.disconnect();
  }
}

/** As Chrome's developer tools and others open it. */
export function keep(profile: CpuProfile, folder: string, name: string): void {
  makeFolder(folder);
  writeFileSync(join(folder, `${name}.cpuprofile`), JSON.stringify(profile));
}

/** Where a function stands in the source, by the maps of the bundle. */
class Places {
  private readonly maps = new Map<string, SourceMap | null>();
  private readonly root = fileURLToPath(new URL(import.meta.url.includes('/dist/') ? '..' : '../..', import.meta.url));

  of({ url, lineNumber, columnNumber }: Profiler.ProfileNode['callFrame']): { file: string; line: number } {
    const path = url.startsWith('file:') ? fileURLToPath(url) : url;
    const map = path.startsWith('/') ? this.mapOf(path) : null;
    const entry = map?.findEntry(lineNumber, columnNumber);
    if (entry && 'originalSource' in entry) return { file: relative(this.root, join(dirname(path), entry.originalSource)), line: entry.originalLine + 1 };
    return { file: path.startsWith('/') ? relative(this.root, path) : path, line: lineNumber + 1 };
  }

  private mapOf(path: string): SourceMap | null {
    const known = this.maps.get(path);
    if (known !== undefined) return known;
    const map = existsSync(`${path}.map`) ? new SourceMap(JSON.parse(readFileSync(`${path}.map`, 'utf8'))) : null;
    this.maps.set(path, map);
    return map;
  }
}

function layerOf(name: string, file: string): string {
  if (name === '(garbage collector)') return 'garbage collection';
  if (name === '(idle)') return 'idle';
  if (name === '(root)' || name === '(program)' || file === '') return 'Node';
  return LAYERS.find(([start]) => file.startsWith(start))?.[1] ?? 'other';
}

const sorted = <T extends { share: number }>(list: T[]): T[] => list.sort((a, b) => b.share - a.share);

/** V8's own function that answers the inspector: switching the profiler on and off is no part of what is measured. */
const ofProfiler = ({ functionName, url }: Profiler.ProfileNode['callFrame']): boolean => functionName === 'dispatch' && url === '';

/** Each sample's time counts for the function on top of the stack, and for its layer. */
export function summarise({ nodes: all, samples = [], timeDeltas = [] }: CpuProfile): Profile {
  const places = new Places();
  const nodes = all.filter(({ callFrame }) => !ofProfiler(callFrame));
  const times = new Map<number, number>();
  samples.forEach((id, i) => times.set(id, (times.get(id) ?? 0) + Math.max(0, timeDeltas[i] ?? 0)));
  const total = nodes.reduce((sum, { id }) => sum + (times.get(id) ?? 0), 0) || 1;
  const layers = new Map<string, number>();
  const functions = new Map<string, { name: string; place: string; share: number }>();
  for (const { id, callFrame } of nodes) {
    const share = (times.get(id) ?? 0) / total;
    if (share === 0) continue;
    const { file, line } = places.of(callFrame);
    const layer = layerOf(callFrame.functionName, file);
    layers.set(layer, (layers.get(layer) ?? 0) + share);
    const place = file === '' ? '' : `${file}:${line}`;
    const key = `${callFrame.functionName} ${place}`;
    functions.set(key, { name: callFrame.functionName || '(anonymous)', place, share: (functions.get(key)?.share ?? 0) + share });
  }
  return {
    shares: sorted([...layers].map(([layer, share]) => ({ layer, share }))),
    functions: sorted([...functions.values()]).slice(0, FUNCTIONS),
  };
}

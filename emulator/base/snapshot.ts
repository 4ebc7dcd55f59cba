import { crc32 } from './crc32.js';
import { invariant, Invariant } from './invariant.js';

/**
 * Saves and loads the machine's object graph.
 *
 * All state is held by classes registered here, by arrays, Maps, Sets, typed arrays and plain objects;
 * identity and cycles survive. Functions never belong to the state: meeting one throws an Invariant that
 * names the path. A class says what is not state:
 *
 *   static readonly transient = ['decoded'];   caches; left out, rebuilt by afterLoad()
 *   afterLoad(): void                          called once, after the whole graph stands
 *   saveState(): unknown                       replaces the own properties in the image
 *   loadState(state): void                     its counterpart, on a bare object of the class
 *
 * File: magic "SHUNTBOX", u32 version, u32 length of the JSON part, u32 CRC-32 of all but this
 * word, u32 zero; then the JSON, then the binary blobs, each 8-byte aligned. The JSON holds `nodes` (node 0 is the root) and `blobs` as [type, offset, length].
 * A node's value is a JSON primitive or a tagged array:
 *   ["#", n] reference to node n   ["n", text] number JSON cannot hold   ["u"] undefined   ["i", text] BigInt
 */
type Constructor = abstract new (...args: never[]) => object;
type State = Record<string, unknown>;

interface Hooks {
  afterLoad?(): void;
  saveState?(): unknown;
  loadState?(state: unknown): void;
}

interface Registered {
  name: string;
  type: Constructor;
  transient: ReadonlySet<string>;
}

export const SNAPSHOT_VERSION = 1;
const MAGIC = 'SHUNTBOX';
const HEADER_BYTES = 24;

const byName = new Map<string, Registered>();
const byType = new Map<unknown, Registered>();

/** Make a class part of what a snapshot may hold. The name is part of the file format. */
export function snapshotClass(name: string, type: Constructor): void {
  const known = byName.get(name);
  invariant(!known || known.type === type, `two snapshot classes are named ${name}`);
  const transient = (type as { transient?: readonly string[] }).transient ?? [];
  const entry = { name, type, transient: new Set(transient) };
  byName.set(name, entry);
  byType.set(type, entry);
}

/** What of a registered class's object is no state; null for objects of any other kind. */
export function transientOf(object: object): ReadonlySet<string> | null {
  const entry = byType.get((object as { constructor: unknown }).constructor);
  return entry && Object.getPrototypeOf(object) === entry.type.prototype ? entry.transient : null;
}

type TypedArray = Uint8Array | Int8Array | Uint16Array | Int16Array | Uint32Array | Int32Array | Float32Array | Float64Array;
const typedArrays = { Uint8Array, Int8Array, Uint16Array, Int16Array, Uint32Array, Int32Array, Float32Array, Float64Array };
type TypedName = keyof typeof typedArrays;

interface GraphNode {
  /** "a" array, "o" plain object, "m" Map, "s" Set, "b" blob, "c:Name" class, "x:Name" class with saveState. */
  k: string;
  v: unknown;
}

class Encoder {
  readonly nodes: GraphNode[] = [];
  readonly blobs: [TypedName, number, number][] = [];
  readonly chunks: Uint8Array[] = [];
  private blobBytes = 0;
  private readonly seen = new Map<object, number>();
  private readonly pending: [object, number, string][] = [];

  encodeRoot(root: object): void {
    this.reference(root, 'root');
    for (let next = this.pending.pop(); next; next = this.pending.pop()) {
      const [object, index, path] = next;
      this.nodes[index] = this.encodeObject(object, path);
    }
  }

  private value(value: unknown, path: string): unknown {
    if (value === null || typeof value === 'string' || typeof value === 'boolean') return value;
    if (typeof value === 'number') {
      return Number.isFinite(value) && !Object.is(value, -0) ? value : ['n', Object.is(value, -0) ? '-0' : String(value)];
    }
    if (value === undefined) return ['u'];
    if (typeof value === 'bigint') return ['i', value.toString()];
    if (typeof value === 'object') return ['#', this.reference(value, path)];
    throw new Invariant(`a ${typeof value} is no state: ${path}`);
  }

  private reference(object: object, path: string): number {
    const known = this.seen.get(object);
    if (known !== undefined) return known;
    const index = this.nodes.length;
    this.nodes.push({ k: '', v: null });
    this.seen.set(object, index);
    this.pending.push([object, index, path]);
    return index;
  }

  private encodeObject(object: object, path: string): GraphNode {
    if (ArrayBuffer.isView(object)) return this.encodeBlob(object as TypedArray);
    if (Array.isArray(object)) return { k: 'a', v: object.map((item, i) => this.value(item, `${path}[${i}]`)) };
    if (object instanceof Map) {
      return { k: 'm', v: [...object].map(([key, item]) => [this.value(key, `${path}.key`), this.value(item, `${path}{${String(key)}}`)]) };
    }
    if (object instanceof Set) return { k: 's', v: [...object].map((item) => this.value(item, `${path}.item`)) };
    const prototype: unknown = Object.getPrototypeOf(object);
    const entry = byType.get((object as { constructor: unknown }).constructor);
    if (entry && prototype === entry.type.prototype) return this.encodeInstance(object as State & Hooks, entry, path);
    const plain = prototype === null || Object.getPrototypeOf(prototype) === null;
    if (!plain) throw new Invariant(`${object.constructor.name} is not a snapshot class: ${path}`);
    return { k: 'o', v: this.properties(object as State, new Set(), path) };
  }

  private encodeInstance(object: State & Hooks, entry: Registered, path: string): GraphNode {
    if (object.saveState) return { k: `x:${entry.name}`, v: this.value(object.saveState(), `${path}.saveState()`) };
    return { k: `c:${entry.name}`, v: this.properties(object, entry.transient, path) };
  }

  private properties(object: State, skip: ReadonlySet<string>, path: string): [string, unknown][] {
    return Object.keys(object).filter((key) => !skip.has(key)).map((key) => [key, this.value(object[key], `${path}.${key}`)]);
  }

  private encodeBlob(view: TypedArray): GraphNode {
    const name = (Buffer.isBuffer(view) ? 'Uint8Array' : view.constructor.name) as TypedName;
    invariant(name in typedArrays, `typed array ${name}`);
    this.blobs.push([name, this.blobBytes, view.length]);
    this.chunks.push(new Uint8Array(view.buffer, view.byteOffset, view.byteLength));
    const padding = -view.byteLength & 7;
    if (padding) this.chunks.push(new Uint8Array(padding));
    this.blobBytes += view.byteLength + padding;
    return { k: 'b', v: this.blobs.length - 1 };
  }
}

class Decoder {
  private readonly nodes: GraphNode[];
  private readonly blobs: [TypedName, number, number][];
  private readonly bytes: Uint8Array;
  private readonly objects: object[] = [];

  constructor(json: { nodes: GraphNode[]; blobs: [TypedName, number, number][] }, bytes: Uint8Array) {
    this.nodes = json.nodes;
    this.blobs = json.blobs;
    this.bytes = bytes;
  }

  decodeRoot(): object {
    for (const node of this.nodes) this.objects.push(this.shell(node));
    this.nodes.forEach((node, i) => this.fill(this.objects[i] as State, node));
    // loadState may look at other objects' plain properties, hence after all are filled.
    this.nodes.forEach((node, i) => {
      if (node.k.startsWith('x:')) (this.objects[i] as Hooks).loadState?.(this.value(node.v));
    });
    this.nodes.forEach((node, i) => {
      if (/^[cx]:/.test(node.k)) (this.objects[i] as Hooks).afterLoad?.();
    });
    return this.objects[0];
  }

  private shell(node: GraphNode): object {
    switch (node.k) {
      case 'a': return [];
      case 'o': return {};
      case 'm': return new Map();
      case 's': return new Set();
      case 'b': return this.blob(node.v as number);
    }
    const entry = byName.get(node.k.slice(2));
    if (!entry) throw new SnapshotError(`the snapshot holds a ${node.k.slice(2)}, which this version does not know`);
    return Object.create(entry.type.prototype as object) as object;
  }

  private blob(index: number): TypedArray {
    const [name, offset, length] = this.blobs[index];
    const type = typedArrays[name];
    const start = this.bytes.byteOffset + offset;
    return new type(this.bytes.buffer.slice(start, start + length * type.BYTES_PER_ELEMENT) as ArrayBuffer);
  }

  private fill(object: State, node: GraphNode): void {
    switch (node.k[0]) {
      case 'a': for (const item of node.v as unknown[]) (object as unknown as unknown[]).push(this.value(item)); return;
      case 'm': for (const [key, item] of node.v as [unknown, unknown][]) (object as unknown as Map<unknown, unknown>).set(this.value(key), this.value(item)); return;
      case 's': for (const item of node.v as unknown[]) (object as unknown as Set<unknown>).add(this.value(item)); return;
      case 'o': case 'c': for (const [key, item] of node.v as [string, unknown][]) object[key === '__proto__' ? malformed(key) : key] = this.value(item); return;
    }
  }

  private value(value: unknown): unknown {
    if (value === null || typeof value !== 'object') return value;
    if (!Array.isArray(value)) throw new SnapshotError('a value that is neither primitive nor tagged');
    const [tag, content] = value as [string, unknown];
    switch (tag) {
      case '#': return this.objects[content as number] ?? malformed(`a reference to node ${String(content)}`);
      case 'n': return Number(content);
      case 'i': return BigInt(content as string);
      case 'u': return undefined;
    }
    throw new SnapshotError(`bad tag ${String(tag)}`);
  }
}

/** The file is not a snapshot this version can load; the message says why. */
export class SnapshotError extends Error {
  override readonly name = 'SnapshotError';
}

function malformed(what: string): never {
  throw new SnapshotError(`the snapshot does not hold together: ${what}`);
}

export function saveGraph(root: object): Uint8Array {
  const encoder = new Encoder();
  encoder.encodeRoot(root);
  const json = Buffer.from(JSON.stringify({ nodes: encoder.nodes, blobs: encoder.blobs }));
  const header = Buffer.alloc(HEADER_BYTES);
  header.write(MAGIC, 0, 'latin1');
  header.writeUInt32LE(SNAPSHOT_VERSION, 8);
  header.writeUInt32LE(json.length, 12);
  const image = Buffer.concat([header, json, Buffer.alloc(-json.length & 7), ...encoder.chunks]);
  image.writeUInt32LE(checksum(image), 16);
  return image;
}

function checksum(image: Uint8Array): number {
  return crc32(image.subarray(20), crc32(image.subarray(0, 16)));
}

/**
 * Throws SnapshotError when the bytes are no whole, undamaged snapshot of this version. A snapshot is trusted
 * like the program itself: the checksum guards against accidents, not against an author with intent.
 */
export function loadGraph(image: Uint8Array): object {
  const bytes = Buffer.from(image.buffer, image.byteOffset, image.byteLength);
  if (bytes.length < HEADER_BYTES || bytes.toString('latin1', 0, 8) !== MAGIC) throw new SnapshotError('not a Shuntbox snapshot');
  const version = bytes.readUInt32LE(8);
  if (version !== SNAPSHOT_VERSION) throw new SnapshotError(`snapshot version ${version}; this program reads version ${SNAPSHOT_VERSION}`);
  const length = bytes.readUInt32LE(12);
  const start = HEADER_BYTES + length + (-length & 7);
  if (start > bytes.length) throw new SnapshotError('the snapshot is cut off');
  if (checksum(bytes) !== bytes.readUInt32LE(16)) throw new SnapshotError('the snapshot is damaged (its checksum differs)');
  try {
    const json = JSON.parse(bytes.toString('utf8', HEADER_BYTES, HEADER_BYTES + length)) as { nodes: GraphNode[]; blobs: [TypedName, number, number][] };
    return new Decoder(json, bytes.subarray(start)).decodeRoot();
  } catch (error) {
    if (error instanceof SnapshotError) throw error;
    throw new SnapshotError(`the snapshot does not hold together: ${(error as Error).message}`, { cause: error });
  }
}

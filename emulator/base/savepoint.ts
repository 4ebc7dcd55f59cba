import { invariant, Invariant } from './invariant.js';
import { transientOf } from './snapshot.js';

/**
 * What a class may say beside the hooks of snapshot.ts, all optional:
 *
 *   static readonly appendOnly = ['entries'];   arrays that only grow and whose items never change: their length is enough
 *   rewind(state): void                         as loadState(), on the object that saved; else loadState() itself is called
 *   afterRewind(): void                         instead of afterLoad()
 */
interface Hooks {
  saveState?(): unknown;
  loadState?(state: unknown): void;
  rewind?(state: unknown): void;
  afterLoad?(): void;
  afterRewind?(): void;
}

type Bag = Record<string, unknown>;
type Step = () => void;
type Typed = Uint8Array;

/**
 * The state of an object graph, kept in memory, that can be put back into the very same objects any number of times: what a save and
 * a load do through bytes, a hundred times faster. What came into being since is forgotten; references from outside into the graph
 * stay good. The rules of snapshot.ts hold: only registered classes, arrays, Maps, Sets, typed arrays and plain objects.
 */
export class Savepoint {
  private readonly steps: Step[] = [];
  private readonly loads: Step[] = [];
  private readonly after: Step[] = [];
  private readonly seen = new Set<object>();
  private readonly pending: object[] = [];

  constructor(root: object) {
    this.reach(root);
    for (let next = this.pending.pop(); next; next = this.pending.pop()) this.keep(next);
    this.seen.clear();
  }

  restore(): void {
    for (const step of this.steps) step();
    for (const step of this.loads) step();
    for (const step of this.after) step();
  }

  private reach(value: unknown): void {
    if (typeof value === 'function') throw new Invariant('a function is no state');
    if (value === null || typeof value !== 'object' || this.seen.has(value)) return;
    this.seen.add(value);
    this.pending.push(value);
  }

  private keep(object: object): void {
    if (ArrayBuffer.isView(object)) return this.keepBytes(object as Typed);
    if (Array.isArray(object)) return this.keepArray(object);
    if (object instanceof Map) return this.keepMap(object);
    if (object instanceof Set) return this.keepSet(object);
    const transient = transientOf(object);
    if (transient) return this.keepInstance(object, transient);
    const prototype: unknown = Object.getPrototypeOf(object);
    invariant(prototype === null || Object.getPrototypeOf(prototype) === null, `${object.constructor.name} is not a snapshot class`);
    this.keepProperties(object as Bag, new Set(), []);
  }

  private keepBytes(view: Typed): void {
    const copy = view.slice();
    this.steps.push(() => view.set(copy));
  }

  private keepArray(array: unknown[]): void {
    const copy = array.slice();
    for (const item of copy) this.reach(item);
    if (Object.isFrozen(array)) return;
    this.steps.push(() => {
      array.length = copy.length;
      for (let i = 0; i < copy.length; i++) array[i] = copy[i];
    });
  }

  /** Insertion order is state too. */
  private keepMap(map: Map<unknown, unknown>): void {
    const copy = [...map];
    for (const [key, value] of copy) {
      this.reach(key);
      this.reach(value);
    }
    this.steps.push(() => {
      map.clear();
      for (const [key, value] of copy) map.set(key, value);
    });
  }

  private keepSet(set: Set<unknown>): void {
    const copy = [...set];
    for (const item of copy) this.reach(item);
    this.steps.push(() => {
      set.clear();
      for (const item of copy) set.add(item);
    });
  }

  private keepInstance(object: object, transient: ReadonlySet<string>): void {
    const hooks = object as Hooks;
    if (hooks.saveState) {
      const state = hooks.saveState();
      this.reach(state);
      this.loads.push(() => (hooks.rewind ? hooks.rewind(state) : hooks.loadState?.(state)));
    } else {
      this.keepProperties(object as Bag, transient, (object.constructor as { appendOnly?: readonly string[] }).appendOnly ?? []);
    }
    if (hooks.afterRewind) this.after.push(() => hooks.afterRewind?.());
    else if (hooks.afterLoad) this.after.push(() => hooks.afterLoad?.());
  }

  private keepProperties(object: Bag, transient: ReadonlySet<string>, appendOnly: readonly string[]): void {
    const keys = Object.keys(object).filter((key) => !transient.has(key));
    const values = keys.map((key) => object[key]);
    keys.forEach((key, i) => {
      if (appendOnly.includes(key)) this.keepLength(values[i] as unknown[]);
      else this.reach(values[i]);
    });
    if (Object.isFrozen(object)) return;
    const known = new Set(keys);
    const count = Object.keys(object).length;
    this.steps.push(() => {
      for (let i = 0; i < keys.length; i++) if (object[keys[i]] !== values[i]) object[keys[i]] = values[i];
      if (Object.keys(object).length === count) return;
      for (const key of Object.keys(object)) if (!known.has(key) && !transient.has(key)) delete object[key];
    });
  }

  private keepLength(array: unknown[]): void {
    const { length } = array;
    this.steps.push(() => { array.length = length; });
  }
}

import { Random } from '../../emulator/base/index.js';
import { protocol } from '../protocols/index.js';
import type { Scenario } from '../scenario.js';
import type { AttackSpec } from '../schema.js';
import { Simulation, type SimulationOptions } from '../simulation.js';
import type { Form } from './form.js';
import type { Label } from './label.js';
import { Stand } from './stand.js';

/**
 * Virtual time a message is given. An upstream answer takes some 6 ms, a message some tenths of a millisecond of the processor; who is still
 * at it after this is taken to hang.
 */
export const WINDOW_NS = 10e6;

/** So often the attack is sent at most to see whether it does harm by and by. */
const MOST_MESSAGES = 2000;
/** Room left, in messages, before the harm of an attack that works by and by; and how often a form is sent into that room. */
const ROOM = 8;
const REPEATS = 16;

/** The scenario's router with nobody on it but who asks. */
export const quiet = (scenario: Scenario): Scenario => ({ ...scenario, load: [], prober: undefined, attack: [] });

export class OracleError extends Error {
  override readonly name = 'OracleError';
}

/**
 * Says what a message does to the unprotected daemon by sending it to one. An attack whose single message does no harm is sent until it does;
 * forms are then sent `repeats` times to a daemon that stands `ROOM` attack messages before its end.
 */
export class Oracle {
  readonly stand: Stand;
  /** How often a form is sent: 1, unless the attack needs many messages. */
  readonly repeats: number;
  /** Messages of the exact attack until harm. */
  readonly needed: number;
  /** Most processor time a harmless message took, in cycles, and messages labelled. */
  longest = 0;
  asked = 0;

  constructor(scenario: Scenario, spec: AttackSpec, attack: Uint8Array, options: SimulationOptions) {
    this.stand = new Stand(Simulation.create(quiet(scenario), 'none', options), spec);
    this.stand.warmUp(politeRequest(spec, options.seed ?? scenario.seed));
    this.needed = this.messagesNeeded({ kind: 'exact', bytes: attack });
    this.repeats = this.needed === 1 ? 1 : REPEATS;
    if (this.needed === 1) return;
    for (let i = 0; i < this.needed - ROOM; i++) this.stand.send({ kind: 'exact', bytes: attack }, WINDOW_NS);
    this.stand.mark();
  }

  private messagesNeeded(exact: Form): number {
    this.stand.mark();
    if (!this.stand.alive) throw new OracleError('the unprotected daemon does not run');
    for (let n = 1; n <= MOST_MESSAGES; n++) {
      const { outcome } = this.stand.send(exact, WINDOW_NS);
      if (outcome !== 'fault' && outcome !== 'hang') continue;
      this.stand.back();
      return n;
    }
    throw new OracleError(`the attack message does not crash or hang the unprotected daemon, sent ${MOST_MESSAGES} times; there is nothing to label by`);
  }

  label(form: Form): Label {
    const { outcome, signal, cycles } = this.stand.present(form, WINDOW_NS, this.repeats);
    this.asked++;
    if (outcome === 'fault') return { harm: 'crash', signal, answered: false };
    if (outcome === 'hang') return { harm: 'hang', signal: 0, answered: false };
    this.longest = Math.max(this.longest, cycles / this.repeats);
    return { harm: 'none', signal: 0, answered: outcome === 'answered' };
  }
}

/** What a client of the attacked service would ask. */
export function politeRequest(spec: AttackSpec, seed: number): Uint8Array {
  return protocol(spec.protocol).request({ sequence: 0, names: [], mac: Uint8Array.of(0x02, 0, 0, 0, 0, 0x98), random: new Random(seed).fork(9000) }).bytes;
}

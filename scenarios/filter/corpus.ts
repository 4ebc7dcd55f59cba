import { createHash } from 'node:crypto';
import type { Random } from '../../emulator/base/index.js';
import { forms } from '../attacks/index.js';
import { protocol, type ProtocolName } from '../protocols/index.js';
import type { Scenario } from '../scenario.js';
import type { AttackSpec } from '../schema.js';
import { dhcpMutants, dhcpNear } from './dhcp-makers.js';
import { dnsMutants, dnsNear } from './dns-makers.js';
import { blindMakers, type Form, type Makers } from './form.js';
import type { Label, Labelled } from './label.js';

/** A draw that gives nothing new is tried again so often before its kind counts as used up. */
const TRIES = 40;
const STATIC_MAC = Uint8Array.of(0x02, 0, 0, 0, 0, 0x99);

type FormMaker = (random: Random) => Form | null;

const withKind = (makers: Makers): FormMaker[] => Object.entries(makers).map(([kind, make]) => (random) => {
  const bytes = make(random);
  return bytes && { kind, bytes };
});

/** The attack in the scenario's own forms and in all others known for its protocol. */
export function mutantMakers(message: Uint8Array, spec: AttackSpec): FormMaker[] {
  const own = spec.forms.filter((form) => form !== 'exact').map((form): FormMaker => (random) => ({ kind: `form ${form}`, ...forms[form](message.slice(), spec.protocol, random) }));
  return [...own, ...withKind(byProtocol(spec.protocol, message).mutants)];
}

/** Near misses, and what the scenario's own clients send. */
export function nearMakers(message: Uint8Array, spec: AttackSpec, scenario: Scenario): FormMaker[] {
  return [...clientMakers(scenario), ...withKind(byProtocol(spec.protocol, message).near)];
}

function byProtocol(name: ProtocolName, message: Uint8Array): { mutants: Makers; near: Makers } {
  switch (name) {
    case 'dns': case 'dns-subnet': return { mutants: dnsMutants(message), near: dnsNear(message) };
    case 'dhcp': case 'dhcp-lease': return { mutants: dhcpMutants(message), near: dhcpNear(message) };
    default: return { mutants: blindMakers(message), near: blindMakers(message) };
  }
}

/** Kinds that begin so are requests of the scenario's own, well-meaning clients. */
export const CLIENT_KIND = 'client ';

function clientMakers({ load, prober }: Scenario): FormMaker[] {
  const clients = [...load, ...(prober ? [{ ...prober, name: 'prober' }] : [])].filter((one) => protocol(one.protocol).sendsBy === 'udp');
  return clients.map((client): FormMaker => (random) => {
    const { bytes } = protocol(client.protocol).request({ sequence: random.below(1000), names: client.names ?? [], mac: STATIC_MAC, random });
    return { kind: `${CLIENT_KIND}${client.name}`, bytes };
  });
}

/** Draws forms, kind by kind in turn, none twice. `seen` may be shared between drawers. */
export class Drawer {
  private readonly makers: FormMaker[];
  private readonly random: Random;
  private readonly seen: Set<string>;
  private turn = 0;

  constructor(makers: FormMaker[], random: Random, seen: Set<string>) {
    this.makers = [...makers];
    this.random = random;
    this.seen = seen;
  }

  /** Null when no kind has anything new any more. */
  next(): Form | null {
    while (this.makers.length > 0) {
      this.turn %= this.makers.length;
      const form = this.fresh(this.makers[this.turn]);
      if (form) {
        this.turn++;
        return form;
      }
      this.makers.splice(this.turn, 1);
    }
    return null;
  }

  private fresh(make: FormMaker): Form | null {
    for (let i = 0; i < TRIES; i++) {
      const form = make(this.random);
      if (!form || form.bytes.length === 0) continue;
      const key = `${form.sourcePort ?? 0} ${Buffer.from(form.bytes).toString('latin1')}`;
      if (this.seen.has(key)) continue;
      this.seen.add(key);
      return form;
    }
    return null;
  }
}

/** So many draws a wanted form at most, before what was found must do. */
const DRAWS_EACH = 8;

/**
 * Draws and labels until `wanted` forms have a label that `counts`; the others stay in the set too. A set with fewer is what there is: the
 * kinds ran dry, or the label is too rare.
 */
export function collect(drawer: Drawer, wanted: number, counts: (label: Label) => boolean, label: (form: Form) => Label, onProgress: (share: number) => void): Labelled[] {
  const found: Labelled[] = [];
  let counted = 0;
  while (counted < wanted && found.length < wanted * DRAWS_EACH) {
    const form = drawer.next();
    if (!form) break;
    const one = { ...form, ...label(form) };
    found.push(one);
    if (counts(one)) counted++;
    onProgress(counted / wanted);
  }
  return found;
}

/** Identity of a labelled set: kind, label and bytes of every form in order. */
export function digest(sets: readonly (readonly Labelled[])[]): string {
  const hash = createHash('sha256');
  for (const set of sets) {
    for (const { kind, harm, sourcePort, bytes } of set) hash.update(`${kind}\n${harm}\n${sourcePort ?? ''}\n${bytes.length}\n`).update(bytes);
    hash.update('---\n');
  }
  return hash.digest('hex');
}

import { crc32, snapshotClass, type Clock, type EventLog, type EventQueue, type EventTarget, type Random } from '../../emulator/base/index.js';
import { forms, type FormName } from '../attacks/forms.js';
import type { AttackRecord } from '../metrics.js';
import type { ProtocolName } from '../protocols/index.js';
import type { AttackSource, Field } from '../verdict/culprit.js';
import type { Channel } from './channel.js';

export interface AttackPlan {
  protocol: ProtocolName;
  /** The messages as captured or generated, sent in turn. */
  messages: Uint8Array[];
  /** Forms they are given in turn. */
  forms: FormName[];
  start: number;
  period: number;
  /** Each message is up to this share of the period late. */
  jitter: number;
  count: number;
  /** The file the messages were read from, and their frames there; null and none for generated ones. */
  file: string | null;
  frames: readonly number[];
  field: Field | null;
}

/** Sends the attack again and again, each time in the next of its forms. Every message is an entry of the event log. */
export class Attacker implements EventTarget {
  readonly plan: AttackPlan;
  readonly record: AttackRecord[] = [];
  private readonly clock: Clock;
  private readonly events: EventQueue;
  private readonly log: EventLog;
  private readonly random: Random;
  private readonly channel: Channel;

  constructor(parts: { clock: Clock; events: EventQueue; log: EventLog; random: Random }, channel: Channel, plan: AttackPlan) {
    this.clock = parts.clock;
    this.events = parts.events;
    this.log = parts.log;
    this.random = parts.random;
    this.channel = channel;
    this.plan = plan;
    if (plan.count > 0) this.schedule(0);
  }

  get source(): AttackSource {
    const { file, frames, field } = this.plan;
    return { record: this.record, file, frames, field };
  }

  onEvent(): void {
    const { plan } = this;
    const index = this.record.length;
    const form = plan.forms[index % plan.forms.length];
    const message = Math.floor(index / plan.forms.length) % plan.messages.length;
    const { bytes, sourcePort } = forms[form](Uint8Array.from(plan.messages[message]), plan.protocol, this.random);
    this.record.push({ sent: this.clock.cycles, form, length: bytes.length, crc: crc32(bytes), message });
    this.log.add('attack.send', { number: index, form, length: bytes.length });
    this.channel.send(bytes, sourcePort);
    if (index + 1 < plan.count) this.schedule(index + 1);
  }

  private schedule(index: number): void {
    const { start, period, jitter } = this.plan;
    this.events.at(start + Math.round((index + jitter * this.random.fraction()) * period), this, 'attack');
  }
}
snapshotClass('Attacker', Attacker);

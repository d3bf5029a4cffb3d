/**
 * What one partition owes its clients.
 *
 * A record is known by its value, which no other record has. Once a record has been acknowledged at an offset, or read there, it stays there with the
 * same bytes; it never stands twice. Only a power cut may take records away: those at the end of a log that is not synced before it acknowledges.
 */
import type { KafkaRecord } from '../../src/wire/record.ts';
import { demand, Violation } from './violation.ts';

export type Fate = 'kill' | 'clean stop' | 'power cut';

export interface SentRecord {
  readonly value: string;
  readonly key: string | null;
  readonly timestamp: number;
  readonly headers: number;
  /** Of the producers whose order counts: who, and the how manieth. */
  readonly order?: { readonly producer: string; readonly number: number };
}

/** As it stands in the log; of a marker, where. */
export type SeenRecord = KafkaRecord | { readonly offset: number };

export class PartitionModel {
  readonly name: string;
  /** flush.messages=1: nothing is acknowledged or shown before it is synced. */
  readonly isSynced: boolean;
  /** How often power cuts may have taken something. */
  losses = 0;
  acknowledged = 0;
  private readonly sent = new Map<string, SentRecord>();
  private readonly offsets = new Map<string, number>();
  private readonly values = new Map<number, string>();
  /** Values that were refused: they must not be there. */
  private readonly refused = new Set<string>();

  constructor(name: string, isSynced: boolean) {
    this.name = name;
    this.isSynced = isSynced;
  }

  willSend(records: readonly SentRecord[]): void {
    for (const record of records) this.sent.set(record.value, record);
  }

  acknowledge(records: readonly SentRecord[], baseOffset: number): void {
    demand(baseOffset >= 0, () => `${this.name}: records acknowledged at offset ${baseOffset}`);
    for (const [index, record] of records.entries()) this.place(record.value, baseOffset + index, 'acknowledged');
    this.acknowledged += records.length;
  }

  refuse(records: readonly SentRecord[]): void {
    for (const { value } of records) this.refused.add(value);
  }

  /** A record as a reader got it. */
  see(record: KafkaRecord): void {
    const value = record.value?.toString('latin1') ?? '';
    const sent = this.sent.get(value);
    const where = `${this.name} at ${record.offset}`;
    if (sent === undefined) throw new Violation(`${where}: a record that nobody sent: ${value.slice(0, 40)}`);
    demand(!this.refused.has(value), () => `${where}: ${shown(value)} was refused`);
    demand((record.key?.toString('latin1') ?? null) === sent.key, () => `${where}: the key of ${shown(value)} has changed`);
    demand(record.timestamp === sent.timestamp, () => `${where}: the timestamp of ${shown(value)} has changed`);
    demand(record.headers.length === sent.headers, () => `${where}: the headers of ${shown(value)} have changed`);
    this.place(value, record.offset, 'read');
  }

  private place(value: string, offset: number, how: string): void {
    const there = this.values.get(offset);
    demand(
      there === undefined || there === value,
      () => `${this.name} at ${offset}: ${shown(value)} is ${how}, where ${shown(there ?? '')} was before`,
    );
    const other = this.offsets.get(value);
    demand(
      other === undefined || other === offset,
      () => `${this.name}: ${shown(value)} is ${how} at ${offset} and stands at ${other} as well`,
    );
    this.values.set(offset, value);
    this.offsets.set(value, offset);
  }

  /**
   * All of the log, in order: dense, but for what power cuts took from the ends of unsynced segments, and the records of each producer whose order counts
   * in their order.
   */
  seeAll(records: readonly SeenRecord[], logStartOffset: number, logEndOffset: number): void {
    let next = logStartOffset;
    const last = new Map<string, number>();
    for (const record of records) {
      if (record.offset < logStartOffset) continue;
      const mayFollow = record.offset === next || (this.losses > 0 && record.offset > next);
      demand(mayFollow, () => `${this.name}: offset ${record.offset} follows ${next - 1}`);
      for (; next < record.offset; next++) this.forget(next);
      next++;
      if (!('value' in record)) continue;
      this.see(record);
      const order = this.sent.get(record.value?.toString('latin1') ?? '')?.order;
      if (order === undefined) continue;
      const before = last.get(order.producer) ?? -1;
      demand(order.number > before, () => `${this.name}: number ${order.number} of ${order.producer} follows number ${before}`);
      last.set(order.producer, order.number);
    }
    demand(next === logEndOffset, () => `${this.name}: the log ends at ${logEndOffset}, and its records at ${next}`);
  }

  /** The broker is back; its log ends here. */
  restarted(fate: Fate, logEndOffset: number): void {
    const mayLose = fate === 'power cut' && !this.isSynced;
    if (mayLose) this.losses++;
    for (const [offset, value] of [...this.values]) {
      if (offset < logEndOffset) continue;
      demand(mayLose, () => `${this.name} at ${offset}: ${shown(value)} is lost by a ${fate}; the log ends at ${logEndOffset}`);
      this.forget(offset);
    }
  }

  private forget(offset: number): void {
    const value = this.values.get(offset);
    this.values.delete(offset);
    if (value !== undefined) this.offsets.delete(value);
  }
}

const shown = (value: string): string => value.slice(0, value.indexOf(' '));

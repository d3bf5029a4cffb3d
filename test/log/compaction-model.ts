/** What a log should tell a reader of committed records, whatever compaction has made of it, and how such a reader reads. */
import { checkInvariants } from '../../src/log/invariants.ts';
import type { Log } from '../../src/log/log.ts';
import { batchesOf } from '../../src/wire/record-batch.ts';
import { buildBatch } from '../../src/wire/record-batch-builder.ts';
import { recordsOf } from '../../src/wire/record.ts';
import type { VirtualClock } from '../../src/world/virtual-clock.ts';
import { append } from './cleaner-fixture.ts';
import { bytesOf, marker } from './log-fixture.ts';

interface Written {
  readonly offset: number;
  readonly key: string;
  readonly value: string | null;
  /** Undefined: not in a transaction. */
  readonly transaction: { state: 'open' | 'committed' | 'aborted' } | undefined;
}

/** The latest value of each key with the offset where it stands: `key` to `offset:value`. */
export type View = Map<string, string>;

const PRODUCERS = [7, 8, 9];
const KEYS = 12;
const CODECS = [0, 0, 1, 3] as const;

/** Appends at random, and knows what that means. */
export class RandomHistory {
  readonly written: Written[] = [];
  private readonly open = new Map<number, { state: 'open' | 'committed' | 'aborted' }>();
  private readonly sequences = new Map<number, number>();
  private readonly random: () => number;
  private readonly clock: VirtualClock;

  constructor(random: () => number, clock: VirtualClock) {
    this.random = random;
    this.clock = clock;
  }

  private below(bound: number): number {
    return Math.floor(this.random() * bound);
  }

  async step(log: Log): Promise<void> {
    const producerId = PRODUCERS[this.below(PRODUCERS.length)] as number;
    const choice = this.random();
    if (choice < 0.35) await this.put(log, undefined);
    else if (choice < 0.45) await this.put(log, 100 + this.below(2));
    else if (choice < 0.75) await this.put(log, producerId);
    else if (choice < 0.92) await this.end(log, producerId, this.random() < 0.5 ? 'commit' : 'abort');
    else log.roll();
  }

  /** Of one of the PRODUCERS: in a transaction. */
  private async put(log: Log, producerId: number | undefined): Promise<void> {
    const count = 1 + this.below(4);
    const records = Array.from({ length: count }, () => ({
      key: Buffer.from(`key-${this.below(KEYS)}`),
      value: this.random() < 0.25 ? null : Buffer.from(`${this.written.length}-${'v'.repeat(this.below(60))}`),
      timestamp: this.clock.now() + this.below(100),
    }));
    const transactional = producerId !== undefined && PRODUCERS.includes(producerId);
    const baseSequence = this.sequences.get(producerId ?? -1) ?? 0;
    const firstOffset = await append(
      log,
      buildBatch({
        baseOffset: 0,
        partitionLeaderEpoch: -1,
        records,
        codec: CODECS[this.below(CODECS.length)] ?? 0,
        ...(producerId !== undefined && { producerId, producerEpoch: 0, baseSequence, transactional }),
      }),
    );
    if (producerId !== undefined) this.sequences.set(producerId, baseSequence + count);
    let transaction = transactional ? this.open.get(producerId) : undefined;
    if (transactional && transaction === undefined) {
      transaction = { state: 'open' };
      this.open.set(producerId, transaction);
    }
    for (const [i, { key, value }] of records.entries()) {
      this.written.push({ offset: firstOffset + i, key: String(key), value: value && String(value), transaction });
    }
  }

  private async end(log: Log, producerId: number, kind: 'commit' | 'abort'): Promise<void> {
    const transaction = this.open.get(producerId);
    if (transaction === undefined) return;
    transaction.state = kind === 'commit' ? 'committed' : 'aborted';
    this.open.delete(producerId);
    await append(log, marker(producerId, 0, kind), 'coordinator');
  }

  /** Nothing stays open, so that everything but the active segment may be compacted. */
  async endAll(log: Log): Promise<void> {
    for (const producerId of [...this.open.keys()]) await this.end(log, producerId, this.random() < 0.5 ? 'commit' : 'abort');
  }

  /** What a reader of committed records has to see below `offset`. */
  viewBelow(offset: number): View {
    const view: View = new Map();
    for (const { offset: at, key, value, transaction } of this.written) {
      if (at >= offset || (transaction !== undefined && transaction.state !== 'committed')) continue;
      if (value === null) view.delete(key);
      else view.set(key, `${at}:${value}`);
    }
    return view;
  }
}

/** Reads committed records from the log's start, in small pieces, as a consumer does. Raises when an offset comes twice or goes back. */
export async function committedView(log: Log, pause: () => Promise<void> = () => Promise.resolve()): Promise<View> {
  const view: View = new Map();
  let last = -1;
  for (let offset = log.logStartOffset; ; ) {
    const read = await log.read(offset, { maxBytes: 400, minOneBatch: true, upTo: 'lastStable' });
    if (read.sizeInBytes === 0) return view;
    const waiting = [...(read.abortedTransactions ?? [])].toSorted((a, b) => a.firstOffset - b.firstOffset);
    const aborted = new Set<number>();
    for (const batch of batchesOf(bytesOf(read.records))) {
      for (; waiting[0] !== undefined && waiting[0].firstOffset <= batch.lastOffset; waiting.shift())
        aborted.add(waiting[0].producerId);
      const records = recordsOf(batch);
      if (batch.isControl) {
        if (records[0]?.key?.readInt16BE(2) === 0) aborted.delete(batch.producerId);
        continue;
      }
      if (batch.isTransactional && aborted.has(batch.producerId)) continue;
      for (const record of records) {
        if (record.offset < offset) continue;
        if (record.offset <= last) throw new Error(`offset ${record.offset} after ${last}`);
        last = record.offset;
        if (record.value === null) view.delete(String(record.key));
        else view.set(String(record.key), `${record.offset}:${String(record.value)}`);
      }
    }
    offset = read.nextOffset;
    await pause();
  }
}

/** Raises when the log is not what the history says. */
export async function checkAgainst(history: RandomHistory, log: Log): Promise<void> {
  checkInvariants(log);
  const expected = history.viewBelow(log.lastStableOffset);
  const seen = await committedView(log);
  const differing = [...new Set([...expected.keys(), ...seen.keys()])].filter((key) => expected.get(key) !== seen.get(key));
  const differences = differing.map((key) => `${key} is ${seen.get(key) ?? 'missing'}, not ${expected.get(key) ?? 'missing'}`);
  if (differences.length > 0) throw new Error(differences.join('; '));
}

/** What the batches of a log say of its transactions, read without the broker's own bookkeeping, so that one checks the other. */
import { readRecord } from '../../src/host/transaction-records.ts';
import type { Log } from '../../src/log/log.ts';
import type { Transaction } from '../../src/machine/transaction/transaction.ts';
import { controlRecordKind } from '../../src/wire/control-record.ts';
import { batchesOf, type RecordBatch } from '../../src/wire/record-batch.ts';
import { recordsOf } from '../../src/wire/record.ts';
import { demand } from './violation.ts';

export type Ending = 'Commit' | 'Abort';

/** One producer's records in one partition up to a marker. */
export interface Span {
  readonly producerId: number;
  readonly producerEpoch: number;
  readonly firstOffset: number;
  readonly records: { readonly offset: number; readonly value: string }[];
  /** Undefined while it is open. */
  end?: { readonly ending: Ending; readonly offset: number; readonly producerEpoch: number };
}

/** Of all that is in the files below an offset, in the order of their beginnings. */
export function spansOf(log: Log, below: number): Span[] {
  const spans: Span[] = [];
  const open = new Map<number, Span>();
  for (const batch of batchesIn(log)) {
    if (batch.baseOffset >= below || !batch.isTransactional) continue;
    const { producerId, producerEpoch, baseOffset } = batch;
    const span = open.get(producerId);
    const where = `${log.directory} at ${baseOffset}`;
    if (batch.isControl) {
      const ending = endingOf(batch);
      demand(producerEpoch >= (span?.producerEpoch ?? 0), () => `${where}: a marker of an older epoch than its transaction's`);
      if (span !== undefined) span.end = { ending, offset: baseOffset, producerEpoch };
      open.delete(producerId);
      continue;
    }
    demand(
      span === undefined || span.producerEpoch === producerEpoch,
      () => `${where}: epoch ${producerEpoch} writes into the transaction of epoch ${span?.producerEpoch}`,
    );
    const current = span ?? { producerId, producerEpoch, firstOffset: baseOffset, records: [] };
    if (span === undefined) spans.push(current);
    open.set(producerId, current);
    for (const { offset, value } of recordsOf(batch)) current.records.push({ offset, value: value?.toString('latin1') ?? '' });
  }
  return spans;
}

/** What the logs of a coordinator say below their high watermarks, oldest first. */
export function statesIn(logs: readonly Log[]): readonly { readonly id: string; readonly transaction: Transaction | null }[] {
  return logs.flatMap((log) =>
    [...batchesIn(log)]
      .filter(({ baseOffset }) => baseOffset < log.highWatermark)
      .flatMap((batch) => recordsOf(batch))
      .flatMap(({ key, value }) => {
        const record = readRecord(key ?? Buffer.alloc(0), value);
        return record === undefined ? [] : [{ id: record.transactionalId, transaction: record.transaction }];
      }),
  );
}

function* batchesIn(log: Log): Iterable<RecordBatch> {
  for (const segment of log.segmentList()) {
    const file = segment.handles.file(segment.path);
    const bytes = Buffer.alloc(file.size());
    file.read(bytes, 0);
    yield* batchesOf(bytes);
  }
}

/** Of a batch with a transaction's marker. */
export function endingOf(batch: RecordBatch): Ending {
  const kind = controlRecordKind(recordsOf(batch)[0]?.key ?? Buffer.alloc(0));
  if (kind !== 'Commit' && kind !== 'Abort') throw new Error(`no end of a transaction: ${kind}`);
  return kind;
}

/** First offset of the first transaction that is open. */
export function firstUnstable(spans: readonly Span[]): number {
  return Math.min(Infinity, ...spans.filter(({ end }) => end === undefined).map(({ firstOffset }) => firstOffset));
}

/** As the index of aborted transactions should have them, in the order of their ends: producer id, first and last offset, last stable offset. */
export function abortedIn(
  spans: readonly Span[],
): (readonly [producerId: number, first: number, last: number, lastStable: number])[] {
  const aborted: (readonly [number, number, number, number])[] = [];
  for (const { producerId, firstOffset, end } of spans) {
    if (end?.ending !== 'Abort') continue;
    const lastOffset = end.offset;
    const isOpenThen = (other: Span): boolean => other.firstOffset < lastOffset && (other.end?.offset ?? Infinity) > lastOffset;
    const lastStableOffset = Math.min(lastOffset + 1, ...spans.filter(isOpenThen).map((other) => other.firstOffset));
    aborted.push([producerId, firstOffset, lastOffset, lastStableOffset]);
  }
  return aborted.toSorted((a, b) => a[2] - b[2]);
}

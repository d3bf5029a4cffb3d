/** Reads logs as a consumer of committed records does: control batches are passed over, aborted transactions left out by the list that comes with the records. */
import { readControlRecord } from '../../src/wire/control-record.ts';
import { batchesOf, completeBytes } from '../../src/wire/record-batch.ts';
import { recordsOf } from '../../src/wire/record.ts';
import type { Connection } from './connection.ts';
import type { Entry } from './history.ts';
import { logOf, type Partition } from './transactional-producer.ts';

export interface Fetched {
  readonly entries: readonly Entry[];
  /** The whole values. */
  readonly texts: readonly string[];
  /** Where the next fetch begins. */
  readonly next: number;
  readonly lastStableOffset: number;
  readonly highWatermark: number;
}

/** The part of a value that is its name; the rest is weight. Something that nobody sent when it is not as the clients of the check send it. */
export function nameOf(value: Buffer | null): string {
  const text = value?.toString('latin1') ?? '';
  const name = /^([\w.-]+) \.*$/.exec(text)?.[1];
  return name ?? `something else: ${text.slice(0, 60)}`;
}

/** Committed records from `from` on, as many as fit. */
export async function fetchCommitted(
  connection: Connection,
  { topic, index }: Partition,
  from: number,
  options: { readonly maxBytes: number; readonly untilMs: number; readonly maxWaitMs?: number },
): Promise<Fetched> {
  const partitions = [{ partition: index, fetchOffset: BigInt(from), partitionMaxBytes: options.maxBytes }];
  const request = {
    replicaId: -1,
    maxWaitMs: options.maxWaitMs ?? 20,
    minBytes: 1,
    maxBytes: options.maxBytes,
    isolationLevel: 1,
    topics: [{ topic, partitions }],
    forgottenTopicsData: [],
  };
  const response = await connection.settle(
    'fetch',
    request,
    12,
    ({ errorCode, responses }) => errorCode || (responses[0]?.partitions[0]?.errorCode ?? -1),
    options.untilMs,
  );
  const data = response.responses[0]?.partitions[0];
  if (data === undefined) throw new Error(`no answer for ${logOf({ topic, index })}`);
  const aborted = (data.abortedTransactions ?? []).map((one) => ({
    producerId: Number(one.producerId),
    firstOffset: Number(one.firstOffset),
  }));
  return {
    ...committedIn(data.records ?? Buffer.alloc(0), aborted, from),
    lastStableOffset: Number(data.lastStableOffset),
    highWatermark: Number(data.highWatermark),
  };
}

interface Aborted {
  readonly producerId: number;
  readonly firstOffset: number;
}

function committedIn(records: Buffer, aborted: readonly Aborted[], from: number): Pick<Fetched, 'entries' | 'texts' | 'next'> {
  const waiting = [...aborted].sort((a, b) => a.firstOffset - b.firstOffset);
  const open = new Set<number>();
  const entries: Entry[] = [];
  const texts: string[] = [];
  let next = from;
  for (const batch of batchesOf(records.subarray(0, completeBytes(records)))) {
    while (waiting[0] !== undefined && waiting[0].firstOffset <= batch.lastOffset) open.add(waiting.shift()?.producerId ?? -1);
    next = Math.max(next, batch.lastOffset + 1);
    if (!batch.isValid) throw new Error(`the batch at ${batch.baseOffset} has a wrong checksum`);
    if (batch.isControl) {
      const [record] = recordsOf(batch);
      if (record?.key && record.value && readControlRecord(record.key, record.value)?.kind === 'Abort')
        open.delete(batch.producerId);
    } else if (!(batch.isTransactional && open.has(batch.producerId))) {
      for (const { offset, value } of recordsOf(batch)) {
        if (offset < from) continue;
        entries.push({ offset, value: nameOf(value) });
        texts.push(value?.toString() ?? 'null');
      }
    }
  }
  return { entries, texts, next };
}

/** The committed offset of a group, -1 where there is none; waits for transactions that are about to move it. */
export async function committedOffset(
  connection: Connection,
  groupId: string,
  { topic, index }: Partition,
  untilMs: number,
): Promise<number> {
  const response = await connection.settle(
    'offsetFetch',
    { groups: [{ groupId, topics: [{ name: topic, partitionIndexes: [index] }] }], requireStable: true },
    8,
    ({ groups }) => groups[0]?.errorCode || (groups[0]?.topics[0]?.partitions[0]?.errorCode ?? -1),
    untilMs,
  );
  return Number(response.groups[0]?.topics[0]?.partitions[0]?.committedOffset);
}

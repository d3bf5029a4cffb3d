/** What is in the files of a partition, a line for each fact, so that two of them can be compared. */
import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { readInt64 } from '../../../src/wire/int64.ts';
import { exactBaseTimestampOf, exactMaxTimestampOf, exactTimestampsAt } from '../../../src/wire/exact-timestamps.ts';
import { batchesOf, type RecordBatch } from '../../../src/wire/record-batch.ts';
import { DEFAULT_MAX_UNPACKED_BYTES, recordBytesOf, recordsOf } from '../../../src/wire/record.ts';
import { RecordCursor } from '../../../src/wire/record-cursor.ts';
import { parseTransactionIndex } from '../../../src/log/transaction-index.ts';

function factsOfBatch(batch: RecordBatch, where: string): string[] {
  const { magic, baseOffset, lastOffset, count, attributes, partitionLeaderEpoch } = batch;
  const { producerId, producerEpoch, baseSequence } = batch;
  const hasHorizon = batch.deleteHorizonMs !== undefined;
  const header = {
    magic,
    lastOffset,
    count,
    attributes,
    partitionLeaderEpoch,
    maxTimestamp: String(exactMaxTimestampOf(batch)),
    producerId,
    producerEpoch,
    baseSequence,
    valid: batch.isValid,
    // Relative to a horizon, which is another for each of them; packed by another compressor.
    ...(hasHorizon ? {} : { baseTimestamp: String(exactBaseTimestampOf(batch)) }),
    ...(hasHorizon || batch.codec !== 0 ? {} : { size: batch.sizeInBytes, crc: batch.crc }),
  };
  const timestamps = timestampsOf(batch);
  const records = recordsOf(batch).map(
    ({ offset, key, value, headers }, index) =>
      `${where} record ${offset}: ${JSON.stringify({ timestamp: String(timestamps[index]), key: key?.toString('hex'), value: value?.toString('hex'), headers })}`,
  );
  return [`${where} batch ${baseOffset}: ${JSON.stringify(header)}`, ...records];
}

/** To the millisecond beyond 2^53 too, where what a number rounds to depends on the batch's base, which is a horizon in some. */
function timestampsOf(batch: RecordBatch): readonly (number | bigint)[] {
  if (batch.magic < 2) return recordsOf(batch).map(({ timestamp }) => timestamp);
  const section = recordBytesOf(batch, DEFAULT_MAX_UNPACKED_BYTES);
  const cursor = new RecordCursor();
  cursor.open(section, 0);
  const positions = Array.from({ length: batch.count }, () => {
    cursor.next();
    return cursor.position;
  });
  return exactTimestampsAt(batch, section, positions);
}

/**
 * Entries of an index with the fields that are offsets and times; positions only as far as they name a batch. Times beyond 2^53 are left out: in an index
 * Blumfeld rounds them, and of several that become the same takes the first.
 */
function factsOfIndex(bytes: Buffer, entrySize: number, where: string, batchAt: ReadonlyMap<number, number>): string[] {
  const facts: string[] = [];
  for (let at = 0; at + entrySize <= bytes.length; at += entrySize) {
    if (bytes.subarray(at, at + entrySize).every((byte) => byte === 0)) break;
    if (entrySize === 12 && !Number.isSafeInteger(readInt64(bytes, at))) continue;
    if (entrySize === 12) facts.push(`${where} entry: ${readInt64(bytes, at)} ${bytes.readInt32BE(at + 8)}`);
    else facts.push(`${where} entry: ${bytes.readInt32BE(at)} batch ${batchAt.get(bytes.readInt32BE(at + 4)) ?? 'none'}`);
  }
  return facts;
}

export function factsOfPartition(folder: string): string[] {
  const facts: string[] = [];
  const names = readdirSync(folder).toSorted();
  for (const name of names.filter((each) => each.endsWith('.log'))) {
    const base = name.slice(0, -'.log'.length);
    const batches = batchesOf(readFileSync(join(folder, name)));
    const batchAt = new Map(batches.map((batch) => [batch.position, batch.baseOffset]));
    facts.push(`segment ${base}`, ...batches.flatMap((batch) => factsOfBatch(batch, name)));
    const read = (suffix: string): Buffer =>
      names.includes(base + suffix) ? readFileSync(join(folder, base + suffix)) : Buffer.alloc(0);
    facts.push(...factsOfIndex(read('.index'), 8, `${base}.index`, batchAt));
    facts.push(...factsOfIndex(read('.timeindex'), 12, `${base}.timeindex`, batchAt));
    for (const transaction of parseTransactionIndex(read('.txnindex'), Number(base)) ?? [])
      facts.push(`${base}.txnindex: ${JSON.stringify(transaction)}`);
  }
  for (const name of names.filter((each) => each.endsWith('.snapshot')))
    facts.push(`${name}: ${readFileSync(join(folder, name)).toString('hex')}`);
  // One that has no records yet is written down by Apache Kafka when it begins, by Blumfeld with the first of them.
  const end = lastOffsetIn(folder, names) + 1;
  const epochs = readFileSync(join(folder, 'leader-epoch-checkpoint'), 'utf8').split('\n').slice(2);
  facts.push(...epochs.filter((line) => line !== '' && Number(line.split(' ')[1]) < end).map((line) => `epoch ${line}`));
  return facts;
}

function lastOffsetIn(folder: string, names: readonly string[]): number {
  let last = -1;
  for (const name of names.filter((each) => each.endsWith('.log')))
    for (const batch of batchesOf(readFileSync(join(folder, name)))) last = batch.lastOffset;
  return last;
}

/** What only one of them has. */
export function difference(kafka: readonly string[], blumfeld: readonly string[]): string | undefined {
  const [theirs, ours] = [new Set(kafka), new Set(blumfeld)];
  const lines = [
    ...kafka.filter((fact) => !ours.has(fact)).map((fact) => `Apache Kafka: ${fact}`),
    ...blumfeld.filter((fact) => !theirs.has(fact)).map((fact) => `Blumfeld:     ${fact}`),
  ];
  return lines.length === 0
    ? undefined
    : lines
        .slice(0, 20)
        .map((line) => line.slice(0, 400))
        .join('\n    ');
}

/**
 * Compacts segments: of each key only the latest record stays, tombstones and transaction markers go when their time has come. Runs in a thread of
 * its own and knows the log only by its files.
 *
 * Invariants: of what comes before the end of the map a record is kept only if no later record of its key is in the map; what comes after it is kept.
 * The last batch of each producer stays, empty if need be, so that sequences and epochs are not forgotten, and so does the batch that ends at the
 * high watermark. What is written is named `.cleaned` and synced; only who asked for it puts it in place. Source: Cleaner of Apache Kafka.
 */
import type { RecordBatch } from '../wire/record-batch.ts';
import { recordBytesOf, recordsOf } from '../wire/record.ts';
import { RecordCursor } from '../wire/record-cursor.ts';
import type { Files } from '../world/files.ts';
import { filterBatch } from './batch-filter.ts';
import { batchRunsIn } from './batch-scanner.ts';
import { CleanedTransactions } from './cleaned-transactions.ts';
import type { Cleaned, CleaningJob, Mapped, MappingJob } from './cleaner-messages.ts';
import { FileHandles } from './file-handles.ts';
import { OffsetMap } from './offset-map.ts';
import { Segment } from './segment.ts';
import { CLEANED_SUFFIX, LOG_SUFFIX, paddedOffset } from './segment-names.ts';

/** What a batch may unpack to: as much as a buffer holds. */
const MAX_UNPACKED_BYTES = 0x7fff_ffff;

type SegmentOfJob = CleaningJob['segments'][number];
type Producers = ReadonlyMap<number, readonly [lastDataOffset: number, producerEpoch: number]>;

interface Counts {
  bytesRead: number;
  recordsRead: number;
  recordsKept: number;
  keyless: number;
}

export class Cleaner {
  private readonly files: Files;
  /** Awaited after each piece of work; rejects when the work is not wanted any more. */
  private readonly pace: (bytes: number) => Promise<void>;
  private map = new OffsetMap(1);
  private transactions = new CleanedTransactions();

  constructor(files: Files, pace: (bytes: number) => Promise<void>) {
    this.files = files;
    this.pace = pace;
  }

  private async *runs(directory: string, segment: { baseOffset: number; size: number }, from: number, readBytes: number) {
    const path = `${directory}/${paddedOffset(segment.baseOffset)}${LOG_SUFFIX}`;
    const file = this.files.open(path, 'read');
    let end = from;
    try {
      for await (const run of batchRunsIn(file, from, segment.size, readBytes)) {
        const unknown = run.batches.find(({ magic }) => magic > 2);
        if (unknown !== undefined) {
          throw new Error(
            `${path} has a batch of magic ${unknown.magic} at position ${run.position + unknown.position}; it may be corrupt`,
          );
        }
        const last = run.batches.at(-1);
        const bytes = last === undefined ? 0 : last.position + last.sizeInBytes;
        end = run.position + bytes;
        yield { batches: run.batches, bytes };
      }
    } finally {
      file.close();
    }
    if (end < segment.size) throw new Error(`${path} has no whole batch at position ${end}; it may be corrupt`);
  }

  /** Begins a cleaning: which offset of each key is the latest in the dirty part, as far as the map reaches. */
  async mapDirtyPart(job: MappingJob): Promise<Mapped> {
    const keys = Math.min(job.maxKeys, job.endOffset - job.firstDirtyOffset);
    const map = new OffsetMap((keys > 0 ? Math.ceil(keys / job.loadFactor) : 0) + 2);
    const transactions = new CleanedTransactions();
    transactions.addAborted(job.aborted);
    this.map = map;
    this.transactions = new CleanedTransactions();
    let bytesRead = 0;
    segments: for (const segment of job.segments) {
      for await (const { batches, bytes } of this.runs(job.directory, segment, segment.position, job.readBytes)) {
        for (const batch of batches) if (!mapBatch(batch, map, transactions, job)) break segments;
        bytesRead += bytes;
        await this.pace(bytes);
      }
      map.latestOffset = segment.endOffset - 1;
    }
    return { latestOffset: map.latestOffset, keys: map.size, bytesRead };
  }

  /** Writes what stays of the segments into one, beside them. */
  async clean(job: CleaningJob): Promise<Cleaned> {
    const { files } = this;
    const handles = new FileHandles(files);
    const baseOffset = job.segments[0]?.baseOffset ?? 0;
    const place = { files, handles, directory: job.directory, clock: { now: () => job.nowMs } };
    const cleaned = new Segment(place, baseOffset, 0, CLEANED_SUFFIX);
    const counts: Counts = { bytesRead: 0, recordsRead: 0, recordsKept: 0, keyless: 0 };
    try {
      for (const path of cleaned.paths()) files.remove(path);
      cleaned.resetIndexes();
      this.transactions.onRetained = (transaction) => cleaned.noteAborted(transaction);
      handles.file(cleaned.path);
      const producers = new Map(job.producers.map(([producerId, ...last]) => [producerId, last]));
      for (const segment of job.segments) await this.cleanInto(cleaned, segment, job, producers, counts);
      cleaned.deactivate();
      await cleaned.sync(true);
      files.setModified(cleaned.path, job.modifiedMs);
    } catch (error) {
      handles.close();
      for (const path of cleaned.paths()) files.remove(path);
      throw error;
    }
    handles.close();
    return { baseOffset, size: cleaned.size, ...counts };
  }

  private async cleanInto(
    cleaned: Segment,
    segment: SegmentOfJob,
    job: CleaningJob,
    producers: Producers,
    counts: Counts,
  ): Promise<void> {
    this.transactions.addAborted(segment.aborted);
    for await (const { batches, bytes } of this.runs(job.directory, segment, 0, job.readBytes)) {
      const kept: Buffer[] = [];
      for (const batch of batches) {
        const left = this.filter(batch, segment, job, producers, counts);
        if (left !== undefined) kept.push(left);
      }
      const written = Buffer.concat(kept);
      if (written.length > 0) this.append(cleaned, written, job.indexIntervalBytes);
      counts.bytesRead += bytes;
      await this.pace(bytes + written.length);
    }
  }

  private append(cleaned: Segment, records: Buffer, indexIntervalBytes: number): void {
    const position = cleaned.size;
    cleaned.noteAppended(records, indexIntervalBytes);
    cleaned.handles.file(cleaned.path).write([records], position);
  }

  private filter(
    batch: RecordBatch,
    segment: SegmentOfJob,
    job: CleaningJob,
    producers: Producers,
    counts: Counts,
  ): Buffer | undefined {
    const isControl = batch.isControl;
    const horizonMs = batch.deleteHorizonMs;
    const discardable = isControl ? this.transactions.readControl(batch) : this.transactions.readData(batch);
    const isPast = horizonMs !== undefined && horizonMs <= job.nowMs;
    const discarded = discardable && (!isControl || isPast);
    const whenEmpty = isLastOfProducer(batch, producers) || batch.lastOffset + 1 === job.highWatermark ? 'kept' : 'dropped';
    if (discarded && whenEmpty === 'dropped') return undefined;
    const { map } = this;
    const retainsTombstones =
      batch.magic < 2 ? segment.retainsLegacyTombstones : horizonMs === undefined || job.nowMs < horizonMs;
    const horizon = job.nowMs + job.deleteRetentionMs;
    return filterBatch(batch, {
      whenEmpty,
      needsHorizon: isControl && discardable,
      horizonMs: Number.isSafeInteger(horizon) ? horizon : undefined,
      maxRecordBytes: job.maxRecordBytes,
      retains: (offset, bytes, keyFrom, keyTo, hasValue) => {
        counts.recordsRead++;
        if (discarded) return false;
        if (!isControl && offset <= map.latestOffset) {
          if (keyTo < keyFrom) counts.keyless++;
          if (keyTo < keyFrom || offset < map.get(bytes, keyFrom, keyTo) || !(hasValue || retainsTombstones)) return false;
        }
        counts.recordsKept++;
        return true;
      },
    });
  }
}

/** It holds the last sequence of its producer, or where that is not known the epoch of its last marker. */
function isLastOfProducer(batch: RecordBatch, producers: Producers): boolean {
  const last = batch.producerId < 0 ? undefined : producers.get(batch.producerId);
  if (last === undefined) return false;
  const [lastDataOffset, producerEpoch] = last;
  return lastDataOffset >= 0 ? batch.lastOffset === lastDataOffset : batch.isControl && batch.producerEpoch === producerEpoch;
}

/** False when the map is full. */
function mapBatch(batch: RecordBatch, map: OffsetMap, transactions: CleanedTransactions, job: MappingJob): boolean {
  if (batch.isControl) transactions.readControl(batch);
  else if (!transactions.readData(batch) && !mapRecords(batch, map, job)) return false;
  if (batch.lastOffset >= job.firstDirtyOffset) map.latestOffset = batch.lastOffset;
  return true;
}

function mapRecords(batch: RecordBatch, map: OffsetMap, { firstDirtyOffset, maxKeys, maxRecordBytes }: MappingJob): boolean {
  if (batch.magic < 2) {
    for (const { offset, key } of recordsOf(batch, MAX_UNPACKED_BYTES)) {
      if (key === null || offset < firstDirtyOffset) continue;
      if (map.size >= maxKeys) return false;
      map.put(key, 0, key.length, offset);
    }
    return true;
  }
  const { count, baseOffset } = batch;
  if (count === 0) return true;
  const section = recordBytesOf(batch, MAX_UNPACKED_BYTES);
  const cursor = new RecordCursor();
  cursor.open(section, 0, section.length, 'whole', maxRecordBytes);
  for (let i = 0; i < count; i++) {
    cursor.next();
    const offset = baseOffset + cursor.offsetDelta;
    if (cursor.keyLength < 0 || offset < firstDirtyOffset) continue;
    if (map.size >= maxKeys) return false;
    map.put(section, cursor.keyPosition, cursor.keyPosition + cursor.keyLength, offset);
  }
  return true;
}

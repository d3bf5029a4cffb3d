/**
 * Splits a segment whose offsets go further than a segment can hold (2^31 from where it begins), as cleaners of Apache Kafka before 1.0.2 and 1.1.1
 * could leave one (KAFKA-6264). Done before the segments of a log are loaded, so that nothing else has to know of such.
 *
 * The parts are written as `.cleaned`, and renamed to `.swap` from the last to the first, so that a crash finds either one that is still `.cleaned`, and
 * with it the whole split is forgotten, or all of them `.swap`, and recovery finishes it; each step is on disk before the next one begins. The first part
 * takes the name of the segment. Indexes are made anew where there are none.
 *
 * Base offsets are covered by no checksum, so a batch that is damaged could look the same. It is told by what is around it: parts rise, and end before
 * the next segment. In the last segment nothing follows: there one batch alone counts only where the log is compacted, since nothing else leaves gaps.
 * Source: LocalLog.splitOverflowedSegment and LogLoader of Apache Kafka. It splits where it comes upon such a batch: when it recovers the segment,
 * after a clean stop not before it is compacted; it asks for no policy.
 */
import type { RecordBatch } from '../wire/record-batch.ts';
import { recordsOf } from '../wire/record.ts';
import type { OpenFile } from '../world/files.ts';
import { batchRuns } from './batch-scanner.ts';
import { holdsOffset } from './batch-search.ts';
import type { Segment, SegmentPlace } from './segment.ts';
import { CLEANED_SUFFIX, LOG_SUFFIX, paddedOffset, SWAP_SUFFIX } from './segment-names.ts';

const COPY_BYTES = 1024 * 1024;

/** Positions in the segment's file. */
interface Part {
  readonly baseOffset: number;
  readonly from: number;
  readonly to: number;
}

export interface SplitOptions {
  /** Whether the last segment is looked at as well, which takes a look into its files. */
  readonly withLast: boolean;
  readonly isCompacted: boolean;
}

/** `segments`: all of a log, in order. True when files are not what they were: they have to be looked at anew. Rejects with StorageFailure. */
export async function splitOverflowed(place: SegmentPlace, segments: readonly Segment[], o: SplitOptions): Promise<boolean> {
  let some = false;
  for (const [index, segment] of segments.entries()) {
    const next = segments[index + 1]?.baseOffset;
    const mayOverflow = next === undefined ? o.withLast : !segment.holdsOffset(next - 1);
    if (!mayOverflow || segment.end().position === segment.size) continue;
    const parts = await partsOf(segment, next, o.isCompacted);
    if (parts.length < 2) continue;
    await split(place, segment, parts);
    some = true;
  }
  return some;
}

/**
 * What is no sound batch stays in the part that it stands in, for whoever recovers that. None when offsets go back, or on to `next`, where the following
 * segment begins: then some are wrong, and nobody knows which.
 */
async function partsOf(segment: Segment, next: number | undefined, isCompacted: boolean): Promise<readonly Part[]> {
  const starts: { readonly baseOffset: number; readonly from: number }[] = [{ baseOffset: segment.baseOffset, from: 0 }];
  let part = segment.baseOffset;
  let nextOffset = part;
  let batchesBeyond = 0;
  for await (const { position, batches } of batchRuns(segment, 0, segment.size)) {
    for (const batch of batches) {
      if (!batch.isValid) continue;
      const { lastOffset } = batch;
      if (lastOffset < nextOffset || lastOffset >= (next ?? Number.MAX_SAFE_INTEGER)) return [];
      if (!holdsOffset(part, lastOffset)) {
        part = firstOffsetOf(batch);
        if (part < nextOffset || !holdsOffset(part, lastOffset)) return [];
        starts.push({ baseOffset: part, from: position + batch.position });
      }
      if (starts.length > 1) batchesBeyond++;
      nextOffset = lastOffset + 1;
    }
  }
  if (next === undefined && batchesBeyond < 2 && !isCompacted) return [];
  return starts.map((start, index) => ({ ...start, to: starts[index + 1]?.from ?? segment.size }));
}

/** -1 when it cannot be found out: packed sets of the older formats say their last one alone. */
function firstOffsetOf(batch: RecordBatch): number {
  if (batch.magic >= 2 || batch.codec === 0) return batch.baseOffset;
  try {
    return recordsOf(batch)[0]?.offset ?? -1;
  } catch {
    return -1;
  }
}

async function split(place: SegmentPlace, segment: Segment, parts: readonly Part[]): Promise<void> {
  const { files, handles, directory } = place;
  const pathOf = ({ baseOffset }: Part): string => `${directory}/${paddedOffset(baseOffset)}${LOG_SUFFIX}`;
  const modifiedMs = segment.modifiedMs();
  const source = files.open(segment.path, 'read');
  try {
    for (const part of parts) await copy(source, part, place, pathOf(part) + CLEANED_SUFFIX, modifiedMs);
  } finally {
    source.close();
  }
  await files.syncDirectory(directory);
  for (const part of parts.toReversed()) {
    files.rename(pathOf(part) + CLEANED_SUFFIX, pathOf(part) + SWAP_SUFFIX);
    await files.syncDirectory(directory);
  }
  for (const path of segment.paths()) handles.release(path);
  for (const path of segment.paths().slice(1)) files.remove(path);
  await files.syncDirectory(directory);
  for (const part of parts) files.rename(pathOf(part) + SWAP_SUFFIX, pathOf(part));
  await files.syncDirectory(directory);
}

async function copy(
  source: OpenFile,
  { from, to }: Part,
  { files }: SegmentPlace,
  path: string,
  modifiedMs: number,
): Promise<void> {
  files.remove(path);
  const file = files.open(path, 'write');
  try {
    for (let at = from; at < to; at += COPY_BYTES) {
      const bytes = Buffer.allocUnsafe(Math.min(COPY_BYTES, to - at));
      const read = await source.readLater(bytes, at);
      if (read < bytes.length) throw new Error(`${source.path} has become shorter than ${to} bytes while it was split`);
      file.write([bytes], at - from);
    }
    await file.sync();
  } finally {
    file.close();
  }
  files.setModified(path, modifiedMs);
}

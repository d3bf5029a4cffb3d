/** Looks whether a log is what log.ts says it always is. For tests and simulations: reads every byte. */
import { RecordBatch } from '../wire/record-batch.ts';
import { batchSizeAt, SHORTEST_BATCH } from './batch-header.ts';
import { readEntries } from './index-entries.ts';
import { OFFSET_ENTRY_SIZE, OffsetIndex } from './offset-index.ts';
import type { Log } from './log.ts';
import type { Segment } from './segment.ts';
import { OFFSET_INDEX_SUFFIX, TIME_INDEX_SUFFIX } from './segment-names.ts';
import { TIME_ENTRY_SIZE, TimeIndex } from './time-index.ts';

interface SegmentContent {
  /** By position: last offset and greatest timestamp so far. */
  readonly batches: ReadonlyMap<number, { readonly lastOffset: number; readonly maxTimestamp: number }>;
  readonly nextOffset: number;
}

/** Throws an Error that names the log and the invariant. Bytes that are queued and not yet written are not looked at. */
export function checkInvariants(log: Log): void {
  const broken = (what: string): never => {
    throw new Error(`${log.directory}: ${what}`);
  };
  const { logStartOffset, lastStableOffset, highWatermark, logEndOffset, writtenOffset, recoveryPoint } = log;
  if (!(logStartOffset <= lastStableOffset && lastStableOffset <= highWatermark && highWatermark <= logEndOffset)) {
    broken(`start ${logStartOffset}, last stable ${lastStableOffset}, high watermark ${highWatermark}, end ${logEndOffset}`);
  }
  if (recoveryPoint > logEndOffset) broken(`recovery point ${recoveryPoint} beyond the end ${logEndOffset}`);
  if (writtenOffset > logEndOffset) broken(`written ${writtenOffset} beyond the end ${logEndOffset}`);
  let offset = 0;
  const segments = log.segmentList();
  for (const [index, segment] of segments.entries()) {
    if (segment.baseOffset < offset) broken(`segment ${segment.baseOffset} begins before ${offset}`);
    const isLast = index === segments.length - 1;
    const content = readSegment(segment, Math.max(offset, segment.baseOffset), broken);
    offset = content.nextOffset;
    checkIndexes(segment, content, isLast, broken);
  }
  if (log.failure === undefined && offset > logEndOffset) broken(`the files end at ${offset}, beyond ${logEndOffset}`);
  if (log.failure === undefined && offset < Math.min(writtenOffset, logEndOffset)) {
    broken(`the files end at ${offset}, before what is written (${writtenOffset})`);
  }
  checkEpochs(log, broken);
}

function readSegment(segment: Segment, from: number, broken: (what: string) => never): SegmentContent {
  const file = segment.handles.file(segment.path);
  const bytes = Buffer.alloc(file.size());
  file.read(bytes, 0);
  const batches = new Map<number, { lastOffset: number; maxTimestamp: number }>();
  let position = 0;
  let nextOffset = from;
  let maxTimestamp = -1;
  while (bytes.length - position >= SHORTEST_BATCH) {
    const size = batchSizeAt(bytes, position);
    if (size < 0 || position + size > bytes.length) broken(`no batch at ${position} of ${segment.path}`);
    const batch = new RecordBatch(bytes, position);
    if (!batch.isValid) broken(`bad checksum at ${position} of ${segment.path}`);
    if (batch.magic >= 2 && batch.baseOffset < nextOffset)
      broken(`offset ${batch.baseOffset} after ${nextOffset} in ${segment.path}`);
    nextOffset = batch.lastOffset + 1;
    maxTimestamp = Math.max(maxTimestamp, batch.maxTimestamp);
    batches.set(position, { lastOffset: batch.lastOffset, maxTimestamp });
    position += size;
  }
  if (position !== bytes.length) broken(`${bytes.length - position} bytes of no batch at the end of ${segment.path}`);
  return { batches, nextOffset };
}

function checkIndexes(segment: Segment, content: SegmentContent, isActive: boolean, broken: (what: string) => never): void {
  const { offsets, times } = isActive ? segment.indexes.active : indexesOf(segment);
  let previous = -1;
  for (let i = 0; i < offsets.count; i++) {
    const entry = offsets.entry(i);
    const batch = content.batches.get(entry.position);
    // The entry of a batch that is queued: its bytes are not in the file yet.
    if (batch === undefined && isActive && entry.offset >= content.nextOffset) continue;
    if (batch === undefined || batch.lastOffset !== entry.offset) {
      broken(`offset index of ${segment.path}: entry ${i} (${entry.offset} at ${entry.position}) is not the end of a batch`);
    }
    if (entry.offset <= previous) broken(`offset index of ${segment.path}: entry ${i} does not rise`);
    previous = entry.offset;
  }
  if (!times.isSane()) broken(`time index of ${segment.path} does not rise`);
  const byOffset = new Map([...content.batches.values()].map((batch) => [batch.lastOffset, batch.maxTimestamp]));
  for (let i = 0; i < times.count; i++) {
    const entry = times.entry(i);
    const timestamp = byOffset.get(entry.offset);
    if (timestamp === undefined && isActive && entry.offset >= content.nextOffset) continue;
    if (timestamp !== entry.timestamp)
      broken(`time index of ${segment.path}: entry ${i} (${entry.timestamp} at ${entry.offset}) is wrong`);
  }
}

function indexesOf(segment: Segment): { offsets: OffsetIndex; times: TimeIndex } {
  const prefix = segment.path.slice(0, -'.log'.length);
  const { files, baseOffset } = segment;
  return {
    offsets: new OffsetIndex(baseOffset, readEntries(files, prefix + OFFSET_INDEX_SUFFIX, OFFSET_ENTRY_SIZE)),
    times: new TimeIndex(baseOffset, readEntries(files, prefix + TIME_INDEX_SUFFIX, TIME_ENTRY_SIZE)),
  };
}

function checkEpochs(log: Log, broken: (what: string) => never): void {
  let previous = { epoch: -1, startOffset: -1 };
  for (const entry of log.leaderEpochs.entries()) {
    if (entry.epoch <= previous.epoch || entry.startOffset <= previous.startOffset) {
      broken(`leader epoch ${entry.epoch} at ${entry.startOffset} after ${previous.epoch} at ${previous.startOffset}`);
    }
    if (entry.startOffset > log.logEndOffset)
      broken(`leader epoch ${entry.epoch} begins beyond the end, at ${entry.startOffset}`);
    previous = entry;
  }
}

/** One segment: its batches one by one, and whether the indexes beside it say of them what is so. */
import { readEntries } from '../log/index-entries.ts';
import { OFFSET_ENTRY_SIZE, OffsetIndex } from '../log/offset-index.ts';
import { TIME_ENTRY_SIZE, TimeIndex } from '../log/time-index.ts';
import { type AbortedTransaction, parseTransactionIndex, TRANSACTION_ENTRY_SIZE } from '../log/transaction-index.ts';
import { DecodeError } from '../wire/decode-error.ts';
import type { RecordBatch } from '../wire/record-batch.ts';
import { recordsOf } from '../wire/record.ts';
import type { Files } from '../world/files.ts';
import { batchesOfFile } from './file-batches.ts';
import type { Findings } from './findings.ts';

export interface SegmentFile {
  /** Without `.log`. */
  readonly prefix: string;
  readonly baseOffset: number;
  /** No offset of it is greater or equal. */
  readonly endOffset: number;
  /** The last segment of a log that was not stopped cleanly may end in the middle of a batch. */
  readonly mayBeTorn: boolean;
}

interface Seen {
  readonly lastOffset: number;
  /** Greatest of the segment up to and with this batch. */
  readonly maxTimestamp: number;
}

/** Looks at the batches; `each` is told of the sound ones, in order. One past the last offset. */
export function verifySegment(
  files: Files,
  segment: SegmentFile,
  findings: Findings,
  each: (batch: RecordBatch, path: string, position: number) => void,
): number {
  const path = `${segment.prefix}.log`;
  const byPosition = new Map<number, Seen>();
  let nextOffset = segment.baseOffset;
  let maxTimestamp = -1;
  const file = files.open(path, 'read');
  try {
    for (const { batch, position } of batchesOfFile(file)) {
      if (batch === undefined) {
        const what = `${file.size() - position} bytes that are no whole batch`;
        if (segment.mayBeTorn) findings.note(path, `${what}: the next start cuts them off`, position);
        else findings.wrong(path, what, position);
        break;
      }
      const flaw = flawOf(batch, segment, nextOffset);
      if (flaw === undefined) each(batch, path, position);
      else findings.wrong(path, flaw, position);
      if (batch.lastOffset >= nextOffset && batch.lastOffset < segment.endOffset) nextOffset = batch.lastOffset + 1;
      maxTimestamp = Math.max(maxTimestamp, batch.maxTimestamp);
      byPosition.set(position, { lastOffset: batch.lastOffset, maxTimestamp });
    }
  } finally {
    file.close();
  }
  verifyOffsetIndex(files, segment, byPosition, findings);
  verifyTimeIndex(files, segment, byPosition, nextOffset, findings);
  return nextOffset;
}

function flawOf(batch: RecordBatch, { baseOffset, endOffset }: SegmentFile, nextOffset: number): string | undefined {
  if (!batch.isValid) return `a batch whose checksum does not match (offset ${batch.baseOffset})`;
  if (batch.lastOffset < nextOffset || (batch.magic >= 2 && batch.baseOffset < nextOffset))
    return `offset ${batch.baseOffset} where ${nextOffset} or a later one has to be`;
  if (batch.lastOffset >= endOffset)
    return `offset ${batch.lastOffset} in a segment of offsets ${baseOffset} to ${endOffset - 1}`;
  try {
    const records = recordsOf(batch);
    const last = records[records.length - 1];
    if (last !== undefined && last.offset > batch.lastOffset)
      return `a record at ${last.offset} in a batch up to ${batch.lastOffset}`;
  } catch (error) {
    if (error instanceof DecodeError) return `records that cannot be read (offset ${batch.baseOffset}): ${error.message}`;
    throw error;
  }
  return undefined;
}

function verifyOffsetIndex(files: Files, segment: SegmentFile, batches: ReadonlyMap<number, Seen>, findings: Findings): void {
  const path = `${segment.prefix}.index`;
  const entries = indexEntries(files, path, OFFSET_ENTRY_SIZE, findings);
  if (entries === undefined) return;
  const index = new OffsetIndex(segment.baseOffset, entries);
  let previous = -1;
  for (let i = 0; i < index.count; i++) {
    const { offset, position } = index.entry(i);
    const batch = batches.get(position);
    if (batch === undefined)
      findings.wrong(path, `an entry for position ${position}, where no batch begins`, i * OFFSET_ENTRY_SIZE);
    else if (batch.lastOffset !== offset)
      findings.wrong(
        path,
        `an entry for offset ${offset}, and the batch at ${position} ends with ${batch.lastOffset}`,
        i * OFFSET_ENTRY_SIZE,
      );
    else if (offset <= previous)
      findings.wrong(path, `an entry for offset ${offset} after one for ${previous}`, i * OFFSET_ENTRY_SIZE);
    previous = offset;
  }
}

function verifyTimeIndex(
  files: Files,
  segment: SegmentFile,
  batches: ReadonlyMap<number, Seen>,
  nextOffset: number,
  findings: Findings,
): void {
  const path = `${segment.prefix}.timeindex`;
  const entries = indexEntries(files, path, TIME_ENTRY_SIZE, findings);
  if (entries === undefined) return;
  const index = new TimeIndex(segment.baseOffset, entries);
  const ends = [...batches.values()];
  let at = 0;
  let previous = { timestamp: -1, offset: -1 };
  for (let i = 0; i < index.count; i++) {
    const entry = index.entry(i);
    const position = i * TIME_ENTRY_SIZE;
    if (entry.timestamp <= previous.timestamp || entry.offset < previous.offset)
      findings.wrong(
        path,
        `an entry (${entry.timestamp}, ${entry.offset}) after (${previous.timestamp}, ${previous.offset})`,
        position,
      );
    else if (entry.offset >= nextOffset)
      findings.wrong(path, `an entry for offset ${entry.offset}, and the segment ends before`, position);
    else {
      while (at < ends.length - 1 && (ends[at]?.lastOffset ?? 0) < entry.offset) at++;
      const end = ends[at];
      const isWrong =
        end !== undefined &&
        (end.lastOffset === entry.offset ? end.maxTimestamp !== entry.timestamp : end.maxTimestamp > entry.timestamp);
      if (isWrong)
        findings.wrong(
          path,
          `an entry that gives ${entry.timestamp} as the greatest timestamp up to ${entry.offset}, which is ${end.maxTimestamp}`,
          position,
        );
    }
    previous = entry;
  }
}

function indexEntries(files: Files, path: string, entrySize: number, findings: Findings) {
  if (files.stat(path) === undefined) {
    findings.note(path, 'missing: the next start makes it anew');
    return undefined;
  }
  const entries = readEntries(files, path, entrySize);
  if (entries === undefined) findings.wrong(path, `its size is no multiple of ${entrySize}`);
  return entries;
}

/** `expected`: what replaying the log gives; undefined where the log does not go back far enough to say. */
export function verifyTransactionIndex(
  files: Files,
  segment: SegmentFile,
  expected: readonly AbortedTransaction[] | undefined,
  findings: Findings,
): void {
  const path = `${segment.prefix}.txnindex`;
  const bytes = files.stat(path) === undefined ? Buffer.alloc(0) : files.readFile(path);
  const entries = parseTransactionIndex(bytes, segment.baseOffset);
  if (entries === undefined)
    return findings.wrong(path, 'an entry of an unknown version, or one that ends before the segment begins');
  const torn = bytes.length % TRANSACTION_ENTRY_SIZE;
  if (torn > 0) findings.wrong(path, 'an entry that is cut off', bytes.length - torn);
  if (expected === undefined) return;
  const text = (each: AbortedTransaction | undefined): string =>
    each === undefined
      ? 'nothing'
      : `producer ${each.producerId}, offsets ${each.firstOffset} to ${each.lastOffset}, stable before ${each.lastStableOffset}`;
  for (let i = 0; i < Math.max(entries.length, expected.length); i++) {
    if (text(entries[i]) === text(expected[i])) continue;
    findings.wrong(path, `${text(entries[i])}, and the log has aborted ${text(expected[i])}`, i * TRANSACTION_ENTRY_SIZE);
    return;
  }
}

/**
 * From what a directory holds to the segments, epochs and producers of a log: after a clean stop by looking at the ends, after a crash by reading
 * everything from the recovery point on.
 *
 * What is promised: all batches that were synced, and all that were written unless the machine itself went down, are kept; the file ends with the
 * last whole valid batch before the first damage, and no segment behind a damaged one survives; one behind a segment whose end is missing, as a power
 * cut may leave it, does, and between them is a gap as compaction leaves one; indexes, transaction indexes, leader epochs and
 * producer state are what reading the log gives; who opens it saves the epochs. Files of unfinished compactions and deletions are finished or removed.
 * Where nothing is lost, the snapshot of the producers at the end of the log, and the removal of those before it in the same segment, are left to who
 * ends the segment or closes the log: nobody reads them before, what they say is true, and making and removing thousands of files is most of a start
 * after a kill. (Apache Kafka does it at once.) Walks read large pieces off the event loop. Source: LogLoader of Apache Kafka.
 */
import { RecordBatch } from '../wire/record-batch.ts';
import type { Clock } from '../world/clock.ts';
import type { Files } from '../world/files.ts';
import { batchRuns } from './batch-scanner.ts';
import { endOfFile } from './batch-search.ts';
import type { FileHandles } from './file-handles.ts';
import type { LeaderEpochs } from './leader-epochs.ts';
import type { LogConfig } from './log-config.ts';
import { ProducerSnapshots } from './producer-snapshots.ts';
import { ProducerState, type ProducerStateOptions } from './producer-state.ts';
import { Segment, type SegmentPlace } from './segment.ts';
import {
  CLEANED_SUFFIX,
  DELETED_SUFFIX,
  isIndexName,
  LOG_SUFFIX,
  offsetOfName,
  paddedOffset,
  SWAP_SUFFIX,
} from './segment-names.ts';
import { splitOverflowed } from './segment-split.ts';
import { Segments } from './segments.ts';

export interface RecoveryOptions {
  readonly files: Files;
  readonly handles: FileHandles;
  readonly clock: Clock;
  readonly directory: string;
  /** The plain files that the directory holds. */
  readonly names: readonly string[];
  readonly config: LogConfig;
  readonly producers: ProducerStateOptions;
  readonly leaderEpochs: LeaderEpochs;
  readonly recoveryPoint: number;
  readonly logStartOffset: number;
  readonly cleanShutdown: boolean;
}

/** A log that is being opened: what is found of it so far. */
interface Recovery extends RecoveryOptions {
  readonly segments: Segments;
  readonly snapshots: ProducerSnapshots;
}

export interface Recovered {
  readonly segments: Segments;
  readonly producerState: ProducerState;
  readonly logStartOffset: number;
  readonly recoveryPoint: number;
  readonly logEndOffset: number;
}

/** Kept for the snapshots of the metadata log, which look after themselves. */
const METADATA_SNAPSHOT_DELETED = '.checkpoint.deleted';

export async function recoverLog(o: RecoveryOptions): Promise<Recovered> {
  const place: SegmentPlace = { files: o.files, handles: o.handles, clock: o.clock, directory: o.directory };
  const names = finishReplacements(o) ? fileNamesIn(o.files, o.directory) : o.names;
  const segments = new Segments();
  const suspects = loadSegments(o, names, place, segments);
  const isCompacted = o.config.cleanupPolicy.includes('compact');
  const again = (): Promise<Recovered> => recoverLog({ ...o, names: fileNamesIn(o.files, o.directory) });
  const isLastRead = !o.cleanShutdown || suspects.at(-1) === segments.values().at(-1);
  if (await splitOverflowed(place, segments.values(), { withLast: isLastRead, isCompacted })) return again();
  for (const segment of suspects) await recoverSuspect(o, segments, segment);
  const snapshots = new ProducerSnapshots(
    o.files,
    o.directory,
    suspects.length === 0 ? names : fileNamesIn(o.files, o.directory),
  );
  // What they would have to be brought forward with is deleted: a power cut may have brought them back.
  if (segments.count > 0) snapshots.removeOutside(segments.first.baseOffset - 1, Number.MAX_SAFE_INTEGER);
  const recovery: Recovery = { ...o, segments, snapshots };
  const isMissing = !o.cleanShutdown && (await recoverUnflushed(recovery));
  const end = segments.count === 0 ? undefined : segments.active.end();
  if (end !== undefined && segments.active.passes(end)) {
    if (o.cleanShutdown && (await splitOverflowed(place, segments.values(), { withLast: true, isCompacted }))) return again();
    // Also after a clean stop: what is appended behind it could not be found again. (Apache Kafka appends all the same.)
    segments.active.cutAt(end);
  }
  let logEndOffset = end?.nextOffset;
  if (logEndOffset !== undefined && logEndOffset < o.logStartOffset) {
    // The log ends before what was deleted from it: what it says is older than what is known.
    removeSegments(recovery, segments.values());
    o.leaderEpochs.clear();
    snapshots.removeAll();
    logEndOffset = undefined;
  }
  if (logEndOffset === undefined) segments.add(newSegment(place, o.logStartOffset));
  const endOffset = logEndOffset ?? o.logStartOffset;
  o.leaderEpochs.truncateFromEnd(endOffset);
  o.leaderEpochs.truncateFromStart(o.logStartOffset);
  const logStartOffset = Math.max(o.logStartOffset, segments.first.baseOffset);
  const isLost = isMissing || (!o.cleanShutdown && snapshots.reachBehind(endOffset));
  const isSettled = o.cleanShutdown || isLost;
  if (isSettled) snapshots.removeDoubted();
  snapshots.removeStrays(segments.values().map((segment) => segment.baseOffset));
  const producerState = new ProducerState({ ...o.producers, snapshots });
  await rebuildProducerState(producerState, segments, {
    logStartOffset,
    logEndOffset: endOffset,
    nowMs: o.clock.now(),
  });
  producerState.letGoOfHeld(logStartOffset);
  if (isSettled) producerState.takeSnapshot();
  // One of what is lost must not come back by the next power cut: other records may be there by then.
  if (isLost) await snapshots.sync();
  const recoveryPoint = o.cleanShutdown && logEndOffset !== undefined ? endOffset : Math.min(o.recoveryPoint, endOffset);
  return { segments, producerState, logStartOffset, recoveryPoint, logEndOffset: endOffset };
}

/** A segment that begins at `offset`, with an empty file. */
export function newSegment(place: SegmentPlace, offset: number): Segment {
  const segment = new Segment(place, offset, 0);
  for (const path of segment.paths()) {
    place.handles.release(path);
    place.files.remove(path);
  }
  place.handles.file(segment.path);
  segment.indexes.begin();
  return segment;
}

export const fileNamesIn = (files: Files, directory: string): string[] =>
  files.list(directory).flatMap((entry) => (entry.directory ? [] : [entry.name]));

/** Removes what a deletion or an unfinished compaction has left, and puts in place what a finished one has. Whether there was anything. */
function finishReplacements(o: RecoveryOptions): boolean {
  const { names } = o;
  if (!names.some((name) => name.endsWith(DELETED_SUFFIX) || name.endsWith(CLEANED_SUFFIX) || name.endsWith(SWAP_SUFFIX))) {
    return false;
  }
  const pathOf = (name: string): string => `${o.directory}/${name}`;
  const offsets = (suffix: string): number[] =>
    names.flatMap((name) => (name.endsWith(suffix) ? [offsetOfName(name) ?? Number.MAX_SAFE_INTEGER] : []));
  const firstCleaned = Math.min(...offsets(CLEANED_SUFFIX), Number.MAX_SAFE_INTEGER);
  const swaps: string[] = [];
  for (const name of names) {
    if (!name.endsWith(SWAP_SUFFIX)) continue;
    // A swap file at or above an unfinished one is part of a split that did not come to its end.
    if ((offsetOfName(name) ?? 0) >= firstCleaned) o.files.remove(pathOf(name));
    else swaps.push(name);
  }
  // Not before those: without an unfinished one they would be taken for finished after the next crash.
  for (const name of names) {
    const deleted = name.endsWith(DELETED_SUFFIX) && !name.endsWith(METADATA_SNAPSHOT_DELETED);
    if (deleted || name.endsWith(CLEANED_SUFFIX)) o.files.remove(pathOf(name));
  }
  let from = Number.MAX_SAFE_INTEGER;
  let to = -1;
  for (const name of swaps) {
    const base = offsetOfName(name);
    if (base === undefined || !name.endsWith(LOG_SUFFIX + SWAP_SUFFIX)) continue;
    from = Math.min(from, base);
    to = Math.max(to, nextOffsetOfSwap(o.files, pathOf(name), base));
  }
  for (const name of fileNamesIn(o.files, o.directory)) {
    const offset = offsetOfName(name);
    const replaced = !name.endsWith(SWAP_SUFFIX) && offset !== undefined && offset >= from && offset < to;
    if (replaced) o.files.remove(pathOf(name));
  }
  // From the first to the last: whatever is left as .swap by the next crash replaces nothing that has been put in place.
  for (const name of swaps.toSorted()) o.files.rename(pathOf(name), pathOf(name.slice(0, -SWAP_SUFFIX.length)));
  return true;
}

function nextOffsetOfSwap(files: Files, path: string, baseOffset: number): number {
  const file = files.open(path, 'read');
  try {
    return endOfFile(file, 0, file.size(), baseOffset).nextOffset;
  } finally {
    file.close();
  }
}

/** Adds a segment for each log file. Returns those whose indexes have to be made anew. */
function loadSegments(o: RecoveryOptions, names: readonly string[], place: SegmentPlace, segments: Segments): Segment[] {
  const logs = new Set<number>();
  for (const name of names) {
    const offset = name.endsWith(LOG_SUFFIX) ? offsetOfName(name) : undefined;
    if (offset !== undefined) logs.add(offset);
  }
  for (const name of names) {
    const offset = isIndexName(name) ? offsetOfName(name) : undefined;
    if (offset !== undefined && !logs.has(offset)) o.files.remove(`${o.directory}/${name}`);
  }
  const suspects: Segment[] = [];
  for (const offset of [...logs].toSorted((a, b) => a - b)) {
    const path = `${o.directory}/${paddedOffset(offset)}${LOG_SUFFIX}`;
    const segment = new Segment(place, offset, o.files.stat(path)?.size ?? 0);
    segments.add(segment);
  }
  const unflushed = o.cleanShutdown ? [] : segments.from(o.recoveryPoint);
  for (const segment of segments.values()) {
    if (!unflushed.includes(segment) && !segment.indexes.areSane(segment.size)) suspects.push(segment);
  }
  return suspects;
}

/** The segments behind one that was cut off go; those behind one that only ends early stay, as in Apache Kafka. True where something is missing. */
async function recoverUnflushed(o: Recovery): Promise<boolean> {
  const unflushed = o.segments.from(o.recoveryPoint);
  let isMissing = false;
  for (const [index, segment] of unflushed.entries()) {
    const truncated = await recoverSegment(o, segment);
    const next = unflushed[index + 1];
    if (truncated || (next !== undefined && segment.nextOffset() < next.baseOffset)) isMissing = true;
    if (!truncated || next === undefined) continue;
    removeSegments(o, unflushed.slice(index + 1));
    // Before anything is appended: a segment that came back after the next crash would hold what is no longer true.
    await o.files.syncDirectory(o.directory);
    break;
  }
  return isMissing;
}

/**
 * Makes indexes that are in doubt anew. What lies behind the segment is not: its batches may be gone, but what became of their producers and transactions
 * is known, by the snapshots from after it and by what its index said of aborts whose markers are gone. (Apache Kafka removes those snapshots, and reads
 * the rest of the log.)
 */
async function recoverSuspect(o: RecoveryOptions, segments: Segments, segment: Segment): Promise<void> {
  const { baseOffset, indexes } = segment;
  const aborted = indexes.abortedTransactions();
  const names = fileNamesIn(o.files, o.directory).filter((name) => (offsetOfName(name) ?? 0) <= baseOffset);
  const snapshots = new ProducerSnapshots(o.files, o.directory, names);
  await recoverSegment({ ...o, segments, snapshots }, segment);
  if (segment === segments.active) return;
  const endOffset = segment.nextOffset();
  const lost = aborted.filter(({ firstOffset, lastOffset }) => firstOffset < endOffset && lastOffset >= endOffset);
  if (lost.length === 0) return;
  for (const transaction of lost) indexes.noteAborted(transaction);
  segment.deactivate();
}

/** A batch behind a gap: base offsets are covered by no checksum, so where the next one goes back into the gap this one is the wrong one, as for `endOfFile`. */
interface Doubted {
  readonly batch: RecordBatch;
  /** Its position in the file. */
  readonly start: number;
}

/**
 * Reads the segment, makes its indexes anew and cuts off what is no valid batch. True when something was cut off. The indexes of the last segment stay in
 * memory, as those of any that goes on being written.
 */
async function recoverSegment(o: Recovery, segment: Segment): Promise<boolean> {
  if (segment === o.segments.active && segment.isEmptyThroughout()) return false;
  o.snapshots.doubtBehind(segment.baseOffset);
  const producerState = new ProducerState({ ...o.producers, snapshots: o.snapshots });
  await rebuildProducerState(producerState, o.segments, {
    logStartOffset: o.logStartOffset,
    logEndOffset: segment.baseOffset,
    nowMs: o.clock.now(),
  });
  producerState.takeSnapshot();
  segment.resetIndexes();
  const bound = o.segments.higher(segment.baseOffset)?.baseOffset ?? Number.POSITIVE_INFINITY;
  let validBytes = 0;
  let nextOffset = segment.baseOffset;
  const note = (batch: RecordBatch, start: number): void => {
    noteSound({ ...o, producerState }, segment, batch, start);
    nextOffset = batch.lastOffset + 1;
  };
  let doubted: Doubted | undefined;
  scan: for await (const { position, batches } of batchRuns(segment, 0, segment.size)) {
    for (const batch of batches) {
      const { baseOffset, lastOffset } = batch;
      if (!batch.isValid) break scan;
      const start = position + batch.position;
      const isBeyond = lastOffset >= bound;
      // Sound but for its base offset: readers pass over it, as after a clean stop. Cut off where nothing sound follows.
      if (!isBeyond && (lastOffset < nextOffset || !segment.holdsOffset(lastOffset))) continue;
      validBytes = start + batch.sizeInBytes;
      if (isBeyond) continue;
      if (doubted !== undefined && lastOffset > doubted.batch.lastOffset) note(doubted.batch, doubted.start);
      const isGap = baseOffset > nextOffset;
      doubted = isGap ? { batch: new RecordBatch(Buffer.from(batch.bytes), 0), start } : undefined;
      if (!isGap) note(batch, start);
    }
  }
  if (doubted !== undefined) note(doubted.batch, doubted.start);
  const truncated = validBytes < segment.size;
  if (truncated) segment.handles.file(segment.path).truncate(validBytes);
  segment.size = validBytes;
  const isActive = segment === o.segments.active;
  if (isActive) segment.indexes.noteEnd();
  else segment.deactivate();
  if (isActive && !o.cleanShutdown) producerState.holdSnapshot();
  else producerState.takeSnapshot();
  return truncated;
}

function noteSound(
  o: Recovery & { readonly producerState: ProducerState },
  segment: Segment,
  batch: RecordBatch,
  start: number,
): void {
  const { baseOffset, lastOffset, maxTimestamp, sizeInBytes, partitionLeaderEpoch: epoch } = batch;
  segment.noteBatch(lastOffset, maxTimestamp, start, sizeInBytes, o.config.indexIntervalBytes);
  if (batch.magic < 2) return;
  if (epoch > o.leaderEpochs.latestEpoch) o.leaderEpochs.assign(epoch, baseOffset);
  o.producerState.replay(batch, (transaction, lastStableOffset) => {
    if (transaction.aborted) segment.noteAborted({ ...transaction, lastStableOffset });
  });
}

function removeSegments(o: Recovery, doomed: readonly Segment[]): void {
  for (const segment of doomed) {
    o.segments.remove(segment);
    for (const path of segment.paths()) {
      o.handles.release(path);
      o.files.remove(path);
    }
    o.snapshots.remove(segment.baseOffset);
  }
}

/**
 * Brings the state to `logEndOffset`: from the newest usable snapshot, and what the log says after it; from the whole log when there is none, since a
 * clean stop leaves one. (Apache Kafka takes a log without snapshots for one that has no producers.) The snapshot there is the caller's to take.
 */
export async function rebuildProducerState(
  state: ProducerState,
  segments: Segments,
  o: { readonly logStartOffset: number; readonly logEndOffset: number; readonly nowMs: number },
): Promise<void> {
  const { logStartOffset, logEndOffset } = o;
  const lastTwo = segments
    .values()
    .slice(-2)
    .map((segment) => segment.baseOffset);
  const wasEmpty = state.isEmpty && state.endOffset >= logEndOffset;
  state.truncateAndReload(logStartOffset, logEndOffset, o.nowMs);
  if (logEndOffset > state.endOffset && !wasEmpty) {
    const replayed = segments.from(state.endOffset).filter((segment) => segment.baseOffset < logEndOffset);
    for (const segment of replayed) {
      const startOffset = Math.max(segment.baseOffset, state.endOffset, logStartOffset);
      state.endOffset = startOffset;
      if (lastTwo.includes(segment.baseOffset)) state.takeSnapshot();
      await replaySegment(state, segment, startOffset, logEndOffset);
    }
  }
  state.endOffset = logEndOffset;
}

async function replaySegment(state: ProducerState, segment: Segment, from: number, to: number): Promise<void> {
  for await (const { batches } of batchRuns(segment, segment.startBefore(from), segment.size)) {
    for (const batch of batches) {
      if (batch.lastOffset >= to) return;
      if (batch.lastOffset < from) continue;
      if (batch.magic >= 2) state.replay(batch);
    }
  }
}

/** One partition's directory: its segments in order, and whether epochs, producers and aborted transactions are what replaying them gives. */
import { readCheckpoint } from '../log/checkpoint-file.ts';
import { LEADER_EPOCH_FILE } from '../log/leader-epochs.ts';
import { PARTITION_METADATA_FILE, readPartitionMetadata } from '../log/partition-metadata.ts';
import type { ProducerEntry } from '../log/producer-entry.ts';
import { parseProducerSnapshot } from '../log/producer-snapshot.ts';
import { ProducerState } from '../log/producer-state.ts';
import { offsetOfName, paddedOffset, SNAPSHOT_SUFFIX } from '../log/segment-names.ts';
import type { AbortedTransaction } from '../log/transaction-index.ts';
import type { RecordBatch } from '../wire/record-batch.ts';
import type { Files } from '../world/files.ts';
import type { Findings } from './findings.ts';
import { type SegmentFile, verifySegment, verifyTransactionIndex } from './verify-segment.ts';

const KNOWN = /^\d{20}\.(log|index|timeindex|txnindex|snapshot)$|^(leader-epoch-checkpoint|partition\.metadata)$/;
/** Of the metadata log. */
const KNOWN_METADATA = /^\d{20}-\d{10}\.checkpoint$|^quorum-state$/;
const LEFTOVER = /\.(deleted|cleaned|swap|tmp|part)$/;

export interface PartitionOptions {
  readonly path: string;
  /** Whether the data directory was stopped cleanly. */
  readonly isClean: boolean;
  readonly isMetadata: boolean;
  /** Told of each sound batch. */
  each?(batch: RecordBatch): void;
}

export interface VerifiedPartition {
  readonly firstOffset: number;
  readonly endOffset: number;
}

export function verifyPartition(files: Files, o: PartitionOptions, findings: Findings): VerifiedPartition {
  const { path } = o;
  const names = namesIn(files, o, findings);
  const segments = segmentsOf(path, names, o.isClean);
  const replay = new Replay(files, path, segments, findings);
  let endOffset = segments[0]?.baseOffset ?? 0;
  for (const segment of segments) {
    const next = verifySegment(files, segment, findings, (batch, file, position) => {
      replay.take(batch, file, position);
      o.each?.(batch);
    });
    verifyTransactionIndex(files, segment, replay.takeAborted(), findings);
    endOffset = Math.max(endOffset, next);
  }
  replay.end(endOffset);
  for (const name of names) {
    const offset = offsetOfName(name);
    const isOrphan = /\.(index|timeindex|txnindex)$/.test(name) && !segments.some(({ baseOffset }) => baseOffset === offset);
    if (isOrphan) findings.wrong(`${path}/${name}`, 'an index of no log file');
  }
  if (segments.length === 0) findings.wrong(path, 'no log file: the next start begins an empty log');
  return { firstOffset: segments[0]?.baseOffset ?? 0, endOffset };
}

function namesIn(files: Files, { path, isMetadata }: PartitionOptions, findings: Findings): string[] {
  const names: string[] = [];
  for (const { name, directory } of files.list(path)) {
    const isKnown = !directory && (KNOWN.test(name) || (isMetadata && KNOWN_METADATA.test(name)));
    if (isKnown) names.push(name);
    else if (!directory && LEFTOVER.test(name))
      findings.note(`${path}/${name}`, 'left of a change that was not finished: the next start tidies it up');
    else findings.wrong(`${path}/${name}`, `${directory ? 'a directory' : 'a file'} that does not belong here`);
  }
  findings.fileCount += names.length;
  return names;
}

function segmentsOf(path: string, names: readonly string[], isClean: boolean): SegmentFile[] {
  const logs = names.filter((name) => name.endsWith('.log')).toSorted();
  return logs.map((name, i) => ({
    prefix: `${path}/${name.slice(0, -'.log'.length)}`,
    baseOffset: offsetOfName(name) ?? 0,
    endOffset: offsetOfName(logs[i + 1] ?? '') ?? Number.MAX_SAFE_INTEGER,
    mayBeTorn: !isClean && i === logs.length - 1,
  }));
}

/** What the batches say of epochs, producers and transactions, beside what the files say of them. */
class Replay {
  readonly #path: string;
  readonly #findings: Findings;
  readonly #state: ProducerState;
  readonly #snapshots = new Map<number, readonly ProducerEntry[]>();
  readonly #epochs: readonly { readonly epoch: number; readonly startOffset: number }[];
  #aborted: AbortedTransaction[] = [];
  /** All batches since offset 0 have been seen: producers and transactions are known from the beginning. */
  #isWhole: boolean;
  #nextOffset: number;
  #epochsDiffer = false;

  constructor(files: Files, path: string, segments: readonly SegmentFile[], findings: Findings) {
    this.#path = path;
    this.#findings = findings;
    this.#nextOffset = segments[0]?.baseOffset ?? 0;
    this.#isWhole = this.#nextOffset === 0;
    this.#state = new ProducerState({ files, directory: path, where: path, expirationMs: Number.MAX_SAFE_INTEGER });
    this.#epochs = epochsIn(files, path, findings);
    for (const { name } of files.list(path)) if (name.endsWith('.snapshot')) this.#readSnapshot(files, name);
  }

  #readSnapshot(files: Files, name: string): void {
    const path = `${this.#path}/${name}`;
    const entries = parseProducerSnapshot(files.readFile(path));
    if (entries === undefined)
      this.#findings.wrong(path, 'its version is unknown or its checksum does not match: producers are read from the log');
    else this.#snapshots.set(offsetOfName(name) ?? 0, entries);
  }

  take(batch: RecordBatch, path: string, position: number): void {
    if (batch.magic >= 2 && batch.baseOffset > this.#nextOffset) this.#isWhole = false;
    this.#compareSnapshot(batch.baseOffset);
    this.#nextOffset = batch.lastOffset + 1;
    if (batch.magic < 2) return;
    this.#compareEpoch(batch, path, position);
    this.#state.replay(batch, (transaction, lastStableOffset) => {
      if (transaction.aborted) this.#aborted.push({ ...transaction, lastStableOffset });
    });
  }

  /** Transactions aborted since the last call; undefined when they cannot be known. */
  takeAborted(): readonly AbortedTransaction[] | undefined {
    const aborted = this.#aborted;
    this.#aborted = [];
    return this.#isWhole ? aborted : undefined;
  }

  end(endOffset: number): void {
    this.#compareSnapshot(endOffset);
    for (const offset of this.#snapshots.keys()) {
      if (offset > endOffset)
        this.#findings.wrong(this.#snapshotPath(offset), `a snapshot beyond the end of the log, ${endOffset}`);
    }
    for (const { epoch, startOffset } of this.#epochs) {
      if (startOffset > endOffset)
        this.#findings.wrong(
          `${this.#path}/${LEADER_EPOCH_FILE}`,
          `epoch ${epoch} begins at ${startOffset}, beyond the end of the log, ${endOffset}`,
        );
    }
  }

  #snapshotPath(offset: number): string {
    return `${this.#path}/${paddedOffset(offset)}${SNAPSHOT_SUFFIX}`;
  }

  /** Producers that are missing from a snapshot may have expired. */
  #compareSnapshot(offset: number): void {
    const entries = this.#snapshots.get(offset);
    if (entries === undefined || !this.#isWhole) return;
    for (const entry of entries) {
      const known = this.#state.get(entry.producerId);
      if (known !== undefined && shown(known) === shown(entry)) continue;
      const replayed = known === undefined ? 'does not know it' : `has ${shown(known)}`;
      this.#findings.wrong(
        this.#snapshotPath(offset),
        `producer ${entry.producerId} with ${shown(entry)}, and the log ${replayed}`,
      );
      return;
    }
  }

  #compareEpoch(batch: RecordBatch, path: string, position: number): void {
    const [earliest] = this.#epochs;
    // Of what is deleted, or is to be, the file says nothing.
    if (earliest === undefined || batch.baseOffset < earliest.startOffset || this.#epochsDiffer) return;
    const entry = this.#epochs.findLast(({ startOffset }) => startOffset <= batch.baseOffset);
    if (entry?.epoch === batch.partitionLeaderEpoch || batch.partitionLeaderEpoch < 0) return;
    this.#epochsDiffer = true;
    const file = `${this.#path}/${LEADER_EPOCH_FILE}`;
    const said = entry === undefined ? 'knows none' : `says ${entry.epoch}`;
    this.#findings.wrong(
      file,
      `of offset ${batch.baseOffset} (position ${position} of ${path.slice(this.#path.length + 1)}) the epoch is ${batch.partitionLeaderEpoch}, and the file ${said}`,
    );
  }
}

const shown = (entry: ProducerEntry): string =>
  `epoch ${entry.producerEpoch}, last sequence ${entry.lastSequence} at ${entry.lastBatch?.lastOffset ?? -1}, transaction from ${entry.currentTxnFirstOffset}, coordinator epoch ${entry.coordinatorEpoch}`;

function epochsIn(
  files: Files,
  directory: string,
  findings: Findings,
): { readonly epoch: number; readonly startOffset: number }[] {
  const path = `${directory}/${LEADER_EPOCH_FILE}`;
  if (files.stat(path) === undefined) return [];
  const lines = readCheckpoint(files, path);
  if (lines === undefined) {
    findings.wrong(path, 'no version 0, or not as many lines as it says');
    return [];
  }
  const entries = lines.map(([epoch, startOffset]) => ({ epoch: Number(epoch), startOffset: Number(startOffset) }));
  for (const [i, { epoch, startOffset }] of entries.entries()) {
    const previous = entries[i - 1];
    const rises = previous === undefined || (epoch > previous.epoch && startOffset > previous.startOffset);
    if (Number.isSafeInteger(epoch) && Number.isSafeInteger(startOffset) && epoch >= 0 && startOffset >= 0 && rises) continue;
    findings.wrong(path, `line ${i + 3} does not follow: ${lines[i]?.join(' ')}`);
    return [];
  }
  return entries;
}

/** The topic id in partition.metadata; undefined when there is none, which is told. */
export function verifyPartitionMetadata(files: Files, directory: string, findings: Findings): string | undefined {
  const path = `${directory}/${PARTITION_METADATA_FILE}`;
  const topicId = readPartitionMetadata(files, directory);
  if (topicId === undefined)
    findings.wrong(
      path,
      files.stat(path) === undefined ? 'missing: Apache Kafka would set the directory aside as stray' : 'no topic id in it',
    );
  return topicId;
}

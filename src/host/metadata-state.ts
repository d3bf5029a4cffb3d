/**
 * What the metadata log holds, gathered while it is read: the image twice over, and what the quorum has told its log about itself.
 *
 * `ahead` has every record that was appended, and is what the controller decides on. `committed` has those that are durable, and is what everybody
 * else sees. The two share the records' contents.
 */
import { MetadataImage } from '../machine/metadata/image.ts';
import { MetadataChanges } from '../machine/metadata/metadata-change.ts';
import { MetadataReplay } from '../machine/metadata/replay.ts';
import type { ControlRecord } from '../wire/control-record.ts';
import type { VotersRecordVoter } from '../wire/generated/records/voters-record.ts';
import type { MetadataRecord } from '../wire/metadata-record.ts';
import type { RecordBatch } from '../wire/record-batch.ts';
import { controlEntries, metadataEntries } from './metadata-batch.ts';

export class MetadataState {
  readonly ahead = new MetadataImage();
  readonly committed = new MetadataImage();
  readonly #aheadReplay = new MetadataReplay(this.ahead);
  readonly #committedReplay = new MetadataReplay(this.committed);
  /** 0 until a KRaftVersion record says otherwise. */
  kraftVersion = 0;
  /** Of a dynamic quorum, as the last Voters record has them. */
  voters: readonly VotersRecordVoter[] | undefined;
  /** Of any quorum, as the last LeaderChange record has them. */
  voterIds: readonly number[] | undefined;
  lastEpoch = 0;
  /** Of the last record that is committed. */
  committedTimestampMs = 0;
  /** True when there was anything at all in the directory. */
  isFormatted = false;

  get inTransaction(): boolean {
    return this.#aheadReplay.inTransaction;
  }

  /** A batch that is durable already; records before `from` are left out. */
  load(batch: RecordBatch, from: number): void {
    if (batch.partitionLeaderEpoch > this.lastEpoch) this.lastEpoch = batch.partitionLeaderEpoch;
    if (batch.isControl) {
      for (const { offset, record } of controlEntries(batch)) if (offset >= from) this.control(record);
    } else {
      const unseen = new MetadataChanges();
      for (const { offset, record } of metadataEntries(batch)) {
        if (offset < from) continue;
        this.#aheadReplay.replay(record, unseen);
        this.#committedReplay.replay(record, unseen);
      }
    }
    for (const image of [this.ahead, this.committed]) {
      image.offset = batch.lastOffset;
      image.epoch = batch.partitionLeaderEpoch;
    }
    this.committedTimestampMs = batch.maxTimestamp;
  }

  control(record: ControlRecord): void {
    if (record.kind === 'KRaftVersion') this.kraftVersion = record.value.kRaftVersion;
    else if (record.kind === 'KRaftVoters') this.voters = record.value.voters;
    else if (record.kind === 'LeaderChange') this.voterIds = record.value.voters.map((voter) => voter.voterId);
  }

  append(records: readonly MetadataRecord[], lastOffset: number, epoch: number): void {
    const unseen = new MetadataChanges();
    for (const record of records) this.#aheadReplay.replay(record, unseen);
    this.ahead.offset = lastOffset;
    this.ahead.epoch = epoch;
  }

  commit(
    records: readonly MetadataRecord[],
    changes: MetadataChanges,
    { lastOffset, epoch, timestampMs }: { readonly lastOffset: number; readonly epoch: number; readonly timestampMs: number },
  ): void {
    for (const record of records) this.#committedReplay.replay(record, changes);
    this.committed.offset = lastOffset;
    this.committed.epoch = epoch;
    this.committedTimestampMs = timestampMs;
  }
}

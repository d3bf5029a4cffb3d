/**
 * What one append would make of one producer: checked and staged here, and taken over only when the whole append is sound.
 *
 * Checks, their order and their texts are those of Apache Kafka's ProducerAppendInfo (KIP-98, KIP-360, KIP-890, KIP-1228). A log that copies
 * another (origin `replication`) only notes what it is given.
 */
import { ErrorCode } from '../wire/generated/errors.ts';
import type { RecordBatch } from '../wire/record-batch.ts';
import { recordsOf } from '../wire/record.ts';
import { ProducerEntry } from './producer-entry.ts';
import type { AppendOrigin } from './validator-contract.ts';
import type { Verification } from './verification.ts';

export interface CompletedTransaction {
  readonly producerId: number;
  readonly firstOffset: number;
  /** Of the marker. */
  readonly lastOffset: number;
  readonly aborted: boolean;
}

export interface ProducerRefusal {
  readonly error: ErrorCode;
  readonly message: string;
}

const ABORT_MARKER = 0;
const MAX_EPOCH = 0x7fff;
const MAX_SEQUENCE = 0x7fff_ffff;

const followsInSequence = (last: number, next: number): boolean => next === last + 1 || (next === 0 && last === MAX_SEQUENCE);

/** Before anybody asks a coordinator about a batch of a transaction. */
export function olderEpochRefusal(
  { producerId, producerEpoch }: Pick<RecordBatch, 'producerId' | 'producerEpoch'>,
  entry: ProducerEntry | undefined,
): ProducerRefusal | undefined {
  if (entry === undefined || producerEpoch >= entry.producerEpoch) return undefined;
  const message = `Epoch of producer ${producerId} is ${producerEpoch}, which is smaller than the last seen epoch ${entry.producerEpoch}`;
  return { error: ErrorCode.INVALID_PRODUCER_EPOCH, message };
}

interface EndMarker {
  readonly aborted: boolean;
  readonly coordinatorEpoch: number;
  readonly timestamp: number;
}

/** Undefined for an empty control batch: compaction has removed the transaction. */
function endMarkerOf(batch: RecordBatch): EndMarker | undefined {
  const record = recordsOf(batch)[0];
  if (record === undefined || record.key === null || record.value === null) return undefined;
  return {
    aborted: record.key.readInt16BE(2) === ABORT_MARKER,
    coordinatorEpoch: record.value.readInt32BE(2),
    timestamp: record.timestamp,
  };
}

export class ProducerAppend {
  readonly producerId: number;
  readonly updated: ProducerEntry;
  /** First offset of a transaction that began in this append, or -1. */
  startedTxnFirstOffset = -1;
  /** The last transactional batch staged. */
  transactional: RecordBatch | undefined;
  private readonly current: ProducerEntry;
  private readonly origin: AppendOrigin;
  private readonly where: string;
  private readonly verification: Verification | undefined;

  constructor(
    producerId: number,
    current: ProducerEntry | undefined,
    origin: AppendOrigin,
    where: string,
    verification: Verification | undefined,
  ) {
    const before = current ?? new ProducerEntry(producerId);
    this.producerId = producerId;
    this.current = before;
    this.origin = origin;
    this.where = where;
    this.verification = verification;
    this.updated = new ProducerEntry(
      producerId,
      before.producerEpoch,
      before.coordinatorEpoch,
      before.lastTimestamp,
      before.currentTxnFirstOffset,
    );
  }

  /** Stages the batch. The transaction that its marker ends, nothing, or why it is refused. */
  add(batch: RecordBatch, transactionVersion: number): CompletedTransaction | ProducerRefusal | undefined {
    if (batch.isTransactional) this.transactional = batch;
    if (!batch.isControl) return this.addData(batch);
    const marker = endMarkerOf(batch);
    return marker === undefined ? undefined : this.addMarker(batch, marker, transactionVersion);
  }

  private addData(batch: RecordBatch): ProducerRefusal | undefined {
    const { producerEpoch, baseOffset, lastOffset, isTransactional, maxTimestamp, lastSequence } = batch;
    const refused =
      this.checkEpoch(producerEpoch, baseOffset, -1) ??
      (this.origin === 'client' ? this.checkSequence(producerEpoch, batch.baseSequence, baseOffset) : undefined);
    if (refused !== undefined) return refused;
    const { updated } = this;
    updated.addBatch(producerEpoch, { lastSequence, lastOffset, offsetDelta: lastOffset - baseOffset, timestamp: maxTimestamp });
    if (updated.currentTxnFirstOffset >= 0 && !isTransactional) {
      return {
        error: ErrorCode.INVALID_TXN_STATE,
        message: `Expected transactional write from producer ${this.producerId} at offset ${baseOffset} in partition ${this.where}`,
      };
    }
    if (updated.currentTxnFirstOffset < 0 && isTransactional) {
      updated.currentTxnFirstOffset = baseOffset;
      this.startedTxnFirstOffset = baseOffset;
    }
    return undefined;
  }

  private addMarker(
    batch: RecordBatch,
    marker: EndMarker,
    transactionVersion: number,
  ): CompletedTransaction | ProducerRefusal | undefined {
    const { producerEpoch, baseOffset } = batch;
    const refused = this.checkEpoch(producerEpoch, baseOffset, transactionVersion) ?? this.checkCoordinator(marker, baseOffset);
    if (refused !== undefined) return refused;
    const { updated, producerId } = this;
    const firstOffset = updated.currentTxnFirstOffset;
    updated.setEpoch(producerEpoch);
    updated.coordinatorEpoch = marker.coordinatorEpoch;
    updated.lastTimestamp = marker.timestamp;
    updated.currentTxnFirstOffset = -1;
    return firstOffset < 0 ? undefined : { producerId, firstOffset, lastOffset: baseOffset, aborted: marker.aborted };
  }

  private checkEpoch(epoch: number, offset: number, transactionVersion: number): ProducerRefusal | undefined {
    const current = this.updated.producerEpoch;
    const strict = transactionVersion >= 2;
    if (strict ? epoch > current : epoch >= current) return undefined;
    if (strict && epoch === current && (this.updated.currentTxnFirstOffset < 0 || epoch === MAX_EPOCH)) return undefined;
    if (this.origin === 'replication') return undefined;
    const relation = strict ? '<=' : '<';
    return {
      error: ErrorCode.INVALID_PRODUCER_EPOCH,
      message:
        `Epoch of producer ${this.producerId} at offset ${offset} in ${this.where} is ${epoch}, ` +
        `which is ${relation} the last seen epoch ${current} (TV${transactionVersion})`,
    };
  }

  private checkSequence(epoch: number, firstSequence: number, offset: number): ProducerRefusal | undefined {
    const { updated, current, producerId, where } = this;
    const refused = this.checkFirstSequence(firstSequence, offset);
    if (refused !== undefined) return refused;
    if (epoch !== updated.producerEpoch) {
      if (firstSequence === 0 || updated.producerEpoch < 0) return undefined;
      return {
        error: ErrorCode.OUT_OF_ORDER_SEQUENCE_NUMBER,
        message:
          `Invalid sequence number for new epoch of producer ${producerId}at offset ${offset} in partition ${where}: ` +
          `${epoch} (request epoch), ${firstSequence} (seq. number), ${updated.producerEpoch} (current producer epoch)`,
      };
    }
    const last = updated.batches.length > 0 ? updated.lastSequence : epoch === current.producerEpoch ? current.lastSequence : -1;
    if (current.producerEpoch < 0 || followsInSequence(last, firstSequence)) return undefined;
    return {
      error: ErrorCode.OUT_OF_ORDER_SEQUENCE_NUMBER,
      message:
        `Out of order sequence number for producer ${producerId} at offset ${offset} in partition ${where}: ` +
        `${firstSequence} (incoming seq. number), ${last} (current end sequence number)`,
    };
  }

  /** While a transaction is being verified (KIP-890): nothing may be written ahead of its first batch. */
  private checkFirstSequence(firstSequence: number, offset: number): ProducerRefusal | undefined {
    const { verification, current, producerId, where } = this;
    if (verification === undefined) return undefined;
    const refuse = (what: string, why: string): ProducerRefusal => ({
      error: ErrorCode.OUT_OF_ORDER_SEQUENCE_NUMBER,
      message: `${what} sequence number for producer ${producerId} at offset ${offset} in partition ${where}: ${firstSequence} (incoming seq. number)${why}`,
    });
    if (verification.bumpsEpochs && firstSequence !== 0 && current.batches.length === 0) {
      return refuse('Invalid', '. Expected sequence 0 for transactions v2 idempotent producer with no existing state.');
    }
    if (firstSequence <= verification.lowestSequence) return undefined;
    return refuse('Out of order', `, ${verification.lowestSequence} (earliest seen sequence)`);
  }

  private checkCoordinator(marker: EndMarker, offset: number): ProducerRefusal | undefined {
    const known = this.updated.coordinatorEpoch;
    if (known <= marker.coordinatorEpoch || this.origin === 'replication') return undefined;
    return {
      error: ErrorCode.TRANSACTION_COORDINATOR_FENCED,
      message:
        `Invalid coordinator epoch for producerId ${this.producerId} at offset ${offset} in partition ${this.where}: ` +
        `${marker.coordinatorEpoch} (zombie), ${known} (current)`,
    };
  }
}

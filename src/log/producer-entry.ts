/**
 * What a log knows of one producer: its epoch, its last five batches, and where its open transaction began.
 *
 * Invariants: at most five batches, oldest first, all of `producerEpoch`. Source: KIP-98, KIP-360; ProducerStateEntry of Apache Kafka.
 */
import type { RecordBatch } from '../wire/record-batch.ts';

const BATCHES_KEPT = 5;
const SEQUENCES = 0x8000_0000;

export interface ProducerBatch {
  readonly lastSequence: number;
  readonly lastOffset: number;
  readonly offsetDelta: number;
  readonly timestamp: number;
}

export const firstOffsetOf = (batch: ProducerBatch): number => batch.lastOffset - batch.offsetDelta;

/** Sequences wrap from 2^31-1 to 0. */
function firstSequenceOf(batch: ProducerBatch): number {
  const sequence = batch.lastSequence - batch.offsetDelta;
  return sequence < 0 ? sequence + SEQUENCES : sequence;
}

export class ProducerEntry {
  readonly producerId: number;
  producerEpoch: number;
  coordinatorEpoch: number;
  lastTimestamp: number;
  /** -1 when no transaction is open. */
  currentTxnFirstOffset: number;
  batches: ProducerBatch[] = [];

  constructor(producerId: number, producerEpoch = -1, coordinatorEpoch = -1, lastTimestamp = -1, currentTxnFirstOffset = -1) {
    this.producerId = producerId;
    this.producerEpoch = producerEpoch;
    this.coordinatorEpoch = coordinatorEpoch;
    this.lastTimestamp = lastTimestamp;
    this.currentTxnFirstOffset = currentTxnFirstOffset;
  }

  get lastBatch(): ProducerBatch | undefined {
    return this.batches[this.batches.length - 1];
  }

  /** -1 when no batch is known. */
  get lastSequence(): number {
    return this.lastBatch?.lastSequence ?? -1;
  }

  setEpoch(epoch: number): void {
    if (this.producerEpoch === epoch) return;
    this.batches = [];
    this.producerEpoch = epoch;
  }

  addBatch(epoch: number, batch: ProducerBatch): void {
    this.setEpoch(epoch);
    if (this.batches.length === BATCHES_KEPT) this.batches.shift();
    this.batches.push(batch);
    this.lastTimestamp = batch.timestamp;
  }

  /** The kept batch with the very same epoch and sequences. */
  duplicateOf(batch: RecordBatch): ProducerBatch | undefined {
    if (batch.producerEpoch !== this.producerEpoch) return undefined;
    const { baseSequence, lastSequence } = batch;
    return this.batches.find((kept) => kept.lastSequence === lastSequence && firstSequenceOf(kept) === baseSequence);
  }
}

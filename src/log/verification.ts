/**
 * The first batches of transactions that their coordinator is being asked about (KIP-890), by producer: one at a time in each log. Whoever asks gets the
 * guard, and shows it when it appends; what ends or begins a transaction meanwhile takes the guard away, so that an answer that comes late lets nothing in.
 *
 * Source: VerificationStateEntry and VerificationGuard of Apache Kafka.
 */
import type { RecordBatch } from '../wire/record-batch.ts';

export interface Verification {
  /** Time of day in milliseconds; it goes with producers that have been silent as long. */
  readonly startedMs: number;
  /** The producer's epoch rises with every transaction (transactions of version 2). */
  readonly bumpsEpochs: boolean;
  /** Of the batches that wait, in `epoch`. */
  lowestSequence: number;
  epoch: number;
}

/** Shown at the append. A name for `Verification` that gives nothing away: it is compared by identity. */
export type VerificationGuard = Readonly<Verification>;

export interface FirstBatch {
  readonly producerId: number;
  readonly producerEpoch: number;
  /** -1 where batches have none: those of a coordinator. */
  readonly baseSequence: number;
  readonly bumpsEpochs: boolean;
}

export class Verifications {
  private readonly byProducer = new Map<number, Verification>();

  get(producerId: number): Verification | undefined {
    return this.byProducer.size === 0 ? undefined : this.byProducer.get(producerId);
  }

  /** The guard for this producer: a new one, or the one that there is. */
  start(batch: FirstBatch, nowMs: number): VerificationGuard {
    const { producerId, producerEpoch, baseSequence, bumpsEpochs } = batch;
    let known = this.byProducer.get(producerId);
    if (known === undefined) {
      known = { startedMs: nowMs, bumpsEpochs, lowestSequence: baseSequence, epoch: producerEpoch };
      this.byProducer.set(producerId, known);
    }
    if (producerEpoch > known.epoch || (producerEpoch === known.epoch && baseSequence < known.lowestSequence)) {
      known.epoch = producerEpoch;
      known.lowestSequence = baseSequence;
    }
    return known;
  }

  /** A transactional batch has been appended. A marker that ends the transaction before leaves those who wait to begin the next. */
  onAppended(batch: RecordBatch): void {
    const known = this.get(batch.producerId);
    if (known === undefined) return;
    const isEndOfLast = known.bumpsEpochs && batch.isControl && batch.producerEpoch === known.epoch;
    if (!isEndOfLast) this.byProducer.delete(batch.producerId);
  }

  removeExpired(nowMs: number, expirationMs: number): void {
    for (const [producerId, { startedMs }] of this.byProducer) {
      if (nowMs - startedMs >= expirationMs) this.byProducer.delete(producerId);
    }
  }
}

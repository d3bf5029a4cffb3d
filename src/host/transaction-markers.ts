/**
 * Writes the ends of transactions into the partitions that this broker leads: for other brokers and tools (WriteTxnMarkers), and for the coordinator here,
 * which goes on until every partition has its marker or is no more.
 *
 * In `__consumer_offsets` the marker goes through the machine that keeps the groups, so that offsets count from then on or are forgotten.
 * Source: TransactionMarkerChannelManager and TransactionMarkerRequestCompletionHandler of Apache Kafka.
 */
import { type TopicPartitions, topicPartitionsOf } from '../machine/transaction/transaction.ts';
import type { MetadataImage } from '../machine/metadata/image.ts';
import type { Partitions } from '../partition/partitions.ts';
import { appendEndMarker, type TransactionEnd } from '../partition/transaction-end.ts';
import { ErrorCode } from '../wire/generated/errors.ts';
import type { Clock, Timer } from '../world/clock.ts';
import { OFFSETS_TOPIC } from '../wire/topic-name.ts';

export interface TransactionMarkersOptions {
  readonly clock: Clock;
  readonly image: MetadataImage;
  readonly partitions: Partitions;
  /** Ends the transaction in a partition of `__consumer_offsets`. */
  completeOffsets(index: number, end: TransactionEnd): Promise<ErrorCode>;
}

export interface MarkersToWrite {
  readonly end: TransactionEnd;
  readonly partitions: TopicPartitions;
  /** These have their marker, or are no more. Called any number of times. */
  onMarked(partitions: TopicPartitions): void;
  /** A partition knows of a later coordinator or producer: what is left is not tried again. */
  onFenced(topic: string, index: number, error: ErrorCode): void;
}

interface Place {
  readonly topic: string;
  readonly index: number;
}

const FIRST_RETRY_MS = 20;
const LAST_RETRY_MS = 1000;

export class TransactionMarkers {
  readonly #options: TransactionMarkersOptions;

  constructor(options: TransactionMarkersOptions) {
    this.#options = options;
  }

  /** NONE once the marker is committed. UNKNOWN_TOPIC_OR_PARTITION where there is no such partition in use here. */
  async write(topic: string, index: number, end: TransactionEnd): Promise<ErrorCode> {
    const { partitions, clock } = this.#options;
    const partition = partitions.find(topic, index);
    if (partition === undefined || partition.failure !== ErrorCode.NONE) return ErrorCode.UNKNOWN_TOPIC_OR_PARTITION;
    if (topic === OFFSETS_TOPIC) return this.#options.completeOffsets(index, end);
    const result = appendEndMarker(partition, end, clock.now());
    if (!result.ok) return result.error;
    return new Promise((resolve) => partition.onCommitted(result.lastOffset + 1, resolve));
  }

  /** Writes and tries again. What is returned ends that; nothing is called any more. */
  writeAll(markers: MarkersToWrite): () => void {
    const task: Task = { isCancelled: false, timer: undefined };
    const places = [...markers.partitions].flatMap(([topic, indexes]) => [...indexes].map((index) => ({ topic, index })));
    void this.#try(task, markers, places, FIRST_RETRY_MS);
    return () => {
      task.isCancelled = true;
      task.timer?.cancel();
    };
  }

  async #try(task: Task, markers: MarkersToWrite, places: readonly Place[], retryMs: number): Promise<void> {
    const { image, clock } = this.#options;
    const isGone = ({ topic, index }: Place): boolean => image.partition(topic, index) === undefined;
    const errors = await Promise.all(
      places.map(async (place) => (isGone(place) ? ErrorCode.NONE : this.write(place.topic, place.index, markers.end))),
    );
    if (task.isCancelled) return;
    const marked = places.filter((_place, i) => errors[i] === ErrorCode.NONE);
    const fenced = places.findIndex((_place, i) => isFencing(errors[i]));
    const left = places.filter((_place, i) => errors[i] !== ErrorCode.NONE);
    if (marked.length > 0) markers.onMarked(topicPartitionsOf(marked));
    const first = places[fenced];
    if (first !== undefined) return markers.onFenced(first.topic, first.index, errors[fenced] ?? ErrorCode.NONE);
    if (left.length === 0) return;
    task.timer = clock.after(retryMs, () => void this.#try(task, markers, left, Math.min(2 * retryMs, LAST_RETRY_MS)));
  }
}

interface Task {
  isCancelled: boolean;
  timer: Timer | undefined;
}

function isFencing(error: ErrorCode | undefined): boolean {
  return error === ErrorCode.INVALID_PRODUCER_EPOCH || error === ErrorCode.TRANSACTION_COORDINATOR_FENCED;
}

/**
 * What the coordinator knows of one transactional id, as the log has it, and the moves from one such value to the next.
 *
 * Every value is made by `next` from the one before, which refuses a move that the table of SPEC.md does not have.
 * Source: TransactionMetadata and TransactionState of Apache Kafka; KIP-98, KIP-360, KIP-890, KIP-939.
 */
export type TransactionState = 'Empty' | 'Ongoing' | 'PrepareCommit' | 'PrepareAbort' | 'CompleteCommit' | 'CompleteAbort';

/** Topic partitions: indexes by topic. */
export type TopicPartitions = ReadonlyMap<string, ReadonlySet<number>>;

export interface Transaction {
  readonly state: TransactionState;
  readonly producerId: number;
  /** Of the record before this one; -1 when there was none. */
  readonly previousProducerId: number;
  /** What takes the place of `producerId` when the transaction is complete, its epochs being used up; -1: nothing does. */
  readonly nextProducerId: number;
  /** -1 only of an id that has just come up. */
  readonly producerEpoch: number;
  /** The one before, for a producer that asks again for what it has got (KIP-360); -1: none. Not in the log: a load forgets it. */
  readonly lastProducerEpoch: number;
  readonly timeoutMs: number;
  readonly partitions: TopicPartitions;
  /** When it became Ongoing; -1 in Empty. */
  readonly startMs: number;
  readonly lastUpdateMs: number;
  /** transaction.version that the client went by: 0 or 2. */
  readonly clientVersion: number;
}

/** From which states each one is reached. */
export const PREVIOUS_STATES: Readonly<Record<TransactionState, ReadonlySet<TransactionState>>> = {
  Empty: new Set(['Empty', 'CompleteCommit', 'CompleteAbort']),
  Ongoing: new Set(['Ongoing', 'Empty', 'CompleteCommit', 'CompleteAbort']),
  PrepareCommit: new Set(['Ongoing']),
  PrepareAbort: new Set(['Ongoing', 'Empty', 'CompleteCommit', 'CompleteAbort']),
  CompleteCommit: new Set(['PrepareCommit']),
  CompleteAbort: new Set(['PrepareAbort']),
};

export const NO_PRODUCER_ID = -1;
export const NO_PRODUCER_EPOCH = -1;
/** One above the last epoch that a producer is given: what fences it then still has a number. */
export const MAX_EPOCH = 0x7fff;
/** Producers with a coordinator of their own never time out (KIP-939). */
export const TWO_PHASE_TIMEOUT_MS = 0x7fff_ffff;
/** The first transaction.version in which the epoch rises with every transaction (KIP-890). */
export const EPOCH_BUMP_VERSION = 2;

export const NO_PARTITIONS: TopicPartitions = new Map();

export const isEpochExhausted = (epoch: number): boolean => epoch >= MAX_EPOCH - 1;

/** Its end is decided and not yet written everywhere. */
export const isPrepared = ({ state }: Transaction): boolean => state === 'PrepareCommit' || state === 'PrepareAbort';

export const isAtRest = ({ state }: Transaction): boolean =>
  state === 'Empty' || state === 'CompleteCommit' || state === 'CompleteAbort';

export function newTransaction(producerId: number, timeoutMs: number, nowMs: number): Transaction {
  return {
    state: 'Empty',
    producerId,
    previousProducerId: NO_PRODUCER_ID,
    nextProducerId: NO_PRODUCER_ID,
    producerEpoch: NO_PRODUCER_EPOCH,
    lastProducerEpoch: NO_PRODUCER_EPOCH,
    timeoutMs,
    partitions: NO_PARTITIONS,
    startMs: -1,
    lastUpdateMs: nowMs,
    clientVersion: 0,
  };
}

/** An Error when the table has no such move: the machine is wrong, not its client. */
export function next(
  from: Transaction,
  state: TransactionState,
  changes: Partial<Omit<Transaction, 'state' | 'previousProducerId'>>,
): Transaction {
  if (!PREVIOUS_STATES[state].has(from.state)) throw new Error(`a transaction does not go from ${from.state} to ${state}`);
  const to = { ...from, ...changes, state, previousProducerId: from.producerId };
  if (to.producerId < 0 || to.producerEpoch < 0 || to.producerEpoch > MAX_EPOCH)
    throw new Error(`${state} with producer ${to.producerId} and epoch ${to.producerEpoch}`);
  return to;
}

export function topicPartitionsOf(places: Iterable<{ readonly topic: string; readonly index: number }>): TopicPartitions {
  const topics = new Map<string, Set<number>>();
  for (const { topic, index } of places) {
    const indexes = topics.get(topic);
    if (indexes === undefined) topics.set(topic, new Set([index]));
    else indexes.add(index);
  }
  return topics;
}

export function containsAll(partitions: TopicPartitions, wanted: TopicPartitions): boolean {
  for (const [topic, indexes] of wanted) {
    const known = partitions.get(topic);
    for (const index of indexes) if (known?.has(index) !== true) return false;
  }
  return true;
}

export function union(partitions: TopicPartitions, added: TopicPartitions): TopicPartitions {
  const all = new Map(partitions);
  for (const [topic, indexes] of added) all.set(topic, new Set([...(all.get(topic) ?? []), ...indexes]));
  return all;
}

export function without(partitions: TopicPartitions, removed: TopicPartitions): TopicPartitions {
  const rest = new Map<string, ReadonlySet<number>>();
  for (const [topic, indexes] of partitions) {
    const gone = removed.get(topic);
    const left = [...indexes].filter((index) => gone?.has(index) !== true);
    if (left.length > 0) rest.set(topic, new Set(left));
  }
  return rest;
}

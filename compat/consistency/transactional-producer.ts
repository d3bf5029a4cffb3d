/**
 * A transactional producer over the plain protocol. It speaks either as clients did before KIP-890 (partitions are added by a request of their own, the epoch stays) or as they
 * do since (the broker adds them, the epoch grows with every end), and sends again with the same sequence numbers until it is answered.
 */
import { buildBatch } from '../../src/wire/record-batch-builder.ts';
import type { Outcome } from './history.ts';
import { GaveUp, Refused, type Connection } from './connection.ts';

/** `old`: as before KIP-890; `new`: transactions of version 2. */
export type Style = 'old' | 'new';

export interface Partition {
  readonly topic: string;
  readonly index: number;
}

export const logOf = ({ topic, index }: Partition): string => `${topic}-${index}`;

export class TransactionalProducer {
  readonly transactionalId: string;
  private readonly connection: Connection;
  private readonly style: Style;
  private readonly timeoutMs: number;
  private readonly patienceMs: number;
  private producerId = -1n;
  private epoch = -1;
  private readonly sequences = new Map<string, number>();
  private readonly added = new Set<string>();

  /** `timeoutMs`: after which the broker aborts a transaction; `patienceMs`: how long one step is tried. */
  constructor(connection: Connection, transactionalId: string, style: Style, timeoutMs: number, patienceMs: number) {
    this.connection = connection;
    this.transactionalId = transactionalId;
    this.style = style;
    this.timeoutMs = timeoutMs;
    this.patienceMs = patienceMs;
  }

  private get who() {
    return { transactionalId: this.transactionalId, producerId: this.producerId, producerEpoch: this.epoch };
  }

  /** Takes the transactional id over and ends what is open under it. With `own`, only as long as nobody else took it (KIP-360). */
  async init(own = false): Promise<void> {
    const request = {
      transactionalId: this.transactionalId,
      transactionTimeoutMs: this.timeoutMs,
      producerId: own ? this.producerId : -1n,
      producerEpoch: own ? this.epoch : -1,
    };
    const answer = await this.connection.settle('initProducerId', request, 5, ({ errorCode }) => errorCode, this.patienceMs);
    this.become(answer.producerId, answer.producerEpoch);
  }

  private become(producerId: bigint, epoch: number): void {
    if (producerId !== this.producerId || epoch !== this.epoch) this.sequences.clear();
    this.producerId = producerId;
    this.epoch = epoch;
    this.added.clear();
  }

  /** The offset of the first record of each batch. The batches go out one behind the other, five at most. */
  async send(to: Partition, batches: readonly (readonly Buffer[])[]): Promise<number[]> {
    const { topic, index } = to;
    if (this.style === 'old' && !this.added.has(logOf(to))) await this.addPartition(to);
    const requests = batches.map((values) => ({
      transactionalId: this.transactionalId,
      acks: -1,
      timeoutMs: 10_000,
      topicData: [{ name: topic, partitionData: [{ index, records: this.batchOf(to, values) }] }],
    }));
    this.added.add(logOf(to));
    const answers = await this.connection.settleAll(
      'produce',
      requests,
      this.style === 'old' ? 11 : 12,
      ({ responses }) => responses[0]?.partitionResponses[0]?.errorCode ?? -1,
      this.patienceMs,
    );
    return answers.map(({ responses }) => Number(responses[0]?.partitionResponses[0]?.baseOffset));
  }

  private batchOf(to: Partition, values: readonly Buffer[]): Buffer {
    const baseSequence = this.sequences.get(logOf(to)) ?? 0;
    this.sequences.set(logOf(to), baseSequence + values.length);
    return buildBatch({
      baseOffset: 0,
      partitionLeaderEpoch: -1,
      records: values.map((value) => ({ key: null, value, timestamp: Date.now() })),
      producerId: Number(this.producerId),
      producerEpoch: this.epoch,
      baseSequence,
      transactional: true,
    });
  }

  private async addPartition({ topic, index }: Partition): Promise<void> {
    await this.connection.settle(
      'addPartitionsToTxn',
      {
        transactions: [],
        v3AndBelowTransactionalId: this.transactionalId,
        v3AndBelowProducerId: this.producerId,
        v3AndBelowProducerEpoch: this.epoch,
        v3AndBelowTopics: [{ name: topic, partitions: [index] }],
      },
      3,
      ({ resultsByTopicV3AndBelow }) => resultsByTopicV3AndBelow[0]?.resultsByPartition[0]?.partitionErrorCode ?? -1,
      this.patienceMs,
    );
  }

  /** The group's offset moves when the transaction is committed. */
  async commitOffset(groupId: string, { topic, index }: Partition, offset: number): Promise<void> {
    if (this.style === 'old')
      await this.connection.settle('addOffsetsToTxn', { ...this.who, groupId }, 3, ({ errorCode }) => errorCode, this.patienceMs);
    const partitions = [
      { partitionIndex: index, committedOffset: BigInt(offset), committedLeaderEpoch: -1, committedMetadata: '' },
    ];
    this.added.add(groupId);
    await this.connection.settle(
      'txnOffsetCommit',
      {
        ...this.who,
        groupId,
        generationIdOrMemberEpoch: -1,
        memberId: '',
        groupInstanceId: null,
        topics: [{ name: topic, partitions }],
      },
      this.style === 'old' ? 4 : 5,
      ({ topics }) => topics[0]?.partitions[0]?.errorCode ?? -1,
      this.patienceMs,
    );
  }

  /** What became of the transaction. After `unknown`, and after a commit that is `aborted`, the producer has to begin anew with `init`. */
  async end(commit: boolean): Promise<Outcome> {
    if (this.added.size === 0) return commit ? 'committed' : 'aborted';
    try {
      const request = { ...this.who, committed: commit };
      const answer = await this.connection.settle(
        'endTxn',
        request,
        this.style === 'old' ? 4 : 5,
        ({ errorCode }) => errorCode,
        this.patienceMs,
      );
      if (this.style === 'new') this.become(answer.producerId, answer.producerEpoch);
      this.added.clear();
      return commit ? 'committed' : 'aborted';
    } catch (error) {
      if (error instanceof GaveUp) return 'unknown';
      if (error instanceof Refused) return error.uncertain ? 'unknown' : 'aborted';
      throw error;
    }
  }
}

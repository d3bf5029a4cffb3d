/** kafkajs as its users set it up: codec plug-ins registered, log silent, one reader of topics that tests share. */
import { randomUUID } from 'node:crypto';
import { createRequire } from 'node:module';
import { compress as zstdCompress, decompress as zstdDecompress } from '@mongodb-js/zstd';
import kafkajs, { type Consumer, type ConsumerConfig, type EachMessagePayload, type KafkaMessage } from 'kafkajs';
import { compressFrame, decompressFrame } from 'lz4-napi';

export const { CompressionTypes } = kafkajs;

/** What kafkajs hands to a codec plug-in. */
interface Encoder {
  readonly buffer: Buffer;
}

process.env['KAFKAJS_NO_PARTITIONER_WARNING'] = '1';
const { CompressionCodecs } = kafkajs as unknown as { CompressionCodecs: Record<number, unknown> };
CompressionCodecs[CompressionTypes.Snappy] = createRequire(import.meta.url)('kafkajs-snappy');
// The plug-ins that kafkajs names for these two compile C++ when they are installed, and not on Node 20: these are the same interface over packages with binaries.
CompressionCodecs[CompressionTypes.LZ4] = () => ({
  compress: (encoder: Encoder) => compressFrame(encoder.buffer),
  decompress: (data: Buffer) => decompressFrame(data),
});
CompressionCodecs[CompressionTypes.ZSTD] = () => ({
  compress: (encoder: Encoder) => zstdCompress(encoder.buffer),
  decompress: (data: Buffer) => zstdDecompress(data),
});

export const client = (bootstrapServers: string): kafkajs.Kafka =>
  new kafkajs.Kafka({
    brokers: [bootstrapServers],
    logLevel: kafkajs.logLevel.NOTHING,
    retry: { initialRetryTime: 20, retries: 12 },
  });

/** A name that no other test uses, also where the broker outlives the run. */
export const unique = (what: string): string => `${what}-${randomUUID().slice(0, 8)}`;

/** A topic whose name begins with `name`; its name. */
export async function createTopic(kafka: kafkajs.Kafka, name: string, numPartitions = 1): Promise<string> {
  const topic = unique(name);
  const admin = kafka.admin();
  await admin.connect();
  await admin.createTopics({ topics: [{ topic, numPartitions, replicationFactor: 1 }] });
  await admin.disconnect();
  return topic;
}

export type Received = KafkaMessage & { readonly topic: string; readonly partition: number };

/** A promise with its handles outside. */
export function latch<T = void>(): {
  readonly promise: Promise<T>;
  readonly release: (value: T) => void;
  readonly fail: (error: unknown) => void;
} {
  let release: (value: T) => void = () => undefined;
  let fail: (error: unknown) => void = () => undefined;
  const promise = new Promise<T>((resolve, reject) => {
    release = resolve;
    fail = reject;
  });
  return { promise, release, fail };
}

/** What is waited for; asked again whenever any member receives a record or an assignment, so that a condition may look at several members. */
const waiting = new Set<() => void>();
const changed = (): void => waiting.forEach((check) => check());

/** A member of a group that keeps what it receives. */
export interface Member {
  readonly consumer: Consumer;
  readonly received: Received[];
  /** The partitions of each topic that the latest rebalance gave it. */
  readonly assigned: () => Record<string, number[]>;
  /** Resolves when `condition` holds; it is asked again whenever any member has received a record or an assignment. */
  until(condition: () => boolean): Promise<void>;
  stop(): Promise<void>;
}

export interface MemberOptions extends Partial<ConsumerConfig> {
  readonly topics: readonly string[];
  readonly fromBeginning?: boolean;
  readonly autoCommit?: boolean;
  readonly onMessage?: (payload: EachMessagePayload) => void | Promise<void>;
}

/** Joins and starts; returns when the first assignment is there. */
export async function join(kafka: kafkajs.Kafka, groupId: string, options: MemberOptions): Promise<Member> {
  const { topics, fromBeginning = true, autoCommit = true, onMessage, ...config } = options;
  const consumer = kafka.consumer({ groupId, heartbeatInterval: 100, maxWaitTimeInMs: 100, sessionTimeout: 10_000, ...config });
  const received: Received[] = [];
  let assignment: Record<string, number[]> = {};
  const joined = latch();
  consumer.on(consumer.events.GROUP_JOIN, ({ payload }) => {
    assignment = payload.memberAssignment;
    joined.release();
    changed();
  });
  consumer.on(consumer.events.CRASH, ({ payload }) => {
    if (!payload.restart) joined.fail(payload.error);
  });
  await consumer.connect();
  await consumer.subscribe({ topics: [...topics], fromBeginning });
  await consumer.run({
    autoCommit,
    async eachMessage(payload) {
      received.push({ ...payload.message, topic: payload.topic, partition: payload.partition });
      await onMessage?.(payload);
      changed();
    },
  });
  await joined.promise;
  return {
    consumer,
    received,
    assigned: () => assignment,
    until(condition) {
      if (condition()) return Promise.resolve();
      const met = latch();
      const check = (): void => {
        if (!condition()) return;
        waiting.delete(check);
        met.release();
      };
      waiting.add(check);
      return met.promise;
    },
    stop: () => consumer.disconnect(),
  };
}

const place = (record: Received): string => `${record.topic} ${record.partition} ${record.offset}`;

/**
 * The first `count` records of the topics, by a group of its own. Records are told apart by where they stand, so that one that a rebalance brought twice counts
 * once; `identity` tells them apart otherwise, where the producer may have sent one twice.
 */
export async function readAll(
  kafka: kafkajs.Kafka,
  topics: readonly string[],
  count: number,
  identity = place,
): Promise<Received[]> {
  const member = await join(kafka, unique('reader'), { topics });
  const distinct = (): Received[] => [...new Map(member.received.map((record) => [identity(record), record])).values()];
  await member.until(() => distinct().length >= count);
  await member.stop();
  return distinct();
}

export const byValue = (record: Received): string => record.value?.toString() ?? '';

/** Asks again until the answer satisfies; for states that no event announces. The test's own time limit bounds it. */
export async function eventually<T>(ask: () => Promise<T>, satisfies: (answer: T) => boolean): Promise<T> {
  for (;;) {
    const answer = await ask();
    if (satisfies(answer)) return answer;
    await new Promise((resolve) => setTimeout(resolve, 10));
  }
}

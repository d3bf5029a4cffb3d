/** Requests that both owners of a data directory are sent, tried until they are answered. */
import { basename } from 'node:path';
import type { PlainClient } from '../../../test/support/plain-client.ts';
import { batchesOf } from '../../../src/wire/record-batch.ts';
import { recordsOf } from '../../../src/wire/record.ts';

export const CLIENT = 'graduation';

/** Tries until the answer is no error that passes: partitions may have no leader yet, groups no coordinator. */
export async function settled(what: string, ask: () => Promise<number>): Promise<void> {
  const deadline = Date.now() + 30_000;
  for (;;) {
    const error = await ask();
    if (error === 0) return;
    if (Date.now() > deadline) throw new Error(`${what}: error ${error}`);
    await new Promise((resolve) => setTimeout(resolve, 100));
  }
}

export async function produce(
  client: PlainClient,
  topic: string,
  index: number,
  records: Buffer,
  transactionalId: string | null = null,
): Promise<void> {
  await settled(`produce to ${topic}-${index}`, async () => {
    const request = {
      transactionalId,
      acks: -1,
      timeoutMs: 30_000,
      topicData: [{ name: topic, partitionData: [{ index, records }] }],
    };
    return (await client.call('produce', request, 9, CLIENT)).responses[0]?.partitionResponses[0]?.errorCode ?? -1;
  });
}

/** Tries until the coordinator of the group or transactional id can be asked. */
export async function coordinated(client: PlainClient, key: string, keyType: 0 | 1): Promise<void> {
  const request = { keyType, coordinatorKeys: [key] };
  await settled(
    `coordinator of ${key}`,
    async () => (await client.call('findCoordinator', request, 4, CLIENT)).coordinators[0]?.errorCode ?? -1,
  );
}

export async function commit(client: PlainClient, groupId: string, topic: string, offset: number): Promise<void> {
  const partitions = [0, 1, 2].map((partitionIndex) => ({
    partitionIndex,
    committedOffset: offset + partitionIndex,
    committedLeaderEpoch: -1,
    committedMetadata: `of ${topic}`,
  }));
  const request = {
    groupId,
    generationIdOrMemberEpoch: -1,
    memberId: '',
    groupInstanceId: null,
    topics: [{ name: topic, partitions }],
  };
  await coordinated(client, groupId, 0);
  await settled(
    `offsetCommit of ${groupId}`,
    async () => (await client.call('offsetCommit', request, 8, CLIENT)).topics[0]?.partitions[0]?.errorCode ?? -1,
  );
}

/** The name of the data directory that each partition is in; no future ones. */
export async function placesOf(client: PlainClient): Promise<Map<string, string>> {
  const { results } = await client.call('describeLogDirs', { topics: null }, 4, CLIENT);
  const places = new Map<string, string>();
  for (const { logDir, topics } of results) {
    for (const { name, partitions } of topics) {
      for (const { partitionIndex, isFutureKey } of partitions)
        if (!isFutureKey) places.set(`${name}-${partitionIndex}`, basename(logDir));
    }
  }
  return places;
}

/** The partition goes into the next of the data directories, while it is served. */
export async function move(client: PlainClient, topic: string, index: number, dataDirs: readonly string[]): Promise<void> {
  const log = `${topic}-${index}`;
  const place = (await placesOf(client)).get(log);
  const to = dataDirs.find((dataDir) => basename(dataDir) !== place) ?? '';
  const request = { dirs: [{ path: to, topics: [{ name: topic, partitions: [index] }] }] };
  await settled(
    `alterReplicaLogDirs of ${log}`,
    async () => (await client.call('alterReplicaLogDirs', request, 2, CLIENT)).results[0]?.partitions[0]?.errorCode ?? -1,
  );
  await settled(`the move of ${log}`, async () => ((await placesOf(client)).get(log) === basename(to) ? 0 : 1));
}

/** Records from `offset` on, uncommitted ones and markers too; the aborted transactions among them; the offset to go on at. */
export async function fetched(client: PlainClient, topic: string, partition: number, offset: number) {
  const wanted = {
    partition,
    currentLeaderEpoch: -1,
    fetchOffset: offset,
    lastFetchedEpoch: -1,
    logStartOffset: -1,
    partitionMaxBytes: 1 << 20,
  };
  const request = {
    maxWaitMs: 500,
    minBytes: 1,
    maxBytes: 1 << 20,
    sessionId: 0,
    sessionEpoch: -1,
    forgottenTopicsData: [],
    topics: [{ topic, partitions: [wanted] }],
  };
  const [uncommitted, committed] = [0, 1];
  const answers = [];
  for (const isolationLevel of [uncommitted, committed]) {
    const answer = await client.call(
      'fetch',
      { ...request, minBytes: isolationLevel === committed ? 0 : 1, isolationLevel },
      12,
      CLIENT,
    );
    const data = answer.responses[0]?.partitions[0];
    if (data?.errorCode !== 0) throw new Error(`fetch of ${topic}-${partition} at ${offset}: error ${data?.errorCode}`);
    answers.push(data);
  }
  const batches = batchesOf(answers[0]?.records ?? Buffer.alloc(0));
  const records = batches.flatMap((batch) => recordsOf(batch)).filter((record) => record.offset >= offset);
  return { records, aborted: answers[1]?.abortedTransactions ?? [], next: (batches.at(-1)?.lastOffset ?? offset - 1) + 1 };
}

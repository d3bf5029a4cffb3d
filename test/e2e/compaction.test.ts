/**
 * The broker as it ships compacts in a thread of its own, the groups' state too: what is left are the latest values and the committed positions, also
 * after the next start.
 */
import { mkdtempSync, readdirSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect } from 'chai';
import { type ChildBroker, runCommand } from '../support/child-broker.ts';
import { client, latch } from '../support/kafkajs.ts';
import { PlainClient } from '../support/plain-client.ts';

const SETTINGS = ['log.cleaner.backoff.ms=100', 'log.cleaner.min.cleanable.ratio=0.01', 'offsets.topic.num.partitions=1'];
const KEYS = 20;
const ROUNDS = 40;

/** Commits as a client without a group does; the topic of the groups may be made by that. */
async function commit(plain: PlainClient, groupId: string, offset: number): Promise<void> {
  const partitions = [{ partitionIndex: 0, committedOffset: offset, committedLeaderEpoch: -1, committedMetadata: 'note' }];
  const request = {
    groupId,
    generationIdOrMemberEpoch: -1,
    memberId: '',
    groupInstanceId: null,
    topics: [{ name: 'keyed', partitions }],
  };
  for (let tries = 0; ; tries++) {
    await plain.call('findCoordinator', { keyType: 0, coordinatorKeys: [groupId] }, 4, 'test');
    const answer = await plain.call('offsetCommit', request, 8, 'test');
    const error = answer.topics[0]?.partitions[0]?.errorCode;
    if (error === 0) return;
    if (tries === 100) throw new Error(`offsetCommit of ${groupId}: error ${error}`);
    await new Promise((resolve) => setTimeout(resolve, 50));
  }
}

describe('Compaction', () => {
  let folder = '';
  let broker: ChildBroker | undefined;

  const start = async (): Promise<string> => {
    const overrides = SETTINGS.flatMap((setting) => ['--override', setting]);
    broker = runCommand(['start', '--port', '0', '--data-dir', folder, ...overrides]);
    return `127.0.0.1:${await broker.port()}`;
  };

  const stop = async (): Promise<void> => {
    broker?.process.kill('SIGTERM');
    expect((await broker?.ended)?.code).to.equal(0);
    broker = undefined;
  };

  beforeEach(() => {
    folder = mkdtempSync(join(tmpdir(), 'blumfeld-compaction-'));
  });

  afterEach(() => {
    broker?.process.kill('SIGKILL');
    rmSync(folder, { recursive: true, force: true });
  });

  const checkpoint = (): string => {
    try {
      return readFileSync(join(folder, 'cleaner-offset-checkpoint'), 'utf8');
    } catch {
      return '';
    }
  };

  /** The first look at the disk that pleases. */
  const until = async (what: string, look: () => boolean): Promise<void> => {
    for (let waited = 0; !look(); waited += 50) {
      if (waited > 20_000) throw new Error(`${what}: ${checkpoint()}`);
      await new Promise((resolve) => setTimeout(resolve, 50));
    }
  };

  const bytesOf = (partition: string): number =>
    readdirSync(join(folder, partition))
      .filter((name) => name.endsWith('.log'))
      .reduce((sum, name) => sum + readFileSync(join(folder, partition, name)).length, 0);

  it('leaves the latest value of each key, and what groups have committed', async function () {
    this.timeout(60_000);
    const address = await start();
    const plain = new PlainClient({ host: '127.0.0.1', port: Number(address.split(':')[1]) });
    const first = client(address);
    const admin = first.admin();
    await admin.createTopics({
      topics: [
        {
          topic: 'keyed',
          numPartitions: 1,
          configEntries: [
            { name: 'cleanup.policy', value: 'compact' },
            { name: 'internal.segment.bytes', value: '5000' },
          ],
        },
      ],
    });
    const producer = first.producer();
    await producer.connect();
    await commit(plain, 'group-0', 0);
    const configs = [{ name: 'internal.segment.bytes', configOperation: 0, value: '2000' }];
    const resources = [{ resourceType: 2, resourceName: '__consumer_offsets', configs }];
    await plain.call('incrementalAlterConfigs', { resources, validateOnly: false }, 1, 'test');
    for (let round = 0; round < ROUNDS; round++) {
      const messages = Array.from({ length: KEYS }, (_unused, i) => ({ key: `key-${i}`, value: `${round}`.padStart(30) }));
      await producer.send({ topic: 'keyed', messages });
      await commit(plain, `group-${round % 3}`, round);
    }
    await producer.disconnect();
    await until('keyed is not compacted', () => bytesOf('keyed-0') < 15_000);
    await until('the groups are not compacted', () => /__consumer_offsets 0 [1-9]/.test(checkpoint()));
    await admin.disconnect();
    plain.close();
    await stop();

    const second = client(await start());
    const again = second.admin();
    for (const group of [0, 1, 2]) {
      const [found] = await again.fetchOffsets({ groupId: `group-${group}`, topics: ['keyed'] });
      const last = ROUNDS - 1 - ((ROUNDS - 1 - group) % 3);
      expect(found?.partitions, `group-${group}`).to.deep.equal([{ partition: 0, offset: String(last), metadata: 'note' }]);
    }
    await again.disconnect();
    const consumer = second.consumer({ groupId: 'reader' });
    const done = latch();
    const values = new Map<string, string>();
    let count = 0;
    await consumer.connect();
    await consumer.subscribe({ topic: 'keyed', fromBeginning: true });
    await consumer.run({
      eachMessage: ({ message }) => {
        count++;
        values.set(String(message.key), String(message.value).trim());
        if (Number(message.offset) === ROUNDS * KEYS - 1) done.release();
        return Promise.resolve();
      },
    });
    await done.promise;
    await consumer.disconnect();
    expect([...values.values()]).to.deep.equal(Array.from({ length: KEYS }, () => String(ROUNDS - 1)));
    expect(count).to.be.lessThan((ROUNDS * KEYS) / 2);
    await stop();
    expect(readdirSync(join(folder, 'keyed-0')).filter((name) => /\.(?:cleaned|swap)$/.test(name))).to.deep.equal([]);
  });
});

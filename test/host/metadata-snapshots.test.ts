/** Snapshots of the metadata log: when they are taken, what they hold, what goes behind them, and starting from them. */
import { expect } from 'chai';
import { MetadataLog, type MetadataLogOptions } from '../../src/host/metadata-log.ts';
import { readSnapshot, snapshotsIn } from '../../src/host/metadata-snapshot.ts';
import { controlEntries, metadataEntries } from '../../src/host/metadata-batch.ts';
import { LogDirectory } from '../../src/log/log-directory.ts';
import { imageRecords } from '../../src/machine/metadata/image-records.ts';
import { StorageFailure } from '../../src/world/files.ts';
import { VirtualClock } from '../../src/world/virtual-clock.ts';
import { BrokerProperties } from '../machine/metadata/cluster.ts';
import { FakeFiles } from '../sim/fake-files.ts';
import { SeededRandom } from '../sim/seeded-random.ts';

const PATH = '/data';
const DIRECTORY = `${PATH}/__cluster_metadata-0`;
const HOUR_MS = 3_600_000;
const RULES = { maxBytesBetween: 1e9, maxIntervalMs: 0, retentionBytes: -1, retentionMs: -1 };

const topic = (name: string, numPartitions = 1) => ({ name, numPartitions, replicationFactor: 1, assignments: [], configs: [] });
const creation = (...topics: ReturnType<typeof topic>[]) => ({ timeoutMs: 0, validateOnly: false, topics });

class Node {
  clock = new VirtualClock(1_700_000_000_000);
  files = new FakeFiles(() => this.clock.now());
  readonly random = new SeededRandom(1);
  log!: MetadataLog;
  directory!: LogDirectory;

  async start(o: Partial<MetadataLogOptions> = {}): Promise<MetadataLog> {
    const { files, clock, random } = this;
    const identity = { clusterId: 'AAAAAAAAAAAAAAAAAAAABQ', nodeId: 1, directoryId: 'BBBBBBBBBBBBBBBBBBBBBQ' };
    this.directory = await LogDirectory.open({ files, clock, random, path: PATH, identity });
    this.log = await MetadataLog.open({
      files,
      clock,
      random,
      directory: this.directory,
      logDirIds: () => [this.directory.directoryId],
      nodeId: 1,
      controllerEndpoint: { name: 'CONTROLLER', host: 'localhost', port: 9093 },
      endpoints: [{ name: 'PLAINTEXT', host: 'localhost', port: 9092, securityProtocol: 0 }],
      rack: null,
      brokerConfigs: new BrokerProperties(),
      previousBrokerEpoch: this.directory.previousBrokerEpoch,
      ...o,
    });
    await this.log.submit('unfenceBroker', { brokerId: 1 });
    return this.log;
  }

  async stop(): Promise<void> {
    await this.log.stop();
    await this.directory.stop({ clean: true, brokerEpoch: this.log.brokerEpoch });
  }

  async create(...names: string[]): Promise<void> {
    for (const name of names) await this.log.submit('createTopics', creation(topic(name)));
  }

  names(): string[] {
    return this.files.list(DIRECTORY).map(({ name }) => name);
  }

  snapshots(): number[] {
    return snapshotsIn(this.files, DIRECTORY).map(({ endOffset }) => endOffset);
  }

  /** After time has passed, and what it has begun has ended. */
  async advance(ms: number): Promise<void> {
    await this.clock.advance(ms);
    for (let i = 0; i < 50; i++) await new Promise((resolve) => setImmediate(resolve));
  }
}

describe('snapshots of the metadata log', () => {
  it('end with a stop that the disk fails', async () => {
    const node = new Node();
    await node.start();
    node.files.failAfter(1, 'EIO');
    expect(await node.stop().catch((error: unknown) => error)).to.be.instanceOf(StorageFailure);
    await node.directory.stop({ clean: false, brokerEpoch: -1 });
    expect(node.clock.nextAt()).to.equal(undefined);
  });

  it('are taken after so many bytes, hold the image and are what the next start reads', async () => {
    const node = new Node();
    const log = await node.start({ snapshotRules: { ...RULES, maxBytesBetween: 1500 } });
    expect(node.snapshots()).to.deep.equal([]);
    await node.create('a', 'b', 'c', 'd', 'e', 'f', 'g', 'h');
    await node.advance(0);
    const [endOffset] = node.snapshots();
    expect(endOffset).to.be.greaterThan(0).and.at.most(log.log.logEndOffset);
    await node.create('z');
    const image = [...imageRecords(log.image)].filter(({ kind }) => kind === 'TopicRecord');
    await node.stop();
    const again = await node.start({ snapshotRules: RULES });
    expect([...imageRecords(again.image)].filter(({ kind }) => kind === 'TopicRecord')).to.deep.equal(image);
    expect([again.kraftVersion, again.leaderEpoch]).to.deep.equal([1, 2]);
    await node.stop();
  });

  it('have a header with version, voters and the time of the last record, and a footer', async () => {
    const node = new Node();
    const log = await node.start({ snapshotRules: { ...RULES, maxBytesBetween: 1 } });
    await node.clock.advance(5000);
    await node.create('a');
    await node.advance(0);
    const [id] = snapshotsIn(node.files, DIRECTORY).slice(-1);
    if (id === undefined) throw new Error('no snapshot');
    const batches = readSnapshot(node.files, DIRECTORY, id);
    expect(
      batches.map(({ isControl, baseOffset, partitionLeaderEpoch }) => [isControl, baseOffset, partitionLeaderEpoch]),
    ).to.deep.equal([
      [true, 0, 1],
      [false, 3, 1],
      [true, 3 + [...imageRecords(log.image)].length, 1],
    ]);
    const [header, data, footer] = batches;
    if (header === undefined || data === undefined || footer === undefined) throw new Error('a batch is missing');
    expect(controlEntries(header).map(({ record }) => record.kind)).to.deep.equal([
      'SnapshotHeader',
      'KRaftVersion',
      'KRaftVoters',
    ]);
    expect(controlEntries(header)[0]?.record.value).to.deep.include({ lastContainedLogTimestamp: 1_700_000_005_000n });
    expect(controlEntries(footer).map(({ record }) => record.kind)).to.deep.equal(['SnapshotFooter']);
    expect(metadataEntries(data)[0]?.record.value).to.deep.include({ name: 'metadata.version' });
    await node.stop();
  });

  it('are taken once an hour when anything has come, and not when nothing has', async () => {
    const node = new Node();
    await node.start({ snapshotRules: { ...RULES, maxIntervalMs: HOUR_MS } });
    await node.advance(HOUR_MS - 1000);
    expect(node.snapshots()).to.deep.equal([]);
    await node.advance(61_000);
    expect(node.snapshots().length).to.equal(1);
    await node.advance(5 * HOUR_MS);
    expect(node.snapshots().length).to.equal(1);
    await node.create('a');
    await node.advance(HOUR_MS);
    expect(node.snapshots().length).to.equal(2);
    await node.stop();
  });

  it('let the log be cut once it is too large, and the older ones go after a minute', async () => {
    const node = new Node();
    const options = {
      snapshotRules: { ...RULES, maxBytesBetween: 1000, retentionBytes: 12_000 },
      segments: { segmentBytes: 5000, segmentMs: 7 * 24 * HOUR_MS },
    };
    const log = await node.start(options);
    for (let i = 0; i < 60; i++) await node.create(`topic-${i}`);
    await node.advance(0);
    const before = node.snapshots();
    expect(before.length).to.be.greaterThan(3);
    await node.advance(60_000);
    const after = node.snapshots();
    expect(after.at(-1)).to.equal(before.at(-1));
    expect(after.length).to.be.lessThan(before.length);
    expect(log.log.logStartOffset).to.equal(after[0]);
    expect(log.log.segmentList()[0]?.baseOffset)
      .to.be.greaterThan(0)
      .and.at.most(after[0] ?? 0);
    expect(node.names().filter((name) => name.endsWith('.checkpoint.deleted')).length).to.equal(before.length - after.length);
    await node.advance(60_001);
    expect(node.names().filter((name) => name.endsWith('.deleted'))).to.deep.equal([]);
    await node.stop();
    const again = await node.start(options);
    expect(again.image.topicsByName.size).to.equal(60);
    await node.stop();
  });

  it('are kept for as long as metadata.max.retention.ms says, but for the newest', async () => {
    const node = new Node();
    await node.start({ snapshotRules: { ...RULES, maxBytesBetween: 1, retentionMs: 10 * HOUR_MS } });
    await node.create('a');
    await node.advance(HOUR_MS);
    await node.create('b');
    await node.advance(HOUR_MS);
    expect(node.snapshots().length).to.equal(3);
    await node.advance(9 * HOUR_MS);
    expect(node.snapshots().length).to.equal(1);
    await node.advance(90 * HOUR_MS);
    expect(node.snapshots().length).to.equal(1);
    await node.stop();
  });

  it('leave nothing of an interrupted one', async () => {
    const node = new Node();
    await node.start();
    await node.stop();
    node.files.writeFile(`${DIRECTORY}/00000000000000000005-0000000001-123.checkpoint.part`, 'half');
    node.files.writeFile(`${DIRECTORY}/00000000000000000004-0000000001.checkpoint.deleted`, 'old');
    await node.start();
    expect(node.names().filter((name) => name.includes('.checkpoint'))).to.deep.equal([]);
    await node.stop();
  });
});

describe('a change of more partitions than a batch may have', () => {
  it('stands in a transaction, and counts as nothing when a crash has cut it short', async () => {
    const node = new Node();
    const log = await node.start();
    for (const name of ['a', 'b']) await log.submit('createTopics', creation(topic(name, 9000)));
    const before = log.log.logEndOffset;
    await node.stop();
    const again = await node.start();
    const kinds: string[] = [];
    for await (const batch of again.log.batches(before)) {
      if (batch.isControl) continue;
      const entries = metadataEntries(batch);
      expect(entries.length).to.be.at.most(10_000);
      kinds.push(entries.map(({ record }) => record.kind).at(-1) ?? '');
    }
    expect(kinds.filter((kind) => kind.endsWith('TransactionRecord'))).to.deep.equal([
      'BeginTransactionRecord',
      'EndTransactionRecord',
      'BeginTransactionRecord',
      'EndTransactionRecord',
    ]);
    expect(again.image.partition('b', 8999)).to.deep.include({ leader: 1, leaderEpoch: 2 });
    await node.stop();
    // The fencing of the last stop is cut after its first batches, as if the power had failed in between.
    const file = node.files.open(`${DIRECTORY}/00000000000000000000.log`, 'write');
    file.truncate(file.size() - 100_000);
    file.close();
    const third = await node.start();
    expect(third.image.partition('b', 8999)).to.deep.include({ leader: 1 });
    await node.stop();
  }).timeout(60_000);
});

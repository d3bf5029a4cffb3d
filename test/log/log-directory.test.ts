import { expect } from 'chai';
import { DEFAULT_LOG_CONFIG } from '../../src/log/log-config.ts';
import { LogDirectory } from '../../src/log/log-directory.ts';
import type { LogDirectoryOptions } from '../../src/log/log-directory-options.ts';
import type { StorageFailure } from '../../src/world/files.ts';
import { VirtualClock } from '../../src/world/virtual-clock.ts';
import { FakeFiles } from '../sim/fake-files.ts';
import { SeededRandom } from '../sim/seeded-random.ts';
import { batch, put, TOPIC_ID, turn } from './log-fixture.ts';

const PATH = '/data';
const IDENTITY = { clusterId: '4L6g3nShT-eMCtK--X86sw', nodeId: 1, directoryId: 'U0NSzs5MRFCWG_YBqsIJvA' };
const CONFIG = { ...DEFAULT_LOG_CONFIG, retentionMs: -1 };
const LIVE = { producerIdExpirationMs: 86_400_000, directoryDeleteDelayMs: 100, verifiesTransactions: true };
const START = Date.UTC(2026, 10, 22, 14, 25, 35);

interface Fixture {
  readonly files: FakeFiles;
  readonly clock: VirtualClock;
  readonly directory: LogDirectory;
}

async function open(files = new FakeFiles(), o: Partial<LogDirectoryOptions> = {}): Promise<Fixture> {
  const clock = new VirtualClock(START);
  const directory = await LogDirectory.open({
    files,
    clock,
    random: new SeededRandom(1),
    path: PATH,
    identity: IDENTITY,
    live: LIVE,
    ...o,
  });
  return { files, clock, directory };
}

const text = (files: FakeFiles, name: string): string => files.readFile(`${PATH}/${name}`).toString();

async function failureOf(run: Promise<unknown>): Promise<string> {
  try {
    await run;
  } catch (error) {
    return String(error);
  }
  return 'no failure';
}

/** Two partitions with three and one records, the first trimmed to 1. */
async function filled(files?: FakeFiles): Promise<Fixture> {
  const fixture = await open(files);
  const { directory } = fixture;
  await directory.openLogs(() => CONFIG);
  const orders = await directory.create('orders', 0, TOPIC_ID, CONFIG);
  const other = await directory.create('some-topic', 11, TOPIC_ID, CONFIG);
  for (let i = 0; i < 3; i++) put(orders, batch());
  put(other, batch());
  await turn();
  orders.setHighWatermark(3);
  orders.advanceLogStartOffset(1);
  other.setHighWatermark(1);
  return fixture;
}

describe('LogDirectory', () => {
  it('writes whose it is, as Kafka does, and reads it again', async () => {
    const { files, directory } = await open();
    expect(text(files, 'meta.properties')).to.equal(
      '#\n#Sun Nov 22 14:25:35 UTC 2026\nnode.id=1\ndirectory.id=U0NSzs5MRFCWG_YBqsIJvA\nversion=1\ncluster.id=4L6g3nShT-eMCtK--X86sw\n',
    );
    expect(LogDirectory.readMetaProperties(files, PATH)).to.deep.equal(IDENTITY);
    expect(LogDirectory.readMetaProperties(files, '/nowhere')).to.equal(undefined);
    expect(directory.directoryId).to.equal(IDENTITY.directoryId);
  });

  it('tells its logs, those of before and those to come, what is changed while it is open', async () => {
    const { directory } = await open();
    await directory.openLogs(() => CONFIG);
    const before = await directory.create('before', 0, TOPIC_ID, CONFIG);
    directory.configure({ ...LIVE, producerIdExpirationMs: 7, verifiesTransactions: false });
    const after = await directory.create('after', 0, TOPIC_ID, CONFIG);
    for (const { producerState } of [before, after]) {
      expect(producerState).to.deep.include({ expirationMs: 7, verifiesTransactions: false });
    }
    await directory.stop({ clean: true, brokerEpoch: -1 });
  });

  it('reads no log and changes nothing in a partition at a start and a stop after a clean stop', async () => {
    const operations: string[] = [];
    const watched = new FakeFiles(undefined, {
      beforeOperation: (operation, path) => void operations.push(`${operation} ${path.slice(PATH.length + 1)}`),
    });
    const { directory } = await filled(watched);
    await directory.create('idle', 0, TOPIC_ID, CONFIG);
    await directory.stop({ clean: true, brokerEpoch: 1 });
    operations.length = 0;
    const again = await open(watched);
    await again.directory.openLogs(() => CONFIG);
    // A leader takes office.
    for (const log of again.directory.logs()) log.leaderEpochs.assign(7, log.logEndOffset);
    await again.directory.stop({ clean: true, brokerEpoch: 1 });
    const inPartitions = operations.filter((each) => each.includes('/'));
    expect(inPartitions.filter((each) => /^(write|rename|remove|sync|truncate|make)/.test(each))).to.deep.equal([]);
    expect(inPartitions.filter((each) => each.includes('idle-0')).length).to.be.at.most(12);
    expect(inPartitions.filter((each) => each.startsWith('read orders-0') && each.endsWith('.log')).length).to.be.at.most(4);
    const idle = inPartitions.filter((each) => each.includes('idle-0/') && /^(open|read) .*(log|index)$/.test(each));
    expect(idle).to.deep.equal([]);
  });

  it('takes nothing for a new partition of what its namesake had in the checkpoints, in this process or an earlier one', async () => {
    for (const inBetween of ['nothing', 'a kill']) {
      const { files, directory } = await filled();
      const orders = directory.get('orders', 0);
      orders?.advanceLogStartOffset(3);
      await directory.checkpoint();
      await directory.delete('orders', 0);
      let next = { files, directory };
      if (inBetween === 'a kill') {
        next = await open(files.kill());
        await next.directory.openLogs(() => CONFIG);
      }
      const namesake = await next.directory.create('orders', 0, 'AAAAAAAAAAAAAAAAAAAAQQ', CONFIG);
      put(namesake, batch());
      await turn();
      const again = await open(next.files.kill());
      await again.directory.openLogs(() => CONFIG);
      const found = again.directory.get('orders', 0);
      expect([found?.logStartOffset, found?.logEndOffset], `${inBetween} in between`).to.deep.equal([0, 1]);
    }
  });

  it('puts an epoch into its file with its first record', async () => {
    const { files, directory } = await open();
    await directory.openLogs(() => CONFIG);
    const log = await directory.create('orders', 0, TOPIC_ID, CONFIG);
    log.leaderEpochs.assign(5, 0);
    await directory.checkpoint();
    expect(files.stat(`${PATH}/orders-0/leader-epoch-checkpoint`)).to.equal(undefined);
    put(log, batch(), 5);
    await turn();
    await log.flush();
    expect(text(files, 'orders-0/leader-epoch-checkpoint')).to.equal('0\n1\n5 0\n');
  });

  it('refuses what belongs to another node or cluster, or is in use', async () => {
    const { files, directory } = await open();
    expect(await failureOf(open(files))).to.contain('/data is in use');
    await directory.stop({ clean: true, brokerEpoch: 1 });
    expect(await failureOf(open(files, { identity: { ...IDENTITY, nodeId: 2 } }))).to.contain(
      'belongs to node 1, but node.id is 2',
    );
    const other = await failureOf(open(files, { identity: { ...IDENTITY, clusterId: 'AAAAAAAAAAAAAAAAAAAAAA' } }));
    expect(other).to.contain('belongs to cluster 4L6g3nShT-eMCtK--X86sw');
  });

  it('leaves after a clean stop what Kafka leaves, and finds it again', async () => {
    const { files, directory } = await filled();
    await directory.stop({ clean: true, brokerEpoch: 42 });
    expect(files.list(PATH).map(({ name }) => name)).to.have.members([
      '.kafka_cleanshutdown',
      'cleaner-offset-checkpoint',
      'log-start-offset-checkpoint',
      'meta.properties',
      'orders-0',
      'recovery-point-offset-checkpoint',
      'replication-offset-checkpoint',
      'some-topic-11',
    ]);
    expect(text(files, '.kafka_cleanshutdown')).to.equal('{"version":0,"brokerEpoch":42}');
    expect(text(files, 'recovery-point-offset-checkpoint')).to.equal('0\n2\norders 0 3\nsome-topic 11 1\n');
    expect(text(files, 'replication-offset-checkpoint')).to.equal('0\n2\norders 0 3\nsome-topic 11 1\n');
    expect(text(files, 'log-start-offset-checkpoint')).to.equal('0\n1\norders 0 1\n');
    expect(text(files, 'cleaner-offset-checkpoint')).to.equal('0\n0\n');

    const again = await open(files);
    expect([again.directory.cleanShutdown, again.directory.previousBrokerEpoch]).to.deep.equal([true, 42]);
    expect(files.stat(`${PATH}/.kafka_cleanshutdown`)).to.equal(undefined);
    const asked: unknown[] = [];
    await again.directory.openLogs((topic, partition, topicId) => {
      asked.push([topic, partition, topicId]);
      return CONFIG;
    });
    expect(asked).to.have.deep.members([
      ['orders', 0, TOPIC_ID],
      ['some-topic', 11, TOPIC_ID],
    ]);
    const orders = again.directory.get('orders', 0);
    expect([orders?.logStartOffset, orders?.highWatermark, orders?.logEndOffset]).to.deep.equal([1, 3, 3]);
  });

  it('scans after a crash, and keeps the checkpointed log start', async () => {
    const { files, directory } = await filled();
    await directory.checkpoint();
    const again = await open(files.kill());
    expect([again.directory.cleanShutdown, again.directory.previousBrokerEpoch]).to.deep.equal([false, -1]);
    await again.directory.openLogs(() => CONFIG);
    const orders = again.directory.get('orders', 0);
    expect([orders?.logStartOffset, orders?.logEndOffset]).to.deep.equal([1, 3]);
  });

  it('writes checkpoints from time to time', async () => {
    const { files, clock } = await filled();
    await clock.advance(6000);
    expect(text(files, 'replication-offset-checkpoint')).to.equal('0\n2\norders 0 3\nsome-topic 11 1\n');
    await clock.advance(60_000);
    expect(text(files, 'log-start-offset-checkpoint')).to.equal('0\n1\norders 0 1\n');
    expect(text(files, 'recovery-point-offset-checkpoint')).to.match(/^0\n2\n/);
  });

  it('syncs what waits longer than flush.ms, where the scheduler runs', async () => {
    const { directory, clock } = await open(undefined, { flushSchedulerIntervalMs: 100 });
    await directory.openLogs(() => CONFIG);
    const log = await directory.create('orders', 0, TOPIC_ID, { ...CONFIG, flushMs: 1000 });
    put(log, batch());
    await turn();
    await clock.advance(900);
    expect(log.recoveryPoint).to.equal(0);
    await clock.advance(300);
    expect(log.recoveryPoint).to.equal(1);
  });

  it('goes on when a partition is deleted while it waits for its sync by flush.ms', async () => {
    const { directory, clock } = await open(undefined, { flushSchedulerIntervalMs: 100 });
    await directory.openLogs(() => CONFIG);
    const logs = [];
    for (const topic of ['a', 'b', 'c']) logs.push(await directory.create(topic, 0, TOPIC_ID, { ...CONFIG, flushMs: 1000 }));
    for (const log of logs) put(log, batch());
    await turn();
    await clock.advance(950);
    clock.advanceNow(50);
    await Promise.all([directory.delete('a', 0), directory.delete('b', 0)]);
    for (let i = 0; i < 10; i++) await turn();
    expect(directory.failure).to.equal(undefined);
    expect(logs.map(({ recoveryPoint }) => recoveryPoint)).to.deep.equal([0, 0, 1]);
  });

  it('deletes old segments from time to time', async () => {
    const { directory, clock } = await filled();
    const log = directory.get('orders', 0);
    log?.updateConfig({ ...CONFIG, retentionMs: 1000 });
    await clock.advance(31_000);
    expect(log?.logStartOffset).to.equal(3);
  });

  it('renames a deleted partition, removes it later, and can make it anew', async () => {
    const { files, directory, clock } = await filled();
    await directory.delete('orders', 0);
    expect(directory.get('orders', 0)).to.equal(undefined);
    const retired = files.list(PATH).find(({ name }) => name.endsWith('-delete'))?.name ?? '';
    expect(retired).to.match(/^orders-0\.[0-9a-f]{32}-delete$/);
    const log = await directory.create('orders', 0, 'AAAAAAAAAAAAAAAAAAAAAA', CONFIG);
    expect(log.logEndOffset).to.equal(0);
    await clock.advance(101);
    expect(files.list(PATH).map(({ name }) => name)).not.to.include(retired);
    expect(directory.get('orders', 0)).to.equal(log);
  });

  it('finishes a deletion that a stop interrupted', async () => {
    const { files, directory } = await filled();
    await directory.delete('orders', 0);
    await directory.stop({ clean: true, brokerEpoch: 1 });
    const again = await open(files);
    await again.directory.openLogs(() => CONFIG);
    await again.clock.advance(99);
    expect(files.list(PATH).filter(({ name }) => name.startsWith('orders')).length).to.equal(1);
    await again.clock.advance(2);
    expect(files.list(PATH).filter(({ name }) => name.startsWith('orders'))).to.deep.equal([]);
  });

  it('sets aside partitions of topics that do not exist', async () => {
    const { files, directory } = await filled();
    await directory.stop({ clean: true, brokerEpoch: 1 });
    const again = await open(files);
    await again.directory.openLogs((topic) => (topic === 'orders' ? undefined : CONFIG));
    expect([...again.directory.logs()].map((log) => log.topic)).to.deep.equal(['some-topic']);
    const names = files.list(PATH).map(({ name }) => name);
    expect(names.find((name) => name.startsWith('orders'))).to.match(/^orders-0\.[0-9a-f]{32}-stray$/);
  });

  it('gives a directory that names no topic the id of the topic of its name, before anything is written there', async () => {
    const { files, directory } = await open();
    files.makeDirectory(`${PATH}/orders-0`);
    const id = 'lAUzRX3ZRWiZ95BSMdX_Dw';
    await directory.openLogs(
      () => CONFIG,
      (topic) => (topic === 'orders' ? id : undefined),
    );
    expect(directory.get('orders', 0)?.topicId).to.equal(id);
    expect(text(files, 'orders-0/partition.metadata')).to.contain(`topic_id: ${id}`);
  });

  it('refuses directories that are no partitions', async () => {
    const { files, directory } = await open();
    files.makeDirectory(`${PATH}/whatever`);
    expect(await failureOf(directory.openLogs(() => CONFIG))).to.contain('/data/whatever is not in the form of topic-partition');
  });

  it('keeps the metadata log out of checkpoints and scans it always', async () => {
    const { files, directory } = await open();
    const log = await directory.openMetadataLog(CONFIG);
    put(log, batch());
    await directory.openLogs(() => CONFIG);
    await directory.stop({ clean: true, brokerEpoch: 1 });
    expect(text(files, 'recovery-point-offset-checkpoint')).to.equal('0\n0\n');
    const again = await open(files);
    const metadata = await again.directory.openMetadataLog(CONFIG);
    expect([metadata.logEndOffset, metadata.highWatermark, metadata.topicId]).to.deep.equal([1, 0, 'AAAAAAAAAAAAAAAAAAAAAQ']);
  });

  it('takes all its logs down with one failure, and tells it once', async () => {
    const failures: StorageFailure[] = [];
    const { files, directory } = await open(undefined, { onFailure: (failure) => failures.push(failure) });
    await directory.openLogs(() => CONFIG);
    const [a, b] = [await directory.create('a', 0, TOPIC_ID, CONFIG), await directory.create('b', 0, TOPIC_ID, CONFIG)];
    put(a, batch());
    files.failAfter(1, 'EIO');
    await turn();
    expect(failures).to.have.length(1);
    expect([a.failure, b.failure, directory.failure]).to.deep.equal([failures[0], failures[0], failures[0]]);
    files.failNever();
    await directory.stop({ clean: true, brokerEpoch: 1 });
    expect(files.stat(`${PATH}/.kafka_cleanshutdown`)).to.equal(undefined);
  });
});

/** What a whole broker does by itself while time passes: retention, rolling, flushing, checkpoints. The tests own the time. */
import { expect } from 'chai';
import { existsSync, mkdtempSync, readdirSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Broker } from '../../src/broker/broker.ts';
import { buildBatch } from '../../src/wire/record-batch-builder.ts';
import { ZERO_UUID } from '../../src/wire/uuid.ts';
import { handlersOf } from '../support/handlers.ts';
import { eventually } from '../support/kafkajs.ts';

const HOUR_MS = 3_600_000;
const DAY_MS = 24 * HOUR_MS;

describe('A broker by itself', function () {
  this.timeout(30_000);
  let dataDir: string;
  let brokers: Broker[] = [];

  beforeEach(() => {
    dataDir = mkdtempSync(join(tmpdir(), 'blumfeld-housekeeping-'));
  });
  afterEach(async () => {
    await Promise.all(brokers.map((broker) => broker.stop()));
    brokers = [];
    rmSync(dataDir, { recursive: true, force: true });
  });

  // A job every five seconds of seven days is most of what a test would wait for.
  const rarely = { 'replica.high.watermark.checkpoint.interval.ms': HOUR_MS };
  const start = async (configs: Record<string, string>, settings: Record<string, string | number> = rarely): Promise<Broker> => {
    const topics = { orders: { partitions: 1, configs } };
    const broker = await Broker.start({ port: 0, dataDir, clock: 'virtual', settings, topics });
    brokers.push(broker);
    return broker;
  };

  /** For what the disk does by itself, at its own speed, whatever the time of the broker is. */
  const until = async (holds: () => boolean): Promise<void> => void (await eventually(() => Promise.resolve(holds()), Boolean));

  const partitionOf = (broker: Broker) => {
    const partition = broker.services.partitions.find('orders', 0);
    if (partition === undefined) throw new Error('no partition');
    return partition;
  };

  /** One batch of `bytes` in its value, stamped with the broker's time. */
  const produce = async (broker: Broker, bytes = 100): Promise<number> => {
    const records = buildBatch({
      baseOffset: 0,
      partitionLeaderEpoch: -1,
      records: [{ key: null, value: Buffer.alloc(bytes, 1), timestamp: broker.time.now() }],
    });
    const topicData = [{ name: 'orders', partitionData: [{ index: 0, records }] }];
    const answer = await handlersOf(broker)('produce', 9, { transactionalId: null, acks: -1, timeoutMs: 1000, topicData });
    const told = answer.responses[0]?.partitionResponses[0];
    expect(told?.errorCode).to.equal(0);
    return Number(told?.baseOffset);
  };

  const files = (suffix: string): string[] =>
    readdirSync(join(dataDir, 'orders-0'))
      .filter((name) => name.endsWith(suffix))
      .sort();

  it('deletes what is older than retention.ms, in days that pass at once', async () => {
    const broker = await start({ 'retention.ms': String(7 * DAY_MS), 'segment.ms': String(DAY_MS) });
    for (let day = 0; day < 6; day++) {
      await produce(broker);
      await broker.time.advance(DAY_MS + 1);
    }
    const { log } = partitionOf(broker);
    expect([log.logStartOffset, log.segmentCount]).to.deep.equal([0, 6]);
    await broker.time.advance(2 * DAY_MS);
    expect(log.logStartOffset).to.equal(1);
    await broker.time.advance(8 * DAY_MS);
    expect([log.logStartOffset, log.logEndOffset, log.sizeInBytes]).to.deep.equal([6, 6, 0]);
    expect(files('.log')).to.deep.equal(['00000000000000000006.log']);
    expect(files('.deleted')).to.deep.equal([]);
    await broker.stop();
  });

  it('deletes what is beyond retention.bytes, and keeps the files for file.delete.delay.ms', async () => {
    const broker = await start({ 'retention.bytes': '3000', 'segment.bytes': '1048576', 'file.delete.delay.ms': '60000' });
    for (let i = 0; i < 8; i++) {
      await produce(broker, 1000);
      partitionOf(broker).log.roll();
    }
    const { log } = partitionOf(broker);
    await broker.time.advance(6 * 60_000);
    expect(log.logStartOffset).to.equal(5);
    expect(log.sizeInBytes).to.be.within(3000, 4200);
    await broker.time.advance(2 * 60_000);
    expect(files('.deleted')).to.deep.equal([]);
    expect(files('.log')).to.deep.equal([5, 6, 7, 8].map((offset) => `${String(offset).padStart(20, '0')}.log`));
    await broker.stop();
  });

  const configure = async (
    broker: Broker,
    resourceType: number,
    resourceName: string,
    name: string,
    value: string,
  ): Promise<void> => {
    const configs = [{ name, configOperation: 0, value }];
    const answer = await handlersOf(broker)('incrementalAlterConfigs', 1, {
      resources: [{ resourceType, resourceName, configs }],
      validateOnly: false,
    });
    expect(answer.responses[0]?.errorCode, name).to.equal(0);
  };

  it('follows a retention that is changed while it runs, of the topic and of all brokers', async () => {
    const broker = await start({ 'segment.ms': String(DAY_MS) });
    for (let day = 0; day < 3; day++) {
      await produce(broker);
      await broker.time.advance(DAY_MS + 1);
    }
    const { log } = partitionOf(broker);
    expect(log.logStartOffset).to.equal(0);
    await configure(broker, 4, '', 'log.retention.ms', String(2 * DAY_MS + HOUR_MS));
    await broker.time.advance(10 * 60_000);
    expect(log.logStartOffset).to.equal(1);
    await configure(broker, 2, 'orders', 'retention.ms', String(DAY_MS));
    await broker.time.advance(10 * 60_000);
    expect(log.logStartOffset).to.equal(3);
    await configure(broker, 2, 'orders', 'retention.ms', '-1');
    await configure(broker, 2, 'orders', 'retention.bytes', '0');
    await produce(broker);
    await broker.time.advance(10 * 60_000);
    expect(log.logStartOffset).to.equal(4);
    await broker.stop();
  });

  it('keeps the start of a log for after a kill, by the cadence of its checkpoint', async () => {
    const broker = await start({}, { ...rarely, 'log.flush.start.offset.checkpoint.interval.ms': 5000 });
    for (let i = 0; i < 3; i++) await produce(broker);
    partitionOf(broker).log.advanceLogStartOffset(2);
    const checkpoint = join(dataDir, 'log-start-offset-checkpoint');
    await broker.time.advance(4000);
    expect(existsSync(checkpoint)).to.equal(false);
    await broker.time.advance(1000);
    await until(() => existsSync(checkpoint));
    expect(readFileSync(checkpoint, 'utf8')).to.equal('0\n1\norders 0 2\n');
    await broker.stop();
  });

  it('forgets producers after producer.id.expiration.ms, also when that is changed while it runs', async () => {
    const broker = await start({}, { ...rarely, 'producer.id.expiration.ms': 2 * HOUR_MS });
    const { log } = partitionOf(broker);
    const append = (producerId: number): void => {
      const records = [{ key: null, value: Buffer.from('v'), timestamp: broker.time.now() }];
      const batch = buildBatch({
        baseOffset: 0,
        partitionLeaderEpoch: -1,
        records,
        producerId,
        producerEpoch: 0,
        baseSequence: 0,
      });
      expect(log.append(batch, { leaderEpoch: 0, origin: 'client' }).ok).to.equal(true);
    };
    const known = (): number[] => [...log.producerState.entries()].map(({ producerId }) => producerId);
    append(1);
    await broker.time.advance(HOUR_MS);
    append(2);
    await broker.time.advance(HOUR_MS - 11 * 60_000);
    expect(known()).to.deep.equal([1, 2]);
    await broker.time.advance(22 * 60_000);
    expect(known()).to.deep.equal([2]);
    await configure(broker, 4, '', 'producer.id.expiration.ms', '60000');
    await broker.time.advance(11 * 60_000);
    expect(known()).to.deep.equal([]);
    append(3);
    await configure(broker, 4, '1', 'producer.id.expiration.ms', String(HOUR_MS));
    await broker.time.advance(11 * 60_000);
    expect(known(), 'its own value comes before that of all').to.deep.equal([3]);
    await broker.stop();
  });

  it('removes the directory of a deleted topic after log.segment.delete.delay.ms, though it was stopped in between', async () => {
    const settings = { ...rarely, 'log.segment.delete.delay.ms': 10_000 };
    const directories = (): string[] => readdirSync(dataDir).filter((name) => name.startsWith('orders'));
    const broker = await start({ 'file.delete.delay.ms': '1' }, settings);
    await produce(broker);
    await handlersOf(broker)('deleteTopics', 6, { topics: [{ name: 'orders', topicId: ZERO_UUID }], timeoutMs: 1000 });
    expect(directories().map((name) => name.replace(/[0-9a-f]{32}/, 'uuid'))).to.deep.equal(['orders-0.uuid-delete']);
    await broker.time.advance(9000);
    expect(directories().length).to.equal(1);
    await broker.stop();
    const again = await Broker.start({ port: 0, dataDir, clock: 'virtual', settings });
    brokers.push(again);
    expect(directories().length).to.equal(1);
    await again.time.advance(10_001);
    expect(directories()).to.deep.equal([]);
    await again.stop();
  });

  it('begins a segment after segment.ms, less a jitter', async () => {
    const broker = await start({ 'segment.ms': String(HOUR_MS), 'segment.jitter.ms': String(HOUR_MS / 2), 'retention.ms': '-1' });
    const { log } = partitionOf(broker);
    await produce(broker);
    await broker.time.advance(HOUR_MS / 2 - 1000);
    await produce(broker);
    expect(log.segmentCount).to.equal(1);
    await broker.time.advance(HOUR_MS / 2 + 2000);
    await produce(broker);
    expect(log.segmentCount).to.equal(2);
    await broker.stop();
  });

  it('has synced what flush.messages wants before it answers', async () => {
    const broker = await start({ 'flush.messages': '1' });
    const { log } = partitionOf(broker);
    for (let i = 0; i < 3; i++) {
      await produce(broker);
      expect(log.recoveryPoint).to.equal(i + 1);
    }
    await broker.stop();
  });

  it('syncs what waits for flush.ms, where the scheduler looks', async () => {
    const broker = await start({ 'flush.ms': '10000' }, { 'log.flush.scheduler.interval.ms': 1000 });
    const { log } = partitionOf(broker);
    await produce(broker);
    await broker.time.advance(8000);
    expect(log.recoveryPoint).to.equal(0);
    await broker.time.advance(3000);
    await until(() => log.recoveryPoint > 0);
    expect(log.recoveryPoint).to.equal(1);
    await broker.stop();
  });

  it('knows after a clean stop the high watermark, the start and the end it had', async () => {
    const broker = await start({});
    for (let i = 0; i < 5; i++) await produce(broker);
    await handlersOf(broker)('deleteRecords', 2, {
      topics: [{ name: 'orders', partitions: [{ partitionIndex: 0, offset: 2n }] }],
      timeoutMs: 1000,
    });
    await broker.stop();
    const kept = (name: string): string => readFileSync(join(dataDir, name), 'utf8');
    expect(kept('replication-offset-checkpoint')).to.equal('0\n1\norders 0 5\n');
    expect(kept('recovery-point-offset-checkpoint')).to.equal('0\n1\norders 0 5\n');
    expect(kept('log-start-offset-checkpoint')).to.equal('0\n1\norders 0 2\n');
    const again = await start({});
    const { log } = partitionOf(again);
    expect([log.logStartOffset, log.highWatermark, log.logEndOffset]).to.deep.equal([2, 5, 5]);
    expect(await produce(again)).to.equal(5);
    await again.stop();
  });

  it('compacts by the settings of the cleaner as they are, set for one broker or for all', async () => {
    const configs = { 'cleanup.policy': 'compact', 'min.cleanable.dirty.ratio': '0' };
    const broker = await start(configs, { ...rarely, 'log.cleaner.backoff.ms': DAY_MS });
    await broker.time.advance(0);
    const { log } = partitionOf(broker);
    const dirty = async (): Promise<void> => {
      for (const value of ['1', '2']) {
        const key = Buffer.from('k');
        const records = buildBatch({
          baseOffset: 0,
          partitionLeaderEpoch: -1,
          records: [{ key, value: Buffer.from(value), timestamp: broker.time.now() }],
        });
        const topicData = [{ name: 'orders', partitionData: [{ index: 0, records }] }];
        await handlersOf(broker)('produce', 9, { transactionalId: null, acks: -1, timeoutMs: 1000, topicData });
        log.roll();
      }
    };
    await dirty();
    await broker.time.advance(HOUR_MS);
    expect(log.segmentCount).to.equal(3);
    await configure(broker, 4, '', 'log.cleaner.backoff.ms', '1000');
    await until(() => broker.time.advance(0) !== undefined && log.segmentCount === 2);
    await configure(broker, 4, '1', 'log.cleaner.backoff.ms', String(2 * DAY_MS));
    await dirty();
    await until(() => broker.time.advance(0) !== undefined && log.segmentCount === 2);
    await broker.stop();
  });
});

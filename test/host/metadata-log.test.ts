/** The metadata log of a node on its own: formatted, led, closed, opened again, and refused where it must not be led. */
import { expect } from 'chai';
import { mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { controlBatch, metadataBatch } from '../../src/host/metadata-batch.ts';
import { MetadataLog } from '../../src/host/metadata-log.ts';
import { LogDirectory } from '../../src/log/log-directory.ts';
import type { MetadataChange } from '../../src/machine/metadata/metadata-change.ts';
import { ErrorCode } from '../../src/wire/generated/errors.ts';
import type { MetadataRecordDraft } from '../../src/wire/metadata-record.ts';
import { NodeFiles } from '../../src/world/node-files.ts';
import { NodeRandom } from '../../src/world/node-random.ts';
import { VirtualClock } from '../../src/world/virtual-clock.ts';
import { BrokerProperties } from '../machine/metadata/cluster.ts';
import { writeUnknownMetadata } from '../support/unknown-metadata.ts';

const files = new NodeFiles();
const random = new NodeRandom();
const topic = (name: string, partitions = 1) => ({
  name,
  numPartitions: partitions,
  replicationFactor: 1,
  assignments: [],
  configs: [],
});
const creation = (...names: string[]) => ({ timeoutMs: 0, validateOnly: false, topics: names.map((name) => topic(name)) });

describe('the metadata log', () => {
  let path = '';
  let clock: VirtualClock;
  beforeEach(() => {
    clock = new VirtualClock();
    path = mkdtempSync(join(tmpdir(), 'blumfeld-metadata-'));
  });
  afterEach(() => rmSync(path, { recursive: true, force: true }));

  async function open(nodeId = 1): Promise<{ log: MetadataLog; directory: LogDirectory; stop(clean?: boolean): Promise<void> }> {
    const identity = { clusterId: 'AAAAAAAAAAAAAAAAAAAABQ', nodeId, directoryId: 'BBBBBBBBBBBBBBBBBBBBBQ' };
    const directory = await LogDirectory.open({ files, clock, random, path, identity });
    const drop = (): Promise<void> => directory.stop({ clean: false, brokerEpoch: -1 });
    try {
      const log = await MetadataLog.open({
        files,
        clock,
        random,
        directory,
        logDirIds: () => [directory.directoryId],
        nodeId,
        previousBrokerEpoch: directory.previousBrokerEpoch,
        controllerEndpoint: { name: 'CONTROLLER', host: 'localhost', port: 9093 },
        endpoints: [{ name: 'PLAINTEXT', host: 'localhost', port: 9092, securityProtocol: 0 }],
        rack: null,
        brokerConfigs: new BrokerProperties(),
      });
      await log.submit('unfenceBroker', { brokerId: nodeId });
      const stop = async (clean = true): Promise<void> => {
        if (clean) await log.stop();
        await directory.stop({ clean, brokerEpoch: log.brokerEpoch });
      };
      return { log, directory, stop };
    } catch (error) {
      await drop();
      throw error;
    }
  }

  it('begins with a dynamic quorum of one and the features that are done', async () => {
    const { log, stop } = await open();
    expect(Object.fromEntries(log.image.features)).to.deep.equal({
      'metadata.version': 33,
      'transaction.version': 2,
      'eligible.leader.replicas.version': 1,
    });
    expect(log.image.configsOf(4, '').get('min.insync.replicas')).to.equal('1');
    expect([log.kraftVersion, log.leaderEpoch]).to.deep.equal([1, 1]);
    expect(log.image.brokers.get(1)).to.deep.include({ fenced: false, epoch: log.brokerEpoch });
    await stop();
    expect(readFileSync(join(path, '__cluster_metadata-0/quorum-state'), 'utf8')).to.equal(
      '{"leaderId":1,"leaderEpoch":1,"votedId":-1,"votedDirectoryId":"AAAAAAAAAAAAAAAAAAAAAA","data_version":1}',
    );
  });

  it('has everything again after a clean stop, one epoch on', async () => {
    const first = await open();
    await first.log.submit('createTopics', creation('a', 'b'));
    const ids = [...first.log.image.topicsById.keys()];
    await first.stop();
    const second = await open();
    expect([...second.log.image.topicsById.keys()]).to.deep.equal(ids);
    expect(second.log.leaderEpoch).to.equal(2);
    expect(second.log.image.partition('a', 0)).to.deep.include({ leader: 1, leaderEpoch: 2, recovering: false });
    await second.stop();
  });

  it('has everything again after an unclean stop, its partitions recovering', async () => {
    const first = await open();
    await first.log.submit('createTopics', creation('a'));
    await first.stop(false);
    const second = await open();
    expect(second.log.image.partition('a', 0)).to.deep.include({ leader: 1, isr: [1], recovering: true });
    await second.stop();
  });

  it('tells followers before it replies, once for all that came together', async () => {
    const { log, stop } = await open();
    const told: MetadataChange[][] = [];
    const order: string[] = [];
    log.onChange(async (changes) => {
      await Promise.resolve();
      told.push([...changes]);
      order.push('told');
    });
    const replies = ['a', 'b', 'c'].map((name) => log.submit('createTopics', creation(name)).then(() => order.push('replied')));
    expect(log.image.topicsByName.size).to.equal(0);
    await Promise.all(replies);
    expect(order).to.deep.equal(['told', 'replied', 'replied', 'replied']);
    expect(told.map((changes) => changes.map(({ kind }) => kind))).to.deep.equal([
      ['topicCreated', 'topicCreated', 'topicCreated'],
    ]);
    await stop();
  });

  it('decides on what is not committed yet, and lets the refusal wait for it', async () => {
    const { log, stop } = await open();
    const [first, second] = await Promise.all([
      log.submit('createTopics', creation('a')),
      log.submit('createTopics', creation('a')),
    ]);
    expect([first[0]?.errorCode, second[0]?.errorCode]).to.deep.equal([0, ErrorCode.TOPIC_ALREADY_EXISTS]);
    expect(log.image.topicsByName.has('a')).to.equal(true);
    await stop();
  });

  const quorum = (maxVersionLevel: number, validateOnly = false) => ({
    timeoutMs: 0,
    featureUpdates: [{ feature: 'kraft.version', maxVersionLevel, allowDowngrade: false, upgradeType: 1 }],
    validateOnly,
  });

  it('turns a static quorum of one into a dynamic one, for good', async () => {
    await (await open()).stop();
    rmSync(join(path, '__cluster_metadata-0'), { recursive: true });
    mkdirSync(join(path, '__cluster_metadata-0'));
    const voters = [{ voterId: 1 }];
    const leader = { kind: 'LeaderChange', value: { version: 0, leaderId: 1, voters, grantingVoters: voters } } as const;
    const batch = controlBatch([leader], { baseOffset: 0, leaderEpoch: 1, nowMs: 0 });
    writeFileSync(join(path, '__cluster_metadata-0/00000000000000000000.log'), batch);
    const { log, stop } = await open();
    expect(log.kraftVersion).to.equal(0);
    expect((await log.submit('updateFeatures', quorum(1, true))).error).to.equal(ErrorCode.NONE);
    expect(log.kraftVersion).to.equal(0);
    const endOffset = log.log.logEndOffset;
    const replies = await Promise.all([log.submit('updateFeatures', quorum(1)), log.submit('updateFeatures', quorum(1))]);
    expect(replies.map(({ error }) => error)).to.deep.equal([ErrorCode.NONE, ErrorCode.NONE]);
    expect(log.kraftVersion).to.equal(1);
    // KRaftVersion and Voters, then a NoOp for either request.
    expect(log.log.logEndOffset - endOffset).to.equal(4);
    expect(log.image.offset).to.equal(log.log.logEndOffset - 1);
    await stop();
    const again = await open();
    expect(again.log.kraftVersion).to.equal(1);
    await again.stop();
    expect(readFileSync(join(path, '__cluster_metadata-0/quorum-state'), 'utf8')).to.match(/"data_version":1/);
  });

  it('registers its directories once metadata.version is high enough for that, and says before that nothing of replicas is recorded', async () => {
    await (await open()).stop();
    rmSync(join(path, '__cluster_metadata-0'), { recursive: true });
    mkdirSync(join(path, '__cluster_metadata-0'));
    const records: MetadataRecordDraft[] = [
      { kind: 'FeatureLevelRecord', value: { name: 'metadata.version', featureLevel: 14 }, version: 0 },
    ];
    const { bytes } = metadataBatch(records, { baseOffset: 0, leaderEpoch: 1, nowMs: 0 });
    writeFileSync(join(path, '__cluster_metadata-0/00000000000000000000.log'), bytes);
    const { log, directory, stop } = await open();
    const before = log.image.brokers.get(1);
    expect(before?.logDirs).to.deep.equal([]);
    const topicId = (await log.submit('createTopics', creation('a')))[0]?.topicId ?? '';
    const assignment = { topicId, partitionIndex: 0, directoryId: directory.directoryId };
    const assign = () => log.submit('assignReplicasToDirs', { brokerId: 1, assignments: [assignment] });
    expect(await assign()).to.deep.equal([ErrorCode.UNSUPPORTED_VERSION]);
    const featureUpdates = [{ feature: 'metadata.version', maxVersionLevel: 33, allowDowngrade: false, upgradeType: 1 }];
    const { error } = await log.submit('updateFeatures', { timeoutMs: 0, featureUpdates, validateOnly: false });
    expect(error).to.equal(ErrorCode.NONE);
    expect(await assign()).to.deep.equal([ErrorCode.NONE]);
    expect(log.image.brokers.get(1)).to.deep.equal({ ...before, logDirs: [directory.directoryId] });
    expect(log.image.partition('a', 0)?.directories).to.deep.equal([directory.directoryId]);
    await stop();
  });

  it('refuses operations once it is stopped', async () => {
    const { log, stop } = await open();
    await stop();
    const refusal = await log.submit('createTopics', creation('a')).catch((error: unknown) => error);
    expect(refusal).to.be.instanceOf(Error);
  });

  async function refusal(nodeId = 1): Promise<string> {
    try {
      const { stop } = await open(nodeId);
      await stop();
    } catch (error) {
      return error instanceof Error ? error.message : String(error);
    }
    return 'it opened';
  }

  it('refuses a quorum with other voters', async () => {
    const { log, stop } = await open();
    const endOffset = log.log.logEndOffset;
    await stop(false);
    const voters = [1, 2].map((voterId) => ({
      voterId,
      voterDirectoryId: 'BBBBBBBBBBBBBBBBBBBBBQ',
      endpoints: [{ name: 'CONTROLLER', host: 'localhost', port: 9093 }],
      kRaftVersionFeature: { minSupportedVersion: 0, maxSupportedVersion: 1 },
    }));
    const place = { baseOffset: endOffset, leaderEpoch: 1, nowMs: 0 };
    const file = join(path, '__cluster_metadata-0/00000000000000000000.log');
    const batch = controlBatch([{ kind: 'KRaftVoters', value: { version: 0, voters } }], place);
    writeFileSync(file, Buffer.concat([readFileSync(file), batch]));
    expect(await refusal()).to.match(/other voters 2: alone, this node must not decide/);
  });

  it('refuses to begin with a metadata.version that is not known, and leaves no timer behind', async () => {
    await writeUnknownMetadata(path);
    expect(await refusal()).to.match(/has metadata\.version 99, and versions 7 to 33 are supported/);
    expect(clock.nextAt()).to.equal(undefined);
  });

  it('refuses a directory of another node', async () => {
    const { stop } = await open();
    await stop();
    expect(await refusal(2)).to.match(/node/);
  });

  it('refuses a quorum state that is none', async () => {
    const { stop } = await open();
    await stop();
    writeFileSync(join(path, '__cluster_metadata-0/quorum-state'), 'nonsense');
    expect(await refusal()).to.match(/is not a quorum state/);
  });
});

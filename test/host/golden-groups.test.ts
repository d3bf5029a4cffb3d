/** Groups that Apache Kafka has left in its data directories, of all protocols, are what its own clients saw of them. */
import { expect } from 'chai';
import { execFileSync } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { GroupCoordinator } from '../../src/host/group-coordinator.ts';
import { OFFSETS_TOPIC } from '../../src/wire/topic-name.ts';
import { DEFAULT_LOG_CONFIG } from '../../src/log/log-config.ts';
import { LogDirectory } from '../../src/log/log-directory.ts';
import { MetadataImage } from '../../src/machine/metadata/image.ts';
import { Partition } from '../../src/partition/partition.ts';
import { ErrorCode } from '../../src/wire/generated/errors.ts';
import { NodeFiles } from '../../src/world/node-files.ts';
import { VirtualClock } from '../../src/world/virtual-clock.ts';
import { SeededRandom } from '../sim/seeded-random.ts';
import { FACTS } from '../support/protocol-data.ts';

interface SeenGroup {
  readonly type: string;
  readonly protocol: string;
  readonly state: string;
  readonly offsets: {
    readonly [partition: string]: { readonly offset?: string; readonly leaderEpoch?: number; readonly metadata?: string };
  };
}

const IDENTITY = { clusterId: '4L6g3nShT-eMCtK--X86sw', nodeId: 1, directoryId: 'U0NSzs5MRFCWG_YBqsIJvA' };
const NOW = 1_795_357_600_000;
const CLIENT = { apiVersion: 9, clientId: '', host: '' };

async function coordinatorOver(path: string, directory: LogDirectory): Promise<GroupCoordinator> {
  const failures: unknown[] = [];
  const image = new MetadataImage();
  const offsetsLogs = [...directory.logs()].filter((log) => log.topic === OFFSETS_TOPIC);
  const groups = new GroupCoordinator({
    clock: new VirtualClock(NOW),
    random: new SeededRandom(1),
    settings: {
      int: (name) => (name === 'offsets.topic.num.partitions' ? offsetsLogs.length : 1_000_000),
      long: () => 1_000_000,
    },
    image,
    createInternalTopic: () => Promise.reject(new Error(`${path} is all there is`)),
    onLoadFailure: (_, failure) => failures.push(failure),
  });
  for (const log of offsetsLogs) {
    const partition = new Partition({ nodeId: 1, topic: log.topic, topicId: log.topicId ?? '', index: log.partition, log });
    partition.lead({ leader: 1, leaderEpoch: 100, partitionEpoch: 1, replicas: [1], isr: [1] });
    groups.topic.onLeader(partition);
  }
  for (let turn = 0; turn < 10_000; turn++) {
    const { errorCode } = await groups.listGroups({ statesFilter: [], typesFilter: [] });
    if (errorCode !== ErrorCode.COORDINATOR_LOAD_IN_PROGRESS) break;
    await new Promise((resolve) => setImmediate(resolve));
  }
  expect(failures).to.deep.equal([]);
  return groups;
}

for (const name of ['before-cleaning', 'after-cleaning', 'killed']) {
  describe(`Groups of the golden data directory ${name}`, () => {
    const golden = JSON.parse(readFileSync(join(FACTS, 'disk', `${name}.json`), 'utf8')) as {
      view: { groups: { [id: string]: SeenGroup } };
    };
    const seen = Object.entries(golden.view.groups);
    let path: string;
    let directory: LogDirectory;
    let groups: GroupCoordinator;

    before(async () => {
      path = mkdtempSync(join(tmpdir(), 'blumfeld-'));
      execFileSync('tar', ['xzf', join(FACTS, 'disk', `${name}.tar.gz`), '-C', path]);
      const files = new NodeFiles();
      directory = await LogDirectory.open({
        files,
        clock: new VirtualClock(NOW),
        random: new SeededRandom(1),
        path,
        identity: IDENTITY,
      });
      const config = { ...DEFAULT_LOG_CONFIG, retentionMs: -1, segmentIndexBytes: 131_072 };
      await directory.openMetadataLog(config);
      await directory.openLogs((topic) => (topic === OFFSETS_TOPIC ? { ...config, cleanupPolicy: ['compact'] } : config));
      groups = await coordinatorOver(path, directory);
    });

    after(async () => {
      groups.stop();
      await directory.stop({ clean: false, brokerEpoch: -1 });
      rmSync(path, { recursive: true });
    });

    it('are all there, of every type', async () => {
      const listed = await groups.listGroups({ statesFilter: [], typesFilter: [] });
      const ours = listed.groups.map(({ groupId, groupType, protocolType, groupState }) => [
        groupId,
        groupType,
        protocolType,
        groupState,
      ]);
      const theirs = seen.map(([groupId, group]) => [groupId, group.type.toLowerCase(), group.protocol, group.state]);
      expect(ours).to.have.deep.members(theirs);
    });

    it('have their offsets', async () => {
      for (const [groupId, { type, offsets }] of seen) {
        if (type === 'Share') continue;
        const { topics, errorCode } = await groups.fetchOffsets(
          { groupId, memberId: null, memberEpoch: -1, topics: null },
          false,
        );
        expect(errorCode).to.equal(ErrorCode.NONE);
        const ours = (topics ?? []).flatMap(({ name: topic, partitions }) =>
          (partitions ?? []).map(({ partitionIndex, committedOffset, committedLeaderEpoch, metadata }) => [
            `${topic}-${partitionIndex}`,
            { offset: String(committedOffset), leaderEpoch: committedLeaderEpoch, metadata },
          ]),
        );
        expect(Object.fromEntries(ours), groupId).to.deep.equal(offsets);
      }
    });

    it('describe their members', async () => {
      for (const [groupId, { type, state }] of seen) {
        if (type !== 'Classic') continue;
        const [described] = await groups.describeGroups([groupId], CLIENT);
        expect(described).to.include({ errorCode: ErrorCode.NONE, groupState: state });
        expect(described?.members.length === 0).to.equal(state === 'Empty');
      }
    });
  });
}

/** Whatever an image holds, the records it is written as make the same image again. */
import { expect } from 'chai';
import { imageRecords } from '../../../src/machine/metadata/image-records.ts';
import { MetadataImage } from '../../../src/machine/metadata/image.ts';
import { MetadataChanges } from '../../../src/machine/metadata/metadata-change.ts';
import { type MetadataRecordDraft, readMetadataRecord, writeMetadataRecord } from '../../../src/wire/metadata-record.ts';

const ZERO_UUID = 'AAAAAAAAAAAAAAAAAAAAAA';
const uuid = (text: string): string => Buffer.from(text.padEnd(16, '.')).toString('base64url');

function imageOf(drafts: Iterable<MetadataRecordDraft>): MetadataImage {
  const image = new MetadataImage();
  for (const draft of drafts) image.apply(readMetadataRecord(writeMetadataRecord(draft, 0)), new MetadataChanges());
  return image;
}

const partition = (topicId: string, partitionId: number, more: object = {}): MetadataRecordDraft => ({
  kind: 'PartitionRecord',
  version: 2,
  value: {
    topicId,
    partitionId,
    replicas: [1, 2],
    isr: [1],
    removingReplicas: [],
    addingReplicas: [],
    leader: 1,
    leaderEpoch: 7,
    partitionEpoch: 9,
    directories: [uuid('one'), uuid('two')],
    ...more,
  },
});

const EVERYTHING: readonly MetadataRecordDraft[] = [
  { kind: 'FeatureLevelRecord', value: { name: 'eligible.leader.replicas.version', featureLevel: 1 } },
  { kind: 'FeatureLevelRecord', value: { name: 'metadata.version', featureLevel: 33 } },
  {
    kind: 'RegisterBrokerRecord',
    version: 4,
    value: {
      brokerId: 1,
      brokerEpoch: 5,
      incarnationId: uuid('process'),
      endPoints: [{ name: 'PLAINTEXT', host: 'localhost', port: 9092, securityProtocol: 0 }],
      features: [{ name: 'metadata.version', minSupportedVersion: 7, maxSupportedVersion: 33 }],
      rack: 'r',
      fenced: false,
      inControlledShutdown: true,
      logDirs: [uuid('one')],
      cordonedLogDirs: [uuid('one')],
    },
  },
  {
    kind: 'RegisterControllerRecord',
    value: {
      controllerId: 3,
      incarnationId: uuid('controller'),
      zkMigrationReady: false,
      endPoints: [{ name: 'CONTROLLER', host: 'localhost', port: 9093, securityProtocol: 0 }],
      features: [{ name: 'kraft.version', minSupportedVersion: 0, maxSupportedVersion: 1 }],
    },
  },
  { kind: 'TopicRecord', value: { name: 'orders', topicId: uuid('orders') } },
  partition(uuid('orders'), 0),
  partition(uuid('orders'), 1, { isr: [], leader: -1, leaderRecoveryState: 1, eligibleLeaderReplicas: [2], lastKnownElr: [1] }),
  partition(uuid('orders'), 2, { addingReplicas: [3], removingReplicas: [2] }),
  { kind: 'ConfigRecord', value: { resourceType: 2, resourceName: 'orders', name: 'retention.ms', value: '1' } },
  { kind: 'ConfigRecord', value: { resourceType: 4, resourceName: '', name: 'min.insync.replicas', value: '2' } },
  {
    kind: 'ClientQuotaRecord',
    value: { entity: [{ entityType: 'user', entityName: null }], key: 'producer_byte_rate', value: 10.5, remove: false },
  },
  { kind: 'ProducerIdsRecord', value: { brokerId: 1, brokerEpoch: 5, nextProducerId: 2000 } },
  {
    kind: 'AccessControlEntryRecord',
    value: {
      id: uuid('acl'),
      resourceType: 2,
      resourceName: 'orders',
      patternType: 3,
      principal: 'User:alice',
      host: '*',
      operation: 3,
      permissionType: 3,
    },
  },
  {
    kind: 'UserScramCredentialRecord',
    value: {
      name: 'alice',
      mechanism: 1,
      salt: Buffer.from('salt'),
      storedKey: Buffer.from('stored'),
      serverKey: Buffer.from('server'),
      iterations: 4096,
    },
  },
  {
    kind: 'DelegationTokenRecord',
    value: {
      owner: 'User:alice',
      requester: 'User:bob',
      renewers: [],
      issueTimestamp: 1,
      maxTimestamp: 3,
      expirationTimestamp: 2,
      tokenId: 'token',
    },
  },
];

describe('an image as records', () => {
  it('makes the same image again', () => {
    const image = imageOf(EVERYTHING);
    const records = [...imageRecords(image)];
    const again = imageOf(records);
    expect([...imageRecords(again)]).to.deep.equal(records);
    expect(again.topicsByName.get('orders')?.partitions).to.deep.equal(image.topicsByName.get('orders')?.partitions);
    expect([again.brokers, again.controllers, again.features]).to.deep.equal([image.brokers, image.controllers, image.features]);
    expect([again.acls, again.clientQuotas, again.scramCredentials]).to.deep.equal([
      image.acls,
      image.clientQuotas,
      image.scramCredentials,
    ]);
    expect([again.delegationTokens, again.nextProducerId]).to.deep.equal([image.delegationTokens, 2000]);
    expect([...again.configuredResources()]).to.deep.equal([...image.configuredResources()]);
  });

  it('leaves out eligible leaders where the feature is off, and says of no directory where none was recorded', () => {
    const id = uuid('topic');
    const records: MetadataRecordDraft[] = [
      { kind: 'FeatureLevelRecord', value: { name: 'metadata.version', featureLevel: 33 } },
      { kind: 'TopicRecord', value: { name: 'a', topicId: id } },
      partition(id, 0, { isr: [], eligibleLeaderReplicas: [1], lastKnownElr: [1], directories: [] }),
    ];
    const written = [...imageRecords(imageOf(records))].find(({ kind }) => kind === 'PartitionRecord')?.value;
    expect(written).to.not.have.any.keys('eligibleLeaderReplicas', 'lastKnownElr');
    expect(written).to.deep.include({ directories: [ZERO_UUID, ZERO_UUID] });
  });

  it('begins with metadata.version and has every kind once where there is one', () => {
    const kinds = [...imageRecords(imageOf(EVERYTHING))].map(({ kind }) => kind);
    expect(new Set(kinds)).to.deep.equal(new Set(EVERYTHING.map(({ kind }) => kind)));
    const [first] = imageRecords(imageOf(EVERYTHING));
    expect(first?.value).to.deep.include({ name: 'metadata.version', featureLevel: 33 });
  });
});

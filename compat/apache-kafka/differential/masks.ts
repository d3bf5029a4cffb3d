/**
 * What may differ between two brokers that answer alike, each with its reason. A path names fields from the answer's top, `[]` for any element; `how` says
 * what is still compared.
 */
export interface Mask {
  /** An API, or `*` for all. */
  readonly api: string;
  readonly path: string;
  /**
   * `presence`: both have a value beyond the type's zero (and not null or -1), or neither has. `id`: the same, but zero is an id.
   * `times`: text without its times. `ignore`: nothing. `uuid`: the text around random UUIDs.
   * `sort`: an array in any order, put in order by the field `by`. `own`: only those elements whose field `by` begins with this run's prefix.
   * `except`: without those elements whose field `by` is one of `names`.
   */
  readonly how: 'presence' | 'id' | 'times' | 'ignore' | 'uuid' | 'sort' | 'own' | 'except';
  readonly by?: string;
  readonly names?: readonly string[];
  readonly reason: string;
}

const ports = 'two brokers listen on two ports';
const ids = 'drawn at random by each broker';

const UNHANDLED_FEATURES = ['group.version', 'share.version', 'streams.version'];

export const MASKS: readonly Mask[] = [
  { api: '*', path: 'clusterId', how: 'presence', reason: ids },
  { api: 'metadata', path: 'brokers[].port', how: 'presence', reason: ports },
  { api: 'metadata', path: 'topics[].topicId', how: 'presence', reason: ids },
  { api: 'metadata', path: 'topics', how: 'sort', by: 'name', reason: 'Kafka answers from hash sets' },
  { api: 'metadata', path: 'topics', how: 'own', by: 'name', reason: 'what else is on the brokers is not the question' },
  { api: 'metadata', path: 'topics[].partitions', how: 'sort', by: 'partitionIndex', reason: 'Kafka answers from hash maps' },
  { api: 'describeCluster', path: 'brokers[].port', how: 'presence', reason: ports },
  { api: 'describeTopicPartitions', path: 'topics[].topicId', how: 'presence', reason: ids },
  { api: 'findCoordinator', path: 'port', how: 'presence', reason: ports },
  { api: 'findCoordinator', path: 'coordinators[].port', how: 'presence', reason: ports },
  { api: 'produce', path: 'nodeEndpoints[].port', how: 'presence', reason: ports },
  { api: 'fetch', path: 'nodeEndpoints[].port', how: 'presence', reason: ports },
  { api: 'produce', path: 'responses[].topicId', how: 'presence', reason: ids },
  { api: 'produce', path: 'responses[].partitionResponses[].logAppendTimeMs', how: 'presence', reason: 'the time of the append' },
  { api: 'produce', path: 'responses', how: 'sort', by: 'name', reason: 'Kafka answers from a hash map' },
  { api: 'produce', path: 'responses[].partitionResponses', how: 'sort', by: 'index', reason: 'Kafka answers from a hash map' },
  { api: 'fetch', path: 'responses', how: 'sort', by: 'topic', reason: 'Kafka answers what it could not read first' },
  {
    api: 'fetch',
    path: 'responses[].partitions',
    how: 'sort',
    by: 'partitionIndex',
    reason: 'Kafka answers what it could not read first',
  },
  {
    api: 'electLeaders',
    path: 'replicaElectionResults',
    how: 'own',
    by: 'topic',
    reason: 'what else is on the brokers is not the question',
  },
  { api: 'electLeaders', path: 'replicaElectionResults', how: 'sort', by: 'topic', reason: 'Kafka answers from a hash map' },
  { api: 'alterUserScramCredentials', path: 'results', how: 'sort', by: 'user', reason: 'Kafka answers from hash maps' },
  { api: 'describeUserScramCredentials', path: 'results', how: 'sort', by: 'user', reason: 'Kafka answers from a hash map' },
  {
    api: 'describeUserScramCredentials',
    path: 'results[].credentialInfos',
    how: 'sort',
    by: 'mechanism',
    reason: 'Kafka answers from a hash map, another one in every process',
  },
  {
    api: 'describeClientQuotas',
    path: 'entries[].entity',
    how: 'sort',
    by: 'entityType',
    reason: 'Kafka answers from hash maps',
  },
  { api: 'describeClientQuotas', path: 'entries[].values', how: 'sort', by: 'key', reason: 'Kafka answers from hash maps' },
  {
    api: 'describeQuorum',
    path: 'topics[].partitions[].highWatermark',
    how: 'presence',
    reason: 'two metadata logs are as long as they are',
  },
  { api: 'describeQuorum', path: 'topics[].partitions[].leaderEpoch', how: 'presence', reason: 'a restart is a new epoch' },
  { api: 'describeQuorum', path: 'topics[].partitions[].currentVoters[].replicaDirectoryId', how: 'id', reason: ids },
  {
    api: 'describeQuorum',
    path: 'topics[].partitions[].currentVoters[].logEndOffset',
    how: 'presence',
    reason: 'two metadata logs are as long as they are',
  },
  {
    api: 'describeQuorum',
    path: 'topics[].partitions[].currentVoters[].lastFetchTimestamp',
    how: 'presence',
    reason: 'the time of the answer',
  },
  {
    api: 'describeQuorum',
    path: 'topics[].partitions[].currentVoters[].lastCaughtUpTimestamp',
    how: 'presence',
    reason: 'the time of the answer',
  },
  { api: 'describeQuorum', path: 'nodes[].listeners[].host', how: 'presence', reason: 'as the settings of each say' },
  { api: 'describeQuorum', path: 'nodes[].listeners[].port', how: 'presence', reason: ports },
  {
    api: 'listConfigResources',
    path: 'configResources',
    how: 'own',
    by: 'resourceName',
    reason: 'what else is on the brokers is not the question',
  },
  {
    api: 'listConfigResources',
    path: 'configResources',
    how: 'sort',
    by: 'resourceName',
    reason: 'Kafka answers from hash sets',
  },
  { api: 'fetch', path: 'responses[].topicId', how: 'presence', reason: ids },
  { api: 'fetch', path: 'sessionId', how: 'presence', reason: ids },
  { api: 'createTopics', path: 'topics[].topicId', how: 'presence', reason: ids },
  { api: 'createTopics', path: 'topics', how: 'sort', by: 'name', reason: 'Kafka answers from a hash map' },
  { api: 'deleteTopics', path: 'responses[].topicId', how: 'presence', reason: ids },
  { api: 'deleteTopics', path: 'responses', how: 'sort', by: 'name', reason: 'Kafka shuffles the answers of this call' },
  { api: 'createPartitions', path: 'results', how: 'sort', by: 'name', reason: 'Kafka answers from a hash map' },
  { api: 'deleteRecords', path: 'topics', how: 'sort', by: 'name', reason: 'Kafka answers from a hash map' },
  {
    api: 'deleteRecords',
    path: 'topics[].partitions',
    how: 'sort',
    by: 'partitionIndex',
    reason: 'Kafka answers from a hash map',
  },
  { api: 'listOffsets', path: 'topics', how: 'sort', by: 'name', reason: 'Kafka answers from a hash map' },
  { api: 'listOffsets', path: 'topics[].partitions', how: 'sort', by: 'partitionIndex', reason: 'Kafka answers from a hash map' },
  { api: 'offsetForLeaderEpoch', path: 'topics', how: 'sort', by: 'topic', reason: 'Kafka answers from a hash map' },
  {
    api: 'describeProducers',
    path: 'topics[].partitions[].activeProducers',
    how: 'sort',
    by: 'producerId',
    reason: 'Kafka answers from a hash map',
  },
  { api: 'initProducerId', path: 'producerId', how: 'id', reason: 'how many producers there were before' },
  {
    api: 'describeProducers',
    path: 'topics[].partitions[].activeProducers[].producerId',
    how: 'id',
    reason: 'how many producers there were before',
  },
  {
    api: 'describeProducers',
    path: 'topics[].partitions[].activeProducers[].lastTimestamp',
    how: 'presence',
    reason: 'the time of the append',
  },
  {
    api: 'fetch',
    path: 'responses[].partitions[].abortedTransactions[].producerId',
    how: 'id',
    reason: 'how many producers there were before',
  },
  { api: 'endTxn', path: 'producerId', how: 'id', reason: 'how many producers there were before' },
  { api: 'writeTxnMarkers', path: 'markers[].producerId', how: 'id', reason: 'how many producers there were before' },
  {
    api: 'writeTxnMarkers',
    path: 'markers[].topics[].partitions',
    how: 'sort',
    by: 'partitionIndex',
    reason: 'Kafka answers from a hash map',
  },
  {
    api: 'addPartitionsToTxn',
    path: 'resultsByTopicV3AndBelow[].resultsByPartition',
    how: 'sort',
    by: 'partitionIndex',
    reason: 'Kafka answers from a hash map',
  },
  {
    api: 'addPartitionsToTxn',
    path: 'resultsByTransaction',
    how: 'sort',
    by: 'transactionalId',
    reason: 'Kafka answers as transactions are done with',
  },
  {
    api: 'addPartitionsToTxn',
    path: 'resultsByTransaction[].topicResults[].resultsByPartition',
    how: 'sort',
    by: 'partitionIndex',
    reason: 'Kafka answers from a hash map',
  },
  {
    api: 'describeTransactions',
    path: 'transactionStates[].producerId',
    how: 'id',
    reason: 'how many producers there were before',
  },
  {
    api: 'describeTransactions',
    path: 'transactionStates[].transactionStartTimeMs',
    how: 'presence',
    reason: 'the time of the first partition',
  },
  {
    api: 'describeTransactions',
    path: 'transactionStates[].topics',
    how: 'sort',
    by: 'topic',
    reason: 'Kafka answers from a hash map',
  },
  {
    api: 'describeTransactions',
    path: 'transactionStates[].topics[].partitions',
    how: 'sort',
    reason: 'Kafka answers from a hash set',
  },
  { api: 'txnOffsetCommit', path: 'topics[].topicId', how: 'presence', reason: ids },
  {
    api: 'addPartitionsToTxn',
    path: 'resultsByTopicV3AndBelow',
    how: 'sort',
    by: 'name',
    reason: 'Kafka answers from a hash map',
  },
  {
    api: 'addPartitionsToTxn',
    path: 'resultsByTransaction[].topicResults',
    how: 'sort',
    by: 'name',
    reason: 'Kafka answers from a hash map',
  },
  { api: 'listTransactions', path: 'transactionStates[].producerId', how: 'id', reason: 'how many producers there were before' },
  {
    api: 'listTransactions',
    path: 'transactionStates',
    how: 'own',
    by: 'transactionalId',
    reason: 'what else is on the brokers is not the question',
  },
  {
    api: 'listTransactions',
    path: 'transactionStates',
    how: 'sort',
    by: 'transactionalId',
    reason: 'Kafka answers from a hash map',
  },
  { api: 'joinGroup', path: 'memberId', how: 'uuid', reason: ids },
  { api: 'joinGroup', path: 'leader', how: 'uuid', reason: ids },
  { api: 'joinGroup', path: 'members[].memberId', how: 'uuid', reason: ids },
  { api: 'joinGroup', path: 'members', how: 'sort', by: 'groupInstanceId', reason: 'Kafka answers from a hash map' },
  { api: 'leaveGroup', path: 'members[].memberId', how: 'uuid', reason: ids },
  { api: 'describeGroups', path: 'groups[].members[].memberId', how: 'uuid', reason: ids },
  {
    api: 'describeGroups',
    path: 'groups[].members',
    how: 'sort',
    by: 'groupInstanceId',
    reason: 'Kafka answers from a hash map',
  },
  { api: 'describeGroups', path: 'groups', how: 'sort', by: 'groupId', reason: 'Kafka answers as its shards do' },
  {
    api: 'produce',
    path: 'responses[].partitionResponses[].recordErrors[].batchIndexErrorMessage',
    how: 'times',
    reason: 'the bounds move with the clock',
  },
  { api: 'listGroups', path: 'groups', how: 'own', by: 'groupId', reason: 'what else is on the brokers is not the question' },
  { api: 'listGroups', path: 'groups', how: 'sort', by: 'groupId', reason: 'Kafka answers from fifty shards' },
  { api: 'deleteGroups', path: 'results', how: 'sort', by: 'groupId', reason: 'Kafka answers as its shards do' },
  { api: 'offsetFetch', path: 'topics', how: 'sort', by: 'name', reason: 'Kafka answers from a hash map' },
  { api: 'offsetFetch', path: 'topics[].partitions', how: 'sort', by: 'partitionIndex', reason: 'Kafka answers from a hash map' },
  { api: 'offsetFetch', path: 'groups', how: 'sort', by: 'groupId', reason: 'Kafka answers as its shards do' },
  { api: 'offsetFetch', path: 'groups[].topics', how: 'sort', by: 'name', reason: 'Kafka answers from a hash map' },
  { api: 'offsetFetch', path: 'groups[].topics[].topicId', how: 'presence', reason: ids },
  {
    api: 'offsetFetch',
    path: 'groups[].topics[].partitions',
    how: 'sort',
    by: 'partitionIndex',
    reason: 'Kafka answers from a hash map',
  },
  { api: 'offsetCommit', path: 'topics[].topicId', how: 'presence', reason: ids },
  { api: 'offsetDelete', path: 'topics', how: 'sort', by: 'name', reason: 'Kafka answers from a hash map' },
  {
    api: 'describeConfigs',
    path: 'results[].configs',
    how: 'except',
    by: 'name',
    names: [
      'advertised.listeners',
      'controller.listener.names',
      'controller.quorum.bootstrap.servers',
      'inter.broker.listener.name',
      'listener.security.protocol.map',
      'listeners',
      'log.dir',
      'log.dirs',
      'process.roles',
    ],
    reason: 'two brokers live in two places, and one node needs no settings to find its controller',
  },
  {
    api: 'describeConfigs',
    path: 'results[].configs[].documentation',
    how: 'ignore',
    reason: 'prose of Apache Kafka, which Blumfeld does not carry: it answers null, which is allowed',
  },
  { api: 'describeConfigs', path: 'results[].configs', how: 'sort', by: 'name', reason: 'Kafka answers from a hash map' },
  { api: 'alterConfigs', path: 'responses', how: 'sort', by: 'resourceName', reason: 'Kafka answers from a hash map' },
  { api: 'incrementalAlterConfigs', path: 'responses', how: 'sort', by: 'resourceName', reason: 'Kafka answers from a hash map' },
  { api: 'alterReplicaLogDirs', path: 'results', how: 'sort', by: 'topicName', reason: 'Kafka answers from a hash map' },
  {
    api: 'alterReplicaLogDirs',
    path: 'results[].partitions',
    how: 'sort',
    by: 'partitionIndex',
    reason: 'Kafka answers from a hash map',
  },
  { api: 'describeLogDirs', path: 'results[].logDir', how: 'presence', reason: 'each has its own directory' },
  { api: 'describeLogDirs', path: 'results[].totalBytes', how: 'presence', reason: 'the disk at that moment' },
  { api: 'describeLogDirs', path: 'results[].usableBytes', how: 'presence', reason: 'the disk at that moment' },
  {
    api: 'describeLogDirs',
    path: 'results[].topics',
    how: 'own',
    by: 'name',
    reason: 'what else is on the brokers is not the question',
  },
  { api: 'describeLogDirs', path: 'results[].topics', how: 'sort', by: 'name', reason: 'Kafka answers from a hash map' },
  {
    api: 'describeLogDirs',
    path: 'results[].topics[].partitions',
    how: 'sort',
    by: 'partitionIndex',
    reason: 'Kafka answers from a hash map',
  },
  {
    api: 'apiVersions',
    path: 'apiKeys',
    how: 'ignore',
    reason: 'what has no handler yet is not advertised; the versions of the rest are checked by every other case',
  },
  {
    api: 'apiVersions',
    path: 'supportedFeatures',
    how: 'except',
    by: 'name',
    names: UNHANDLED_FEATURES,
    reason: 'features whose APIs have no handler yet are not there: a client would use them',
  },
  {
    api: 'apiVersions',
    path: 'finalizedFeatures',
    how: 'except',
    by: 'name',
    names: UNHANDLED_FEATURES,
    reason: 'features whose APIs have no handler yet are not finalized: a client would use them',
  },
  { api: 'apiVersions', path: 'supportedFeatures', how: 'sort', by: 'name', reason: 'Kafka answers from a hash map' },
  { api: 'apiVersions', path: 'finalizedFeatures', how: 'sort', by: 'name', reason: 'Kafka answers from a hash map' },
  { api: 'apiVersions', path: 'finalizedFeaturesEpoch', how: 'ignore', reason: 'the offset of the metadata log' },
];

/** Differences that are meant, by case and version range: what Blumfeld answers instead, and why. */
export interface Explained {
  readonly api: string;
  readonly name: string;
  readonly reason: string;
}

export const EXPLAINED: readonly Explained[] = [
  {
    api: 'incrementalAlterConfigs',
    name: 'an operation that is none',
    reason: 'Kafka fails with an unknown server error; here it is an invalid request, with words',
  },
  {
    api: 'metadata',
    name: 'without name and id',
    reason: 'Kafka fails with an unknown server error as a whole; here the topic alone is refused',
  },
];

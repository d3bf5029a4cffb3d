/**
 * A cluster's metadata: the state that replaying `__cluster_metadata-0` gives. It changes through `apply` alone, one record after the other, and the
 * same records give the same image on every node. What it holds is read-only to everybody else.
 *
 * Invariants: topicsByName and topicsById hold the same topics; a topic's partitions are numbered densely from 0; configs of a deleted topic are
 * gone; a resource without configs has no entry.
 */
import { ConfigResourceType } from '../../wire/config-resource.ts';
import type { AccessControlEntryRecord } from '../../wire/generated/records/access-control-entry-record.ts';
import type { ClientQuotaRecord } from '../../wire/generated/records/client-quota-record.ts';
import type { DelegationTokenRecord } from '../../wire/generated/records/delegation-token-record.ts';
import type { UserScramCredentialRecord } from '../../wire/generated/records/user-scram-credential-record.ts';
import type { MetadataRecord } from '../../wire/metadata-record.ts';
import { type BrokerImage, type ControllerImage, brokerOfRecord, controllerOfRecord } from './broker-image.ts';
import type { ConfigResource, MetadataChanges } from './metadata-change.ts';
import {
  type MutableTopicImage,
  type PartitionImage,
  type TopicImage,
  mergedPartition,
  partitionOfRecord,
} from './topic-image.ts';

/** One quota entity with its limits, such as user alice's producer_byte_rate. A null name is the default of that type. */
export interface ClientQuotaImage {
  readonly entity: readonly { readonly entityType: string; readonly entityName: string | null }[];
  readonly values: ReadonlyMap<string, number>;
}

function quotaKey(entity: ClientQuotaImage['entity']): string {
  const parts = entity.map(({ entityType, entityName }) => [entityType, entityName] as const);
  return JSON.stringify(parts.sort(([a], [b]) => (a < b ? -1 : 1)));
}

const NO_CONFIGS: ReadonlyMap<string, string> = new Map();

type RecordOf<K extends MetadataRecord['kind']> = Extract<MetadataRecord, { kind: K }>['value'];

export class MetadataImage {
  readonly #topicsByName = new Map<string, MutableTopicImage>();
  readonly #topicsById = new Map<string, MutableTopicImage>();
  /** Topics by their name with '.' turned into '_', for those whose name has one of the two. */
  readonly #collidable = new Map<string, Set<string>>();
  readonly #brokers = new Map<number, BrokerImage>();
  readonly #controllers = new Map<number, ControllerImage>();
  readonly #configs = new Map<string, Map<string, string>>();
  readonly #features = new Map<string, number>();
  readonly #acls = new Map<string, AccessControlEntryRecord>();
  readonly #quotas = new Map<string, { entity: ClientQuotaImage['entity']; values: Map<string, number> }>();
  readonly #scram = new Map<string, UserScramCredentialRecord>();
  readonly #tokens = new Map<string, DelegationTokenRecord>();
  #nextProducerId = 0;
  #partitionCount = 0;
  /** The offset of the last record applied; -1 before the first. Set by whoever replays. */
  offset = -1;
  /** The raft epoch of the last record applied. Set by whoever replays. */
  epoch = 0;

  get topicsByName(): ReadonlyMap<string, TopicImage> {
    return this.#topicsByName;
  }

  get topicsById(): ReadonlyMap<string, TopicImage> {
    return this.#topicsById;
  }

  get brokers(): ReadonlyMap<number, BrokerImage> {
    return this.#brokers;
  }

  get controllers(): ReadonlyMap<number, ControllerImage> {
    return this.#controllers;
  }

  /** Finalized levels by feature name, without those at level 0. `kraft.version` is not among them: it is not a metadata record. */
  get features(): ReadonlyMap<string, number> {
    return this.#features;
  }

  get acls(): ReadonlyMap<string, AccessControlEntryRecord> {
    return this.#acls;
  }

  /** By a key of no meaning. */
  get clientQuotas(): ReadonlyMap<string, ClientQuotaImage> {
    return this.#quotas;
  }

  /** By `<mechanism> <user>`. */
  scramCredential(user: string, mechanism: number): UserScramCredentialRecord | undefined {
    return this.#scram.get(`${mechanism} ${user}`);
  }

  get scramCredentials(): ReadonlyMap<string, UserScramCredentialRecord> {
    return this.#scram;
  }

  get delegationTokens(): ReadonlyMap<string, DelegationTokenRecord> {
    return this.#tokens;
  }

  get nextProducerId(): number {
    return this.#nextProducerId;
  }

  get partitionCount(): number {
    return this.#partitionCount;
  }

  partition(topicName: string, index: number): PartitionImage | undefined {
    return this.#topicsByName.get(topicName)?.partitions.get(index);
  }

  /** What was set for this resource, and nothing else. */
  configsOf(type: number, name: string): ReadonlyMap<string, string> {
    return this.#configs.get(`${type}:${name}`) ?? NO_CONFIGS;
  }

  /** Resources with configs, of all types. */
  *configuredResources(): Iterable<{ readonly resource: ConfigResource; readonly configs: ReadonlyMap<string, string> }> {
    for (const [key, configs] of this.#configs) {
      const colon = key.indexOf(':');
      yield { resource: { type: Number(key.slice(0, colon)), name: key.slice(colon + 1) }, configs };
    }
  }

  /** The finalized level; 0 when the feature is not finalized. */
  featureLevel(name: string): number {
    return this.#features.get(name) ?? 0;
  }

  /** Existing topics whose name equals `name` once '.' and '_' count as the same. */
  collidingTopics(name: string): ReadonlySet<string> | undefined {
    return this.#collidable.get(withoutPeriods(name));
  }

  /** Applies one record and notes what it has changed. Raises Error on a record that contradicts the image: the log is then not to be trusted. */
  apply(record: MetadataRecord, changes: MetadataChanges): void {
    switch (record.kind) {
      case 'TopicRecord':
        return this.#createTopic(record.value.name, record.value.topicId, changes);
      case 'PartitionRecord':
        return this.#putPartition(record.value, changes);
      case 'PartitionChangeRecord':
        return this.#changePartition(record.value, changes);
      case 'RemoveTopicRecord':
        return this.#removeTopic(record.value.topicId, changes);
      case 'ClearElrRecord':
        return this.#clearElr(record.value.topicName, changes);
      case 'ConfigRecord':
        return this.#putConfig(record.value, changes);
      case 'RegisterBrokerRecord':
        return this.#putBroker(brokerOfRecord(record.value), changes);
      case 'UnregisterBrokerRecord':
        this.#brokers.delete(record.value.brokerId);
        return changes.add({ kind: 'brokerChanged', brokerId: record.value.brokerId });
      case 'BrokerRegistrationChangeRecord':
        return this.#changeBroker(record.value, changes);
      case 'FenceBrokerRecord':
        return this.#putBroker({ ...this.#broker(record.value.id, record.value.epoch), fenced: true }, changes);
      case 'UnfenceBrokerRecord':
        return this.#putBroker({ ...this.#broker(record.value.id, record.value.epoch), fenced: false }, changes);
      case 'RegisterControllerRecord':
        this.#controllers.set(record.value.controllerId, controllerOfRecord(record.value));
        return changes.add({ kind: 'controllerChanged', controllerId: record.value.controllerId });
      case 'UnregisterControllerRecord':
        this.#controllers.delete(record.value.controllerId);
        return changes.add({ kind: 'controllerChanged', controllerId: record.value.controllerId });
      case 'FeatureLevelRecord':
        if (record.value.name === 'kraft.version') return;
        if (record.value.featureLevel === 0) this.#features.delete(record.value.name);
        else this.#features.set(record.value.name, record.value.featureLevel);
        return changes.add({ kind: 'featureChanged', name: record.value.name });
      case 'ProducerIdsRecord':
        this.#nextProducerId = Number(record.value.nextProducerId);
        return;
      case 'AccessControlEntryRecord':
        this.#acls.set(record.value.id, record.value);
        return changes.add({ kind: 'aclsChanged' });
      case 'RemoveAccessControlEntryRecord':
        if (!this.#acls.delete(record.value.id)) throw contradiction(`removes the unknown ACL ${record.value.id}`);
        return changes.add({ kind: 'aclsChanged' });
      case 'ClientQuotaRecord':
        return this.#putQuota(record.value, changes);
      case 'UserScramCredentialRecord':
        this.#scram.set(`${record.value.mechanism} ${record.value.name}`, record.value);
        return changes.add({ kind: 'scramCredentialsChanged', user: record.value.name });
      case 'RemoveUserScramCredentialRecord':
        this.#scram.delete(`${record.value.mechanism} ${record.value.name}`);
        return changes.add({ kind: 'scramCredentialsChanged', user: record.value.name });
      case 'DelegationTokenRecord':
        this.#tokens.set(record.value.tokenId, record.value);
        return changes.add({ kind: 'delegationTokensChanged' });
      case 'RemoveDelegationTokenRecord':
        this.#tokens.delete(record.value.tokenId);
        return changes.add({ kind: 'delegationTokensChanged' });
      case 'NoOpRecord':
      case 'ZkMigrationStateRecord':
        return;
      case 'BeginTransactionRecord':
      case 'EndTransactionRecord':
      case 'AbortTransactionRecord':
        throw new Error(`${record.kind} reached the image: transactions are resolved by the replay`);
    }
  }

  #createTopic(name: string, id: string, changes: MetadataChanges): void {
    if (this.#topicsByName.has(name) || this.#topicsById.has(id))
      throw contradiction(`creates topic ${name} (${id}), which exists`);
    const topic: MutableTopicImage = { name, id, partitions: new Map() };
    this.#topicsByName.set(name, topic);
    this.#topicsById.set(id, topic);
    if (hasCollisionCharacter(name)) {
      const key = withoutPeriods(name);
      const names = this.#collidable.get(key);
      if (names === undefined) this.#collidable.set(key, new Set([name]));
      else names.add(name);
    }
    changes.topicCreated(topic);
  }

  #removeTopic(id: string, changes: MetadataChanges): void {
    const topic = this.#topic(id);
    this.#topicsByName.delete(topic.name);
    this.#topicsById.delete(id);
    this.#configs.delete(`${ConfigResourceType.TOPIC}:${topic.name}`);
    this.#partitionCount -= topic.partitions.size;
    if (hasCollisionCharacter(topic.name)) {
      const key = withoutPeriods(topic.name);
      const names = this.#collidable.get(key);
      names?.delete(topic.name);
      if (names?.size === 0) this.#collidable.delete(key);
    }
    changes.topicDeleted(topic);
  }

  #putPartition(record: RecordOf<'PartitionRecord'>, changes: MetadataChanges): void {
    const topic = this.#topic(record.topicId);
    const partition = partitionOfRecord(record);
    const previous = topic.partitions.get(partition.index);
    topic.partitions.set(partition.index, partition);
    if (previous !== undefined) return changes.partitionChanged(topic, partition, previous);
    this.#partitionCount++;
    changes.partitionAdded(topic, partition);
  }

  #changePartition(record: RecordOf<'PartitionChangeRecord'>, changes: MetadataChanges): void {
    const topic = this.#topic(record.topicId);
    const previous = topic.partitions.get(record.partitionId);
    if (previous === undefined)
      throw contradiction(`changes partition ${topic.name}-${record.partitionId}, which does not exist`);
    this.#replacePartition(topic, mergedPartition(previous, record), previous, changes);
  }

  #replacePartition(
    topic: MutableTopicImage,
    partition: PartitionImage,
    previous: PartitionImage,
    changes: MetadataChanges,
  ): void {
    topic.partitions.set(partition.index, partition);
    changes.partitionChanged(topic, partition, previous);
  }

  /** Empty name: of all topics. */
  #clearElr(topicName: string, changes: MetadataChanges): void {
    const named = this.#topicsByName.get(topicName);
    if (topicName !== '' && named === undefined)
      throw contradiction(`clears the eligible leaders of the unknown topic ${topicName}`);
    for (const topic of named === undefined ? this.#topicsByName.values() : [named]) {
      for (const partition of topic.partitions.values()) {
        if (partition.elr.length === 0 && partition.lastKnownElr.length === 0) continue;
        const cleared = { ...partition, elr: [], lastKnownElr: [], partitionEpoch: partition.partitionEpoch + 1 };
        this.#replacePartition(topic, cleared, partition, changes);
      }
    }
  }

  #putConfig(record: RecordOf<'ConfigRecord'>, changes: MetadataChanges): void {
    const key = `${record.resourceType}:${record.resourceName}`;
    const configs = this.#configs.get(key) ?? new Map<string, string>();
    if (record.value === null) configs.delete(record.name);
    else configs.set(record.name, record.value);
    if (configs.size === 0) this.#configs.delete(key);
    else this.#configs.set(key, configs);
    const topic = record.resourceType === ConfigResourceType.TOPIC ? this.#topicsByName.get(record.resourceName) : undefined;
    changes.configChanged({ type: record.resourceType, name: record.resourceName }, record.name, topic);
  }

  #putBroker(broker: BrokerImage, changes: MetadataChanges): void {
    this.#brokers.set(broker.id, broker);
    changes.add({ kind: 'brokerChanged', brokerId: broker.id });
  }

  #changeBroker(record: RecordOf<'BrokerRegistrationChangeRecord'>, changes: MetadataChanges): void {
    const old = this.#broker(record.brokerId, record.brokerEpoch);
    const broker: BrokerImage = {
      ...old,
      fenced: record.fenced === 0 ? old.fenced : record.fenced === 1,
      inControlledShutdown: record.inControlledShutdown === 0 ? old.inControlledShutdown : record.inControlledShutdown === 1,
      logDirs: record.logDirs.length === 0 ? old.logDirs : record.logDirs,
      cordonedLogDirs: record.cordonedLogDirs ?? old.cordonedLogDirs,
    };
    this.#putBroker(broker, changes);
  }

  #putQuota(record: ClientQuotaRecord, changes: MetadataChanges): void {
    const entity = [...record.entity].sort((a, b) => (a.entityType < b.entityType ? -1 : 1));
    const key = quotaKey(entity);
    const quota = this.#quotas.get(key) ?? { entity, values: new Map<string, number>() };
    if (record.remove) quota.values.delete(record.key);
    else quota.values.set(record.key, record.value);
    if (quota.values.size === 0) this.#quotas.delete(key);
    else this.#quotas.set(key, quota);
    changes.add({ kind: 'clientQuotasChanged' });
  }

  #topic(id: string): MutableTopicImage {
    const topic = this.#topicsById.get(id);
    if (topic === undefined) throw contradiction(`names the topic id ${id}, which no topic has`);
    return topic;
  }

  #broker(id: number, epoch: bigint): BrokerImage {
    const broker = this.#brokers.get(id);
    if (broker === undefined) throw contradiction(`changes broker ${id}, which is not registered`);
    if (BigInt(broker.epoch) !== epoch)
      throw contradiction(`changes broker ${id} at epoch ${epoch}, which is at epoch ${broker.epoch}`);
    return broker;
  }
}

function contradiction(what: string): Error {
  return new Error(`the metadata log contradicts itself: a record ${what}`);
}

function hasCollisionCharacter(name: string): boolean {
  return name.includes('.') || name.includes('_');
}

function withoutPeriods(name: string): string {
  return name.replaceAll('.', '_');
}

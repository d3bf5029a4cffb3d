/**
 * An image as the records that make it, in the order in which Apache Kafka writes them into a snapshot: the feature levels first, because they say how
 * the rest is to be read. Replaying them into an empty image gives the same image. Source: MetadataImage.write of Apache Kafka.
 */
import type { MetadataRecordDraft } from '../../wire/metadata-record.ts';
import type { BrokerImage, ControllerImage, FeatureRange } from './broker-image.ts';
import type { MetadataImage } from './image.ts';
import { isElrEnabled, METADATA_VERSION, partitionRecord, recordVersions } from './record-versions.ts';

/** What is left of eligible leaders where the feature is off: nothing, once it is in a snapshot. */
const NO_ELR = { elr: [], lastKnownElr: [] };

/** Read while it is gone through: the image must not change meanwhile. Raises Error for an image without a known metadata.version. */
export function* imageRecords(image: MetadataImage): Generator<MetadataRecordDraft> {
  const versions = recordVersions(image);
  const withElr = isElrEnabled(image);
  yield* featureRecords(image);
  for (const broker of image.brokers.values()) yield brokerRecord(broker, versions.registerBrokerRecord);
  for (const controller of image.controllers.values()) yield controllerRecord(controller);
  for (const topic of image.topicsById.values()) {
    yield { kind: 'TopicRecord', value: { name: topic.name, topicId: topic.id } };
    for (const partition of topic.partitions.values())
      yield partitionRecord(topic.id, withElr ? partition : { ...partition, ...NO_ELR }, versions.partitionRecord);
  }
  for (const { resource, configs } of image.configuredResources()) {
    for (const [name, value] of configs) {
      const config = { resourceType: resource.type, resourceName: resource.name, name, value };
      yield { kind: 'ConfigRecord', value: config };
    }
  }
  for (const { entity, values } of image.clientQuotas.values()) {
    for (const [key, value] of values) yield { kind: 'ClientQuotaRecord', value: { entity, key, value, remove: false } };
  }
  yield {
    kind: 'ProducerIdsRecord',
    value: { brokerId: -1, brokerEpoch: -1, nextProducerId: image.nextProducerId },
  };
  for (const value of image.acls.values()) yield { kind: 'AccessControlEntryRecord', value };
  for (const value of image.scramCredentials.values()) yield { kind: 'UserScramCredentialRecord', value };
  for (const value of image.delegationTokens.values()) yield { kind: 'DelegationTokenRecord', value };
}

function* featureRecords(image: MetadataImage): Generator<MetadataRecordDraft> {
  const others = [...image.features.keys()].filter((name) => name !== METADATA_VERSION);
  for (const name of [METADATA_VERSION, ...others]) {
    yield { kind: 'FeatureLevelRecord', value: { name, featureLevel: image.featureLevel(name) } };
  }
}

function brokerRecord(broker: BrokerImage, version: number): MetadataRecordDraft {
  const value = {
    brokerId: broker.id,
    brokerEpoch: broker.epoch,
    incarnationId: broker.incarnationId,
    endPoints: broker.endpoints,
    features: featureRanges(broker.features),
    rack: broker.rack,
    fenced: broker.fenced,
    ...(version >= 1 ? { inControlledShutdown: broker.inControlledShutdown } : {}),
    ...(version >= 3 ? { logDirs: broker.logDirs } : {}),
    ...(version >= 4 ? { cordonedLogDirs: broker.cordonedLogDirs } : {}),
  };
  return { kind: 'RegisterBrokerRecord', value, version };
}

function controllerRecord(controller: ControllerImage): MetadataRecordDraft {
  const value = {
    controllerId: controller.id,
    incarnationId: controller.incarnationId,
    zkMigrationReady: false,
    endPoints: controller.endpoints,
    features: featureRanges(controller.features),
  };
  return { kind: 'RegisterControllerRecord', value };
}

const featureRanges = (features: ReadonlyMap<string, FeatureRange>) =>
  [...features].map(([name, { min, max }]) => ({ name, minSupportedVersion: min, maxSupportedVersion: max }));

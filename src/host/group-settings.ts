/** The broker configs that the group coordinator obeys. Source: Kafka's broker configs of the same names. */
import type { GroupConfig } from '../machine/group/input.ts';
import type { CompressionCodec } from '../wire/compression/codec.ts';
import type { InternalTopic } from './internal-topic.ts';
import { OFFSETS_TOPIC } from '../wire/topic-name.ts';

/** As SettingsView of api/context has them. */
export interface CoordinatorSettings {
  int(name: string): number;
  long(name: string): number;
}

export interface GroupSettings {
  readonly machine: GroupConfig;
  readonly groupMinSessionTimeoutMs: number;
  readonly groupMaxSessionTimeoutMs: number;
  readonly offsetsCommitTimeoutMs: number;
  readonly offsetsTopicCodec: CompressionCodec;
  readonly offsetsTopic: InternalTopic;
}

const MS_PER_MINUTE = 60_000;
const LAST_CODEC = 4;

export function groupSettingsOf(settings: CoordinatorSettings): GroupSettings {
  const codec = settings.int('offsets.topic.compression.codec');
  return {
    machine: {
      groupMaxSize: settings.int('group.max.size'),
      groupInitialRebalanceDelayMs: settings.int('group.initial.rebalance.delay.ms'),
      offsetMetadataMaxBytes: settings.int('offset.metadata.max.bytes'),
      offsetsRetentionMs: settings.int('offsets.retention.minutes') * MS_PER_MINUTE,
      offsetsRetentionCheckIntervalMs: settings.long('offsets.retention.check.interval.ms'),
    },
    groupMinSessionTimeoutMs: settings.int('group.min.session.timeout.ms'),
    groupMaxSessionTimeoutMs: settings.int('group.max.session.timeout.ms'),
    offsetsCommitTimeoutMs: settings.int('offsets.commit.timeout.ms'),
    offsetsTopicCodec: codec >= 0 && codec <= LAST_CODEC ? (codec as CompressionCodec) : 0,
    offsetsTopic: {
      name: OFFSETS_TOPIC,
      partitions: settings.int('offsets.topic.num.partitions'),
      replicationFactor: settings.int('offsets.topic.replication.factor'),
      configs: {
        'cleanup.policy': 'compact',
        'compression.type': 'producer',
        'segment.bytes': String(settings.int('offsets.topic.segment.bytes')),
      },
    },
  };
}

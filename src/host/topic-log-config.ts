/** A topic's configs as the plain values that its logs run by. */
import type { CleanupPolicy, CompressionType, LogConfig, MessageTimestampType } from '../log/log-config.ts';
import { type ConfigLayers, configLayers } from '../machine/metadata/config-sources.ts';
import type { BrokerConfigs } from '../machine/metadata/decision.ts';
import type { MetadataImage } from '../machine/metadata/image.ts';
import { ConfigResourceType } from '../wire/config-resource.ts';
import { TOPIC_CONFIG_FACTS, topicConfigValue } from '../machine/metadata/topic-configs.ts';

/** What a topic's logs run by as things stand. A topic that does not exist has the brokers' values. */
export function logConfigOf(image: MetadataImage, nodeId: number, brokerConfigs: BrokerConfigs, topic: string): LogConfig {
  return logConfigFrom(image.configsOf(ConfigResourceType.TOPIC, topic), configLayers(image, nodeId, brokerConfigs));
}

function logConfigFrom(own: ReadonlyMap<string, string>, layers: ConfigLayers): LogConfig {
  const text = (name: string): string => {
    const fact = TOPIC_CONFIG_FACTS.get(name);
    if (fact === undefined) throw new Error(`${name} is no topic config`);
    return topicConfigValue(fact, own, layers) ?? '';
  };
  const number = (name: string): number => bounded(Number(text(name)));
  const internalSegmentBytes = text('internal.segment.bytes');
  return {
    segmentBytes: internalSegmentBytes === '' ? number('segment.bytes') : Number(internalSegmentBytes),
    segmentMs: number('segment.ms'),
    segmentJitterMs: number('segment.jitter.ms'),
    segmentIndexBytes: number('segment.index.bytes'),
    indexIntervalBytes: number('index.interval.bytes'),
    retentionMs: number('retention.ms'),
    retentionBytes: number('retention.bytes'),
    fileDeleteDelayMs: number('file.delete.delay.ms'),
    flushMessages: number('flush.messages'),
    flushMs: number('flush.ms'),
    maxMessageBytes: number('max.message.bytes'),
    maxDecompressedMessageBytes: number('max.decompressed.message.bytes'),
    messageTimestampType: text('message.timestamp.type') as MessageTimestampType,
    messageTimestampBeforeMaxMs: number('message.timestamp.before.max.ms'),
    messageTimestampAfterMaxMs: number('message.timestamp.after.max.ms'),
    cleanupPolicy: text('cleanup.policy')
      .split(',')
      .filter((policy) => policy !== '') as CleanupPolicy[],
    deleteRetentionMs: number('delete.retention.ms'),
    minCompactionLagMs: number('min.compaction.lag.ms'),
    maxCompactionLagMs: number('max.compaction.lag.ms'),
    minCleanableDirtyRatio: number('min.cleanable.dirty.ratio'),
    compressionType: text('compression.type') as CompressionType,
    compressionLevels: {
      gzip: number('compression.gzip.level'),
      lz4: number('compression.lz4.level'),
      zstd: number('compression.zstd.level'),
    },
    minInsyncReplicas: number('min.insync.replicas'),
  };
}

function bounded(value: number): number {
  return Math.max(-Number.MAX_SAFE_INTEGER, Math.min(Number.MAX_SAFE_INTEGER, value));
}

/** Topics that come into being because somebody asked for them. What they start with is the brokers' to say, not the asker's. */
import type { CreateTopicsRequest } from '../wire/generated/create-topics.ts';
import type { Context } from './context.ts';

type CreatableTopic = CreateTopicsRequest['topics'][number];

const GROUP_METADATA_TOPIC = '__consumer_offsets';
const TRANSACTION_STATE_TOPIC = '__transaction_state';
const SHARE_GROUP_STATE_TOPIC = '__share_group_state';

/**
 * Creates topics and does not wait. Whoever asked is told that they do not exist, and asks again (as Kafka does); why one could not be created is not
 * told to anybody. A failing disk is the metadata log's to report.
 */
export function createTopicsLater(names: readonly string[], context: Context): void {
  createTopics(names, context).catch(() => undefined);
}

async function createTopics(names: readonly string[], context: Context): Promise<void> {
  const topics = names.map((name) => creatableTopic(name, context));
  await context.controller.submit('createTopics', {
    topics,
    timeoutMs: context.settings.int('request.timeout.ms'),
    validateOnly: false,
  });
}

function creatableTopic(name: string, { settings }: Context): CreatableTopic {
  switch (name) {
    case GROUP_METADATA_TOPIC:
      return topicOf(name, settings.int('offsets.topic.num.partitions'), settings.int('offsets.topic.replication.factor'), {
        'cleanup.policy': 'compact',
        'compression.type': 'producer',
        'segment.bytes': String(settings.int('offsets.topic.segment.bytes')),
      });
    case TRANSACTION_STATE_TOPIC:
      return topicOf(
        name,
        settings.int('transaction.state.log.num.partitions'),
        settings.int('transaction.state.log.replication.factor'),
        {
          'unclean.leader.election.enable': 'false',
          'compression.type': 'uncompressed',
          'cleanup.policy': 'compact',
          'min.insync.replicas': String(settings.int('transaction.state.log.min.isr')),
          'segment.bytes': String(settings.int('transaction.state.log.segment.bytes')),
        },
      );
    case SHARE_GROUP_STATE_TOPIC:
      return topicOf(
        name,
        settings.int('share.coordinator.state.topic.num.partitions'),
        settings.int('share.coordinator.state.topic.replication.factor'),
        {
          'cleanup.policy': 'delete',
          'compression.type': 'producer',
          'segment.bytes': String(settings.int('share.coordinator.state.topic.segment.bytes')),
          'min.insync.replicas': String(settings.int('share.coordinator.state.topic.min.isr')),
          'retention.ms': '-1',
        },
      );
    default:
      return topicOf(name, -1, -1, {});
  }
}

function topicOf(
  name: string,
  numPartitions: number,
  replicationFactor: number,
  configs: Record<string, string>,
): CreatableTopic {
  return {
    name,
    numPartitions,
    replicationFactor,
    assignments: [],
    configs: Object.entries(configs).map(([config, value]) => ({ name: config, value })),
  };
}

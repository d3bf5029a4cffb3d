/** Topics that come into being because somebody asked for them. What they start with is the brokers' to say, not the asker's. */
import type { CreateTopicsRequest } from '../wire/generated/create-topics.ts';
import type { Context } from './context.ts';
import { OFFSETS_TOPIC, SHARE_STATE_TOPIC, TRANSACTION_TOPIC } from '../wire/topic-name.ts';

type CreatableTopic = CreateTopicsRequest['topics'][number];

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

function creatableTopic(name: string, { settings, groups, transactions }: Context): CreatableTopic {
  switch (name) {
    case OFFSETS_TOPIC:
      return topicOf(groups.topic.asCreated);
    case TRANSACTION_TOPIC:
      return topicOf(transactions.topic.asCreated);
    case SHARE_STATE_TOPIC:
      return topicOf({
        name,
        partitions: settings.int('share.coordinator.state.topic.num.partitions'),
        replicationFactor: settings.int('share.coordinator.state.topic.replication.factor'),
        configs: {
          'cleanup.policy': 'delete',
          'compression.type': 'producer',
          'segment.bytes': String(settings.int('share.coordinator.state.topic.segment.bytes')),
          'min.insync.replicas': String(settings.int('share.coordinator.state.topic.min.isr')),
          'retention.ms': '-1',
        },
      });
    default:
      return topicOf({ name, partitions: -1, replicationFactor: -1, configs: {} });
  }
}

function topicOf({ name, partitions, replicationFactor, configs }: Context['groups']['topic']['asCreated']): CreatableTopic {
  return {
    name,
    numPartitions: partitions,
    replicationFactor,
    assignments: [],
    configs: Object.entries(configs).map(([config, value]) => ({ name: config, value })),
  };
}

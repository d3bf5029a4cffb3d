/** Topics that the broker itself creates: those asked for at start, and internal ones on first need. Through the controller, as any other. */
import type { InternalTopic } from '../host/internal-topic.ts';
import type { MetadataLog } from '../host/metadata-log.ts';
import { ERROR_NAMES, ErrorCode } from '../wire/generated/errors.ts';
import type { TopicToCreate } from './environment.ts';
import type { Logger } from './logger.ts';
import { SettingsError } from './settings-error.ts';

const TIMEOUT_MS = 30_000;

/** Those that exist stay as they are. Raises SettingsError with the controller's reason for one that cannot be. */
export async function createTopics(controller: MetadataLog, topics: readonly TopicToCreate[]): Promise<void> {
  if (topics.length === 0) return;
  for (const { name, errorCode, errorMessage } of await submit(controller, topics)) {
    if (errorCode === ErrorCode.NONE || errorCode === ErrorCode.TOPIC_ALREADY_EXISTS) continue;
    throw new SettingsError(
      `Topic ${name} cannot be created: ${errorMessage ?? ERROR_NAMES.get(errorCode) ?? `error ${errorCode}`}`,
    );
  }
}

async function submit(controller: MetadataLog, topics: readonly TopicToCreate[]) {
  const replies = await controller.submit('createTopics', {
    timeoutMs: TIMEOUT_MS,
    validateOnly: false,
    topics: topics.map(({ name, partitions, replicationFactor, configs }) => ({
      name,
      numPartitions: partitions,
      replicationFactor,
      assignments: [],
      configs: Object.entries(configs).map(([config, value]) => ({ name: config, value })),
    })),
  });
  return replies.map(({ name, errorCode, errorMessage }) => ({ name, errorCode, errorMessage }));
}

/** Creates internal topics on first need. Resolves when the topic is there or cannot be; why it cannot is in the log. */
export function internalTopics(controller: MetadataLog, log: Logger): (topic: InternalTopic) => Promise<void> {
  return async (topic) => {
    if (controller.image.topicsByName.has(topic.name)) return;
    try {
      await createTopics(controller, [topic]);
    } catch (error) {
      log.error(`internal topic ${topic.name} cannot be created`, { error });
    }
  };
}

/** Topics that the broker makes for itself, through the same controller as everybody. */
import { ErrorCode } from '../wire/generated/errors.ts';
import type { MetadataLog } from './metadata-log.ts';
import type { InternalTopic } from './group-settings.ts';

const CREATE_TIMEOUT_MS = 30_000;

/** Resolves when the topic is there, made now or before. Otherwise the reason, in the controller's words. */
export async function createInternalTopic(controller: Pick<MetadataLog, 'submit'>, topic: InternalTopic): Promise<string | undefined> {
  const [result] = await controller.submit('createTopics', {
    topics: [
      {
        name: topic.name,
        numPartitions: topic.partitions,
        replicationFactor: topic.replicationFactor,
        assignments: [],
        configs: Object.entries(topic.configs).map(([name, value]) => ({ name, value })),
      },
    ],
    timeoutMs: CREATE_TIMEOUT_MS,
    validateOnly: false,
  });
  const errorCode = result?.errorCode ?? ErrorCode.NONE;
  if (errorCode === ErrorCode.NONE || errorCode === ErrorCode.TOPIC_ALREADY_EXISTS) return undefined;
  return result?.errorMessage ?? `error ${errorCode}`;
}

/** What a resource's configs come to, for DescribeConfigs. */
import { ConfigResourceType } from '../../wire/config-resource.ts';
import { ErrorCode } from '../../wire/generated/errors.ts';
import { topicNameError } from '../../wire/topic-name.ts';
import { clusterDefaultConfigs, effectiveBrokerConfigs } from './broker-configs.ts';
import { effectiveClientMetricsConfigs } from './client-metrics-configs.ts';
import { type EffectiveConfig, configLayers } from './config-sources.ts';
import type { ApiError, BrokerConfigs } from './decision.ts';
import { effectiveGroupConfigs } from './group-configs.ts';
import type { MetadataImage } from './image.ts';
import type { ConfigResource } from './metadata-change.ts';
import { effectiveTopicConfigs } from './topic-configs.ts';

/** Kafka's words for an invalid request that has none of its own. */
const MALFORMED =
  'This most likely occurs because of a request being malformed by the client library or the message was sent to an incompatible broker. See the broker logs for more details.';

export type DescribedConfigs =
  | { readonly ok: true; readonly configs: readonly EffectiveConfig[] }
  | { readonly ok: false; readonly error: ApiError };

const refused = (message: string): DescribedConfigs => ({ ok: false, error: { error: ErrorCode.INVALID_REQUEST, message } });
const described = (configs: readonly EffectiveConfig[]): DescribedConfigs => ({ ok: true, configs });

/** Sorted by name. Of brokers, only this one and all of them together (the empty name) are known here. */
export function describedConfigs(
  { type, name }: ConfigResource,
  image: MetadataImage,
  nodeId: number,
  brokerConfigs: BrokerConfigs,
): DescribedConfigs {
  const layers = configLayers(image, nodeId, brokerConfigs);
  switch (type) {
    case ConfigResourceType.TOPIC: {
      const message = topicNameError(name);
      if (message !== null) return { ok: false, error: { error: ErrorCode.INVALID_TOPIC_EXCEPTION, message } };
      if (image.topicsByName.has(name)) return described(effectiveTopicConfigs(image.configsOf(type, name), layers));
      return { ok: false, error: { error: ErrorCode.UNKNOWN_TOPIC_OR_PARTITION, message: null } };
    }
    case ConfigResourceType.BROKER:
      if (name === '') return described(clusterDefaultConfigs(layers));
      return brokerIdProblem(name, nodeId, `expected ${nodeId} or empty string,`) ?? described(effectiveBrokerConfigs(layers));
    case ConfigResourceType.BROKER_LOGGER:
      if (name === '') return refused('Broker id must not be empty');
      return brokerIdProblem(name, nodeId, `expected ${nodeId}`) ?? described([]);
    case ConfigResourceType.CLIENT_METRICS:
      if (name === '') return refused('Client metrics subscription name must not be empty');
      return described(effectiveClientMetricsConfigs(image.configsOf(type, name)));
    case ConfigResourceType.GROUP:
      if (name === '') return refused('Group name must not be empty');
      return described(effectiveGroupConfigs(image.configsOf(type, name), layers));
    default:
      return refused(MALFORMED);
  }
}

function brokerIdProblem(name: string, nodeId: number, expected: string): DescribedConfigs | undefined {
  if (!/^[+-]?\d{1,10}$/.test(name)) return refused(`Broker id must be an integer, but it is: ${name}`);
  return Number(name) === nodeId ? undefined : refused(`Unexpected broker id, ${expected} but received ${name}`);
}

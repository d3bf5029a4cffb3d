/**
 * DescribeConfigs v1-4: the configs in force of topics, of this broker, of all brokers by the empty name (what was set at run time and nothing else),
 * of groups and of client metrics subscriptions, with where each value comes from (KIP-226) and its type (KIP-569, v3 and up).
 *
 * - Passwords are never told. Topic configs are never read-only; broker configs are unless they can be changed at run time.
 * - The order is that of the names; Kafka's is that of a hash table.
 *
 * Left out: documentation is null even where it is asked for (v3 and up). Log levels (BROKER_LOGGER) are an empty list.
 */
import { clusterDefaultConfigs, effectiveBrokerConfigs } from '../machine/metadata/broker-configs.ts';
import { effectiveClientMetricsConfigs } from '../machine/metadata/client-metrics-configs.ts';
import { type EffectiveConfig, configLayers } from '../machine/metadata/config-sources.ts';
import { effectiveGroupConfigs } from '../machine/metadata/group-configs.ts';
import { ConfigResourceType } from '../machine/metadata/metadata-change.ts';
import { effectiveTopicConfigs } from '../machine/metadata/topic-configs.ts';
import type {
  DescribeConfigsRequest,
  DescribeConfigsResponseDescribeConfigsResourceResultDraft,
  DescribeConfigsResponseDescribeConfigsResultDraft,
} from '../wire/generated/describe-configs.ts';
import { ErrorCode } from '../wire/generated/errors.ts';
import { topicNameError } from '../wire/topic-name.ts';
import type { Context, Handler } from './context.ts';

type Described =
  | { readonly ok: true; readonly configs: readonly EffectiveConfig[]; readonly readOnly: boolean }
  | { readonly ok: false; readonly error: ErrorCode; readonly message: string | null };

/** Kafka's numbers of config types. */
const CONFIG_TYPES = { BOOLEAN: 1, STRING: 2, INT: 3, SHORT: 4, LONG: 5, DOUBLE: 6, LIST: 7, CLASS: 8, PASSWORD: 9 } as const;

const refused = (message: string): Described => ({ ok: false, error: ErrorCode.INVALID_REQUEST, message });
const described = (configs: readonly EffectiveConfig[]): Described => ({ ok: true, configs, readOnly: false });

export const describeConfigs: Handler<'describeConfigs'> = (request, context) => ({
  throttleTimeMs: 0,
  results: request.resources.map((resource) => result(resource, request, context)),
});

function result(
  resource: DescribeConfigsRequest['resources'][number],
  request: DescribeConfigsRequest,
  context: Context,
): DescribeConfigsResponseDescribeConfigsResultDraft {
  const { resourceType, resourceName, configurationKeys } = resource;
  const found = describe(resourceType, resourceName, context);
  if (!found.ok) return { errorCode: found.error, errorMessage: found.message, resourceType, resourceName, configs: [] };
  const wanted = configurationKeys === null || configurationKeys.length === 0 ? undefined : new Set(configurationKeys);
  const configs = found.configs.filter((config) => wanted?.has(config.name) ?? true);
  return {
    errorCode: ErrorCode.NONE,
    errorMessage: null,
    resourceType,
    resourceName,
    configs: configs.map((config) => configAnswer(config, request.includeSynonyms, found.readOnly)),
  };
}

function configAnswer(
  config: EffectiveConfig,
  includeSynonyms: boolean,
  isBroker: boolean,
): DescribeConfigsResponseDescribeConfigsResourceResultDraft {
  const { update, type } = config.fact;
  return {
    name: config.name,
    value: config.value,
    readOnly: isBroker && (update === undefined || update === 'read-only'),
    configSource: config.source,
    isSensitive: type === 'PASSWORD' || config.fact.sensitive === true,
    synonyms: includeSynonyms ? config.synonyms : [],
    configType: CONFIG_TYPES[type],
    documentation: null,
  };
}

function describe(type: number, name: string, context: Context): Described {
  const { image, nodeId, settings } = context;
  const layers = configLayers(image, nodeId, settings);
  switch (type) {
    case ConfigResourceType.TOPIC: {
      const message = topicNameError(name);
      if (message !== null) return { ok: false, error: ErrorCode.INVALID_TOPIC_EXCEPTION, message };
      if (!image.topicsByName.has(name)) return { ok: false, error: ErrorCode.UNKNOWN_TOPIC_OR_PARTITION, message: null };
      return described(effectiveTopicConfigs(image.configsOf(type, name), layers));
    }
    case ConfigResourceType.BROKER: {
      if (name === '') return { ok: true, configs: clusterDefaultConfigs(layers), readOnly: true };
      const wrong = brokerIdProblem(name, nodeId, `expected ${nodeId} or empty string,`);
      return wrong ?? { ok: true, configs: effectiveBrokerConfigs(layers), readOnly: true };
    }
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
      return refused(`Unexpected resource type ${type} for resource ${name}`);
  }
}

function brokerIdProblem(name: string, nodeId: number, expected: string): Described | undefined {
  if (!/^[+-]?\d{1,10}$/.test(name)) return refused(`Broker id must be an integer, but it is: ${name}`);
  return Number(name) === nodeId ? undefined : refused(`Unexpected broker id, ${expected} but received ${name}`);
}

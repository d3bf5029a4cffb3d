/**
 * DescribeConfigs, versions 1 to 4: the configs in force of topics, of this broker, of all brokers by the empty name (what was set at run time and nothing else),
 * of groups and of client metrics subscriptions, with where each value comes from (KIP-226) and its type (KIP-569, v3 and up).
 *
 * - Passwords are never told. Broker configs are read-only unless they can be changed at run time; others never are.
 * - A resource of a type that is none fails the whole request.
 * - The order is that of the names; Kafka's is that of a hash table.
 *
 * Left out: documentation is null even where it is asked for (v3 and up). Log levels (BROKER_LOGGER) are an empty list.
 */
import type { EffectiveConfig } from '../machine/metadata/config-sources.ts';
import { ConfigResourceType, ConfigType } from '../wire/config-resource.ts';
import type {
  DescribeConfigsRequest,
  DescribeConfigsResponseDescribeConfigsResourceResultDraft,
  DescribeConfigsResponseDescribeConfigsResultDraft,
} from '../wire/generated/describe-configs.ts';
import { ErrorCode } from '../wire/generated/errors.ts';
import type { Context, Handler } from './context.ts';

type ConfigAnswer = DescribeConfigsResponseDescribeConfigsResourceResultDraft;

const DESCRIBABLE: ReadonlySet<number> = new Set(
  Object.values(ConfigResourceType).filter((type) => type !== ConfigResourceType.UNKNOWN),
);

export const describeConfigs: Handler<'describeConfigs'> = (request, context) => {
  const results = request.resources.map((resource) => resourceAnswer(resource, request.includeSynonyms, context));
  const stranger = results.find(({ resourceType }) => !DESCRIBABLE.has(resourceType));
  if (stranger === undefined) return { throttleTimeMs: 0, results };
  const { errorCode, errorMessage } = stranger;
  return { throttleTimeMs: 0, results: results.map((one) => ({ ...one, errorCode, errorMessage, configs: [] })) };
};

function resourceAnswer(
  { resourceType, resourceName, configurationKeys }: DescribeConfigsRequest['resources'][number],
  includeSynonyms: boolean,
  context: Context,
): DescribeConfigsResponseDescribeConfigsResultDraft {
  const found = context.controller.describeConfigs({ type: resourceType, name: resourceName });
  if (!found.ok) {
    const { error, message } = found.error;
    return { errorCode: error, errorMessage: message ?? '', resourceType, resourceName, configs: [] };
  }
  const wanted = configurationKeys === null || configurationKeys.length === 0 ? undefined : new Set(configurationKeys);
  const configs: ConfigAnswer[] = [];
  for (const config of found.configs) {
    if (wanted?.has(config.name) === false) continue;
    configs.push(configAnswer(config, includeSynonyms, resourceType === ConfigResourceType.BROKER));
  }
  return { errorCode: ErrorCode.NONE, errorMessage: '', resourceType, resourceName, configs };
}

function configAnswer(config: EffectiveConfig, includeSynonyms: boolean, isBroker: boolean): ConfigAnswer {
  const { update, type, sensitive } = config.fact;
  return {
    name: config.name,
    value: config.value,
    readOnly: isBroker && (update === undefined || update === 'read-only'),
    configSource: config.source,
    isSensitive: type === 'PASSWORD' || sensitive === true,
    synonyms: includeSynonyms ? config.synonyms : [],
    configType: config.isUnknown === true ? ConfigType.UNKNOWN : ConfigType[type],
    documentation: null,
  };
}

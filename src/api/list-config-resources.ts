/**
 * ListConfigResources, versions 0 and 1 (KIP-714, KIP-1142): names of what has or can have configs. v0 knows client metrics subscriptions alone; from v1 the
 * request says which types, none standing for all. A type that is not known refuses the whole request with UNSUPPORTED_VERSION.
 */
import { ConfigResourceType } from '../wire/config-resource.ts';
import { ErrorCode } from '../wire/generated/errors.ts';
import type { Context, Handler } from './context.ts';

/** In the order of the answer. */
const TYPES: readonly number[] = [
  ConfigResourceType.GROUP,
  ConfigResourceType.CLIENT_METRICS,
  ConfigResourceType.BROKER_LOGGER,
  ConfigResourceType.BROKER,
  ConfigResourceType.TOPIC,
];

export const listConfigResources: Handler<'listConfigResources'> = (request, context) => {
  const supported = context.apiVersion === 0 ? [ConfigResourceType.CLIENT_METRICS] : TYPES;
  const wanted = request.resourceTypes.length === 0 ? supported : request.resourceTypes;
  if (wanted.some((type) => !supported.includes(type))) {
    return { throttleTimeMs: 0, errorCode: ErrorCode.UNSUPPORTED_VERSION, configResources: [] };
  }
  const configResources = TYPES.filter((type) => wanted.includes(type)).flatMap((resourceType) =>
    namesOf(resourceType, context).map((resourceName) => ({ resourceName, resourceType })),
  );
  return { throttleTimeMs: 0, errorCode: ErrorCode.NONE, configResources };
};

function namesOf(type: number, { image }: Context): string[] {
  if (type === ConfigResourceType.TOPIC) return [...image.topicsByName.keys()];
  if (type === ConfigResourceType.BROKER || type === ConfigResourceType.BROKER_LOGGER)
    return [...image.brokers.keys()].map(String);
  return [...image.configuredResources()].filter(({ resource }) => resource.type === type).map(({ resource }) => resource.name);
}

/**
 * IncrementalAlterConfigs, versions 0 and 1 (KIP-339): sets, deletes, appends to or takes from single configs of topics, brokers (this one, or all by the empty
 * name), groups and client metrics subscriptions. A resource is changed wholly or not at all; others are not affected.
 *
 * Left out: log levels (BROKER_LOGGER) are answered as an unknown resource type. Broker configs that plug-ins would check are not checked further
 * than their type.
 */
import type { Handler } from './context.ts';

export const incrementalAlterConfigs: Handler<'incrementalAlterConfigs'> = async (request, context) => ({
  throttleTimeMs: 0,
  responses: await context.controller.submit('incrementalAlterConfigs', request),
});

/**
 * UnregisterBroker, version 0 (KIP-500): forgets a broker of the metadata log that is gone, as a directory of a larger cluster may have them.
 *
 * BROKER_ID_NOT_REGISTERED for one that is not there. This node itself gets INVALID_REQUEST, where Apache Kafka would forget it and answer nobody any more.
 */
import type { Handler } from './context.ts';

export const unregisterBroker: Handler<'unregisterBroker'> = async ({ brokerId }, context) => {
  const { error, message } = await context.controller.submit('unregisterBroker', { brokerId });
  return { throttleTimeMs: 0, errorCode: error, errorMessage: message };
};

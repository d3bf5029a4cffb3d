/**
 * UpdateFeatures, versions 0 to 2 (KIP-584, KIP-778, KIP-1022): raises and lowers the levels that the cluster has agreed on, all that the request names or none.
 *
 * - An error is told for the request as a whole, with the feature in its text; results per feature come in versions 0 and 1, when all went well.
 * - Version 0 has `allowDowngrade`, which Apache Kafka's controller does not look at: nothing goes down in version 0.
 * - timeoutMs is not looked at, as there.
 */
import { ErrorCode } from '../wire/generated/errors.ts';
import type { UpdateFeaturesResponseUpdatableFeatureResultDraft } from '../wire/generated/update-features.ts';
import type { Handler } from './context.ts';

const LAST_WITH_RESULTS = 1;

export const updateFeatures: Handler<'updateFeatures'> = async (request, context) => {
  const { error, message } = await context.controller.submit('updateFeatures', request);
  if (error !== ErrorCode.NONE) {
    const errorMessage = `The update failed for all features since the following feature had an error: ${message}`;
    return { throttleTimeMs: 0, errorCode: error, errorMessage, results: [] };
  }
  const updated = context.apiVersion <= LAST_WITH_RESULTS ? request.featureUpdates : [];
  const results = updated.map(({ feature }): UpdateFeaturesResponseUpdatableFeatureResultDraft => {
    return { feature, errorCode: ErrorCode.NONE, errorMessage: 'NONE' };
  });
  return { throttleTimeMs: 0, errorCode: ErrorCode.NONE, errorMessage: null, results };
};

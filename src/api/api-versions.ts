/**
 * ApiVersions, versions 0 to 5 (KIP-35, KIP-511, KIP-584): what this broker speaks, and which features it supports and has finalized.
 *
 * From version 3 on the client tells its software's name and version; malformed ones are answered with INVALID_REQUEST. Features whose lowest level is 0
 * are shown from version 4 on. A version that is not known never gets here: the dispatch answers it in version 0.
 */
import type { ApiVersionsRequest } from '../wire/generated/api-versions.ts';
import { ErrorCode } from '../wire/generated/errors.ts';
import type { Context, Handler } from './context.ts';

const SOFTWARE = /^[a-zA-Z0-9](?:[a-zA-Z0-9\-.]*[a-zA-Z0-9])?$/;

const NO_NODE = -1;

export const apiVersions: Handler<'apiVersions'> = (request, context) => {
  const { apiVersion, connection } = context;
  if (apiVersion >= 3) {
    if (!SOFTWARE.test(request.clientSoftwareName) || !SOFTWARE.test(request.clientSoftwareVersion)) {
      return { errorCode: ErrorCode.INVALID_REQUEST, apiKeys: [] };
    }
    connection.clientSoftwareName = request.clientSoftwareName;
    connection.clientSoftwareVersion = request.clientSoftwareVersion;
  }
  const misrouted = apiVersion >= 5 ? misroutingError(request, context) : ErrorCode.NONE;
  if (misrouted !== ErrorCode.NONE) return { errorCode: misrouted, apiKeys: [] };
  return { errorCode: ErrorCode.NONE, apiKeys: context.advertisedApis(), ...features(context) };
};

/** Whom the client takes us for: cluster and node, or neither of them. */
function misroutingError({ clusterId, nodeId }: ApiVersionsRequest, context: Context): ErrorCode {
  if (clusterId === null && nodeId === NO_NODE) return ErrorCode.NONE;
  if (clusterId === null || nodeId === NO_NODE) return ErrorCode.INVALID_REQUEST;
  return clusterId === context.clusterId && nodeId === context.nodeId ? ErrorCode.NONE : ErrorCode.REBOOTSTRAP_REQUIRED;
}

function features(context: Context) {
  if (context.apiVersion < 3) return {};
  const supported = [...context.supportedFeatures].filter(([, { min, max }]) => max > 0 && (min > 0 || context.apiVersion >= 4));
  return {
    supportedFeatures: supported.map(([name, { min, max }]) => ({ name, minVersion: min, maxVersion: max })),
    finalizedFeaturesEpoch: context.image.offset,
    finalizedFeatures: context
      .finalizedFeatures()
      .map(({ name, level }) => ({ name, minVersionLevel: level, maxVersionLevel: level })),
  };
}

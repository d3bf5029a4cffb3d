/**
 * FindCoordinator, versions 0 to 6: which broker to ask about a group (key type 0), a transactional id (1, KIP-98) or a share partition (2, KIP-932,
 * from version 6 on). From version 4 on several keys at once (KIP-699).
 *
 * `__consumer_offsets` and `__transaction_state` are created on first need; the answer waits for that, where Apache Kafka lets the client ask again. There is
 * no share coordinator here: that type is answered as by a broker where none is available, so that clients wait and then say so.
 */
import { ErrorCode } from '../wire/generated/errors.ts';
import type { FindCoordinatorRequest, FindCoordinatorResponseDraft } from '../wire/generated/find-coordinator.ts';
import type { Context } from './context.ts';

const GROUP = 0;
const TRANSACTION = 1;
const SHARE = 2;
const BATCHED_FROM_VERSION = 4;
const SHARE_FROM_VERSION = 6;

/** Group id, topic id in base64url, partition. */
const SHARE_KEY = /^[^:]*:[A-Za-z0-9_-]{22}:\d+$/;

const NO_NODE = { nodeId: -1, host: '', port: -1 };

/** Before version 4 the message is Apache Kafka's for the error code, even where there is none. */
const MESSAGES: ReadonlyMap<number, string> = new Map<number, string>([
  [ErrorCode.NONE, 'NONE'],
  [ErrorCode.COORDINATOR_NOT_AVAILABLE, 'The coordinator is not available.'],
  [
    ErrorCode.INVALID_REQUEST,
    'This most likely occurs because of a request being malformed by the client library or the message was sent to an incompatible broker. See the broker logs for more details.',
  ],
]);

interface Found {
  readonly errorCode: ErrorCode;
  readonly nodeId: number;
  readonly host: string;
  readonly port: number;
}

export async function findCoordinator(request: FindCoordinatorRequest, context: Context): Promise<FindCoordinatorResponseDraft> {
  const { keyType } = request;
  if (context.apiVersion < BATCHED_FROM_VERSION) {
    const found = await find(keyType, request.key, context);
    return { ...found, errorMessage: MESSAGES.get(found.errorCode) ?? '' };
  }
  const coordinators = await Promise.all(
    request.coordinatorKeys.map(async (key) => {
      const found = { key, ...(await find(keyType, key, context)) };
      return isKnownType(keyType) ? found : { ...found, errorMessage: MESSAGES.get(found.errorCode) ?? '' };
    }),
  );
  return { coordinators };
}

function isKnownType(keyType: number): boolean {
  return keyType === GROUP || keyType === TRANSACTION || keyType === SHARE;
}

async function find(keyType: number, key: string, context: Context): Promise<Found> {
  switch (keyType) {
    case GROUP:
      return coordinatorOf(context.groups.topic, key, context);
    case TRANSACTION:
      return coordinatorOf(context.transactions.topic, key, context);
    case SHARE: {
      const isValid = context.apiVersion >= SHARE_FROM_VERSION && SHARE_KEY.test(key);
      return { errorCode: isValid ? ErrorCode.COORDINATOR_NOT_AVAILABLE : ErrorCode.INVALID_REQUEST, ...NO_NODE };
    }
    default:
      return { errorCode: ErrorCode.INVALID_REQUEST, ...NO_NODE };
  }
}

async function coordinatorOf(
  topic: Pick<Context['groups']['topic'] | Context['transactions']['topic'], 'coordinatorOf'>,
  key: string,
  context: Context,
): Promise<Found> {
  const { error, nodeId } = await topic.coordinatorOf(key);
  const endpoint = error === ErrorCode.NONE ? context.endpointOf(nodeId, context.connection) : undefined;
  if (endpoint === undefined) return { errorCode: ErrorCode.COORDINATOR_NOT_AVAILABLE, ...NO_NODE };
  return { errorCode: ErrorCode.NONE, nodeId, host: endpoint.host, port: endpoint.port };
}

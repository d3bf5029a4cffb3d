/**
 * From a request's head to the frame that answers it: finds the handler, reads the body, asks, writes. The answers for versions and APIs that are not
 * served are given here, once for all.
 *
 * ApiVersions in a version that is not known is answered in version 0 with UNSUPPORTED_VERSION and its own range, the body unread (KIP-511). Everything else
 * that is unknown or not served is a ProtocolViolation. Bytes behind a request's body are ignored, as Kafka does.
 */
import { type ConnectionInfo, type Context, type Handler, NO_REPLY, type Services } from '../api/context.ts';
import type { HandlerTable } from '../api/table.ts';
import type { ApiName } from '../wire/generated/apis.ts';
import { ErrorCode } from '../wire/generated/errors.ts';
import { API_VERSIONS_KEY, type RequestHead, responseFrame } from '../wire/header.ts';
import { ProtocolViolation } from '../wire/protocol-violation.ts';

/** Chunks of one frame; undefined when the request wants no answer. */
export type Answer = readonly Buffer[] | undefined;
export type Dispatch = (head: RequestHead, connection: ConnectionInfo) => Answer | Promise<Answer>;

const ANONYMOUS = { type: 'User', name: 'ANONYMOUS' } as const;

export function dispatchTo(handlers: HandlerTable, services: Services): Dispatch {
  const contextOf = contextsOver(services);
  return (head, connection) => {
    const { served, apiVersion } = head;
    if (apiVersion < served.minVersion || apiVersion > served.maxVersion) return unsupportedVersion(head);
    const handler = handlers[served.name] as Handler<ApiName> | null;
    if (handler === null) throw new ProtocolViolation(`${served.api.name} is not served`);
    const request = served.api.readRequest(head.body, apiVersion);
    const reply = handler(request, contextOf(head, connection));
    return reply instanceof Promise ? reply.then((late) => answerTo(head, late)) : answerTo(head, reply);
  };
}

/** Contexts inherit the services, so that a request costs a small object and not a copy of everything that the broker offers. */
function contextsOver(services: Services): (head: RequestHead, connection: ConnectionInfo) => Context {
  class RequestContext {
    readonly apiVersion: number;
    readonly correlationId: number;
    readonly clientId: string;
    readonly connection: ConnectionInfo;
    readonly principal = ANONYMOUS;

    constructor(head: RequestHead, connection: ConnectionInfo) {
      this.apiVersion = head.apiVersion;
      this.correlationId = head.correlationId;
      this.clientId = head.clientId;
      this.connection = connection;
    }
  }
  Object.setPrototypeOf(RequestContext.prototype, services);
  return (head, connection) => new RequestContext(head, connection) as unknown as Context;
}

function answerTo(head: RequestHead, reply: Awaited<ReturnType<Handler<ApiName>>>): Answer {
  return reply === NO_REPLY ? undefined : responseFrame(head.served.api, head.apiVersion, head.correlationId, reply);
}

function unsupportedVersion(head: RequestHead): Answer {
  const { served, apiVersion, correlationId } = head;
  if (served.api.key !== API_VERSIONS_KEY) throw new ProtocolViolation(`${served.api.name} version ${apiVersion} is not served`);
  const own = { apiKey: API_VERSIONS_KEY, minVersion: served.minVersion, maxVersion: served.maxVersion };
  return responseFrame(served.api, 0, correlationId, { errorCode: ErrorCode.UNSUPPORTED_VERSION, apiKeys: [own] });
}

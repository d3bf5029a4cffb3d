/** What the requests for ACLs share: how they are refused where there is no authorizer, and what of them cannot be read at all. */
import { ProtocolViolation } from '../wire/protocol-violation.ts';

export const NO_AUTHORIZER = 'No Authorizer is configured.';

const UNKNOWN = 0;

/** Kinds of resources, patterns, operations and permissions are numbers; 0 means that the client did not know its own. */
export function refuseUnknown(api: string, numbers: readonly number[]): void {
  if (numbers.includes(UNKNOWN))
    throw new ProtocolViolation(`${api} has an element of number ${UNKNOWN}, which stands for nothing`);
}

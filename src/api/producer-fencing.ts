/** How a producer learns that another has its transactional id: PRODUCER_FENCED, or to clients of before an epoch that is not the last (KIP-588). */
import { ErrorCode } from '../wire/generated/errors.ts';

/** `fencedFrom`: the first version of the API that knows PRODUCER_FENCED. */
export function fencingError(error: ErrorCode, apiVersion: number, fencedFrom: number): ErrorCode {
  return error === ErrorCode.PRODUCER_FENCED && apiVersion < fencedFrom ? ErrorCode.INVALID_PRODUCER_EPOCH : error;
}

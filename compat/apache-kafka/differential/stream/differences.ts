/** Differences that streams meet and that are meant, each with its reason. `when` looks at the request as it was planned and at both answers under masks. */
import { differences, maskedAnswer, type Plain } from '../compare.ts';
import { MASKS, type Mask } from '../masks.ts';
import type { StreamRequest } from './request.ts';

export interface Meant {
  readonly reason: string;
  readonly when: (request: StreamRequest, kafka: Plain, blumfeld: Plain) => boolean;
}

/** Ids are told apart pairwise in streams, so that what hides them elsewhere is not in force. */
const IN_FORCE: readonly Mask[] = MASKS.filter(
  ({ path, how }) => !(how === 'presence' && path.endsWith('topicId')) && !(how === 'uuid' && path.endsWith('memberId')),
);

export const MEANT: readonly Meant[] = [];

/** What differs between the answers to a request and is not meant: a line for each field. */
export function unexplained(request: StreamRequest, kafka: Plain, blumfeld: Plain, prefix: string): readonly string[] {
  const first = maskedAnswer(request.api, kafka, prefix, IN_FORCE);
  const second = maskedAnswer(request.api, blumfeld, prefix, IN_FORCE);
  const found = differences(first, second);
  return found.length > 0 && MEANT.some(({ when }) => when(request, first, second)) ? [] : found;
}

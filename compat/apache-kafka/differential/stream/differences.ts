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

const ACCIDENT = /"errorCode":-1\b/;
const ONE_OF_SEVERAL = /Invalid value|must be|is not a |Unknown/;

const messagesOf = (answer: Plain): readonly string[] => JSON.stringify(answer).match(/"errorMessage":"(?:[^"\\]|\\.)*"/g) ?? [];

export const MEANT: readonly Meant[] = [
  {
    reason:
      'what Apache Kafka did not expect, such as a number that is not of its list, fails as UNKNOWN_SERVER_ERROR; here it is refused in words, or ignored',
    when: (_, kafka, blumfeld) => ACCIDENT.test(JSON.stringify(kafka)) && !ACCIDENT.test(JSON.stringify(blumfeld)),
  },
  {
    reason:
      'where several configs of a resource are wrong, which of them is named first follows from the order of a hash table or of the source',
    when: ({ api, body }, kafka, blumfeld) =>
      /Configs$|createTopics/.test(api) &&
      /"configs":\[\{[^\]]*\},\{/.test(JSON.stringify(body)) &&
      messagesOf(kafka).every((text) => ONE_OF_SEVERAL.test(text)) &&
      messagesOf(blumfeld).every((text) => ONE_OF_SEVERAL.test(text)) &&
      JSON.stringify(kafka).replaceAll(/"errorMessage":"(?:[^"\\]|\\.)*"/g, '') ===
        JSON.stringify(blumfeld).replaceAll(/"errorMessage":"(?:[^"\\]|\\.)*"/g, ''),
  },
];

/** What differs between the answers to a request and is not meant: a line for each field. */
export function unexplained(request: StreamRequest, kafka: Plain, blumfeld: Plain, prefix: string): readonly string[] {
  const first = maskedAnswer(request.api, kafka, prefix, IN_FORCE);
  const second = maskedAnswer(request.api, blumfeld, prefix, IN_FORCE);
  const found = differences(first, second);
  return found.length > 0 && MEANT.some(({ when }) => when(request, first, second)) ? [] : found;
}

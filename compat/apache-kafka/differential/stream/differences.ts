/** Differences that streams meet and that are meant, each with its reason. `when` looks at the request as it was planned and at both answers under masks. */
import { differences, maskedAnswer, type Plain } from '../compare.ts';
import { MASKS, type Mask } from '../masks.ts';
import {
  BASE_TIMESTAMP_AT,
  batchesOf,
  completeBytes,
  CRC_AT,
  MAX_TIMESTAMP_AT,
  PRODUCER_ID_AT,
  type RecordBatch,
} from '../../../../src/wire/record-batch.ts';
import type { StreamRequest } from './request.ts';

export interface Meant {
  readonly reason: string;
  readonly when: (request: StreamRequest, kafka: Plain, blumfeld: Plain) => boolean;
}

/** Ids are told apart pairwise in streams, so that what hides them elsewhere is not in force. */
const IN_FORCE: readonly Mask[] = MASKS.filter(({ path, how }) => !(how === 'presence' && path.endsWith('topicId')));

const ACCIDENT = /"errorCode":-1\b/;
const ONE_OF_SEVERAL = /Invalid value|must be|is not a |Unknown|Cannot update these|Can't /;
const MESSAGE = /"errorMessage":"(?:[^"\\]|\\.)*"/g;

const messagesOf = (answer: Plain): readonly string[] => JSON.stringify(answer).match(MESSAGE) ?? [];

/** One of ListConfigResources, as text. */
const RESOURCE = /\{[^{}]*"resourceName"[^{}]*\}/g;
const GROUP = /"resourceType":32\b/;

const resourcesOf = (answer: Plain): readonly string[] => JSON.stringify(answer).match(RESOURCE) ?? [];

const GROUPS_WAIT = new Set(['joinGroup', 'syncGroup']);

export const MEANT: readonly Meant[] = [
  {
    reason:
      'some odd requests are never answered by Apache Kafka, where a handler fails after it has begun; here they are refused in words',
    when: ({ api }, kafka, blumfeld) => kafka === 'silence' && blumfeld !== 'silence' && !GROUPS_WAIT.has(api),
  },
  {
    reason:
      'ListOffsets with an isolation level that is none fails in Apache Kafka; here it reads what is committed by replication',
    when: ({ api, body }) =>
      api === 'listOffsets' && body.isolationLevel !== undefined && body.isolationLevel !== 0 && body.isolationLevel !== 1,
  },
  {
    reason:
      'a partition in a cursor that passes 2^31 with the limit overflows in Apache Kafka, which answers with a cursor that it would refuse',
    when: ({ api }, kafka) =>
      api === 'describeTopicPartitions' && /"nextCursor":\{[^}]*"partitionIndex":-/.test(JSON.stringify(kafka)),
  },
  {
    reason:
      'configs of brokers that are bounded by threads that run, by classes that are there or by other configs: here each is checked alone',
    when: ({ api, body }, kafka) =>
      /^(?:alter|incrementalAlter)Configs$/.test(api) &&
      /"resourceType":4\b/.test(JSON.stringify(body)) &&
      /Dynamic thread count update|could not be found|must be (?:less|greater) than/.test(JSON.stringify(kafka)),
  },
  {
    reason:
      'IncrementalAlterConfigs with an operation that is none fails in Apache Kafka wherever it is met first; here the operation is told',
    when: ({ api, body }) => api === 'incrementalAlterConfigs' && /"configOperation":(?:-1|4|9)\b/.test(JSON.stringify(body)),
  },
  {
    reason:
      'what Apache Kafka did not expect, such as a number that is not of its list, fails as UNKNOWN_SERVER_ERROR; here it is refused in words, or ignored',
    when: (_, kafka, blumfeld) => ACCIDENT.test(JSON.stringify(kafka)) && !ACCIDENT.test(JSON.stringify(blumfeld)),
  },
  {
    reason:
      'a number with spaces around it is a good value of a group for the controllers of Apache Kafka, and none for its brokers, which then do not list the group',
    when: ({ api }, kafka, blumfeld) => {
      if (api !== 'listConfigResources') return false;
      const [theirs, ours] = [resourcesOf(kafka), resourcesOf(blumfeld)];
      return theirs.every((one) => ours.includes(one)) && ours.every((one) => theirs.includes(one) || GROUP.test(one));
    },
  },
  {
    reason:
      'where several configs of a broker are wrong, which of them is named first follows from the order of a hash table or of the source',
    when: ({ api, body }, kafka, blumfeld) => {
      if (!api.endsWith('Configs') || !/"resourceType":4\b[^\]]*"configs":\[\{[^\]]*\},\{/.test(JSON.stringify(body)))
        return false;
      if (JSON.stringify(kafka).replaceAll(MESSAGE, '') !== JSON.stringify(blumfeld).replaceAll(MESSAGE, '')) return false;
      const [first, second] = [messagesOf(kafka), messagesOf(blumfeld)];
      return first.every((text, i) => text === second[i] || (ONE_OF_SEVERAL.test(text) && ONE_OF_SEVERAL.test(second[i] ?? '')));
    },
  },
];

/** Without the part of a batch that a limit has cut off: Apache Kafka answers with as many bytes as are allowed, Blumfeld with whole batches. */
function wholeBatches(records: string): string {
  const bytes = Buffer.from(records.slice(2), 'hex');
  const whole = bytes.subarray(0, completeBytes(bytes));
  for (const batch of batchesOf(whole)) if (batch.isTransactional) anonymous(batch);
  return `0x${whole.toString('hex')}`;
}

/** Without the producer id, which each broker draws itself, and a marker without its time. */
function anonymous(batch: RecordBatch): void {
  batch.buffer.writeBigInt64BE(0n, batch.position + PRODUCER_ID_AT);
  batch.buffer.writeUInt32BE(0, batch.position + CRC_AT);
  if (!batch.isControl) return;
  batch.buffer.writeBigInt64BE(0n, batch.position + BASE_TIMESTAMP_AT);
  batch.buffer.writeBigInt64BE(0n, batch.position + MAX_TIMESTAMP_AT);
}

/** Apache Kafka names a topic once for what it could not read and once for what it could. */
function withTopicsOnce(answer: Plain): Plain {
  if (answer === null || typeof answer !== 'object' || Array.isArray(answer)) return answer;
  const struct = answer;
  const topics = new Map<string, { [name: string]: Plain }>();
  for (const one of (struct.responses ?? []) as readonly { readonly [name: string]: Plain }[]) {
    const key = `${String(one.topic)} ${String(one.topicId)}`;
    const known = topics.get(key);
    const partitions = [...((known?.partitions ?? []) as Plain[]), ...((one.partitions ?? []) as Plain[])];
    topics.set(key, { ...one, partitions });
  }
  return { ...struct, responses: [...topics.values()] };
}

function withWholeBatches(answer: Plain): Plain {
  if (Array.isArray(answer)) return answer.map(withWholeBatches);
  if (answer === null || typeof answer !== 'object') return answer;
  return Object.fromEntries(
    Object.entries(answer).map(([name, inner]) => [
      name,
      name === 'records' && typeof inner === 'string' ? wholeBatches(inner) : withWholeBatches(inner),
    ]),
  );
}

/** What differs between the answers to a request and is not meant: a line for each field. */
export function unexplained(request: StreamRequest, kafka: Plain, blumfeld: Plain, prefix: string): readonly string[] {
  const [first, second] = [kafka, blumfeld].map((answer) =>
    maskedAnswer(request.api, request.api === 'fetch' ? withTopicsOnce(withWholeBatches(answer)) : answer, prefix, IN_FORCE),
  ) as [Plain, Plain];
  const found = differences(first, second);
  return found.length > 0 && MEANT.some(({ when }) => when(request, first, second)) ? [] : found;
}

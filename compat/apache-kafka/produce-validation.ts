/**
 * Sends one batch after another, most of them wrong in one way, to Apache Kafka and to this project's validator, and compares what they say: error code,
 * message, record errors, and what is stored of those that are accepted. `node build/compat/apache-kafka/produce-validation.js BROKER-JARS`
 */
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { removeFolder, temporaryFolder } from '../temporary-folder.ts';
import { DEFAULT_LOG_CONFIG } from '../../src/log/log-config.ts';
import { validateRecords } from '../../src/log/record-validator.ts';
import { ERROR_NAMES } from '../../src/wire/generated/errors.ts';
import { checkProducedRecords } from '../../src/wire/produced-records.ts';
import { recordsOf } from '../../src/wire/record.ts';
import { batchesOf, RecordBatch } from '../../src/wire/record-batch.ts';
import type { PlainClient } from '../../test/support/plain-client.ts';
import { Checks } from '../checks.ts';
import { format, newDirectory, ownedBy } from './directory-owner.ts';
import { produced, record, type Scenario, scenarios, TOPICS } from './produce-validation/scenarios.ts';

const CLIENT = 'produce-validation';
const checks = new Checks();

interface Answer {
  readonly error: string;
  readonly message: string | null;
  readonly recordErrors: readonly (readonly [number, string | null])[];
}

async function produce(client: PlainClient, scenario: Scenario): Promise<Answer & { readonly baseOffset: number }> {
  const topicData = [{ name: topicName(scenario.topic), partitionData: [{ index: 0, records: scenario.records }] }];
  const request = { transactionalId: null, acks: -1, timeoutMs: 10_000, topicData };
  const response = await client.call('produce', request, scenario.apiVersion ?? 9, CLIENT);
  const partition = response.responses[0]?.partitionResponses[0];
  if (partition === undefined) throw new Error(`no answer for ${scenario.name}`);
  return {
    error: ERROR_NAMES.get(partition.errorCode) ?? String(partition.errorCode),
    message: partition.errorMessage,
    recordErrors: partition.recordErrors.map((e) => [e.batchIndex, e.batchIndexErrorMessage] as const),
    baseOffset: Number(partition.baseOffset),
  };
}

/** Waits until every topic has a leader that answers. */
async function ready(client: PlainClient): Promise<void> {
  for (const topic of Object.keys(TOPICS) as Scenario['topic'][]) {
    for (;;) {
      const { error } = await produce(client, { name: 'ready', topic, records: produced({ records: [record('first', 'one')] }) });
      if (error === 'NONE') break;
      if (error !== 'NOT_LEADER_OR_FOLLOWER' && error !== 'UNKNOWN_TOPIC_OR_PARTITION')
        throw new Error(`${topic} answers ${error}`);
    }
  }
}

const topicName = (topic: string): string => `validation-${topic}`;

function validated(scenario: Scenario, firstOffset: number): Answer & { readonly stored: Buffer | null } {
  const records = Buffer.from(scenario.records);
  const rejected = checkProducedRecords(records, scenario.apiVersion ?? 9);
  if (rejected)
    return { error: ERROR_NAMES.get(rejected.error) as string, message: rejected.message, recordErrors: [], stored: null };
  const config = { ...DEFAULT_LOG_CONFIG, ...TOPICS[scenario.topic][1] };
  const o = {
    config,
    nowMs: Date.now(),
    origin: 'client',
    topicPartition: `${topicName(scenario.topic)}-0`,
    firstOffset,
    partitionLeaderEpoch: 0,
  } as const;
  const result = validateRecords(records, o);
  if (result.ok) return { error: 'NONE', message: null, recordErrors: [], stored: result.records };
  const recordErrors = result.recordErrors.map((e) => [e.batchIndex, e.message] as const);
  return { error: ERROR_NAMES.get(result.error) as string, message: result.message, recordErrors, stored: null };
}

/** The two brokers look at the clock at different times. */
const comparable = (answer: Answer): string =>
  JSON.stringify([answer.error, answer.message, answer.recordErrors]).replace(/\[(-?\d+), (\d+)\]/g, '[bounds]');

/** What of a stored batch must agree: the bytes, or where it was packed anew or stamped, what it holds. */
function content(bytes: Buffer, exact: boolean): string {
  if (exact) return bytes.toString('hex');
  const batch = new RecordBatch(bytes);
  const { baseOffset, count, codec, timestampType, producerId, baseSequence, partitionLeaderEpoch } = batch;
  const stamped = timestampType === 'LogAppendTime';
  const records = recordsOf(batch).map((r) => [r.offset, stamped ? 'now' : r.timestamp, r.key, r.value, r.headers]);
  return JSON.stringify([baseOffset, count, codec, timestampType, producerId, baseSequence, partitionLeaderEpoch, records]);
}

function storedBatch(logDir: string, topic: string, offset: number): Buffer {
  const file = readFileSync(join(logDir, `${topicName(topic)}-0`, '00000000000000000000.log'));
  const found = batchesOf(file).find((batch) => batch.baseOffset <= offset && offset <= batch.lastOffset);
  if (found === undefined) throw new Error(`offset ${offset} of ${topic} is not stored`);
  return found.bytes;
}

/** What differs between the two answers, and what is stored of a batch that both accept. */
function fault(scenario: Scenario, theirs: Answer & { readonly baseOffset: number }, logDir: string): string | undefined {
  const ours = validated(scenario, Math.max(0, theirs.baseOffset));
  const differs = (what: string, a: string, b: string): string | undefined =>
    a === b ? undefined : `${what}\nApache Kafka: ${a}\nBlumfeld:     ${b}`;
  const answer = differs('answer', comparable(theirs), comparable(ours));
  if (answer !== undefined || theirs.error !== 'NONE' || ours.stored === null) return answer;
  const stored = storedBatch(logDir, scenario.topic, theirs.baseOffset);
  if (stored.equals(ours.stored)) return undefined;
  const { codec } = new RecordBatch(stored);
  const isExact = scenario.topic !== 'stamped' && (new RecordBatch(scenario.records).codec === codec || codec === 0);
  try {
    return differs('stored', content(stored, isExact), content(ours.stored, isExact));
  } catch (error) {
    return `what Apache Kafka has stored cannot be read: ${String(error)}`;
  }
}

async function compared(client: PlainClient, logDir: string): Promise<void> {
  const topics = Object.entries(TOPICS).map(([name, [configs]]) => ({
    name: topicName(name),
    numPartitions: 1,
    replicationFactor: 1,
    assignments: [],
    configs: Object.entries(configs).map(([config, value]) => ({ name: config, value })),
  }));
  await client.call('createTopics', { timeoutMs: 10_000, validateOnly: false, topics }, 5, CLIENT);
  await ready(client);
  for (const scenario of scenarios()) {
    checks.check(`${scenario.name} to ${scenario.topic}`, fault(scenario, await produce(client, scenario), logDir));
  }
}

const [jars] = process.argv.slice(2);
if (jars === undefined) throw new Error("name the folder of Apache Kafka's jars");
const folder = temporaryFolder('validation');
try {
  const directory = await newDirectory(folder);
  await format(jars, directory);
  await ownedBy(directory, 'Apache Kafka', jars, (client) => compared(client, join(folder, 'data')));
} catch (error) {
  checks.broke('batches are validated', error);
} finally {
  removeFolder(folder);
}
checks.end();

/**
 * Sends one batch after another, most of them wrong in one way, to a running Apache Kafka and to this project's validator, and compares
 * what they say: error code, message, record errors, and what is stored of those that are accepted.
 *
 * Usage: node build/compat/apache-kafka/produce-validation.js HOST:PORT LOGDIR
 */
import { readFileSync } from 'node:fs';
import { connect, type Socket } from 'node:net';
import { join } from 'node:path';
import { DEFAULT_LOG_CONFIG, type LogConfig } from '../../src/log/log-config.ts';
import { validateRecords } from '../../src/log/record-validator.ts';
import { CODEC_NAMES, type CompressionCodec, compress } from '../../src/wire/compression/codec.ts';
import { APIS, type Api, type ApiName } from '../../src/wire/generated/apis.ts';
import { ERROR_NAMES } from '../../src/wire/generated/errors.ts';
import { checkProducedRecords } from '../../src/wire/produced-records.ts';
import { Reader } from '../../src/wire/reader.ts';
import { recordsOf } from '../../src/wire/record.ts';
import { batchesOf, CRC_AT, RecordBatch } from '../../src/wire/record-batch.ts';
import { assembleBatch, type BatchDraft, buildBatch, type RecordDraft } from '../../src/wire/record-batch-builder.ts';
import { Writer } from '../../src/wire/writer.ts';

interface Scenario {
  readonly name: string;
  readonly records: Buffer;
  readonly topic: keyof typeof TOPICS;
  readonly apiVersion?: number;
}

const HOUR_MS = 3_600_000;

/** Topics by name: what their configs are for Kafka, and for the validator. */
const TOPICS = {
  plain: [{}, {}],
  compacted: [{ 'cleanup.policy': 'compact' }, { cleanupPolicy: ['compact'] }],
  stamped: [{ 'message.timestamp.type': 'LogAppendTime' }, { messageTimestampType: 'LogAppendTime' }],
  bounded: [{ 'message.timestamp.before.max.ms': '600000' }, { messageTimestampBeforeMaxMs: 600_000 }],
  small: [{ 'max.message.bytes': '200' }, { maxMessageBytes: 200 }],
  shortRecords: [{ 'max.decompressed.message.bytes': '100' }, { maxDecompressedMessageBytes: 100 }],
  uncompressed: [{ 'compression.type': 'uncompressed' }, { compressionType: 'uncompressed' }],
  gzip: [{ 'compression.type': 'gzip' }, { compressionType: 'gzip' }],
  snappy: [{ 'compression.type': 'snappy' }, { compressionType: 'snappy' }],
  lz4: [{ 'compression.type': 'lz4' }, { compressionType: 'lz4' }],
  zstd: [{ 'compression.type': 'zstd' }, { compressionType: 'zstd' }],
} as const satisfies { readonly [name: string]: readonly [{ readonly [config: string]: string }, Partial<LogConfig>] };

const now = Date.now();
const text = (value: string | null): Buffer | null => (value === null ? null : Buffer.from(value));
const record = (key: string | null, value: string | null, timestamp = now): RecordDraft => ({
  key: text(key),
  value: text(value),
  timestamp,
});
const three = [record('a', '1'), record(null, '2', now - 50), record('c', null, now + 7)];
const keyed = [record('a', '1'), record('b', '2', now - 50), record('c', null, now + 7)];
const produced = (draft: Partial<BatchDraft> = {}): Buffer =>
  buildBatch({ baseOffset: 0, partitionLeaderEpoch: -1, records: three, ...draft });

function altered(change: (batch: Buffer) => void, draft: Partial<BatchDraft> = {}, checksum = true): Buffer {
  const batch = produced(draft);
  change(batch);
  if (checksum) batch.writeUInt32BE(new RecordBatch(batch).computeCrc(), CRC_AT);
  return batch;
}

/** A batch whose records section is given, packed. */
const withSection = (section: Buffer, codec: CompressionCodec, count: number): Buffer =>
  assembleBatch(compress(codec, section), {
    baseOffset: 0,
    partitionLeaderEpoch: -1,
    codec,
    lastOffsetDelta: count - 1,
    count,
    baseTimestamp: now,
    maxTimestamp: now + 7,
  });

function sectionWith(change: (section: Buffer) => void): Buffer {
  const section = Buffer.from(produced().subarray(61));
  change(section);
  return section;
}

function scenarios(): Scenario[] {
  const list: Scenario[] = [];
  const add = (name: string, topic: Scenario['topic'], records: Buffer, apiVersion?: number): void => {
    list.push({ name, topic, records, ...(apiVersion !== undefined && { apiVersion }) });
  };
  for (const codec of [0, 1, 2, 3, 4] as const) {
    const of = (name: string): string => `${name} (${CODEC_NAMES[codec]})`;
    for (const topic of Object.keys(TOPICS) as Scenario['topic'][])
      add(of(`a good batch for ${topic}`), topic, produced({ codec, records: keyed }));
    add(of('null keys'), 'compacted', produced({ codec, records: [...three, ...three, ...three, record(null, 'x')] }));
    add(of('too old'), 'bounded', produced({ codec, records: [record('a', '1', now - HOUR_MS), record('b', '2')] }));
    add(of('too new'), 'plain', produced({ codec, records: [record('a', '1', now + 2 * HOUR_MS), record('b', '2')] }));
    add(
      of('too new and null keys'),
      'compacted',
      produced({ codec, records: [record(null, '1'), record('a', '1', now + 2 * HOUR_MS)] }),
    );
    add(of('without timestamps'), 'plain', produced({ codec, records: [record('a', '1', -1)] }));
    add(of('too large'), 'small', produced({ codec, records: [record('a', randomText(400))] }));
    add(of('a large record'), 'shortRecords', produced({ codec, records: [record('a', 'x'.repeat(400))] }));
    add(of('claims append time'), 'stamped', produced({ codec, timestampType: 'LogAppendTime' }));
    add(of('claims append time'), 'plain', produced({ codec, timestampType: 'LogAppendTime', maxTimestamp: now - 5 }));
    add(
      of('wrong largest timestamp'),
      'plain',
      altered((b) => b.writeBigInt64BE(BigInt(now + 99), 35), { codec }),
    );
    add(
      of('count above the records'),
      'plain',
      altered((b) => counts(b, 4, 3), { codec }),
    );
    add(
      of('count below the records'),
      'plain',
      altered((b) => counts(b, 2, 1), { codec }),
    );
    add(
      of('a gap in the deltas'),
      'plain',
      withSection(
        sectionWith((s) => s.writeUInt8(20, 3)),
        codec,
        3,
      ),
    );
    add(
      of('a gap in the deltas, rebuilt'),
      codec === 1 ? 'lz4' : 'gzip',
      withSection(
        sectionWith((s) => s.writeUInt8(20, 3)),
        codec,
        3,
      ),
    );
    add(
      of('a record size too small'),
      'plain',
      withSection(
        sectionWith((s) => s.writeUInt8((s[0] as number) - 2, 0)),
        codec,
        3,
      ),
    );
    add(
      of('a record size too large'),
      'plain',
      withSection(
        sectionWith((s) => s.writeUInt8((s[0] as number) + 2, 0)),
        codec,
        3,
      ),
    );
    add(
      of('a negative record size'),
      'plain',
      withSection(
        sectionWith((s) => s.writeUInt8(1, 0)),
        codec,
        3,
      ),
    );
    add(
      of('a negative number of headers'),
      'plain',
      withSection(
        sectionWith((s) => s.writeUInt8(1, 8)),
        codec,
        3,
      ),
    );
    add(of('cut records'), 'plain', withSection(produced().subarray(61, -4), codec, 3));
  }
  for (const codec of [1, 2, 3, 4] as const) {
    const junk = assembleBatch(Buffer.from('this is not packed'), {
      baseOffset: 0,
      partitionLeaderEpoch: -1,
      codec,
      lastOffsetDelta: 0,
      count: 1,
      baseTimestamp: now,
      maxTimestamp: now,
    });
    add(`junk for ${CODEC_NAMES[codec]}`, 'plain', junk);
  }
  add(
    'unknown codec',
    'plain',
    altered((b) => b.writeInt16BE(6, 21)),
  );
  add(
    'base offset',
    'plain',
    altered((b) => b.writeBigInt64BE(12n, 0)),
  );
  add(
    'control batch',
    'plain',
    altered((b) => b.writeInt16BE(0x20, 21)),
  );
  add(
    'producer without sequence',
    'plain',
    altered((b) => b.writeBigInt64BE(9n, 43)),
  );
  add(
    'last delta below zero',
    'plain',
    altered((b) => b.writeInt32BE(-1, 23)),
  );
  add(
    'no records by its count',
    'plain',
    altered((b) => b.writeInt32BE(0, 57)),
  );
  add(
    'count and last delta differ',
    'plain',
    altered((b) => b.writeInt32BE(5, 23)),
  );
  add(
    'wrong checksum',
    'plain',
    altered((b) => b.writeUInt8(1, 70), {}, false),
  );
  add(
    'unknown magic',
    'plain',
    altered((b) => b.writeUInt8(3, 16), {}, false),
  );
  add(
    'old magic',
    'plain',
    altered((b) => b.writeUInt8(1, 16), {}, false),
  );
  add(
    'length too small',
    'plain',
    altered((b) => b.writeInt32BE(13, 8), {}, false),
  );
  add(
    'length beyond the bytes',
    'plain',
    altered((b) => b.writeInt32BE(1000, 8), {}, false),
  );
  add('two batches', 'plain', Buffer.concat([produced(), produced()]));
  add('a torn second batch', 'plain', Buffer.concat([produced(), produced().subarray(0, 30)]));
  add('nothing', 'plain', Buffer.alloc(0));
  add('zstd before version 7', 'plain', produced({ codec: 4 }), 6);
  return list;
}

function counts(batch: Buffer, count: number, lastDelta: number): void {
  batch.writeInt32BE(count, 57);
  batch.writeInt32BE(lastDelta, 23);
}

const randomText = (length: number): string =>
  Array.from({ length }, (_, i) => String.fromCodePoint(33 + ((i * i * 7919) % 90))).join('');

interface Answer {
  readonly error: string;
  readonly message: string | null;
  readonly recordErrors: readonly (readonly [number, string | null])[];
}

/** One request at a time over one connection. */
class Client {
  private readonly socket: Socket;
  private received: Buffer = Buffer.alloc(0);
  private waiting: ((frame: Buffer) => void) | undefined;
  private correlationId = 0;

  constructor(socket: Socket) {
    this.socket = socket;
    socket.on('data', (chunk: Buffer) => {
      this.received = Buffer.concat([this.received, chunk]);
      if (this.received.length < 4 || this.received.length < 4 + this.received.readInt32BE(0)) return;
      const frame = this.received.subarray(4);
      this.received = Buffer.alloc(0);
      this.waiting?.(frame);
    });
  }

  request<N extends ApiName>(
    name: N,
    version: number,
    body: Parameters<Api<N>['writeRequest']>[1],
  ): Promise<ReturnType<Api<N>['readResponse']>> {
    const api = APIS[name] as unknown as Api<N>;
    const flexible = version >= api.flexibleFrom;
    const w = new Writer();
    w.int16(api.key);
    w.int16(version);
    w.int32(++this.correlationId);
    w.nullableString('produce-validation');
    if (flexible) w.uvarint(0);
    api.writeRequest(w, body, version);
    const frame = w.concat();
    const size = Buffer.alloc(4);
    size.writeInt32BE(frame.length);
    return new Promise((resolve) => {
      this.waiting = (answer) => {
        const r = new Reader(answer, 4);
        if (flexible) r.uvarint();
        resolve(api.readResponse(r, version));
      };
      this.socket.write(Buffer.concat([size, frame]));
    });
  }

  close(): void {
    this.socket.destroy();
  }
}

async function produce(client: Client, scenario: Scenario): Promise<Answer & { readonly baseOffset: number }> {
  const response = await client.request('produce', scenario.apiVersion ?? 9, {
    transactionalId: null,
    acks: -1,
    timeoutMs: 10_000,
    topicData: [{ name: topicName(scenario.topic), partitionData: [{ index: 0, records: scenario.records }] }],
  });
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
async function ready(client: Client): Promise<void> {
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

async function main(address: string, logDir: string): Promise<void> {
  const at = address.lastIndexOf(':');
  const client = new Client(connect(Number(address.slice(at + 1)), address.slice(0, at)));
  await client.request('createTopics', 5, {
    timeoutMs: 10_000,
    validateOnly: false,
    topics: Object.entries(TOPICS).map(([name, [configs]]) => ({
      name: topicName(name),
      numPartitions: 1,
      replicationFactor: 1,
      assignments: [],
      configs: Object.entries(configs).map(([config, value]) => ({ name: config, value })),
    })),
  });
  await ready(client);
  let differences = 0;
  const all = scenarios();
  for (const scenario of all) {
    const theirs = await produce(client, scenario);
    const ours = validated(scenario, Math.max(0, theirs.baseOffset));
    const differs = (what: string, a: string, b: string): void => {
      if (a === b) return;
      differences++;
      console.log(`${scenario.name}: ${what}\n  Kafka:    ${a}\n  Blumfeld: ${b}`);
    };
    differs('answer', comparable(theirs), comparable(ours));
    if (theirs.error !== 'NONE' || ours.stored === null) continue;
    const stored = storedBatch(logDir, scenario.topic, theirs.baseOffset);
    const exact =
      scenario.topic !== 'stamped' &&
      (new RecordBatch(scenario.records).codec === new RecordBatch(stored).codec || new RecordBatch(stored).codec === 0);
    try {
      differs('stored', content(stored, exact), content(ours.stored, exact));
    } catch (e) {
      if (!stored.equals(ours.stored)) differs('stored', String(e), '');
    }
  }
  console.log(`${all.length} batches, ${differences} differences`);
  client.close();
  if (differences > 0) process.exitCode = 1;
}

const [address, logDir] = process.argv.slice(2);
if (address === undefined || logDir === undefined) throw new Error('usage: produce-validation HOST:PORT LOGDIR');
await main(address, logDir);

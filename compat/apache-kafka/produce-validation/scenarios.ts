/** Record batches as a client might send them, most of them wrong in one way, and the topics that they are sent to. */
import type { LogConfig } from '../../../src/log/log-config.ts';
import { CODEC_NAMES, type CompressionCodec, compress } from '../../../src/wire/compression/codec.ts';
import { CRC_AT, RecordBatch } from '../../../src/wire/record-batch.ts';
import { assembleBatch, type BatchDraft, buildBatch, type RecordDraft } from '../../../src/wire/record-batch-builder.ts';

export interface Scenario {
  readonly name: string;
  readonly records: Buffer;
  readonly topic: keyof typeof TOPICS;
  readonly apiVersion?: number;
}

const HOUR_MS = 3_600_000;

/** Topics by name: what their configs are for Kafka, and for the validator. */
export const TOPICS = {
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
export const record = (key: string | null, value: string | null, timestamp = now): RecordDraft => ({
  key: text(key),
  value: text(value),
  timestamp,
});
const three = [record('a', '1'), record(null, '2', now - 50), record('c', null, now + 7)];
const keyed = [record('a', '1'), record('b', '2', now - 50), record('c', null, now + 7)];
export const produced = (draft: Partial<BatchDraft> = {}): Buffer =>
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

export function scenarios(): Scenario[] {
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

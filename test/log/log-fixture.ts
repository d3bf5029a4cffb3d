/** A log on a disk in memory, and batches to put into it. */
import { DEFAULT_LOG_CONFIG, type LogConfig } from '../../src/log/log-config.ts';
import { Log } from '../../src/log/log.ts';
import type { LogOptions } from '../../src/log/log-contract.ts';
import { buildBatch } from '../../src/wire/record-batch-builder.ts';
import { RecordBatch } from '../../src/wire/record-batch.ts';
import { VirtualClock } from '../../src/world/virtual-clock.ts';
import { FakeFiles } from '../sim/fake-files.ts';
import { SeededRandom } from '../sim/seeded-random.ts';

export const DIRECTORY = '/data/topic-0';
export const TOPIC_ID = 'lAUzRX3ZRWiZ95BSMdX_Dw';

export interface Fixture {
  readonly files: FakeFiles;
  readonly clock: VirtualClock;
  readonly log: Log;
}

export async function openLog(
  config: Partial<LogConfig> = {},
  o: Partial<LogOptions> & { readonly files?: FakeFiles; readonly clock?: VirtualClock } = {},
): Promise<Fixture> {
  const clock = o.clock ?? new VirtualClock();
  const files = o.files ?? new FakeFiles(() => clock.now());
  const log = await Log.open({
    random: new SeededRandom(1),
    directory: DIRECTORY,
    topic: 'topic',
    partition: 0,
    topicId: TOPIC_ID,
    verifiesTransactions: false,
    config: { ...DEFAULT_LOG_CONFIG, ...config },
    ...o,
    files,
    clock,
  });
  return { files, clock, log };
}

export const turn = (): Promise<void> => new Promise((resolve) => setImmediate(resolve));

export interface BatchOptions {
  readonly count?: number;
  readonly size?: number;
  readonly timestamp?: number;
  readonly producerId?: number;
  readonly producerEpoch?: number;
  readonly baseSequence?: number;
  readonly transactional?: boolean;
}

/** Records of `size` bytes each; their timestamps rise by one. */
export function batch(o: BatchOptions = {}): Buffer {
  const { count = 1, size = 10, timestamp = 1_700_000_000_000, ...producer } = o;
  const records = Array.from({ length: count }, (_, i) => ({
    key: Buffer.from(`key-${i}`),
    value: Buffer.alloc(size, 'v'),
    timestamp: timestamp + i,
  }));
  return buildBatch({ baseOffset: 0, partitionLeaderEpoch: -1, records, ...producer });
}

export function marker(producerId: number, producerEpoch: number, kind: 'commit' | 'abort', coordinatorEpoch = 0): Buffer {
  const value = Buffer.alloc(6);
  value.writeInt32BE(coordinatorEpoch, 2);
  return buildBatch({
    baseOffset: 0,
    partitionLeaderEpoch: -1,
    records: [{ key: Buffer.from([0, 0, 0, kind === 'abort' ? 0 : 1]), value, timestamp: 1_700_000_000_000 }],
    producerId,
    producerEpoch,
    transactional: true,
    control: true,
  });
}

/** Appends as a client does and says at which offset, or with which error. */
export function put(log: Log, bytes: Buffer, leaderEpoch = 0): number {
  const result = log.append(bytes, { leaderEpoch, origin: 'client' });
  if (!result.ok) throw new Error(`refused with ${result.error}: ${result.message}`);
  return result.firstOffset;
}

/** Base offsets of all batches, oldest first. */
export async function baseOffsets(log: Log): Promise<number[]> {
  const offsets: number[] = [];
  for await (const each of log.batches()) offsets.push(each.baseOffset);
  return offsets;
}

export const bytesOf = (records: Buffer | readonly Buffer[]): Buffer =>
  Buffer.isBuffer(records) ? records : Buffer.concat(records);

/** Base offsets of the whole batches in what was read. */
export function offsetsIn(records: Buffer | readonly Buffer[]): number[] {
  const bytes = bytesOf(records);
  const offsets: number[] = [];
  for (let at = 0; at < bytes.length; ) {
    const each = new RecordBatch(bytes, at);
    offsets.push(each.baseOffset);
    at += each.sizeInBytes;
  }
  return offsets;
}

/**
 * Walks the batches of a segment's file in large reads off the event loop, so that long walks leave room for other work. The magic is covered by no
 * checksum: one beyond 2 is walked as 2, as in FileLogInputStream of Apache Kafka; whoever hands records on looks at it.
 */
import { RecordBatch } from '../wire/record-batch.ts';
import { batchSizeAt, magicAt, SHORTEST_BATCH } from './batch-header.ts';
import type { OpenFile } from '../world/files.ts';
import type { Segment } from './segment.ts';

const READ_BYTES = 1024 * 1024;
/** Short enough to be read at once instead of being awaited. */
const READ_AT_ONCE_BYTES = 64 * 1024;

/** Bytes from `position` on, as many as `size` at most. Fewer only at the end of the file. */
async function readSome(file: OpenFile, position: number, size: number): Promise<Buffer> {
  const bytes = Buffer.allocUnsafeSlow(size);
  const read = size <= READ_AT_ONCE_BYTES ? file.read(bytes, position) : await file.readLater(bytes, position);
  return read === size ? bytes : bytes.subarray(0, read);
}

export interface BatchRun {
  /** In the file. */
  readonly position: number;
  readonly batches: readonly RecordBatch[];
}

/**
 * Runs of whole batches from `from` up to `to`. Ends early at something that is no batch or is cut off: what follows the last run is torn or corrupt.
 * The file is held from the first step to the last: a segment that is deleted or compacted meanwhile is walked as it was.
 */
export async function* batchRuns(segment: Segment, from: number, to: number): AsyncGenerator<BatchRun> {
  const { file, giveBack } = segment.handles.hold(segment.path);
  try {
    yield* batchRunsIn(file, from, to);
  } finally {
    giveBack();
  }
}

/** As `batchRuns`, of any file, in reads of `readBytes`. */
export async function* batchRunsIn(file: OpenFile, from: number, to: number, readBytes = READ_BYTES): AsyncGenerator<BatchRun> {
  let position = from;
  let want = readBytes;
  while (to - position >= SHORTEST_BATCH) {
    const bytes = await readSome(file, position, Math.min(want, to - position));
    const batches: RecordBatch[] = [];
    let at = 0;
    let missing = 0;
    while (bytes.length - at >= SHORTEST_BATCH) {
      const size = batchSizeAt(bytes, at);
      if (size < 0 || magicAt(bytes, at) < 0 || position + at + size > to) {
        missing = -1;
        break;
      }
      if (at + size > bytes.length) {
        missing = size;
        break;
      }
      batches.push(new RecordBatch(bytes, at));
      at += size;
    }
    if (batches.length > 0) yield { position, batches };
    if (missing < 0 || bytes.length < Math.min(want, to - position)) return;
    position += at;
    want = Math.max(readBytes, missing);
    if (batches.length === 0 && missing === 0) return;
  }
}

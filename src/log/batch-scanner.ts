/** Walks the batches of a segment's file in large reads off the event loop, so that long walks leave room for other work. */
import { RecordBatch } from '../wire/record-batch.ts';
import { batchSizeAt, magicAt, SHORTEST_BATCH } from './batch-header.ts';
import type { Segment } from './segment.ts';

const READ_BYTES = 1024 * 1024;
/** Short enough to be read at once instead of being awaited. */
const READ_AT_ONCE_BYTES = 64 * 1024;

/** Bytes of [position, to) of the segment, as many as `size` at most. Fewer only at the end of the file. */
async function readSome(segment: Segment, position: number, size: number): Promise<Buffer> {
  const bytes = Buffer.allocUnsafeSlow(size);
  const read =
    size <= READ_AT_ONCE_BYTES
      ? segment.handles.file(segment.path).read(bytes, position)
      : await segment.handles.borrow(segment.path, (file) => file.readLater(bytes, position));
  return read === size ? bytes : bytes.subarray(0, read);
}

/**
 * Runs of whole batches from `from` up to `to`, each with its position in the file. Ends early at something that is no batch or is cut off:
 * what follows the last run is torn or corrupt.
 */
export async function* batchRuns(
  segment: Segment,
  from: number,
  to: number,
): AsyncGenerator<{ readonly position: number; readonly batches: readonly RecordBatch[] }> {
  let position = from;
  let want = READ_BYTES;
  while (to - position >= SHORTEST_BATCH) {
    const bytes = await readSome(segment, position, Math.min(want, to - position));
    const batches: RecordBatch[] = [];
    let at = 0;
    let missing = 0;
    while (bytes.length - at >= SHORTEST_BATCH) {
      const size = batchSizeAt(bytes, at);
      const magic = magicAt(bytes, at);
      if (size < 0 || magic < 0 || magic > 2 || (magic === 2 && size < 61) || position + at + size > to) {
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
    want = Math.max(READ_BYTES, missing);
    if (batches.length === 0 && missing === 0) return;
  }
}

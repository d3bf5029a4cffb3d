/** The batches of a `.log` or `.checkpoint` file, read piece by piece, however large the file is. */
import { batchSizeAt, magicAt, SHORTEST_BATCH } from '../log/batch-header.ts';
import { RecordBatch } from '../wire/record-batch.ts';
import type { OpenFile } from '../world/files.ts';

const READ_BYTES = 1024 * 1024;

export interface PlacedBatch {
  readonly position: number;
  /** Undefined: from here to the end of the file there is no whole batch. */
  readonly batch: RecordBatch | undefined;
}

/** A view is good until the next one is asked for. */
export function* batchesOfFile(file: OpenFile): Generator<PlacedBatch> {
  const end = file.size();
  let position = 0;
  let bytes = Buffer.alloc(0);
  let start = 0;
  while (position < end) {
    const at = position - start;
    const isKnown = bytes.length - at >= SHORTEST_BATCH;
    const size = isKnown ? batchSizeAt(bytes, at) : 0;
    const need = size > 0 ? size : SHORTEST_BATCH;
    if (size < 0 || position + need > end || (isKnown && (magicAt(bytes, at) > 2 || magicAt(bytes, at) < 0))) {
      yield { position, batch: undefined };
      return;
    }
    if (size === 0 || bytes.length - at < size) {
      const wanted = Buffer.alloc(Math.min(end - position, Math.max(READ_BYTES, need)));
      bytes = wanted.subarray(0, file.read(wanted, position));
      start = position;
      continue;
    }
    yield { position, batch: new RecordBatch(bytes, at) };
    position += size;
  }
}

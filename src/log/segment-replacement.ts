/**
 * Puts a compacted segment in the place of those it was made of, so that neither a reader nor a crash at any instant sees anything between before and
 * after.
 *
 * The files go from `.cleaned` to `.swap` to their final names, and between the two the old ones are renamed to `.deleted`. With a `.swap` on disk
 * recovery finishes what was begun, without one it goes back to the old segments; each step is on disk before the next one begins. Readers see the new
 * segment in the same turn in which the old ones go; who has an old file open reads it to its end.
 * Source: LocalLog.replaceSegments of Apache Kafka, which leaves the order of its renames on disk to the file system.
 */
import type { LogParts } from './log-parts.ts';
import { Segment } from './segment.ts';
import { removeLater, renameToDeleted } from './segment-keeper.ts';
import { CLEANED_SUFFIX, SWAP_SUFFIX } from './segment-names.ts';

/** `replaced` are neighbours and none of them is the active one; the new segment begins where the first of them does. Rejects with StorageFailure. */
export async function replaceSegments(
  log: LogParts,
  cleaned: { readonly size: number },
  replaced: readonly Segment[],
): Promise<void> {
  const { handles, segments, writer, producerState } = log;
  const { files, clock } = log.o;
  const { directory } = log;
  const [first] = replaced;
  if (first === undefined) return;
  const segment = new Segment({ files, handles, clock, directory }, first.baseOffset, cleaned.size, CLEANED_SUFFIX);
  segment.rename(SWAP_SUFFIX);
  await files.syncDirectory(directory);

  const endOffset = segments.higher((replaced.at(-1) ?? first).baseOffset)?.baseOffset ?? writer.fileOffset;
  const deleted: string[] = [];
  for (const old of replaced) {
    segments.remove(old);
    writer.forget(old);
    const snapshot = old === first ? undefined : producerState.snapshots.release(old.baseOffset);
    deleted.push(...renameToDeleted(log, snapshot === undefined ? old.paths() : [...old.paths(), snapshot]));
  }
  segments.add(segment);
  log.tail.dropBelow(endOffset);
  log.reader.forgetPlaces();
  removeLater(log, deleted);
  await files.syncDirectory(directory);

  segment.rename('');
  await files.syncDirectory(directory);
}

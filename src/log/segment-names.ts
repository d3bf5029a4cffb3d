/** Names of the files in a partition's directory, as Apache Kafka's LogFileUtils gives them. */

export const LOG_SUFFIX = '.log';
export const OFFSET_INDEX_SUFFIX = '.index';
export const TIME_INDEX_SUFFIX = '.timeindex';
export const TRANSACTION_INDEX_SUFFIX = '.txnindex';
export const SNAPSHOT_SUFFIX = '.snapshot';
/** On its way out: removed after file.delete.delay.ms, or at the next start. */
export const DELETED_SUFFIX = '.deleted';
/** A compaction that was not finished: worthless. */
export const CLEANED_SUFFIX = '.cleaned';
/** A compaction that was finished but not yet put in place: worth finishing. */
export const SWAP_SUFFIX = '.swap';

/** `offset` with twenty digits. */
export const paddedOffset = (offset: number): string => String(offset).padStart(20, '0');

/** The number before the first dot of a file's name; undefined when that is not a number. */
export function offsetOfName(name: string): number | undefined {
  const digits = /^(\d+)\./.exec(name)?.[1];
  return digits === undefined ? undefined : Number(digits);
}

export const isIndexName = (name: string): boolean =>
  name.endsWith(OFFSET_INDEX_SUFFIX) || name.endsWith(TIME_INDEX_SUFFIX) || name.endsWith(TRANSACTION_INDEX_SUFFIX);

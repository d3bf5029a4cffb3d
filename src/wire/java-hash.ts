/**
 * Java's hash of strings, by which Kafka places groups and transactional ids on the partitions of the coordinators' topics, and which decides in which
 * order it goes through what a request names.
 */

/** `String.hashCode()`: a signed 32-bit number over the string's UTF-16 units. */
export function javaStringHash(text: string): number {
  let hash = 0;
  for (let i = 0; i < text.length; i++) hash = (Math.imul(31, hash) + text.charCodeAt(i)) | 0;
  return hash;
}

/** The partition of `__consumer_offsets` or `__transaction_state` that `id` belongs to; the smallest hash counts as 0, as in Kafka. */
export function coordinatorPartition(id: string, partitionCount: number): number {
  const hash = javaStringHash(id);
  return (hash === -0x8000_0000 ? 0 : Math.abs(hash)) % partitionCount;
}

const SMALLEST_TABLE = 16;
const LOAD_FACTOR = 0.75;

/** The order in which a `java.util.HashMap` that grew with `entries` is gone through; their keys are distinct. Not for maps of which many keys share a hash. */
export function javaHashMapOrder<T>(entries: readonly T[], keyOf: (entry: T) => string): readonly T[] {
  let size = SMALLEST_TABLE;
  while (entries.length > size * LOAD_FACTOR) size *= 2;
  const bucketOf = (entry: T): number => {
    const hash = javaStringHash(keyOf(entry));
    return (hash ^ (hash >>> 16)) & (size - 1);
  };
  return [...entries].sort((a, b) => bucketOf(a) - bucketOf(b));
}

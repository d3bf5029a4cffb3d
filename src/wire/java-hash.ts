/** Java's hash of strings, by which Kafka places groups and transactional ids on the partitions of the coordinators' topics. */

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

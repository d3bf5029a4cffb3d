/** Of a directory that is handed over: nothing of what is looked at may go by itself between two looks. */
export const LASTING = [
  'offsets.retention.minutes=2000000000',
  'transactional.id.expiration.ms=2000000000',
  'transaction.abort.timed.out.transaction.cleanup.interval.ms=2000000000',
  // Apache Kafka leaves snapshots of its metadata; Blumfeld begins at the newest.
  'metadata.log.max.record.bytes.between.snapshots=4000',
  // What DeleteRecords moved is kept by this checkpoint alone, in both.
  'log.flush.start.offset.checkpoint.interval.ms=100',
  // So that logs are compacted while they are looked at.
  'log.cleaner.backoff.ms=200',
] as const;

/** Of a metadata log that is cut off where a snapshot ends, as soon as it is looked at. */
export const TRIMMING = [
  'metadata.log.max.record.bytes.between.snapshots=1500',
  'internal.metadata.log.segment.bytes=9000',
  'metadata.max.retention.bytes=1',
] as const;

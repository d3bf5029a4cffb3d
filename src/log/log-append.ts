/**
 * Putting batches at the end of a log: validated, checked against their producers' sequences, given offsets and queued, all before control returns.
 *
 * Refusals change nothing. Source: UnifiedLog.append of Apache Kafka.
 */
import { ErrorCode } from '../wire/generated/errors.ts';
import { batchesOf, type RecordBatch } from '../wire/record-batch.ts';
import type { AppendOptions, AppendResult } from './log-contract.ts';
import type { LogParts } from './log-parts.ts';
import { firstOffsetOf, type ProducerBatch } from './producer-entry.ts';
import type { StagedAppend } from './producer-state.ts';
import { validateRecords } from './record-validator.ts';
import { roll, shouldRoll } from './segment-keeper.ts';
import type { RecordError, Validated } from './validator-contract.ts';

const refuse = (error: ErrorCode, message: string | null, recordErrors: readonly RecordError[] = []): AppendResult => ({
  ok: false,
  error,
  message,
  recordErrors,
});

/** The buffer is patched in place and belongs to the log from now on. */
export function append(log: LogParts, records: Buffer, o: AppendOptions): AppendResult {
  const topicPartition = `${log.o.topic}-${log.o.partition}`;
  if (log.failure !== undefined || log.closed) {
    return refuse(ErrorCode.KAFKA_STORAGE_ERROR, log.failure?.message ?? `the log of ${topicPartition} is closed`);
  }
  const validated = validateRecords(records, {
    config: log.config,
    nowMs: log.o.clock.now(),
    origin: o.origin,
    topicPartition,
    firstOffset: log.writer.queuedOffset,
    partitionLeaderEpoch: o.leaderEpoch,
  });
  if (!validated.ok) return refuse(validated.error, validated.message, validated.recordErrors);
  const { firstOffset, lastOffset, logAppendTimeMs } = validated;
  const appended: AppendResult = {
    ok: true,
    firstOffset,
    lastOffset,
    logAppendTimeMs,
    logStartOffset: log.startOffset,
    duplicate: false,
  };
  if (validated.records.length === 0) return appended;
  const batches = batchesOf(validated.records);
  const producers = log.producerState.check(batches, {
    origin: o.origin,
    transactionVersion: o.transactionVersion ?? 0,
    verificationGuard: o.verificationGuard,
  });
  if (producers.kind === 'refused') return refuse(producers.error, producers.message);
  if (producers.kind === 'duplicate') return duplicate(log, producers.batch);
  try {
    put(log, validated, batches, producers.staged);
  } catch (error) {
    const failure = log.writer.fail(error);
    return refuse(ErrorCode.KAFKA_STORAGE_ERROR, failure.message);
  }
  return appended;
}

function duplicate(log: LogParts, batch: ProducerBatch): AppendResult {
  return {
    ok: true,
    firstOffset: firstOffsetOf(batch),
    lastOffset: batch.lastOffset,
    // Kafka's brokers tell it of a repeated batch whatever the timestamp type.
    logAppendTimeMs: batch.timestamp,
    logStartOffset: log.startOffset,
    duplicate: true,
  };
}

function put(log: LogParts, validated: Validated, batches: readonly RecordBatch[], staged: StagedAppend | undefined): void {
  const { segments, writer, tail, producerState, leaderEpochs } = log;
  const { records, firstOffset, lastOffset } = validated;
  for (const batch of batches) if (batch.magic >= 2) leaderEpochs.assign(batch.partitionLeaderEpoch, batch.baseOffset);
  leaderEpochs.save();
  if (shouldRoll(log, validated)) roll(log, Math.max(firstOffset, writer.queuedOffset));
  const segment = segments.active;
  segment.noteAppended(records, log.config.indexIntervalBytes);
  writer.enqueue(tail.append(records, firstOffset, lastOffset + 1), lastOffset + 1);
  if (staged !== undefined) {
    producerState.apply(staged, (transaction, lastStableOffset) => {
      if (transaction.aborted) segment.noteAborted({ ...transaction, lastStableOffset });
    });
  }
  producerState.endOffset = lastOffset + 1;
}

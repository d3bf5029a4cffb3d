/**
 * The begin of a log's work on its files: from what a directory holds, or does not hold yet, to the parts of a log.
 *
 * What recovery has made anew and nobody has synced is noted as unsynced, so that the recovery point passes it only once it is on disk. Source:
 * UnifiedLog.create of Apache Kafka.
 */
import { prepareToCompress, ZSTD } from '../wire/compression/codec.ts';
import { CleaningGate } from './cleaning-gate.ts';
import { FileHandles } from './file-handles.ts';
import { LEADER_EPOCH_FILE, LeaderEpochs } from './leader-epochs.ts';
import type { LogOptions } from './log-contract.ts';
import type { LogParts } from './log-parts.ts';
import { LogReader } from './log-reader.ts';
import { LogWriter } from './log-writer.ts';
import { settleTopicId } from './partition-metadata.ts';
import { fileNamesIn, type Recovered, recoverLog } from './recovery.ts';
import { drawRollJitter } from './segment-keeper.ts';
import { LogTail, TailMemory } from './tail-memory.ts';

const DAY_MS = 86_400_000;

// Shared by thousands of logs.
const NO_LISTENERS: LogParts['listeners'] = [];
const NO_REMOVALS: LogParts['removals'] = [];

/** Rejects with StorageFailure. */
export async function open(o: LogOptions): Promise<LogParts> {
  const { files, clock, directory } = o;
  const isNew = o.names === undefined && files.stat(directory) === undefined;
  if (isNew) files.makeDirectory(directory);
  const names = o.names ?? fileNamesIn(files, directory);
  const topicId = o.names === undefined ? await settleTopicId(files, directory, o.topicId) : o.topicId;
  const handles = o.handles ?? new FileHandles(files);
  const leaderEpochs = new LeaderEpochs(files, directory, names.includes(LEADER_EPOCH_FILE));
  const cleanShutdown = o.cleanShutdown ?? false;
  const recovered = await recoverLog({
    files,
    handles,
    clock,
    directory,
    names,
    config: o.config,
    producers: {
      files,
      directory,
      where: `${o.topic}-${o.partition}`,
      expirationMs: o.producerIdExpirationMs ?? DAY_MS,
      verifiesTransactions: o.verifiesTransactions,
    },
    leaderEpochs,
    recoveryPoint: o.recoveryPoint ?? 0,
    logStartOffset: o.logStartOffset ?? 0,
    cleanShutdown,
  });
  if (o.config.compressionType === 'zstd') await prepareToCompress(ZSTD);
  const log = assembled(o, recovered, { topicId, handles, leaderEpochs });
  const { writer, segments } = log;
  if (o.names === undefined) leaderEpochs.save();
  leaderEpochs.reportTo(writer);
  if (log.failure !== undefined) throw log.failure;
  const mayBeUnsynced = !cleanShutdown && (segments.sizeInBytes > 0 || segments.count > 1);
  if (isNew || mayBeUnsynced) {
    writer.noteUnsynced(segments.from(writer.recoveryPoint).filter((segment) => segment !== segments.active));
  }
  // What a killed process had written and not synced is about to be shown: where flush.messages wants that synced first, it is.
  if (writer.queuedOffset - writer.recoveryPoint >= o.config.flushMessages) await writer.flush();
  return log;
}

function assembled(o: LogOptions, recovered: Recovered, found: Pick<LogParts, 'topicId' | 'handles' | 'leaderEpochs'>): LogParts {
  const { segments, producerState, logStartOffset } = recovered;
  const tailMemory = o.tailMemory ?? new TailMemory();
  const writer = new LogWriter({
    clock: o.clock,
    files: o.files,
    directory: () => log.directory,
    leaderEpochs: found.leaderEpochs,
    segments,
    onWritten: () => {
      for (const listener of log.listeners) listener();
    },
    onFailure: (failure) => {
      log.failure = failure;
      o.onFailure?.(failure);
      for (const listener of log.listeners) listener(failure);
    },
  });
  writer.flushMessages = o.config.flushMessages;
  writer.reset(recovered.logEndOffset, recovered.recoveryPoint);
  const log: LogParts = {
    o,
    ...found,
    segments,
    producerState,
    writer,
    reader: new LogReader(segments, writer, tailMemory.budgetBytes),
    tail: new LogTail(tailMemory),
    config: o.config,
    directory: o.directory,
    startOffset: logStartOffset,
    highWatermark: logStartOffset,
    listeners: NO_LISTENERS,
    failure: undefined,
    closed: false,
    cleaning: new CleaningGate(),
    removals: NO_REMOVALS,
  };
  drawRollJitter(log);
  return log;
}

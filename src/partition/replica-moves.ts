/**
 * Moves partitions to other log directories while they are written and read (KIP-113): a copy is made beside the other log, brought up to its end,
 * recorded in the metadata log, and takes its place between two requests.
 *
 * Invariants:
 * - nothing is acknowledged that is not in the log which the partition has after the swap;
 * - a copy takes its place only when it ends where the other ends, in the same turn as that was seen;
 * - the metadata log names the copy's directory before the other log is renamed, and the copy gets the partition's name only when that rename is on
 *   the disk: whenever the process or the power goes, exactly one log of the partition is found, or a copy that is known to be it;
 * - of a partition there is at most one move; a directory that fails ends the moves from it and to it.
 *
 * Source: ReplicaAlterLogDirsThread and LogManager.replaceCurrentWithFutureLog of Apache Kafka, which renames the copy first.
 */
import type { LogDirectory } from '../log/log-directory.ts';
import type { Log } from '../log/log.ts';
import { ErrorCode } from '../wire/generated/errors.ts';
import { RecordBatch } from '../wire/record-batch.ts';
import type { Clock } from '../world/clock.ts';
import { StorageFailure } from '../world/files.ts';
import type { Partition } from './partition.ts';
import type { ReplicaHomes } from './replica-homes.ts';

/** Where a replica is, for the metadata log. */
export interface ReplicaAssignment {
  readonly topicId: string;
  readonly partitionIndex: number;
  readonly directoryId: string;
}

export interface ReplicaMovesOptions {
  readonly clock: Clock;
  readonly homes: ReplicaHomes;
  /** Resolves when the metadata log says so, or does not: with NONE, with the reason, or with undefined when it takes no records any more. */
  assign(assignment: ReplicaAssignment): Promise<ErrorCode | undefined>;
  /** num.replica.alter.log.dirs.threads: how many are under way at once; the others wait for them. */
  readonly movesAtOnce: number;
  /** replica.alter.log.dirs.io.max.bytes.per.second of all of them together, as it is now. */
  maxBytesPerSecond(): number;
}

interface Move {
  readonly partition: Partition;
  readonly source: LogDirectory;
  readonly destination: LogDirectory;
  readonly copy: Log;
  /** What is copied: not compacted meanwhile, or some of it would be copied as it was before and never be looked at again. */
  readonly original: Log;
  /** The metadata log names the copy's directory, or may yet do so. */
  asked: boolean;
  /** It does. */
  recorded: boolean;
  /** Given up, or done. */
  ended: boolean;
}

/** What one step copies, and may hold the event loop for. */
const STEP_BYTES = 256 * 1024;
/** Before a step is tried again that found nothing to copy. */
const RETRY_MS = 100;
/** A copied batch keeps the epoch it has, whatever it is. */
const ANY_EPOCH = 0x7fff_ffff;

export class ReplicaMoves {
  readonly #o: ReplicaMovesOptions;
  readonly #moves = new Map<Partition, Move>();
  /** Moves with what follows them on the disks. */
  readonly #running = new Set<Promise<void>>();
  /** Moves that pause. */
  readonly #pausing = new Set<() => void>();
  #underWay = 0;
  /** Moves that wait for their turn. */
  readonly #queue: (() => void)[] = [];
  #stopped = false;

  constructor(o: ReplicaMovesOptions) {
    this.#o = o;
  }

  /** Where the partition is being moved to. */
  destinationOf(partition: Partition): LogDirectory | undefined {
    return this.#moves.get(partition)?.destination;
  }

  /** Begins a move, or goes on with one: `copy` lies in `destination`. */
  begin(partition: Partition, destination: LogDirectory, copy: Log, recorded: boolean): void {
    const source = this.#o.homes.of(partition);
    if (source === undefined) throw new Error(`${partition.name} is in no directory that it could be moved from`);
    const original = partition.log;
    const move: Move = { partition, source, destination, copy, original, asked: recorded, recorded, ended: false };
    this.#moves.set(partition, move);
    const running = this.#run(move, original.pauseCleaning())
      .catch((error: unknown) => {
        // A disk that failed has taken its directory offline, and what was to be moved stays where it is.
        if (!(error instanceof StorageFailure)) throw error;
        this.#end(move);
      })
      .finally(() => this.#running.delete(running));
    this.#running.add(running);
  }

  /** Gives a move up, and its copy. Nothing happens when there is none. */
  async cancel(partition: Partition): Promise<void> {
    const move = this.#moves.get(partition);
    if (move === undefined) return;
    this.#end(move);
    if (partition.failure === ErrorCode.NONE) this.#takeBack(move);
    await this.#retire(move.destination, move.copy);
  }

  /** Moves from and to the directory end; the copies stay, to go on at the next start. */
  directoryFailed(directory: LogDirectory): void {
    for (const move of [...this.#moves.values()]) {
      if (move.source !== directory && move.destination !== directory) continue;
      this.#end(move);
      move.destination.release(move.copy);
      this.#takeBack(move);
    }
  }

  /** Begins no step any more; resolves when none is under way. */
  async stop(): Promise<void> {
    this.#stopped = true;
    for (const resume of this.#pausing) resume();
    for (const begin of this.#queue.splice(0)) begin();
    await this.settled();
  }

  /** Resolves when nothing is being moved, on the disks too. */
  async settled(): Promise<void> {
    while (this.#running.size > 0) await Promise.all(this.#running);
  }

  #end(move: Move): void {
    if (!move.ended) move.original.resumeCleaning();
    move.ended = true;
    if (this.#moves.get(move.partition) === move) this.#moves.delete(move.partition);
  }

  #isOver(move: Move): boolean {
    return move.ended || this.#stopped;
  }

  async #run(move: Move, paused: Promise<void>): Promise<void> {
    await paused;
    if (this.#underWay < this.#o.movesAtOnce) this.#underWay++;
    else await new Promise<void>((resolve) => this.#queue.push(resolve));
    try {
      if (!this.#isOver(move)) await this.#perform(move);
    } finally {
      const next = this.#queue.shift();
      if (next === undefined) this.#underWay--;
      else next();
    }
  }

  async #perform(move: Move): Promise<void> {
    await this.#settleStart(move);
    for (;;) {
      await this.#copy(move);
      if (this.#isOver(move)) return;
      if (!move.recorded) {
        move.asked = true;
        const error = await this.#record(move.partition, move.destination);
        if (this.#isOver(move)) return;
        if (error === undefined) return this.#end(move);
        if (error !== ErrorCode.NONE) return this.cancel(move.partition);
        move.recorded = true;
        continue;
      }
      await move.copy.flush();
      if (this.#isOver(move)) return;
      const replaced = this.#swap(move);
      if (replaced !== undefined) return this.#finish(move, replaced);
    }
  }

  /** Cuts off what the copy has and the log has not, by leader epochs, and begins anew where the log begins later than the copy ends. */
  async #settleStart({ partition: { log }, copy }: Move): Promise<void> {
    for (;;) {
      const { logEndOffset } = copy;
      const epoch = copy.leaderEpochs.latestEpoch;
      const end = log.endOffsetForEpoch(epoch);
      const agreed =
        end.leaderEpoch < 0 ? log.logEndOffset : Math.min(end.endOffset, copy.endOffsetForEpoch(end.leaderEpoch).endOffset);
      if (agreed < logEndOffset) await copy.truncateTo(Math.max(agreed, copy.logStartOffset));
      if (end.leaderEpoch < 0 || end.leaderEpoch === epoch || copy.logEndOffset === logEndOffset) break;
    }
    if (copy.logEndOffset < log.logStartOffset) await copy.truncateFullyAndStartAt(log.logStartOffset);
  }

  /** Until the copy ends where the log did when that was looked at last. */
  async #copy(move: Move): Promise<void> {
    const { partition, copy } = move;
    while (!this.#isOver(move) && copy.logEndOffset < partition.log.writtenOffset) {
      const { log } = partition;
      if (copy.logEndOffset < log.logStartOffset) await copy.truncateFullyAndStartAt(log.logStartOffset);
      const rate = this.#o.maxBytesPerSecond();
      const maxBytes = Math.min(STEP_BYTES, Math.max(1, rate));
      const read = rate === 0 ? undefined : await log.read(copy.logEndOffset, { maxBytes, minOneBatch: true, upTo: 'logEnd' });
      if (this.#isOver(move)) return;
      if (read !== undefined && read.sizeInBytes > 0)
        await this.#put(move, Buffer.isBuffer(read.records) ? [read.records] : read.records);
      await this.#pause(read?.sizeInBytes ?? 0, rate);
    }
  }

  async #put(move: Move, chunks: readonly Buffer[]): Promise<void> {
    const { copy } = move;
    const [first] = chunks;
    if (first !== undefined && copy.sizeInBytes === 0 && isFirstBelow(chunks, copy.logEndOffset)) {
      await copy.truncateFullyAndStartAt(new RecordBatch(first, 0).baseOffset);
      if (this.#isOver(move)) return;
    }
    put(copy, chunks);
  }

  /** Lets everybody else have a turn, and keeps to the rate. */
  #pause(copiedBytes: number, rate: number): Promise<void> {
    const { clock } = this.#o;
    const waitMs = copiedBytes === 0 ? RETRY_MS : (copiedBytes * 1000 * this.#underWay) / rate;
    return new Promise((resolve) => {
      if (waitMs < 1) return clock.endOfTurn(resolve);
      const resume = (): void => {
        this.#pausing.delete(resume);
        timer.cancel();
        resolve();
      };
      const timer = clock.after(Math.ceil(waitMs), resume);
      this.#pausing.add(resume);
    });
  }

  /** The metadata log is to name the directory that the partition is in and stays in. */
  #takeBack({ asked, partition, source }: Move): void {
    if (asked) void this.#record(partition, source);
  }

  #record({ topicId, index }: Partition, { directoryId }: LogDirectory): Promise<ErrorCode | undefined> {
    return this.#o.assign({ topicId, partitionIndex: index, directoryId });
  }

  /** Takes over what came last, and puts the copy in the log's place, all in this turn: gives the log. Undefined when more is missing than is in memory. */
  #swap(move: Move): Log | undefined {
    const { partition, source, destination, copy } = move;
    const { log } = partition;
    while (copy.logEndOffset < log.logEndOffset) {
      const rest = log.readQueued(copy.logEndOffset, STEP_BYTES);
      if (rest === undefined || rest.sizeInBytes === 0 || isFirstBelow(rest.chunks, copy.logEndOffset)) return undefined;
      put(copy, rest.chunks);
    }
    copy.setHighWatermark(log.highWatermark);
    copy.advanceLogStartOffset(log.logStartOffset);
    destination.adopt(copy);
    source.release(log);
    partition.replaceLog(copy);
    this.#o.homes.set(partition, destination);
    this.#end(move);
    return log;
  }

  /** The swap is made; what is on the disks follows. */
  async #finish({ source, destination, copy }: Move, replaced: Log): Promise<void> {
    const cleanedOffset = source.cleanedOffset(replaced);
    await this.#retire(source, replaced);
    await destination.settle(copy);
    if (cleanedOffset !== undefined) await destination.setCleanedOffset(copy, cleanedOffset);
    await destination.checkpoint();
    if (source.failure === undefined) await source.checkpoint();
  }

  async #retire(directory: LogDirectory, log: Log): Promise<void> {
    try {
      await directory.retire(log);
    } catch (error) {
      if (!(error instanceof StorageFailure)) throw error;
    }
  }
}

/** Whether the first batch begins below `offset`: where records were deleted up to the middle of a batch. */
function isFirstBelow(chunks: readonly Buffer[], offset: number): boolean {
  const [first] = chunks;
  return first !== undefined && new RecordBatch(first, 0).baseOffset < offset;
}

/** The bytes are copied: a log takes those it is given for its own. */
function put(copy: Log, chunks: readonly Buffer[]): void {
  const result = copy.append(Buffer.concat(chunks), { leaderEpoch: ANY_EPOCH, origin: 'replication' });
  if (result.ok) return;
  if (copy.failure !== undefined) throw copy.failure;
  throw new Error(`${copy.directory} does not take what it is to be a copy of: error ${result.error}, ${result.message}`);
}

/**
 * Embedded mode: this node is the only voter of `__cluster_metadata-0`, controller and broker in one (KIP-500, KIP-853). No raft traffic: what is
 * synced is committed.
 *
 * Invariants: records reach the images only through replay; an operation is decided on an image that holds all records before it; `image` changes
 * only once records are synced, then followers are told, then the reply is given; leader epochs rise with every start; a failed sync is the end.
 *
 * Left out: no NoOp records; no controller is registered, because none listens.
 */
import type { LogDirectory } from '../log/log-directory.ts';
import type { Log } from '../log/log.ts';
import type { ListenerEndpoint } from '../machine/metadata/broker-image.ts';
import { type DescribedConfigs, describedConfigs } from '../machine/metadata/config-description.ts';
import type { BrokerRegistration } from '../machine/metadata/broker-operations.ts';
import { type ControllerOperation, type ControllerOperations, step } from '../machine/metadata/controller.ts';
import type { BrokerConfigs, Decision, Surroundings } from '../machine/metadata/decision.ts';
import { SUPPORTED_FEATURES } from '../machine/metadata/features.ts';
import type { MetadataImage } from '../machine/metadata/image.ts';
import { type ConfigResource, type MetadataChange, MetadataChanges } from '../machine/metadata/metadata-change.ts';
import { hasDirectories, hasTransactions } from '../machine/metadata/record-versions.ts';
import type { ControlRecordDraft } from '../wire/control-record.ts';
import type { VotersRecordVoterDraft } from '../wire/generated/records/voters-record.ts';
import type { MetadataRecord, MetadataRecordDraft } from '../wire/metadata-record.ts';
import { batchesOf } from '../wire/record-batch.ts';
import { randomUuid } from '../wire/uuid.ts';
import type { Clock } from '../world/clock.ts';
import { type Files, StorageFailure } from '../world/files.ts';
import type { Random } from '../world/random.ts';
import { bootstrapRecords } from './metadata-bootstrap.ts';
import { controlBatch, controlEntries, inBatches, metadataBatch } from './metadata-batch.ts';
import { METADATA_LOG_CONFIG, checkFeatures, checkVoters, type LoadedMetadata, loadMetadata } from './metadata-loading.ts';
import { DEFAULT_SNAPSHOT_RULES, MetadataSnapshots, type SnapshotRules } from './metadata-snapshots.ts';
import type { MetadataState } from './metadata-state.ts';
import { type ControllerEndpoint, dynamicQuorum, leaderChange, onlyVoter } from './quorum-records.ts';
import { writeQuorumState } from './quorum-state.ts';

export interface MetadataLogOptions {
  readonly files: Files;
  readonly clock: Clock;
  readonly random: Random;
  /** Opened, its logs not yet. The first of `log.dirs`, or `metadata.log.dir`. */
  readonly directory: LogDirectory;
  /** Directory ids of the log directories that are online. */
  logDirIds(): readonly string[];
  readonly nodeId: number;
  /** Of the last clean stop of this broker; -1 where there was none. */
  readonly previousBrokerEpoch: number;
  /** Where a controller of this quorum would listen: what Apache Kafka needs to find in the Voters record to open the directory. */
  readonly controllerEndpoint: ControllerEndpoint;
  /** The advertised listeners of this broker. */
  readonly endpoints: readonly ListenerEndpoint[];
  readonly rack: string | null;
  readonly brokerConfigs: BrokerConfigs;
  /** When to take snapshots and what to keep; default as Apache Kafka's. */
  readonly snapshotRules?: SnapshotRules;
  /** metadata.log.segment.bytes and .ms; default as Apache Kafka's. */
  readonly segments?: { readonly segmentBytes: number; readonly segmentMs: number };
}

type Listener = (changes: readonly MetadataChange[]) => void | Promise<void>;

/** An operation on its way: what it appended, and whom to tell. */
interface Pending {
  readonly records: readonly MetadataRecord[];
  /** False where it only waits for what came before. */
  readonly isAppended: boolean;
  readonly lastOffset: number;
  readonly timestampMs: number;
  readonly settle: (failure?: Error) => void;
}

export class MetadataLog {
  readonly #o: MetadataLogOptions;
  readonly log: Log;
  readonly #state: MetadataState;
  readonly leaderEpoch: number;
  readonly #snapshots: MetadataSnapshots;
  readonly #listeners: Listener[] = [];
  #brokerEpoch = -1;
  #pending: Pending[] = [];
  #committing = false;
  #failure: Error | undefined;
  #stopped = false;

  private constructor(o: MetadataLogOptions, log: Log, { state, bytesSinceSnapshot }: LoadedMetadata) {
    this.#o = o;
    this.log = log;
    this.#state = state;
    this.#snapshots = new MetadataSnapshots(
      {
        files: o.files,
        clock: o.clock,
        log,
        state,
        rules: o.snapshotRules ?? DEFAULT_SNAPSHOT_RULES,
        onDue: () => this.#wake(),
        onFailure: (error) => this.#fail(error),
      },
      bytesSinceSnapshot,
    );
    this.leaderEpoch = state.lastEpoch + 1;
  }

  /**
   * Formats an empty directory; replays; raises the epoch; registers this broker, fenced. All of it is synced when the promise resolves. Raises
   * Error, in one sentence, for a directory that this node must not or cannot lead.
   */
  static async open(o: MetadataLogOptions): Promise<MetadataLog> {
    const log = await o.directory.openMetadataLog({ ...METADATA_LOG_CONFIG, ...o.segments });
    const loaded = await loadMetadata(o.files, log);
    const { state } = loaded;
    const isNew = !state.isFormatted;
    if (isNew) state.kraftVersion = 1;
    checkVoters(state, o.nodeId, o.directory);
    if (state.committed.features.size > 0) checkFeatures(state.committed, o.directory.path);
    const metadataLog = new MetadataLog(o, log, loaded);
    await metadataLog.#lead(isNew);
    metadataLog.#snapshots.start();
    return metadataLog;
  }

  /** What is committed. */
  get image(): MetadataImage {
    return this.#state.committed;
  }

  get nodeId(): number {
    return this.#o.nodeId;
  }

  /** Epoch of this broker's registration; goes into .kafka_cleanshutdown at the end. */
  get brokerEpoch(): number {
    return this.#brokerEpoch;
  }

  /** The finalized level of kraft.version: 1 for a dynamic quorum. */
  get kraftVersion(): number {
    return this.#state.kraftVersion;
  }

  /** Who votes: this node, by the id of its directory and by where a controller of it would listen. */
  voters(): readonly VotersRecordVoterDraft[] {
    const { nodeId, directory, controllerEndpoint } = this.#o;
    return this.#state.voters ?? [onlyVoter(nodeId, directory.directoryId, controllerEndpoint)];
  }

  /** Set once the disk has failed, here or anywhere else in its directory: every operation is refused from then on. */
  get failure(): Error | undefined {
    return this.#failure ?? this.log.failure;
  }

  /** Whether nothing can be submitted any more. */
  get isClosed(): boolean {
    return this.#stopped || this.failure !== undefined;
  }

  /** Decides, appends, syncs, applies, tells the followers, and only then resolves. Rejects with StorageFailure, or once stopped. */
  submit<K extends ControllerOperation>(
    operation: K,
    request: ControllerOperations[K]['request'],
  ): Promise<ControllerOperations[K]['reply']> {
    if (this.failure !== undefined) return Promise.reject(this.failure);
    if (this.#stopped) return Promise.reject(new Error('the metadata log is stopped'));
    return this.#perform(step(operation, request, this.#surroundings()));
  }

  /** What a resource's configs come to, as far as is committed. */
  describeConfigs(resource: ConfigResource): DescribedConfigs {
    return describedConfigs(resource, this.image, this.#o.nodeId, this.#o.brokerConfigs);
  }

  /** Runs after the image has changed and before any reply that depends on it. A returned promise keeps replies waiting. */
  onChange(listener: Listener): void {
    this.#listeners.push(listener);
  }

  /** Fences this broker, syncs, closes the log. The directory is stopped after this, with `brokerEpoch`. Rejects with StorageFailure. */
  async stop(): Promise<void> {
    if (this.#stopped) return;
    const fenced = this.failure === undefined ? this.submit('fenceBroker', { brokerId: this.#o.nodeId }) : undefined;
    this.#stopped = true;
    try {
      await fenced;
    } finally {
      this.#snapshots.stop();
      await this.log.close({ clean: this.failure === undefined });
    }
  }

  async #lead(isNew: boolean): Promise<void> {
    const { files, nodeId, directory, brokerConfigs } = this.#o;
    const state = this.#state;
    this.#appendControl(isNew);
    if (state.inTransaction)
      this.#appendNow([{ kind: 'AbortTransactionRecord', value: { reason: 'the leader has changed' }, version: 0 }]);
    if (state.ahead.features.size === 0) {
      const minInsyncReplicas = brokerConfigs.int('min.insync.replicas');
      this.#appendNow(bootstrapRecords(files, directory.path, this.log.directory, minInsyncReplicas));
      checkFeatures(state.ahead, directory.path);
    }
    this.#register();
    const { leaderEpoch } = this;
    const quorumState = { leaderId: nodeId, leaderEpoch, kraftVersion: state.kraftVersion };
    // Side by side: the log knows the epoch as well, and who starts takes the higher one.
    await Promise.all([writeQuorumState(files, this.log.directory, quorumState), this.log.flush()]);
    this.log.setHighWatermark(this.log.logEndOffset);
  }

  #register(): void {
    const registered = step('registerBroker', this.#registration(randomUuid(this.#o.random)), this.#surroundings());
    this.#appendNow(registered.records);
    this.#brokerEpoch = registered.reply.brokerEpoch;
  }

  #registration(incarnationId: string): BrokerRegistration {
    const { nodeId, endpoints, rack, logDirIds, previousBrokerEpoch } = this.#o;
    const logDirs = [...logDirIds()].sort();
    return { brokerId: nodeId, incarnationId, endpoints, features: SUPPORTED_FEATURES, rack, logDirs, previousBrokerEpoch };
  }

  /** Once metadata.version is so high that directories are registered, they are told in a registration that is else the same. */
  #amendRegistration(): void {
    const { ahead } = this.#state;
    const own = ahead.brokers.get(this.#o.nodeId);
    if (own === undefined || own.logDirs.length > 0 || !hasDirectories(ahead)) return;
    const registration = this.#registration(own.incarnationId);
    // Who waits for it, waits for the metadata log as well, which tells everybody when it fails.
    this.#perform(step('registerBroker', registration, this.#surroundings())).catch(() => undefined);
  }

  /** The first batch of an epoch: who leads; in a new log also what kind of quorum it is, and who votes. */
  #appendControl(isNew: boolean): void {
    const isFirst = isNew || (this.#state.kraftVersion > 0 && this.log.logEndOffset === 0);
    this.#appendControlRecords([leaderChange(this.#o.nodeId), ...(isFirst ? this.#dynamicQuorum(1) : [])]);
  }

  #dynamicQuorum(kraftVersion: number): readonly ControlRecordDraft[] {
    return dynamicQuorum(kraftVersion, this.voters());
  }

  #appendControlRecords(records: readonly ControlRecordDraft[]): void {
    const place = { baseOffset: this.log.logEndOffset, leaderEpoch: this.leaderEpoch, nowMs: this.#o.clock.now() };
    const batch = controlBatch(records, place);
    const lastOffset = this.#appendBatch(batch);
    this.#state.ahead.offset = lastOffset;
    this.#state.ahead.epoch = this.leaderEpoch;
    for (const { record } of batchesOf(batch).flatMap(controlEntries)) this.#state.control(record);
  }

  /** Before anybody looks: applied at once, synced with everything else at the end of opening. */
  #appendNow(drafts: readonly MetadataRecordDraft[]): void {
    if (drafts.length === 0) return;
    const records = this.#append(drafts);
    this.#state.commit(records, new MetadataChanges(), this.#end(this.#o.clock.now()));
  }

  #end(timestampMs: number): { readonly lastOffset: number; readonly epoch: number; readonly timestampMs: number } {
    return { lastOffset: this.log.logEndOffset - 1, epoch: this.leaderEpoch, timestampMs };
  }

  #append(drafts: readonly MetadataRecordDraft[]): readonly MetadataRecord[] {
    const appended: MetadataRecord[] = [];
    const nowMs = this.#o.clock.now();
    for (const some of inBatches(drafts, hasTransactions(this.#state.ahead))) {
      const { bytes, records } = metadataBatch(some, { baseOffset: this.log.logEndOffset, leaderEpoch: this.leaderEpoch, nowMs });
      const lastOffset = this.#appendBatch(bytes);
      this.#state.append(records, lastOffset, this.leaderEpoch);
      for (const record of records) appended.push(record);
    }
    return appended;
  }

  #appendBatch(bytes: Buffer): number {
    const appended = this.log.append(bytes, { leaderEpoch: this.leaderEpoch, origin: 'raft' });
    if (!appended.ok && this.log.failure !== undefined) throw this.log.failure;
    if (!appended.ok) throw new Error(`the metadata log refused its own batch: error ${appended.error}, ${appended.message}`);
    this.#snapshots.noteAppended(bytes.length);
    return appended.lastOffset;
  }

  /** A decision without records may rest on what is not committed yet: its reply waits for all that came before. */
  async #perform<Reply>({ records, reply, kraftVersion }: Decision<Reply>): Promise<Reply> {
    const isAppended = records.length > 0 || kraftVersion !== undefined;
    if (!isAppended && this.#pending.length === 0 && !this.#committing) return reply;
    if (kraftVersion !== undefined) this.#appendControlRecords(this.#dynamicQuorum(kraftVersion));
    const applied = records.length === 0 ? [] : this.#append(records);
    const lastOffset = this.log.logEndOffset - 1;
    await new Promise<void>((resolve, reject) => {
      const settle = (failure?: Error): void => (failure === undefined ? resolve() : reject(failure));
      this.#pending.push({ records: applied, isAppended, lastOffset, timestampMs: this.#o.clock.now(), settle });
      this.#wake();
    });
    return reply;
  }

  #wake(): void {
    if (this.#committing) return;
    this.#committing = true;
    this.#o.clock.endOfTurn(() => void this.#commitAll());
  }

  /** One sync for all that has come up to now; what comes during it waits for the next. */
  async #commitAll(): Promise<void> {
    do {
      const group = this.#pending;
      this.#pending = [];
      try {
        await this.#commit(group);
        for (const { settle } of group) settle();
        // Between two commits, so that it holds what was committed up to one offset.
        if (this.#snapshots.isDue && !this.#stopped) await this.#snapshots.take();
      } catch (error) {
        const failure = this.#fail(error);
        for (const { settle } of [...group, ...this.#pending]) settle(failure);
        this.#pending = [];
      }
    } while (this.#pending.length > 0);
    this.#committing = false;
  }

  #fail(error: unknown): Error {
    const failure = error instanceof Error ? error : new Error(String(error));
    this.#failure = failure;
    if (failure instanceof StorageFailure) this.log.fail(failure);
    return failure;
  }

  async #commit(group: readonly Pending[]): Promise<void> {
    const last = group.at(-1);
    if (last === undefined || !group.some(({ isAppended }) => isAppended)) return;
    await this.log.flush();
    this.log.setHighWatermark(last.lastOffset + 1);
    const changes = new MetadataChanges();
    for (const { records, lastOffset, timestampMs } of group) {
      this.#state.commit(records, changes, { lastOffset, epoch: this.leaderEpoch, timestampMs });
    }
    if (changes.list.length === 0) return;
    for (const listener of this.#listeners) await listener(changes.list);
    if (changes.list.some(({ kind }) => kind === 'featureChanged')) this.#amendRegistration();
  }

  #surroundings(): Surroundings {
    return {
      image: this.#state.ahead,
      brokerConfigs: this.#o.brokerConfigs,
      nodeId: this.#o.nodeId,
      kraftVersion: this.#state.kraftVersion,
      nowMs: this.#o.clock.now(),
      nextOffset: this.log.logEndOffset,
      uuid: () => randomUuid(this.#o.random),
      below: (bound) => this.#o.random.below(bound),
    };
  }
}

/**
 * Puts a broker together out of its rooms and takes it apart again.
 *
 * Order of a start: settings checked, ports bound, files opened, metadata replayed, logs recovered, coordinator, topics, and only then are requests
 * answered. A stop goes the other way; the note of a clean shutdown is the last thing written. What fails on the way takes back what was done before.
 */
import type { Services } from '../api/context.ts';
import { advertisedApis, HANDLERS } from '../api/table.ts';
import { GroupCoordinator } from '../host/group-coordinator.ts';
import { MetadataLog } from '../host/metadata-log.ts';
import { ReplicaAssignments } from '../host/replica-assignments.ts';
import { TransactionCoordinator } from '../host/transaction-coordinator.ts';
import { TransactionMarkers } from '../host/transaction-markers.ts';
import type { TransactionStepName } from '../host/transaction-steps.ts';
import { TransactionVerifier } from '../host/transaction-verifier.ts';
import { logConfigOf } from '../host/topic-log-config.ts';
import type { LogDirectory } from '../log/log-directory.ts';
import { configLayers } from '../machine/metadata/config-sources.ts';
import { reliableFeatures, SUPPORTED_FEATURES } from '../machine/metadata/features.ts';
import { brokerConfigInForce } from '../machine/metadata/reconfiguration.ts';
import { ConfigResourceType } from '../wire/config-resource.ts';
import { FetchSessions } from '../partition/fetch-sessions.ts';
import { Partitions } from '../partition/partitions.ts';
import type { StorageFailure } from '../world/files.ts';
import { ERROR_NAMES } from '../wire/generated/errors.ts';
import type { World } from '../world/world.ts';
import { checkCompaction, startCompaction } from './compaction.ts';
import { applyCordons, checkCordons, concernsCordons } from './cordons.ts';
import { type DataDirectories, openDirectories } from './data-directories.ts';
import { dispatchTo } from './dispatch.ts';
import { endpointLookup, registeredEndpoints } from './endpoints.ts';
import type { TopicToCreate } from './environment.ts';
import { type ListenerAddress, type ListenerConfigs, listenerConfigs } from './listener-config.ts';
import { Listeners } from './listeners.ts';
import type { Logger } from './logger.ts';
import { producerIdsFrom } from './producer-ids.ts';
import { requireStandalone } from './roles.ts';
import type { Settings } from './settings.ts';
import { createTopics, internalTopics } from './topics.ts';
import { OFFSETS_TOPIC, TRANSACTION_TOPIC } from '../wire/topic-name.ts';

export interface CompositionOptions {
  readonly world: World;
  readonly settings: Settings;
  readonly log: Logger;
  readonly topics: readonly TopicToCreate[];
  /** For data directories that have no cluster id yet. */
  readonly clusterId: string | undefined;
  /** The broker cannot go on: its metadata, or all its data, is out of reach. */
  onFatal(reason: Error): void;
  /** For tests that stop a broker in the middle of things. */
  readonly onTransactionStep?: ((step: TransactionStepName) => void) | undefined;
}

export interface RunningBroker {
  readonly listeners: readonly ListenerAddress[];
  readonly services: Services;
  stop(): Promise<void>;
}

type Undo = () => Promise<void> | void;

export async function compose(options: CompositionOptions): Promise<RunningBroker> {
  const { settings, world, log } = options;
  requireStandalone(settings);
  checkCompaction(settings);
  checkCordons(settings);
  const configs = listenerConfigs(settings);
  const undo: Undo[] = [];
  try {
    const listeners = new Listeners({ network: world.network, clock: world.clock, settings, log });
    undo.push(() => listeners.stop());
    const bound: ListenerAddress[] = [];
    for (const address of configs.client) bound.push(await listeners.bind(address));
    const services = await openServices(options, configs, bound, undo);
    listeners.serve(dispatchTo(HANDLERS, services));
    return { listeners: bound, services, stop: () => takeBack(undo.reverse()) };
  } catch (error) {
    await takeBack(undo.reverse());
    throw error;
  }
}

/** Listeners first, whatever was opened last: nobody is served by half a broker. A step that fails keeps no other from being done. */
async function takeBack(undo: readonly Undo[]): Promise<void> {
  const failures: unknown[] = [];
  for (const step of [undo.at(-1), ...undo.slice(0, -1)]) {
    try {
      await step?.();
    } catch (error) {
      failures.push(error);
    }
  }
  if (failures.length > 0) throw failures[0];
}

async function openServices(
  options: CompositionOptions,
  configs: ListenerConfigs,
  bound: readonly ListenerAddress[],
  undo: Undo[],
): Promise<Services> {
  const { world, settings, log, topics } = options;
  const { clock, random } = world;
  const nodeId = settings.int('node.id');
  const rack = settings.optional('broker.rack');
  const failed: StorageFailure[] = [];
  let onDirectoryFailure = (_path: string, failure: StorageFailure): void => void failed.push(failure);

  const directories = await openDirectories(world, settings, options.clusterId, (path, failure) =>
    onDirectoryFailure(path, failure),
  );
  const stopDirectories = { brokerEpoch: -1, clean: false };
  undo.push(async () => {
    await stopAll([...new Set([...directories.all, directories.metadata])], stopDirectories);
  });
  for (const path of directories.formatted)
    log.warn(`the data directory ${path} was empty and is formatted: no partition is in it yet`);
  for (const { path, failure } of directories.all)
    if (failure !== undefined) log.error(`data directory ${path} is offline: ${failure.message}`);

  const controller = await openMetadata(options, configs, bound, directories);
  stopDirectories.brokerEpoch = controller.brokerEpoch;
  undo.push(async () => {
    await controller.stop();
    stopDirectories.clean = true;
  });

  const { image } = controller;
  const assignments = new ReplicaAssignments(clock, controller);
  const partitions = new Partitions({
    nodeId,
    clock,
    directories: directories.all,
    logConfigOf: (topic) => logConfigOf(image, nodeId, settings, topic),
    assign: (assignment) => assignments.assign(assignment),
    movesAtOnce: Number(settings.optional('num.replica.alter.log.dirs.threads') ?? directories.all.length),
    maxMoveBytesPerSecond: () => moveRate(controller, nodeId),
  });
  undo.push(() => partitions.stop());
  const affected = { directories, partitions, controller, assignments };
  onDirectoryFailure = (path, failure) => directoryFailed(options, affected, path, failure);
  for (const failure of failed) onDirectoryFailure(directories.metadata.path, failure);
  await partitions.start(image);
  const { failure } = directories.metadata;
  if (failure !== undefined) throw failure;
  configureDirectories(controller, settings, directories);
  controller.onChange((changes) => {
    const concerns = changes.some(({ kind }) => kind === 'configsChanged');
    if (concerns) configureDirectories(controller, settings, directories);
    return partitions.apply(changes);
  });
  await applyCordons(controller, settings, directories.all);
  controller.onChange((changes) => {
    if (!changes.some(concernsCordons)) return;
    applyCordons(controller, settings, directories.all).catch((error: unknown) =>
      log.error('which data directories are cordoned cannot be recorded', { error }),
    );
  });
  // As of Apache Kafka's brokers: where the replicas are is told before the broker may lead any of them.
  await assignments.settled();
  await controller.submit('unfenceBroker', { brokerId: nodeId });

  const groups = new GroupCoordinator({
    clock,
    random,
    settings,
    image,
    createInternalTopic: internalTopics(controller, log),
    onLoadFailure: (partition, error) =>
      log.error(`the groups of ${partition.topic}-${partition.index} cannot be read`, { error }),
  });
  undo.push(() => groups.stop());
  partitions.onLeadership(OFFSETS_TOPIC, groups.topic);
  controller.onChange((changes) => {
    const deleted = changes.flatMap((change) => (change.kind === 'topicDeleted' ? [change.topic] : []));
    if (deleted.length > 0) groups.onTopicsDeleted(deleted);
  });
  const { brokerEpoch } = controller;
  const nextProducerId = producerIdsFrom(() => controller.submit('allocateProducerIds', { brokerId: nodeId, brokerEpoch }));
  const transactionMarkers = new TransactionMarkers({
    clock,
    image,
    partitions,
    completeOffsets: (index, end) => groups.completeTransaction(index, end),
  });
  const transactions = new TransactionCoordinator({
    clock,
    settings,
    image,
    markers: transactionMarkers,
    nextProducerId,
    createInternalTopic: internalTopics(controller, log),
    onLoadFailure: (partition, error) =>
      log.error(`the transactions of ${partition.topic}-${partition.index} cannot be read`, { error }),
    onFenced: (transactionalId, topic, index, error) =>
      log.error(`${topic}-${index} refuses the end of the transaction of ${transactionalId}: ${ERROR_NAMES.get(error) ?? error}`),
    onStep: options.onTransactionStep,
  });
  undo.push(() => transactions.stop());
  partitions.onLeadership(TRANSACTION_TOPIC, transactions.topic);
  await createTopics(controller, topics);
  const inForce = (name: string): string => brokerConfigInForce(configLayers(image, nodeId, settings), name);
  const compaction = startCompaction({ world, settings, directories: directories.all, log, inForce });
  undo.push(() => compaction.stop());
  controller.onChange(() => compaction.reconfigure());

  const advertised = advertisedApis(HANDLERS);
  return {
    clock,
    random,
    settings,
    clusterId: directories.clusterId,
    nodeId,
    image,
    controller,
    supportedFeatures: SUPPORTED_FEATURES,
    finalizedFeatures: () => reliableFeatures(image, controller.kraftVersion),
    partitions,
    logDirectories: directories.all,
    fetchSessions: new FetchSessions({ clock, random, slots: settings.int('max.incremental.fetch.session.cache.slots') }),
    groups,
    transactions,
    transactionVerifier: new TransactionVerifier({ clock, settings, coordinator: transactions }),
    transactionMarkers,
    nextProducerId,
    endpointOf: endpointLookup({ nodeId, rack, image, advertised: configs.advertised }),
    advertisedApis: () => advertised,
  };
}

function openMetadata(
  { world, settings }: CompositionOptions,
  configs: ListenerConfigs,
  bound: readonly ListenerAddress[],
  directories: DataDirectories,
): Promise<MetadataLog> {
  const { files, clock, random } = world;
  const named = configs.controller[0];
  const controllerName = named?.name ?? settings.list('controller.listener.names')[0] ?? 'CONTROLLER';
  const clientPort = bound[0]?.port ?? 0;
  return MetadataLog.open({
    files,
    clock,
    random,
    directory: directories.metadata,
    logDirIds: () => directories.all.filter(({ failure }) => failure === undefined).map(({ directoryId }) => directoryId),
    nodeId: settings.int('node.id'),
    previousBrokerEpoch: directories.previousBrokerEpoch,
    controllerEndpoint: {
      name: controllerName,
      host: named?.host || 'localhost',
      port: named?.port || Math.min(clientPort + 1, 65535),
    },
    endpoints: registeredEndpoints(bound, configs.advertised),
    rack: settings.optional('broker.rack'),
    brokerConfigs: settings,
    snapshotRules: {
      maxBytesBetween: settings.long('metadata.log.max.record.bytes.between.snapshots'),
      maxIntervalMs: settings.long('metadata.log.max.snapshot.interval.ms'),
      retentionBytes: settings.long('metadata.max.retention.bytes'),
      retentionMs: settings.long('metadata.max.retention.ms'),
    },
    segments: {
      segmentBytes: Number(
        settings.optional('internal.metadata.log.segment.bytes') ?? settings.int('metadata.log.segment.bytes'),
      ),
      segmentMs: settings.long('metadata.log.segment.ms'),
    },
  });
}

/** A disk that fails at the end keeps no other directory from its clean stop. */
async function stopAll(directories: readonly LogDirectory[], o: Parameters<LogDirectory['stop']>[0]): Promise<void> {
  const failures: unknown[] = [];
  for (const directory of directories) await directory.stop(o).catch((error: unknown) => failures.push(error));
  if (failures.length > 0) throw failures[0];
}

/** replica.alter.log.dirs.io.max.bytes.per.second, which can only be set while the broker runs. */
function moveRate(controller: MetadataLog, nodeId: number): number {
  const name = 'replica.alter.log.dirs.io.max.bytes.per.second';
  const { image } = controller;
  const value =
    image.configsOf(ConfigResourceType.BROKER, String(nodeId)).get(name) ??
    image.configsOf(ConfigResourceType.BROKER, '').get(name);
  return Math.min(Number(value ?? Number.MAX_SAFE_INTEGER), Number.MAX_SAFE_INTEGER);
}

/** Broker configs that count for whole directories and may be set for all brokers at run time. */
function configureDirectories({ image }: MetadataLog, settings: Settings, { all }: DataDirectories): void {
  const set = image.configsOf(ConfigResourceType.BROKER, '');
  const value = (name: string): number => Number(set.get(name) ?? settings.long(name));
  const live = {
    producerIdExpirationMs: value('producer.id.expiration.ms'),
    directoryDeleteDelayMs: value('log.segment.delete.delay.ms'),
  };
  for (const directory of all) directory.configure(live);
}

interface Affected {
  readonly directories: DataDirectories;
  readonly partitions: Partitions;
  readonly controller: MetadataLog;
  readonly assignments: ReplicaAssignments;
}

/** What was in the directory is led by nobody; without its metadata, or with nothing left to serve, the broker ends. */
function directoryFailed(
  { log, onFatal }: CompositionOptions,
  { directories, partitions, controller, assignments }: Affected,
  path: string,
  failure: StorageFailure,
): void {
  log.error(`data directory ${path} is offline: ${failure.message}`);
  const directory: LogDirectory | undefined = directories.all.find((one) => one.path === path);
  if (directory !== undefined) partitions.directoryFailed(directory);
  const allFailed = directories.all.every((one) => one === directory || one.failure !== undefined);
  if (allFailed || path === directories.metadata.path) return onFatal(failure);
  const directoryIds = directory === undefined ? [] : [directory.directoryId];
  // After what is to be said of partitions that are not, or not any more, to go there.
  const told = assignments
    .settled()
    .then(() => controller.submit('directoriesOffline', { brokerId: controller.nodeId, directoryIds }));
  told.catch((error: unknown) => log.error(`that the data directory ${path} is offline cannot be recorded`, { error }));
}

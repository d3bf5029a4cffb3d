/**
 * What a broker keeps on its disks, opened in its order: directories, the metadata log, partitions; and what it means when a disk fails.
 *
 * Invariants: where replicas are is recorded before any of them is led; directories are told of a clean stop only when the metadata log has ended well.
 */
import { brokerConfigInForce } from '../machine/metadata/broker-values.ts';
import { configLayers } from '../machine/metadata/config-sources.ts';
import { MetadataLog } from '../host/metadata-log.ts';
import { ReplicaAssignments } from '../host/replica-assignments.ts';
import { logConfigOf } from '../host/topic-log-config.ts';
import type { LogDirectory } from '../log/log-directory.ts';
import { Partitions } from '../partition/partitions.ts';
import { ConfigResourceType } from '../wire/config-resource.ts';
import type { StorageFailure } from '../world/files.ts';
import type { World } from '../world/world.ts';
import { applyCordons, concernsCordons } from './cordons.ts';
import { type DataDirectories, openDirectories } from './data-directories.ts';
import { registeredEndpoints } from './endpoints.ts';
import type { ListenerAddress, ListenerConfigs } from './listener-config.ts';
import type { Logger } from './logger.ts';
import type { Settings } from './settings.ts';
import type { Undo } from './undo.ts';

export interface StorageOptions {
  readonly world: World;
  readonly settings: Settings;
  readonly log: Logger;
  /** For data directories that have no cluster id yet. */
  readonly clusterId: string | undefined;
  /** The broker cannot go on: its metadata, or all its data, is out of reach. */
  onFatal(reason: Error): void;
}

export interface Storage {
  readonly directories: DataDirectories;
  readonly controller: MetadataLog;
  readonly partitions: Partitions;
}

/** Rejects with StorageFailure, or with an Error that says in one sentence what is wrong. What is to be done at the end is in `undo`, also then. */
export async function openStorage(
  options: StorageOptions,
  configs: ListenerConfigs,
  bound: readonly ListenerAddress[],
  undo: Undo[],
): Promise<Storage> {
  const early: [path: string, failure: StorageFailure][] = [];
  let onFailure = (path: string, failure: StorageFailure): void => void early.push([path, failure]);
  const { world, settings, clusterId } = options;
  const directories = await openDirectories(world, settings, clusterId, (path, failure) => onFailure(path, failure));
  const ending = { brokerEpoch: -1, clean: false };
  undo.push(() => stopAll([...new Set([...directories.all, directories.metadata])], ending));
  tellOf(directories, options.log);

  const controller = await openMetadata(options, configs, bound, directories);
  ending.brokerEpoch = controller.brokerEpoch;
  undo.push(async () => {
    await controller.stop();
    ending.clean = true;
  });

  const assignments = new ReplicaAssignments(world.clock, controller);
  const partitions = partitionsOf(options, directories, controller, assignments);
  undo.push(() => partitions.stop());
  const affected = { directories, partitions, controller, assignments };
  onFailure = (path, failure) => directoryFailed(options, affected, path, failure);
  for (const [path, failure] of early) onFailure(path, failure);
  await partitions.start(controller.image);
  const { failure } = directories.metadata;
  if (failure !== undefined) throw failure;
  await followMetadata(options, affected);
  // As of Apache Kafka's brokers: where the replicas are is told before the broker may lead any of them.
  await assignments.settled();
  await controller.submit('unfenceBroker', { brokerId: controller.nodeId });
  return { directories, controller, partitions };
}

function tellOf({ all, formatted }: DataDirectories, log: Logger): void {
  for (const path of formatted) log.warn(`the data directory ${path} was empty and is formatted: no partition is in it yet`);
  for (const { path, failure } of all)
    if (failure !== undefined) log.error(`data directory ${path} is offline: ${failure.message}`);
}

function partitionsOf(
  { world, settings }: StorageOptions,
  { all }: DataDirectories,
  controller: MetadataLog,
  assignments: ReplicaAssignments,
): Partitions {
  const { image, nodeId } = controller;
  return new Partitions({
    nodeId,
    clock: world.clock,
    directories: all,
    logConfigOf: (topic) => logConfigOf(image, nodeId, settings, topic),
    assign: (assignment) => assignments.assign(assignment),
    movesAtOnce: Number(settings.optional('num.replica.alter.log.dirs.threads') ?? all.length),
    maxMoveBytesPerSecond: () => moveRate(controller, nodeId),
  });
}

/** From now on; resolves when what stands in the metadata log already is obeyed. */
async function followMetadata(
  { settings, log }: StorageOptions,
  { controller, partitions, directories }: Affected,
): Promise<void> {
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
}

function openMetadata(
  { world, settings }: StorageOptions,
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

/** Broker configs that count for whole directories and may be set at run time. */
function configureDirectories({ image, nodeId }: MetadataLog, settings: Settings, { all }: DataDirectories): void {
  const layers = configLayers(image, nodeId, settings);
  const value = (name: string): number => Math.min(Number(brokerConfigInForce(layers, name)), Number.MAX_SAFE_INTEGER);
  const live = {
    producerIdExpirationMs: value('producer.id.expiration.ms'),
    directoryDeleteDelayMs: value('log.segment.delete.delay.ms'),
    verifiesTransactions: brokerConfigInForce(layers, 'transaction.partition.verification.enable') === 'true',
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
  { log, onFatal }: StorageOptions,
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

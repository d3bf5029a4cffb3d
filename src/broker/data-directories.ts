/**
 * Opens the data directories that the settings name, as one cluster's and one node's.
 *
 * A directory that cannot be read or locked by the disk's fault is offline, and the others serve; not so the one of the metadata log. One that has no
 * meta.properties yet is formatted. Source: KafkaRaftServer.initializeLogDirs, MetaPropertiesEnsemble and LogManager of Apache Kafka.
 */
import { isAbsolute, join } from 'node:path';
import type { SettingsView } from '../api/context.ts';
import { LogDirectory } from '../log/log-directory.ts';
import type { LogDirectoryOptions } from '../log/log-directory-options.ts';
import type { MetaProperties } from '../log/meta-properties.ts';
import { METADATA_DIRECTORY } from '../log/metadata-topic.ts';
import { TailMemory } from '../log/tail-memory.ts';
import { DIRECTORY_LOST } from '../wire/directory-id.ts';
import { randomUuid } from '../wire/uuid.ts';
import { StorageFailure } from '../world/files.ts';
import type { World } from '../world/world.ts';
import { SettingsError } from './settings-error.ts';

export interface DataDirectories {
  /** Those of `log.dirs`, also the ones that are offline. */
  readonly all: readonly LogDirectory[];
  /** Holds `__cluster_metadata-0`; not always one of `log.dirs`. */
  readonly metadata: LogDirectory;
  readonly clusterId: string;
  /** Paths of directories that had nothing in them while others had. */
  readonly formatted: readonly string[];
  /** Of the last clean stop; -1 where one of `log.dirs` does not tell the same as all others. */
  readonly previousBrokerEpoch: number;
}

/** A directory before it is opened. */
interface Surveyed {
  readonly path: string;
  readonly realPath: string;
  readonly meta: MetaProperties | undefined;
  readonly holdsMetadataLog: boolean;
  readonly failure: StorageFailure | undefined;
}

/** `log.dirs`, or `log.dir` where that is not set; `metadata.log.dir` is another one unless it is among them. All absolute. */
function directoryPaths(settings: SettingsView): { readonly all: readonly string[]; readonly metadata: string } {
  const dirs = settings.list('log.dirs');
  const paths = (dirs.length > 0 ? dirs : settings.list('log.dir')).map(absolute);
  if (paths.length === 0 || paths.includes('')) throw new SettingsError('log.dirs is empty; name at least one directory');
  const metadata = settings.optional('metadata.log.dir');
  return { all: paths, metadata: metadata === null ? (paths[0] as string) : absolute(metadata) };
}

/** As Java makes a path absolute: repeated slashes and the one at the end go, dots stay. */
function absolute(path: string): string {
  if (path === '') return path;
  const whole = isAbsolute(path) ? path : join(process.cwd(), path);
  return whole.replaceAll(/\/{2,}/g, '/').replace(/(.)\/$/, '$1');
}

/** `clusterId` is for directories that have none yet; drawn when undefined. */
export async function openDirectories(
  world: World,
  settings: SettingsView,
  clusterId: string | undefined,
  onFailure: (path: string, failure: StorageFailure) => void,
): Promise<DataDirectories> {
  const { all: paths, metadata } = directoryPaths(settings);
  const nodeId = settings.int('node.id');
  const surveyed = [...new Set([...paths, metadata])].map((path) => survey(world, path, path === metadata));
  refuseDuplicates(paths, surveyed);
  refuseStrangers(surveyed, nodeId, metadata);
  const found = surveyed.find(({ meta }) => meta !== undefined)?.meta;
  const cluster = found?.clusterId ?? clusterId ?? randomUuid(world.random);
  const tailMemory = new TailMemory();
  const opened = new Map<string, LogDirectory>();
  try {
    for (const one of surveyed) {
      const identity = one.meta ?? { clusterId: cluster, nodeId, directoryId: randomUuid(world.random) };
      const options = { ...optionsFor(world, settings, one.path, identity, onFailure), tailMemory };
      opened.set(one.path, await openOne(options, one, one.path === metadata));
    }
    refuseIfNoneCanBeUsed(paths, opened);
  } catch (error) {
    for (const directory of opened.values()) await directory.stop({ clean: false, brokerEpoch: -1 });
    throw error;
  }
  const get = (path: string): LogDirectory => {
    const directory = opened.get(path);
    if (directory === undefined) throw new Error(`${path} was not opened`);
    return directory;
  };
  const all = paths.map(get);
  const formatted =
    found === undefined ? [] : surveyed.filter(({ meta, failure }) => meta === undefined && failure === undefined);
  return {
    all,
    metadata: get(metadata),
    clusterId: cluster,
    formatted: formatted.map(({ path }) => path),
    previousBrokerEpoch: commonEpoch(all),
  };
}

function survey({ files }: World, path: string, isMetadata: boolean): Surveyed {
  try {
    files.makeDirectory(path);
    return {
      path,
      realPath: files.realPath(path),
      meta: LogDirectory.readMetaProperties(files, path),
      holdsMetadataLog: files.stat(`${path}/${METADATA_DIRECTORY}`) !== undefined,
      failure: undefined,
    };
  } catch (error) {
    if (isMetadata || !(error instanceof Error)) throw error;
    const failure = error instanceof StorageFailure ? error : new StorageFailure('use', path, error.message);
    return { path, realPath: path, meta: undefined, holdsMetadataLog: false, failure };
  }
}

function refuseDuplicates(paths: readonly string[], surveyed: readonly Surveyed[]): void {
  const places = paths.map((path) => surveyed.find((one) => one.path === path)?.realPath);
  if (new Set(places).size < paths.length)
    throw new SettingsError(`Duplicate log directory found: ${paths.join(', ')}; name each directory once in log.dirs`);
}

/** Directories of other nodes and clusters, and those of which another one is a copy. */
function refuseStrangers(surveyed: readonly Surveyed[], nodeId: number, metadata: string): void {
  const seen: Surveyed[] = [];
  for (const one of surveyed) {
    const { path, meta } = one;
    if (path !== metadata && one.holdsMetadataLog) {
      throw new SettingsError(`${path} holds a metadata log, but metadata.log.dir is ${metadata}; set it to the other`);
    }
    if (meta === undefined) continue;
    if (meta.nodeId !== nodeId) {
      throw new SettingsError(
        `${path} holds the data of node.id=${meta.nodeId}, not of node.id=${nodeId}; set node.id or name another directory`,
      );
    }
    const [first] = seen;
    if (first?.meta !== undefined && first.meta.clusterId !== meta.clusterId) {
      throw new SettingsError(
        `log.dirs hold data of two clusters: ${first.path} of ${first.meta.clusterId} and ${path} of ${meta.clusterId}; name directories of one`,
      );
    }
    const same = seen.find((other) => other.meta?.directoryId === meta.directoryId);
    if (same !== undefined) {
      throw new SettingsError(
        `Duplicate directory ID ${meta.directoryId}: ${same.path} and ${path} have the same; one is a copy and has to go`,
      );
    }
    seen.push(one);
  }
}

async function openOne(options: LogDirectoryOptions, { failure }: Surveyed, isMetadata: boolean): Promise<LogDirectory> {
  const unknown = { ...options, identity: { ...options.identity, directoryId: DIRECTORY_LOST } };
  if (failure !== undefined) return LogDirectory.offline(unknown, failure);
  try {
    return await LogDirectory.open(options);
  } catch (error) {
    if (isMetadata || !(error instanceof StorageFailure)) throw error;
    return LogDirectory.offline(unknown, error);
  }
}

function refuseIfNoneCanBeUsed(paths: readonly string[], opened: ReadonlyMap<string, LogDirectory>): void {
  const failures = paths.map((path) => opened.get(path)?.failure);
  if (failures.includes(undefined)) return;
  throw new SettingsError(
    `none of log.dirs can be used; put one of them right or name another: ${failures.map((failure) => failure?.message).join('; ')}`,
  );
}

function commonEpoch(all: readonly LogDirectory[]): number {
  const epochs = new Set(all.map((directory) => (directory.failure === undefined ? directory.previousBrokerEpoch : -1)));
  const [epoch] = epochs;
  return epochs.size === 1 && epoch !== undefined ? epoch : -1;
}

function optionsFor(
  { files, clock, random }: World,
  settings: SettingsView,
  path: string,
  identity: MetaProperties,
  onFailure: (path: string, failure: StorageFailure) => void,
) {
  return {
    files,
    clock,
    random,
    path,
    identity,
    flushSchedulerIntervalMs: settings.long('log.flush.scheduler.interval.ms'),
    flushOffsetCheckpointIntervalMs: settings.int('log.flush.offset.checkpoint.interval.ms'),
    flushStartOffsetCheckpointIntervalMs: settings.int('log.flush.start.offset.checkpoint.interval.ms'),
    highWatermarkCheckpointIntervalMs: settings.long('replica.high.watermark.checkpoint.interval.ms'),
    retentionCheckIntervalMs: settings.long('log.retention.check.interval.ms'),
    live: {
      producerIdExpirationMs: settings.int('producer.id.expiration.ms'),
      directoryDeleteDelayMs: settings.long('log.segment.delete.delay.ms'),
      verifiesTransactions: settings.boolean('transaction.partition.verification.enable'),
    },
    producerIdExpirationCheckIntervalMs: settings.int('producer.id.expiration.check.interval.ms'),
    onFailure: (failure: StorageFailure) => onFailure(path, failure),
  };
}

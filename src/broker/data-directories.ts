/** Opens the data directories that the settings name, as one cluster's and one node's. */
import type { SettingsView } from '../api/context.ts';
import { LogDirectory } from '../log/log-directory.ts';
import type { MetaProperties } from '../log/meta-properties.ts';
import { TailMemory } from '../log/tail-memory.ts';
import type { StorageFailure } from '../world/files.ts';
import type { World } from '../world/world.ts';
import { randomUuid } from './random-uuid.ts';
import { SettingsError } from './settings-error.ts';

export interface DataDirectories {
  readonly all: readonly LogDirectory[];
  /** Holds `__cluster_metadata-0`. */
  readonly metadata: LogDirectory;
  readonly clusterId: string;
}

/** `log.dirs`, or `log.dir` where that is not set; `metadata.log.dir` is another one unless it is among them. */
export function directoryPaths(settings: SettingsView): { readonly all: readonly string[]; readonly metadata: string } {
  const dirs = settings.list('log.dirs');
  const paths = dirs.length > 0 ? dirs : settings.list('log.dir');
  if (paths.length === 0 || paths.includes('')) throw new SettingsError('log.dirs is empty; name at least one directory');
  const metadata = settings.optional('metadata.log.dir') ?? (paths[0] as string);
  return { all: paths.includes(metadata) ? paths : [...paths, metadata], metadata };
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
  const found = existingIdentity(world, paths, nodeId);
  const cluster = found?.clusterId ?? clusterId ?? randomUuid(world.random);
  const opened: LogDirectory[] = [];
  const tailMemory = new TailMemory();
  for (const path of paths) {
    const identity = { clusterId: cluster, nodeId, directoryId: randomUuid(world.random) };
    opened.push(await LogDirectory.open({ ...optionsFor(world, settings, path, identity, onFailure), tailMemory }));
  }
  const home = opened[paths.indexOf(metadata)];
  if (home === undefined) throw new Error(`${metadata} is not among ${paths.join(', ')}`);
  return { all: opened, metadata: home, clusterId: cluster };
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
    producerIdExpirationMs: settings.int('producer.id.expiration.ms'),
    verifiesTransactions: settings.boolean('transaction.partition.verification.enable'),
    onFailure: (failure: StorageFailure) => onFailure(path, failure),
  };
}

function existingIdentity({ files }: World, paths: readonly string[], nodeId: number): MetaProperties | undefined {
  let first: MetaProperties | undefined;
  for (const path of paths) {
    files.makeDirectory(path);
    const found = LogDirectory.readMetaProperties(files, path);
    if (found === undefined) continue;
    if (found.nodeId !== nodeId) {
      throw new SettingsError(
        `${path} holds the data of node.id=${found.nodeId}, not of node.id=${nodeId}; set node.id or name another directory`,
      );
    }
    if (first !== undefined && first.clusterId !== found.clusterId) {
      throw new SettingsError(`log.dirs hold data of two clusters: ${first.clusterId} and, in ${path}, ${found.clusterId}`);
    }
    first ??= found;
  }
  return first;
}

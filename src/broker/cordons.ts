/**
 * Which directories of this broker are cordoned (KIP-1066): they keep what they have and get no new partitions. `cordoned.log.dirs` says so, in the
 * settings or at run time, and the controller is told whenever it changes.
 *
 * Source: LogManager.updateCordonedLogDirs and BrokerLifecycleManager of Apache Kafka.
 */
import type { SettingsView } from '../api/context.ts';
import type { MetadataLog } from '../host/metadata-log.ts';
import type { LogDirectory } from '../log/log-directory.ts';
import { configLayers } from '../machine/metadata/config-sources.ts';
import { CORDONED_LOG_DIRS, cordonedDirectories, cordonProblem } from '../machine/metadata/cordoned-directories.ts';
import type { MetadataChange } from '../machine/metadata/metadata-change.ts';
import { knowsCordons } from '../machine/metadata/record-versions.ts';
import { SettingsError } from './settings-error.ts';

/** What Apache Kafka refuses to start with. Throws SettingsError. */
export function checkCordons(settings: SettingsView): void {
  const none = new Map<string, string>();
  const problem = cordonProblem({ perBroker: none, clusterDefault: none, properties: settings.explicit() });
  if (problem !== null) throw new SettingsError(`${problem}; name directories as log.dirs has them, or * alone for all`);
}

export const concernsCordons = (change: MetadataChange): boolean =>
  change.kind === 'featureChanged' || (change.kind === 'configsChanged' && change.names.includes(CORDONED_LOG_DIRS));

/** Marks the directories, which are those of log.dirs in their order, as things stand. Resolves when the controller has it on record. */
export function applyCordons(
  controller: MetadataLog,
  settings: SettingsView,
  directories: readonly LogDirectory[],
): Promise<null> {
  const { image, nodeId } = controller;
  const isKnown = knowsCordons(image);
  const cordoned = cordonedDirectories(configLayers(image, nodeId, settings));
  for (const [index, directory] of directories.entries()) directory.isCordoned = isKnown && cordoned[index] === true;
  const online = directories.filter(({ isCordoned, failure }) => isCordoned && failure === undefined);
  return controller.submit('cordonDirectories', { brokerId: nodeId, directoryIds: online.map(({ directoryId }) => directoryId) });
}

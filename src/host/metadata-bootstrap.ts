/** What a metadata log begins with: feature levels and cluster-wide configs, from what a directory was formatted with, or of our own. */
import { ConfigResourceType } from '../wire/config-resource.ts';
import { INITIAL_FEATURES } from '../machine/metadata/features.ts';
import { ELR_VERSION, METADATA_VERSION } from '../machine/metadata/record-versions.ts';
import type { MetadataRecordDraft } from '../wire/metadata-record.ts';
import { batchesOf } from '../wire/record-batch.ts';
import type { Files } from '../world/files.ts';
import { metadataEntries } from './metadata-batch.ts';
import { readSnapshot, snapshotsIn } from './metadata-snapshot.ts';

/** Formatting tools before 4.4 left the records in a file of this name. */
export const OLDER_BOOTSTRAP_FILE = 'bootstrap.checkpoint';

/** The records to begin with, metadata.version first. */
export function bootstrapRecords(
  files: Files,
  logDirectory: string,
  metadataDirectory: string,
  minInsyncReplicas: number,
): MetadataRecordDraft[] {
  const formatted = formattedRecords(files, logDirectory, metadataDirectory);
  const records = formatted.length > 0 ? formatted : initialFeatures();
  const isOwnMinIsr = records.some((r) => r.kind === 'ConfigRecord' && r.value.name === 'min.insync.replicas');
  const hasElr = records.some((r) => r.kind === 'FeatureLevelRecord' && r.value.name === ELR_VERSION && r.value.featureLevel > 0);
  if (hasElr && !isOwnMinIsr) records.push(clusterMinInsyncReplicas(minInsyncReplicas));
  return records;
}

function formattedRecords(files: Files, logDirectory: string, metadataDirectory: string): MetadataRecordDraft[] {
  const first = snapshotsIn(files, metadataDirectory).find(({ endOffset }) => endOffset === 0);
  const older = `${logDirectory}/${OLDER_BOOTSTRAP_FILE}`;
  const batches =
    first !== undefined
      ? readSnapshot(files, metadataDirectory, first)
      : files.stat(older) !== undefined
        ? batchesOf(files.readFile(older))
        : [];
  const records = batches.filter((batch) => !batch.isControl).flatMap(metadataEntries);
  return records.map(({ record }) => ({ ...record, version: 0 }));
}

function initialFeatures(): MetadataRecordDraft[] {
  const names = [...INITIAL_FEATURES.keys()].filter((name) => name !== METADATA_VERSION).sort();
  return [METADATA_VERSION, ...names].map((name) => ({
    kind: 'FeatureLevelRecord',
    value: { name, featureLevel: INITIAL_FEATURES.get(name) ?? 0 },
    version: 0,
  }));
}

/** Eligible leaders need one least in-sync count for all brokers (KIP-966). */
function clusterMinInsyncReplicas(count: number): MetadataRecordDraft {
  const value = { resourceType: ConfigResourceType.BROKER, resourceName: '', name: 'min.insync.replicas', value: String(count) };
  return { kind: 'ConfigRecord', value, version: 0 };
}

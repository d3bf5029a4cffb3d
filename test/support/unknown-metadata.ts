/** A data directory whose metadata this release cannot lead: its metadata.version is of the future. */
import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { writeSnapshot } from '../../src/host/metadata-snapshot.ts';
import { formatMetaProperties } from '../../src/log/meta-properties.ts';
import { NodeFiles } from '../../src/world/node-files.ts';

/** As node 1 would have left it, at `path`. */
export async function writeUnknownMetadata(path: string): Promise<void> {
  const directory = join(path, '__cluster_metadata-0');
  mkdirSync(directory, { recursive: true });
  const identity = { clusterId: 'AAAAAAAAAAAAAAAAAAAABQ', nodeId: 1, directoryId: 'BBBBBBBBBBBBBBBBBBBBBQ' };
  writeFileSync(join(path, 'meta.properties'), formatMetaProperties(identity, 0));
  const record = { kind: 'FeatureLevelRecord', value: { name: 'metadata.version', featureLevel: 99 } } as const;
  const contents = { id: { endOffset: 0, epoch: 0 }, lastTimestampMs: 0, kraftVersion: 0, voters: undefined, records: [record] };
  await writeSnapshot(new NodeFiles(), directory, contents, 0, () => undefined);
}

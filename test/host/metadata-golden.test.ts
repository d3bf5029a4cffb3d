/** Apache Kafka's metadata logs and snapshots, replayed: a snapshot and the log up to its end give the same image. */
import { expect } from 'chai';
import { execFileSync } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { readSnapshot, snapshotsIn } from '../../src/host/metadata-snapshot.ts';
import { MetadataState } from '../../src/host/metadata-state.ts';
import { imageRecords } from '../../src/machine/metadata/image-records.ts';
import type { MetadataImage } from '../../src/machine/metadata/image.ts';
import { type MetadataRecord, readMetadataRecord, writeMetadataRecord } from '../../src/wire/metadata-record.ts';
import { batchesOf } from '../../src/wire/record-batch.ts';
import { recordsOf } from '../../src/wire/record.ts';
import { NodeFiles } from '../../src/world/node-files.ts';
import { FACTS } from '../support/protocol-data.ts';

const files = new NodeFiles();

function unpacked(name: string): string {
  const directory = mkdtempSync(join(tmpdir(), 'blumfeld-golden-'));
  execFileSync('tar', ['-xzf', join(FACTS, 'disk', `${name}.tar.gz`), '-C', directory]);
  return directory;
}

/** All that an image holds, in an order that does not depend on the order of records. */
function contents(image: MetadataImage) {
  const sorted = <V>(map: ReadonlyMap<string | number, V>) => [...map].sort(([a], [b]) => (a < b ? -1 : a > b ? 1 : 0));
  return {
    topics: sorted(image.topicsByName).map(([name, topic]) => [name, topic.id, sorted(topic.partitions)]),
    configs: [...image.configuredResources()]
      .map(({ resource, configs }) => [`${resource.type} ${resource.name}`, sorted(configs)])
      .sort((a, b) => (String(a[0]) < String(b[0]) ? -1 : 1)),
    brokers: sorted(image.brokers).map(([id, broker]) => [id, { ...broker, features: sorted(broker.features) }]),
    controllers: sorted(image.controllers).map(([id, controller]) => [
      id,
      { ...controller, features: sorted(controller.features) },
    ]),
    features: sorted(image.features),
    acls: sorted(image.acls),
    scram: sorted(image.scramCredentials),
    quotas: sorted(image.clientQuotas).map(([key, quota]) => [key, sorted(quota.values)]),
    nextProducerId: image.nextProducerId,
  };
}

const shown = (record: MetadataRecord): string =>
  JSON.stringify(record, (_, value: unknown) => (typeof value === 'bigint' ? String(value) : value));

function logUpTo(directory: string, endOffset: number): MetadataState {
  const state = new MetadataState();
  for (const batch of batchesOf(readFileSync(join(directory, '00000000000000000000.log')))) {
    if (batch.baseOffset < endOffset) state.load(batch, 0);
  }
  return state;
}

describe("Apache Kafka's metadata", () => {
  for (const name of ['before-cleaning', 'after-cleaning', 'killed']) {
    describe(name, () => {
      let root = '';
      let directory = '';
      before(() => {
        root = unpacked(name);
        directory = join(root, '__cluster_metadata-0');
      });
      after(() => rmSync(root, { recursive: true, force: true }));

      it('is the same from the log as from the snapshot', () => {
        const id = snapshotsIn(files, directory).at(-1);
        if (id === undefined || id.endOffset === 0) throw new Error(`${name} has no snapshot`);
        const fromSnapshot = new MetadataState();
        for (const batch of readSnapshot(files, directory, id)) fromSnapshot.load(batch, 0);
        const fromLog = logUpTo(directory, id.endOffset);
        expect(contents(fromLog.committed)).to.deep.equal(contents(fromSnapshot.committed));
        expect(contents(fromLog.ahead)).to.deep.equal(contents(fromLog.committed));
        expect([fromLog.kraftVersion, fromLog.voters]).to.deep.equal([fromSnapshot.kraftVersion, fromSnapshot.voters]);
      });

      it('is written into a snapshot as Apache Kafka writes it', () => {
        const id = snapshotsIn(files, directory).at(-1);
        if (id === undefined || id.endOffset === 0) throw new Error(`${name} has no snapshot`);
        const state = new MetadataState();
        const kafkas: string[] = [];
        for (const batch of readSnapshot(files, directory, id)) {
          state.load(batch, 0);
          if (!batch.isControl) for (const { value } of recordsOf(batch)) kafkas.push(value?.toString('hex') ?? '');
        }
        const ours = [...imageRecords(state.committed)].map((record) => writeMetadataRecord(record, 0).toString('hex'));
        expect(ours[0]).to.equal(kafkas[0]);
        const readable = (records: string[]): string[] =>
          records.map((hex) => shown(readMetadataRecord(Buffer.from(hex, 'hex')))).sort();
        expect(readable(ours)).to.deep.equal(readable(kafkas));
        expect(ours.sort()).to.deep.equal(kafkas.sort());
      });

      it('has the partitions that clients saw', () => {
        const { view } = JSON.parse(readFileSync(join(FACTS, 'disk', `${name}.json`), 'utf8')) as {
          view: { partitions: Record<string, unknown> };
        };
        const { committed } = logUpTo(directory, Number.MAX_SAFE_INTEGER);
        const seen = Object.keys(view.partitions).filter((partition) => !partition.startsWith('__'));
        const known = [...committed.topicsByName.values()].flatMap((topic) =>
          [...topic.partitions.keys()].map((i) => `${topic.name}-${i}`),
        );
        expect(known).to.include.members(seen);
        expect(committed.featureLevel('metadata.version')).to.equal(33);
        expect(committed.acls.size).to.be.above(0);
        expect(committed.scramCredentials.size).to.be.above(0);
        expect(committed.clientQuotas.size).to.be.above(0);
      });
    });
  }
});

/** `blumfeld dump` against the golden directories: what it says is what their listing says. */
import { expect } from 'chai';
import { execFileSync, spawnSync } from 'node:child_process';
import { mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { basename, dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { dumpItems } from '../../src/cli/dump.ts';
import { buildBatch } from '../../src/wire/record-batch-builder.ts';
import { NodeFiles } from '../../src/world/node-files.ts';
import { runCommand } from '../support/child-broker.ts';
import { FACTS, vectors } from '../support/protocol-data.ts';

interface GoldenFile {
  readonly batches?: readonly {
    readonly [field: string]: unknown;
    readonly records: readonly { readonly [field: string]: unknown }[];
  }[];
  readonly entries?: readonly (readonly [unknown, unknown])[];
  readonly aborted?: readonly unknown[];
  readonly producers?: readonly { readonly producerId: string; readonly epoch: number; readonly lastSequence: number }[];
}

const MAIN = join(dirname(fileURLToPath(import.meta.url)), '../../src/cli/main.js');

describe('blumfeld dump', () => {
  const golden = (
    JSON.parse(readFileSync(join(FACTS, 'disk', 'before-cleaning.json'), 'utf8')) as { files: { [path: string]: GoldenFile } }
  ).files;
  const files = new NodeFiles();
  let directory: string;

  before(() => {
    directory = mkdtempSync(join(tmpdir(), 'blumfeld-'));
    execFileSync('tar', ['xzf', join(FACTS, 'disk', 'before-cleaning.tar.gz'), '-C', directory]);
  });
  after(() => rmSync(directory, { recursive: true }));

  const values = (path: string): { [field: string]: unknown }[] =>
    [...dumpItems(files, `${directory}/${path}`)].map((item) => item.json as { [field: string]: unknown });

  it('shows every batch and record of every log and metadata snapshot', () => {
    for (const [path, { batches }] of Object.entries(golden)) {
      if (batches === undefined) continue;
      const shown = values(path);
      expect(
        shown.map((each) => [String(each['baseOffset']), String(each['lastOffset']), each['crc'], each['isValid']]),
        path,
      ).to.deep.equal(batches.map((each) => [each['baseOffset'], each['lastOffset'], each['crc'], true]));
      for (const [i, each] of shown.entries()) {
        const records = each['records'] as { offset: number; key?: unknown; value?: unknown; decoded?: { kind: string } }[];
        for (const [j, wanted] of (batches[i]?.records ?? []).entries()) {
          expect(String(records[j]?.offset)).to.equal(wanted['offset']);
          if ('key' in wanted) expect([records[j]?.key, records[j]?.value]).to.deep.equal([wanted['key'], wanted['value']]);
          else
            expect(records[j]?.decoded?.kind, `${path} ${String(wanted['offset'])}`)
              .to.be.a('string')
              .and.not.contain('undecodable');
        }
      }
    }
  });

  it('shows the entries of every index and snapshot', () => {
    for (const [path, { entries, aborted, producers }] of Object.entries(golden)) {
      if (entries !== undefined) {
        const base = Number(basename(path).slice(0, 20));
        const relative = (each: { [field: string]: unknown }): number => Number(each['offset']) - base;
        const shown = values(path).map((each) =>
          path.endsWith('.timeindex') ? [String(each['timestamp']), relative(each)] : [relative(each), each['position']],
        );
        expect(shown, path).to.deep.equal(entries);
      }
      if (aborted !== undefined) expect(values(path), path).to.have.length(aborted.length);
      if (producers === undefined) continue;
      const known = values(path).map((each) => [String(each['producerId']), each['producerEpoch'], each['lastSequence']]);
      expect(known, path).to.deep.equal(producers.map((each) => [each.producerId, each.epoch, each.lastSequence]));
    }
  });

  it('shows checkpoints, properties and JSON files', () => {
    expect(values('recovery-point-offset-checkpoint')).to.deep.include({ topic: 'txn', partition: 0, offset: 24 });
    expect(values('txn-0/leader-epoch-checkpoint')).to.deep.equal([{ epoch: 0, startOffset: 0 }]);
    expect(values('txn-0/partition.metadata')).to.deep.equal([{ version: '0', topic_id: 'uVfpYRNKTFG_QzrDssKCmw' }]);
    expect(values('meta.properties')[0]).to.deep.include({ 'node.id': '1', 'cluster.id': '4L6g3nShT-eMCtK--X86sw' });
    expect(values('__cluster_metadata-0/quorum-state')[0]).to.deep.include({ leaderId: 1, data_version: 1 });
    expect(values('.kafka_cleanshutdown')).to.deep.equal([{ version: 0, brokerEpoch: 13 }]);
  });

  it('decodes every kind of record of the coordinators, in every version, and their tombstones', () => {
    interface Row {
      readonly name: string;
      readonly side: 'key' | 'value';
      readonly bytes?: string;
    }
    const bytesOf = ({ bytes = '' }: Row): Buffer => Buffer.from(bytes, 'hex');
    for (const [family, topic] of [
      ['group', '__consumer_offsets'],
      ['transaction', '__transaction_state'],
      ['share', '__share_group_state'],
    ] as const) {
      const rows = vectors<Row>('records', `${family}.jsonl`).filter(({ bytes }) => bytes !== undefined);
      const keys = new Map(rows.flatMap((row) => (row.side === 'key' ? [[row.name, bytesOf(row)] as const] : [])));
      const wanted = rows.filter(({ side }) => side === 'value');
      const records = [
        ...wanted.map((row) => ({ name: row.name, key: keys.get(row.name) ?? null, value: bytesOf(row) })),
        ...[...keys].map(([name, key]) => ({ name, key, value: null })),
      ];
      const bytes = buildBatch({
        baseOffset: 0,
        partitionLeaderEpoch: 0,
        records: records.map(({ key, value }) => ({ key, value, timestamp: 1 })),
      });
      mkdirSync(`${directory}/${topic}-99`);
      writeFileSync(`${directory}/${topic}-99/00000000000000000000.log`, bytes);
      const [batch] = values(`${topic}-99/00000000000000000000.log`);
      const shown = (batch?.['records'] ?? []) as { readonly decoded?: { readonly kind: string; readonly value: unknown } }[];
      expect(shown.map(({ decoded }) => decoded?.kind)).to.deep.equal(records.map(({ name }) => name));
      expect(shown.map(({ decoded }) => decoded?.value === null)).to.deep.equal(records.map(({ value }) => value === null));
    }
  });

  it('shows files of older formatting tools, and those that are being replaced', () => {
    const snapshot = readFileSync(`${directory}/__cluster_metadata-0/00000000000000000000-0000000000.checkpoint`);
    writeFileSync(`${directory}/bootstrap.checkpoint`, snapshot);
    writeFileSync(`${directory}/00000000000000000000-0000000000.checkpoint.part`, snapshot);
    const wanted = values('__cluster_metadata-0/00000000000000000000-0000000000.checkpoint');
    expect(values('bootstrap.checkpoint')).to.deep.equal(wanted);
    expect(values('00000000000000000000-0000000000.checkpoint.part')).to.deep.equal(wanted);
  });

  it('shows lines for people', () => {
    const [first] = [...dumpItems(files, `${directory}/txn-0/00000000000000000003.log`)];
    expect(first?.text)
      .to.contain('baseOffset: 3 lastOffset: 3')
      .and.contain('| offset: 3 timestamp: 1795357547849 Commit {"coordinatorEpoch":0}');
  });

  it('says where a log is torn or corrupt', () => {
    const bytes = readFileSync(`${directory}/plain-0/00000000000000000000.log`);
    bytes[100] = (bytes[100] ?? 0) ^ 1;
    writeFileSync(`${directory}/00000000000000000000.log`, bytes.subarray(0, bytes.length - 5));
    const shown = values('00000000000000000000.log');
    expect(shown[0]).to.deep.include({ isValid: false });
    expect(shown[shown.length - 1]).to.deep.include({ torn: true });
  });

  it('names the file that is no JSON though it should be', () => {
    const path = `${directory}/quorum-state`;
    writeFileSync(path, '{"leaderId":');
    expect(() => [...dumpItems(files, path)]).to.throw(`${path} is damaged: it is no JSON`);
  });

  it('runs as the command that ships, for every kind of file there is', async function () {
    this.timeout(60_000);
    const kinds = new Map<string, string>();
    for (const path of [...Object.keys(golden), '.kafka_cleanshutdown', 'meta.properties']) {
      const kind = basename(path).replace(/^\d{20}(-\d{10})?/, 'OFFSET');
      if (!path.includes('-delete/')) kinds.set(kind === 'OFFSET.log' ? path.replace(/-\d+\/.*/, '') : kind, path);
    }
    expect([...kinds.keys()]).to.include.members(['OFFSET.index', 'OFFSET.timeindex', 'OFFSET.txnindex', 'OFFSET.snapshot']);
    expect([...kinds.keys()]).to.include.members(['__consumer_offsets', '__transaction_state', 'OFFSET.checkpoint', 'plain']);
    const paths = [...kinds.values()];
    for (let i = 0; i < paths.length; i += 4)
      await Promise.all(paths.slice(i, i + 4).map((path, j) => asCommand(path, j % 2 === 0)));
  });

  /** What the command prints is what is known here. */
  async function asCommand(path: string, asJson: boolean): Promise<void> {
    const { code, stdout, stderr } = await runCommand(['dump', ...(asJson ? ['--json'] : []), `${directory}/${path}`]).ended;
    const shown = [...dumpItems(files, `${directory}/${path}`)].map((item) => (asJson ? JSON.stringify(item.json) : item.text));
    expect([code, stderr], path).to.deep.equal([0, '']);
    expect(stdout, path).to.equal(shown.map((line) => `${line}\n`).join(''));
  }

  it('runs as a command, and says what it cannot read', () => {
    const run = (...args: string[]): { status: number | null; stdout: string; stderr: string } =>
      spawnSync(process.execPath, [MAIN, 'dump', ...args], { encoding: 'utf8' });
    const lines = run('--json', `${directory}/txn-0/00000000000000000003.txnindex`).stdout.trim().split('\n');
    expect(lines.map((line) => JSON.parse(line) as unknown)).to.deep.equal(values('txn-0/00000000000000000003.txnindex'));
    const wrong = run(`${directory}/txn-0`);
    expect(wrong.status).to.equal(1);
    expect(wrong.stderr).to.contain('no file that can be dumped');
    expect(run().status).to.equal(1);
    const unknown = run('--jsno', `${directory}/meta.properties`);
    expect([unknown.status, unknown.stderr]).to.deep.equal([1, "Unknown option '--jsno'; see blumfeld --help\n"]);
    expect(run(`${directory}/txn-0/00000000000000000099.log`).stderr).to.contain('ENOENT');
  });
});

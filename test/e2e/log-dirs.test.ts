/** A broker with two data directories under kafkajs: what is written and read, groups included, moves from one to the other and back meanwhile. */
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect } from 'chai';
import { Broker } from '../../src/broker/broker.ts';
import { client, eventually, join as joinGroup, unique } from '../support/kafkajs.ts';
import { address, PlainClient } from '../support/plain-client.ts';

const PARTITIONS = 4;
const RECORDS = 4000;
const MOVES = 6;

describe('kafkajs with two data directories', function () {
  this.timeout(240_000);
  let folder = '';
  let broker: Broker;
  let paths: string[] = [];

  before(async () => {
    folder = mkdtempSync(join(tmpdir(), 'blumfeld-log-dirs-'));
    paths = ['one', 'two'].map((name) => join(folder, name));
    broker = await Broker.start({ port: 0, settings: { 'log.dirs': paths.join(','), 'offsets.topic.num.partitions': 2 } });
  });

  after(async () => {
    await broker.stop();
    rmSync(folder, { recursive: true, force: true });
  });

  it('sees every record once and in order while its partitions move to and fro', async () => {
    const topic = unique('moving');
    const kafka = client(broker.bootstrapServers);
    const admin = kafka.admin();
    const producer = kafka.producer({ idempotent: true, maxInFlightRequests: 1 });
    const plain = new PlainClient(address(broker.bootstrapServers));
    await Promise.all([admin.connect(), producer.connect()]);
    await admin.createTopics({ topics: [{ topic, numPartitions: PARTITIONS, replicationFactor: 1 }] });
    const group = await joinGroup(kafka, unique('group'), { topics: [topic], fromBeginning: true });

    const everything = [
      { name: topic, partitions: Array.from({ length: PARTITIONS }, (_unused, i) => i) },
      { name: '__consumer_offsets', partitions: [0, 1] },
    ];
    const whereAll = async (): Promise<string[]> => {
      const { results } = await plain.call('describeLogDirs', { topics: null }, 4, 'test');
      return results.filter(({ topics }) => topics.length > 0).map(({ logDir }) => logDir);
    };
    let sending = true;
    let count = 0;
    const writing = (async (): Promise<void> => {
      while (sending || count < RECORDS) {
        const values = Array.from({ length: 20 }, () => count++);
        const messages = values.map((value) => ({ value: `${value} ${'x'.repeat(200)}`, partition: value % PARTITIONS }));
        await producer.send({ topic, messages });
      }
    })();
    for (let i = 0; i < MOVES; i++) {
      const path = paths[(i + 1) % 2] ?? '';
      const { results } = await plain.call('alterReplicaLogDirs', { dirs: [{ path, topics: everything }] }, 2, 'test');
      expect(results.flatMap(({ partitions }) => partitions.filter(({ errorCode }) => errorCode !== 0))).to.deep.equal([]);
      await eventually(whereAll, (places) => places.length === 1 && places[0] === path);
    }
    sending = false;
    await writing;
    await group.until(() => group.received.length >= count);
    for (let partition = 0; partition < PARTITIONS; partition++) {
      const values = group.received
        .filter((record) => record.partition === partition)
        .map(({ value }) => parseInt(String(value), 10));
      expect(values).to.deep.equal(Array.from({ length: count / PARTITIONS }, (_unused, i) => i * PARTITIONS + partition));
    }
    await group.stop();
    plain.close();
    await Promise.all([admin.disconnect(), producer.disconnect()]);
  });
});

/** What kafkajs sends is what it gets back: codecs, keys, headers, nulls, timestamps, acknowledgements and the partitions that its default partitioner picks. */
import { expect } from 'chai';
import type { Kafka, Producer, ProducerRecord } from 'kafkajs';
import { startBroker, type BrokerUnderTest } from '../support/broker-under-test.ts';
import { byValue, client, CompressionTypes, createTopic, readAll, unique } from '../support/kafkajs.ts';
import { vectors } from '../support/protocol-data.ts';

type Message = ProducerRecord['messages'][number];

const CODECS = [
  ['none', CompressionTypes.None],
  ['gzip', CompressionTypes.GZIP],
  ['snappy', CompressionTypes.Snappy],
  ['lz4', CompressionTypes.LZ4],
  ['zstd', CompressionTypes.ZSTD],
] as const;

const ACKS = [
  ['0', 0],
  ['1', 1],
  ['all', -1],
] as const;

describe('kafkajs produces', function () {
  this.timeout(30_000);
  let broker: BrokerUnderTest;
  let kafka: Kafka;
  let producer: Producer;

  before(async () => {
    broker = await startBroker();
    kafka = client(broker.bootstrapServers);
    producer = kafka.producer({ allowAutoTopicCreation: false });
    await producer.connect();
  });

  after(async () => {
    await producer.disconnect();
    await broker.stop();
  });

  for (const [name, compression] of CODECS) {
    it(`keys, values, headers, nulls and timestamps in ${name}`, async () => {
      const topic = await createTopic(kafka, `codec-${name}`);
      const start = Date.now() - 60_000;
      const messages: Message[] = Array.from({ length: 500 }, (_, i) => ({
        key: i % 5 === 0 ? null : `key-${i}`,
        value: i % 7 === 0 ? null : Buffer.alloc(i * 3, `${i},`),
        headers: i % 3 === 0 ? {} : { trace: `t-${i}`, empty: '', binary: Buffer.from([0, 255, i & 255]), many: ['a', 'b'] },
        timestamp: String(start + i),
      }));
      messages.push({ key: '', value: '' }, { key: 'ключ', value: '値 \u0000 ✓' });
      const [sent] = await producer.send({ topic, messages, compression });
      expect(sent).to.include({ topicName: topic, partition: 0, errorCode: 0, baseOffset: '0' });

      const received = await readAll(kafka, [topic], messages.length);
      expect(received.map((record) => record.offset)).to.deep.equal(messages.map((_, i) => String(i)));
      for (const [i, message] of messages.entries()) {
        const record = received[i];
        if (record === undefined) throw new Error(`record ${i} is missing`);
        const bytes = (value: Buffer | string | null | undefined): string | null =>
          value === null || value === undefined ? null : Buffer.from(value).toString('hex');
        expect(bytes(record.key), `key ${i}`).to.equal(bytes(message.key));
        expect(bytes(record.value), `value ${i}`).to.equal(bytes(message.value));
        if (message.timestamp !== undefined) expect(record.timestamp, `timestamp ${i}`).to.equal(message.timestamp);
        const text = (value: unknown): unknown =>
          Array.isArray(value)
            ? value.map(text)
            : Buffer.isBuffer(value)
              ? value.toString('hex')
              : Buffer.from(String(value)).toString('hex');
        const headers = (of: object | undefined): unknown =>
          Object.fromEntries(Object.entries(of ?? {}).map(([key, value]) => [key, text(value)]));
        expect(headers(record.headers), `headers ${i}`).to.deep.equal(headers(message.headers));
      }
    });
  }

  for (const [name, acks] of ACKS) {
    it(`with acks=${name}`, async () => {
      const topic = await createTopic(kafka, `acks-${acks}`);
      const values = Array.from({ length: 20 }, (_, i) => `value ${i}`);
      for (const value of values) {
        const answer = await producer.send({ topic, acks, messages: [{ value }] });
        if (acks !== 0) expect(answer[0]?.errorCode).to.equal(0);
      }
      const received = await readAll(kafka, [topic], values.length);
      expect(received.map((record) => record.value?.toString())).to.deep.equal(values);
    });
  }

  it('idempotently, many at once and in order', async () => {
    const topic = await createTopic(kafka, 'idempotent');
    const idempotent = kafka.producer({ idempotent: true, maxInFlightRequests: 1 });
    await idempotent.connect();
    await Promise.all(
      Array.from({ length: 50 }, (_, i) => idempotent.send({ topic, messages: [{ value: `${i}a` }, { value: `${i}b` }] })),
    );
    await idempotent.disconnect();
    const received = await readAll(kafka, [topic], 100);
    const values = received.map((record) => record.value?.toString() ?? '');
    expect(new Set(values).size).to.equal(100);
    for (let i = 0; i < 50; i++) expect(values.indexOf(`${i}b`)).to.equal(values.indexOf(`${i}a`) + 1);
  });

  it('to several topics in one request', async () => {
    const topics = await Promise.all(['one', 'two', 'three'].map((name) => createTopic(kafka, name, 2)));
    await producer.sendBatch({
      topicMessages: topics.map((topic) => ({
        topic,
        messages: [0, 1].map((partition) => ({ value: `${topic} ${partition}`, partition })),
      })),
    });
    const received = await readAll(kafka, topics, 6);
    expect(received.map(byValue).sort()).to.deep.equal(topics.flatMap((topic) => [`${topic} 0`, `${topic} 1`]).sort());
    expect(received.every((record) => record.value?.toString() === `${record.topic} ${record.partition}`)).to.equal(true);
  });

  it('a topic into being, where it may', async () => {
    const topic = unique('made-by-asking');
    const creating = kafka.producer({ allowAutoTopicCreation: true });
    await creating.connect();
    await creating.send({ topic, messages: [{ value: 'first' }] });
    await creating.disconnect();
    expect((await readAll(kafka, [topic], 1))[0]?.value?.toString()).to.equal('first');
  });

  it('and is refused a record beyond max.message.bytes', async () => {
    const topic = await createTopic(kafka, 'too-large');
    const error = await producer.send({ topic, messages: [{ value: Buffer.alloc(1_100_000) }] }).then(
      () => undefined,
      (reason: unknown) => reason,
    );
    expect(error).to.have.property('type', 'MESSAGE_TOO_LARGE');
  });

  it('to the partitions that every other client picks for the same key', async () => {
    const rows = vectors<{ key: string; partitions: Record<string, number> }>('partitions.jsonl');
    for (const count of [1, 3, 12, 50]) {
      const topic = await createTopic(kafka, `placing-${count}`, count);
      await producer.send({ topic, messages: rows.map(({ key }) => ({ key, value: key })) });
      const placed = new Map(
        (await readAll(kafka, [topic], rows.length, byValue)).map((record) => [record.key?.toString(), record.partition]),
      );
      for (const { key, partitions } of rows)
        expect(placed.get(key), `key ${JSON.stringify(key)} of ${count}`).to.equal(partitions[String(count)]);
    }
  });
});

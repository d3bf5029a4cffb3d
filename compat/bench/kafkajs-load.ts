/** The kafkajs loads: `node kafkajs-load.js ADDRESS produce|consume TOPIC SIZE SECONDS RECORDS` prints its figures as one line of JSON. */
import { type EachBatchPayload, Kafka, logLevel } from 'kafkajs';

const RECORDS_PER_SEND = 100;
const SENDS_IN_FLIGHT = 10;
const WARM_UP_MS = 1000;

async function produce(kafka: Kafka, topic: string, size: number, seconds: number): Promise<void> {
  const producer = kafka.producer();
  await producer.connect();
  const messages = Array.from({ length: RECORDS_PER_SEND }, () => ({ value: Buffer.alloc(size, 'blumfeld ') }));
  let records = 0;
  let counted = 0;
  let from = 0;
  const begun = performance.now();
  const end = begun + WARM_UP_MS + seconds * 1000;
  const lane = async (): Promise<void> => {
    while (performance.now() < end) {
      await producer.send({ topic, messages, acks: -1 });
      records += RECORDS_PER_SEND;
      if (from > 0 || performance.now() < begun + WARM_UP_MS) continue;
      from = performance.now();
      counted = records;
    }
  };
  await Promise.all(Array.from({ length: SENDS_IN_FLIGHT }, lane));
  const rate = ((records - counted) / (performance.now() - from)) * 1000;
  await producer.disconnect();
  console.log(JSON.stringify({ rate, records }));
}

/** Reads a topic of one partition with `filled` records, from its start again whenever it has come to its end. */
async function consume(kafka: Kafka, topic: string, seconds: number, filled: number): Promise<void> {
  const consumer = kafka.consumer({ groupId: `bench-${process.pid}-${Date.now()}` });
  await consumer.connect();
  await consumer.subscribe({ topic, fromBeginning: true });
  let records = 0;
  let counted = 0;
  let begun = 0;
  let from = 0;
  await new Promise<void>((resolve, reject) => {
    consumer.on('consumer.crash', ({ payload }) => reject(payload.error));
    const eachBatch = ({ batch }: EachBatchPayload): Promise<void> => {
      records += batch.messages.length;
      const now = performance.now();
      if (begun === 0) begun = now;
      if (from === 0 && now > begun + WARM_UP_MS) {
        from = now;
        counted = records;
      }
      if (from > 0 && now > from + seconds * 1000) resolve();
      else if (Number(batch.lastOffset()) + 1 >= filled) consumer.seek({ topic, partition: 0, offset: '0' });
      return Promise.resolve();
    };
    consumer.run({ eachBatch }).catch(reject);
  });
  const rate = ((records - counted) / (performance.now() - from)) * 1000;
  console.log(JSON.stringify({ rate, records }));
  await consumer.disconnect();
}

const [address = '', kind, topic = '', size, seconds, records] = process.argv.slice(2);
const kafka = new Kafka({ brokers: [address], logLevel: logLevel.ERROR });
if (kind === 'produce') await produce(kafka, topic, Number(size), Number(seconds));
else await consume(kafka, topic, Number(seconds), Number(records));
process.exit(0);

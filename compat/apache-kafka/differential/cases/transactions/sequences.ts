/** Sequence numbers of idempotent producers: beginnings, ends, repetitions. */
import { type Case, many } from '../../case.ts';
import { read, describeProducers } from './acts.ts';

/** Sends batches of `[base sequence, epoch, records]` one after the other, and shows what the log knows of the producer then. */
const sequences = (name: string, ...batches: (readonly [number, number, number])[]): Case =>
  many('produce', `idempotently: ${name}`, async (x) => {
    const topic = await x.topic('a');
    const { producerId } = await x.quiet('initProducerId', { transactionalId: null, transactionTimeoutMs: 0 });
    for (const [baseSequence, producerEpoch, count] of batches) {
      const values = Array.from({ length: count }, (_unused, i) => `${i}`);
      const records = x.batch(values, { producerId: Number(producerId), producerEpoch, baseSequence });
      const topicData = [{ ...topic, partitionData: [{ index: 0, records }] }];
      await x.call('produce', { transactionalId: null, acks: -1, timeoutMs: 10_000, topicData });
    }
    await describeProducers(x, topic);
    await read(x, topic);
  });

const LAST_SEQUENCE = 0x7fff_ffff;
const LAST_EPOCH = 0x7fff;

export const SEQUENCES: readonly Case[] = [
  sequences('beginning anywhere', [41, 0, 2], [43, 0, 1], [45, 0, 1], [41, 0, 2]),
  sequences(
    'around the end of sequences',
    [LAST_SEQUENCE - 1, 0, 2],
    [0, 0, 2],
    [LAST_SEQUENCE - 1, 0, 2],
    [2, 0, 1],
    [LAST_SEQUENCE, 0, 1],
  ),
  sequences('around the end within a batch', [LAST_SEQUENCE - 1, 0, 5], [LAST_SEQUENCE - 1, 0, 5], [3, 0, 2], [0, 0, 1]),
  sequences('epochs up, not from 0, down', [0, 0, 1], [1, 1, 1], [0, 1, 2], [1, 0, 1], [2, 1, 1], [0, 5, 1], [3, 1, 1]),
  sequences('the last epoch', [0, LAST_EPOCH, 1], [1, LAST_EPOCH, 1], [0, 0, 1]),
  sequences('five batches are remembered', ...[0, 1, 2, 3, 4, 5, 0, 1, 5, 3].map((base) => [base, 0, 1] as const)),
  sequences('the same beginning with another end', [0, 0, 3], [0, 0, 2], [0, 0, 4], [1, 0, 2], [3, 0, 1]),
  sequences('no epoch or no sequence', [0, -1, 1], [-1, 0, 1], [0, 0, 1]),
];

import { expect } from 'chai';
import { ErrorCode } from '../../src/wire/generated/errors.ts';
import { versionsOf } from '../support/handlers.ts';
import { type Producer, TransactionalBroker } from '../support/transactional-broker.ts';

const { INVALID_PRODUCER_EPOCH, INVALID_PRODUCER_ID_MAPPING, INVALID_REQUEST, NONE, PRODUCER_FENCED } = ErrorCode;

describe('AddOffsetsToTxn', () => {
  let broker: TransactionalBroker;
  let producer: Producer;

  beforeEach(async () => {
    broker = new TransactionalBroker();
    producer = await broker.init('payments');
  });

  async function add(version: number, over: Partial<Producer> = {}, groupId = 'shippers'): Promise<number> {
    return (await broker.ask('addOffsetsToTxn', version, { ...producer, ...over, groupId })).errorCode;
  }

  it("makes the partition of the group's offsets part of the transaction, at every version", async () => {
    for (const version of versionsOf('addOffsetsToTxn')) {
      const groupId = `group ${version}`;
      expect(await add(version, {}, groupId)).to.equal(NONE);
      const { transactionStates } = await broker.ask('describeTransactions', 0, { transactionalIds: ['payments'] });
      expect(transactionStates[0]?.transactionState).to.equal('Ongoing');
      const [topic] = transactionStates[0]?.topics ?? [];
      expect(topic?.topic).to.equal('__consumer_offsets');
      expect(topic?.partitions).to.include(broker.groups.topic.partitionOf(groupId));
      await broker.end(producer, false, 4);
      await broker.settle();
    }
  });

  it('refuses who is not the producer: INVALID_PRODUCER_EPOCH before 2, PRODUCER_FENCED from 2 on', async () => {
    const errors = [];
    for (const version of versionsOf('addOffsetsToTxn')) errors.push(await add(version, { producerEpoch: 7 }));
    expect(errors).to.deep.equal([
      INVALID_PRODUCER_EPOCH,
      INVALID_PRODUCER_EPOCH,
      ...[PRODUCER_FENCED, PRODUCER_FENCED, PRODUCER_FENCED],
    ]);
    expect(await add(3, { producerId: producer.producerId + 1 })).to.equal(INVALID_PRODUCER_ID_MAPPING);
    expect(await add(3, { transactionalId: 'nobody' })).to.equal(INVALID_PRODUCER_ID_MAPPING);
    expect(await add(3, { transactionalId: '' })).to.equal(INVALID_REQUEST);
    expect(await broker.stateOf('payments')).to.equal('Empty');
  });
});

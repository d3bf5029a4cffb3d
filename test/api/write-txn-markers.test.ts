import { expect } from 'chai';
import { ErrorCode } from '../../src/wire/generated/errors.ts';
import { TransactionalBroker } from '../support/transactional-broker.ts';

describe('WriteTxnMarkers', () => {
  let broker: TransactionalBroker;

  beforeEach(async () => {
    broker = new TransactionalBroker();
    await broker.small.createTopic('orders');
  });

  async function write(producerId: bigint): Promise<number | undefined> {
    const topics = [{ name: 'orders', partitionIndexes: [0] }];
    const marker = { producerId, producerEpoch: 0, transactionResult: true, topics, coordinatorEpoch: 0 };
    const { markers } = await broker.ask('writeTxnMarkers', 1, { markers: [marker] });
    expect(markers[0]?.producerId).to.equal(producerId);
    return markers[0]?.topics[0]?.partitions[0]?.errorCode;
  }

  it('appends the end of a transaction', async () => {
    expect(await write(7n)).to.equal(ErrorCode.NONE);
    expect(broker.small.partition('orders').log.logEndOffset).to.equal(1);
  });

  it('refuses a producer id that cannot be held exactly', async () => {
    for (const producerId of [2n ** 53n, 2n ** 63n - 1n, -(2n ** 63n)]) {
      expect(await write(producerId)).to.equal(ErrorCode.INVALID_PRODUCER_ID_MAPPING);
    }
    expect(broker.small.partition('orders').log.logEndOffset).to.equal(0);
  });
});

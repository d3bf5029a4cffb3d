import { expect } from 'chai';
import { producerIdsFrom } from '../../src/broker/producer-ids.ts';

describe('producer ids', () => {
  it('come one by one from blocks, and one block is asked for at a time', async () => {
    let blocks = 0;
    let under = 0;
    const next = producerIdsFrom(async () => {
      expect(++under).to.equal(1);
      await Promise.resolve();
      under--;
      return { firstProducerId: 10 * blocks++, size: 3 };
    });
    expect(await Promise.all(Array.from({ length: 7 }, next))).to.have.members([0, 1, 2, 10, 11, 12, 20]);
    expect(blocks).to.equal(3);
  });

  it('are asked for again after a failure', async () => {
    let calls = 0;
    const next = producerIdsFrom(() =>
      ++calls === 1 ? Promise.reject(new Error('disk')) : Promise.resolve({ firstProducerId: 5, size: 1 }),
    );
    expect(await next().catch((error: Error) => error.message)).to.equal('disk');
    expect(await next()).to.equal(5);
  });
});

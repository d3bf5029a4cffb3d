/** UpdateFeatures through its handler, on a whole broker: what it answers, what clients are told from then on, and that it is there after a restart. */
import { expect } from 'chai';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Broker } from '../../src/broker/broker.ts';
import { ErrorCode } from '../../src/wire/generated/errors.ts';
import { type Ask, handlersOf, versionsOf } from '../support/handlers.ts';

const TRANSACTION = 'transaction.version';
const [UPGRADE, SAFE] = [1, 2];

describe('UpdateFeatures', () => {
  let dataDir = '';
  let broker: Broker;
  let ask: Ask;
  const start = async (): Promise<void> => {
    broker = await Broker.start({ port: 0, dataDir });
    ask = handlersOf(broker);
  };

  beforeEach(async () => {
    dataDir = mkdtempSync(join(tmpdir(), 'blumfeld-features-'));
    await start();
  });
  afterEach(async () => {
    await broker.stop();
    rmSync(dataDir, { recursive: true, force: true });
  });

  const to = (maxVersionLevel: number, upgradeType: number = SAFE, validateOnly = false) => ({
    timeoutMs: 1000,
    featureUpdates: [{ feature: TRANSACTION, maxVersionLevel, upgradeType }],
    validateOnly,
  });

  /** As a client is told: the level, 0 where it is not among the finalized ones, and the epoch. */
  async function told(): Promise<{ level: number; epoch: bigint }> {
    const client = { clientSoftwareName: 'test', clientSoftwareVersion: '1' };
    const { finalizedFeatures, finalizedFeaturesEpoch } = await ask('apiVersions', 4, client);
    const found = finalizedFeatures.find(({ name }) => name === TRANSACTION);
    expect(found?.minVersionLevel).to.equal(found?.maxVersionLevel);
    return { level: found?.maxVersionLevel ?? 0, epoch: finalizedFeaturesEpoch };
  }

  for (const version of versionsOf('updateFeatures').filter((one) => one > 0)) {
    it(`changes what clients are told, at version ${version}, and keeps it over a restart`, async () => {
      const before = await told();
      const answer = await ask('updateFeatures', version, to(0));
      expect([answer.errorCode, answer.errorMessage]).to.deep.equal([ErrorCode.NONE, null]);
      expect(answer.results).to.deep.equal(version > 1 ? [] : [{ feature: TRANSACTION, errorCode: 0, errorMessage: 'NONE' }]);
      const after = await told();
      expect([before.level, after.level]).to.deep.equal([2, 0]);
      expect(Number(after.epoch)).to.be.greaterThan(Number(before.epoch));
      await broker.stop();
      await start();
      expect((await told()).level).to.equal(0);
      await ask('updateFeatures', version, to(1, UPGRADE));
      expect((await told()).level).to.equal(1);
    });

    it(`tells the error of one feature for all, at version ${version}`, async () => {
      const answer = await ask('updateFeatures', version, to(3, UPGRADE));
      expect(answer).to.deep.equal({
        throttleTimeMs: 0,
        errorCode: ErrorCode.INVALID_UPDATE_VERSION,
        errorMessage:
          'The update failed for all features since the following feature had an error: ' +
          'Invalid update version 3 for feature transaction.version. Local controller 1 only supports versions 0-2',
        results: [],
      });
    });

    it(`only checks where that is asked for, at version ${version}`, async () => {
      const before = await told();
      expect((await ask('updateFeatures', version, to(0, SAFE, true))).errorCode).to.equal(ErrorCode.NONE);
      expect(await told()).to.deep.equal(before);
    });
  }

  it('lowers nothing at version 0, whatever the request allows', async () => {
    const featureUpdates = [{ feature: TRANSACTION, maxVersionLevel: 1, allowDowngrade: true }];
    const { errorCode } = await ask('updateFeatures', 0, { timeoutMs: 1000, featureUpdates });
    expect(errorCode).to.equal(ErrorCode.INVALID_UPDATE_VERSION);
    expect((await told()).level).to.equal(2);
  });

  it('goes by the new level at once: a transaction by the rules of version 2 is refused at 0', async () => {
    const transactionalId = 'id';
    await ask('findCoordinator', 6, { keyType: 1, coordinatorKeys: [transactionalId] });
    const init = () =>
      ask('initProducerId', 4, { transactionalId, transactionTimeoutMs: 1000, producerId: -1, producerEpoch: -1 });
    const { producerId, producerEpoch } = await init();
    const end = async (epoch: number) =>
      (await ask('endTxn', 5, { transactionalId, producerId, producerEpoch: epoch, committed: false })).errorCode;
    expect(await end(producerEpoch)).to.equal(ErrorCode.NONE);
    await ask('updateFeatures', 2, to(0));
    const next = await init();
    expect(await end(next.producerEpoch)).to.equal(ErrorCode.UNSUPPORTED_VERSION);
    await ask('updateFeatures', 2, to(2, UPGRADE));
    expect(await end(next.producerEpoch)).to.equal(ErrorCode.NONE);
  });
});

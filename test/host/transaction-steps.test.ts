/**
 * The process dies at every step of a transaction, and at every single operation of the disk: the next one finds what was written until then. A transaction whose
 * end was decided ends that way in every partition and for the group's offsets; any other ends aborted, wholly. The same where the power goes, for brokers that
 * sync what they acknowledge.
 */
import { expect } from 'chai';
import { TRANSACTION_STEPS, type TransactionStepName } from '../../src/host/transaction-steps.ts';
import { SmallWorld } from '../hostile/small-world.ts';
import { FakeFiles } from '../sim/fake-files.ts';
import { SeededRandom } from '../sim/seeded-random.ts';
import { FEW_PARTITIONS, OneTransaction } from '../support/one-transaction.ts';

/** What the disk holds at some moment, and when that was. */
interface Moment {
  readonly when: string;
  readonly files: FakeFiles;
  /** The end is decided: it is in the log of transactions. */
  readonly isDecided: boolean;
}

interface Loss {
  readonly what: string;
  /** What was not synced is gone, at random, not only what was not written. */
  readonly ofPower: boolean;
  readonly settings: Readonly<Record<string, string>>;
}

const LOSSES: readonly Loss[] = [
  { what: 'process', ofPower: false, settings: FEW_PARTITIONS },
  { what: 'power', ofPower: true, settings: { ...FEW_PARTITIONS, 'log.flush.interval.messages': '1' } },
];

const over = (world: SmallWorld): OneTransaction =>
  new OneTransaction({
    ask: (name, version, request) => world.ask(name, version, request),
    wait: (ms) => world.clock.advance(ms),
  });

/** One transaction, and the disk at each step and before each operation of it. */
async function momentsOf(committed: boolean, isOlder: boolean, loss: Loss): Promise<Moment[]> {
  const moments: Moment[] = [];
  const random = new SeededRandom(3);
  const left = (): FakeFiles => (loss.ofPower ? files.imagineCrash(random) : files.copy());
  let isDecided = false;
  let isWatched = false;
  let operations = 0;
  const files: FakeFiles = new FakeFiles(() => 1_700_000_000_000, {
    beforeOperation: (operation, path) => {
      if (isWatched) moments.push({ when: `before ${operation} ${path} (${operations++})`, files: left(), isDecided });
    },
  });
  const world = new SmallWorld(files, 1);
  await world.start(loss.settings, {
    onTransactionStep: (step) => {
      if (step === 'prepared') isDecided = true;
      if (isWatched) moments.push({ when: `step ${step}`, files: left(), isDecided });
    },
  });
  const transaction = over(world);
  await transaction.prepare();
  isWatched = true;
  await transaction.run(committed, isOlder);
  isWatched = false;
  moments.push({ when: 'after all', files: left(), isDecided });
  await world.stop();
  return moments;
}

async function checkAfter({ when, files, isDecided }: Moment, committed: boolean, { settings }: Loss): Promise<void> {
  const world = new SmallWorld(files, 2);
  await world.start(settings);
  try {
    await over(world).expectWhole(when, committed, isDecided);
    expect(world.errors, when).to.deep.equal([]);
  } finally {
    await world.stop();
  }
}

function checkSteps(moments: readonly Moment[], committed: boolean): void {
  const steps = new Set(moments.filter(({ when }) => when.startsWith('step ')).map(({ when }) => when.slice(5)));
  const [prepare, complete]: [TransactionStepName, TransactionStepName] = committed
    ? ['PrepareCommit', 'CompleteCommit']
    : ['PrepareAbort', 'CompleteAbort'];
  const expected: TransactionStepName[] = ['Empty', 'Ongoing', prepare, 'prepared', 'marked', complete, 'completed'];
  expect([...steps]).to.have.members(expected);
  expect(TRANSACTION_STEPS).to.include.members(expected);
  expect(moments.filter(({ isDecided }) => isDecided).length).to.be.greaterThan(4);
}

describe('A transaction whose coordinator dies', function () {
  this.timeout(120_000);
  for (const loss of LOSSES) {
    for (const isOlder of [false, true]) {
      for (const committed of [true, false]) {
        const what = `${committed ? 'a commit' : 'an abort'} of ${isOlder ? 'an older client' : 'a client of transaction.version 2'}`;
        it(`with its ${loss.what} at any step or operation of ${what} ends one way, wholly`, async () => {
          const moments = await momentsOf(committed, isOlder, loss);
          checkSteps(moments, committed);
          for (const moment of moments) await checkAfter(moment, committed, loss);
        });
      }
    }
  }
});

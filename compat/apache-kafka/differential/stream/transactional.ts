/** What streams of transactions are made of: how often each API is asked, and what stands in the fields that say whose transaction it is. */
import type { ApiName } from '../../../../src/wire/generated/apis.ts';
import type { Chance } from './chance.ts';
import type { BatchPlan, Json } from './request.ts';
import { among, type Choice, choice, type Scene } from './values.ts';

const WEIGHTS: Readonly<Partial<Record<ApiName, number>>> = {
  initProducerId: 2,
  addPartitionsToTxn: 4,
  produce: 6,
  addOffsetsToTxn: 2,
  txnOffsetCommit: 3,
  endTxn: 5,
  fetch: 2,
  listOffsets: 2,
  offsetFetch: 2,
  offsetCommit: 1,
  deleteRecords: 1,
  describeProducers: 2,
  describeTransactions: 2,
  listTransactions: 1,
};

export const TRANSACTIONAL_URN = (Object.keys(WEIGHTS) as ApiName[]).flatMap((name) =>
  Array.from({ length: WEIGHTS[name] ?? 1 }, () => name),
);

const NOBODY_ODD = 0.3;

const id = choice(
  (_, { transaction }) => `$n:tx${transaction}`,
  (chance, { transaction = 0 }) => chance.one(['', '$n:nobody', `$n:tx${1 - transaction}`]),
);
const producerId = choice(
  (_, { transaction }) => `$p:${transaction}`,
  (chance, { transaction = 0 }) => chance.one<Json>([-1, 5, `$p:${1 - transaction}`]),
);
const producerEpoch = choice(
  (_, { transaction }) => `$pe:${transaction}`,
  (chance) => chance.one([-1, 0, 1, 3, -2, 32_767]),
);
const none = choice(
  () => -1,
  (_, { transaction }) => `$p:${transaction}`,
);
const noEpoch = choice(
  () => -1,
  (_, { transaction }) => `$pe:${transaction}`,
);

export const TRANSACTIONAL_CHOICES: Readonly<Record<string, Choice>> = {
  transactionalId: id,
  transactionalIds: id,
  v3AndBelowTransactionalId: id,
  producerId,
  v3AndBelowProducerId: producerId,
  producerEpoch,
  v3AndBelowProducerEpoch: producerEpoch,
  'initProducerId.producerId': none,
  'initProducerId.producerEpoch': noEpoch,
  'initProducerId.transactionTimeoutMs': among([60_000], [60_000, 0, -1]),
  committed: among([true, false], [true]),
  // The time of a marker is its broker's.
  timestamp: among([-1, -2], [-1, -2]),
  stateFilters: among(['Ongoing', 'CompleteCommit'], ['Nothing', '']),
  durationFilter: among([-1], [-1]),
  producerIdFilters: among(['$p:0', '$p:1'], [5]),
  generationIdOrMemberEpoch: among([-1], [0, 99]),
  memberId: among([''], ['nobody']),
};

/** One batch in the transaction, with the sequence that is due; now and then one outside of it, or of somebody else. */
export function transactionalRecords(chance: Chance, scene: Scene, transaction: number, partition: Json): Json {
  const odd = chance.often(scene.oddness);
  const values = Array.from({ length: 1 + chance.below(3) }, (_, i) => `v${i}`);
  const whose = odd && chance.often(NOBODY_ODD) ? 1 - transaction : transaction;
  const plan: BatchPlan = {
    values,
    aheadMs: chance.below(1000),
    transactional: !(odd && chance.often(NOBODY_ODD)),
    producerId: `$p:${whose}`,
    producerEpoch: odd && chance.often(NOBODY_ODD) ? chance.one([0, 1, 2, 3]) : `$pe:${whose}`,
    baseSequence:
      odd && chance.often(NOBODY_ODD) ? chance.one([0, 1, 5]) : `$q:${whose}/${scene.topic}/${JSON.stringify(partition)}`,
  };
  return { $batches: [plan as unknown as Json] };
}

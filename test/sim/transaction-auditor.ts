/** Asks the coordinators now and then: what they know of transactional ids, what hangs, and which offsets groups have from transactions. */
import { ErrorCode } from '../../src/wire/generated/errors.ts';
import type { DescribeTransactionsResponseTransactionState } from '../../src/wire/generated/describe-transactions.ts';
import type { Actor } from './actor.ts';
import type { Target } from './producer.ts';
import type { TransactionalId, TransactionModel } from './transaction-model.ts';
import { keyOf } from './transactional-producer.ts';
import { demand } from './violation.ts';

const NOT_NOW: ReadonlySet<number> = new Set([
  ErrorCode.COORDINATOR_LOAD_IN_PROGRESS,
  ErrorCode.COORDINATOR_NOT_AVAILABLE,
  ErrorCode.NOT_COORDINATOR,
  ErrorCode.REQUEST_TIMED_OUT,
  ErrorCode.UNKNOWN_TOPIC_OR_PARTITION,
]);
/** How often coordinators look for what has run out of its time. */
export const LOOK_EVERY_MS = 1000;
/** How long what is overdue may be seen, the broker running all the while. */
const OVERDUE_MS = 3 * LOOK_EVERY_MS;
/** Longer than markers and the record of the end may take. */
const PREPARED_MS = 30_000;

/** One state of one transactional id that has to pass. */
interface Overdue {
  readonly key: string;
  readonly sinceMs: number;
}

export async function audit(
  actor: Actor,
  transactions: TransactionModel,
  targets: readonly Target[],
  isOver: () => boolean,
): Promise<void> {
  const { random, world } = actor;
  const overdue = new Map<TransactionalId, Overdue>();
  while (!isOver()) {
    for (const id of transactions.ids.values()) {
      const found = await describe(actor, id);
      if (found !== undefined) lookForOverdue(actor, id, found, overdue);
      await lookAtOffsets(actor, transactions, id, random.pick(targets));
    }
    await world.scheduler.sleep(random.between(20, 400));
  }
}

/** Undefined when nobody can say. */
export async function describe(
  actor: Actor,
  id: TransactionalId,
): Promise<DescribeTransactionsResponseTransactionState | undefined> {
  const { newest } = id;
  const link = await actor.link();
  const answer = await actor.unlessDisconnected(link.request('describeTransactions', 0, { transactionalIds: [id.name] }));
  const found = answer?.transactionStates[0];
  if (found === undefined || NOT_NOW.has(found.errorCode)) return undefined;
  const isUnknown = found.errorCode === ErrorCode.TRANSACTIONAL_ID_NOT_FOUND;
  demand(isUnknown || found.errorCode === ErrorCode.NONE, () => `${id.name} is described with the error ${found.errorCode}`);
  if (newest === undefined) return isUnknown ? undefined : found;
  demand(!isUnknown, () => `${id.name} is forgotten; it was given epoch ${newest.producerEpoch}`);
  demand(
    Number(found.producerId) === newest.producerId && found.producerEpoch >= newest.producerEpoch,
    () =>
      `${id.name} has producer ${found.producerId} of epoch ${found.producerEpoch}, and was given ${newest.producerId} of ${newest.producerEpoch}`,
  );
  return found;
}

function lookForOverdue(
  { world }: Actor,
  id: TransactionalId,
  state: DescribeTransactionsResponseTransactionState,
  overdue: Map<TransactionalId, Overdue>,
): void {
  const { transactionState, transactionStartTimeMs, transactionTimeoutMs, producerEpoch } = state;
  const { scheduler, starts, events } = world;
  const isPrepared = transactionState.startsWith('Prepare');
  const isLate =
    transactionState === 'Ongoing' && Number(transactionStartTimeMs) + transactionTimeoutMs + LOOK_EVERY_MS < scheduler.wallMs();
  if (!isPrepared && !isLate) {
    overdue.delete(id);
    return;
  }
  const key = `${transactionState} ${producerEpoch} ${transactionStartTimeMs} ${starts} ${events.get('clock set') ?? 0}`;
  const before = overdue.get(id);
  if (before?.key !== key) {
    overdue.set(id, { key, sinceMs: scheduler.busyMs });
    return;
  }
  const sinceMs = scheduler.busyMs - before.sinceMs;
  demand(
    sinceMs < (isPrepared ? PREPARED_MS : OVERDUE_MS),
    () => `${id.name} has been ${transactionState} for ${sinceMs} ms too long, with a timeout of ${transactionTimeoutMs} ms`,
  );
}

/** Undefined when they are not stable, or nobody can say. */
export async function lookAtOffsets(
  actor: Actor,
  transactions: TransactionModel,
  id: TransactionalId,
  target: Target,
): Promise<number | undefined> {
  const { random } = actor;
  const key = keyOf(id, target);
  const { name, id: topicId } = target.topic;
  const apiVersion = random.between(7, 10);
  const requireStable = random.oneIn(2);
  const floor = requireStable ? transactions.committedFloor(key) : transactions.seenFloor(key);
  const partitionIndexes = [target.index];
  const topics = [apiVersion >= 10 ? { topicId, partitionIndexes } : { name, partitionIndexes }];
  const groupId = id.group;
  const request = apiVersion >= 8 ? { groups: [{ groupId, topics }], requireStable } : { groupId, topics, requireStable };
  const link = await actor.link();
  const answer = await actor.unlessDisconnected(link.request('offsetFetch', apiVersion, request));
  if (answer === undefined) return undefined;
  const group = apiVersion >= 8 ? answer.groups[0] : answer;
  const partition = group?.topics[0]?.partitions[0];
  const errorCode = group?.errorCode || partition?.errorCode || ErrorCode.NONE;
  if (NOT_NOW.has(errorCode) || (requireStable && errorCode === ErrorCode.UNSTABLE_OFFSET_COMMIT)) return undefined;
  demand(errorCode === ErrorCode.NONE, () => `${actor.name}: OffsetFetch is answered ${errorCode}`);
  const offset = Number(partition?.committedOffset ?? -1);
  transactions.seeCommittedOffset(key, offset, floor, partition?.metadata ?? '');
  return offset;
}

/** T1 to T8 of SPEC.md, looked at between two steps. */
import type { TransactionRecord } from '../../../src/machine/transaction/input.ts';
import { isAtRest, isPrepared } from '../../../src/machine/transaction/transaction.ts';
import type { TransactionMachine } from '../../../src/machine/transaction/transaction-machine.ts';

/** What is broken, in words; empty when nothing is. */
export function violations(machine: TransactionMachine, log: readonly TransactionRecord[]): string[] {
  const broken: string[] = [];
  const { transactions, ongoing } = machine.lasting;
  for (const [id, transaction] of transactions) {
    const { state, producerId, producerEpoch, partitions, startMs, nextProducerId } = transaction;
    if (producerId < 0 || producerEpoch < 0) broken.push(`T1 ${id}: producer ${producerId}, epoch ${producerEpoch}`);
    if (isAtRest(transaction) && partitions.size > 0) broken.push(`T2 ${id}: ${state} with partitions`);
    if ((state === 'Empty') !== (startMs === -1)) broken.push(`T3 ${id}: ${state} began at ${startMs}`);
    if (ongoing.has(id) !== (state === 'Ongoing')) broken.push(`T4 ${id}: ${state}`);
    if (!isPrepared(transaction) && nextProducerId !== -1) broken.push(`T5 ${id}: ${state} with a next producer id`);
    if (!isPrepared(transaction) && machine.passing.unmarked.has(id)) broken.push(`T6 ${id}: ${state} waits for markers`);
  }
  for (const id of machine.passing.unmarked.keys())
    if (!transactions.has(id)) broken.push(`T6 ${id}: waits for markers and is not there`);
  const timeouts = machine.passing.alarms.at('timeouts');
  if (ongoing.size > 0 && timeouts === undefined) broken.push('T7 nobody looks at the time of what is Ongoing');
  if (transactions.size > 0 && machine.passing.alarms.at('expiry') === undefined)
    broken.push('T7 nobody looks for what has expired');
  broken.push(...producersOf(log));
  return broken;
}

/** T8: one id's producer and epoch never go back, and no two ids share a producer. */
function producersOf(log: readonly TransactionRecord[]): string[] {
  const broken: string[] = [];
  const owner = new Map<number, string>();
  const last = new Map<string, { producerId: number; producerEpoch: number }>();
  for (const { transactionalId, transaction } of log) {
    if (transaction === null) {
      last.delete(transactionalId);
      continue;
    }
    const { producerId, producerEpoch } = transaction;
    const before = last.get(transactionalId);
    if (before?.producerId === producerId && producerEpoch < before.producerEpoch)
      broken.push(`T8 ${transactionalId}: epoch ${producerEpoch} after ${before.producerEpoch}`);
    if ((owner.get(producerId) ?? transactionalId) !== transactionalId)
      broken.push(`T8 producer ${producerId} of ${transactionalId} and ${owner.get(producerId)}`);
    owner.set(producerId, transactionalId);
    last.set(transactionalId, { producerId, producerEpoch });
  }
  return broken;
}

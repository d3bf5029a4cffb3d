/**
 * The steps of the coordinator's protocol by name, told as they are taken: tests stop a broker at each and see that the transaction ends one way, wholly.
 * Where nobody asks for them nothing is in their place.
 */
import type { TransactionMachine } from '../machine/transaction/transaction-machine.ts';

/**
 * In the order in which they come: the record of a state is queued, the decision is committed, markers are committed in some partitions, the record of the
 * end is queued.
 */
export const TRANSACTION_STEPS = [
  'Empty',
  'Ongoing',
  'PrepareCommit',
  'PrepareAbort',
  'prepared',
  'marked',
  'CompleteCommit',
  'CompleteAbort',
  'completed',
] as const;

export type TransactionStepName = (typeof TRANSACTION_STEPS)[number];

export function observed(machine: TransactionMachine, onStep: (step: TransactionStepName) => void): TransactionMachine {
  const apply = machine.apply.bind(machine);
  const stored = machine.stored.bind(machine);
  const loaded = machine.loaded.bind(machine);
  let isLive = false;
  machine.loaded = (now) => {
    isLive = true;
    return loaded(now);
  };
  machine.apply = (record) => {
    apply(record);
    if (isLive && record.transaction !== null) onStep(record.transaction.state);
  };
  machine.stored = (after, now) => {
    onStep(after.kind);
    return stored(after, now);
  };
  return machine;
}

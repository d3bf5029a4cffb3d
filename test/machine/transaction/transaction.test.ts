/** The transition table of SPEC.md is what the code allows, and sets of partitions are sets. */
import { expect } from 'chai';
import { readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import {
  PREVIOUS_STATES,
  type Transaction,
  type TransactionState,
  containsAll,
  newTransaction,
  next,
  union,
  without,
} from '../../../src/machine/transaction/transaction.ts';

const SPEC = fileURLToPath(new URL('../../../../src/machine/transaction/SPEC.md', import.meta.url));
const STATES = Object.keys(PREVIOUS_STATES) as TransactionState[];

/** `from to` for each move that the table has between states that are stored. */
function specified(): Set<string> {
  const rows = readFileSync(SPEC, 'utf8').matchAll(/^\| ([\w(), ]+?) +\| ([\w()]+) +\|/gm);
  const moves = new Set<string>();
  for (const [, from = '', to = ''] of rows) for (const one of from.split(', ')) moves.add(`${one} ${to}`);
  return moves;
}

const inState = (state: TransactionState): Transaction => ({ ...newTransaction(7, 1000, 5), state, producerEpoch: 3 });

describe('A transaction', () => {
  const moves = specified();

  it('is in a table of which all states are known', () => {
    expect(moves).to.include('Ongoing PrepareCommit');
    for (const state of STATES)
      expect(
        [...moves].some((move) => move.endsWith(` ${state}`)),
        state,
      ).to.equal(true);
  });

  for (const from of STATES) {
    for (const to of STATES) {
      const isAllowed = moves.has(`${from} ${to}`);
      it(`${isAllowed ? 'goes' : 'does not go'} from ${from} to ${to}`, () => {
        const move = () => next(inState(from), to, {});
        if (isAllowed) expect(move()).to.deep.equal({ ...inState(to), previousProducerId: 7 });
        else expect(move).to.throw(`does not go from ${from} to ${to}`);
      });
    }
  }

  it('has a producer and an epoch that can be written down', () => {
    for (const changes of [{ producerId: -1 }, { producerEpoch: -1 }, { producerEpoch: 32_768 }])
      expect(() => next(inState('Empty'), 'Empty', changes)).to.throw('Empty with producer');
  });

  it('has sets of partitions', () => {
    const some = new Map([
      ['a', new Set([0, 1])],
      ['b', new Set([2])],
    ]);
    const one = new Map([['a', new Set([1])]]);
    expect(containsAll(some, one)).to.equal(true);
    expect(containsAll(one, some)).to.equal(false);
    expect(containsAll(some, new Map([['c', new Set([0])]]))).to.equal(false);
    expect(union(one, some)).to.deep.equal(some);
    expect(without(some, one)).to.deep.equal(
      new Map([
        ['a', new Set([0])],
        ['b', new Set([2])],
      ]),
    );
    expect(without(some, some).size).to.equal(0);
  });
});

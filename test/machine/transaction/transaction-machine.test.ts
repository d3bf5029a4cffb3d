/** The machine as its clients see it, and the properties that hold whatever they do. */
import { expect } from 'chai';
import { ErrorCode } from '../../../src/wire/generated/errors.ts';
import { MAX_EPOCH, TWO_PHASE_TIMEOUT_MS } from '../../../src/machine/transaction/transaction.ts';
import { SeededRandom } from '../../sim/seeded-random.ts';
import { type Producer, Transactions, asRead, partitions } from './transactions.ts';

const refused = (error: ErrorCode) => ({ kind: 'refused', error });
const T0 = partitions('t', 0);
const LAST_GIVEN_EPOCH = MAX_EPOCH - 1;

/** The id's producer has this epoch, as after years. */
function agedTo(producerEpoch: number, transactionVersion = 2): { one: Transactions; producer: Producer } {
  const one = new Transactions({ transactionVersion });
  const { producerId } = one.producer('id');
  one.log.push({ transactionalId: 'id', transaction: { ...one.transaction('id'), producerEpoch } });
  one.reload();
  return { one, producer: { transactionalId: 'id', producerId, producerEpoch } };
}

describe('The transaction machine', () => {
  describe('gives a producer', () => {
    it('a fresh id and epoch 0 first, the next epoch after that', () => {
      const one = new Transactions();
      expect(one.init('id')).to.deep.equal({ kind: 'init', producerId: 1000, producerEpoch: 0 });
      expect(one.init('id')).to.deep.equal({ kind: 'init', producerId: 1000, producerEpoch: 1 });
      expect(one.init('other')).to.deep.equal({ kind: 'init', producerId: 1001, producerEpoch: 0 });
    });

    it('that says who it was the next epoch, and the same again when it asks again (KIP-360)', () => {
      const one = new Transactions();
      const { producerId } = one.producer('id');
      const before = { producerId, producerEpoch: 0 };
      expect(one.init('id', before)).to.deep.equal({ kind: 'init', producerId, producerEpoch: 1 });
      expect(one.init('id', before)).to.deep.equal({ kind: 'init', producerId, producerEpoch: 1 });
      expect(one.init('id', { producerId, producerEpoch: 5 })).to.deep.equal(refused(ErrorCode.PRODUCER_FENCED));
      expect(one.init('id', { producerId: 7, producerEpoch: 1 })).to.deep.equal(refused(ErrorCode.PRODUCER_FENCED));
    });

    it('no second answer once another producer has come, or the coordinator has been loaded anew', () => {
      const one = new Transactions();
      const { producerId } = one.producer('id');
      one.init('id', { producerId, producerEpoch: 0 });
      one.reload();
      expect(one.init('id', { producerId, producerEpoch: 0 })).to.deep.equal(refused(ErrorCode.PRODUCER_FENCED));
      one.init('id');
      expect(one.init('id', { producerId, producerEpoch: 1 })).to.deep.equal(refused(ErrorCode.PRODUCER_FENCED));
    });

    it('of an id that is not known any more a fresh id, whoever it says it was', () => {
      const one = new Transactions();
      expect(one.init('id', { producerId: 3, producerEpoch: 9 })).to.deep.equal({
        kind: 'init',
        producerId: 1000,
        producerEpoch: 0,
      });
    });

    it('another id when its epochs are used up, also to the one that has used them up', () => {
      const { one } = agedTo(LAST_GIVEN_EPOCH);
      expect(one.init('id')).to.deep.equal({ kind: 'init', producerId: 1001, producerEpoch: 0 });
      const again = agedTo(LAST_GIVEN_EPOCH);
      const { producerId } = again.producer;
      const exhausted = { producerId, producerEpoch: LAST_GIVEN_EPOCH };
      expect(again.one.init('id', exhausted)).to.deep.equal({ kind: 'init', producerId: 1001, producerEpoch: 0 });
      expect(again.one.init('id', exhausted), 'asks again').to.deep.equal({ kind: 'init', producerId: 1001, producerEpoch: 0 });
      const behind = agedTo(LAST_GIVEN_EPOCH);
      expect(behind.one.init('id', { producerId, producerEpoch: 4 })).to.deep.equal(refused(ErrorCode.UNKNOWN_SERVER_ERROR));
    });

    it('nothing while the transaction of the one before is aborted, which it begins', () => {
      for (const transactionVersion of [0, 2]) {
        const one = new Transactions({ transactionVersion });
        const old = one.producer('id');
        one.add(old, T0, transactionVersion);
        expect(one.init('id')).to.deep.equal(refused(ErrorCode.CONCURRENT_TRANSACTIONS));
        expect(one.transaction('id')).to.include({
          state: 'PrepareAbort',
          producerEpoch: 1,
          lastProducerEpoch: transactionVersion === 2 ? 0 : -1,
        });
        expect(one.init('id')).to.deep.equal(refused(ErrorCode.CONCURRENT_TRANSACTIONS));
        one.carryOut();
        expect(one.transaction('id')).to.include({ state: 'CompleteAbort', producerEpoch: 1 });
        expect(one.init('id')).to.deep.equal({ kind: 'init', producerId: old.producerId, producerEpoch: 2 });
        expect(one.end(old, true, transactionVersion)).to.deep.equal(refused(ErrorCode.PRODUCER_FENCED));
      }
    });
  });

  describe('at transaction.version 0', () => {
    it('refuses what a client of version 2 adds or ends, but for what is there already', () => {
      const one = new Transactions({ transactionVersion: 0 });
      const producer = one.producer('id');
      expect(one.add(producer, T0, 2)).to.deep.equal(refused(ErrorCode.UNSUPPORTED_VERSION));
      expect(one.end(producer, false, 2)).to.deep.equal(refused(ErrorCode.UNSUPPORTED_VERSION));
      expect(one.transaction('id').state).to.equal('Empty');
      expect(one.add(producer, T0, 0)).to.deep.equal({ kind: 'add' });
      expect(one.add(producer, T0, 2)).to.deep.equal({ kind: 'add' });
      expect(one.end(producer, true, 2)).to.deep.equal(refused(ErrorCode.UNSUPPORTED_VERSION));
      expect(one.end(producer, true, 0)).to.deep.equal({ kind: 'end', producerId: -1, producerEpoch: -1 });
    });

    it('goes on with a transaction that began at version 2', () => {
      const one = new Transactions();
      one.add(one.producer('id'), T0, 2);
      one.reload({ transactionVersion: 0 });
      expect(one.init('id')).to.deep.equal(refused(ErrorCode.CONCURRENT_TRANSACTIONS));
      one.carryOut();
      expect(one.init('id')).to.include({ kind: 'init', producerEpoch: 2 });
      expect(one.transaction('id').clientVersion).to.equal(0);
    });
  });

  describe('takes partitions', () => {
    it('of its producer alone, and writes only what is new', () => {
      const one = new Transactions();
      const producer = one.producer('id');
      expect(one.add({ ...producer, transactionalId: 'nobody' }, T0)).to.deep.equal(
        refused(ErrorCode.INVALID_PRODUCER_ID_MAPPING),
      );
      expect(one.add({ ...producer, producerId: 7 }, T0)).to.deep.equal(refused(ErrorCode.INVALID_PRODUCER_ID_MAPPING));
      expect(one.add({ ...producer, producerEpoch: 7 }, T0)).to.deep.equal(refused(ErrorCode.PRODUCER_FENCED));
      expect(one.add(producer, T0)).to.deep.equal({ kind: 'add' });
      one.advance(5);
      const { length } = one.log;
      expect(one.add(producer, T0)).to.deep.equal({ kind: 'add' });
      expect(one.log.length).to.equal(length);
      one.add(producer, partitions('t', 0, 1));
      expect(one.transaction('id').partitions).to.deep.equal(partitions('t', 0, 1));
      expect(one.transaction('id').lastUpdateMs - one.transaction('id').startMs).to.equal(5);
    });

    it('says which are missing', () => {
      const one = new Transactions();
      const producer = one.producer('id');
      one.add(producer, partitions('t', 0, 2), 0);
      expect(one.ask({ kind: 'verify', ...producer, partitions: partitions('t', 0, 1, 2, 3) })).to.deep.equal({
        kind: 'verify',
        missing: partitions('t', 1, 3),
      });
      const verify = (over: Partial<Producer>) => one.ask({ kind: 'verify', ...producer, ...over, partitions: T0 });
      expect(verify({ producerEpoch: 3 })).to.deep.equal(refused(ErrorCode.PRODUCER_FENCED));
      expect(verify({ producerId: 3 })).to.deep.equal(refused(ErrorCode.INVALID_PRODUCER_ID_MAPPING));
      expect(verify({ transactionalId: 'nobody' })).to.deep.equal(refused(ErrorCode.INVALID_PRODUCER_ID_MAPPING));
      one.end(producer, true, 0);
      expect(verify({})).to.deep.equal(refused(ErrorCode.CONCURRENT_TRANSACTIONS));
    });

    it('not while the end of the last transaction is written', () => {
      const one = new Transactions();
      const producer = one.producer('id');
      one.add(producer, T0);
      const ended = one.end(producer, true);
      const next = { ...producer, producerEpoch: ended.kind === 'end' ? ended.producerEpoch : -1 };
      expect(one.add(next, T0)).to.deep.equal(refused(ErrorCode.CONCURRENT_TRANSACTIONS));
      expect(one.add({ ...next, producerId: 7 }, T0), 'before it looks who asks').to.deep.equal(
        refused(ErrorCode.CONCURRENT_TRANSACTIONS),
      );
      one.carryOut();
      expect(one.add(next, T0)).to.deep.equal({ kind: 'add' });
    });
  });

  describe('ends a transaction', () => {
    for (const committed of [true, false]) {
      const [prepared, complete] = committed
        ? (['PrepareCommit', 'CompleteCommit'] as const)
        : (['PrepareAbort', 'CompleteAbort'] as const);

      it(`${complete}: decided, marked everywhere, complete; the epoch rises with version 2 alone`, () => {
        for (const clientVersion of [0, 2]) {
          const one = new Transactions();
          const producer = one.producer('id');
          const bump = clientVersion === 2 ? 1 : 0;
          one.add(producer, partitions('t', 0, 1), clientVersion);
          expect(one.end(producer, committed, clientVersion)).to.deep.equal(
            clientVersion === 2
              ? { kind: 'end', producerId: producer.producerId, producerEpoch: 1 }
              : { kind: 'end', producerId: -1, producerEpoch: -1 },
          );
          expect(one.transaction('id').state).to.equal(prepared);
          expect(one.effects).to.deep.equal([
            {
              kind: 'writeMarkers',
              transactionalId: 'id',
              producerId: producer.producerId,
              producerEpoch: bump,
              committed,
              partitions: partitions('t', 0, 1),
              transactionVersion: clientVersion,
            },
          ]);
          const marked = { kind: 'marked', transactionalId: 'id', producerId: producer.producerId, producerEpoch: bump } as const;
          one.ask({ ...marked, partitions: partitions('t', 1) });
          expect(one.transaction('id').state).to.equal(prepared);
          expect(one.ask({ kind: 'describe', transactionalId: 'id' }))
            .to.have.nested.property('description.partitions')
            .deep.equal(T0);
          one.ask({ ...marked, producerEpoch: bump + 1, partitions: T0 });
          expect(one.transaction('id').state, 'another epoch').to.equal(prepared);
          one.ask({ ...marked, partitions: T0 });
          expect(one.transaction('id')).to.include({ state: complete, producerEpoch: bump, startMs: one.now.timeMs });
        }
      });

      it(`${complete}: answers a client of version 2 that asks again, and not one that wants the other end`, () => {
        const one = new Transactions();
        const producer = one.producer('id');
        one.add(producer, T0);
        one.end(producer, committed);
        expect(one.end(producer, committed)).to.deep.equal(refused(ErrorCode.CONCURRENT_TRANSACTIONS));
        one.carryOut();
        expect(one.end(producer, committed)).to.deep.equal({ kind: 'end', producerId: producer.producerId, producerEpoch: 1 });
        expect(one.end(producer, !committed)).to.deep.equal(refused(ErrorCode.INVALID_TXN_STATE));
      });

      it(`${complete}: answers an older client that asks again, and not one that wants the other end`, () => {
        const one = new Transactions();
        const producer = one.producer('id');
        one.add(producer, T0, 0);
        one.end(producer, committed, 0);
        expect(one.end(producer, committed, 0)).to.deep.equal(refused(ErrorCode.CONCURRENT_TRANSACTIONS));
        expect(one.end({ ...producer, producerId: 7 }, committed, 0)).to.deep.equal(
          refused(ErrorCode.INVALID_PRODUCER_ID_MAPPING),
        );
        one.carryOut();
        expect(one.end(producer, committed, 0)).to.deep.equal({ kind: 'end', producerId: -1, producerEpoch: -1 });
        expect(one.end(producer, !committed, 0)).to.deep.equal(refused(ErrorCode.INVALID_TXN_STATE));
      });
    }

    it('refuses who is not its producer, and an id that is not known', () => {
      for (const clientVersion of [0, 2]) {
        const one = new Transactions();
        const producer = one.producer('id');
        one.add(producer, T0, clientVersion);
        const end = (over: Partial<Producer>) => one.end({ ...producer, ...over }, true, clientVersion);
        expect(end({ transactionalId: 'nobody' })).to.deep.equal(refused(ErrorCode.INVALID_PRODUCER_ID_MAPPING));
        expect(end({ producerId: 7 })).to.deep.equal(refused(ErrorCode.INVALID_PRODUCER_ID_MAPPING));
        expect(end({ producerEpoch: 7 })).to.deep.equal(refused(ErrorCode.PRODUCER_FENCED));
        expect(one.transaction('id').state).to.equal('Ongoing');
      }
    });

    it('that nothing was added to: version 2 may abort it, and its epoch rises', () => {
      const one = new Transactions();
      const producer = one.producer('id');
      expect(one.end(producer, true)).to.deep.equal(refused(ErrorCode.INVALID_TXN_STATE));
      expect(one.end(producer, false, 0)).to.deep.equal(refused(ErrorCode.INVALID_TXN_STATE));
      one.advance(3);
      expect(one.end(producer, false)).to.deep.equal({ kind: 'end', producerId: producer.producerId, producerEpoch: 1 });
      expect(one.transaction('id')).to.include({ state: 'CompleteAbort', startMs: one.now.timeMs });
      const next = { ...producer, producerEpoch: 1 };
      expect(one.end(next, false), 'once more').to.deep.equal({ kind: 'end', producerId: producer.producerId, producerEpoch: 2 });
      expect(one.log.map(({ transaction }) => transaction?.state)).to.deep.equal([
        'Empty',
        'PrepareAbort',
        'CompleteAbort',
        'PrepareAbort',
        'CompleteAbort',
      ]);
    });

    it('with the last epoch, and the producer goes on under another id', () => {
      const { one, producer } = agedTo(LAST_GIVEN_EPOCH);
      one.add(producer, T0);
      const expected = { kind: 'end', producerId: 1001, producerEpoch: 0 };
      expect(one.end(producer, true)).to.deep.equal(expected);
      expect(one.transaction('id')).to.include({
        producerEpoch: MAX_EPOCH,
        nextProducerId: 1001,
        producerId: producer.producerId,
      });
      one.carryOut();
      expect(one.transaction('id')).to.include({
        state: 'CompleteCommit',
        producerId: 1001,
        producerEpoch: 0,
        nextProducerId: -1,
      });
      expect(one.end(producer, true), 'asks again').to.deep.equal(expected);
      expect(one.end(producer, false)).to.deep.equal(refused(ErrorCode.INVALID_TXN_STATE));
    });
  });

  describe('when time passes', () => {
    it('aborts what has run out of it, at the next look, and fences its producer', () => {
      const one = new Transactions();
      const producer = one.producer('id');
      one.add(producer, T0);
      one.advance(60_000);
      expect(one.transaction('id').state).to.equal('Ongoing');
      one.advance(10_000);
      expect(one.transaction('id')).to.include({ state: 'PrepareAbort', producerEpoch: 1 });
      one.carryOut();
      expect(one.transaction('id').state).to.equal('CompleteAbort');
      expect(one.end(producer, true)).to.deep.equal(refused(ErrorCode.INVALID_TXN_STATE));
      expect(one.add(producer, T0)).to.deep.equal(refused(ErrorCode.PRODUCER_FENCED));
    });

    it('aborts all of them, and those whose epochs are used up with a fresh producer id', () => {
      const { one, producer } = agedTo(LAST_GIVEN_EPOCH);
      one.add(producer, T0);
      for (const id of ['a', 'b', 'c']) one.add(one.producer(id), T0);
      one.advance(70_001);
      one.carryOut();
      for (const id of ['id', 'a', 'b', 'c']) expect(one.transaction(id).state).to.equal('CompleteAbort');
      expect(one.transaction('id').producerEpoch).to.equal(0);
      expect(one.transaction('id').producerId).to.be.greaterThan(producer.producerId);
    });

    it('never aborts one that takes part in a two-phase commit', () => {
      const one = new Transactions();
      one.init('id', undefined, TWO_PHASE_TIMEOUT_MS);
      one.add({ transactionalId: 'id', producerId: 1000, producerEpoch: 0 }, T0);
      one.advance(86_400_000);
      expect(one.transaction('id').state).to.equal('Ongoing');
    });

    it('goes on to look after a load', () => {
      const one = new Transactions();
      one.add(one.producer('id'), T0);
      one.reload();
      one.advance(70_000);
      expect(one.transaction('id').state).to.equal('PrepareAbort');
    });

    it('tries again when the partition refuses the abort', () => {
      const one = new Transactions();
      one.add(one.producer('id'), T0);
      one.isRefusing = true;
      one.advance(100_000);
      expect(one.transaction('id').state).to.equal('Ongoing');
      one.isRefusing = false;
      one.advance(10_000);
      expect(one.transaction('id').state).to.equal('PrepareAbort');
    });

    it('forgets ids that nobody uses, and none that is open', () => {
      const one = new Transactions({ transactionalIdExpirationMs: 10_000_000 });
      one.producer('idle');
      one.init('open', undefined, TWO_PHASE_TIMEOUT_MS);
      one.add({ transactionalId: 'open', producerId: 1001, producerEpoch: 0 }, T0);
      one.advance(9_000_000);
      expect([...one.machine.lasting.transactions.keys()]).to.deep.equal(['idle', 'open']);
      one.advance(3_600_000);
      expect([...one.machine.lasting.transactions.keys()]).to.deep.equal(['open']);
      expect(one.log.at(-1)).to.deep.equal({ transactionalId: 'idle', transaction: null });
    });
  });

  it('carries out what was decided after a load, from whatever point', () => {
    for (const committed of [true, false]) {
      const one = new Transactions();
      const producer = one.producer('id');
      one.add(producer, partitions('t', 0, 1));
      one.end(producer, committed);
      const { producerId } = producer;
      one.ask({ kind: 'marked', transactionalId: 'id', producerId, producerEpoch: 1, partitions: T0 });
      one.reload();
      expect(one.effects.map((effect) => effect.kind === 'writeMarkers' && effect.partitions)).to.deep.equal([
        partitions('t', 0, 1),
      ]);
      one.carryOut();
      expect(one.transaction('id').state).to.equal(committed ? 'CompleteCommit' : 'CompleteAbort');
    }
    const empty = new Transactions();
    const producer = empty.producer('id');
    empty.end(producer, false);
    empty.log.pop();
    empty.reload();
    empty.advance(0);
    expect(empty.transaction('id').state).to.equal('CompleteAbort');
  });

  it('writes the end later when the partition refuses it now', () => {
    const one = new Transactions();
    const producer = one.producer('id');
    one.add(producer, T0);
    one.end(producer, true);
    one.isRefusing = true;
    one.carryOut();
    one.advance(500);
    expect(one.transaction('id').state).to.equal('PrepareCommit');
    one.isRefusing = false;
    one.advance(100);
    expect(one.transaction('id').state).to.equal('CompleteCommit');
  });

  it('describes and lists', () => {
    const one = new Transactions();
    one.add(one.producer('open'), T0);
    one.producer('idle');
    one.advance(100);
    const list = (over: object) => {
      const reply = one.ask({
        kind: 'list',
        filter: { producerIds: new Set<number>(), states: undefined, durationMs: -1, matches: () => true, ...over },
      });
      return reply.kind === 'list' ? reply.transactions.map(({ transactionalId }) => transactionalId) : reply;
    };
    expect(list({})).to.deep.equal(['open', 'idle']);
    expect(list({ producerIds: new Set([1001]) })).to.deep.equal(['idle']);
    expect(list({ states: new Set(['Ongoing', 'nonsense']) })).to.deep.equal(['open']);
    expect(list({ states: new Set() })).to.deep.equal([]);
    expect(list({ durationMs: 99 })).to.deep.equal(['open', 'idle']);
    expect(list({ durationMs: 100 }), 'one without a start is older than all').to.deep.equal(['idle']);
    expect(list({ matches: (id: string) => id === 'open' })).to.deep.equal(['open']);
    expect(one.ask({ kind: 'describe', transactionalId: 'nobody' })).to.deep.equal(refused(ErrorCode.TRANSACTIONAL_ID_NOT_FOUND));
  });

  it('keeps its invariants whatever clients, time and disks do, and a replay gives the same (random)', () => {
    for (let seed = 1; seed <= 60; seed++) {
      try {
        runRandom(seed);
      } catch (error) {
        throw new Error(`seed ${seed}: ${error instanceof Error ? error.message : String(error)}`, { cause: error });
      }
    }
  });
});

/** Three ids, clients of both versions, some of which have missed the news; markers come late or twice; the coordinator is loaded anew now and then. */
function runRandom(seed: number): void {
  const random = new SeededRandom(seed);
  const one = new Transactions({ transactionVersion: random.below(3), transactionalIdExpirationMs: 5_000_000 });
  const known: Producer[] = [];
  const any = <T>(list: readonly T[]): T | undefined => list[random.below(Math.max(1, list.length))];
  for (let turn = 0; turn < 400; turn++) {
    const transactionalId = `id-${random.below(3)}`;
    const producer = any(known.slice(-6)) ?? { transactionalId, producerId: 1, producerEpoch: 0 };
    const clientVersion = random.below(2) * 2;
    switch (random.below(9)) {
      case 0: {
        const answer = one.init(transactionalId, random.below(2) === 0 ? undefined : producer);
        if (answer.kind === 'init')
          known.push({ transactionalId, producerId: answer.producerId, producerEpoch: answer.producerEpoch });
        break;
      }
      case 1:
      case 2:
      case 3:
        one.add(producer, partitions(`t${random.below(2)}`, random.below(3)), clientVersion);
        break;
      case 4:
      case 5: {
        const answer = one.end(producer, random.below(2) === 0, clientVersion);
        if (answer.kind === 'end' && answer.producerId >= 0) known.push({ ...producer, ...answer });
        break;
      }
      case 6: {
        const effect = any(one.effects);
        if (effect?.kind === 'writeMarkers') one.ask({ ...effect, kind: 'marked' });
        if (random.below(3) === 0) one.effects.shift();
        break;
      }
      case 7:
        one.isRefusing = random.below(4) === 0;
        one.advance(random.below(30_000));
        break;
      default:
        if (random.below(5) === 0) reloadAndCompare(one);
    }
  }
  one.isRefusing = false;
  one.reload();
  one.carryOut();
  one.advance(1000);
  for (const [id, { state }] of one.machine.lasting.transactions)
    if (state.startsWith('Prepare')) throw new Error(`${id} stays in ${state}`);
}

function reloadAndCompare(one: Transactions): void {
  const before = new Map(
    [...one.machine.lasting.transactions].map(([id, transaction]) => [
      id,
      asRead({ transactionalId: id, transaction }).transaction,
    ]),
  );
  one.reload();
  expect(new Map(one.machine.lasting.transactions)).to.deep.equal(before);
}

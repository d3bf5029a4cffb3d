import { expect } from 'chai';
import { ProducerState } from '../../src/log/producer-state.ts';
import type { VerificationGuard } from '../../src/log/verification.ts';
import { ErrorCode } from '../../src/wire/generated/errors.ts';
import { MAX_TIMESTAMP_AT, RecordBatch } from '../../src/wire/record-batch.ts';
import { FakeFiles } from '../sim/fake-files.ts';
import { batch, type BatchOptions, marker } from './log-fixture.ts';

const MAX_SEQUENCE = 0x7fff_ffff;

class Fixture {
  readonly files = new FakeFiles();
  readonly state: ProducerState;
  private offset = 0;

  constructor(expirationMs = Number.MAX_SAFE_INTEGER, verifiesTransactions = false) {
    this.files.makeDirectory('/d');
    this.state = new ProducerState({ files: this.files, directory: '/d', where: 'topic-0', expirationMs, verifiesTransactions });
  }

  private at(bytes: Buffer): RecordBatch {
    const placed = new RecordBatch(bytes);
    placed.setBaseOffset(this.offset);
    return placed;
  }

  /** Appends as a client; the first offset, 'duplicate', or the error. */
  send(o: BatchOptions, verificationGuard?: VerificationGuard): number | string {
    return this.add(this.at(batch({ producerId: 1, producerEpoch: 0, ...o })), 'client', 0, verificationGuard);
  }

  end(epoch: number, kind: 'commit' | 'abort', coordinatorEpoch = 0, transactionVersion = 0): number | string {
    return this.add(this.at(marker(1, epoch, kind, coordinatorEpoch)), 'coordinator', transactionVersion);
  }

  /** Asks for what a first batch of producer 1 needs: a guard, nothing, or the error. */
  verify(producerEpoch: number, baseSequence: number, bumpsEpochs = true, nowMs = 0): VerificationGuard | undefined | string {
    const result = this.state.startVerification({ producerId: 1, producerEpoch, baseSequence, bumpsEpochs }, nowMs);
    return 'error' in result ? nameOf(result.error) : result.guard;
  }

  guard(producerEpoch: number, baseSequence: number, bumpsEpochs = true, nowMs = 0): VerificationGuard {
    const guard = this.verify(producerEpoch, baseSequence, bumpsEpochs, nowMs);
    if (guard === undefined || typeof guard === 'string') throw new Error(`no guard but ${guard}`);
    return guard;
  }

  private add(
    placed: RecordBatch,
    origin: 'client' | 'coordinator',
    transactionVersion = 0,
    verificationGuard?: VerificationGuard,
  ): number | string {
    const check = this.state.check([placed], { origin, transactionVersion, verificationGuard });
    if (check.kind === 'refused') return ErrorCode[check.error as never] ?? nameOf(check.error);
    if (check.kind === 'duplicate') return 'duplicate';
    if (check.staged !== undefined) this.state.apply(check.staged, () => undefined);
    this.offset = placed.lastOffset + 1;
    this.state.endOffset = this.offset;
    return placed.baseOffset;
  }
}

const nameOf = (code: number): string => Object.entries(ErrorCode).find(([, value]) => value === code)?.[0] ?? String(code);

describe('Producer state: sequences', () => {
  it('takes what follows, refuses gaps and old ones that are forgotten', () => {
    const f = new Fixture();
    expect(f.send({ baseSequence: 0, count: 3 })).to.equal(0);
    expect(f.send({ baseSequence: 3 })).to.equal(3);
    expect(f.send({ baseSequence: 5 })).to.equal('OUT_OF_ORDER_SEQUENCE_NUMBER');
    expect(f.send({ baseSequence: 3 })).to.equal('duplicate');
    expect(f.send({ baseSequence: 0, count: 3 })).to.equal('duplicate');
    expect(f.send({ baseSequence: 0, count: 2 })).to.equal('OUT_OF_ORDER_SEQUENCE_NUMBER');
  });

  it('takes any first sequence of a producer that is not known', () => {
    const f = new Fixture();
    expect(f.send({ baseSequence: 17 })).to.equal(0);
    expect(f.send({ baseSequence: 18 })).to.equal(1);
  });

  it('wraps around after 2^31 - 1', () => {
    const f = new Fixture();
    expect(f.send({ baseSequence: MAX_SEQUENCE - 1, count: 4 })).to.equal(0);
    expect(f.state.get(1)?.lastSequence).to.equal(1);
    expect(f.send({ baseSequence: MAX_SEQUENCE - 1, count: 4 })).to.equal('duplicate');
    expect(f.send({ baseSequence: 2 })).to.equal(4);
    const exact = new Fixture();
    expect(exact.send({ baseSequence: MAX_SEQUENCE })).to.equal(0);
    expect(exact.send({ baseSequence: 0 })).to.equal(1);
  });

  it('begins anew with a higher epoch and refuses a lower one', () => {
    const f = new Fixture();
    f.send({ baseSequence: 0, producerEpoch: 3 });
    expect(f.send({ baseSequence: 4, producerEpoch: 4 })).to.equal('OUT_OF_ORDER_SEQUENCE_NUMBER');
    expect(f.send({ baseSequence: 0, producerEpoch: 4 })).to.equal(1);
    expect(f.send({ baseSequence: 1, producerEpoch: 3 })).to.equal('INVALID_PRODUCER_EPOCH');
    expect(f.state.get(1)?.batches).to.have.length(1);
  });

  it('forgets producers that have not written for long, but none with an open transaction', () => {
    const f = new Fixture(1000);
    f.send({ baseSequence: 0, timestamp: 5000 });
    f.state.removeExpired(5999);
    expect(f.state.count).to.equal(1);
    f.state.removeExpired(6000);
    expect(f.state.count).to.equal(0);
    f.send({ baseSequence: 9, timestamp: 5000, transactional: true });
    f.state.removeExpired(60_000);
    expect(f.state.count).to.equal(1);
  });
});

describe('Producer state: transactions', () => {
  it('is unstable from the first batch until the end is below the high watermark', () => {
    const f = new Fixture();
    f.send({ producerId: 2, baseSequence: 0 });
    expect(f.state.firstUnstableOffset).to.equal(undefined);
    f.send({ baseSequence: 0, transactional: true });
    f.send({ baseSequence: 1, transactional: true });
    expect(f.state.firstUnstableOffset).to.equal(1);
    expect(f.end(0, 'commit')).to.equal(3);
    expect(f.state.firstUnstableOffset).to.equal(1);
    f.state.onHighWatermark(3);
    expect(f.state.firstUnstableOffset).to.equal(1);
    f.state.onHighWatermark(4);
    expect(f.state.firstUnstableOffset).to.equal(undefined);
  });

  it('refuses a plain batch inside a transaction', () => {
    const f = new Fixture();
    f.send({ baseSequence: 0, transactional: true });
    expect(f.send({ baseSequence: 1 })).to.equal('INVALID_TXN_STATE');
  });

  it('takes the first batch of a transaction with the guard of its verification alone', () => {
    const f = new Fixture(Number.MAX_SAFE_INTEGER, true);
    const first = { baseSequence: 0, transactional: true };
    expect(f.send(first)).to.equal('INVALID_TXN_STATE');
    const guard = f.guard(0, 0);
    expect(f.guard(0, 0)).to.equal(guard);
    expect(f.send(first)).to.equal('INVALID_TXN_STATE');
    expect(f.send(first, guard)).to.equal(0);
    expect(f.verify(0, 1), 'needs none once the transaction is open').to.equal(undefined);
    expect(f.send({ baseSequence: 1, transactional: true })).to.equal(1);
    expect(f.end(1, 'commit', 0, 2)).to.equal(2);
    expect(f.send({ producerEpoch: 1, baseSequence: 0, transactional: true }, guard)).to.equal('INVALID_TXN_STATE');
  });

  it('takes the guard away when a marker comes in between, unless it ends the transaction before', () => {
    const f = new Fixture(Number.MAX_SAFE_INTEGER, true);
    const first = { baseSequence: 0, transactional: true };
    const late = f.guard(0, 0, false);
    f.end(0, 'abort');
    expect(f.send(first, late), 'the marker of a timeout').to.equal('INVALID_TXN_STATE');
    const next = f.guard(1, 0);
    f.end(1, 'abort', 0, 2);
    expect(f.send({ ...first, producerEpoch: 1 }, next), 'the end of the one before').to.equal(2);
  });

  it('lets nothing be written ahead of the lowest sequence that waits for its verification', () => {
    const f = new Fixture(Number.MAX_SAFE_INTEGER, true);
    const guard = f.guard(0, 3, false);
    f.guard(0, 0, false);
    expect(f.send({ baseSequence: 3, transactional: true }, guard)).to.equal('OUT_OF_ORDER_SEQUENCE_NUMBER');
    expect(f.send({ baseSequence: 0, transactional: true, count: 3 }, guard)).to.equal(0);
    expect(f.send({ baseSequence: 3, transactional: true })).to.equal(3);
  });

  it('wants sequence 0 of a producer without state whose epochs are bumped, and any of another', () => {
    const f = new Fixture(Number.MAX_SAFE_INTEGER, true);
    expect(f.send({ baseSequence: 5, transactional: true }, f.guard(0, 5, true))).to.equal('OUT_OF_ORDER_SEQUENCE_NUMBER');
    const older = new Fixture(Number.MAX_SAFE_INTEGER, true);
    expect(older.send({ baseSequence: 5, transactional: true }, older.guard(0, 5, false))).to.equal(0);
  });

  it('refuses an older epoch before it asks anybody, and forgets verifications with the silent producers', () => {
    const f = new Fixture(1000, true);
    f.send({ producerEpoch: 4, baseSequence: 0 });
    expect(f.verify(3, 0)).to.equal('INVALID_PRODUCER_EPOCH');
    const guard = f.guard(4, 1, false, 100);
    f.state.removeExpired(1100);
    expect(f.send({ producerEpoch: 4, baseSequence: 1, transactional: true }, guard)).to.equal('INVALID_TXN_STATE');
  });

  it('refuses markers of an older epoch or coordinator; version 2 wants a higher epoch', () => {
    const f = new Fixture();
    f.send({ baseSequence: 0, producerEpoch: 5, transactional: true });
    expect(f.end(4, 'abort')).to.equal('INVALID_PRODUCER_EPOCH');
    expect(f.end(5, 'abort', 0, 2)).to.equal('INVALID_PRODUCER_EPOCH');
    expect(f.end(6, 'abort', 3, 2)).to.equal(1);
    expect(f.end(6, 'abort', 3, 2)).to.equal(2);
    expect(f.end(6, 'abort', 2)).to.equal('TRANSACTION_COORDINATOR_FENCED');
    expect(f.send({ baseSequence: 0, producerEpoch: 5 })).to.equal('INVALID_PRODUCER_EPOCH');
  });
});

describe('Producer state: snapshots', () => {
  it('comes back from its snapshot, open transactions included', () => {
    const f = new Fixture();
    f.send({ baseSequence: 0, count: 4 });
    f.send({ producerId: 2, baseSequence: 7, transactional: true });
    f.state.takeSnapshot();
    const again = new ProducerState({ files: f.files, directory: '/d', where: 'topic-0', expirationMs: Number.MAX_SAFE_INTEGER });
    again.truncateAndReload(0, 5, 0);
    expect(again.endOffset).to.equal(5);
    expect(again.firstUnstableOffset).to.equal(4);
    expect(again.get(1)?.lastBatch).to.deep.include({ lastSequence: 3, lastOffset: 3, offsetDelta: 3 });
  });

  it('takes nothing from a batch in the log whose numbers no append would have taken', () => {
    const f = new Fixture();
    f.send({ baseSequence: 0 });
    const damaged = batch({ producerId: 9, producerEpoch: 0, baseSequence: 0 });
    damaged.writeBigInt64BE(-2_982_127_133_712_646_000n, MAX_TIMESTAMP_AT);
    f.state.replay(new RecordBatch(damaged));
    expect(f.state.get(9)).to.equal(undefined);
    expect(f.state.takeSnapshot()).to.be.a('string');
  });

  it('drops a damaged snapshot and takes the one before', () => {
    const f = new Fixture();
    f.send({ baseSequence: 0 });
    f.state.takeSnapshot();
    f.send({ baseSequence: 1 });
    const path = f.state.takeSnapshot() ?? '';
    const bytes = f.files.readFile(path);
    bytes[20] = (bytes[20] ?? 0) ^ 1;
    f.files.writeFile(path, bytes);
    const again = new ProducerState({ files: f.files, directory: '/d', where: 'topic-0', expirationMs: Number.MAX_SAFE_INTEGER });
    again.truncateAndReload(0, 9, 0);
    expect(again.endOffset).to.equal(1);
    expect(f.files.stat(path)).to.equal(undefined);
  });
});

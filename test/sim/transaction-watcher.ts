/**
 * Looks into the logs whether transactions are what they should be: files against memory, partitions against each other and against the coordinator's own log,
 * and all of them against what clients were told.
 */
import { isAtRest, isPrepared, type Transaction } from '../../src/machine/transaction/transaction.ts';
import type { Log } from '../../src/log/log.ts';
import type { Watcher } from './simulated-world.ts';
import { abortedIn, firstUnstable, type Span, spansOf, statesIn } from './transaction-log.ts';
import { isSame, numberIn, type TransactionModel } from './transaction-model.ts';
import { demand } from './violation.ts';

const OFFSETS_TOPIC = '__consumer_offsets';
const STATE_TOPIC = '__transaction_state';

export class TransactionWatcher implements Watcher {
  private readonly transactions: TransactionModel;
  private readonly lastStableOffsets = new Map<string, number>();
  /** High watermarks of the coordinator's own log. */
  private readonly stateEnds = new Map<string, number>();
  private hasStateMoved = false;
  /** Times that a transaction was seen, not for the first time, whose end stood in one partition while another took nothing: it must not be called complete. */
  partlyMarked = 0;
  private readonly metPartlyMarked = new Set<string>();

  constructor(transactions: TransactionModel) {
    this.transactions = transactions;
  }

  /** Transactions that nobody can have ended hold the last stable offset back, and it never falls. */
  check(log: Log): void {
    const name = `${log.topic}-${log.partition}`;
    const { lastStableOffset } = log;
    const before = this.lastStableOffsets.get(name) ?? 0;
    demand(lastStableOffset >= before, () => `${name}: the last stable offset falls from ${before} to ${lastStableOffset}`);
    this.lastStableOffsets.set(name, lastStableOffset);
    if (log.topic === STATE_TOPIC && this.stateEnds.get(name) !== log.highWatermark) {
      this.stateEnds.set(name, log.highWatermark);
      this.hasStateMoved = true;
    }
    const open = this.transactions.firstOpenOffset(name);
    demand(
      lastStableOffset <= open,
      () => `${name}: a transaction is open from ${open}, and the last stable offset is ${lastStableOffset}`,
    );
  }

  /** Where the coordinator has written something: no marker stands anywhere before the decision, and none is wanting after the end. */
  checkTogether(all: Iterable<Log>): void {
    if (!this.hasStateMoved) return;
    this.hasStateMoved = false;
    const logs = [...all];
    const decided = new Set<string>();
    const newest = new Map<string, Transaction>();
    for (const { id, transaction } of statesIn(logs.filter(({ topic }) => topic === STATE_TOPIC))) {
      if (transaction === null) continue;
      const { state, producerId, producerEpoch } = transaction;
      newest.set(id, transaction);
      if (isPrepared(transaction))
        decided.add(`${producerId} ${producerEpoch} ${state === 'PrepareCommit' ? 'Commit' : 'Abort'}`);
    }
    const atRest = new Map([...newest].filter(([, one]) => isAtRest(one)).map(([id, { producerId }]) => [producerId, id]));
    const prepared = new Map([...newest.values()].filter(isPrepared).map((one) => [one.producerId, one.producerEpoch]));
    const [refused, marked] = [new Set<number>(), new Set<number>()];
    for (const log of logs) {
      if (log.topic === STATE_TOPIC || log.topic.startsWith('__cluster')) continue;
      for (const { producerId, firstOffset, end } of spansOf(log, log.highWatermark)) {
        const where = `${log.topic}-${log.partition} at ${firstOffset}`;
        if (end === undefined) {
          const id = atRest.get(producerId);
          demand(id === undefined, () => `${where}: there is no marker yet, and the coordinator says that ${id} is at rest`);
          if (log.config.maxMessageBytes === 0) refused.add(producerId);
        } else {
          const decision = `${producerId} ${end.producerEpoch} ${end.ending}`;
          demand(decided.has(decision), () => `${where}: the marker ${decision} has come before the decision`);
          if (prepared.get(producerId) === end.producerEpoch) marked.add(producerId);
        }
      }
    }
    for (const producerId of marked) {
      if (!refused.has(producerId)) continue;
      const transaction = `${producerId} ${prepared.get(producerId)}`;
      if (this.metPartlyMarked.has(transaction)) this.partlyMarked++;
      this.metPartlyMarked.add(transaction);
    }
  }

  /** Files and memory say the same, and markers in all partitions end a transaction in the same way. */
  checkThoroughly(log: Log): void {
    const name = `${log.topic}-${log.partition}`;
    if (log.failure !== undefined || name.startsWith('__cluster')) return;
    const { highWatermark, lastStableOffset } = log;
    const spans = spansOf(log, highWatermark);
    const unstable = Math.min(highWatermark, firstUnstable(spans));
    demand(
      lastStableOffset === unstable,
      () => `${name}: the last stable offset is ${lastStableOffset}, in the files ${unstable}`,
    );
    const listed = log
      .abortedTransactions(0, highWatermark)
      .filter(({ lastOffset }) => lastOffset < highWatermark)
      .map((one) => [one.producerId, one.firstOffset, one.lastOffset, one.lastStableOffset]);
    const [found, wanted] = [JSON.stringify(listed), JSON.stringify(abortedIn(spans))];
    demand(found === wanted, () => `${name}: the list of aborted transactions is ${found}, and the markers say ${wanted}`);
    if (log.topic !== STATE_TOPIC) this.seeSpans(name, spans);
  }

  private seeSpans(name: string, spans: readonly Span[]): void {
    const met = new Map<number, Span>();
    for (const span of spans) {
      const numbers = new Set(span.records.map(({ value, offset }) => numberIn(value, `${name} at ${offset}`)));
      const [number = -1, another] = numbers;
      const where = `${name} at ${span.firstOffset}`;
      demand(another === undefined, () => `${where}: one marker ends the transactions ${[...numbers].join()}`);
      demand(!met.has(number), () => `${where}: transaction ${number} goes on after its end`);
      met.set(number, span);
      const attempt = this.transactions.attempts[number];
      demand(
        attempt !== undefined && isSame(attempt.identity, span),
        () => `${where}: transaction ${number} is written as producer ${span.producerId} of epoch ${span.producerEpoch}`,
      );
      if (span.end !== undefined) this.transactions.see(number, span.end.ending, where);
    }
    if (name.startsWith(OFFSETS_TOPIC)) return;
    for (const attempt of this.transactions.attempts) {
      if (attempt.acknowledged !== 'Commit') continue;
      const place = attempt.places.get(name);
      if (place === undefined) continue;
      const found = new Set(met.get(attempt.number)?.records.map(({ value }) => value));
      const lost = place.values.find((value) => !found.has(value));
      demand(lost === undefined, () => `${name}: ${lost?.slice(0, 30)} of the committed transaction ${attempt.number} is lost`);
    }
  }

  /** At the end, everything having been given its time: nothing is open, and what was committed was read. */
  checkEnd(log: Log): void {
    const name = `${log.topic}-${log.partition}`;
    const { lastStableOffset, highWatermark } = log;
    demand(
      lastStableOffset === highWatermark,
      () => `${name}: a transaction hangs at ${lastStableOffset}, below the high watermark ${highWatermark}`,
    );
  }

  /** All that a reader of committed records got of a partition from its beginning, in order. */
  checkRead(log: Log, read: readonly string[]): void {
    const name = `${log.topic}-${log.partition}`;
    const committed = spansOf(log, log.highWatermark).filter(({ end }) => end?.ending === 'Commit');
    const wanted = committed.flatMap(({ records }) => records).toSorted((a, b) => a.offset - b.offset);
    const first = wanted.findIndex(({ value }, i) => value !== read[i]);
    demand(
      first < 0 && read.length === wanted.length,
      () => `${name}: readers of committed records get ${read.length}, and ${wanted.length} are; other from number ${first} on`,
    );
  }
}

/** A transaction machine with a log and a clock that tests move: what is decided is applied and committed at once, unless a test holds it back. */
import type {
  TransactionAfter,
  TransactionConfig,
  TransactionEffect,
  TransactionInput,
  TransactionRecord,
  TransactionReply,
} from '../../../src/machine/transaction/input.ts';
import { PREVIOUS_STATES, type TopicPartitions, type Transaction } from '../../../src/machine/transaction/transaction.ts';
import { TransactionMachine, type TransactionStep } from '../../../src/machine/transaction/transaction-machine.ts';
import { violations } from './invariants.ts';

export const CONFIG: TransactionConfig = {
  transactionVersion: 2,
  transactionalIdExpirationMs: 604_800_000,
  removeExpiredIntervalMs: 3_600_000,
  abortTimedOutIntervalMs: 10_000,
};

export const START_MS = 1_700_000_000_000;

export interface Producer {
  readonly transactionalId: string;
  readonly producerId: number;
  readonly producerEpoch: number;
}

export const partitions = (topic: string, ...indexes: readonly number[]): TopicPartitions => new Map([[topic, new Set(indexes)]]);

export class Transactions {
  machine: TransactionMachine;
  readonly log: TransactionRecord[] = [];
  readonly effects: TransactionEffect[] = [];
  elapsedMs = 0;
  wakeAtMs = Number.POSITIVE_INFINITY;
  /** The partition refuses everything. */
  isRefusing = false;
  #config: TransactionConfig;
  #nextRequestId = 0;
  #nextProducerId = 1000;

  constructor(config: Partial<TransactionConfig> = {}) {
    this.#config = { ...CONFIG, ...config };
    this.machine = new TransactionMachine(this.#config);
    this.#take(this.machine.loaded(this.now));
  }

  get now() {
    return { timeMs: START_MS + this.elapsedMs, monotonicMs: this.elapsedMs };
  }

  transaction(transactionalId: string): Transaction {
    const transaction = this.machine.lasting.transactions.get(transactionalId);
    if (transaction === undefined) throw new Error(`there is no ${transactionalId}`);
    return transaction;
  }

  /** A new machine over the same log. */
  reload(config: Partial<TransactionConfig> = {}): void {
    this.#config = { ...this.#config, ...config };
    this.machine = new TransactionMachine(this.#config);
    this.effects.length = 0;
    for (const record of this.log) this.machine.apply(asRead(record));
    this.#take(this.machine.loaded(this.now));
  }

  freshProducerId(): number {
    return this.#nextProducerId++;
  }

  ask(input: TransactionInput): TransactionReply {
    const requestId = this.#nextRequestId++;
    const step = this.machine.step(requestId, input, this.now);
    const [answered, ...more] = step.replies;
    if (answered === undefined || more.length > 0 || answered.requestId !== requestId) throw new Error('not answered once');
    this.#take(step);
    return answered.reply;
  }

  /** Time goes on, and the machine is woken whenever it wants to be. */
  advance(ms: number): void {
    const until = this.elapsedMs + ms;
    for (let turn = 0; this.wakeAtMs <= until; turn++) {
      if (turn > 100_000) throw new Error('the machine wants to be woken without end');
      this.elapsedMs = Math.max(this.elapsedMs, this.wakeAtMs);
      this.#take(this.machine.wake(this.now));
    }
    this.elapsedMs = until;
  }

  init(transactionalId: string, expected?: Omit<Producer, 'transactionalId'>, timeoutMs = 60_000): TransactionReply {
    const input = { kind: 'init', transactionalId, timeoutMs, expected } as const;
    const answer = this.ask({ ...input, freshProducerId: undefined });
    return answer.kind === 'needsProducerId' ? this.ask({ ...input, freshProducerId: this.freshProducerId() }) : answer;
  }

  producer(transactionalId: string): Producer {
    const answer = this.init(transactionalId);
    if (answer.kind !== 'init') throw new Error(`no producer: ${JSON.stringify(answer)}`);
    return { transactionalId, producerId: answer.producerId, producerEpoch: answer.producerEpoch };
  }

  add(producer: Producer, added: TopicPartitions, clientVersion = 2): TransactionReply {
    return this.ask({ kind: 'add', ...producer, partitions: added, clientVersion });
  }

  end(producer: Producer, committed: boolean, clientVersion = 2): TransactionReply {
    const input = { kind: 'end', ...producer, committed, clientVersion } as const;
    const answer = this.ask({ ...input, freshProducerId: undefined });
    return answer.kind === 'needsProducerId' ? this.ask({ ...input, freshProducerId: this.freshProducerId() }) : answer;
  }

  /** Carries out all effects: markers are written everywhere, producer ids given. */
  carryOut(): void {
    for (let effect = this.effects.shift(); effect !== undefined; effect = this.effects.shift()) {
      if (effect.kind === 'writeMarkers') this.ask({ ...effect, kind: 'marked' });
      else if (effect.kind === 'abortTimedOut') this.ask({ ...effect, freshProducerId: this.freshProducerId() });
    }
  }

  #take(step: TransactionStep): void {
    this.wakeAtMs = step.wakeAtMs;
    if (this.isRefusing && step.records.length > 0) {
      for (const after of step.after) this.#take(this.machine.notStored(after, 7, this.now));
      return;
    }
    for (const record of step.records) this.#apply(record);
    this.effects.push(...step.effects);
    const broken = violations(this.machine, this.log);
    if (broken.length > 0) throw new Error(broken.join('; '));
    for (const after of step.after) this.#stored(after);
  }

  #stored(after: TransactionAfter): void {
    this.#take(this.machine.stored(after, this.now));
  }

  #apply(record: TransactionRecord): void {
    const before = this.machine.lasting.transactions.get(record.transactionalId);
    const state = record.transaction?.state;
    if (state !== undefined && before !== undefined && !PREVIOUS_STATES[state].has(before.state))
      throw new Error(`from ${before.state} to ${state}`);
    this.log.push(record);
    this.machine.apply(record);
  }
}

/** As the log gives it back. */
export function asRead({ transactionalId, transaction }: TransactionRecord): TransactionRecord {
  return { transactionalId, transaction: transaction && { ...transaction, lastProducerEpoch: -1 } };
}

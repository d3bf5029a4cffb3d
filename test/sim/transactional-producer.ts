/**
 * A producer with a transactional id: begins, sends, sends offsets, commits, aborts, goes away in the midst, and is fenced by another of the same id, or by the
 * clock. Whatever is not answered is asked again in the same words, or the transaction is given up.
 */
import type { Actor } from './actor.ts';
import type { PartitionModel, SentRecord } from './partition-model.ts';
import type { Target } from './producer.ts';
import type { Ending } from './transaction-log.ts';
import { type Attempt, type Identity, tokenOf, type TransactionalId, type TransactionModel } from './transaction-model.ts';
import {
  askForProducer,
  askToAdd,
  askToAddOffsets,
  askToCommitOffsets,
  askToEnd,
  askToWrite,
  type Batch,
  type Outcome,
  type Protocol,
  worst,
} from './transaction-requests.ts';
import { demand } from './violation.ts';

export interface Plan {
  readonly transactions: TransactionModel;
  readonly id: TransactionalId;
  readonly protocol: Protocol;
  readonly timeoutMs: number;
  readonly targets: readonly Target[];
  /** Transactions to try. */
  readonly rounds: number;
}

const MOST_TRIES = 30;
const PADDING = 'x'.repeat(400);

export const keyOf = ({ group }: TransactionalId, { topic, index }: Target): string => `${group}: ${topic.name}-${index}`;

type Worked = 'whole' | 'broken' | 'refused';

export class TransactionalProducer {
  private readonly actor: Actor;
  private readonly plan: Plan;
  private identity: Identity | undefined;
  /** When the identity was asked for. */
  private asked = Number.NaN;
  /** Next sequences of the identity. */
  private readonly sequences = new Map<PartitionModel, number>();
  /** In the older protocol a request that was not answered may still come into the next transaction; the next epoch keeps it out. */
  private isHaunted = false;

  constructor(actor: Actor, plan: Plan) {
    this.actor = actor;
    this.plan = plan;
  }

  async run(): Promise<void> {
    const { actor, plan } = this;
    const { random, world } = actor;
    for (let round = 0; round < plan.rounds; round++) {
      const identity = await this.identify();
      const attempt = plan.transactions.begin(plan.id, identity, plan.timeoutMs, this.asked);
      const worked = await this.work(attempt);
      if (worked === 'refused') {
        await this.comeBackAsGhost(attempt);
        await world.scheduler.sleep(random.below(2000));
      } else if (random.oneIn(10)) {
        // Gone, as with its process: the next one under the id, or the clock, ends what is open.
        this.identity = undefined;
        await world.scheduler.sleep(random.below(random.oneIn(2) ? 100 : 2 * plan.timeoutMs));
      } else await this.end(attempt, worked === 'whole' && !random.oneIn(4) ? 'Commit' : 'Abort', worked);
      await actor.rest();
    }
  }

  private async identify(): Promise<Identity> {
    const { actor, plan } = this;
    const { random } = actor;
    const { id, transactions } = plan;
    if (this.identity !== undefined && !(this.isHaunted && plan.protocol === 'explicit')) return this.identity;
    let expected = random.oneIn(2) ? this.identity : undefined;
    for (;;) {
      const { newest } = id;
      const asked = transactions.willAsk(id);
      const { outcome, identity } = await askForProducer(actor, id, plan.timeoutMs, expected);
      transactions.answered(id, outcome !== 'unknown');
      if (outcome === 'done') {
        transactions.identified(id, identity, newest);
        this.become(identity);
        this.asked = asked;
        return identity;
      }
      if (outcome === 'refused') {
        demand(expected !== undefined, () => `${actor.name}: InitProducerId of nobody in particular is refused`);
        expected = undefined;
      }
      await actor.world.scheduler.sleep(random.between(5, 60));
    }
  }

  private become(identity: Identity | undefined): void {
    if (identity?.producerEpoch !== this.identity?.producerEpoch) this.sequences.clear();
    this.identity = identity;
    this.isHaunted = false;
  }

  private async work(attempt: Attempt): Promise<Worked> {
    const { random } = this.actor;
    const added = new Set<PartitionModel | 'offsets'>();
    const steps = random.between(1, 4);
    for (let step = 0; step < steps; step++) {
      const worked = random.oneIn(3) ? await this.sendOffsets(attempt, added) : await this.send(attempt, added);
      if (worked !== 'whole') return worked;
      await this.actor.rest();
    }
    return 'whole';
  }

  /** Until it is done or refused, or patience is at its end. */
  private async insist(attempt: Attempt, ask: () => Promise<Outcome>): Promise<Worked> {
    const { random, world, name } = this.actor;
    const { transactions } = this.plan;
    for (let tries = 0; tries < MOST_TRIES; tries++) {
      const wasNewest = transactions.isNewest(attempt);
      this.mayLoseConnection();
      const outcome = await ask();
      if (outcome === 'done') {
        demand(wasNewest, () => `${name}: transaction ${attempt.number} goes on, and another producer has its id`);
        return 'whole';
      }
      if (outcome === 'refused') {
        demand(transactions.mayBeFenced(attempt), () => `${name}: transaction ${attempt.number} is refused for no reason`);
        return 'refused';
      }
      if (outcome === 'unknown') {
        this.isHaunted = true;
        if (random.oneIn(5)) return 'broken';
      }
      await world.scheduler.sleep(random.between(5, 60));
    }
    this.isHaunted = true;
    return 'broken';
  }

  /** Now and then what is asked is heard, and the answer is not. */
  private mayLoseConnection(): void {
    const { actor } = this;
    if (actor.random.oneIn(15)) actor.world.scheduler.at(actor.random.below(30), 'connection lost', () => actor.close());
  }

  private async send(attempt: Attempt, added: Set<PartitionModel | 'offsets'>): Promise<Worked> {
    const { actor, plan } = this;
    const { random } = actor;
    const targets = plan.targets.filter(() => random.oneIn(2));
    if (targets.length === 0) targets.push(random.pick(plan.targets));
    if (plan.protocol === 'explicit') {
      const wanted = targets.filter((target) => !added.has(modelOf(target)));
      const worked = wanted.length === 0 ? 'whole' : await this.insist(attempt, () => askToAdd(actor, attempt, wanted));
      if (worked !== 'whole') return worked;
      for (const target of wanted) added.add(modelOf(target));
    }
    const pending = new Set(targets.map((target) => this.draft(attempt, target)));
    const unknown = new Set<Batch>();
    return this.insist(attempt, async () => {
      const answers = await askToWrite(actor, plan.protocol, attempt, [...pending]);
      for (const { batch, outcome, baseOffset } of answers) {
        if (outcome === 'done') {
          pending.delete(batch);
          this.written(attempt, batch, baseOffset);
        } else if (outcome === 'unknown') unknown.add(batch);
        else if (outcome === 'refused' && !unknown.has(batch)) modelOf(batch.target).refuse(batch.records);
      }
      return worst(answers.map(({ outcome }) => outcome));
    });
  }

  private draft(attempt: Attempt, target: Target): Batch {
    const { random, name, world } = this.actor;
    const { id } = this.plan;
    const model = modelOf(target);
    const records = Array.from({ length: random.oneIn(3) ? random.between(2, 5) : 1 }, (): SentRecord => {
      const number = id.records++;
      return {
        value: `${name}:${number} ${tokenOf(attempt)} ${PADDING.slice(0, random.below(random.oneIn(6) ? PADDING.length : 40))}`,
        key: null,
        timestamp: world.scheduler.wallMs(),
        headers: 0,
        order: { producer: id.name, number },
      };
    });
    model.willSend(records);
    return { target, records, baseSequence: this.sequences.get(model) ?? 0 };
  }

  private written(attempt: Attempt, { target, records, baseSequence }: Batch, baseOffset: number): void {
    const model = modelOf(target);
    const values = records.map(({ value }) => value);
    this.sequences.set(model, baseSequence + records.length);
    model.acknowledge(records, baseOffset);
    this.plan.transactions.recordsAcknowledged(attempt, model, values, baseOffset);
  }

  private async sendOffsets(attempt: Attempt, added: Set<PartitionModel | 'offsets'>): Promise<Worked> {
    const { actor, plan } = this;
    if (plan.protocol === 'explicit' && !added.has('offsets')) {
      const worked = await this.insist(attempt, () => askToAddOffsets(actor, attempt));
      if (worked !== 'whole') return worked;
      added.add('offsets');
    }
    const targets = plan.targets.filter(() => actor.random.oneIn(2));
    if (targets.length === 0) targets.push(actor.random.pick(plan.targets));
    const offsets = targets.map((target) => {
      return { target, offset: plan.transactions.willCommitOffset(attempt), metadata: tokenOf(attempt) };
    });
    const worked = await this.insist(attempt, () => askToCommitOffsets(actor, plan.protocol, attempt, offsets));
    if (worked === 'whole') for (const { target, offset } of offsets) attempt.offsets.set(keyOf(plan.id, target), offset);
    return worked;
  }

  private async end(attempt: Attempt, ending: Ending, worked: Worked): Promise<void> {
    const { actor, plan } = this;
    const { id, protocol, transactions } = plan;
    attempt.isEnding = true;
    for (;;) {
      const wasNewest = transactions.isNewest(attempt);
      const { newest } = id;
      if (ending === 'Commit') attempt.commits++;
      this.mayLoseConnection();
      const { outcome, identity } = await askToEnd(actor, protocol, attempt, ending);
      if (outcome === 'done') {
        demand(wasNewest, () => `${actor.name}: transaction ${attempt.number} is ended by a producer that is fenced`);
        transactions.acknowledgeEnd(attempt, ending);
        if (ending === 'Commit') transactions.offsetsCommitted(attempt);
        if (protocol === 'implicit') {
          transactions.identified(id, identity, newest);
          this.become(identity);
        }
        return;
      }
      if (outcome === 'unknown') this.isHaunted = true;
      else if (ending === 'Commit') attempt.commits--;
      if (outcome === 'refused') {
        // What nothing was added to cannot be aborted in the older protocol.
        const isEmpty = protocol === 'explicit' && worked === 'broken';
        demand(
          isEmpty || transactions.mayBeFenced(attempt),
          () => `${actor.name}: the end of transaction ${attempt.number} is refused`,
        );
        return this.comeBackAsGhost(attempt);
      }
      await actor.world.scheduler.sleep(actor.random.between(5, 60));
    }
  }

  /** Whose id another has by now may try what it will: nothing of it happens. */
  private async comeBackAsGhost(attempt: Attempt): Promise<void> {
    const { actor, plan } = this;
    const { random, name } = actor;
    this.become(undefined);
    if (plan.transactions.isNewest(attempt) || random.oneIn(2)) return;
    attempt.isEnding = true;
    let outcome: Outcome;
    if (random.oneIn(2)) outcome = (await askToEnd(actor, plan.protocol, attempt, 'Abort')).outcome;
    else {
      const batch = this.draft(attempt, random.pick(plan.targets));
      modelOf(batch.target).refuse(batch.records);
      outcome = worst((await askToWrite(actor, plan.protocol, attempt, [batch])).map((one) => one.outcome));
    }
    demand(outcome !== 'done', () => `${name}: transaction ${attempt.number} goes on, and another producer has its id`);
  }
}

function modelOf({ topic, index }: Target): PartitionModel {
  const model = topic.partitions[index];
  if (model === undefined) throw new Error(`no model of ${topic.name}-${index}`);
  return model;
}

/**
 * The clients of a run. Writers try transactions of sends and polls over a few partitions, and take transactional ids from each other; copiers read, write and move the offset of
 * a group in one transaction, two to a transactional id; readers only poll. Everything is drawn from a seed; what happens when is up to the machine.
 */
import type { Chance } from '../apache-kafka/differential/stream/chance.ts';
import { type Connection, GaveUp, Refused } from './connection.ts';
import type { Attempt, Move, Outcome, Poll, Send, Step } from './history.ts';
import { committedOffset, fetchCommitted } from './reader.ts';
import { logOf, TransactionalProducer, type Partition, type Style } from './transactional-producer.ts';

export interface Setting {
  readonly events: readonly Partition[];
  readonly copies: readonly Partition[];
  readonly transactionTimeoutMs: number;
  readonly transactionalIds: readonly string[];
  readonly connect: (clientId: string, patienceMs: number) => Connection;
  readonly record: (attempt: Attempt) => void;
  readonly isOver: () => boolean;
  readonly now: () => number;
}

const STEP_PATIENCE_MS = 12_000;
const FETCH_BYTES = 40_000;
const STYLES: readonly Style[] = ['old', 'new', 'new'];

/** Ends early when the run is over. */
async function rest(ms: number, { isOver, now }: Setting): Promise<void> {
  const end = now() + ms;
  while (now() < end && !isOver()) await new Promise((resolve) => setTimeout(resolve, Math.min(100, end - now())));
}

/** Where a client stands in each log; polls of one `session` go on from each other. */
class Positions {
  private readonly offsets = new Map<string, number>();
  private session = 0;
  private readonly owner: string;

  constructor(owner: string) {
    this.owner = owner;
  }

  /** Begins anew, at the start of every log or where it stands. */
  assign(fromStart: boolean): void {
    if (fromStart) this.offsets.clear();
    this.session++;
  }

  async poll(setting: Setting, connection: Connection, of: Partition, maxBytes: number): Promise<Poll> {
    const log = logOf(of);
    const from = this.offsets.get(log) ?? 0;
    const startedAt = setting.now();
    const { entries, next } = await fetchCommitted(connection, of, from, { maxBytes, untilMs: STEP_PATIENCE_MS });
    this.offsets.set(log, next);
    return {
      kind: 'poll',
      log,
      session: `${this.owner}/${this.session}`,
      from,
      next,
      entries,
      startedAt,
      endedAt: setting.now(),
    };
  }
}

/** Keeps the steps of one transaction while it runs. */
class Draft {
  readonly steps: Step[] = [];
  readonly startedAt: number;
  commitAt: number | undefined;
  readonly name: string;
  private values = 0;
  private readonly setting: Setting;

  constructor(setting: Setting, name: string) {
    this.setting = setting;
    this.name = name;
    this.startedAt = setting.now();
  }

  /** Values that nobody else sends, with a weight behind them. */
  fresh(count: number, weight: () => number): string[] {
    return Array.from({ length: count }, () => `${this.name}.${this.values++} ${'.'.repeat(weight())}`);
  }

  /** Each batch is a step of its own; all of them begin and end together. */
  async send(producer: TransactionalProducer, to: Partition, batches: readonly (readonly string[])[]): Promise<void> {
    const startedAt = this.setting.now();
    const at = this.steps.length;
    const sent = batches.map((texts) => {
      const values = texts.map((text) => text.slice(0, text.indexOf(' ')));
      return { kind: 'send', log: logOf(to), values, startedAt } as const;
    });
    this.steps.push(...sent.map((one): Send => ({ ...one, endedAt: undefined, offset: undefined })));
    const offsets = await producer.send(
      to,
      batches.map((texts) => texts.map((text) => Buffer.from(text))),
    );
    for (const [i, one] of sent.entries()) this.steps[at + i] = { ...one, endedAt: this.setting.now(), offset: offsets[i] };
  }

  done(transactionalId: string | null, outcome: Outcome): void {
    const { name, steps, startedAt, commitAt, setting } = this;
    setting.record({ name, transactionalId, steps, startedAt, commitAt, endedAt: setting.now(), outcome });
  }
}

/** Runs `body`, then ends the transaction; says whether the producer has to begin anew. */
async function attempt(
  draft: Draft,
  producer: TransactionalProducer,
  setting: Setting,
  commit: boolean,
  body: () => Promise<void>,
): Promise<boolean> {
  try {
    await body();
  } catch (error) {
    if (!(error instanceof GaveUp || error instanceof Refused)) throw error;
    draft.done(producer.transactionalId, 'aborted');
    return true;
  }
  if (commit) draft.commitAt = setting.now();
  const outcome = await producer.end(commit);
  // An abort without an answer is one all the same: nobody will ask for anything else.
  draft.done(producer.transactionalId, commit ? outcome : 'aborted');
  return outcome === 'unknown' || (commit && outcome === 'aborted');
}

/** Init until it works or the run is over: others may take the id at the same time, the broker may be away. */
async function initialized(producer: TransactionalProducer, setting: Setting, own: boolean): Promise<boolean> {
  for (let keep = own; !setting.isOver(); keep = false) {
    try {
      await producer.init(keep);
      return true;
    } catch (error) {
      if (!(error instanceof GaveUp || error instanceof Refused)) throw error;
    }
  }
  return false;
}

/** `home` is the transactional id that is this writer's own; now and then it takes another's. */
export async function write(name: string, home: string, setting: Setting, chance: Chance): Promise<void> {
  const positions = new Positions(name);
  for (let life = 0; !setting.isOver(); life++) {
    const connection = setting.connect(`${name}-${life}`, 1500 + chance.below(3000));
    const id = chance.often(0.8) ? home : chance.one(setting.transactionalIds);
    const producer = new TransactionalProducer(
      connection,
      id,
      chance.one(STYLES),
      setting.transactionTimeoutMs,
      STEP_PATIENCE_MS,
    );
    positions.assign(chance.often(0.1));
    let mustInit = true;
    let own = false;
    for (let transaction = 0; !setting.isOver(); transaction++) {
      if (mustInit && !(await initialized(producer, setting, own))) break;
      const draft = new Draft(setting, `${name}.${life}.${transaction}`);
      mustInit = await attempt(draft, producer, setting, chance.often(0.85), () =>
        steps(draft, producer, positions, setting, connection, chance),
      );
      own = chance.often(0.3);
      if (!mustInit) mustInit = chance.often(0.02);
      // It dies with a transaction open, or at rest, and comes back under a name of its own choice.
      if (chance.often(mustInit ? 0.5 : 0.02)) break;
      if (chance.often(0.03)) await abandoned(new Draft(setting, `${name}.${life}.${transaction}x`), producer, setting, chance);
    }
    connection.cut();
  }
}

/** Sends something and never ends the transaction. What comes next under the same id has to. */
async function abandoned(draft: Draft, producer: TransactionalProducer, setting: Setting, chance: Chance): Promise<void> {
  try {
    await draft.send(producer, chance.one(setting.events), [draft.fresh(1, () => 10)]);
    await producer.init();
  } catch (error) {
    if (!(error instanceof GaveUp || error instanceof Refused)) throw error;
  }
  draft.done(producer.transactionalId, 'aborted');
}

/** One batch mostly, five at most. */
function batchesOf(draft: Draft, chance: Chance): string[][] {
  const weight = (): number => (chance.often(0.1) ? chance.below(3000) : chance.below(60));
  const count = chance.often(0.7) ? 1 : 1 + chance.below(5);
  return Array.from({ length: count }, () => draft.fresh(1 + chance.below(4), weight));
}

async function steps(
  draft: Draft,
  producer: TransactionalProducer,
  positions: Positions,
  setting: Setting,
  connection: Connection,
  chance: Chance,
): Promise<void> {
  for (let left = 1 + chance.below(5); left > 0; left--) {
    const partition = chance.one(setting.events);
    if (chance.often(0.3)) draft.steps.push(await positions.poll(setting, connection, partition, FETCH_BYTES));
    else await draft.send(producer, partition, batchesOf(draft, chance));
    // Now and then longer than the broker lets a transaction be.
    if (chance.often(0.05)) await rest(chance.below(chance.often(0.05) ? 8000 : 300), setting);
  }
}

export async function read(name: string, setting: Setting, chance: Chance): Promise<void> {
  const positions = new Positions(name);
  const connection = setting.connect(name, 2000);
  for (let poll = 0; !setting.isOver(); poll++) {
    if (chance.often(0.005)) positions.assign(chance.often(0.1));
    const draft = new Draft(setting, `${name}.${poll}`);
    try {
      draft.steps.push(await positions.poll(setting, connection, chance.one(setting.events), 2 * FETCH_BYTES));
      draft.done(null, 'committed');
    } catch (error) {
      if (!(error instanceof GaveUp || error instanceof Refused)) throw error;
      positions.assign(false);
    }
    await rest(chance.below(60), setting);
  }
  connection.cut();
}

/** One process that copies a log. */
interface Copier {
  readonly group: string;
  readonly from: Partition;
  readonly connection: Connection;
  readonly producer: TransactionalProducer;
  mustInit: boolean;
  /** Where it reads on; undefined when it has to ask where the group stands. */
  position: number | undefined;
}

/** Copies one log, from where the group stands: each record once, whoever dies. Others with the same transactional id and group do the same, and fence this one. */
export async function copy(name: string, group: string, from: Partition, setting: Setting, chance: Chance): Promise<void> {
  for (let life = 0; !setting.isOver(); life++) {
    const connection = setting.connect(`${name}-${life}`, 1500 + chance.below(3000));
    const producer = new TransactionalProducer(
      connection,
      group,
      chance.one(STYLES),
      setting.transactionTimeoutMs,
      STEP_PATIENCE_MS,
    );
    const copier: Copier = { group, from, connection, producer, mustInit: true, position: undefined };
    for (let transaction = 0; !setting.isOver(); transaction++) {
      try {
        await copyOnce(copier, new Draft(setting, `${name}.${life}.${transaction}`), setting, chance);
      } catch (error) {
        if (!(error instanceof GaveUp || error instanceof Refused)) throw error;
        copier.mustInit = true;
      }
      if (chance.often(0.02)) break;
      // Whoever shares the id takes it over only now and then, else nobody would get anywhere.
      if (copier.mustInit) await rest(chance.below(1000), setting);
    }
    connection.cut();
  }
}

async function copyOnce(copier: Copier, draft: Draft, setting: Setting, chance: Chance): Promise<void> {
  const { connection, producer, group, from } = copier;
  if (copier.mustInit) {
    copier.position = undefined;
    if (!(await initialized(producer, setting, false))) return;
    copier.mustInit = false;
  }
  copier.position ??= Math.max(0, await committedOffset(connection, group, from, STEP_PATIENCE_MS));
  const at = copier.position;
  const options = { maxBytes: 1000 + chance.below(8000), untilMs: STEP_PATIENCE_MS };
  const { entries, next } = await fetchCommitted(connection, from, at, options);
  if (next === at) {
    await rest(20, setting);
    return;
  }
  const move: Move = { kind: 'move', group, log: logOf(from), from: at, to: next };
  const commit = chance.often(0.8);
  copier.mustInit = await attempt(draft, producer, setting, commit, () =>
    copied(copier, draft, move, entries.length, setting, chance),
  );
  // A consumer whose transaction was aborted goes back to what is committed, and now and then every one does.
  copier.position = commit && !chance.often(0.15) ? next : undefined;
}

async function copied(
  { producer, from }: Copier,
  draft: Draft,
  move: Move,
  count: number,
  setting: Setting,
  chance: Chance,
): Promise<void> {
  const offsetsFirst = chance.often(0.5);
  if (offsetsFirst) await producer.commitOffset(move.group, from, move.to);
  await draft.send(producer, chance.one(setting.copies), [draft.fresh(Math.max(1, Math.min(count, 8)), () => 10)]);
  if (!offsetsFirst) await producer.commitOffset(move.group, from, move.to);
  draft.steps.push(move);
}

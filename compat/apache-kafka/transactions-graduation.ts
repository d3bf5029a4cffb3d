/**
 * A data directory with transactions in every state, handed back and forth between Blumfeld and Apache Kafka, after clean stops and after kills: the next one knows them all, goes
 * on with those that are open, and ends them; what is committed, and where groups stand, is the same for both. `node build/compat/apache-kafka/transactions-graduation.js JARS`
 */
import { removeFolder, temporaryFolder } from '../temporary-folder.ts';
import { Checks } from '../checks.ts';
import { Connection } from '../consistency/connection.ts';
import { committedOffset, fetchCommitted } from '../consistency/reader.ts';
import { TransactionalProducer, type Partition, type Style } from '../consistency/transactional-producer.ts';
import { type Directory, FEW_INTERNAL_PARTITIONS, newDirectory, type Owner, startOn } from './directory-owner.ts';

const PATIENCE_MS = 60_000;
const PARTITIONS = 2;
const GROUP = 'group-of-all';
const TOPIC = 'kept';
const STYLES: readonly Style[] = ['old', 'new'];

const checks = new Checks();
const { check } = checks;

const same = (found: unknown, expected: unknown): string | undefined => {
  const [is, ought] = [JSON.stringify(found), JSON.stringify(expected)];
  return is === ought ? undefined : `is ${is}, was to be ${ought}`;
};

/** A transaction that its opener left open, and what it has sent. */
interface Open {
  readonly producer: TransactionalProducer;
  readonly style: Style;
  readonly values: string[];
}

interface Ledger {
  /** By partition, what is committed, in order. */
  readonly committed: string[][];
  groupOffset: number;
  /** Left behind by the owner before. */
  open: Open[];
  /** By transactional id, as ListTransactions tells it. */
  readonly states: Map<string, string>;
  values: number;
}

const partitions: readonly Partition[] = Array.from({ length: PARTITIONS }, (_, index) => ({ topic: TOPIC, index }));

function opened(connection: Connection, id: string, style: Style): TransactionalProducer {
  return new TransactionalProducer(connection, id, style, 600_000, PATIENCE_MS);
}

/** One record in each partition; in the order in which the transactions are ended they become visible, in the order of sending they lie there. */
async function send(ledger: Ledger, producer: TransactionalProducer): Promise<string> {
  const value = `${producer.transactionalId}.${ledger.values++}`;
  for (const partition of partitions) await producer.send(partition, [[Buffer.from(`${value} `)]]);
  return value;
}

async function committedIn(connection: Connection, partition: Partition): Promise<string[]> {
  const values: string[] = [];
  const deadline = Date.now() + 20_000;
  for (let at = 0; ; ) {
    const options = { maxBytes: 1 << 20, untilMs: PATIENCE_MS };
    const { entries, next, lastStableOffset, highWatermark } = await fetchCommitted(connection, partition, at, options);
    values.push(...entries.map(({ value }) => value));
    if (next === highWatermark) return values;
    if (next === at && Date.now() > deadline) throw new Error(`stable up to ${lastStableOffset} of ${highWatermark}`);
    at = next;
  }
}

async function states(connection: Connection): Promise<[string, string][]> {
  const answer = await connection.settle(
    'listTransactions',
    { stateFilters: [], producerIdFilters: [], durationFilter: -1n, transactionalIdPattern: '' },
    2,
    ({ errorCode }) => errorCode,
    PATIENCE_MS,
  );
  return answer.transactionStates.map(({ transactionalId, transactionState }): [string, string] => [
    transactionalId,
    transactionState,
  ]);
}

/** Sorted by id, as soon as they are as they are to be, or after a while as they are. */
async function statesWhen(connection: Connection, are: (found: [string, string][]) => boolean): Promise<[string, string][]> {
  const deadline = Date.now() + 20_000;
  for (;;) {
    const found = (await states(connection)).sort(([a], [b]) => (a < b ? -1 : 1));
    if (are(found) || Date.now() > deadline) return found;
    await new Promise((resolve) => setTimeout(resolve, 50));
  }
}

async function begin(connection: Connection): Promise<void> {
  const request = {
    topics: [
      {
        name: TOPIC,
        numPartitions: PARTITIONS,
        replicationFactor: 1,
        assignments: [],
        configs: [{ name: 'retention.ms', value: '-1' }],
      },
    ],
    timeoutMs: 30_000,
  };
  await connection.settle('createTopics', request, 7, ({ topics }) => topics[0]?.errorCode ?? -1, PATIENCE_MS);
}

async function coordinated(connection: Connection): Promise<void> {
  for (const keyType of [0, 1])
    await connection.settle(
      'findCoordinator',
      { keyType, coordinatorKeys: [GROUP] },
      4,
      ({ coordinators }) => coordinators[0]?.errorCode ?? -1,
      PATIENCE_MS,
    );
}

/** What was left open is known as open, takes one more record, and is ended: one by a commit that moves the group, one by an abort, one by whoever takes its id over. */
async function endThoseLeft(ledger: Ledger, owner: Owner, came: string, connection: Connection): Promise<void> {
  // A partition of the state that is not read yet has no transactions.
  const expected = [...ledger.states].sort(([a], [b]) => (a < b ? -1 : 1));
  const known = await statesWhen(connection, (found) => found.length >= expected.length);
  check(`${owner} knows every transaction after ${came}`, same(known, expected));
  const visible: string[] = [];
  for (const [i, { producer, style, values }] of ledger.open.entries()) {
    const id = producer.transactionalId;
    const title = `${owner} ends a transaction (${style}) that ${came} left open`;
    try {
      if (i % 3 === 2) {
        await opened(connection, id, style).init();
        check(`${title}, for who takes its id over`, undefined);
        continue;
      }
      values.push(await send(ledger, producer));
      ledger.groupOffset += i % 3 === 0 ? 1 : 0;
      if (i % 3 === 0) await producer.commitOffset(GROUP, { topic: TOPIC, index: 0 }, ledger.groupOffset);
      const outcome = await producer.end(i % 3 === 0);
      check(`${title}, by ${i % 3 === 0 ? 'a commit' : 'an abort'}`, same(outcome, i % 3 === 0 ? 'committed' : 'aborted'));
      if (i % 3 === 0) visible.push(...values);
    } catch (error) {
      check(title, String(error));
    }
  }
  ledger.open = [];
  // Those records lie in the order of their sending: first those that the owner before took, then what was added now.
  const order = [...visible].sort((a, b) => Number(a.split('.').at(-1)) - Number(b.split('.').at(-1)));
  for (const list of ledger.committed) list.push(...order);
}

async function verify(ledger: Ledger, owner: Owner, when: string, connection: Connection): Promise<void> {
  for (const partition of partitions) {
    const found = await committedIn(connection, partition).catch((error: unknown) => String(error));
    check(
      `${owner} shows what is committed ${when}, partition ${partition.index}`,
      same(found, ledger.committed[partition.index]),
    );
  }
  const offset = await committedOffset(connection, GROUP, { topic: TOPIC, index: 0 }, PATIENCE_MS);
  check(`${owner} knows where the group stands ${when}`, same(offset, ledger.groupOffset));
}

/** Transactions that are ended, then three of each style that are not. */
async function add(ledger: Ledger, round: number, connection: Connection): Promise<void> {
  for (const style of STYLES) {
    const producer = opened(connection, `ended-${style}`, style);
    await producer.init();
    for (const commit of [true, false, true]) {
      const value = await send(ledger, producer);
      await producer.commitOffset(GROUP, { topic: TOPIC, index: 0 }, ledger.groupOffset + (commit ? 1 : 7));
      await producer.end(commit);
      if (!commit) continue;
      ledger.groupOffset++;
      for (const list of ledger.committed) list.push(value);
    }
  }
  for (const style of STYLES) {
    for (const fate of ['commit', 'abort', 'take']) {
      const producer = opened(connection, `open-${style}-${fate}-${round}`, style);
      await producer.init();
      const values = [await send(ledger, producer)];
      if (fate === 'commit') await producer.commitOffset(GROUP, { topic: TOPIC, index: 0 }, ledger.groupOffset + 100);
      ledger.open.push({ producer, style, values });
    }
  }
  const settled = new Set(['Empty', 'Ongoing', 'CompleteCommit', 'CompleteAbort']);
  const now = await statesWhen(connection, (found) => found.every(([, state]) => settled.has(state)));
  ledger.states.clear();
  for (const [id, state] of now) ledger.states.set(id, state);
}

const ROUNDS: readonly (readonly [owner: Owner, end: 'SIGTERM' | 'SIGKILL'])[] = [
  ['Blumfeld', 'SIGTERM'],
  ['Apache Kafka', 'SIGTERM'],
  ['Blumfeld', 'SIGKILL'],
  ['Apache Kafka', 'SIGKILL'],
  ['Blumfeld', 'SIGTERM'],
];

async function graduate(jars: string, directory: Directory): Promise<void> {
  const ledger: Ledger = { committed: partitions.map(() => []), groupOffset: 0, open: [], states: new Map(), values: 0 };
  const connection = new Connection({ host: '127.0.0.1', port: directory.port }, 'graduation', 20_000);
  let came: string | undefined;
  for (const [index, [owner, end]] of ROUNDS.entries()) {
    const running = await startOn(directory, owner, jars);
    try {
      if (came === undefined) await begin(connection);
      await coordinated(connection);
      if (came !== undefined) {
        await endThoseLeft(ledger, owner, came, connection);
        await verify(ledger, owner, `after ${came}`, connection);
      }
      await add(ledger, index + 1, connection);
      came = end === 'SIGTERM' ? `a clean stop of ${owner}` : `a kill -9 of ${owner}`;
    } finally {
      await running.stop(end);
      connection.cut();
    }
  }
}

const [jars] = process.argv.slice(2);
if (jars === undefined) throw new Error("name the folder of Apache Kafka's jars");
const folder = temporaryFolder('transactions');
try {
  await graduate(jars, await newDirectory(folder, FEW_INTERNAL_PARTITIONS));
} catch (error) {
  checks.broke('the directory is handed over', error);
} finally {
  removeFolder(folder);
}
checks.end();

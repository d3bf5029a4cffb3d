/**
 * Sends the same conversations to Apache Kafka and to Blumfeld and compares what they answer, field by field.
 *
 * `node build/compat/apache-kafka/differential/main.js --kafka HOST:PORT [--blumfeld HOST:PORT] [--only TEXT] [--show] [--requests N]`. Without Blumfeld it tells how far
 * the conversations themselves hold. One check is one case in one version, a kept
 * stream, or a request of a random stream (seed from the environment's SEED, else drawn and told; none with --only); the last line is `N passed, N failed`.
 */
import { randomBytes } from 'node:crypto';
import { parseArgs } from 'node:util';
import type { Case } from './case.ts';
import { CONFIG_CASES } from './cases/configs.ts';
import { changeLevels, FEATURE_CASES, type Updates } from './cases/features.ts';
import { FRAME_CASES } from './cases/frames.ts';
import { GROUP_CASES } from './cases/groups.ts';
import { QUORUM_CASES } from './cases/quorum.ts';
import { RECORD_CASES } from './cases/records.ts';
import { TOPIC_CASES } from './cases/topics.ts';
import { TRANSACTION_CASES } from './cases/transactions.ts';
import { differences, maskedAnswer, type Plain } from './compare.ts';
import { USER_CASES } from './cases/users.ts';
import { type Address, address, NoAnswer } from '../../../test/support/plain-client.ts';
import { Conversation, newestVersion, type Run } from './conversation.ts';
import { EXPLAINED } from './masks.ts';
import type { Brokers } from './stream/play.ts';
import { playKept, playStreams } from './stream/streams.ts';

const CASES: readonly Case[] = [
  ...FRAME_CASES,
  ...TOPIC_CASES,
  ...CONFIG_CASES,
  ...RECORD_CASES,
  ...GROUP_CASES,
  ...TRANSACTION_CASES,
  ...FEATURE_CASES,
  ...QUORUM_CASES,
  ...USER_CASES,
];

const { values: options } = parseArgs({
  options: {
    kafka: { type: 'string' },
    blumfeld: { type: 'string' },
    only: { type: 'string' },
    requests: { type: 'string', default: '10000' },
    lines: { type: 'string', default: '12' },
    show: { type: 'boolean', default: false },
  },
});

/** The transcript of one case, masked; what went wrong with the conversation itself is its last entry. */
async function talk(to: Address, run: Run, one: Case, version: number, label: string): Promise<Plain> {
  const x = new Conversation(to, run, one.api, version, label);
  try {
    await one.run(x);
  } catch (error) {
    if (!(error instanceof NoAnswer)) x.note('the conversation', String(error));
  } finally {
    x.close();
  }
  return x.transcript.map(({ api, answer }) => ({ api, answer: maskedAnswer(api, answer, x.name('')) }));
}

/** A broker that has just started passes through states of its own: it has no block of producer ids yet, no topic of offsets and none of transactions. */
async function warmUp(to: Address, run: Run): Promise<void> {
  const x = new Conversation(to, run, 'metadata', 12, 'warm-up');
  try {
    await x.settle('initProducerId', { transactionalId: null, transactionTimeoutMs: 60_000 }, (answer) => [answer.errorCode]);
    await x.group('g');
    await x.settle('findCoordinator', { keyType: 1, coordinatorKeys: [x.name('tx')] }, (answer) =>
      answer.coordinators.map(({ errorCode }) => errorCode),
    );
  } finally {
    x.close();
  }
}

interface Level {
  readonly update: Updates[0];
  /** What clients that were told of the level use. */
  readonly newest: NonNullable<Run['newest']>;
}

/** The levels of transaction.version at which transactions are compared. At 1 the newest versions do too. */
const TRANSACTION_LEVELS: readonly Level[] = [
  { update: ['transaction.version', 1, 2], newest: {} },
  { update: ['transaction.version', 0, 2], newest: { produce: 11, addPartitionsToTxn: 3, endTxn: 4, txnOffsetCommit: 4 } },
];
const HIGHEST_LEVEL: Updates[0] = ['transaction.version', 2];

async function changeLevel(to: Address, run: Run, level: Updates[0]): Promise<void> {
  const x = new Conversation(to, run, 'updateFeatures', 2, 'levels');
  try {
    await changeLevels(x, [level]);
  } finally {
    x.close();
  }
}

interface Check {
  readonly one: Case;
  readonly version: number;
  readonly label: string;
  /** Where the case is played at other levels than those that a broker starts with. */
  readonly level?: Level;
}

const nameOf = (level?: Level): string => (level === undefined ? '' : ` at ${level.update[0]} ${level.update[1]}`);

/** Conversations are independent of each other, and mostly wait: this many at once. */
const ABREAST = 8;

async function main(): Promise<void> {
  const kafka = options.kafka === undefined ? undefined : address(options.kafka);
  const blumfeld = options.blumfeld === undefined ? undefined : address(options.blumfeld);
  const [first, second] = kafka === undefined ? [blumfeld, undefined] : [kafka, blumfeld];
  if (first === undefined) throw new Error('name a broker: --kafka HOST:PORT, --blumfeld HOST:PORT, or both');
  const run: Run = { prefix: `d${randomBytes(3).toString('hex')}`, timestamp: Date.now() - 60_000 };
  const reasons = new Map(EXPLAINED.map((one) => [`${one.api}: ${one.name}`, one.reason]));
  const only = options.only ?? '';
  let passed = 0;
  let failed = 0;
  await Promise.all([first, second].map(async (broker) => broker !== undefined && (await warmUp(broker, run))));

  const check = async ({ one, version, label, level }: Check): Promise<void> => {
    const playing: Run = level === undefined ? run : { ...run, newest: level.newest };
    const title = `${one.api}: ${one.name}`;
    const [expected, actual] = await Promise.all([
      talk(first, playing, one, version, label),
      second === undefined ? undefined : talk(second, playing, one, version, label),
    ]);
    if (options.show) console.log(`${title} v${version}: ${JSON.stringify(expected)}`);
    const broken = JSON.stringify(expected).includes('"the conversation"')
      ? [`the conversation itself broke: ${JSON.stringify(expected)}`]
      : [];
    const found = actual === undefined ? broken : differences(expected, actual);
    if (found.length === 0 || reasons.has(title)) {
      passed++;
      return;
    }
    failed++;
    console.log(`not ok ${title}, version ${version}${nameOf(level)}`);
    const shown = Number(options.lines);
    for (const line of found.slice(0, shown)) console.log(`    ${line.replaceAll(`${run.prefix}-`, '')}`);
    if (found.length > shown) console.log(`    and ${found.length - shown} more`);
  };

  const checksOf = (cases: readonly Case[], level?: Level): readonly Check[] =>
    cases.flatMap((one, index) => {
      const to = Math.min(one.to, newestVersion({ ...run, ...(level === undefined ? {} : { newest: level.newest }) }, one.api));
      const count = `${one.api}: ${one.name}${nameOf(level)}`.includes(only) ? Math.max(0, to - one.from + 1) : 0;
      const label = `${level === undefined ? '' : `tv${level.update[1]}-`}${index}`;
      return Array.from({ length: count }, (_, i) => ({ one, version: one.from + i, label, ...(level && { level }) }));
    });
  const checkAll = async (waiting: readonly Check[]): Promise<void> => {
    const next = waiting.filter(({ one }) => one.alone !== true).values();
    await Promise.all(
      Array.from({ length: ABREAST }, async () => {
        for (const one of next) await check(one);
      }),
    );
    for (const one of waiting) if (one.one.alone === true) await check(one);
  };
  const changeAll = (update: Updates[0]): Promise<unknown> =>
    Promise.all([first, second].map(async (broker) => broker !== undefined && (await changeLevel(broker, run, update))));
  await checkAll(checksOf(CASES));
  for (const level of TRANSACTION_LEVELS) {
    const checks = checksOf(TRANSACTION_CASES, level);
    if (checks.length === 0) continue;
    await changeAll(level.update);
    await checkAll(checks);
  }
  if (TRANSACTION_LEVELS.some((level) => checksOf(TRANSACTION_CASES, level).length > 0)) await changeAll(HIGHEST_LEVEL);
  if (second !== undefined && only === '') {
    const brokers: Brokers = { kafka: first, blumfeld: second };
    const kept = await playKept(brokers);
    const streams = await playStreams(brokers, { requests: Number(options.requests) });
    passed += kept.passed + streams.compared;
    failed += kept.failed + streams.failed;
  }
  console.log(`${passed} passed, ${failed} failed`);
  process.exitCode = failed === 0 ? 0 : 1;
}

await main();
